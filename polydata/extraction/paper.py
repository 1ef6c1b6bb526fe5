"""One PDF from file to panels: the table of contents of this package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from time import process_time

from PIL import Image

from polydata.choices import Kind
from polydata.extraction.document.meta import paper_meta, safe_name
from polydata.extraction.document.open import opened, pymupdf
from polydata.extraction.document.page import PageContent, Sheet, read_pages, read_upright
from polydata.extraction.document.textlines import furniture_prints, join_fragments
from polydata.extraction.document.watermarks import without_watermarks
from polydata.extraction.figures.assign import LocatedFigure, find_figures
from polydata.extraction.figures.captions import Caption, find_captions, unknown_captions
from polydata.extraction.figures.scans import pages_to_read, read_scans, was_read
from polydata.extraction.panels.cuts import Cut, panel_cuts
from polydata.extraction.panels.render import Drawn, analysis_dpi, native_dpi, picture_of, render
from polydata.images.picture import ImageStore
from polydata.text.caption_scales import panel_scale, scale_in_caption
from polydata.text.captions import Parts, split_caption
from polydata.text.composition import panel_composition
from polydata.text.mentions import panel_mentions
from polydata.types import Box, Figure, ImageInfo, Leftover, Panel, Paper
from polydata.vision.kind import is_picture, kind_of
from polydata.vision.measures import Rgb, measure
from polydata.vision.micrograph import panel_odds
from polydata.workspace import ExtractSettings

ROUGH_DPI = 100

FEW_WORDS, MARGIN = 4, 0.08
"""Words of a line of running text at least, and the share of a page's height that holds running heads."""
READING = 0.5
"""Share of a file's processor time after which no further scanned page is read: the rest is for what was found."""


def extract_paper(path: Path, store: ImageStore, limits: ExtractSettings) -> Paper:
    """Extract figures, captions and panels of a PDF and store the panels' pictures.

    The same bytes give the same boxes, ids and image bytes on each run.

    Args:
        path: of the PDF.
        store: where pictures are put.
        limits: larger files are refused before they are decoded.

    Raises:
        ExtractionFailure: with ``reason`` ``broken``, ``encrypted``, ``too-large`` or ``unreadable``.
    """
    start = process_time()
    with opened(path, limits) as (document, digest):
        raw = without_watermarks(read_pages(document))
        pages, found, lonely = _search(raw)
        unread: list[int] = []
        likely = _likely(document, pages, found)
        if numbers := pages_to_read(pages, likely):
            end = start + READING * limits.seconds_per_file
            lacking = {one.page for one in likely if one.caption is None}
            raw, unread = read_scans(document, raw, numbers, lambda: process_time() < end, lacking)
            pages, found, lonely = _search(raw)
        press = Press(document, store, pages)
        figures: list[Figure] = []
        leftovers = [
            Leftover("caption-without-figure", one.page, one.label, one.text, pages[one.page - 1].shown(one.box))
            for one in (*lonely, *unknown_captions(pages, [(one.page, one.box) for one in found if not one.caption]))
        ]
        leftovers += [Leftover("page-not-read", number, None, None, pages[number - 1].box) for number in unread]
        parted = _parted(press, found)
        for one in found:
            pymupdf.TOOLS.store_shrink(100)  # decoded images would stay in the library's cache, up to 256 MB of them
            figure = parted.get(one) or _figure(press, one)
            if figure is None:
                box = pages[one.page - 1].shown(one.box)
                leftovers.append(Leftover("figure-without-caption", one.page, None, None, box))
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


def _search(raw: Sequence[PageContent]) -> tuple[list[PageContent], list[LocatedFigure], list[Caption]]:
    """Pages with their lines joined, the figures on them, and captions without one."""
    pages = [join_fragments(page) for page in raw]
    prints = furniture_prints(pages)
    captions, tables = find_captions(pages, prints)
    found, lonely = find_figures(pages, captions, tables, prints)
    return pages, found, lonely


