"""A figure taken apart into panels by its pixels: cut where a panel's edge or the ground runs from side to side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from polydata.extraction.panels.edges import NEAR, RIM, expected_ends, fitted, near, parted_evenly, trimmed
from polydata.extraction.panels.islands import LEAST, islands
from polydata.vision.measures import Rgb
from polydata.vision.panel_map import SIDES, PanelMap, Window, area, look, overlap, pixels, size, survey, within

SURE = 0.5
"""Strength of a line from which it is cut at."""

ASKED, ASKED_ALONE = 0.2, 0.1
"""The same where the caption names more panels, or the page prints more letters, than there are parts; and for a part
that was looked at by itself."""

CERTAIN, LOWEST = 0.6, 256
"""Strength under which a part is looked at by itself before it is cut, and the pixels of its longer side at least."""

REPEATED = 2.0
"""How much more a line counts there where a panel is expected to end."""

BEYOND = 0.6
"""The same where there are already as many parts as the caption names."""

SEAM, GUTTER = 0.97, 0.4
"""The same there of a line through micrographs along which there is no ground, and the share of ground from which
there is: stripes and scratches in a micrograph have edges too. Where nobody counts, they cannot be told from panels
that touch."""

GRID = 0.8
"""The same of such a line that leaves a half as large as another part."""

LIKELY = 0.1
"""From this share of micrograph on a part is worth a panel of its own; the screening decides what it is."""

NARROW = 0.06
"""Parts narrower than this share of their figure's longer side that are no micrographs are no panels."""

STRETCHES = 12
"""Parts of a line of which the weaker half counts: a cut runs from side to side."""

PLAIN, BLANK = 4.0, 0.7
"""Grey levels; a part with less spread (standard deviation) shows nothing, the second where it may be a micrograph."""

PLACED, APART = 0.15, 0.6
"""What the edge of a placed image adds to a line: alone it is no edge of a panel, for it may be that of a strip; and
that of one of several that touches none of the others, which is no strip."""

HARDLY = 4
"""Pixels of the picture under which images that are placed side by side are strips of one."""

TONE, LIGHT, MOSTLY = 16.0, 200.0, 0.85
"""Grey levels within which a line is of one tone, and from which it is light; the share of it that is, for a letter may
stand across it."""

EVEN = 0.05
"""By how much of itself the ratio of two halves of a row of like panels may miss a whole number."""

WHOLE = 0.85
"""Share of a part and of a placed image that lies in the other from which they are the same."""


Point = tuple[float, float]


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
    """A part that may be cut further: its letters, the strongest line across it, and the parts on that line's sides.

    ``seam``: there is no ground along it. ``montage``: lines part it evenly, or what it was cut from. ``alone``: its
    lines are those that show when nothing else is looked at. ``placed``: it is one of several images that the page
    places.
    """

    window: Window
    letters: Sequence[Point]
    micrograph: float
    strength: float = 0.0
    halves: tuple[Window, Window] | None = None
    seam: bool = False
    montage: bool = False
    alone: bool = False
    placed: bool = False


