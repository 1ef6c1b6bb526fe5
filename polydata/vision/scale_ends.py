"""Where a scale bar ends, by its ink: the finder's map is four pixels coarse, and of thick bars it sees a part."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from polydata.vision.scale_marks import Patch
from polydata.vision.scale_nets import Grey

TONE, THICKEST = 24, 0.5
"""Grey levels within which a thick bar is of one tone, and how thick one is at most, as a share of its length."""

HALF, FREE = 0.5, 0.6
"""Share of a bar's contrast within which a pixel is of its ink, and of the columns of what goes on beyond an end over
and under which something else must lie."""


def bar_ends(grey: Grey, bar: Patch) -> tuple[float, float]:
    """Where a bar ends: at the last pixel of its ink near where the finder says, or beyond where its ink goes on."""
    rows, columns = grey.shape
    left, right = max(0, round(bar.x0)), min(columns, round(bar.x1))
    top, bottom = max(0, int(bar.y0) - 1), min(rows, int(bar.y1) + 2)
    if right - left < 8:
        return bar.x0, bar.x1
    top, bottom = _thick(grey[:, left:right], top, bottom)
    levels = np.median(grey[top:bottom, left:right], 1)
    aside = np.concatenate([grey[max(0, top - 4) : top, left:right], grey[bottom : bottom + 4, left:right]])
    if not aside.size:
        return bar.x0, bar.x1
    around = float(np.median(aside))
    row = int(np.abs(levels - around).argmax())
    contrast = abs(float(levels[row]) - around)
    ink = np.abs(grey[top + row].astype(np.float32) - float(levels[row])) < HALF * contrast
    over, under = grey[max(0, top - 2)].astype(np.float32), grey[min(rows - 1, bottom + 1)].astype(np.float32)
    free = np.minimum(abs(over - levels[row]), abs(under - levels[row])) > HALF * contrast
    start = _end(ink[::-1], free[::-1], columns - left, right - left)
    return float(columns - start), float(_end(ink, free, right, right - left))


def _thick(along: Grey, top: int, bottom: int) -> tuple[int, int]:
    """The rows of a bar of which the finder sees some: up and down from their middle those of one tone with it.

    Args:
        along: the picture from end to end of the bar.
        top, bottom: rows that the finder sees; they are given back where the bar is no thicker.
    """
    middle = (top + bottom) // 2
    alike = np.abs(np.percentile(along, (10, 50, 90), axis=1) - np.median(along[middle])).max(0) < TONE
    above, below = np.flatnonzero(~alike[:middle]), np.flatnonzero(~alike[middle:])
    first, last = int(above[-1]) + 1 if above.size else 0, middle + int(below[0]) if below.size else len(alike)
    return (first, last) if bottom - top - 3 < last - first < THICKEST * along.shape[1] else (top, bottom)


def _end(ink: npt.NDArray[np.bool_], free: npt.NDArray[np.bool_], near: int, length: int) -> int:
    """Where a run of ink ends to the right, near a place; the place itself where there is none.

    Args:
        ink: of each column, whether it is of the bar's ink.
        free: of each column, whether something else lies above and below.
        near: the place.
        length: of the bar.
    """
    inner = near - max(4, length // 8)
    inked = np.flatnonzero(ink[inner : near + 4])
    if not inked.size:
        return near
    last = inner + int(inked[-1])
    beyond = last + int(np.argmin(np.append(ink[last:], False)))
    return beyond if beyond <= near + 4 or free[near:beyond].mean() > FREE else near
