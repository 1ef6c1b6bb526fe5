"""Pictures that touch: the seams between them, found by rows and columns where the picture steps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.float32]

SEAM = 3.8
"""How far the step at a seam between touching pictures stands out from those of all rows or columns,
in robust standard deviations."""

SEAM_UNASKED = 9.0
"""The same where the caption does not say that there are several panels."""

SEAM_FURTHER = 6.0
"""The same in a part of a picture that has a seam without doubt."""

SEAM_FEWER = 6.0
"""The same for a layout of fewer panels than the caption names."""

SEAM_HINT = 2.0
"""The same for single seams of an even division whose other seams are plain."""

USUAL_SHAPE, FREE_SHAPE, SHAPE_COST = 1.25, 0.5, 6.0
"""Micrographs are mostly a little wider than high. A layout whose cells differ from that by more than a factor of
exp(``FREE_SHAPE``) needs seams stronger by ``SHAPE_COST`` for each further factor of e."""

LEAST_AREA = 0.12
"""A panel has at least this share of the area of the largest one."""

STRETCHES, LEFT_OUT = 8, 3

STRONG = 20.0
"""Steps beyond this count no more: one glaring seam does not make up for a doubtful one."""

Window = tuple[int, int, int, int]
"""Rows and columns of a part of a picture: top, left, bottom, right; the ends are exclusive."""


@dataclass(frozen=True)
class _Layout:
    """A way to cut a window: the cells, the mean of its seams' strengths (cut at ``STRONG``), and the weakest."""

    cells: tuple[Window, ...]
    mean: float
    weakest: float


def size(window: Window) -> tuple[int, int]:
    """Height and width."""
    return window[2] - window[0], window[3] - window[1]


def seam_profile(grey: Grey, axis: int) -> npt.NDArray[np.float32]:
    """How far the step at each row or column stands out, in robust standard deviations; 0 is nothing special.

    Steps are taken over two pixels, for a scaled seam is seldom one pixel wide, and measured against the
    steps near by, for texture differs from place to place. Of eight stretches along the line the three with
    the strongest steps are left out: a seam runs from side to side, the frame of an inset or a label does not.
    """
    before, after = (grey[:-2], grey[2:]) if axis == 0 else (grey[:, :-2], grey[:, 2:])
    step = np.sqrt(np.minimum(np.abs(after - before), 60))
    if axis == 1:
        step = step.T
    length = step.shape[0] + 2
    if length < 24 or step.shape[1] < STRETCHES:
        return np.zeros(length, np.float32)
    along = np.stack([part.mean(1) for part in np.array_split(step, STRETCHES, axis=1)])
    along = np.pad(along, ((0, 0), (1, 1)), mode="edge")
    reach = 8
    padded = np.pad(along, ((0, 0), (reach, reach)), mode="reflect")
    around = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=1), axis=2)
    steady = np.maximum(around, 0.25 * np.median(along, axis=1, keepdims=True) + 0.15)
    ratio = np.sort(along / steady, axis=0)[: STRETCHES - LEFT_OUT].mean(0)
    middle = float(np.median(ratio))
    spread = 1.4826 * float(np.median(np.abs(ratio - middle))) + 0.02
    return np.asarray((ratio - middle) / spread, np.float32)


def even_seams(profile: npt.NDArray[np.float32], count: int) -> list[tuple[float, int]]:
    """Strength and place of the seams of an even division, each sought within 4 % of a part."""
    reach = max(2, round(0.04 * profile.size / count))
    seams = []
    for index in range(1, count):
        at = round(profile.size * index / count)
        low, high = max(3, at - reach), min(profile.size - 3, at + reach + 1)
        if low >= high:
            return []
        place = low + int(np.argmax(profile[low:high]))
        seams.append((float(profile[place]), place))
    return seams


