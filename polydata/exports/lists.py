"""Writes figures, panels and leftovers of the catalogue as files that other programs read."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.described import figure_exports, panel_exports
from polydata.catalogue.links import link_exports
from polydata.catalogue.session import Session
from polydata.errors import InputError
from polydata.files.atomic import replacing
from polydata.images.picture import SUFFIXES


@contextmanager
def _text(path: Path) -> Iterator[IO[str]]:
    """A text file that takes its place when it is whole.

    Raises:
        InputError: if it cannot be written.
    """
    try:
        with replacing(path) as out:
            text = io.TextIOWrapper(out, encoding="utf-8", newline="")
            yield text
            text.detach()  # flushes, and leaves the file to its owner
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.", "Choose another --output.") from error


def export_figures(catalogue: Catalogue, output: Path) -> int:
    """Write one figure of a PDF a line as JSON; returns how many.

    Keys: pdf_sha256, page (1-based), bbox ([x0, y0, x1, y1] in points, origin top left), label, caption, kind,
    panels ({label, bbox, caption, caption_stem, kind, image_sha256, panel_id}), file_name, figure_id, method,
    confidence (0 to 1), dpi.
    """
    count = 0
    with _text(output) as out:
        for row in figure_exports(catalogue):
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def _copy(source: Path, target: Path) -> None:
    try:
        with open(source, "rb") as data, replacing(target) as out:
            shutil.copyfileobj(data, out)
    except OSError as error:
        raise InputError(
            f"{source} cannot be copied to {target}: {error.strerror}.", "Is the image store whole?"
        ) from error


def export_panels(session: Session, output: Path, *, accepted_only: bool = False) -> int:
    """Write the images of all panels and ``panels.csv`` beside them; returns the number of rows.

    Images lie in ``images/`` under their SHA-256, each once; several rows may name the same one.

    Args:
        accepted_only: only candidate micrographs by the automatic screening.
    """
    store = session.images
    rows = [r for r in panel_exports(session.catalogue) if not accepted_only or r["screening"] == "accepted"]
    for row in rows:
        name = f"{row['image_sha256']}.{SUFFIXES[row['format']]}"
        target = output / "images" / name
        source = store.path(row["image_sha256"], row.pop("format"))
        if not target.exists():
            _copy(source, target)
        row["image"] = f"images/{name}"
    with _text(output / "panels.csv") as out:
        writer = csv.DictWriter(out, fieldnames=["image", *(k for k in rows[0] if k != "image")] if rows else ["image"])
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)


LINK_COLUMNS = ("pdf_sha256", "page", "figure_label", "panel_label", "record_id", "method", "score")


def export_links(catalogue: Catalogue, output: Path) -> int:
    """Write the links of records to panels and figures of PDFs as CSV, one a row; returns how many.

    Columns: ``LINK_COLUMNS``. ``panel_label`` is empty where the link is to the figure, or its panel has no letter;
    ``score`` is 0 to 1.
    """
    rows = link_exports(catalogue)
    with _text(output) as out:
        writer = csv.DictWriter(out, fieldnames=LINK_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return len(rows)