def _likely(
    document: pymupdf.Document, pages: Sequence[PageContent], found: Sequence[LocatedFigure]
) -> list[LocatedFigure]:
    """Figures without those on scanned pages that have no caption and look like writing or a drawing, where no number
    is missing among the captions.
    """
    captions = (one.caption for one in found if one.caption)
    numbers = {int(one.number) for one in captions if one.word == "figure" and one.number.isdecimal()}
    missing = 0 < max(numbers, default=0) - min(numbers, default=0) + 1 - len(numbers) <= len(numbers)
    return [
        one
        for one in found
        if one.caption is not None
        or missing
        or not pages[one.page - 1].scanned
        or is_picture(measure(render(Sheet(document[one.page - 1]), one.box, ROUGH_DPI).rgb))
    ]


class Press:
    """Renders figures: keeps the page it saw last, for figures of one page come one after the other.

    Args:
        document: open.
        store: where pictures are put.
        pages: as read before; None reads each as it is asked for.
    """

    def __init__(self, document: pymupdf.Document, store: ImageStore, pages: Sequence[PageContent] | None) -> None:
        self.document, self.store, self._pages = document, store, pages
        self._turns: dict[int, int] = {}
        self._last: tuple[Sheet, PageContent] | None = None

    def page(self, number: int) -> tuple[Sheet, PageContent]:
        """A page by its number, from 1."""
        if self._last is None or self._last[1].number != number:
            if self._pages is None:
                sheet, content = read_upright(self.document[number - 1])
                turn = self._turns.setdefault(number, content.turn)  # it stays turned
                self._last = sheet, join_fragments(replace(content, turn=turn))
            else:
                content = self._pages[number - 1]
                self._last = Sheet(self.document[number - 1], content.skew), content
        return self._last


def _figure(press: Press, found: LocatedFigure) -> Figure | None:
    """A found figure with its kind and panels; None for a picture without caption that is no micrograph."""
    if found.caption is None:
        sheet, _ = press.page(found.page)
        if not is_picture(measure(render(sheet, found.box, analysis_dpi(found.box)).rgb)):
            return None
    return cut_figure(press, found)


def _parted(press: Press, found: Sequence[LocatedFigure]) -> dict[LocatedFigure, Figure]:
    """Figures whose parts stand on two pages: a picture without caption ends one, and the next begins with a figure
    that shows fewer panels than its caption names. Each part gets the panels that it shows.
    """
    out: dict[LocatedFigure, Figure] = {}
    for one, other in pairwise(found):
        caption = other.caption
        if one.caption or caption is None or other.page != one.page + 1:
            continue
        parts = split_caption(caption.text)
        if len(parts.panels) < 2 or not (_at_end(press, one, 1) and _at_end(press, other, 0)):
            continue
        first, second = _figure(press, one), cut_figure(press, other)
        shown = [len(figure.panels) for figure in (first, second) if figure]
        if first is None or sum(shown) != len(parts.panels):
            continue
        middle = shown[0]
        for place, panels in ((one, parts.panels[:middle]), (other, parts.panels[middle:])):
            here = replace(place, caption=caption, confidence=min(place.confidence, other.confidence))
            out[place] = cut_figure(press, here, parts=replace(parts, panels=panels))
    return out


def _at_end(press: Press, one: LocatedFigure, end: int) -> bool:
    """Whether no running text stands before (0) or behind (1) a figure on its page."""
    content = press.page(one.page)[1]
    own = set(one.caption.lines) if one.caption else set()
    lines = [line for line in content.lines if line.words >= FEW_WORDS and line not in own and line.upright]
    margin = MARGIN * content.box.height
    if end:
        return not any(line.box.y0 > one.box.y1 and line.box.y1 < content.box.y1 - margin for line in lines)
    return not any(line.box.y1 < one.box.y0 and line.box.y0 > margin for line in lines)


