"""Scale bars that the page or the figure shows on the ground beneath a micrograph, and that belong to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from polydata.extraction.panels.render import Drawn
from polydata.types import Box
from polydata.vision.measures import WHITE, darkest
from polydata.vision.scale_bar import read_scale_bar

DEEP, DEEPEST = 0.2, 40.0
"""How far beneath a micrograph its scale may stand: share of its height, and points."""

INK, EMPTY = 140, 0.95
"""Grey level under which a pixel is ink, and the share of white from which a row is ground."""

SHORTEST, LONGEST, FLAT = 0.04, 0.7, 1.5
"""Lengths of a bar, as shares of its micrograph's width, and how many times as long as high it is, with ticks."""

GAP, APART = 5.0, 9.0
"""Points: how far up in its box a micrograph may end, and ground beyond which print no longer belongs to a bar."""


def with_scale(drawn: Drawn, box: Box, others: Sequence[Box]) -> Box:
    """The box of a micrograph with the scale bar beneath it; as it is where none can be read there.

    Args:
        drawn: the figure.
        box: of the micrograph, in points.
        others: boxes of the figure's other panels, which it may not reach into.
    """
    under = [one.y0 for one in others if one.y0 > box.y1 - 1 and min(one.x1, box.x1) > max(one.x0, box.x0)]
    deepest = min(box.y1 + min(DEEP * box.height, DEEPEST), drawn.box.y1, *under)
    if deepest - box.y1 < GAP:
        return box
    scale = drawn.dpi / 72
    strip = darkest(drawn.crop(replace(box, y0=box.y1 - GAP, y1=deepest)))
    ground = np.flatnonzero((strip >= WHITE).mean(1) > EMPTY)
    if not ground.size or ground[0] > 2 * GAP * scale:
        return box
    inked = ground[0] + np.flatnonzero((strip[ground[0] :] < INK).any(1))
    apart = np.flatnonzero(np.diff(inked) > APART * scale)
    inked = inked[: apart[0] + 1] if apart.size else inked
    if not inked.size or not _has_bar(strip[inked[0] : inked[-1] + 1] < INK):
        return box
    longer = replace(box, y1=min(deepest, max(box.y1, box.y1 - GAP + float(inked[-1] + 2) / scale)))
    bar = read_scale_bar(drawn.crop(longer), (box.height - GAP) * scale)
    return longer if bar is not None and bar.y is not None else box


def _has_bar(ink: npt.NDArray[np.bool_]) -> bool:
    """Whether a piece of ink is as long as a bar and flatter than signs are."""
    stats = cv2.connectedComponentsWithStats(ink.view(np.uint8))[2][1:]
    wide, high = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    return bool(((SHORTEST * ink.shape[1] < wide) & (wide < LONGEST * ink.shape[1]) & (wide > FLAT * high)).any())