def _peaks(profile: npt.NDArray[np.float32], most: int) -> list[tuple[float, int]]:
    """The strongest steps, a tenth of the side from each other and from the rim, strongest first."""
    rim = max(16, round(0.1 * profile.size))
    found: list[tuple[float, int]] = []
    if profile.size <= 2 * rim:
        return found
    left = profile.copy()
    left[:rim] = left[profile.size - rim :] = -np.inf
    while len(found) < most:
        place = int(np.argmax(left))
        if not left[place] >= SEAM:
            break
        found.append((float(left[place]), place))
        left[max(0, place - rim) : place + rim + 1] = -np.inf
    return found


def _divisions(profile: npt.NDArray[np.float32], count: int) -> list[list[tuple[float, int]]]:
    """Ways to divide a strip into ``count`` parts, each a list of seams: evenly, and at the strongest steps."""
    if count == 1:
        return [[]]
    if profile.size < 24 * count:
        return []
    even, peaks = even_seams(profile, count), _peaks(profile, count - 1)
    ways = [even] if even and min(even)[0] >= SEAM_HINT else []
    if len(peaks) == count - 1 and not (even and min(even)[0] >= SEAM):
        ways.append(sorted(peaks, key=lambda seam: seam[1]))
    return ways


def _layout(cells: list[Window], strengths: list[float]) -> _Layout:
    clipped = [min(one, STRONG) for one in strengths]
    return _Layout(tuple(cells), sum(clipped) / len(clipped), min(clipped))


def _grid(part: Grey, count: int) -> list[_Layout]:
    """Even grids of ``count`` cells, seams from side to side."""
    layouts = []
    profiles = [seam_profile(part, axis) for axis in (0, 1)]
    for rows in range(1, count + 1):
        columns = count // rows
        if count % rows or min(part.shape[0] / rows, part.shape[1] / columns) < 24:
            continue
        down, across = even_seams(profiles[0], rows), even_seams(profiles[1], columns)
        if len(down) == rows - 1 and len(across) == columns - 1:
            ys = [0, *(place for _, place in down), part.shape[0]]
            xs = [0, *(place for _, place in across), part.shape[1]]
            cells = [(a, c, b, d) for a, b in pairwise(ys) for c, d in pairwise(xs)]
            layouts.append(_layout(cells, [strength for strength, _ in (*down, *across)]))
    return layouts


def _rows(part: Grey, count: int) -> list[_Layout]:
    """Rows of unequal height or number, each divided by itself, to ``count`` cells in all."""
    peaks = _peaks(seam_profile(part, 0), 3)

    @cache
    def across(top: int, bottom: int) -> npt.NDArray[np.float32]:
        return seam_profile(part[top:bottom], 1)

    layouts = []
    for number in range(1, min(len(peaks), count - 1) + 1):
        for chosen in combinations(peaks, number):
            edges = [0, *sorted(place for _, place in chosen), part.shape[0]]
            options: dict[int, list[tuple[list[Window], list[float]]]] = {0: [([], [])]}
            for top, bottom in pairwise(edges):
                grown: dict[int, list[tuple[list[Window], list[float]]]] = {}
                for total, ways in options.items():
                    for own in range(1, min(6, count - total) + 1):
                        for seams in _divisions(across(top, bottom), own):
                            xs = [0, *(place for _, place in seams), part.shape[1]]
                            cells = [(top, a, bottom, b) for a, b in pairwise(xs)]
                            grown.setdefault(total + own, []).extend(
                                ([*way[0], *cells], [*way[1], *(strength for strength, _ in seams)]) for way in ways
                            )
                options = {
                    total: sorted(ways, key=lambda way: -sum(min(one, STRONG) for one in way[1]))[:3]
                    for total, ways in grown.items()
                }
            layouts += [
                _layout(cells, [*strengths, *(strength for strength, _ in chosen)])
                for cells, strengths in options.get(count, [])
            ]
    return layouts


def _turned(layout: _Layout) -> _Layout:
    return _Layout(tuple((b, a, d, c) for a, b, c, d in layout.cells), layout.mean, layout.weakest)


