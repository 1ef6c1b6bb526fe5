"""The scale bar of a micrograph: the line and the print beside it are chosen together, or none is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from polydata.types import ScaleBar
from polydata.vision.measures import Rgb
from polydata.vision.ocr import Print, read_lines, read_picture
from polydata.vision.scale_marks import STEP, Grey, Mark, find_marks
from polydata.vision.scale_prints import UNIT_ALONE, Length, contradicts, lengths_in

VERSION = 1
"""Of the reader. A new one looks at all images again."""

LARGEST = 1100
"""Pixels of width; larger pictures are shrunk to that first."""

BOTTOM = 0.6
"""Share of the height above which print is looked for beside lines only."""

WIDTHS = (640, 1100)
"""Widths to which the bottom is brought for the search: small print is found in the one, large print in the other."""

BESIDE = 5
"""Lines around which print is looked for where the search of the whole found none."""

OTHER_INK = 0.5
"""What is left of a fit where line and print differ in brightness: they are drawn in one colour."""

AGREED = 0.6
"""Share of all readings of one place that must give the same length."""

SURE = 0.6
"""Confidence below which nothing is claimed."""


@dataclass(frozen=True)
class Pair:
    """A length and the line that it speaks of.

    Attributes:
        length: as printed.
        mark: None where no line was found beside it.
        fit: 0 to 1, how they stand to each other.
    """

    length: Length
    mark: Mark | None
    fit: float

    @property
    def strength(self) -> float:
        """0 to 1: the fit, weighed by how much the line looks drawn."""
        return self.fit * (0.4 + 0.6 * self.mark.score) if self.mark else 0.0

    @property
    def confidence(self) -> float:
        """0 to 1."""
        length = self.length
        words = length.score * (1.0 if length.strict else 0.75)
        if self.mark is None:
            return 0.75 * words if length.strict else 0.0
        return words * (0.55 + 0.45 * self.strength)


def read_scale_bar(rgb: Rgb) -> ScaleBar | None:
    """Read the scale bar that is printed into a micrograph.

    Args:
        rgb: rows x columns x 3, 0 to 255.

    Returns:
        A scale bar with method ``image``, with ``length_px``, ``x0``, ``x1`` and ``y`` in pixels of the picture where
        the line was found; None where there is none or what is there cannot be told.

    Raises:
        ValueError: if the array has another shape.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise ValueError(f"a picture is rows x columns x 3, not {rgb.shape}")
    if min(rgb.shape[:2]) < 40:
        return None
    factor = min(1.0, LARGEST / rgb.shape[1])
    small = _sized(rgb, factor)
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
    marks = find_marks(grey)
    lengths = lengths_of(small)
    pair = best_pair(lengths, marks, grey)
    if pair is None or pair.confidence < SURE or pair.mark is None:
        beside = lengths_beside(small, marks)
        lengths += beside
        near = best_pair(beside, marks, grey)
        if near is not None and near.mark is not None and (pair is None or near.confidence > pair.confidence):
            pair = near
    if pair is None or pair.confidence < SURE:
        return None
    agreement = agreed(small, pair, lengths)
    return _bar(pair, agreement, 1 / factor) if agreement >= AGREED else None


def _sized(rgb: Rgb, factor: float) -> Rgb:
    if factor == 1.0:
        return rgb
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    size = max(1, round(rgb.shape[1] * factor)), max(1, round(rgb.shape[0] * factor))
    return np.asarray(cv2.resize(rgb, size, interpolation=how), np.uint8)


def _moved(line: Print, factor: float, top: float) -> Print:
    """A line found in a strip that was enlarged by ``factor``, where it stands in the picture."""
    x0, x1, y0, y1 = line.x0 / factor, line.x1 / factor, line.y0 / factor + top, line.y1 / factor + top
    return replace(line, x0=x0, x1=x1, y0=y0, y1=y1)


