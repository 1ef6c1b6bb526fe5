"""The scale bar of a micrograph: what is printed at it and the bar itself are chosen together, or none is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from polydata.types import ScaleBar
from polydata.vision.measures import Rgb
from polydata.vision.ocr import find_print, read_lines
from polydata.vision.scale_ends import bar_ends
from polydata.vision.scale_marks import SIDE, TOP, Patch, joined, patches
from polydata.vision.scale_nets import UNITS, Grey, Share, find, read
from polydata.vision.scale_prints import (
    MICROMETRES,
    Length,
    explains,
    how_usual,
    in_strip,
    measures,
    number_of,
    speaks_for,
)

VERSION = 9
"""Of the reader. A new one looks at all images again."""

MOST = 4
"""Places that are read, the surest first."""

CUTS = ((0.05, 0.1), (0.15, 0.25), (0.28, 0.45))
"""How much is cut out around print, as shares of its height: above and below, left and right."""

WHOLE = 0.15, 1.2
"""The same around a magnification, whose ``x`` the finder may leave out."""

NAMED, ROOM = 6.0, 4.0
"""How far before a length its name may begin, and how far behind it a number may go on, as times its height: what
speaks against a bar is read again with so much around it."""

NO_LENGTH = 0.97
"""Probability of no unit from which on a line is not read any further."""

RECOGNISED, BLUR = 48, 1.5
"""Pixels of height of a line for the recogniser, and of the blur."""

AROUND, ROW = 2, 64
"""Bars around which print is looked for, and pixels of height to which half of what lies there is brought."""

STRIP, STRIP_LEAST, STRIP_FROM, STRIP_BAR = 0.1, 20, (0.0, 0.3), 0.6
"""Of the strip of print under a bar: share of a picture's height and pixels that it takes, shares of the width from
which on it is read, and how sure the bar must be."""

SELDOM = np.array([1.0 if unit in ("", "nm", "µm") else 0.5 for unit in UNITS])
"""How usual each unit is at the bar of a micrograph."""

SURE = 0.5
"""Confidence below which nothing is claimed."""

LONG, SURE_OF_LONG = 2000.0, 0.7
"""Micrometres that no bar of a micrograph had, and the confidence that such a length takes: "2 nm" may read as 2 mm."""

EQUAL = 0.15
"""Difference of confidence within which larger print goes first: authors draw a larger bar beside the microscope's, and
that of a picture that is set in is smaller. Where all print says the same, whatever the difference."""

AS_LARGE = 0.85
"""Share of another's height from which print is as large."""

LEVEL, FREE_OF, UNLIKE = 0.45, 0.3, 1.5
"""How far from the middle of a value a bar stands in its row, and how far before it one ends, as shares of its height;
how many times one half of a bar that it parts may be as long as the other."""

INSET_ROOM, EDGE, EDGE_HELD, EDGE_RIM = 2.0, 24, 25, 0.03
"""Of a picture that is set in: how far its edges reach beside print, as times its height; their step in grey levels,
the percentile of the step along them, and the share of the picture at its rim where none is looked for."""

SPACE, BROKEN = 0.7, 0.35
"""Gaps within a value, as a share of its height, and within a bar, as a share of what lies left of it."""

RIM = 2.0
"""Pixels from a picture's edge within which a bar that ends there is cut off."""

SEEN, READ = 0.5, 0.6
"""Probabilities from which a magnification counts as found, and as read."""


@dataclass(frozen=True)
class Reading:
    """A value and where it stands.

    Attributes:
        length: as printed.
        place: of its print, in pixels of the picture.
        certainty: 0 to 1, that this is what it says.
    """

    length: Length
    place: Patch
    certainty: float


Pair = tuple[Reading, Patch | None, float]
"""What was read, the bar that goes with it, and how well that does, 0 to 1."""


