"""Links by hand: rows that outlive joins and new readings, and the links that follow from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.edits import MIN_DIGITS
from polydata.catalogue.reattach import figure_spots, spots
from polydata.edits import Spot, successors
from polydata.errors import InputError
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
        if link.record_id == record_id and (target is None or _means(target, link.target, link.target_id))
    ]
    for link in gone:
        catalogue.run(
            "DELETE FROM manual_links WHERE record_id = ? AND target_id = ?", [link.record_id, link.target_id]
        )
    settle_manual_links(catalogue)
    return gone


def _means(word: str, kind: str, identifier: str) -> bool:
    digits = word.removeprefix(f"{kind}-")
    return len(digits) >= MIN_DIGITS and identifier.startswith(f"{kind}-{digits}")


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
        after = spots(catalogue, paper_id) if target == "panel" else figure_spots(catalogue, paper_id)
        for old, new in successors(before, after).items():
            catalogue.run(
                """DELETE FROM manual_links WHERE target_id = ? AND record_id IN
                   (SELECT record_id FROM manual_links WHERE target_id = ?)""",
                [old, new],
            )
            catalogue.run("UPDATE manual_links SET target_id = ? WHERE target_id = ?", [new, old])


def _note_places(catalogue: Catalogue) -> None:
    """Write down where the targets stand that are there."""
    places = {
        "panel": """SELECT panel_id AS id, paper_id, page, figures.label AS figure_label,
                           panels.label AS panel_label, panels.x0, panels.y0, panels.x1, panels.y1
                    FROM panels JOIN figures USING (figure_id)""",
        "figure": """SELECT figure_id AS id, paper_id, page, label AS figure_label, NULL AS panel_label,
                            x0, y0, x1, y1 FROM figures""",
    }
    names = ("paper_id", "page", "figure_label", "panel_label", *CORNERS)
    for sql in places.values():
        catalogue.run(
            f"""UPDATE manual_links SET {", ".join(f"{name} = place.{name}" for name in names)}
                FROM ({sql}) place WHERE target_id = place.id"""  # noqa: S608
        )


Found = TypeVar("Found")

NAMED = {
    "record": "SELECT record_id FROM records WHERE starts_with(record_id, ?) OR record_key = ?",
    "panel": "SELECT panel_id FROM panels WHERE starts_with(panel_id, ?) OR panel_id = ?",
    "figure": "SELECT figure_id FROM figures WHERE starts_with(figure_id, ?) OR figure_id = ?",
}


def record_named(catalogue: Catalogue, word: str) -> str:
    """The id of the one record that is meant by its id, the beginning of it, or its own key.

    Raises:
        InputError: if it names none or several.
    """
    return _single(_ids(catalogue, "record", word), "records", word, "List them: polydata records list --json")


def target_named(catalogue: Catalogue, word: str) -> tuple[str, str]:
    """``panel`` or ``figure`` and the id of the one that is meant by its id or the beginning of it.

    Raises:
        InputError: if it names none or several.
    """
    found = [(kind, identifier) for kind in TABLES for identifier in _ids(catalogue, kind, word)]
    hint = "Ids stand in: polydata list candidates --json, polydata export figures"
    return _single(found, "panels or figures", word, hint)


def _ids(catalogue: Catalogue, kind: str, word: str) -> list[str]:
    """At most two things of that kind that an id, or at least six digits of one, can mean."""
    digits = word.removeprefix(f"{kind}-")
    begins = f"{kind}-{digits}" if len(digits) >= MIN_DIGITS else f"{kind}-?"  # no id begins so
    return [str(identifier) for (identifier,) in catalogue.tuples(f"{NAMED[kind]} LIMIT 2", [begins, word])]


def _single(found: Sequence[Found], what: str, word: str, hint: str) -> Found:
    if len(found) != 1:
        raise InputError(f"{'Several' if found else 'No'} {what} are called {word!r}.", hint)
    return found[0]


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