def cut_figure(press: Press, found: LocatedFigure, kind: Kind | None = None, parts: Parts | None = None) -> Figure:
    """Cut a figure's picture out of its page, tell its kind and take it apart into panels.

    Args:
        press: of its document.
        found: where it stands on the page as it was read, and what is written of it.
        kind: of the figure, where that is known; None tells it by the picture.
        parts: of the caption that this figure shows; None for all.
    """
    sheet, content = press.page(found.page)
    dpi = native_dpi(content.images, found.box)
    drawn = render(sheet, found.box, dpi)
    rgb = drawn.at(analysis_dpi(found.box))
    text = found.caption.text if found.caption else None
    some = parts is not None
    parts = parts or split_caption(text or "")
    cuts = panel_cuts(content, drawn, rgb, parts)
    if some and len(cuts) == len(parts.panels) == 1:
        cuts = [Cut(found.box, *parts.panels[0], cuts[0].micrograph)]
    pixels = [drawn.crop(cut.box) for cut in cuts]
    odds = [panel_odds(shown, cut.micrograph) for shown, cut in zip(pixels, cuts, strict=True)]
    stem = parts.stem or None
    alone = [
        kind_of(own, measure(shown), stem if cut.caption else text, own=cut.caption)
        for own, shown, cut in zip(odds, pixels, cuts, strict=True)
    ]
    kind = kind or _kind(rgb, odds, alone, found.caption)
    panels = [
        _panel(press, found, drawn, cut, stem=stem, kind=kind, alone=own) for cut, own in zip(cuts, alone, strict=True)
    ]
    return Figure(
        page=found.page,
        box=content.shown(found.box),
        label=found.caption.label if found.caption else None,
        caption=text,
        kind=kind,
        method=_method(content, found),
        confidence=round(found.confidence, 2),
        dpi=dpi,
        panels=tuple(replace(panel, box=content.shown(panel.box)) for panel in panels),
    )


def _kind(rgb: Rgb, odds: Sequence[float], alone: Sequence[Kind], caption: Caption | None) -> Kind:
    """What a figure is: a mixture where some of its panels are micrographs, else what they all are."""
    if Kind.MICROGRAPH in alone and set(alone) != {Kind.MICROGRAPH}:
        return Kind.MIXED
    return kind_of(min(odds), measure(rgb), caption.text if caption else None, caption.word if caption else None)


def _method(content: PageContent, found: LocatedFigure) -> str:
    if found.caption is None:
        return "uncaptioned"
    if was_read(content):
        return "scan-ocr"
    return "caption-anchored-scan" if content.scanned else "caption-anchored"


def _panel(
    press: Press, figure: LocatedFigure, drawn: Drawn, cut: Cut, *, stem: str | None, kind: Kind, alone: Kind
) -> Panel:
    """Store a panel's picture and say what is known of it."""
    text = figure.caption.text if figure.caption else None
    lone = cut.box == figure.box and cut.label is None
    image, own = print_panel(press, figure.page, drawn, cut.box, kind=kind, alone=alone)
    return told(Panel(cut.box, cut.label, cut.caption, None, image, own), text, stem, lone=lone)


def print_panel(press: Press, page: int, drawn: Drawn, box: Box, *, kind: Kind, alone: Kind) -> tuple[ImageInfo, Kind]:
    """Store the picture of a part of a figure and tell what it shows.

    Args:
        press: of its document.
        page: 1-based.
        drawn: the figure.
        box: of the part, in points; a part as large as the figure is of its kind.
        kind: of the figure.
        alone: of the part by itself.
    """
    sheet, content = press.page(page)
    data, shown = picture_of(sheet, content.images, box, drawn.crop(box))
    image = press.store.put(data, picture=Image.fromarray(shown))
    if box == drawn.box:
        return image, kind
    return image, alone if kind == Kind.MIXED or alone in (Kind.MICROGRAPH, Kind.PHOTO) else kind


def told(panel: Panel, caption: str | None, stem: str | None, *, lone: bool) -> Panel:
    """A panel with what its own words and its figure's caption say of it.

    Args:
        panel: with its label and own words.
        caption: of the figure, whole.
        stem: what all its panels share.
        lone: the panel is the whole figure.
    """
    return replace(
        panel,
        caption_stem=stem,
        scale=scale_in_caption(caption) if lone else panel_scale(panel.caption, stem, caption, panel.label),
        composition=panel_composition(caption if lone else stem, stem, panel.caption),
        mentions=panel_mentions(caption, stem, panel.caption, panel.label) if caption else (),
    )
