"""Workspaces with papers that were really extracted, made once and copied for each test."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import quickjs
from commands import run
from make_pdf import LAYOUTS

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.session import Session
from polydata.task import Task
from polydata.workspace import Settings, Workspace


def bare_session(catalogue: Catalogue, task: Task | None = None) -> Session:
    """A session of a catalogue that lies in no workspace."""
    return Session(Workspace(Path("nowhere"), Settings()), catalogue, task)


def extracted(place: Path, layouts: Iterable[str], pdfs: Path) -> Path:
    """A workspace that has read these layouts of ``make_pdf``; their PDFs lie in ``pdfs``."""
    pdfs.mkdir(parents=True, exist_ok=True)
    for name in layouts:
        if not (pdfs / f"{name}.pdf").exists():
            LAYOUTS[name](pdfs / f"{name}.pdf")
    run("polydata", "init", place)
    run("polydata", "extract", *(pdfs / f"{name}.pdf" for name in layouts), workspace=place)
    return place


def stored(workspace: Path) -> dict[str, str]:
    """Names of the images in the store, each with the SHA-256 of its bytes."""
    files = [p for p in (workspace / "store").rglob("*") if p.is_file()]
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def every_file(folder: Path) -> dict[str, tuple[str, int]]:
    """Each file below a folder with the SHA-256 of its bytes and when it was changed."""
    return {
        str(p.relative_to(folder)): (hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_mtime_ns)
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def read_gallery(folder: Path) -> list[dict[str, Any]]:
    """The entries of a gallery as a browser's engine reads them."""
    context = quickjs.Context()
    context.eval("var all = []; var Gallery = { add: function (more) { all = all.concat(more); } };")
    for path in sorted((folder / "data").glob("*.js")):
        context.eval(path.read_text(encoding="ascii"))
    return list(json.loads(context.eval("JSON.stringify(all)")))


def gallery_entry(**facts: Any) -> dict[str, Any]:
    empty = {"label": None, "side": "", "technique": None, "paper": "p", "conflict": False, "twins": [], "family": 0}
    empty["splits"] = []
    words = {
        "caption": "",
        "doi": None,
        "title": None,
        "figure": None,
        "sha": "00",
        "record": [],
        "said": [],
        "ids": [],
    }
    return {**empty, **words, **facts}
