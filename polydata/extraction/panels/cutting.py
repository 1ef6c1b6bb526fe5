"""A figure taken apart into panels by its pixels: cut where a panel's edge or the ground runs from side to side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from polydata.extraction.panels.islands import LEAST, islands
from polydata.vision.measures import Rgb
from polydata.vision.panel_map import SIDES, PanelMap, Window, look, pixels, size, within

ROUGH = (320,)
"""Pixels of the longer side at which a figure is looked at first, and at last where it shows no micrograph."""

GLIMPSE, INKLING = 0.001, 0.1
"""Share of a figure from which it is looked at more finely, where a micrograph is as likely as the second tells."""

SURE = 0.5
"""Strength of a line from which it is cut at."""

ASKED, ASKED_ALONE = 0.2, 0.1
"""The same where the caption names more panels, or more letters are printed, than there are parts; and there for a part
that was looked at by itself."""

CERTAIN, LOWEST = 0.6, 256
"""Strength under which a part is looked at by itself before it is cut, and the pixels of its longer side at least."""

REPEATED = 2.0
"""How much more a line counts there that leaves a half as large as another part, as in a grid."""

BEYOND = 0.6
"""The same where there are already as many parts as the caption names."""

SEAM, GUTTER = 0.97, 0.4
"""The same there of a line through micrographs along which there is no ground, and the share of ground from which
there is: stripes and scratches in a micrograph have edges too. Where nobody counts, they cannot be told from panels
that touch."""

LIKELY = 0.1
"""From this share of micrograph on a part is worth a panel of its own; the screening decides what it is."""

NARROW = 0.06
"""Parts narrower than this share of their figure's longer side that are no micrographs are no panels."""

STRETCHES = 12
"""Parts of a line of which the weaker half counts: a cut runs from side to side."""

BARE = 0.6
"""Share of ground from which a row or column at the rim of a window is no part of its panel."""

EMPTY, SOLID = 0.95, 0.2
"""Shares of ground over which nothing is in a row or column, and under which it is all panel."""

PLAIN, BLANK = 4.0, 0.7
"""Grey levels; a part with less spread (standard deviation) shows nothing, the second where it may be a micrograph."""

RIM = 3
"""Places by which a part's edges may be wrong: so many of its rim may belong to the panel beside it."""

PLACED = 0.15
"""What the edge of a placed image adds to a line: alone it is no edge of a panel, for it may be that of a strip."""

NEAR = 1.5
"""Places around the edge of a part within which its edge is sought in the pixels."""

STEP = 0.6
"""Share of the strongest step near an edge that the edge itself has; of several the innermost is taken."""


@dataclass(frozen=True)
class Part:
    """A panel that was cut out.

    Attributes:
        window: in pixels of the figure.
        micrograph: share of it that looks like a micrograph, 0 to 1.
        set_in: it is a micrograph within a plot or drawing that is a panel too.
    """

    window: Window
    micrograph: float
    set_in: bool = False


@dataclass
class _Leaf:
    """A part that may be cut further: the strength of the strongest line across it, and the parts on its sides.

    ``seam``: it goes through micrographs, and there is no ground along it. ``alone``: its lines are those that show
    when nothing else is looked at.
    """

    window: Window
    letters: int
    micrograph: float
    strength: float = 0.0
    halves: tuple[Window, Window] | None = None
    seam: bool = False
    alone: bool = False


