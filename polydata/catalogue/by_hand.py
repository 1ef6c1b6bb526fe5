"""Corrections and links by hand, which outlive joins and new readings, and what goes with a panel whose id changes."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.lookup import among, begins, find
from polydata.catalogue.successors import note_successors
from polydata.edits import Correction, Edit, Place, Spot, successors
from polydata.types import Box

TABLES = {"panel": ("links", "panel_id"), "figure": ("figure_links", "figure_id")}
"""Where the links of each kind of target stand."""

PUBLISHED = """panel_id IN (SELECT panel_id FROM panels JOIN figures USING (figure_id) JOIN papers USING (paper_id)
                           WHERE papers.source <> 'pdf')"""
MADE_BY_JOIN = {"links": f"NOT {PUBLISHED}", "figure_links": "true", "paper_links": "true", "link_candidates": "true"}
"""Which rows of a record a link by hand takes the place of: not those of imported data sets."""

CORNERS = ("x0", "y0", "x1", "y1")

DEPENDENTS = {
    "links": ("panel_id", "record_id"),
    "link_candidates": ("panel_id", "record_id"),
    "manual_links": ("target_id", "record_id"),
    "label_votes": ("panel_id", "source", "record_id"),
}
"""Tables whose rows belong to panels, each with its key; the column that names the panel comes first."""

PLACES = {
    "panel": """SELECT panel_id AS id, paper_id, page, figures.label AS figure_label, panels.label AS panel_label,
                       panels.x0, panels.y0, panels.x1, panels.y1, image_sha256
                FROM panels JOIN figures USING (figure_id)""",
    "figure": """SELECT figure_id AS id, paper_id, page, label AS figure_label, NULL AS panel_label, x0, y0, x1, y1,
                        '' AS image_sha256 FROM figures""",
}
"""Where panels and figures stand."""


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


def manual_links(catalogue: Catalogue, record_id: str | None = None) -> list[ManualLink]:
    """All links by hand, or those of a record, also those whose target is not there at present."""
    rows = catalogue.tuples(
        """SELECT record_id, target, target_id, record_id IN (SELECT record_id FROM records) AND (target = 'nothing'
                  OR target_id IN (SELECT panel_id FROM panels UNION ALL SELECT figure_id FROM figures))
           FROM manual_links WHERE record_id = coalesce(?, record_id) ORDER BY ALL""",
        [record_id],
    )
    return [ManualLink(*row) for row in rows]


def manual_link(catalogue: Catalogue, record: str, target: str | None) -> ManualLink:
    """The link that is meant; nothing is written.

    Args:
        record: its id, the beginning of it, or its own key.
        target: id of a panel or figure, or the beginning of it; None: the record belongs to none.

    Raises:
        InputError: if either is not there or not the only one.
    """
    kind, identifier = ("nothing", "") if target is None else find(catalogue, target, "panel", "figure")
    return ManualLink(find(catalogue, record, "record")[1], kind, identifier)


def add_manual_links(catalogue: Catalogue, links: Sequence[ManualLink]) -> None:
    """Write links by hand within a transaction; the automatic links and candidates of their records go.

    ``nothing`` replaces a record's other links by hand, and they replace it.
    """
    for link in links:
        other = "target <> 'nothing'" if link.target == "nothing" else "target = 'nothing'"
        catalogue.run(f"DELETE FROM manual_links WHERE record_id = ? AND {other}", [link.record_id])  # noqa: S608
    columns = ("record_id", "target", "target_id")
    catalogue.upsert("manual_links", [{name: getattr(link, name) for name in columns} for link in links])
    records = sorted({link.record_id for link in links})
    for table, made_by_join in MADE_BY_JOIN.items():
        its = f"record_id IN (SELECT unnest(?::TEXT[])) AND {made_by_join}"
        catalogue.run(f"DELETE FROM {table} WHERE {its}", [records])  # noqa: S608 - constants
    settle_manual_links(catalogue, records)


def remove_manual_links(catalogue: Catalogue, record_id: str, target: str | None = None) -> list[ManualLink]:
    """Take the links by hand of a record back within a transaction; returns those that went.

    Args:
        target: id of the panel or figure whose link goes, or the beginning of it, also of one that is not there;
            None: all of them.
    """
    there = manual_links(catalogue, record_id)
    gone = [link for link in there if target is None or begins(link.target_id, target)]
    for link in gone:
        catalogue.run("DELETE FROM manual_links WHERE record_id = ? AND target_id = ?", [record_id, link.target_id])
    settle_manual_links(catalogue, [record_id])
    return gone


def records_linked_to(catalogue: Catalogue, papers: Collection[str], targets: Collection[str]) -> list[str]:
    """Records that are linked by hand to one of these panels and figures, or to one that stood in these papers last."""
    (in_papers, ids), (there, its) = among(papers), among(targets)
    return catalogue.column(
        f"""SELECT record_id FROM manual_links WHERE paper_id {in_papers}
            UNION SELECT record_id FROM manual_links WHERE target_id {there}""",  # noqa: S608 - parameters
        [*ids, *its],
    )


def settle_manual_links(catalogue: Catalogue, records: Sequence[str] | None = None) -> None:
    """Let the links follow from those by hand, within the caller's transaction. Only what differs is written.

    A target that is gone is looked for in its paper by place; where it is not found its link waits.

    Args:
        records: whose links may have changed; None for all.
    """
    if records is not None and not records:
        return
    meant = "true" if records is None else "record_id IN (SELECT unnest($1::TEXT[]))"
    asked = [] if records is None else [list(records)]
    _find_again(catalogue, meant, asked)
    _note_places(catalogue, meant, asked)
    for target, (table, column) in TABLES.items():
        standing = f"""
            SELECT {column}, record_id, 'manual' AS method, 1.0::DOUBLE AS score FROM (
                SELECT record_id, target_id AS {column} FROM manual_links WHERE target = '{target}' AND {meant}
            ) SEMI JOIN {target}s USING ({column})"""  # noqa: S608 - constants
        catalogue.run(
            f"""DELETE FROM {table} WHERE (record_id, {column}) IN (
                    SELECT (record_id, {column}) FROM (FROM {table} WHERE method = 'manual' AND {meant})
                    ANTI JOIN ({standing}) USING (record_id, {column}))""",  # noqa: S608 - constants
            asked,
        )
        catalogue.run(
            f"""INSERT OR REPLACE INTO {table} ({column}, record_id, method, score)
                FROM ({standing}) SEMI JOIN records USING (record_id)
                ANTI JOIN {table} USING ({column}, record_id, method, score)""",
            asked,
        )


def _find_again(catalogue: Catalogue, meant: str, asked: Sequence[Any]) -> None:
    """Give links whose target is gone the one that stands in its place now."""
    targets = f"SELECT DISTINCT target_id FROM manual_links WHERE x0 IS NOT NULL AND {meant}"  # noqa: S608
    wanted = set(catalogue.column(targets, asked))
    for table in TABLES:
        is_one, its = among(wanted)
        wanted -= set(catalogue.column(f"SELECT {table}_id FROM {table}s WHERE {table}_id {is_one}", its))  # noqa: S608
        if not wanted:
            return
    lost, gone = among(wanted)
    of_paper: dict[tuple[str, str], dict[str, Spot]] = defaultdict(dict)
    for row in catalogue.rows(
        f"SELECT * FROM manual_links WHERE x0 IS NOT NULL AND target_id {lost} ORDER BY record_id, target_id",  # noqa: S608
        gone,
    ):
        of_paper[row["paper_id"], row["target"]][row["target_id"]] = _spot(row)
    for (paper_id, target), before in of_paper.items():
        after = spots(catalogue, [paper_id], target)[paper_id]
        for old, new in successors(before, after).items():
            catalogue.run(
                """DELETE FROM manual_links WHERE target_id = ? AND record_id IN
                   (SELECT record_id FROM manual_links WHERE target_id = ?)""",
                [old, new],
            )
            catalogue.run("UPDATE manual_links SET target_id = ? WHERE target_id = ?", [new, old])


def _spot(row: Mapping[str, Any]) -> Spot:
    """Where the target of a link stood last."""
    box = Box(*(row[corner] for corner in CORNERS))
    return Spot(row["page"], row["figure_label"], row["panel_label"], box, "")


def inherit(catalogue: Catalogue, older: str, newer: str) -> None:
    """Give a paper what people said of another that is the same but for its bytes, within a transaction.

    Args:
        older, newer: ids of the papers. The older one keeps its own.
    """
    before, after = spots(catalogue, [older, newer]).values()
    heirs = successors(before, after)
    note_successors(catalogue, {before[old].image: after[new].image for old, new in heirs.items()}, shown=True)
    for target in TABLES:
        rows = catalogue.rows(
            "SELECT * FROM manual_links WHERE paper_id = ? AND target = ? AND x0 IS NOT NULL", [older, target]
        )
        heirs = successors({row["target_id"]: _spot(row) for row in rows}, spots(catalogue, [newer], target)[newer])
        catalogue.upsert(
            "manual_links",
            [
                row | {"target_id": heirs[row["target_id"]], "paper_id": newer}
                for row in rows
                if row["target_id"] in heirs
            ],
        )


def _note_places(catalogue: Catalogue, meant: str, asked: Sequence[Any]) -> None:
    """Write down where the targets stand that are there."""
    names = ("paper_id", "page", "figure_label", "panel_label", *CORNERS)
    mine, its = among(catalogue.column(f"SELECT DISTINCT target_id FROM manual_links WHERE {meant}", asked))  # noqa: S608
    targets = {"panel": "panels.panel_id", "figure": "figures.figure_id"}
    for target, place in PLACES.items():
        catalogue.run(
            f"""UPDATE manual_links SET {", ".join(f"{name} = place.{name}" for name in names)}
                FROM ({place} WHERE {targets[target]} {mine}) place
                WHERE target_id = place.id AND ({", ".join(f"manual_links.{name}" for name in names)})
                      IS DISTINCT FROM ({", ".join(f"place.{name}" for name in names)})""",  # noqa: S608 - constants
            its,
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


def spots(catalogue: Catalogue, papers: Sequence[str], kind: str = "panel") -> dict[str, dict[str, Spot]]:
    """Where the panels of papers stand, or their figures, by their ids, for each paper."""
    found: dict[str, dict[str, Spot]] = {paper: {} for paper in papers}
    corners = ", ".join(CORNERS)
    of_papers, asked = among(papers)
    figures = {
        figure: (paper, page, label, box)
        for figure, paper, page, label, *box in catalogue.tuples(
            f"SELECT figure_id, paper_id, page, label, {corners} FROM figures WHERE paper_id {of_papers} ORDER BY 1",  # noqa: S608
            asked,
        )
    }
    if kind == "figure":
        for figure, (paper, page, label, box) in figures.items():
            if box[0] is not None:
                found[paper][figure] = Spot(page, label, None, Box(*box), "")
        return found
    of_figures, asked = among(figures)
    for panel, figure, own, image, *box in catalogue.tuples(
        f"""SELECT panel_id, figure_id, label, image_sha256, {corners} FROM panels
            WHERE figure_id {of_figures} AND x0 IS NOT NULL ORDER BY panel_id""",  # noqa: S608 - constants
        asked,
    ):
        paper, page, label, _ = figures[figure]
        found[paper][panel] = Spot(page, label, own, Box(*box), image)
    return found


def reattach(
    catalogue: Catalogue,
    before: Mapping[str, Mapping[str, Spot]],
    after: Mapping[str, Mapping[str, Spot]],
    moved: Mapping[str, str],
) -> None:
    """Give rows that belong to the panels that papers had to those that they have, within the caller's transaction.

    Args:
        before: where panels stood by their ids, for each paper, as ``spots`` gives it.
        after: where they stand.
        moved: panels whose successor is known; that of others follows from labels and boxes.
    """
    heirs, changed, images = dict[str, str](), dict[str, str](), set[str]()
    for paper, had in before.items():
        has = after[paper]
        its = {old: moved[old] for old in had if old not in has and moved.get(old) in has}
        taken = set(its.values())
        its |= successors(
            {old: spot for old, spot in had.items() if old not in its},
            {new: spot for new, spot in has.items() if new not in taken},
        )
        heirs |= its
        changed |= {had[old].image: has[its.get(old, old)].image for old in had if its.get(old, old) in has}
        images |= {spot.image for its_spots in (had, has) for spot in its_spots.values() if had}
    if heirs:
        move_dependents(catalogue, heirs)
    if images:
        note_successors(catalogue, {old: new for old, new in changed.items() if old != new}, images)


def move_dependents(catalogue: Catalogue, moved: Mapping[str, str]) -> None:
    """Give the rows of panels to others, within the caller's transaction; what these have already stays theirs.

    Args:
        moved: ids of panels, each with the id that takes over.
    """
    moved = {old: new for old, new in moved.items() if old != new}
    is_old, asked = among(moved)
    for table, key in DEPENDENTS.items():
        column = key[0]
        rows = catalogue.rows(
            f"SELECT * FROM {table} WHERE {column} {is_old} ORDER BY {column}",  # noqa: S608 - constants
            asked,
        )
        if not rows:
            continue
        catalogue.run(f"DELETE FROM {table} WHERE {column} {is_old}", asked)  # noqa: S608 - constants
        rows = [row | {column: moved[row[column]]} for row in rows]
        there = set(
            catalogue.tuples(
                f"SELECT {', '.join(key)} FROM {table} WHERE {column} IN (SELECT unnest(?::TEXT[]))",  # noqa: S608
                [list(moved.values())],
            )
        )
        catalogue.upsert(table, [row for row in rows if tuple(row[name] for name in key) not in there])


def _parts(text: str) -> dict[str, Any]:
    return {name: Box(**value) if isinstance(value, dict) else value for name, value in json.loads(text).items()}


def _edit(row: dict[str, Any]) -> Edit:
    place, changes = Place(**_parts(row["place"])), Correction(**_parts(row["changes"]))
    return Edit(row["paper_sha256"], row["number"], row["target"], place, changes, row["stale"])


def edits_of(catalogue: Catalogue, *paper_sha256: str) -> list[Edit]:
    """The corrections of papers, each one's in the order in which they were made."""
    rows = catalogue.rows(
        "SELECT * FROM edits WHERE paper_sha256 IN (SELECT unnest(?::TEXT[])) ORDER BY number, edit_id",
        [list(paper_sha256)],
    )
    return [_edit(row) for row in rows]


