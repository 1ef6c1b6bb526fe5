"""What belongs to a panel goes with it where its id changes: links, words on its label, screening by hand."""

from __future__ import annotations

from collections.abc import Mapping

from polydata.catalogue.connect import Catalogue
from polydata.edits import Spot, successors
from polydata.types import Box

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


def spots(catalogue: Catalogue, paper_id: str, kind: str = "panel") -> dict[str, Spot]:
    """Where the panels of a paper stand, or its figures, by their ids."""
    rows = catalogue.tuples(
        f"""SELECT id, page, figure_label, panel_label, image_sha256, x0, y0, x1, y1 FROM ({PLACES[kind]})
            WHERE paper_id = ? AND x0 IS NOT NULL ORDER BY id""",  # noqa: S608 - a constant
        [paper_id],
    )
    return {one: Spot(page, figure, label, Box(*box), image) for one, page, figure, label, image, *box in rows}


def reattach(catalogue: Catalogue, paper_id: str, before: Mapping[str, Spot], moved: Mapping[str, str]) -> None:
    """Give rows that belong to the panels that a paper had to those that it has, within the caller's transaction.

    Args:
        before: from ``spots``, before the paper was written anew.
        moved: panels whose successor is known; that of others follows from labels and boxes.
    """
    if not before:
        return
    after = spots(catalogue, paper_id)
    heirs = {old: moved[old] for old in before if old not in after and moved.get(old) in after}
    taken = set(heirs.values())
    heirs |= successors(
        {old: spot for old, spot in before.items() if old not in heirs},
        {new: spot for new, spot in after.items() if new not in taken},
    )
    move_dependents(catalogue, heirs)
    changed = {before[old].image: after[heirs.get(old, old)].image for old in before if heirs.get(old, old) in after}
    _move_decisions(catalogue, {old: new for old, new in changed.items() if old != new})


def _move_decisions(catalogue: Catalogue, images: Mapping[str, str]) -> None:
    """Give what was decided by hand of an image to the image that took its place, unless that has a decision."""
    for old, new in images.items():
        catalogue.run(
            """INSERT OR IGNORE INTO screening_corrections
               SELECT ?, decision FROM screening_corrections WHERE image_sha256 = ?""",
            [new, old],
        )
        catalogue.run(
            """DELETE FROM screening_corrections
               WHERE image_sha256 = ? AND NOT EXISTS (SELECT 1 FROM panels WHERE image_sha256 = ?)""",
            [old, old],
        )
        catalogue.run(  # a label that was set by hand; the old image keeps it where a panel still shows it
            """UPDATE label_decisions SET image_sha256 = $1
               WHERE image_sha256 = $2 AND $2 NOT IN (SELECT image_sha256 FROM panels)
                 AND $1 NOT IN (SELECT image_sha256 FROM label_decisions)""",
            [new, old],
        )


def move_dependents(catalogue: Catalogue, moved: Mapping[str, str]) -> None:
    """Give the rows of panels to others, within the caller's transaction; what these have already stays theirs.

    Args:
        moved: ids of panels, each with the id that takes over.
    """
    moved = {old: new for old, new in moved.items() if old != new}
    for table, key in DEPENDENTS.items():
        column = key[0]
        rows = catalogue.rows(
            f"SELECT * FROM {table} WHERE list_contains(?, {column}) ORDER BY {column}",  # noqa: S608 - constants
            [list(moved)],
        )
        catalogue.run(f"DELETE FROM {table} WHERE list_contains(?, {column})", [list(moved)])  # noqa: S608
        rows = [row | {column: moved[row[column]]} for row in rows]
        there = set(catalogue.tuples(f"SELECT {', '.join(key)} FROM {table}")) if rows else set()  # noqa: S608
        catalogue.upsert(table, [row for row in rows if tuple(row[name] for name in key) not in there])