def take_apart(
    rgb: Rgb,
    count: int | None,
    placed: Sequence[Window] = (),
    letters: Sequence[tuple[float, float]] = (),
    *,
    pictures: bool = True,
) -> list[Part]:
    """Panels of a figure.

    The part with the strongest line is cut first, until no line is sure; lines less sure are cut at while the caption
    names more panels than there are, or a part holds several letters.

    Args:
        rgb: rows x columns x 3, 0 to 255.
        count: panels that the caption names; None where it names none.
        placed: images that the page places within the figure.
        letters: row and column of each letter that the page prints in the figure.
        pictures: there may be photographs in it; one of lines and words alone is looked at more coarsely.

    Returns:
        At least one, in the order of the cuts.
    """
    seen = look(rgb, ROUGH)
    if pictures and (seen.micrograph > INKLING).mean() > GLIMPSE:
        seen = look(rgb, SIDES)
    line = _lines(seen, placed)
    places = [(row * seen.scale[0], column * seen.scale[1]) for row, column in letters]
    whole = _trimmed(seen, (0, 0, seen.edge.shape[0], seen.edge.shape[1]))
    if whole is None:
        return [Part((0, 0, rgb.shape[0], rgb.shape[1]), 0.0)]
    leaves, side = [_leaf(seen, line, whole, places)], max(seen.edge.shape)
    leaves[0].alone = True
    while True:
        large = _panels(leaves, side)
        missing = (count or 0) - len(large)
        asked = [one for one in large if one.letters > 1 or missing > 0]
        enough = bool(count) and missing <= 0
        able = [one for one in large if one.strength >= ((SEAM if one.seam else BEYOND) if enough else SURE)]
        if not able:
            for one in asked:
                if one.strength and one.micrograph > 0.5:
                    _find_cut(one, line, seen, [other.window for other in leaves if other is not one])
            able = [one for one in asked if one.strength >= (ASKED_ALONE if one.alone else ASKED)]
        if not able:
            break
        cut = max(able, key=lambda one: one.strength)
        at = leaves.index(cut)
        if cut.strength < CERTAIN and not cut.alone:
            _look_alone(rgb, seen, line, cut.window)
            leaves[at] = _leaf(seen, line, cut.window, places)
            leaves[at].alone = True
            continue
        halves = [_trimmed(seen, half) for half in cut.halves or ()]
        kept = [one for one in halves if one and min(size(one)) >= LEAST // 2 and not _plain(rgb, seen, one)]
        if not kept:
            cut.strength = 0.0
            continue
        leaves[at : at + 1] = [_leaf(seen, line, one, places) for one in kept]
    found = islands(rgb, seen, [(one.window, one.micrograph) for one in leaves])
    kept = [one.window for one in (_panels(leaves, side) if count else leaves)]
    own = seen.micrograph.copy()
    for window in found:  # what is set into a plot makes no micrograph of the plot
        within(own, window)[:] = np.nan
    return [
        *(Part(_fitted(rgb, seen, one), _mean(within(own, one))) for one in kept),
        *(Part(_fitted(rgb, seen, one), _mean(within(seen.micrograph, one)), set_in=True) for one in found),
    ]


def _mean(plane: npt.NDArray[np.float32]) -> float:
    """Of what is known in a plane, 0 where nothing is."""
    known = plane[~np.isnan(plane)]
    return float(known.mean()) if known.size else 0.0


def _look_alone(rgb: Rgb, seen: PanelMap, line: npt.NDArray[np.float32], window: Window) -> None:
    """Look at a part by itself too, not larger than it is, and take the mean of both for its lines.

    A network that sees whole rows and columns carries a strong line faintly on into what stands in line with it.
    """
    top, left, bottom, right = pixels(seen, window)
    longer, (down, across) = max(bottom - top, right - left), size(window)
    sides = sorted({max(LOWEST, min(side, longer)) for side in SIDES})
    alone = look(np.ascontiguousarray(rgb[top:bottom, left:right]), sides)
    new = cv2.resize(np.maximum(alone.edge, alone.ground), (across, down), interpolation=cv2.INTER_AREA)
    within(line, window)[:] = (within(line, window) + new) / 2


def _panels(leaves: Sequence[_Leaf], side: int) -> list[_Leaf]:
    """Leaves without titles, legends and scales of colours: what is no micrograph and narrow beside the figure."""
    return [one for one in leaves if one.micrograph > 0.5 or min(size(one.window)) > NARROW * side]


def _plain(rgb: Rgb, seen: PanelMap, window: Window) -> bool:
    """Whether a part of a figure, its rim left out, is all of one tone, as the rest of a row that is not full."""
    rim = RIM if min(size(window)) > 4 * RIM else 0
    inner = window[0] + rim, window[1] + rim, window[2] - rim, window[3] - rim
    top, left, bottom, right = pixels(seen, inner)
    micrograph = within(seen.micrograph, window).mean() > 0.5
    return float(rgb[top:bottom, left:right].std()) < (BLANK if micrograph else PLAIN)


def _lines(seen: PanelMap, placed: Sequence[Window]) -> npt.NDArray[np.float32]:
    """How likely each place lies on no panel: on ground or at an edge, those of placed images helped a little."""
    line = np.maximum(seen.edge, seen.ground)
    rows, columns = line.shape
    down, across = seen.scale
    for top, left, bottom, right in placed:
        inside = (
            slice(max(0, round(top * down)), round(bottom * down)),
            slice(max(0, round(left * across)), round(right * across)),
        )
        for y in {min(rows - 1, max(0, round(edge * down))) for edge in (top, bottom)}:
            line[y, inside[1]] = 1 - (1 - line[y, inside[1]]) * (1 - PLACED)
        for x in {min(columns - 1, max(0, round(edge * across))) for edge in (left, right)}:
            line[inside[0], x] = 1 - (1 - line[inside[0], x]) * (1 - PLACED)
    return line


def _trimmed(seen: PanelMap, window: Window) -> Window | None:
    """A window without the ground around its panel; None where there is nothing else."""
    top, left, bottom, right = window
    for _ in range(2):
        rows = _reach(seen.ground[top:bottom, left:right])
        columns = _reach(seen.ground[top:bottom, left:right].T)
        if rows is None or columns is None:
            return None
        top, bottom, left, right = top + rows[0], top + rows[1], left + columns[0], left + columns[1]
    return top, left, bottom, right


def _reach(ground: npt.NDArray[np.float32]) -> tuple[int, int] | None:
    """From which to which row there is more than ground and letters; None where there is nothing else.

    A panel that stands alone in its rows, beside nothing, is kept with them.
    """
    bare = ground.mean(1)
    rows = np.flatnonzero(bare < BARE)
    ends = (int(rows[0]), int(rows[-1]) + 1) if rows.size else (len(bare), len(bare))
    some = np.flatnonzero(bare < EMPTY)
    if some.size and _holds_panel(ground[: ends[0]]):
        ends = int(some[0]), max(ends[1], ends[0])
    if some.size and _holds_panel(ground[ends[1] :]):
        ends = ends[0], int(some[-1]) + 1
    return ends if ends[1] > ends[0] else None


def _holds_panel(ground: npt.NDArray[np.float32]) -> bool:
    """Whether rows hold something as large as a panel that covers all of them."""
    return len(ground) >= LEAST and int((ground.mean(0) < SOLID).sum()) >= LEAST


def _leaf(
    seen: PanelMap, line: npt.NDArray[np.float32], window: Window, letters: Sequence[tuple[float, float]]
) -> _Leaf:
    """A window with the strongest line across it."""
    top, left, bottom, right = window
    inside = sum(top <= row < bottom and left <= column < right for row, column in letters)
    leaf = _Leaf(window, inside, float(within(seen.micrograph, window).mean()))
    _find_cut(leaf, line, seen)
    return leaf


def _find_cut(leaf: _Leaf, line: npt.NDArray[np.float32], seen: PanelMap, others: Sequence[Window] = ()) -> None:
    """Set the strongest line across a part; one that leaves a half as large as another part counts for more."""
    top, left, bottom, right = window = leaf.window
    leaf.strength, leaf.halves = 0.0, None
    for axis in (0, 1):
        strength = _strength(within(line, window), axis)[LEAST : size(window)[axis] - LEAST]
        along, across = size(window)[axis], size(window)[1 - axis]
        alike = {size(one)[axis] for one in others if abs(size(one)[1 - axis] - across) <= RIM}
        for at in {at - LEAST for length in alike for at in (length, along - length)}:
            strength[max(0, at - RIM) : max(0, at + RIM + 1)] *= REPEATED
        if strength.size and strength.max() > leaf.strength:
            level = np.flatnonzero(strength > 0.98 * strength.max())
            at = window[axis] + LEAST + int(level[len(level) // 2])
            leaf.strength = float(strength.max())
            along_it = within(seen.ground, window).take(range(at - window[axis] - 1, at - window[axis] + 2), axis)
            leaf.seam = leaf.micrograph > 0.5 and float(along_it.max(axis).mean()) < GUTTER
            leaf.halves = (
                ((top, left, at, right), (at, left, bottom, right))
                if axis == 0
                else ((top, left, bottom, at), (top, at, bottom, right))
            )


def _strength(line: npt.NDArray[np.float32], axis: int) -> npt.NDArray[np.float32]:
    """How surely each row (axis 0) or column of a window is a cut, 0 to 1."""
    flat = line if axis == 0 else line.T
    ends = np.linspace(0, flat.shape[1], min(STRETCHES, flat.shape[1]) + 1).astype(int)
    sums = np.concatenate([np.zeros((flat.shape[0], 1), np.float32), np.cumsum(flat, 1)], 1)
    means = np.diff(sums[:, ends], axis=1) / np.diff(ends)
    return np.asarray(np.sort(means, 1)[:, : max(1, means.shape[1] // 2)].mean(1), np.float32)


def _fitted(rgb: Rgb, seen: PanelMap, window: Window) -> Window:
    """A window in pixels of the figure, its edges moved to the steps in the picture that they stand at."""
    down, across = seen.scale
    top, left, bottom, right = pixels(seen, window)
    bottom, right = min(rgb.shape[0], bottom), min(rgb.shape[1], right)
    lines, standing = rgb[:, left:right], rgb[top:bottom].swapaxes(0, 1)
    reach = max(2, math.ceil(NEAR / down)), max(2, math.ceil(NEAR / across))
    return (
        _edge(lines, top, reach[0], first=True),
        _edge(standing, left, reach[1], first=True),
        _edge(lines, bottom, reach[0], first=False),
        _edge(standing, right, reach[1], first=False),
    )


def _edge(lines: Rgb, at: int, reach: int, *, first: bool) -> int:
    """Where a panel begins or ends near a row of a picture: at the innermost of the strong steps from row to row."""
    low, high = max(1, at - reach), min(len(lines) - 1, at + reach)
    if low >= high:
        return at
    steps = np.abs(np.diff(lines[low - 1 : high + 1].mean(2), axis=0)).mean(1)
    strong = low + np.flatnonzero(steps >= STEP * steps.max())
    if steps.max() < 2 * np.median(steps) + 1:
        return at
    return int(strong[-1] if first else strong[0])
