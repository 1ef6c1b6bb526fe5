"""A figure's grey levels with what cutting it into panels asks of them: white, plain, photograph or drawing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from polydata.extraction.panels.seams import Grey, Window
from polydata.vision.measures import WHITE, block_texture

T = TypeVar("T")

BLANK = 240
"""From this grey level up a pixel is white ground."""

PLAIN = 5.0
"""A strip with less spread than this (standard deviation, grey levels) is a gutter, whatever its tone."""


@dataclass(frozen=True)
class Cut:
    """A line along which a window falls apart."""

    axis: int
    start: int
    stop: int

    @property
    def width(self) -> int:
        """In pixels."""
        return self.stop - self.start


def split(window: Window, cut: Cut) -> tuple[Window, Window]:
    """The parts of a window before and after a cut."""
    top, left, bottom, right = window
    if cut.axis == 0:
        return (top, left, cut.start, right), (cut.stop, left, bottom, right)
    return (top, left, bottom, cut.start), (top, cut.stop, bottom, right)


class GreyRaster:
    """A figure's grey levels, with the sums that tell in no time whether rows or columns of a part are plain."""

    def __init__(self, grey: Grey) -> None:
        self.grey = grey
        self.blank = grey >= BLANK
        self.whole: Window = (0, 0, grey.shape[0], grey.shape[1])
        planes = [self.blank.astype(np.float32), grey, grey * grey]
        self._sums = [cv2.integral(np.ascontiguousarray(plane), sdepth=cv2.CV_64F) for plane in planes]

    def _means(self, plane: int, window: Window, axis: int) -> npt.NDArray[np.float64]:
        """Mean of each row (axis 0) or column (axis 1) of a window."""
        top, left, bottom, right = window
        sums = self._sums[plane]
        if axis == 0:
            return np.asarray(np.diff(sums[top : bottom + 1, right] - sums[top : bottom + 1, left]) / (right - left))
        return np.asarray(np.diff(sums[bottom, left : right + 1] - sums[top, left : right + 1]) / (bottom - top))

    def white(self, window: Window, axis: int) -> npt.NDArray[np.float64]:
        """Share of white pixels of each row or column."""
        return self._means(0, window, axis)

    def plain(self, window: Window, axis: int) -> npt.NDArray[np.bool_]:
        """Whether each row or column of a window is of one tone."""
        mean = self._means(1, window, axis)
        return np.asarray(self._means(2, window, axis) - mean * mean < PLAIN**2)

    def share(self, window: Window) -> float:
        """Share of white pixels."""
        return float(self.white(window, 0).mean())

    def trimmed(self, window: Window) -> Window | None:
        """A window without its white rim, None where all is white."""
        top, left = window[:2]
        rows, columns = (np.flatnonzero(self.white(window, axis) < 0.996) for axis in (0, 1))
        if rows.size == 0 or columns.size == 0:
            return None
        return top + int(rows[0]), left + int(columns[0]), top + int(rows[-1]) + 1, left + int(columns[-1]) + 1

    def bare(self, window: Window) -> Window | None:
        """A window without its plain rim of whatever tone, None where all is plain."""
        inner = window
        for axis in (0, 1, 0):
            lively = np.flatnonzero(~self.plain(inner, axis))
            if lively.size == 0:
                return None
            top, left, bottom, right = inner
            first, last = int(lively[0]), int(lively[-1]) + 1
            inner = (top + first, left, top + last, right) if axis == 0 else (top, left + first, bottom, left + last)
        return inner

    def picture(self, window: Window, *, drawn: bool = False) -> bool:
        """Whether a window holds a photograph rather than writing or lines on white.

        Args:
            drawn: other parts of the figure are photographs, so that a smooth one is believed too.
        """
        part = self.grey[window[0] : window[2], window[1] : window[3]]
        if (part >= WHITE).mean() >= 0.6:
            return False
        texture = block_texture(part)
        if not texture.size:
            return False
        return float(texture.mean()) > 0.35 or (drawn and float(part.std()) > PLAIN and not self._flat(part))

    @staticmethod
    def _flat(part: Grey) -> bool:
        """Whether one or two tones make up nearly all of a part: a drawing with filled areas."""
        histogram = np.sort(np.bincount((part / 4).astype(np.uint8).ravel(), minlength=64))
        return bool(histogram[-2:].sum() > 0.85 * part.size)


def by_lanes(items: Sequence[T], lane: Callable[[T], tuple[float, float]], along: Callable[[T], float]) -> list[T]:
    """Items row by row, or column by column.

    Args:
        items: in the order in which they open their lanes.
        lane: from where to where an item reaches across; those level by half of the smaller one share a lane.
        along: where it stands within its lane.
    """
    rest, ordered = list(items), list[T]()
    while rest:
        low, high = lane(rest[0])
        spans = [(one, *lane(one)) for one in rest]
        mates = [one for one, a, b in spans if min(b, high) - max(a, low) > 0.5 * min(b - a, high - low)]
        ordered += sorted(mates, key=along)
        rest = [one for one in rest if one not in mates]
    return ordered


def runs(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Starts and ends of the runs of true, those at either end left out."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    pairs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [(start, stop) for start, stop in pairs if start > 0 and stop < flags.size]
