"""Bars that the finder sees, from end to end, and the boxes of the print beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from polydata.vision.scale_nets import Share

SEEN = 0.35
"""Probability from which a place belongs to a bar or to print."""

ALIKE = 0.5
"""How sure the finder is, beside the surer one, of parts that belong together."""

TOP, SIDE = 0.2, 0.1
"""What the finder leaves out of print, as shares of its height: above and below, left and right."""


@dataclass(frozen=True)
class Patch:
    """Something that the finder sees, in pixels of the picture.

    Attributes:
        x0, y0, x1, y1: its box.
        score: 0 to 1, the finder's probability at its heart.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    score: float

    @property
    def height(self) -> float:
        """In pixels."""
        return self.y1 - self.y0

    @property
    def width(self) -> float:
        """In pixels."""
        return self.x1 - self.x0

    @property
    def y(self) -> float:
        """Middle of its height."""
        return (self.y0 + self.y1) / 2


def patches(share: Share, scale: tuple[float, float]) -> list[Patch]:
    """Connected parts of a map, the surest first; their rims between two places, where the map falls to half.

    Args:
        share: rows x columns, 0 to 1.
        scale: pixels a place, down and across.
    """
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(np.asarray(share > SEEN, np.uint8), connectivity=8)
    found = []
    for label in range(1, count):
        left, top, width, height = (int(v) for v in boxes[label][:4])
        place = slice(top, top + height), slice(left, left + width)
        part = np.where(labels[place] == label, share[place], 0)
        score = float(np.percentile(part[part > 0], 80))
        across, down = part.max(0), part.max(1)
        x0, x1 = _rims(share[top : top + height].max(0), left, left + width, float(np.median(across)))
        y0, y1 = _rims(share[:, left : left + width].max(1), top, top + height, float(down.max()))
        found.append(Patch(x0 * scale[1], y0 * scale[0], x1 * scale[1], y1 * scale[0], score))
    return sorted(found, key=lambda one: -one.score)


def joined(parts: Sequence[Patch], reach: Callable[[Patch], float]) -> list[Patch]:
    """Parts with what stands close beside them in one row, about as sure, taken together, the surest first.

    Args:
        parts: in any order.
        reach: pixels to the right of a part within which another belongs to it.
    """
    rest, out = sorted(parts, key=lambda one: one.x0), []
    while rest:
        whole = rest.pop(0)
        for other in list(rest):
            shared = min(whole.y1, other.y1) - max(whole.y0, other.y0)
            level = shared > 0.6 * max(whole.height, other.height)
            alike = min(whole.score, other.score) > ALIKE * max(whole.score, other.score)
            if level and alike and other.x0 - whole.x1 < reach(whole):
                rest.remove(other)
                box = (min(whole.y0, other.y0), max(whole.x1, other.x1), max(whole.y1, other.y1))
                whole = Patch(whole.x0, *box, max(whole.score, other.score))
        out.append(whole)
    return sorted(out, key=lambda one: -one.score)


def _rims(line: Share, start: int, end: int, full: float) -> tuple[float, float]:
    """Where a profile rises to half of its full height at ``start`` and falls at ``end``, to a share of a place.

    A place that is covered in part has that share as its probability, so what lies beyond the last full place adds up.
    """
    first, last = start, end
    while first < end - 1 and line[first] < 0.85 * full:
        first += 1
    while last > first + 1 and line[last - 1] < 0.85 * full:
        last -= 1
    before = float(line[max(0, first - 2) : first].sum()) / max(full, 1e-6)
    after = float(line[last : last + 2].sum()) / max(full, 1e-6)
    return max(0.0, first - min(before, 1.5)), min(float(line.size), last + min(after, 1.5))