def read_scale_bar(rgb: Rgb, beneath: float = 0.0) -> ScaleBar | None:
    """Read the scale bar that is printed into a micrograph.

    Args:
        rgb: rows x columns x 3, 0 to 255.
        beneath: row under which the bar and its value must stand, from which on there is only print.

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
    grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
    found = find(grey)
    values = joined([_whole(one) for one in patches(found.value, found.scale)], lambda one: SPACE * one.height)
    values = [one for one in values if one.y >= beneath][:MOST]
    lines = [one for one in patches(found.bar, found.scale) if not any(_within(one, value) for value in values)]
    bars = [one for one in joined(lines, lambda one: BROKEN * one.width) if one.y >= beneath]
    if beneath and not bars:
        return None
    sizes = [_whole(one) for one in patches(found.size, found.scale) if one.score >= SEEN][:MOST]
    pair = _by_value(grey, values, bars, sizes) or _by_strip(grey, bars)
    return _claim(grey, pair) if pair else None


def _by_value(grey: Grey, values: Sequence[Patch], bars: Sequence[Patch], sizes: Sequence[Patch]) -> Pair | None:
    """The value that is read most surely and the bar that goes with it; None where no magnification agrees.

    Args:
        grey: the picture.
        values, bars, sizes: where the finder saw values, bars and magnifications.
    """
    pairs = [(one, *_bar_of(one.place, bars)) for one in read_values(grey, values)]
    surest = max((_confidence(*pair) for pair in pairs), default=0.0)
    if surest < SURE:
        again = [(one, *_bar_of(one.place, bars)) for one in read_around(grey, bars[:AROUND])]
        pairs = [pair for pair in again if not any(_contradicts(other, pair) for other in pairs)]
        surest = max((_confidence(*pair) for pair in pairs), default=0.0)
    if surest < SURE:
        return None
    sure = [pair for pair in pairs if _confidence(*pair) >= SURE]
    if len({pair[0].length.micrometres for pair in sure}) > 1:
        sure = [pair for pair in sure if not _set_in(grey, pair[0].place)] or sure
        surest = max(_confidence(*pair) for pair in sure)
    same = len({pair[0].length for pair in sure}) == 1
    equal = [pair for pair in sure if same or _confidence(*pair) > surest - EQUAL]
    best = max(equal, key=lambda pair: pair[0].place.height)
    doubtful_unit = best[0].length.micrometres >= LONG and _confidence(*best) < SURE_OF_LONG
    if doubtful_unit or any(_tells_another(pair, best) for pair in equal):
        return None
    if best[1] is not None:
        share = best[1].width / grey.shape[1]
        said = [
            (one, speaks_for(text, best[0].length, share)) for one, (text, sure) in _texts(grey, sizes) if sure >= READ
        ]
        doubtful = [
            replace(one, x0=one.x0 - NAMED * one.height, x1=one.x1 + ROOM * one.height)
            for one, told in said
            if told < 0
        ]
        against = sum(
            speaks_for(text, best[0].length, share) < 1 and not measures(text)
            for _, (text, _) in _texts(grey, doubtful)
        )
        if against > sum(told > 0 for _, told in said):
            return None
    return best


def _texts(grey: Grey, places: Sequence[Patch]) -> list[tuple[Patch, tuple[str, float]]]:
    """What the recogniser reads in places, and how surely."""
    return list(zip(places, read_lines([_shown(_cut(grey, one, *WHOLE)) for one in places]), strict=True))


def _by_strip(grey: Grey, bars: Sequence[Patch]) -> Pair | None:
    """The surest of the bars whose strips of print tell the same length; None where they tell several or none."""
    strips = [pair for bar in bars[:AROUND] if (pair := read_strip(grey, bar)) and _confidence(*pair) >= SURE]
    return max(strips, key=lambda pair: pair[2]) if len({pair[0].length for pair in strips}) == 1 else None


def _claim(grey: Grey, pair: Pair) -> ScaleBar:
    """What was read, with the ends of its bar where there is one that the picture's edge does not cut off."""
    length, bar = pair[0].length, pair[1]
    scale = ScaleBar(length.value, length.unit, length.micrometres, None, "image", round(float(_confidence(*pair)), 3))
    if bar is None:
        return scale
    x0, x1, y = (round(value, 1) for value in (*bar_ends(grey, bar), bar.y))
    if x0 < RIM or x1 > grey.shape[1] - RIM:
        return scale
    return replace(scale, length_px=round(x1 - x0, 1), x0=x0, x1=x1, y=y)


def _whole(print_: Patch) -> Patch:
    """The whole of print of which the finder sees the heart."""
    tall = print_.height / (1 - 2 * TOP)
    up, across = TOP * tall, SIDE * tall
    return replace(print_, x0=print_.x0 - across, x1=print_.x1 + across, y0=print_.y0 - up, y1=print_.y1 + up)


def _within(line: Patch, print_: Patch) -> bool:
    """Whether what looks like a bar is a stroke of print."""
    middle = (line.x0 + line.x1) / 2
    return print_.x0 < middle < print_.x1 and print_.y0 < line.y < print_.y1 and line.width < 0.5 * print_.width


