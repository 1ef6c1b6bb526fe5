"""What every part of a figure shows, by a small network: ground, micrograph, another panel, or the edge of a panel.

The network was trained by data/train_panels.py on figures composed at random.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from polydata.vision.measures import Rgb
from polydata.vision.small_networks import network

MODEL = "panels_1.onnx"
"""Written by data/train_panels.py."""

SIDES = (512, 640)
"""Pixels of the longer side at which a figure is shown to the network; its answers are averaged."""

ROUGH = (320,)
"""Pixels of the longer side at which a figure is looked at first, and at last where it shows no micrograph."""

GLIMPSE, INKLING = 0.001, 0.1
"""Share of a figure from which it is looked at more finely, where a micrograph is as likely as the second tells."""

STRIDE = 2
"""Pixels of that side by side that have one answer."""

MULTIPLE = 32
"""The network takes sides that are multiples of this; what is missing is white."""

Share = npt.NDArray[np.float32]

Window = tuple[int, int, int, int]
"""Rows and columns of a part of a picture or map: top, left, bottom, right; the ends are exclusive."""


@dataclass(frozen=True)
class PanelMap:
    """Probabilities for each place of a figure, all rows x columns, 0 to 1.

    Attributes:
        ground: between panels; with ``micrograph`` and ``other`` it adds up to 1.
        micrograph: inside a micrograph, print on it and insets in it included.
        other: inside a plot, drawing, photograph or anything else.
        edge: within two pixels of where a panel ends.
        scale: places a pixel of the picture, down and across.
    """

    ground: Share
    micrograph: Share
    other: Share
    edge: Share
    scale: tuple[float, float]


def look(rgb: Rgb, sides: Sequence[int] = SIDES) -> PanelMap:
    """Map a figure, a panel, or any picture.

    Args:
        rgb: rows x columns x 3, 0 to 255.
        sides: pixels of the longer side at which it is looked at, rising; the map is as fine as the last.
    """
    seen = [_look(rgb, side) for side in sides]
    rows, columns = seen[-1].shape[1:]
    alike = [np.stack([cv2.resize(plane, (columns, rows)) for plane in one]) for one in seen]
    mean = np.asarray(np.mean(alike, axis=0), np.float32)
    return PanelMap(mean[0], mean[1], mean[2], mean[3], (rows / rgb.shape[0], columns / rgb.shape[1]))


def survey(rgb: Rgb, *, pictures: bool = True) -> PanelMap:
    """What every part of a figure shows, finely where that may be a micrograph.

    Args:
        rgb: rows x columns x 3, 0 to 255.
        pictures: there may be photographs in it; one of lines and words alone is looked at coarsely.
    """
    seen = look(rgb, ROUGH)
    return look(rgb, SIDES) if pictures and glimpsed(seen) else seen


def glimpsed(seen: PanelMap) -> bool:
    """Whether a figure may show a micrograph."""
    return bool((seen.micrograph > INKLING).mean() > GLIMPSE)


def _look(rgb: Rgb, side: int) -> Share:
    """Probabilities of ground, micrograph, other panel and edge: 4 x rows x columns."""
    rows, columns = rgb.shape[:2]
    factor = side / max(rows, columns)
    height, width = max(STRIDE, round(rows * factor)), max(STRIDE, round(columns * factor))
    small = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    whole = np.full((3, -height % MULTIPLE + height, -width % MULTIPLE + width), 255, np.float32)
    whole[:, :height, :width] = small.transpose(2, 0, 1)
    logits = network(MODEL).run(None, {"figure": whole[None]})[0][0, :, : -(-height // STRIDE), : -(-width // STRIDE)]
    shares = np.exp(logits[:3] - logits[:3].max(0))
    shares /= shares.sum(0)
    edge = 1 / (1 + np.exp(-logits[3:]))
    return np.asarray(np.concatenate([shares, edge]), np.float32)


def size(window: Window) -> tuple[int, int]:
    """Height and width."""
    return window[2] - window[0], window[3] - window[1]


def area(window: Window) -> int:
    """Places in a window."""
    return math.prod(size(window))


def overlap(window: Window, other: Window) -> float:
    """Share of a window that lies in another, 0 to 1."""
    down, across = (
        min(window[2], other[2]) - max(window[0], other[0]),
        min(window[3], other[3]) - max(window[1], other[1]),
    )
    return max(0, down) * max(0, across) / area(window)


def within(plane: Share, window: Window) -> Share:
    """The part of a plane that lies in a window, a view of it."""
    return plane[window[0] : window[2], window[1] : window[3]]


def pixels(seen: PanelMap, window: Window) -> Window:
    """A window of a map in pixels of its picture."""
    down, across = seen.scale
    top, left, bottom, right = (round(edge / scale) for edge, scale in zip(window, (down, across) * 2, strict=True))
    return top, left, bottom, right


MOST = 6.0
"""Log-odds that anything says at most."""


def log_odds(share: float) -> float:
    """Log-odds of a share, within ``MOST`` of even."""
    return float(np.clip(np.log((share + 1e-4) / (1 - share + 1e-4)), -MOST, MOST))