def lengths_of(rgb: Rgb) -> list[Length]:
    """Lengths printed in the lower part of a picture, where scale bars and data strips stand."""
    top = int(BOTTOM * rgb.shape[0])
    found = []
    for width in WIDTHS:
        factor = width / rgb.shape[1]
        lines = [_moved(line, factor, top) for line in read_picture(_sized(rgb[top:], factor))]
        lines += _with_number(rgb, lines)
        found += [length for line in lines for length in lengths_in(line)]
    return found


def _with_number(rgb: Rgb, lines: Sequence[Print]) -> list[Print]:
    """Units that were found without their number, read again with what stands to their left."""
    units = [line for line in lines if UNIT_ALONE.fullmatch(line.text.strip())]
    return _read_windows(
        rgb,
        [_window(one.x0 - 2.5 * (one.y1 - one.y0), one.y0, one.x1 + 2, one.y1, rgb.shape) for one in units],
    )


def _read_windows(rgb: Rgb, windows: Sequence[tuple[int, int, int, int]]) -> list[Print]:
    """The print in parts of a picture, each brought to the height that is read best."""
    read = read_lines([_sized(rgb[y0:y1, x0:x1], 48 / (y1 - y0)) for x0, y0, x1, y1 in windows])
    return [Print(text, score, *map(float, window)) for window, (text, score) in zip(windows, read, strict=True)]


def lengths_beside(rgb: Rgb, marks: Sequence[Mark]) -> list[Length]:
    """Lengths printed beside lines, read from crops around them: print that the search of the whole missed."""
    rows = rgb.shape[0]
    windows: list[tuple[int, int, int, int]] = []
    for rank, mark in enumerate(marks):
        for tall in (0.045, 0.08):
            height = max(9.0, tall * rows)
            if mark.gap is not None:
                x0, x1 = mark.gap[0] + 1, mark.gap[1] - 1
                windows.append(_window(x0, mark.y - height / 2, x1, mark.y + height / 2, rgb.shape))
            elif rank < BESIDE:
                reach = max(mark.length, 5.5 * height) / 2
                middle = (mark.x0 + mark.x1) / 2
                over, under = mark.y - mark.thickness / 2 - 1, mark.y + mark.thickness / 2 + 1
                after = mark.x1 + 2
                windows += [
                    _window(middle - reach, over - height, middle + reach, over, rgb.shape),
                    _window(middle - reach, under, middle + reach, under + height, rgb.shape),
                    _window(after, mark.y - height / 2, after + 4 * height, mark.y + height / 2, rgb.shape),
                ]
    windows = [one for one in dict.fromkeys(windows) if one[2] - one[0] >= 12 and one[3] - one[1] >= 7]
    return [length for line in _read_windows(rgb, windows) for length in lengths_in(line)]


def agreed(rgb: Rgb, pair: Pair, lengths: Sequence[Length]) -> float:
    """Share of all readings of one place that give the same length, 0 to 1.

    Recognisers take a 2 for a 5 with confidence; they seldom do it in every crop.
    """
    chosen = pair.length
    middle = (chosen.y0 + chosen.y1) / 2
    votes = [
        one.value_um for one in lengths if one.y0 < middle < one.y1 and min(one.x1, chosen.x1) > max(one.x0, chosen.x0)
    ]
    windows = []
    for wide, tall in ((0.15, 0.0), (0.3, 0.12), (0.5, 0.3)):
        x, y = wide * chosen.height, tall * chosen.height
        windows.append(_window(chosen.x0 - x, chosen.y0 - y, chosen.x1 + x, chosen.y1 + y, rgb.shape))
    for line in _read_windows(rgb, [one for one in windows if one[2] - one[0] >= 8 and one[3] - one[1] >= 6]):
        votes += [0.0] if contradicts(line) else [one.value_um for one in lengths_in(line)[:1]]
    same = sum(abs(vote - chosen.value_um) <= 1e-9 + 1e-6 * chosen.value_um for vote in votes)
    return same / max(1, len(votes))


