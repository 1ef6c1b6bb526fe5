"""Corrections by hand in the catalogue: rows that outlive the extraction which they correct."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from polydata.catalogue.connect import Catalogue
from polydata.edits import Correction, Edit, Place
from polydata.types import Box


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
