"""Micrographs set into plots and drawings, which no line from side to side cuts out."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from polydata.vision.measures import Rgb, measure
from polydata.vision.micrograph import SMALLEST, picture_odds
from polydata.vision.panel_map import PanelMap, Window, area, overlap, pixels

LEAST = 12
"""Places that a panel is high and wide at least: 24 pixels of a figure of 640."""

FAINT, FULL = 0.3, 0.7
"""How surely a place within a drawing shows a micrograph, or an edge, and the share of its box that an island fills."""

CLOSED, HELD = 0.5, 0.9
"""How surely a panel ends at the outline of an island, and the share of a framed one that lies in its part."""

TWO_TONED = 0.7
"""Share of near black and near white from which a picture set into a plot is a mask."""

ALONE = 1.0
"""Log-odds of being a micrograph by itself from which what a frame surrounds is an island."""


PLAIN = 0.5
"""Share of one tone from which a picture is a bar, a mask or a drawing."""


def islands(rgb: Rgb, seen: PanelMap, parts: Sequence[tuple[Window, float]]) -> list[Window]:
    """Where micrographs are set in, as windows of the map.

    What looks like a micrograph within its figure stands freely there; what does not may be in a frame of edges and
    look like one by itself.

    Args:
        rgb: the figure, rows x columns x 3, 0 to 255.
        seen: what the network makes of it.
        parts: of the figure, each with the share that looks like a micrograph; no island takes up half of one.
    """
    near = np.asarray(cv2.dilate(seen.edge, np.ones((5, 5), np.uint8)), np.float32)
    shown = cv2.blur(seen.micrograph, (3, 3)) > FAINT
    for (top, left, bottom, right), _ in parts:
        if shown[top:bottom, left:right].mean() > 0.5:
            shown[top:bottom, left:right] = False
    found = [
        box
        for box in _boxes(shown)
        if any(_freely(box, part) for part, _ in parts) and _outline(near, box) > CLOSED and _toned(rgb, seen, box)
    ]
    others = [part for part, micrograph in parts if micrograph < 0.5]
    rows, columns = seen.edge.shape
    for top, left, bottom, right in _boxes((seen.edge < FAINT) & (seen.ground < 1 - FAINT)):
        # The frame is in part the picture's own.
        box = max(0, top - 1), max(0, left - 1), min(rows, bottom + 1), min(columns, right + 1)
        set_in = any(overlap(box, part) > HELD and area(box) < FULL * area(part) for part in others)
        if (
            set_in
            and _outline(near, box) > CLOSED
            and not any(overlap(box, other) for other in found)
            and _toned(rgb, seen, box)
            and _is_micrograph(_picture(rgb, seen, box))
            and not _is_layer(box, others)
        ):
            found.append(box)
    return found


def _is_micrograph(picture: Rgb) -> bool:
    """Whether a picture looks like a micrograph by itself; one in black and white alone is a mask."""
    return measure(picture).extremes < TWO_TONED and picture_odds(picture)[0] > ALONE


def _is_layer(box: Window, parts: Sequence[Window]) -> bool:
    """Whether a rectangle is a layer of a picture, as wide or as high as all of it, and not set into a plot."""
    return any(
        (box[0] <= part[0] + 1 and box[2] >= part[2] - 1) or (box[1] <= part[1] + 1 and box[3] >= part[3] - 1)
        for part in parts
        if overlap(box, part) > HELD
    )


def _picture(rgb: Rgb, seen: PanelMap, window: Window) -> Rgb:
    top, left, bottom, right = pixels(seen, window)
    return rgb[top:bottom, left:right]


def _toned(rgb: Rgb, seen: PanelMap, window: Window) -> bool:
    """Whether a part of a figure is large enough to be judged and not for the most part of one tone."""
    picture = _picture(rgb, seen, window)
    return min(picture.shape[:2]) >= SMALLEST and measure(picture).modal < PLAIN


def _boxes(shown: npt.NDArray[np.bool_]) -> list[Window]:
    """Boxes that single regions of a plane fill."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(shown.astype(np.uint8), connectivity=4)
    return [
        (y, x, y + h, x + w)
        for x, y, w, h, filled in stats[1:].tolist()
        if min(w, h) >= LEAST and filled > FULL * w * h
    ]


def _freely(box: Window, part: Window) -> bool:
    """Whether a box stands within a part and away from its corners."""
    inside = box[0] >= part[0] and box[1] >= part[1] and box[2] <= part[2] and box[3] <= part[3]
    upright, level = box[0] <= part[0] + 1 or box[2] >= part[2] - 1, box[1] <= part[1] + 1 or box[3] >= part[3] - 1
    return inside and not (upright and level)


def _outline(edge: npt.NDArray[np.float32], window: Window) -> float:
    """How surely a panel ends at the outline of a window, 0 to 1: the mean of its four sides."""
    top, left, bottom, right = window
    sides = edge[top, left:right], edge[bottom - 1, left:right], edge[top:bottom, left], edge[top:bottom, right - 1]
    return float(np.mean([side.mean() for side in sides]))
