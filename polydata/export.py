"""Writes figures, panels and leftovers of the catalogue as files that other programs read."""

from __future__ import annotations

import csv
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.exports import figure_exports, panel_exports
from polydata.errors import InputError
from polydata.images import SUFFIXES, ImageStore
from polydata.workspace import Workspace


@contextmanager
def replacing(path: Path) -> Iterator[IO[str]]:
    """A text file that takes its place only when it is whole.

    Raises:
        InputError: if the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.", "Choose another --output.") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
            yield out
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def export_figures(catalogue: Catalogue, output: Path) -> int:
    """Write one figure of a PDF a line as JSON; returns how many.

    Keys: pdf_sha256, page (1-based), bbox ([x0, y0, x1, y1] in points, origin top left), label, caption, kind,
    panels ({label, bbox, caption, caption_stem, kind, image_sha256, panel_id}), file_name, figure_id, method,
    confidence (0 to 1), dpi.
    """
    count = 0
    with replacing(output) as out:
        for row in figure_exports(catalogue):
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def export_panels(workspace: Workspace, catalogue: Catalogue, output: Path, *, accepted_only: bool = False) -> int:
    """Write the images of all panels and ``panels.csv`` beside them; returns the number of rows.

    Images lie in ``images/`` under their SHA-256, each once; several rows may name the same one.

    Args:
        accepted_only: only candidate micrographs by the automatic screening.
    """
    store = ImageStore(workspace.store)
    rows = [r for r in panel_exports(catalogue) if not accepted_only or r["screening"] == "accepted"]
    for row in rows:
        name = f"{row['image_sha256']}.{SUFFIXES[row['format']]}"
        target = output / "images" / name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f".{name}.part")
            shutil.copyfile(store.path(row["image_sha256"], row.pop("format")), part)
            part.replace(target)
        else:
            row.pop("format")
        row["image"] = f"images/{name}"
    with replacing(output / "panels.csv") as out:
        writer = csv.DictWriter(out, fieldnames=["image", *(k for k in rows[0] if k != "image")] if rows else ["image"])
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)
