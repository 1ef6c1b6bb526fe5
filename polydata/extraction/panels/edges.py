"""The edges of panels: without the ground around them, and at the steps in the picture that they stand at."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from polydata.extraction.panels.islands import LEAST
from polydata.vision.measures import WHITE, Rgb, darkest
from polydata.vision.panel_map import PanelMap, Window, pixels

BARE = 0.6
"""Share of ground from which a row or column at the rim of a window is no part of its panel."""

EMPTY, SOLID = 0.95, 0.2
"""Shares of ground over which nothing is in a row or column, and under which it is all panel."""

NEAR = 1.5
"""Places around the edge of a part within which its edge is sought in the pixels."""

STEP = 0.6
"""Share of the strongest step near an edge that the edge itself has; of several the innermost is taken."""

SPECKS = 0.01
"""Share of a row or column of white that other pixels may have."""


RIM = 3
"""Places by which a part's edges may be wrong: so many of its rim may belong to the panel beside it."""

EVENLY, SLIM = (2, 3), 0.7
"""Panels of one size that a row or column may hold, and how slim each may be: shorter along it than across, at most."""


MONTAGE = range(3, 11)
"""Pictures of one size in a row. No single micrograph of some 500 has two lines or more that stand evenly over 0.08."""


def parted_evenly(strength: npt.NDArray[np.float32], enough: float) -> bool:
    """Whether lines part a row evenly, as those of a montage do.

    Args:
        strength: of the line at each place of the row, 0 to 1.
        enough: strength that each line has at least.
    """
    numbers = [number for number in MONTAGE if len(strength) >= LEAST * number]
    ends = [np.round(len(strength) * np.arange(1, number) / number).astype(int) for number in numbers]
    return any(all(strength[end - RIM : end + RIM + 1].max() >= enough for end in row) for row in ends)


def expected_ends(part: tuple[int, int], axis: int, others: Sequence[tuple[int, int]]) -> tuple[set[int], set[int]]:
    """Where panels may end within a part that holds several, counted from where it begins.

    Args:
        part: its height and width.
        axis: along which it may be cut.
        others: heights and widths of the other parts.

    Returns:
        Where a panel ends that is as large as another part, or as the others of its row; and of these the places where
        a panel of a grid does, of which two others can be seen.
    """
    along, across = part[axis], part[1 - axis]
    alike = [other[axis] for other in others if abs(other[1 - axis] - across) <= RIM]
    grid = [one for one in alike if _several(along, one) and sum(abs(one - other) <= RIM for other in alike) > 1]
    evenly = [parts for parts in EVENLY if along > SLIM * parts * across]
    ends = {along * n // parts for parts in evenly for n in range(1, parts)}
    return ends | {at for one in alike for at in (one, along - one)}, {at for one in grid for at in (one, along - one)}


def _several(along: int, length: int) -> bool:
    """Whether a part is as long as two or more panels of a grid that touch."""
    number = round(along / length)
    return number > 1 and abs(along - number * length) <= RIM * number


def near(places: npt.NDArray[np.intp], ends: Collection[int]) -> npt.NDArray[np.bool_]:
    """Which places lie at one of the ends."""
    return np.asarray((np.abs(places[:, None] - np.array([*ends], np.intp)[None]) <= RIM).any(1))


def trimmed(seen: PanelMap, window: Window) -> Window | None:
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


def fitted(rgb: Rgb, seen: PanelMap, window: Window) -> Window:
    """A window in pixels of the figure, its edges moved to the steps in the picture that they stand at.

    Rows and columns of white at its rim are left out: the network sees little of the ground between small panels.
    """
    down, across = seen.scale
    top, left, bottom, right = pixels(seen, window)
    bottom, right = min(rgb.shape[0], bottom), min(rgb.shape[1], right)
    lines, standing = rgb[:, left:right], rgb[top:bottom].swapaxes(0, 1)
    reach = max(2, math.ceil(NEAR / down)), max(2, math.ceil(NEAR / across))
    top, bottom = _edge(lines, top, reach[0], first=True), _edge(lines, bottom, reach[0], first=False)
    left, right = _edge(standing, left, reach[1], first=True), _edge(standing, right, reach[1], first=False)
    inked = darkest(rgb[top:bottom, left:right]) < WHITE
    rows, columns = (np.flatnonzero(inked.mean(axis) > SPECKS) for axis in (1, 0))
    if not (rows.size and columns.size):
        return top, left, bottom, right
    return top + int(rows[0]), left + int(columns[0]), top + int(rows[-1]) + 1, left + int(columns[-1]) + 1


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