def take_apart(
    rgb: Rgb,
    count: int | None,
    placed: Sequence[Window] = (),
    letters: Sequence[Point] = (),
    seen: PanelMap | None = None,
) -> list[Part]:
    """Panels of a figure.

    The part with the strongest line is cut first, until no line is sure; lines less sure are cut at while the caption
    names more panels than there are, or a part holds several letters.

    Args:
        rgb: rows x columns x 3, 0 to 255.
        count: panels that the caption names; None where it names none.
        placed: images that the page places within the figure.
        letters: row and column of each letter that the figure shows.
        seen: what ``survey`` sees in it, where that is known.

    Returns:
        At least one, in the order of the cuts.
    """
    seen = seen or survey(rgb)
    line = _lines(seen, placed)
    places = [(row * seen.scale[0], column * seen.scale[1]) for row, column in letters]
    whole = trimmed(seen, (0, 0, seen.edge.shape[0], seen.edge.shape[1]))
    if whole is None:
        return [Part((0, 0, rgb.shape[0], rgb.shape[1]), 0.0)]
    leaves, side = [_leaf(seen, line, whole, places, placed)], max(seen.edge.shape)
    leaves[0].alone = True
    seams: list[tuple[_Leaf, _Leaf, _Leaf]] = []
    while True:
        large = _panels(leaves, side)
        missing = (count or 0) - len(large)
        asked = [one for one in large if len(one.letters) > 1 or missing > 0]
        enough = bool(count) and missing <= 0
        for one in large if enough else ():
            if one.strength >= BEYOND:
                one.seam = not _bare(rgb, seen, one)
        able = [one for one in large if one.strength >= _needed(one, large, count if enough else None)]
        if not able:
            for one in asked:
                if one.strength and (one.micrograph > 0.5 or len(one.letters) > 1):
                    _find_cut(one, line, seen, [other.window for other in leaves if other is not one])
            able = [one for one in asked if one.strength >= (ASKED_ALONE if one.alone else ASKED)]
            able = [one for one in able if len(one.letters) > 1] or able
        if not able:
            break
        cut = max(able, key=lambda one: one.strength)
        at = leaves.index(cut)
        if cut.strength < CERTAIN and not cut.alone:
            _look_alone(rgb, seen, line, cut.window)
            leaves[at] = again = _leaf(seen, line, cut.window, places, placed)
            again.alone, again.montage = True, again.montage or cut.montage
            continue
        halves = [trimmed(seen, half) for half in cut.halves or ()]
        kept = [
            one
            for one in halves
            if one and min(size(one)) >= LEAST // 2 and (_lettered(one, places) or not _plain(rgb, seen, one))
        ]
        if not kept:
            cut.strength = 0.0
            continue
        leaves[at : at + 1] = parts = [_leaf(seen, line, one, places, placed) for one in kept]
        for one in parts:
            one.montage |= cut.montage and cut.seam
        if cut.seam and len(parts) == 2 and not cut.montage:
            seams.append((cut, parts[0], parts[1]))
    if count:
        _heal(leaves, seams, len(_panels(leaves, side)) - count)
    found = islands(rgb, seen, [(one.window, one.micrograph) for one in leaves])
    kept = [one.window for one in (_panels(leaves, side) if count else leaves)]
    own = seen.micrograph.copy()
    for window in found:  # what is set into a plot makes no micrograph of the plot
        within(own, window)[:] = np.nan
    return [
        *(Part(fitted(rgb, seen, one), _mean(within(own, one))) for one in kept),
        *(Part(fitted(rgb, seen, one), _mean(within(seen.micrograph, one)), set_in=True) for one in found),
    ]


def _needed(leaf: _Leaf, others: Sequence[_Leaf], count: int | None) -> float:
    """The strength from which a part is cut.

    Args:
        leaf: the part.
        others: all parts.
        count: panels that the caption names, where there are so many already.
    """
    if not leaf.seam:
        return BEYOND if count else SURE
    if count == 1:
        return math.inf
    if leaf.montage and (_in_grid(leaf, others) or _halved(leaf)):
        return SURE
    if count and not _in_grid(leaf, others):
        return SEAM if _halved(leaf) else math.inf
    return GRID if count else SEAM if leaf.placed else SURE


def _bare(rgb: Rgb, seen: PanelMap, leaf: _Leaf) -> bool:
    """Whether a light line of one tone runs along a cut from side to side, as a gutter does; voids are dark."""
    if leaf.halves is None:
        return False
    (first, second), (top, left, bottom, right) = leaf.halves, pixels(seen, leaf.window)
    axis = 0 if first[2] == second[0] else 1
    at, reach = first[2 + axis] / seen.scale[axis], NEAR / seen.scale[axis]
    band = slice(max((top, left)[axis], round(at - reach)), round(at + reach) + 1)
    beside = rgb[band, left:right].mean(2) if axis == 0 else rgb[top:bottom, band].mean(2).T
    tone = np.median(beside, 1)
    of_it = (np.abs(beside - tone[:, None]) < TONE).mean(1)
    return bool(((of_it > MOSTLY) & (tone > LIGHT)).any())


def _in_grid(leaf: _Leaf, others: Sequence[_Leaf]) -> bool:
    """Whether a cut leaves a half as large as another part."""
    alike = {size(other.window) for other in others if other is not leaf}
    halves = [size(half) for half in leaf.halves or ()]
    return any(abs(half[0] - other[0]) <= RIM and abs(half[1] - other[1]) <= RIM for half in halves for other in alike)


def _halved(leaf: _Leaf) -> bool:
    """Whether a cut leaves what a row of like panels leaves: of its halves one is a whole number of times the other."""
    halves = [size(half) for half in leaf.halves or ()]
    axis = 0 if halves[0][1] == halves[1][1] else 1
    shorter, longer = sorted(half[axis] for half in halves)
    return abs(longer / shorter - round(longer / shorter)) < EVEN * longer / shorter


