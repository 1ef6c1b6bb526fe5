"""Which pixels of a micrograph show the sample, and which what was printed over it: strips, values, bars, letters."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from polydata.vision.measures import Rgb
from polydata.vision.ocr import find_print
from polydata.vision.scale_marks import patches
from polydata.vision.scale_nets import find
from polydata.vision.structure import Map

VERSION = 1
"""Of what is found. What was made of pictures without their print is made anew for another."""
WIDE = 600
"""Pixels of width to which narrower pictures are brought for the finder of print."""
LARGEST = 0.1
"""Share of the picture that one piece of print covers at most; beyond it the finder took the picture for print."""
RIM = 0.25
"""Print lies so near an edge, as a share of the side; in the middle round droplets look like letters."""
SURE = 0.5
"""Probability from which a bar or a value is one."""
EVEN, GROUND, TONES = 10.0, 0.6, (40.0, 235.0)
"""Grey levels within which a strip's ground keeps, its share of each row, and how dark or bright it is."""
STRIP = 0.3
"""Share of the height that strips and margins take at most."""


def unprinted(rgb: Rgb) -> Map:
    """Which pixels show the sample.

    Args:
        rgb: rows x columns x 3, 0 to 255.

    Returns:
        Rows x columns: false in even strips and margins along an edge, and around print and scale bars.
    """
    grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)
    rows, columns = grey.shape
    known = np.ones(grey.shape, np.bool_)
    for turns in range(4):
        seen = np.rot90(known, turns)
        seen[: _margin(np.rot90(grey, turns))] = False
    found = find(grey)
    boxes = [
        (one.x0, one.y0, one.x1, one.y1, 0.35 * min(one.height, 0.1 * rows) + 3)
        for share in (found.value, found.size, found.bar)
        for one in patches(share, found.scale)
        if one.score >= SURE
    ]
    factor = max(1.0, WIDE / columns)
    large = cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    for corners in find_print(np.asarray(large, np.uint8)):
        (x0, y0), (x1, y1) = corners.min(0) / factor, corners.max(0) / factor
        near = min(x0 / columns, y0 / rows, 1 - x1 / columns, 1 - y1 / rows) < RIM
        if near and (x1 - x0) * (y1 - y0) < LARGEST * grey.size:
            boxes.append((x0, y0, x1, y1, 3.0))
    for x0, y0, x1, y1, pad in boxes:
        known[max(0, int(y0 - pad)) : int(y1 + pad) + 1, max(0, int(x0 - pad)) : int(x1 + pad) + 1] = False
    return known


def _margin(grey: NDArray[np.uint8]) -> int:
    """Rows of an even dark or bright strip along the upper edge, print and bars in it included."""
    most = int(STRIP * grey.shape[0])
    top = grey[:most].astype(np.float32)
    ground = np.median(top[:2])
    if not top.size or TONES[0] < ground < TONES[1]:
        return 0
    even = (np.abs(top - ground) <= EVEN).mean(1) >= GROUND
    other = np.flatnonzero(~even)
    last = int(other[0]) if other.size else most
    while last < most and (more := np.flatnonzero(even[last : last + 4])).size:  # rows of print or of a bar
        last += int(more[-1]) + 1
    return last if last >= 3 else 0
