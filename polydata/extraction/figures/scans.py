"""Scanned pages: laid straight, their lines of print found, captions read by OCR where no text is to be trusted."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

import cv2
import numpy as np
from rapidfuzz.distance import Levenshtein

from polydata.extraction.document.lines import OCR_FONT, Line
from polydata.extraction.document.open import pymupdf
from polydata.extraction.document.page import SCAN_INK, PageContent, Sheet, turned
from polydata.extraction.figures.assign import LocatedFigure
from polydata.extraction.figures.caption_lines import CAPTION_LINES
from polydata.extraction.figures.objects import distance, pixels_of
from polydata.extraction.figures.straighten import Scan, lay_straight
from polydata.text.figure_labels import WORDS, read_label
from polydata.types import Box
from polydata.vision.ocr import read_lines

FEW_WORDS = 25
"""A page with fewer words has no text layer to speak of: a stamp of the library, a page number."""

MANY_SIGNS, HIGHEST_SIGN = 150, 15.0
"""Pieces of ink that a page of print has at least, and points that nearly all of them are below in height."""

SURE = 0.5
"""Print that the recogniser is less sure of is no text: it is a texture or a drawing."""

HEAD, LABEL_WIDTH = 4.5, 14.0
"""Of lines that may begin a caption so many heights are read at first, then what holds a label."""

USUAL, ALIKE = ("figure", "fig", "scheme", "chart", "plate", "graph", "table"), 0.6
"""Words of labels, and the share of letters in which the beginning of a line resembles one of them at least."""

AROUND, BESIDE = 150.0, 70.0
"""Points from a picture, over or under it and beside it, within which its caption may begin."""

TITLE, IMPRINT = 0.35, 0.9
"""Shares of the first page's height over and under which lines say what paper it is."""

SAMPLE, ENOUGH, LINES, SAMPLE_WIDTH = 10, 5, 15, 16.0
"""Lines of a page's text layer that are read to judge it, how many the recogniser must be sure of, after how many no
more are read, and heights of each."""

LYING, LONG, LONGEST = 2.0, 4.0, 5
"""How many times as much print lies on its side as stands on a page that is turned; how many times as long as high
lines are that count, and how many of them are read to tell which side is up."""

MARGIN = 0.08
"""Share of a page's width at its sides in which print that lies tells nothing of the page."""

GOOD = 0.985
"""Share of letters in which a text layer and what is read of the same lines agree, from which the layer is trusted."""


def _is_picture(page: PageContent) -> bool:
    """Whether a page is a picture: one image over all of it, or tiles that cover most of it and hardly a word."""
    if page.scanned:
        return True
    covered = sum(image.box.area for image in page.images)
    return covered > 0.5 * page.box.area and _words(page) < FEW_WORDS


def _words(page: PageContent, unseen: bool = True) -> int:
    return sum(line.words for line in page.lines if unseen or line.font != OCR_FONT)


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
    """Numbers of the pages to be read: of letters drawn as outlines, and scans without words or captions of their own.

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
        if (_words(page) < FEW_WORDS and page.number not in captioned)
        or (scanned and (page.number in lacking or _words(page, unseen=False) < FEW_WORDS))
    ]


@dataclass
class _Layer:
    """How far a document's text layer agrees with what is read of some of its lines, over several of its pages.

    Attributes:
        letters: that were read surely.
        alike: of these, how many the layer has too.
        sure: lines that were read surely.
        unknown: a page was read of which hardly a line is sure: the script is none that the recogniser knows.
    """

    letters: int = 0
    alike: float = 0.0
    sure: int = 0
    unknown: bool = False

    def judge(self, scan: Scan) -> bool:
        """Whether the layer is good by the pages so far and this one: that of an unknown script is left as it is, and
        one of which nothing is known yet is none.
        """
        long = [number for number, text in enumerate(scan.words) if len(text) > 30]
        sample = long[:: max(1, len(long) // SAMPLE)][:SAMPLE]
        if len(sample) >= ENOUGH and self.sure <= LINES:
            for number, (text, score) in scan.read(sample, SAMPLE_WIDTH).items():
                if score > 0.9:
                    one = text.replace(" ", "")[:-1]
                    other = scan.words[number].replace(" ", "")[: len(one)]
                    self.alike += SequenceMatcher(None, one, other, autojunk=False).ratio() * len(one)
                    self.letters, self.sure = self.letters + len(one), self.sure + 1
            self.unknown = self.sure < ENOUGH
        return self.unknown or (self.sure >= ENOUGH and self.alike > GOOD * self.letters)


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
    """A line and those that go on under it at the same distance, and what stands level with them in their column."""
    run, x0, x1 = [index], places[index].x0, places[index].x1
    last = places[index]
    steps: list[float] = []
    for number in range(index + 1, len(places)):
        line = places[number]
        step = line.y1 - last.y1
        usual = sorted(steps)[len(steps) // 2] if steps else 1.2 * last.height
        if min(line.x1, x1) - max(line.x0, x0) <= 0 and abs(line.x0 - x1) >= 2 * line.height:
            continue
        if step > 1.5 * usual or len(run) > CAPTION_LINES:
            break
        run.append(number)
        if step > 0.5 * last.height:
            steps.append(step)
            last = line
        x0, x1 = min(x0, line.x0), max(x1, line.x1)
    return run


def _turn(scan: Scan) -> int:
    """By how many degrees clockwise a page is turned to be read, as its print lies on its side; 0 where it stands.

    What lies in the margin is a stamp, and one line alone the title of an axis.
    """
    width = scan.pixels.shape[1] / scan.scale
    standing = sorted((one for one in scan.places if one.width > LONG * one.height), key=lambda one: -one.width)
    lying = sorted(
        (
            one
            for one in scan.places
            if one.height > LONG * one.width and one.x0 / width > MARGIN and one.x1 / width < 1 - MARGIN
        ),
        key=lambda one: -one.height,
    )
    if len(lying) < 2 or sum(one.height for one in lying) <= LYING * sum(one.width for one in standing):
        return 0
    scores = {turn: _score(scan, lying[:LONGEST], turn) for turn in (90, 270)}
    best = max(scores, key=lambda turn: scores[turn])
    return best if scores[best] > max(SURE, _score(scan, standing[:LONGEST], 0)) else 0


def _score(scan: Scan, places: Sequence[Box], turn: int) -> float:
    """How surely lines are read when they are turned clockwise, 0 to 1."""
    crops = [np.rot90(scan.pixels[pixels_of(one, scan.scale)], -turn // 90) for one in places]
    read = read_lines([np.repeat(crop[..., None], 3, axis=2) for crop in crops])
    return sum(score for _, score in read) / max(1, len(read))


def _may_be_label(text: str) -> bool:
    """Whether a line may begin with a label, of which letters were misread and the end was cut off."""
    first = re.match(r"\W{0,2}([^\W_]+)", text.lower())
    if first is None:
        return False
    start = first[1]
    return start in WORDS or any(
        Levenshtein.normalized_similarity(start[: len(word)], word[: len(start)]) >= ALIKE
        for word in USUAL
        if len(start) > 2 or word.startswith(start)
    )


def _texts(scan: Scan, *, good: bool, lacking: bool, first: bool) -> dict[int, tuple[str, float]]:
    """Text and certainty of lines by number: those of captions as read, and of a paper's head; others by the layer."""
    places, height = scan.places, scan.pixels.shape[0] / scan.scale
    texts = {number: (text, 1.0) for number, text in enumerate(scan.words) if text}
    if first and not texts:
        texts = scan.read(number for number, place in enumerate(places) if not TITLE < place.y0 / height < IMPRINT)
    near = [
        number
        for number, place in enumerate(places)
        if _begins(number, places)
        and (lacking or not good or number not in texts or _may_be_label(texts[number][0]))
        and any(across < BESIDE and down < AROUND for across, down in (distance(place, one) for one in scan.pictures))
    ]
    heads = scan.read(near, HEAD)
    labels = scan.read([number for number, (text, _) in heads.items() if _may_be_label(text)], LABEL_WIDTH)
    wanted: set[int] = set()
    for number, (text, score) in {**heads, **labels}.items():
        if read_label(text):
            said = texts.get(number, ("", 0.0))[0]
            wanted.update([] if good and read_label(said) else _run_below(number, places))
        elif places[number].width <= HEAD * places[number].height or score < SURE:
            texts.setdefault(number, (text, score))
    return {**texts, **scan.read(wanted)}


