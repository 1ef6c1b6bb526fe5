"""Cuts the picture of a box that a user gave out of a PDF."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from polydata.catalogue.edits import Edit
from polydata.choices import Kind
from polydata.extraction.amend import Amended, Unfit, amend, needs_pdf
from polydata.extraction.document.open import ExtractionFailure, Limits, opened
from polydata.extraction.figures.assign import Found
from polydata.extraction.figures.captions import WORDS, Caption
from polydata.extraction.panels.render import render
from polydata.extraction.paper import Press, cut_figure, print_panel
from polydata.images.picture import ImageStore
from polydata.text.captions import LABEL
from polydata.types import Box, Figure, ImageInfo, Paper

BEYOND = 2.0
"""Points that a box may reach out of its page; they are cut off."""

LEAST = 8.0
"""Points that each side of a box has at least."""


class PdfCutter:
    """Cuts figures and panels as extraction does.

    Args:
        press: of the document.
        pages: number of its pages.
    """

    def __init__(self, press: Press, pages: int) -> None:
        self._press, self._pages = press, pages

    def figure(self, page: int, box: Box, label: str | None, caption: str | None, kind: Kind | None) -> Figure:
        """See ``polydata.extraction.amend.Cutter``.

        Raises:
            Unfit: if there is no such page, or the box does not lie on it.
        """
        box = self._on(page, box)
        words = None
        if caption is not None:
            match = LABEL.match(caption) or LABEL.match(label or "")
            word = match["word"].lower() if match else "figure"
            words = Caption(page, label or "", WORDS.get(word, word), "", caption, box, (), 0.0)
        figure = cut_figure(self._press, Found(page, box, words, None, 1.0), kind)
        return replace(figure, label=label, method="by-hand")

    def panel(self, figure: Figure, box: Box) -> tuple[ImageInfo, Kind]:
        """See ``polydata.extraction.amend.Cutter``."""
        self._on(figure.page, box)
        drawn = render(self._press.page(figure.page)[0], figure.box, figure.dpi)
        kind = figure.kind or Kind.MIXED
        return print_panel(self._press, figure.page, drawn, box, text=figure.caption, kind=kind)

    def _on(self, page: int, box: Box) -> Box:
        """A box cut to its page."""
        if not 1 <= page <= self._pages:
            raise Unfit(f"there is no page {page}: the PDF has {self._pages}")
        if min(box.width, box.height) < LEAST:
            raise Unfit(f"the box is smaller than {LEAST:g} points", "Boxes are in points, 1/72 inch.")
        sheet = self._press.page(page)[0].box
        outside = min(box.x0, box.y0) < -BEYOND or box.x1 > sheet.x1 + BEYOND or box.y1 > sheet.y1 + BEYOND
        if outside:
            raise Unfit(f"the box reaches out of page {page}, which has {sheet.x1:g} x {sheet.y1:g} points")
        return Box(max(box.x0, 0.0), max(box.y0, 0.0), min(box.x1, sheet.x1), min(box.y1, sheet.y1))


@contextmanager
def opened_cutter(path: Path, store: ImageStore, limits: Limits, sha256: str) -> Iterator[PdfCutter]:
    """A cutter for the PDF of these bytes.

    Raises:
        ExtractionFailure: as ``document.open.opened``; ``unreadable`` if the file holds other bytes.
    """
    with opened(path, limits) as (document, digest):
        if digest != sha256:
            raise ExtractionFailure("unreadable", f"{path} holds other bytes than when it was read", "", digest)
        yield PdfCutter(Press(document, store, None), document.page_count)


def amend_paper(path: Path, store: ImageStore, limits: Limits, paper: Paper, edits: Sequence[Edit]) -> Amended:
    """Make corrections; what a worker runs. The PDF is opened only where pictures have to be cut.

    Raises:
        ExtractionFailure: as ``opened_cutter``.
    """
    if not needs_pdf(edits):
        return amend(paper, edits, None)
    with opened_cutter(path, store, limits, paper.sha256) as cutter:
        return amend(paper, edits, cutter)
