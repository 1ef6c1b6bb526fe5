"""A page laid straight, and where its lines of print stand, before any of them is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from polydata.extraction.document.lines import clean_text
from polydata.extraction.document.open import pymupdf
from polydata.extraction.document.page import SCAN_INK, PageContent, Sheet, turning
from polydata.extraction.figures.objects import components, pixels_of
from polydata.types import Box
from polydata.vision.measures import Rgb
from polydata.vision.ocr import find_print, read_lines

READ_SIDE, FIND_SIDE = 2200, 1120
"""Pixels of a page's longer side as it is read, and as its lines are found: print of 8 points is 21 and 11 high."""

MOST_LINES = 400
"""Lines of a page that are read at once at most; no page of print has more."""

WIDER = 1.1
"""By how much lines are stretched before they are read: narrow letters of small print are left out otherwise."""

INK = 0.9
"""Of the paper's grey level: darker is ink."""

LEAST_SKEW, MOST_SKEW = 0.1, 10.0
"""Degrees by which a page is turned at least before it is laid straight, and at most to be believed."""

PICTURE = 24.0
"""Points that ink beside print is wide and high at least to be a picture's."""

LONGEST = 200.0
"""Heights of a line from which it is cut: no print is longer."""


@dataclass(frozen=True)
class Scan:
    """A page laid straight.

    Attributes:
        pixels: grey, ``READ_SIDE`` on the longer side.
        scale: pixels a point.
        places: where lines of print stand, in points, from top to bottom.
        words: what a text layer says of each of them, "" for nothing.
        pictures: boxes of ink that is no print, in points.
    """

    pixels: npt.NDArray[np.uint8]
    scale: float
    places: tuple[Box, ...]
    words: tuple[str, ...]
    pictures: tuple[Box, ...]

    def read(self, numbers: Iterable[int], widest: float = LONGEST) -> dict[int, tuple[str, float]]:
        """Text and certainty of lines by their numbers; of each as many heights as ``widest`` says."""
        crops: list[Rgb] = []
        numbers = sorted(numbers)[:MOST_LINES]
        for number in numbers:
            one = self.places[number]
            place = replace(one, x1=min(one.x1 + 0.2 * one.height, one.x0 + widest * one.height))
            rows = self.pixels[pixels_of(place, self.scale)]
            wide = np.asarray(cv2.resize(rows, None, fx=WIDER, fy=1.0, interpolation=cv2.INTER_LINEAR), np.uint8)
            crops.append(np.repeat(wide[..., None], 3, axis=2))
        read = [(clean_text(text), score) for text, score in read_lines(crops)]
        return dict(zip(numbers, read, strict=True))


def _skew(corners: npt.NDArray[np.float64], small: npt.NDArray[np.uint8]) -> float:
    """By how many degrees print is turned clockwise: the mean of lines near the median, then what parts lines best."""
    along, high = corners[:, 1] - corners[:, 0], corners[:, 3] - corners[:, 0]
    length = np.hypot(along[:, 0], along[:, 1])
    long = length > 8 * np.hypot(high[:, 0], high[:, 1])
    if long.sum() < 3:
        return 0.0
    angles, weights = np.degrees(np.arctan2(along[long, 1], along[long, 0])), length[long]
    near = abs(angles - np.median(angles)) < 0.5
    skew = float(np.average(angles[near], weights=weights[near]))
    tried = [skew + step for step in np.linspace(-0.25, 0.25, 11)]
    best = max(tried, key=lambda angle: _evenness(small, angle)) if abs(skew) <= MOST_SKEW else 0.0
    return best if abs(best) >= LEAST_SKEW else 0.0


def _evenness(small: npt.NDArray[np.uint8], degrees: float) -> float:
    """How sharply rows of print and of white part when a page is turned back: most where its lines lie straight."""
    rows, columns = small.shape
    matrix = cv2.getRotationMatrix2D((columns / 2, rows / 2), degrees, 1.0)
    straight = cv2.warpAffine(small, matrix, (columns, rows), borderMode=cv2.BORDER_REPLICATE)
    return float(np.square(np.diff(straight.mean(1))).sum())