def _heal(leaves: list[_Leaf], seams: Sequence[tuple[_Leaf, _Leaf, _Leaf]], surplus: int) -> None:
    """Take back cuts without ground along them, the weakest first, while there are more parts than the caption names.

    Args:
        leaves: parts of the figure; changed in place.
        seams: each part that was cut so, and its halves, in the order of the cuts.
        surplus: parts that are too many.
    """
    for whole, *halves in sorted(seams, key=lambda cut: cut[0].strength):
        places = [at for at, leaf in enumerate(leaves) if any(leaf is half for half in halves)]
        if surplus > 0 and len(places) == 2 and whole.strength < SEAM and len(whole.letters) < 2:
            leaves[places[0]] = whole
            del leaves[places[1]]
            surplus -= 1


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
    """How likely each place lies on no panel: on ground or at an edge, those of placed images helped."""
    line = np.maximum(seen.edge, seen.ground)
    rows, columns = line.shape
    down, across = seen.scale
    for window in placed:
        top, left, bottom, right = window
        apart = len(placed) > 1 and not any(_touch(window, other) for other in placed if other is not window)
        rest = 1 - (APART if apart else PLACED)
        inside = (
            slice(max(0, round(top * down)), round(bottom * down)),
            slice(max(0, round(left * across)), round(right * across)),
        )
        for y in {min(rows - 1, max(0, round(edge * down))) for edge in (top, bottom)}:
            line[y, inside[1]] = 1 - (1 - line[y, inside[1]]) * rest
        for x in {min(columns - 1, max(0, round(edge * across))) for edge in (left, right)}:
            line[inside[0], x] = 1 - (1 - line[inside[0], x]) * rest
    return line


def _touch(one: Window, other: Window) -> bool:
    """Whether two windows overlap, or hardly anything lies between them."""
    gaps = (other[0] - one[2], one[0] - other[2], other[1] - one[3], one[1] - other[3])
    return max(gaps) < HARDLY


def _leaf(
    seen: PanelMap,
    line: npt.NDArray[np.float32],
    window: Window,
    letters: Sequence[Point],
    placed: Sequence[Window],
) -> _Leaf:
    """A window with the strongest line across it."""
    leaf = _Leaf(window, _lettered(window, letters), float(within(seen.micrograph, window).mean()))
    here = pixels(seen, window)
    leaf.placed = len(placed) > 1 and any(
        min(overlap(here, one), overlap(one, here)) > WHOLE for one in placed if area(one)
    )
    _find_cut(leaf, line, seen)
    return leaf


def _lettered(window: Window, letters: Sequence[Point]) -> list[Point]:
    """The letters that stand in a window."""
    top, left, bottom, right = window
    return [(row, column) for row, column in letters if top <= row < bottom and left <= column < right]


def _find_cut(
    leaf: _Leaf, line: npt.NDArray[np.float32], seen: PanelMap, others: Sequence[Window] | None = None
) -> None:
    """Set the strongest line across a part.

    Args:
        leaf: the part; changed in place.
        line: how likely each place lies on no panel.
        seen: what the network makes of the figure.
        others: parts beside one that should hold several panels, and tell where these are expected to end: a line there
            counts for more, and one that leaves a panel of a grid where nothing is to be seen. Where it holds several
            letters, the line is to part them.
    """
    top, left, bottom, right = window = leaf.window
    leaf.strength, leaf.halves, leaf.seam = 0.0, None, False
    for axis in (0, 1):
        whole = _strength(within(line, window), axis)
        leaf.montage |= leaf.micrograph > 0.5 and parted_evenly(whole, SURE)
        strength = whole[LEAST : size(window)[axis] - LEAST]
        if others is not None:
            ends, of_grid = expected_ends(size(window), axis, [size(one) for one in others])
            places = np.arange(strength.size) + LEAST
            strength = np.where(near(places, ends), REPEATED * strength, strength)
            strength = np.where(near(places, of_grid), np.maximum(strength, ASKED), strength)
        if others is not None and len(leaf.letters) > 1:
            stand = [point[axis] - window[axis] - LEAST for point in leaf.letters]
            strength[: max(0, round(min(stand)))] = strength[max(0, round(max(stand))) :] = 0
        if strength.size and strength.max() > leaf.strength:
            level = np.flatnonzero(strength > 0.98 * strength.max())
            at = window[axis] + LEAST + int(level[len(level) // 2])
            leaf.strength = float(strength.max())
            along_it = within(seen.ground, window).take(range(at - window[axis] - 1, at - window[axis] + 2), axis)
            leaf.seam = (leaf.micrograph > 0.5 or leaf.placed) and float(along_it.max(axis).mean()) < GUTTER
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