def write_edits(catalogue: Catalogue, edits: Iterable[Edit], undone: str | None = None) -> None:
    """Write corrections and whether they are in force, within the caller's transaction; take one back."""
    if undone is not None:
        catalogue.run("DELETE FROM edits WHERE edit_id = ?", [undone])
    catalogue.upsert("edits", [edit.row() for edit in edits])


def list_edits(catalogue: Catalogue) -> list[dict[str, Any]]:
    """All corrections: edit_id, paper, page, figure, panel, changes, state (``in force`` or why it is not)."""
    rows = catalogue.rows(
        """SELECT edits.*, papers.file_name FROM edits LEFT JOIN papers ON papers.sha256 = edits.paper_sha256
           ORDER BY papers.file_name, edits.paper_sha256, number, edit_id"""
    )
    listed = []
    for row in rows:
        edit = _edit(row)
        asked = edit.changes.asked | ({"box": edit.changes.box.as_list()} if edit.changes.box else {})
        state = f"stale: {edit.stale}" if edit.stale else "in force"
        listed.append(
            {
                "edit_id": row["edit_id"],
                "paper": row["file_name"] or edit.paper_sha256,
                "page": edit.place.page,
                "figure": edit.place.label,
                "panel": edit.place.panel_label,
                "target": edit.target,
                "changes": "delete" if edit.changes.delete else json.dumps(asked, ensure_ascii=False),
                "state": state if row["file_name"] else "stale: its paper is not in the catalogue",
            }
        )
    return listed
