"""Scanned pages without a text layer, or with one that lacks the captions: their lines are read by OCR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from time import process_time

import cv2
import numpy as np

from polydata.extraction.document.lines import Line, clean_text
from polydata.extraction.document.open import pymupdf
from polydata.extraction.document.page import PageContent, Sheet
from polydata.extraction.document.textlines import OCR_FONT
from polydata.extraction.figures.assign import LocatedFigure
from polydata.extraction.figures.captions import CAPTION_LINES
from polydata.extraction.figures.objects import SCAN_INK, pixels_of
from polydata.text.figure_labels import read_label
from polydata.types import Box
from polydata.vision.measures import Rgb
from polydata.vision.ocr import find_print, read_lines

LONG_SIDE = 1400
"""Pixels of a page's longer side as it is read: print of 8 points is 14 high."""

BANDS, LAP = 3, 48
"""A page is read in bands, for memory goes with the area; pixels that they share, higher than any line of text."""

FEW_WORDS = 25
"""A page with fewer words has no text layer to speak of: a stamp of the library, a page number."""

MANY_SIGNS, HIGHEST_SIGN = 150, 15.0
"""Pieces of ink that a page of print has at least, and points that nearly all of them are below in height."""

SURE = 0.5
"""Print that the recogniser is less sure of is no text: it is a texture or a drawing."""

HEAD, LONGEST = 8.0, 200.0
"""Of lines that may begin a caption so many heights are read at first; longer lines than so many heights are cut."""

MOST_PAGES = 40
"""Pages of a document that are read at most."""

MOST_SECONDS = 150.0
"""Of processor time, after which no further page of a document is begun."""


def _is_picture(page: PageContent) -> bool:
    """Whether a page is a picture: one image over all of it, or tiles that cover most of it and hardly a word."""
    if page.scanned:
        return True
    covered = sum(image.box.area for image in page.images)
    return covered > 0.5 * page.box.area and _words(page) < FEW_WORDS


def _words(page: PageContent) -> int:
    return sum(line.words for line in page.lines)


def _is_outlined(page: PageContent) -> bool:
    """Whether a page shows print but holds hardly a word: its letters are drawn as outlines."""
    if _is_picture(page) or _words(page) >= FEW_WORDS:
        return False
    ink = np.where(page.grey < SCAN_INK, 255, 0).astype(np.uint8)
    for image in page.images:
        ink[pixels_of(image.box, page.scale)] = 0
    count, _, stats, _ = cv2.connectedComponentsWithStats(ink)
    high = stats[1:, cv2.CC_STAT_HEIGHT] / page.scale
    return count > MANY_SIGNS and bool((high < HIGHEST_SIGN).mean() > 0.95)


def pages_to_read(pages: Sequence[PageContent], found: Sequence[LocatedFigure]) -> list[int]:
    """Numbers of the pages to be read: letters drawn as outlines, scans without text or with a picture without caption.

    Args:
        pages: in order.
        found: figures that were found with the text there is.
    """
    pictures = [page for page in pages if _is_picture(page)]
    outlined = [page for page in pages if _is_outlined(page)]
    scanned = 2 * len(pictures) > len(pages)  # of a paper with its own text, a full-page figure is no scan
    captioned = {one.page for one in found if one.caption is not None}
    lacking = {one.page for one in found if one.caption is None}
    drawn = [page.number for page in outlined if page.number not in captioned]
    return drawn + [
        page.number
        for page in pictures
        if (_words(page) < FEW_WORDS and page.number not in captioned) or (scanned and page.number in lacking)
    ]


def _places(pixels: Rgb) -> list[Box]:
    """Where print stands on a page, in pixels, each line from the band that holds its middle, from top to bottom."""
    height = pixels.shape[0]
    edges = [round(height * band / BANDS) for band in range(BANDS + 1)]
    places = []
    for top, bottom in pairwise(edges):
        start = max(0, top - LAP)
        for x0, y0, x1, y1 in find_print(pixels[start : bottom + LAP]):
            middle = (y0 + y1) / 2 + start
            left, upper, right, lower = round(x0), round(y0 + start), round(x1), round(y1 + start)
            here = top <= middle < bottom or (bottom == height and middle >= bottom)
            if here and right - left > 1 and lower - upper > 1:
                places.append(Box(left, upper, right, lower))
    return sorted(places, key=lambda one: (one.y0, one.x0))


def _follows(line: Box, above: Box) -> bool:
    """Whether a line goes on under another: same column, no space between paragraphs."""
    shared = min(line.x1, above.x1) - max(line.x0, above.x0)
    step = line.y1 - above.y1
    size = max(line.height, above.height)
    return 0.4 * size < step < 1.6 * size and shared > 0.5 * min(line.width, above.width)


def _flush_above(index: int, places: Sequence[Box]) -> int | None:
    """The line that a line goes on under, beginning where it does and not shorter."""
    line = places[index]
    for number in range(index - 1, max(-1, index - 60), -1):
        other = places[number]
        if abs(other.x0 - line.x0) < line.height and other.width > 0.9 * line.width and _follows(line, other):
            return number
    return None


def _begins(index: int, places: Sequence[Box]) -> bool:
    """Whether a line may be a caption's first: not when two lines of text stand over it."""
    if places[index].width < 2.2 * places[index].height:
        return False
    above = _flush_above(index, places)
    return above is None or _flush_above(above, places) is None