def _without_edges(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A page without the dark edges that a copier leaves: ink that runs along a side and does not reach far in."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((grey < SCAN_INK).view(np.uint8))
    rows, columns = grey.shape
    out = grey.copy()
    for number in range(1, count):
        x, y, width, height, _ = stats[number].tolist()
        upright = height > 0.3 * rows and width < 0.12 * columns and (x == 0 or x + width == columns)
        level = width > 0.3 * columns and height < 0.12 * rows and (y == 0 or y + height == rows)
        if upright or level:
            out[labels == number] = 255
    return out


def lay_straight(sheet: Sheet, page: PageContent, scanned: bool) -> tuple[PageContent, Scan]:
    """A page laid straight, without the edges of the copier, and its lines of print.

    Args:
        sheet: to render it.
        page: as read before.
        scanned: the page is a picture; others lie straight and stay as they are.
    """
    side = max(page.box.width, page.box.height)
    scale = READ_SIDE / side
    pixels = sheet.pixmap(scale, pymupdf.csGRAY)[..., 0]
    shrink = FIND_SIDE / READ_SIDE
    small = np.asarray(cv2.resize(pixels, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8)
    corners = find_print(np.repeat(small[..., None], 3, axis=2)) * (side / FIND_SIDE)
    skew = _skew(corners, small) if scanned else 0.0
    if skew:
        sheet = Sheet(sheet.page, skew)
        pixels = sheet.pixmap(scale, pymupdf.csGRAY)[..., 0]
    back = turning(page.box, -skew)
    corners = corners @ back[:, :2].T + back[:, 2]
    places = [
        _trimmed(Box(max(0.0, x0), max(0.0, y0), min(page.box.width, x1), min(page.box.height, y1)), pixels, scale)
        for x0, y0, x1, y1 in np.hstack([corners.min(1), corners.max(1)]).tolist()
        if min(x1, page.box.width) - max(x0, 0) > 1 and min(y1, page.box.height) - max(y0, 0) > 1
    ]
    places.sort(key=lambda one: (one.y0, one.x0))
    rows, columns = page.shape
    grey = _without_edges(np.asarray(cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8))
    ink = round(INK * float(np.median(grey)))
    mask = grey < ink
    for place in places:
        mask[pixels_of(place, page.scale)] = False
    pictures = [one for one in components(mask, page.scale, 1.5) if min(one.width, one.height) > PICTURE]
    scan = Scan(pixels, scale, tuple(places), _layer(page, places, back), tuple(pictures))
    if not scanned:  # letters drawn as outlines, beside pictures that are placed as ever
        return page, replace(scan, pictures=(*pictures, *(image.box for image in page.images)))
    return replace(page, raster=grey, ink=ink, skew=skew, images=(), scanned=True), scan


def _trimmed(place: Box, pixels: npt.NDArray[np.uint8], scale: float) -> Box:
    """A line of print without the white before and after it."""
    rows, columns = pixels_of(place, scale)
    dark = np.flatnonzero((pixels[rows, columns] < SCAN_INK).any(0))
    if dark.size < 2:
        return place
    left = columns.start
    return replace(place, x0=(left + int(dark[0])) / scale, x1=(left + int(dark[-1]) + 1) / scale)


def _layer(page: PageContent, places: Sequence[Box], back: npt.NDArray[np.float64]) -> tuple[str, ...]:
    """What a page's text layer says of each line of print: the words whose middle lies in it or not a line's height
    beside it, from left to right.
    """
    said: dict[int, list[tuple[float, str]]] = {}
    for line in page.lines:
        x, y = back @ ((line.box.x0 + line.box.x1) / 2, (line.box.y0 + line.box.y1) / 2, 1.0)
        over = [
            (max(one.x0 - x, x - one.x1, 0.0), abs((one.y0 + one.y1) / 2 - y), number)
            for number, one in enumerate(places)
            if one.x0 - one.height <= x <= one.x1 + one.height and one.y0 <= y <= one.y1
        ]
        if over:
            said.setdefault(min(over)[2], []).append((x, line.text))
    return tuple(" ".join(text for _, text in sorted(said.get(number, []))) for number in range(len(places)))