def _stand_in(place: Box) -> str:
    """Something to stand for a line that was not read: about as many words; a sign where it is short."""
    if place.width < 6 * place.height:
        return "x"
    return " ".join(["xx"] * max(1, round(place.width / (2.5 * place.height))))


def _lines(places: Sequence[Box], texts: dict[int, tuple[str, float]]) -> tuple[Line, ...]:
    """Print as lines of text; heights near the median are one size, for they follow the letters in the line."""
    heights = [one.height for one in places if one.width > 4 * one.height]
    usual = float(np.median(heights)) if heights else 0.0
    lines = []
    for number, one in enumerate(places):
        text, score = texts.get(number, (_stand_in(one), 1.0))
        if not text or score < SURE:
            continue
        size = usual if 0.75 * usual < one.height < 1.35 * usual else one.height
        lines.append(
            Line(
                box=one,
                text=text,
                size=round(0.75 * size, 1),
                bold=False,
                font=OCR_FONT,
                first_font=OCR_FONT,
                block=number,
                upright=one.height < 2 * one.width or len(text) < 3,
                baseline=one.y1 - 0.25 * one.height,
            )
        )
    return tuple(lines)


def read_scans(
    document: pymupdf.Document,
    pages: Sequence[PageContent],
    numbers: Sequence[int],
    goes_on: Callable[[], bool],
    lacking: Collection[int] = (),
) -> tuple[list[PageContent], list[int]]:
    """Lay scanned pages straight and read them.

    Captions are read, or taken from a text layer that agrees with what is read of some of its lines. Other lines have
    the layer's words; without one, words of no meaning stand where they are, for reading them takes most of the time.
    On the first page what says which paper it is, is read too.

    Args:
        document: open.
        pages: all of its pages, in order.
        numbers: of those to read, from ``pages_to_read``.
        goes_on: asked before each page.
        lacking: numbers of pages with a figure for which a text layer has no caption: it is read.

    Returns:
        All pages, and the numbers of those left unread.
    """
    out = list(pages)
    layer = _Layer()
    for done, number in enumerate(numbers):
        if not goes_on():
            return out, list(numbers[done:])
        page, scan = lay_straight(Sheet(document[number - 1]), pages[number - 1], _is_picture(pages[number - 1]))
        if turn := _turn(scan) if page.scanned else 0:
            sheet, page = turned(document[number - 1], turn, page.turn)
            page, scan = lay_straight(sheet, page, scanned=True)
        texts = _texts(scan, good=layer.judge(scan), lacking=number in lacking, first=number == 1)
        out[number - 1] = replace(page, lines=_lines(scan.places, texts))
        pymupdf.TOOLS.store_shrink(100)  # decoded scans would stay in the library's cache, up to 256 MB of them
    return out, []


def was_read(page: PageContent) -> bool:
    """Whether a page's lines come from OCR."""
    return any(line.font == OCR_FONT for line in page.lines)
