"""Grids of touching panels whose last row or column is not full: a white corner shows where cells are missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from polydata.extraction.panels.grey_raster import Cut, GreyRaster, split
from polydata.extraction.panels.seams import SEAM_HINT, Window, even_seams, seam_profile, size, step_at

CORNER = 0.12
"""A white corner of at least this share of both sides is where cells of a grid are missing."""

FIT = 0.08
"""By how much of a cell's side a corner may miss being whole cells of a grid."""


@dataclass(frozen=True)
class _Corner:
    """A white corner of a window.

    Attributes:
        box: of the corner.
        full: the two parts of the window beside it that are full: all rows of the other columns, and all columns
            of the other rows.
        at: row and column at which the corner begins.
    """

    box: Window
    full: tuple[Window, Window]
    at: tuple[int, int]


def _corners(raster: GreyRaster, window: Window) -> Iterator[_Corner]:
    top, left, bottom, right = window
    height, width = size(window)
    for below in (True, False):
        for after in (True, False):
            row, column = bottom - 3 if below else top + 2, right - 3 if after else left + 2
            across = _blank_run(raster.blank[row, left:right][:: -1 if after else 1])
            down = _blank_run(raster.blank[top:bottom, column][:: -1 if below else 1])
            if not (CORNER * height < down < (1 - CORNER) * height and CORNER * width < across < (1 - CORNER) * width):
                continue
            y, x = bottom - down if below else top + down, right - across if after else left + across
            box = (y if below else top, x if after else left, bottom if below else y, right if after else x)
            if raster.share(box) < 0.99:
                continue
            beside = (top, left, bottom, x) if after else (top, x, bottom, right)
            over = (top, left, y, right) if below else (y, left, bottom, right)
            yield _Corner(box, (beside, over), (y, x))


def cut_partial_grid(raster: GreyRaster, window: Window) -> list[Window]:
    """Cut a window where a white corner shows that its last row or column is not full."""
    for corner in _corners(raster, window):
        strengths = [
            step_at(_part(raster, full), axis, corner.at[axis] - full[axis]) for axis, full in enumerate(corner.full)
        ]
        axis = 0 if strengths[0] >= strengths[1] else 1
        pieces = split(window, Cut(axis, corner.at[axis], corner.at[axis]))
        kept = [_without(piece, corner.box, 1 - axis) for piece in pieces]
        if all(raster.picture(piece, drawn=True) for piece in kept):
            return [leaf for piece in kept for leaf in cut_partial_grid(raster, piece)]
    return [window]


def partial_grid(raster: GreyRaster, window: Window, count: int) -> list[Window]:
    """The ``count`` cells of an even grid of which a white corner takes whole cells; empty where there is none.

    The corner says where the grid's lines are, so that faint seams are enough.
    """
    height, width = size(window)
    best: tuple[float, list[Window]] = 0.0, []
    for corner in _corners(raster, window):
        down, across = size(corner.box)
        for rows in range(2, count + 1):
            columns = round((count + 1) / rows) if rows <= count else 0
            for number in (columns - 1, columns, columns + 1):
                missing = rows * number - count
                if number < 2 or missing < 1:
                    continue
                tall, wide = height / rows, width / number
                flat = abs(down - tall) < FIT * tall and abs(across - missing * wide) < FIT * wide
                upright = abs(across - wide) < FIT * wide and abs(down - missing * tall) < FIT * tall
                strength, cells = _cells(raster, window, corner, rows, number) if flat or upright else (0.0, [])
                if len(cells) == count and strength > best[0]:
                    best = strength, cells
    return best[1]


def _cells(raster: GreyRaster, window: Window, corner: _Corner, rows: int, columns: int) -> tuple[float, list[Window]]:
    """Mean strength of a grid's seams and its cells outside a corner; none where there are no seams on the whole."""
    lines, strengths = [], []
    for axis, number in enumerate((rows, columns)):
        seams = even_seams(seam_profile(_part(raster, corner.full[axis]), axis), number)
        lines.append([window[axis], *(window[axis] + place for _, place in seams), window[axis + 2]])
        strengths += [strength for strength, _ in seams]
    if len(strengths) != rows + columns - 2 or sum(strengths) < SEAM_HINT * len(strengths):
        return 0.0, []
    cells = [(a, c, b, d) for a, b in pairwise(lines[0]) for c, d in pairwise(lines[1])]
    return sum(strengths) / len(strengths), [cell for cell in cells if raster.share(cell) < 0.9]


def _part(raster: GreyRaster, window: Window) -> npt.NDArray[np.float32]:
    top, left, bottom, right = window
    return raster.grey[top:bottom, left:right]


def _without(window: Window, corner: Window, axis: int) -> Window:
    """A window without the end that a corner takes of it."""
    low, high = window[axis], window[axis + 2]
    if corner[1 - axis] != window[1 - axis] or corner[3 - axis] != window[3 - axis]:
        return window
    low, high = (corner[axis + 2], high) if corner[axis] == low else (low, corner[axis])
    return (low, window[1], high, window[3]) if axis == 0 else (window[0], low, window[2], high)


def _blank_run(flags: npt.NDArray[np.bool_]) -> int:
    """How many entries are true from the first on."""
    return flags.size if flags.all() else int(np.argmin(flags))
