"""Pictures of whole figures, for people who correct what was read; boxes lie on the page as its reader sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from polydata.extraction.document.open import opened
from polydata.extraction.document.page import Sheet
from polydata.extraction.panels.render import Drawn, encode_png, render
from polydata.extraction.pool import Readers
from polydata.files.atomic import replacing
from polydata.files.find import path_from_text
from polydata.images.picture import ImageStore
from polydata.types import Box, Failure, Progress, quiet
from polydata.vision.measures import Rgb
from polydata.workspace import ExtractSettings

LONGEST = 2000
"""Pixels of the longer side."""
RED = (214, 39, 40)
LETTER, LONGEST_LETTER = 24, 12
"""Pixels of a letter, and how many of a longer name are drawn."""


@dataclass(frozen=True)
class Wanted:
    """A picture that is to be drawn.

    Attributes:
        name: 64 digits that stand for it.
        page: 1-based.
        box: in points; None for the whole page.
        dpi: pixels an inch, fewer where the picture would be longer than ``LONGEST``.
        marks: boxes in points that are drawn on it, each with the letter that stands in its corner, or none.
    """

    name: str
    page: int
    box: Box | None
    dpi: int
    marks: tuple[tuple[Box, str], ...] = ()


def draw_figures(path: Path, store: ImageStore, limits: ExtractSettings, sha256: str, wanted: Sequence[Wanted]) -> int:
    """Draw figures of a PDF; what a worker runs. Returns how many.

    Args:
        path: of the PDF.
        store: of the images.
        limits: of the work on one file.
        sha256: that the PDF must have.
        wanted: what is to be drawn.

    Raises:
        ExtractionFailure: as ``document.open.opened``.
    """
    with opened(path, limits, sha256) as (document, _):
        for one in wanted:
            sheet = Sheet(document[one.page - 1])
            box = one.box or sheet.box
            drawn = render(sheet, box, min(one.dpi, 72 * LONGEST / max(box.width, box.height)))
            with replacing(store.figure(one.name)) as out:
                out.write(encode_png(_marked(drawn, one.marks)))
    return len(wanted)


def _marked(drawn: Drawn, marks: Sequence[tuple[Box, str]]) -> Rgb:
    """The picture with boxes on it, and their letters in the corners where panels seldom print theirs."""
    if not marks:
        return drawn.rgb
    picture, scale = Image.fromarray(drawn.rgb), drawn.dpi / 72
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(LETTER)
    for mark, letter in marks:
        corners = (mark.x0 - drawn.box.x0, mark.y0 - drawn.box.y0, mark.x1 - drawn.box.x0, mark.y1 - drawn.box.y0)
        pen.rectangle([value * scale for value in corners], outline=RED, width=3)
        if letter:
            at, words = (corners[2] * scale - 6, corners[1] * scale + 6), letter[:LONGEST_LETTER]
            ground = pen.textbbox(at, words, font, anchor="rt")
            pen.rectangle((ground[0] - 4, ground[1] - 4, ground[2] + 4, ground[3] + 4), fill="white", outline=RED)
            pen.text(at, words, RED, font, anchor="rt")
    return np.asarray(picture)


def draw_all(
    readers: Readers, wanted: Mapping[tuple[str, str], Sequence[Wanted]], progress: Progress = quiet
) -> list[str]:
    """Draw pictures from many PDFs. Returns a line for each PDF that cannot be drawn.

    Args:
        readers: at work.
        wanted: by the SHA-256 of a PDF and where it was read.
    """
    problems = []
    for done, ((sha256, path), its) in enumerate(wanted.items()):
        progress("Drawing figures", done, len(wanted))
        drawn = readers.do(draw_figures, path_from_text(path), sha256, tuple(its))
        if isinstance(drawn, Failure):
            problems.append(f"{len(its)} pictures: {drawn.detail}")
    return problems