def _run_below(index: int, places: Sequence[Box]) -> list[int]:
    """A line and those that go on under it, and what stands level with them in their column."""
    run, x0, x1 = [index], places[index].x0, places[index].x1
    last = places[index]
    for number in range(index + 1, len(places)):
        line = places[number]
        if line.y0 > last.y1 + 1.5 * last.height or len(run) > CAPTION_LINES:
            break
        if min(line.x1, x1) - max(line.x0, x0) > 0 or abs(line.x0 - x1) < 4 * line.height:
            run.append(number)
            x0, last = min(x0, line.x0), max(last, line, key=lambda one: one.y1)
    return run


def _read(pixels: Rgb, places: Sequence[Box], whole: bool) -> dict[int, tuple[str, float]]:
    """Text and certainty of lines by their numbers: of all, or of those that begin or belong to captions."""

    def crops(numbers: Sequence[int], widest: float) -> list[Rgb]:
        rows = [places[number].rounded() for number in numbers]
        return [pixels[y0:y1, x0 : min(x1, x0 + round(widest * (y1 - y0)))] for x0, y0, x1, y1 in rows]

    if whole:
        numbers = list(range(len(places)))
        return dict(zip(numbers, read_lines(crops(numbers, LONGEST)), strict=True))
    begins = [number for number in range(len(places)) if _begins(number, places)]
    heads = dict(zip(begins, read_lines(crops(begins, HEAD)), strict=True))
    wanted: set[int] = set()
    for number, (text, _) in heads.items():
        if read_label(clean_text(text)):
            wanted.update(_run_below(number, places))
    full = sorted(wanted)
    unread = {
        number: (text if places[number].width <= HEAD * places[number].height else _stand_in(places[number]), score)
        for number, (text, score) in heads.items()
    }
    return {**unread, **dict(zip(full, read_lines(crops(full, LONGEST)), strict=True))}


def _stand_in(place: Box) -> str:
    """Something to stand for a line that was not read: about as many words; a sign where it is short."""
    if place.width < 6 * place.height:
        return "x"
    return " ".join(["xx"] * max(1, round(place.width / (2.5 * place.height))))


def _lines(places: Sequence[Box], texts: dict[int, tuple[str, float]], scale: float, page: Box) -> tuple[Line, ...]:
    """Print as lines of text; heights near the median are one size, for they follow the letters in the line."""
    heights = [one.height for one in places if one.width > 4 * one.height]
    usual = float(np.median(heights)) if heights else 0.0
    lines = []
    for number, one in enumerate(places):
        read, score = texts.get(number, (_stand_in(one), 1.0))
        text = clean_text(read)
        x0, x1 = max(0.0, one.x0 / scale), min(page.width, one.x1 / scale)
        y0, y1 = max(0.0, one.y0 / scale), min(page.height, one.y1 / scale)
        if not text or score < SURE or x0 >= x1 or y0 >= y1:
            continue
        size = usual if 0.75 * usual < one.height < 1.35 * usual else one.height
        lines.append(
            Line(
                box=Box(x0, y0, x1, y1),
                text=text,
                size=round(0.75 * size / scale, 1),
                bold=False,
                font=OCR_FONT,
                first_font=OCR_FONT,
                block=number,
                upright=one.height < 2 * one.width or len(text) < 3,
                baseline=(one.y1 - 0.25 * one.height) / scale,
            )
        )
    return tuple(lines)


def read_page_by_ocr(sheet: Sheet, page: PageContent, whole: bool) -> PageContent:
    """The page with lines found by OCR, taken for one scan whatever tiles it is made of.

    Args:
        sheet: to render it.
        page: as read before.
        whole: read every line. Otherwise captions are read, and other lines stand where they are with words of no
            meaning: reading them takes most of the time.
    """
    scale = LONG_SIDE / max(page.box.width, page.box.height)
    pixels = sheet.pixmap(scale, pymupdf.csRGB)
    places = _places(pixels)
    lines = _lines(places, _read(pixels, places, whole), scale, page.box)
    if not _is_picture(page):  # letters drawn as outlines, beside pictures that are placed as ever
        return replace(page, lines=lines)
    return replace(page, lines=lines, images=(), scanned=True)


def read_scans(
    document: pymupdf.Document,
    pages: Sequence[PageContent],
    numbers: Sequence[int],
) -> tuple[list[PageContent], list[int]]:
    """Read pages by OCR, at most ``MOST_PAGES`` and for ``MOST_SECONDS``.

    Args:
        document: open.
        pages: all of its pages, in order.
        numbers: of those to read, from ``pages_to_read``.

    Returns:
        All pages, and the numbers of those left unread. The first page is read whole, for it says what paper it is.
    """
    out = list(pages)
    start = process_time()
    for done, number in enumerate(numbers):
        if done >= MOST_PAGES or process_time() - start > MOST_SECONDS:
            return out, list(numbers[done:])
        out[number - 1] = read_page_by_ocr(Sheet(document[number - 1]), pages[number - 1], whole=number == 1)
        pymupdf.TOOLS.store_shrink(100)  # decoded scans would stay in the library's cache, up to 256 MB of them
    return out, []


def was_read(page: PageContent) -> bool:
    """Whether a page's lines come from OCR."""
    return any(line.font == OCR_FONT for line in page.lines)