def _best(part: Grey, count: int, threshold: float) -> _Layout | None:
    """The layout with the strongest seams; an even grid wins over others unless it is much weaker."""
    hint = SEAM_HINT if threshold <= SEAM else threshold
    free = [*_rows(part, count), *(_turned(one) for one in _rows(np.ascontiguousarray(part.T), count))]
    grids, others = (
        [one for one in some if one.weakest >= hint and _worth(one) >= threshold]
        for some in (_grid(part, count), filter(_balanced, free))
    )
    grid, other = max(grids, key=_worth, default=None), max(others, key=_worth, default=None)
    return other if grid is None or (other is not None and _worth(other) > 1.5 * _worth(grid)) else grid


def _worth(layout: _Layout) -> float:
    """The mean of a layout's seams, less what the shape of its cells costs."""
    odd = [abs(math.log((c[3] - c[1]) / (c[2] - c[0]) / USUAL_SHAPE)) - FREE_SHAPE for c in layout.cells]
    return layout.mean - SHAPE_COST * sum(max(0.0, one) for one in odd) / len(odd)


def _balanced(layout: _Layout) -> bool:
    """Whether no cell is so small beside the largest that it would be an inset or an information bar."""
    areas = [float(np.prod(size(cell))) for cell in layout.cells]
    return min(areas) > LEAST_AREA * max(areas)


def step_at(grey: Grey, axis: int, place: int) -> float:
    """Strength of the strongest step within two pixels of a row (axis 0) or column; 0 where there is no profile."""
    near = seam_profile(grey, axis)[max(0, place - 2) : place + 3]
    return float(near.max()) if near.size else 0.0


def cut_seams(grey: Grey, window: Window, count: int, least: float | None = None) -> list[Window]:
    """Cut a window of touching pictures into ``count``, or into fewer where the seams are plain.

    Args:
        grey: rows x columns, 0 to 255.
        window: the part to cut.
        count: pictures that are expected, at least 2.
        least: strength that every seam has; ``SEAM`` where None.

    Returns:
        Cells; the window alone where no layout has seams at all its borders.
    """
    part = grey[window[0] : window[2], window[1] : window[3]]
    least = SEAM if least is None else least
    found = _best(part, count, least)
    for fewer in range(min(count, 9) - 1, 1, -1):
        if found is not None:
            break
        found = _best(part, fewer, max(least, SEAM_FEWER))
    return _moved(found, window)


def cut_unasked(grey: Grey, window: Window, least: float = SEAM_UNASKED, floor: float = 0) -> list[Window]:
    """Touching pictures that no caption counts: cut at very strong seams, the strongest first.

    Args:
        grey: rows x columns, 0 to 255.
        window: the part to cut.
        least: strength of the first seam; where there is one, further ones need only be ``SEAM_FURTHER``.
        floor: least distance of a seam from the rim, in pixels; a tenth of the longer side where 0.

    Returns:
        Cells; the window alone where no seam is strong enough.
    """
    part = grey[window[0] : window[2], window[1] : window[3]]
    floor = floor or 0.1 * max(part.shape)
    seams = [
        (*peak, axis)
        for axis in (0, 1)
        for peak in _peaks(seam_profile(part, axis), 1)
        if min(peak[1], part.shape[axis] - peak[1]) > floor
    ]
    strength, place, axis = max(seams, default=(0.0, 0, 0))
    if strength < least:
        return [window]
    top, left, bottom, right = window
    first = (top, left, top + place, right) if axis == 0 else (top, left, bottom, left + place)
    second = (top + place, left, bottom, right) if axis == 0 else (top, left + place, bottom, right)
    return [cell for half in (first, second) for cell in cut_unasked(grey, half, SEAM_FURTHER, floor)]


def _moved(layout: _Layout | None, window: Window) -> list[Window]:
    if layout is None:
        return [window]
    top, left = window[0], window[1]
    return [(a + top, b + left, c + top, d + left) for a, b, c, d in layout.cells]
