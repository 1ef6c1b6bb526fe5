"""One PDF from file to panels: the table of contents of this package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from polydata.extract.captions import find_captions
from polydata.extract.composition import panel_composition
from polydata.extract.figures import Found, find_figures
from polydata.extract.kind import is_picture, kind_of
from polydata.extract.meta import paper_meta, safe_name
from polydata.extract.mupdf import pymupdf
from polydata.extract.panels import cut_pixels, placed_panels, reading_order
from polydata.extract.parts import Parts, split_caption
from polydata.extract.pdf import ExtractionFailure, Limits, PageContent, Sheet, opened, read_pages
from polydata.extract.pixels import Drawn, Rgb, analysis_dpi, native_dpi, picture_of, render
from polydata.extract.pixelstats import measure
from polydata.extract.scalebar import scale_in_caption
from polydata.extract.textlines import furniture_prints, join_fragments
from polydata.images import ImageStore
from polydata.types import Box, Figure, Kind, Leftover, Panel, Paper

__all__ = ["ExtractionFailure", "Limits", "extract_paper"]


@dataclass(frozen=True)
class _Cut:
    """A panel before its picture is stored."""

    box: Box
    label: str | None
    caption: str | None


def extract_paper(path: Path, store: ImageStore, limits: Limits) -> Paper:
    """Extract figures, captions and panels of a PDF and store the panels' pictures.

    The same bytes give the same boxes, ids and image bytes on each run.

    Args:
        path: of the PDF.
        store: where pictures are put.
        limits: larger files are refused before they are decoded.

    Raises:
        ExtractionFailure: with ``reason`` ``broken``, ``encrypted``, ``too-large`` or ``unreadable``.
    """
    with opened(path, limits) as (document, digest):
        pages = [replace(page, lines=join_fragments(page.lines)) for page in read_pages(document)]
        prints = furniture_prints(pages)
        captions, tables = find_captions(pages, prints)
        found, lonely = find_figures(pages, captions, tables, prints)
        press = _Press(document, pages, store)
        figures: list[Figure] = []
        leftovers = [Leftover("caption-without-figure", one.page, one.label, one.text, one.box) for one in lonely]
        for one in found:
            figure = _figure(press, one)
            if figure is None:
                leftovers.append(Leftover("figure-without-caption", one.page, None, None, one.box))
            else:
                figures.append(figure)
        return Paper(
            sha256=digest,
            file_name=safe_name(path.name),
            pages=len(pages),
            meta=paper_meta(document, pages[0]),
            figures=tuple(figures),
            leftovers=tuple(leftovers),
        )


class _Press:
    """Renders figures: keeps the page it saw last, for figures of one page come one after the other."""

    def __init__(self, document: pymupdf.Document, pages: Sequence[PageContent], store: ImageStore) -> None:
        self._document, self._pages, self.store = document, pages, store
        self._sheet: Sheet | None = None

    def page(self, number: int) -> tuple[Sheet, PageContent]:
        """A page by its number, from 1."""
        if self._sheet is None or self._sheet.page.number != number - 1:
            self._sheet = Sheet(self._document[number - 1])
        return self._sheet, self._pages[number - 1]


def _figure(press: _Press, found: Found) -> Figure | None:
    """A found figure with its kind and panels; None for a picture without caption that is no micrograph."""
    sheet, content = press.page(found.page)
    rough = analysis_dpi(content.images, found.box)
    if found.caption is None and (content.scanned or not is_picture(measure(render(sheet, found.box, rough).rgb))):
        return None
    dpi = native_dpi(content.images, found.box)
    drawn = render(sheet, found.box, dpi)
    rgb = drawn.at(rough)
    text = found.caption.text if found.caption else None
    kind = kind_of(measure(rgb), text, found.caption.word if found.caption else None)
    parts = split_caption(text) if text else Parts("", ())
    cuts = _cuts(content, found.box, rgb, parts, kind)
    return Figure(
        page=found.page,
        box=found.box,
        label=found.caption.label if found.caption else None,
        caption=text,
        kind=kind,
        method=_method(content, found),
        confidence=round(found.confidence, 2),
        dpi=dpi,
        panels=tuple(_panel(press, found, drawn, cut, stem=parts.stem or None, kind=kind) for cut in cuts),
    )


def _method(content: PageContent, found: Found) -> str:
    if found.caption is None:
        return "uncaptioned"
    return "caption-anchored-scan" if content.scanned else "caption-anchored"


def _cuts(content: PageContent, box: Box, rgb: Rgb, parts: Parts, kind: Kind) -> list[_Cut]:
    """Boxes of the panels with their labels and words, in reading order."""
    count = len(parts.panels) or None
    boxes = placed_panels([image.box for image in content.images], box, count)
    across, down = box.width / rgb.shape[1], box.height / rgb.shape[0]
    if boxes:
        windows = [(round(10 * one.y0), round(10 * one.x0), round(10 * one.y1), round(10 * one.x1)) for one in boxes]
        by_window = dict(zip(windows, boxes, strict=True))
        boxes = [by_window[window] for window in reading_order(windows)]
    elif count is not None or kind == Kind.MICROGRAPH:
        boxes = [
            Box(box.x0 + left * across, box.y0 + top * down, box.x0 + right * across, box.y0 + bottom * down)
            for top, left, bottom, right in cut_pixels(rgb, count)
        ]
    if len(boxes) < 2:
        return [_Cut(box, None, None)]
    named: Sequence[tuple[str | None, str | None]] = parts.panels if len(boxes) <= len(parts.panels) else ()
    return [_Cut(one, *(named[index] if named else (None, None))) for index, one in enumerate(boxes)]


def _panel(press: _Press, figure: Found, drawn: Drawn, cut: _Cut, *, stem: str | None, kind: Kind) -> Panel:
    """Store a panel's picture and say what is known of it."""
    sheet, content = press.page(figure.page)
    text = figure.caption.text if figure.caption else None
    pixels = drawn.crop(cut.box)
    data, shown = picture_of(sheet, content.images, cut.box, pixels)
    image = press.store.put(data, picture=Image.fromarray(shown))
    own, lone = kind, cut.box == figure.box
    if not lone:
        alone = kind_of(measure(pixels), text)
        own = alone if kind == Kind.MIXED or alone in (Kind.MICROGRAPH, Kind.PHOTO) else kind
    scale = scale_in_caption(cut.caption) or scale_in_caption(text)
    return Panel(
        box=cut.box,
        label=cut.label,
        caption=cut.caption,
        caption_stem=stem,
        image=image,
        kind=own,
        scale_bars=(scale,) if scale else (),
        composition=panel_composition(text if lone else stem, stem, cut.caption),
    )