def _window(x0: float, y0: float, x1: float, y1: float, shape: Sequence[int]) -> tuple[int, int, int, int]:
    return max(0, int(x0)), max(0, int(y0)), min(shape[1], int(np.ceil(x1))), min(shape[0], int(np.ceil(y1)))


def fit(length: Length, mark: Mark) -> float:
    """How well a line stands to a length: 1 close above, below or beside it, 0 not at all."""
    tall = max(6.0, length.height)
    if mark.thickness > 1.1 * tall or mark.length < 0.5 * tall:
        return 0.0
    middle = (length.y0 + length.y1) / 2
    stroke = mark.length < 0.45 * (length.x1 - length.x0) or abs(mark.y - middle) < 0.25 * tall
    inside = length.x0 - 2 <= mark.x0 and mark.x1 <= length.x1 + 2 and length.y0 <= mark.y <= length.y1 and stroke
    if mark.gap is not None:
        centre = (length.x0 + length.x1) / 2
        held = mark.x0 - tall <= length.x0 and length.x1 <= mark.x1 + tall and mark.gap[0] < centre < mark.gap[1]
        return 1.0 if held and abs(mark.y - middle) < 0.6 * tall else 0.0
    if inside:
        return 0.0
    shared = min(mark.x1, length.x1) - max(mark.x0, length.x0)
    across = shared / min(mark.length, length.x1 - length.x0)
    if across > 0.5:
        gap = max(length.y0 - mark.y, mark.y - length.y1)
        if gap < -0.35 * tall:
            return 0.0
        centred = 1.0 - min(1.0, abs((mark.x0 + mark.x1 - length.x0 - length.x1) / 2) / max(mark.length, 2 * tall))
        return max(0.0, 1.0 - max(0.0, gap) / (1.6 * tall)) * (0.6 + 0.4 * centred)
    beside = max(length.x0 - mark.x1, mark.x0 - length.x1)
    if beside > -0.5 * tall and abs(mark.y - middle) < 0.55 * tall:
        return max(0.0, 1.0 - max(0.0, beside) / (3.0 * tall))
    return 0.0


def printed_bright(grey: Grey, length: Length) -> bool | None:
    """Whether print is brighter than its ground, None where that does not show."""
    x0, y0, x1, y1 = _window(length.x0, length.y0, length.x1, length.y1, grey.shape)
    part = grey[y0:y1, x0:x1]
    if part.size < 20:
        return None
    low, ground, high = (float(v) for v in np.percentile(part, (4, 50, 96)))
    above, below = high - ground, ground - low
    if max(above, below) < STEP or max(above, below) < 1.6 * min(above, below):
        return None
    return above > below


def best_pair(lengths: Iterable[Length], marks: Sequence[Mark], grey: Grey) -> Pair | None:
    """The length and the line that go together best; a length alone where none has a line."""
    pairs = []
    for length in lengths:
        bright = printed_bright(grey, length)
        best = Pair(length, None, 0.0)
        for mark in marks:
            value = fit(length, mark) * (1.0 if bright in (None, mark.bright) else OTHER_INK)
            if value > 0.1 and value * (0.4 + 0.6 * mark.score) > best.strength:
                best = Pair(length, mark, value)
        pairs.append(best)
    return max(pairs, key=lambda pair: (pair.confidence, pair.length.height), default=None)


def _bar(pair: Pair, agreement: float, factor: float) -> ScaleBar:
    length, mark = pair.length, pair.mark
    confidence = round(min(1.0, pair.confidence * agreement), 3)
    bar = ScaleBar(length.value, length.unit, length.value_um, None, "image", confidence)
    if mark is None:
        return bar
    pixels, x0, x1, y = (round(value * factor, 1) for value in (mark.length, mark.x0, mark.x1, mark.y))
    return replace(bar, length_px=pixels, x0=x0, x1=x1, y=y)
