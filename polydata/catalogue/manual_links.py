"""Links by hand: rows that outlive joins and new readings, and the links that follow from them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.lookup import begins
from polydata.catalogue.reattach import PLACES, spots
from polydata.edits import Spot, successors
from polydata.types import Box

TABLES = {"panel": ("links", "panel_id"), "figure": ("figure_links", "figure_id")}
"""Where the links of each kind of target stand."""

PUBLISHED = """panel_id IN (SELECT panel_id FROM panels JOIN figures USING (figure_id) JOIN papers USING (paper_id)
                           WHERE papers.source <> 'pdf')"""
MADE_BY_JOIN = {"links": f"NOT {PUBLISHED}", "figure_links": "true", "paper_links": "true", "link_candidates": "true"}
"""Which rows of a record a link by hand takes the place of: not those of imported data sets."""

CORNERS = ("x0", "y0", "x1", "y1")


@dataclass(frozen=True)
class ManualLink:
    """A link by hand.

    Attributes:
        target: ``panel``, ``figure``, or ``nothing``: the record belongs to no panel.
        target_id: of the panel or figure, empty for nothing.
        there: whether record and target are in the catalogue at present.
    """

    record_id: str
    target: str
    target_id: str
    there: bool = True


def manual_links(catalogue: Catalogue) -> list[ManualLink]:
    """All links by hand, also those whose target is not there at present."""
    rows = catalogue.tuples(
        """SELECT record_id, target, target_id, record_id IN (SELECT record_id FROM records) AND (target = 'nothing'
                  OR target_id IN (SELECT panel_id FROM panels UNION SELECT figure_id FROM figures))
           FROM manual_links ORDER BY ALL"""
    )
    return [ManualLink(*row) for row in rows]


def add_manual_link(catalogue: Catalogue, link: ManualLink) -> None:
    """Write a link by hand within a transaction; the record's automatic links and candidates go.

    ``nothing`` replaces the record's other links by hand, and they replace it.
    """
    other = "target <> 'nothing'" if link.target == "nothing" else "target = 'nothing'"
    catalogue.run(f"DELETE FROM manual_links WHERE record_id = ? AND {other}", [link.record_id])  # noqa: S608
    row = {"record_id": link.record_id, "target": link.target, "target_id": link.target_id}
    catalogue.upsert("manual_links", [row])
    for table in ("links", "figure_links", "paper_links", "link_candidates"):
        catalogue.run(f"DELETE FROM {table} WHERE record_id = ? AND {MADE_BY_JOIN[table]}", [link.record_id])  # noqa: S608
    settle_manual_links(catalogue)


def remove_manual_links(catalogue: Catalogue, record_id: str, target: str | None = None) -> list[ManualLink]:
    """Take the links by hand of a record back within a transaction; returns those that went.

    Args:
        target: id of the panel or figure whose link goes, or the beginning of it, also of one that is not there;
            None: all of them.
    """
    gone = [
        link
        for link in manual_links(catalogue)
        if link.record_id == record_id and (target is None or begins(link.target_id, target))
    ]
    for link in gone:
        catalogue.run(
            "DELETE FROM manual_links WHERE record_id = ? AND target_id = ?", [link.record_id, link.target_id]
        )
    settle_manual_links(catalogue)
    return gone


def settle_manual_links(catalogue: Catalogue) -> None:
    """Let the links follow from those by hand, within the caller's transaction.

    A target that is gone is looked for in its paper by place; where it is not found its link waits.
    """
    _find_again(catalogue)
    _note_places(catalogue)
    for target, (table, column) in TABLES.items():
        thing = f"{target}s"
        catalogue.run(
            f"""DELETE FROM {table} WHERE method = 'manual' AND (record_id, {column}) NOT IN (
                    SELECT (record_id, target_id) FROM manual_links JOIN {thing} ON target_id = {column}
                    WHERE target = ?)""",  # noqa: S608
            [target],
        )
        catalogue.run(
            f"""INSERT OR REPLACE INTO {table} ({column}, record_id, method, score)
                SELECT target_id, record_id, 'manual', 1.0 FROM manual_links JOIN {thing} ON target_id = {column}
                JOIN records USING (record_id) WHERE target = ?""",  # noqa: S608
            [target],
        )


def _find_again(catalogue: Catalogue) -> None:
    """Give links whose target is gone the one that stands in its place now."""
    lost = catalogue.rows(
        """SELECT * FROM manual_links
           WHERE x0 IS NOT NULL AND target_id NOT IN (SELECT panel_id FROM panels UNION SELECT figure_id FROM figures)
           ORDER BY record_id, target_id"""
    )
    of_paper: dict[tuple[str, str], dict[str, Spot]] = defaultdict(dict)
    for row in lost:
        box = Box(*(row[c] for c in CORNERS))
        spot = Spot(row["page"], row["figure_label"], row["panel_label"], box, "")
        of_paper[row["paper_id"], row["target"]][row["target_id"]] = spot
    for (paper_id, target), before in of_paper.items():
        after = spots(catalogue, paper_id, target)
        for old, new in successors(before, after).items():
            catalogue.run(
                """DELETE FROM manual_links WHERE target_id = ? AND record_id IN
                   (SELECT record_id FROM manual_links WHERE target_id = ?)""",
                [old, new],
            )
            catalogue.run("UPDATE manual_links SET target_id = ? WHERE target_id = ?", [new, old])


def _note_places(catalogue: Catalogue) -> None:
    """Write down where the targets stand that are there."""
    names = ("paper_id", "page", "figure_label", "panel_label", *CORNERS)
    for sql in PLACES.values():
        catalogue.run(
            f"""UPDATE manual_links SET {", ".join(f"{name} = place.{name}" for name in names)}
                FROM ({sql}) place WHERE target_id = place.id"""  # noqa: S608
        )


def list_manual_links(catalogue: Catalogue) -> list[dict[str, Any]]:
    """All links by hand: record_id, record_key, target, target_id, paper, page, figure, panel, state."""
    return catalogue.rows(
        """SELECT record_id, record_key, target, target_id, papers.file_name AS paper, manual_links.page,
                  figure_label AS figure, panel_label AS panel,
                  CASE WHEN records.record_id IS NULL THEN 'waits: its record is not in the catalogue'
                       WHEN target = 'nothing' THEN 'in force'
                       WHEN target_id IN (SELECT panel_id FROM panels UNION SELECT figure_id FROM figures)
                       THEN 'in force' ELSE 'waits: its ' || target || ' is not in the catalogue' END AS state
           FROM manual_links LEFT JOIN records USING (record_id) LEFT JOIN papers USING (paper_id)
           ORDER BY record_key, record_id, target_id"""
    )
