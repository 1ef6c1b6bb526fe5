"""Follows things through the workspace: the catalogue's rows and the runs that were trained on them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from polydata.catalogue.session import Session, open_session
from polydata.catalogue.trace import list_runs, save_runs
from polydata.images.html import template
from polydata.workspace import Workspace

RUN_FILE = "run.json"
LONGEST = 90
"""Characters of a text that a line shows."""


def open_with_runs(workspace: Workspace | Path | None = None) -> Session:
    """The workspace for reading, as ``open_session``, after the training runs in its runs/ were noted in it."""
    session = open_session(workspace, read_only=True)
    rows = _runs(session.workspace)
    if list_runs(session.catalogue) != rows:
        session.close()
        session = open_session(session.workspace)
        save_runs(session.catalogue, rows)
    return session


def _runs(workspace: Workspace) -> list[dict[str, Any]]:
    rows = []
    for path in sorted(workspace.runs.glob(f"*/{RUN_FILE}")):
        try:
            run = json.loads(path.read_text(encoding="utf-8"))
            row = {"name": path.parent.name, "split": run["split"]["name"], "digest": run["split"]["digest"]}
        except (OSError, ValueError, KeyError, TypeError):
            continue  # polymodel runs list shows it as unreadable
        rows.append({**row, "manifest": json.dumps(run)})
    return rows


def describe(ways: Sequence[dict[str, Any]]) -> str:
    """The entries of ``catalogue.trace`` in lines for a person."""
    page = template("trace.txt.j2", short=_short)
    return "\n".join(page.render(way=way).rstrip("\n") for way in ways)


def _short(text: str | None) -> str:
    words = " ".join((text or "none").split())
    return words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"
