"""Corrections by hand in the catalogue: rows that outlive the extraction which they correct."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from polydata.catalogue.connect import Catalogue
from polydata.edits import Correction, Edit, Place
from polydata.errors import InputError
from polydata.types import Box

MIN_DIGITS = 6


def _box(corners: dict[str, float] | None) -> Box | None:
    return Box(**corners) if corners else None


def _edit(row: dict[str, Any]) -> Edit:
    place, changes = json.loads(row["place"]), json.loads(row["changes"])
    box = Box(**place.pop("box"))
    return Edit(
        row["paper_sha256"],
        row["number"],
        row["target"],
        Place(**place | {"box": box, "panel_box": _box(place["panel_box"])}),
        Correction(**changes | {"box": _box(changes["box"])}),
        row["stale"],
    )


def edits_of(catalogue: Catalogue, paper_sha256: str) -> list[Edit]:
    """The corrections of a paper in the order in which they were made."""
    rows = catalogue.rows("SELECT * FROM edits WHERE paper_sha256 = ? ORDER BY number, edit_id", [paper_sha256])
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
    return [_listed(_edit(row), row) for row in rows]


def _listed(edit: Edit, row: dict[str, Any]) -> dict[str, Any]:
    asked = edit.changes.asked
    if edit.changes.box:
        asked["box"] = edit.changes.box.as_list()
    state = f"stale: {edit.stale}" if edit.stale else "in force"
    return {
        "edit_id": row["edit_id"],
        "paper": row["file_name"] or edit.paper_sha256,
        "page": edit.place.page,
        "figure": edit.place.label,
        "panel": edit.place.panel_label,
        "target": edit.target,
        "changes": "delete" if edit.changes.delete else json.dumps(asked, ensure_ascii=False),
        "state": state if row["file_name"] else "stale: its paper is not in the catalogue",
    }


NAMED = {
    "paper": "SELECT paper_id, paper_id, sha256, path FROM papers WHERE starts_with(paper_id, ?)",
    "figure": """SELECT figure_id, paper_id, sha256, path FROM figures JOIN papers USING (paper_id)
                 WHERE starts_with(figure_id, ?)""",
    "panel": """SELECT panel_id, paper_id, sha256, path FROM panels JOIN figures USING (figure_id)
                JOIN papers USING (paper_id) WHERE starts_with(panel_id, ?)""",
    "edit": """SELECT edit_id, paper_id, sha256, path FROM edits
               LEFT JOIN papers ON papers.sha256 = edits.paper_sha256 WHERE starts_with(edit_id, ?)""",
}


@dataclass(frozen=True)
class Named:
    """What an id means: the whole id, and the paper that it belongs to with its PDF.

    ``paper_id``, ``sha256`` and ``path`` are None for an edit whose paper is not in the catalogue.
    """

    identifier: str
    paper_id: str | None
    sha256: str | None
    path: str | None


def named(catalogue: Catalogue, what: Literal["paper", "figure", "panel", "edit"], identifier: str) -> Named:
    """The one paper, figure, panel or edit that an id or the beginning of one means.

    Args:
        identifier: with or without ``figure-`` and so on, at least six digits.

    Raises:
        InputError: if it is too short, names none or several, or one that was not read from a PDF.
    """
    digits = re.sub(f"^{what}-", "", identifier)
    if len(digits) < MIN_DIGITS:
        raise InputError(f"{identifier!r} is too short for an id.", f"Give at least {MIN_DIGITS} digits of it.")
    rows = catalogue.tuples(f"{NAMED[what]} LIMIT 2", [f"{what}-{digits}"])
    if len(rows) != 1:
        hint = "List them: polydata list edits" if what == "edit" else "Ids stand in: polydata export figures"
        raise InputError(f"{'Several' if rows else 'No'} {what}s have the id {identifier!r}.", hint)
    found = Named(*rows[0])
    if what != "edit" and found.sha256 is None:
        raise InputError(f"{found.identifier} was not read from a PDF.", "Correct it in the data that it came from.")
    return found
