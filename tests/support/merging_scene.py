"""Workspaces that the tests of merging fill and read."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from commands import run_json

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.session import open_session
from polydata.upkeep.merge import Merge, merge
from polydata.workspace import Workspace

SERVER = "http://127.0.0.1:8080"


def fingerprint(workspace: Path) -> str:
    return str(run_json("polydata", "status", workspace=workspace)["fingerprint"])


def catalogue(workspace: Path) -> Catalogue:
    return open_session(workspace).catalogue


def write(workspace: Path, **tables: Any) -> None:
    with catalogue(workspace) as opened:
        for table, rows in tables.items():
            opened.upsert(table, rows)


def read(workspace: Path, sql: str) -> list[tuple[Any, ...]]:
    with catalogue(workspace) as opened:
        return opened.tuples(sql)


def api(here: Path, there: Path) -> Merge:
    place = Workspace.open(here)
    with open_session(place) as opened:
        return merge(opened, Workspace.open(there))


def panel_of(workspace: Path, layout: str) -> tuple[str, str]:
    """A panel of a paper, and its image."""
    row: tuple[str, str] = read(
        workspace,
        f"""SELECT panel_id, image_sha256 FROM panels JOIN figures USING (figure_id) JOIN papers USING (paper_id)
            WHERE papers.file_name = '{layout}.pdf' ORDER BY 1""",
    )[0]
    return row


def record(name: str, **values: Any) -> dict[str, Any]:
    return {"record_id": f"record-{name}", "source": "/a.csv", "raw": "{}", "compatibility": None, **values}


def papers_named(workspace: Path, layout: str) -> list[str]:
    return [str(paper) for (paper,) in read(workspace, f"SELECT paper_id FROM papers WHERE file_name = '{layout}.pdf'")]


def annotation(number: int, image: str, choice: str = "compatible", **values: Any) -> dict[str, Any]:
    created = values.pop("created", f"2024-01-01T00:00:{number:02}Z")
    return {
        "server": SERVER, "project": 1, "annotation_id": number, "task": number, "image_sha256": image,
        "annotator": "a@x.org", "choice": choice, "comment": None, "cancelled": False, "deleted": False,
        "updated_at": datetime(2024, 1, 1), "raw": json.dumps({"created_at": created}), **values,
    }  # fmt: skip