def _cut(grey: Grey, print_: Patch, up: float, across: float) -> Grey:
    """A line of print with so much around it, as shares of its height."""
    rows, columns = grey.shape
    y, x = up * print_.height, across * print_.height
    top, left = min(rows - 2, max(0, int(print_.y0 - y))), min(columns - 2, max(0, int(print_.x0 - x)))
    bottom, right = int(np.ceil(print_.y1 + y)), int(np.ceil(print_.x1 + x))
    return grey[top : max(top + 2, bottom), left : max(left + 2, right)]


def read_around(grey: Grey, bars: Sequence[Patch]) -> list[Reading]:
    """What the recogniser's own detector finds around bars beside which the finder saw nothing that can be read."""
    rows, columns = grey.shape
    places = []
    for bar in bars:
        tall, aside = max(16.0, 0.1 * rows), 0.3 * columns
        top, left = int(max(0, bar.y - tall)), int(max(0, bar.x0 - aside))
        window = grey[top : int(bar.y + tall), left : int(bar.x1 + aside)]
        factor = 2 * ROW / window.shape[0]
        large = cv2.resize(window, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
        for corners in find_print(np.asarray(cv2.cvtColor(large, cv2.COLOR_GRAY2RGB), np.uint8)):
            (x0, y0), (x1, y1) = corners.min(0) / factor, corners.max(0) / factor
            places.append(Patch(left + x0, top + y0, left + x1, top + y1, bar.score))
    near = sorted(places, key=lambda place: -_bar_of(place, bars)[1])
    return read_values(grey, near[:MOST])


def read_strip(grey: Grey, bar: Patch) -> Pair | None:
    """A bar with the length that the strip of print under it tells as a whole; None where it tells none.

    Dots that stand apart are no print to the finder, but a line of them is one to the recogniser.
    """
    rows, columns = grey.shape
    top = round(bar.y1) + 1
    bottom = min(rows, top + max(STRIP_LEAST, round(STRIP * rows)))
    if bar.score < STRIP_BAR or bottom - top < 8:
        return None
    cuts = [grey[top:bottom, round(left * columns) :] for left in STRIP_FROM]
    lines = read_lines([shown for cut in cuts for shown in (_shown(cut), _shown(cut, BLUR / 3))])
    heard = [(length, sure) for text, sure in lines if (length := in_strip(text, bar.width / columns))]
    if len(heard) < 2 or len({length for length, _ in heard}) > 1:
        return None
    place = Patch(bar.x0, top, bar.x1, bottom, bar.score)
    return Reading(heard[0][0], place, max(sure for _, sure in heard)), bar, bar.score


def read_values(grey: Grey, places: Sequence[Patch]) -> list[Reading]:
    """What stands in each place: the unit that its cuts show together, the number that most readings of them give."""
    readings = []
    for place in places:
        cuts = [_cut(grey, place, *around) for around in CUTS]
        lines = read(cuts)
        share = _geometric([line.units for line in lines])
        if share[0] > NO_LENGTH:
            continue
        recognised = read_lines([_shown(cut) for cut in cuts])
        heard = [explains(text) for text, _ in recognised]
        share = share * _geometric([[one[unit] for unit in UNITS] for one in heard]) * SELDOM
        share /= share.sum()
        unit = UNITS[int(share.argmax())]
        votes: dict[float, float] = {}
        best = 0.0
        for text, sure in [*recognised, *((line.text, line.score) for line in lines)]:
            number = number_of(text)
            if number is not None:
                votes[number[0]] = votes.get(number[0], 0.0) + sure * number[1]
                best = max(best, sure * number[1])
        if votes and unit in MICROMETRES:
            value = max(votes, key=lambda one: votes[one])
            if not how_usual(value):
                continue
            agreement = how_usual(value) * votes[value] / sum(votes.values())
            readings.append(Reading(Length(value, unit), place, best * agreement * float(share.max())))
    return readings


def _geometric(shares: Sequence[Sequence[float] | Share]) -> Share:
    """Geometric means of probabilities, readings x units, so that one reading that rules a unit out counts."""
    return np.asarray(np.exp(np.mean(np.log(np.asarray(shares) + 1e-3), 0)), np.float32)


def _shown(cut: Grey, blur: float = BLUR) -> Rgb:
    """A line as the recogniser reads it best: of its own height, a little blurred, so that dots become strokes."""
    factor = RECOGNISED / cut.shape[0]
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    large = cv2.resize(cut, (max(1, round(cut.shape[1] * factor)), RECOGNISED), interpolation=how)
    return np.asarray(cv2.cvtColor(cv2.GaussianBlur(large, (0, 0), blur), cv2.COLOR_GRAY2RGB), np.uint8)


def _about(print_: Patch, bars: Sequence[Patch]) -> list[Patch]:
    """Bars as they stand about a value: in its row they go on behind it or come in two like halves, end before it, or
    underline it closely.

    The finder was taught that a bar runs through the value that parts it, and now and then lets others run into it.
    """
    out = [bar for bar in bars if abs(bar.y - print_.y) >= LEVEL * print_.height]
    level, aside = [bar for bar in bars if bar not in out], 0.5 * print_.height
    start, end = print_.x0 - FREE_OF * print_.height, print_.x1 + FREE_OF * print_.height
    before = [bar for bar in level if bar.x0 < print_.x0 - aside]
    behind = [bar for bar in level if bar.x1 > print_.x1 + aside]
    left = [replace(bar, x1=min(bar.x1, start)) for bar in before if bar not in behind]
    right = [replace(bar, x0=max(bar.x0, end)) for bar in behind if bar not in before]
    through = [bar for bar in before if bar in behind] + [
        replace(one, x1=other.x1, score=min(one.score, other.score))
        for one in left
        for other in right
        if max(one.width, other.width) < UNLIKE * min(one.width, other.width)
    ]
    under = [bar for bar in level if bar not in before and bar not in behind]
    return through or out + left + right + under


def _bar_of(print_: Patch, bars: Sequence[Patch]) -> tuple[Patch | None, float]:
    """The bar that goes best with a value, and how well: 1 close above, below or beside it, 0 not at all."""
    best: tuple[Patch | None, float] = (None, 0.0)
    tall = max(6.0, print_.height)
    for bar in _about(print_, bars):
        aside = max(0.0, print_.x0 - bar.x1, bar.x0 - print_.x1) / (4 * tall)
        away = max(0.0, print_.y0 - bar.y, bar.y - print_.y1) / (2.5 * tall)
        fit = bar.score**2 * max(0.0, 1 - max(aside, away))
        if fit > best[1] and bar.width > 0.5 * tall:
            best = bar, fit
    return best


def _tells_another(one: Pair, best: Pair) -> bool:
    """Whether a bar has another length and print as large: one of them is that of a picture that is set in."""
    alike = one[0].place.height > AS_LARGE * best[0].place.height
    return alike and not math.isclose(one[0].length.micrometres, best[0].length.micrometres)


def _contradicts(one: Pair, other: Pair) -> bool:
    """Whether a look at a place read another length in the print of a second look, half as surely at least."""
    x, y = (one[0].place.x0 + one[0].place.x1) / 2, one[0].place.y
    there = other[0].place
    within = there.x0 < x < there.x1 and there.y0 < y < there.y1
    return within and one[0].length != other[0].length and _confidence(*one) > _confidence(*other) / 2


def _set_in(grey: Grey, print_: Patch) -> bool:
    """Whether print stands in a picture that is set into this one: two of its straight edges meet in a corner."""
    rise = np.abs(np.diff(grey.astype(np.int16), axis=0))
    run = np.abs(np.diff(grey.astype(np.int16), axis=1))
    x, y, reach = int((print_.x0 + print_.x1) / 2), int(print_.y), int(INSET_ROOM * print_.height)
    upright = _lines(run[max(0, y - reach) : y + reach], print_.x0, print_.x1)
    level = _lines(rise[:, max(0, x - reach // 2) : x + reach // 2].T, print_.y0, print_.y1)
    return any(
        _edge(run[min(y, row) : max(y, row), column]) and _edge(rise[row, min(x, column) : max(x, column)])
        for column in upright
        for row in level
    )


def _lines(steps: npt.NDArray[np.int16], start: float, end: float) -> npt.NDArray[np.intp]:
    """Where straight edges cross a band of differences along it: outside a place, and away from the band's ends."""
    at = np.flatnonzero(np.percentile(steps, EDGE_HELD, axis=0) > EDGE)
    rim = EDGE_RIM * steps.shape[1]
    return at[(at > rim) & (at < steps.shape[1] - rim) & ((at < start) | (at > end))]


def _edge(steps: npt.NDArray[np.int16]) -> bool:
    """Whether half of a line of differences is an edge, on whose other sides two dark things may meet."""
    return bool(np.median(steps) > EDGE)


def _confidence(reading: Reading, bar: Patch | None, fit: float) -> float:
    """0 to 1."""
    words = reading.certainty * min(1.0, reading.place.score + 0.3)
    return words * (0.65 + 0.35 * fit) if bar is not None else 0.65 * words
