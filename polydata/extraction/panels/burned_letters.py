"""Letters burned into the corners of panels or printed beside these, read in the figure's picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from polydata.extraction.panels.letters import lanes
from polydata.extraction.panels.render import Drawn
from polydata.types import Box
from polydata.vision.corner_letters import LETTERS, Grey, read_corners

LOOK, SHARE = 44.0, 0.5
"""Sides of the two squares in which a panel's letter is looked for: in points, as a share of its shorter side."""
OUTSIDE, FURTHER = 0.28, 0.8
"""Share of such a square that lies outside of the panel, and to the left of it where a letter may stand further off."""
SURE = 0.55
"""Probability from which a letter counts where the corner is chosen in which a figure's letters stand."""


def read_letters(drawn: Drawn, boxes: Sequence[Box], labels: Sequence[str]) -> npt.NDArray[np.float64]:
    """How surely each label is burned into a corner of each panel or printed beside it: panels x labels, 0 to 1.

    Letters of a figure stand in the same corner of all its panels; the upper left one is looked at first. A letter goes
    to the panel where it is surest, and a panel has one.

    Args:
        drawn: the figure.
        boxes: of the panels, in points.
        labels: that the caption names; only single letters and figures are read.
    """
    wanted = {LETTERS.index(label.lower()): at for at, label in enumerate(labels) if _known(label)}
    best = np.zeros((len(boxes), len(labels)))
    if not wanted:
        return best
    grey, scale = np.asarray(cv2.cvtColor(drawn.rgb, cv2.COLOR_RGB2GRAY), np.uint8), drawn.dpi / 72
    x, y = drawn.box.x0, drawn.box.y0
    places = [Box((b.x0 - x) * scale, (b.y0 - y) * scale, (b.x1 - x) * scale, (b.y1 - y) * scale) for b in boxes]
    for corner in CORNERS:
        shares = _letter_shares(grey, places, scale, corner)[:, list(wanted)]
        given = np.zeros_like(best)
        for one in np.argsort(-shares, axis=None):
            index, letter = np.unravel_index(one, shares.shape)
            column = list(wanted.values())[letter]
            if not given[index].any() and not given[:, column].any():
                given[index, column] = shares[index, letter]
        if (given > SURE).sum() > (best > SURE).sum():
            best = given
        if 2 * (best > SURE).sum() > min(len(boxes), len(wanted)):
            break
    return best


def _known(label: str) -> bool:
    return len(label) == 1 and label.lower() in LETTERS


CORNERS = ((0, 0), (1, 0), (0, 1), (1, 1))
"""Corners in which letters stand, as halves from top and from left."""


def _letter_shares(grey: Grey, places: Sequence[Box], scale: float, corner: tuple[int, int]) -> npt.NDArray[np.float32]:
    """How surely each letter stands about a corner of each panel, panels x letters, 0 to 1.

    A panel is looked at twice, and the first of a row a third time further to the left. What shows in both looks goes
    before what one look makes of a stranger.

    Args:
        grey: of the figure, rows x columns.
        places: of the panels, in its pixels.
        scale: pixels a point.
        corner: lower or upper, right or left: 0 or 1 each.
    """
    looks = [
        _square(grey, place, corner, side, outside=OUTSIDE, places=places)
        for place in places
        for side in (LOOK * scale, SHARE * min(place.width, place.height))
    ]
    first = _first_of_rows(places) if corner == CORNERS[0] else []
    looks += [_square(grey, places[index], corner, LOOK * scale, outside=FURTHER, places=places) for index in first]
    shares = read_corners(looks)
    twice = shares[: 2 * len(places)].reshape(len(places), 2, -1)
    out = (twice.max(1) + twice.mean(1)) / 2
    out[first] = np.maximum(out[first], shares[2 * len(places) :])
    return np.asarray(out, np.float32)


def _first_of_rows(places: Sequence[Box]) -> list[int]:
    """Numbers of the panels that stand furthest left in their rows."""
    first: dict[int, int] = {}
    for index, row in enumerate(lanes(places, 0)):
        first[row] = min(first.get(row, index), index, key=lambda one: places[one].x0)
    return list(first.values())


def _square(
    grey: Grey, place: Box, corner: tuple[int, int], side: float, *, outside: float, places: Sequence[Box]
) -> Grey:
    """A square about a panel's corner; what lies beyond the figure or in another panel is white.

    Args:
        grey: of the figure, rows x columns.
        place: of the panel, in its pixels.
        corner: lower or upper, right or left: 0 or 1 each.
        side: of the square, in pixels.
        outside: share of it that lies left or right of the panel; above or below it does ``OUTSIDE``.
        places: of all panels; a letter in another one is that one's.
    """
    down, across = corner
    top = round(place.y1 - (1 - OUTSIDE) * side if down else place.y0 - OUTSIDE * side)
    left = round(place.x1 - (1 - outside) * side if across else place.x0 - outside * side)
    size = max(8, round(side))
    square = np.full((size, size), 255, np.uint8)
    part = grey[max(0, top) : max(0, top + size), max(0, left) : max(0, left + size)]
    y, x = max(0, -top), max(0, -left)
    square[y : y + part.shape[0], x : x + part.shape[1]] = part
    for other in places:
        if other.iou(place) == 0:
            rows = slice(max(0, round(other.y0) - top), max(0, round(other.y1) - top))
            square[rows, max(0, round(other.x0) - left) : max(0, round(other.x1) - left)] = 255
    return square
