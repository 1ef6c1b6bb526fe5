"""Pictures of whole figures, for people who correct what was read; boxes lie on the page as its reader sees it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from polydata.extraction.document.open import opened
from polydata.extraction.document.page import Sheet
from polydata.extraction.panels.render import encode_png, render
from polydata.files.atomic import replacing
from polydata.images.picture import ImageStore
from polydata.types import Box
from polydata.workspace import ExtractSettings

FOLDER = "shown-figures"
LONGEST = 2000
"""Pixels of the longer side."""


def picture_path(store: ImageStore, name: str) -> Path:
    """Where the picture of a figure lies or would lie.

    Args:
        store: of the images.
        name: 64 digits that stand for the figure.
    """
    return store.root / FOLDER / name[:2] / f"{name}.png"


def draw_figures(
    path: Path, store: ImageStore, limits: ExtractSettings, sha256: str, wanted: Sequence[tuple[str, int, Box, int]]
) -> int:
    """Draw figures of a PDF; what a worker runs. Returns how many.

    Args:
        path: of the PDF.
        store: of the images.
        limits: of the work on one file.
        sha256: that the PDF must have.
        wanted: name, page (from 1), box in points and pixels an inch of each.

    Raises:
        ExtractionFailure: as ``document.open.opened``.
    """
    with opened(path, limits, sha256) as (document, _):
        for name, page, box, dpi in wanted:
            drawn = render(Sheet(document[page - 1]), box, min(dpi, 72 * LONGEST / max(box.width, box.height)))
            with replacing(picture_path(store, name)) as out:
                out.write(encode_png(drawn.rgb))
    return len(wanted)
