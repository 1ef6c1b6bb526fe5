"""Lines in a micrograph that may be scale bars: where they lie, from end to end, by their grey levels alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import permutations

import cv2
import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]

THICKEST = 0.035
"""Of the picture's height: what is thicker is no line."""

SHORTEST = 0.03
"""Of the picture's width."""

STEP = 28.0
"""Grey levels by which a line differs from what is above and below it."""

EDGE = 3
"""Pixels from the picture's rim."""

ALONG = 0.75
"""Share of a line's length over which it differs on both sides: ground between print and a label's rim does not."""

EVEN = 30.0
"""Grey levels of spread along a line."""

LONGEST = 0.8
"""Of the picture's width: what is longer is its frame or a data strip's."""

RIM = 70.0
"""Grey levels between the two sides of a line from which on it is the rim of a label or strip."""

TWICE = 0.1
"""Added to the score of two lines alike in one row: chance seldom draws that."""

MOST = 16
"""Marks that are handed on, the best first."""


@dataclass(frozen=True)
class Mark:
    """A horizontal line, in pixels of the picture.

    Attributes:
        x0, x1: its ends, where the grey level is halfway between line and ground.
        y: middle of its height.
        thickness: in pixels.
        level: its grey level.
        bright: whether it is brighter than its ground.
        gap: the part of it that print fills (``- 5 µm -``), None where it is whole.
        score: 0 to 1, how much it looks drawn: even, straight, in strong contrast to both sides.
    """

    x0: float
    x1: float
    y: float
    thickness: float
    level: float
    bright: bool
    gap: tuple[float, float] | None
    score: float

    @property
    def length(self) -> float:
        """In pixels."""
        return self.x1 - self.x0


def find_marks(grey: Grey) -> list[Mark]:
    """Horizontal lines that were drawn rather than grown, the best first.

    Args:
        grey: rows x columns, 0 to 255.

    Returns:
        At most ``MOST`` marks; lines of two parts in one row, with a gap for the print, as one mark as well.
    """
    found: list[Mark] = []
    for bright in (True, False):
        single = _lines(grey if bright else 255 - grey, bright=bright)
        found += single
        found += _pairs(single, grey.shape)
    found.sort(key=lambda mark: -mark.score)
    kept: list[Mark] = []
    for mark in found:
        if not any(_same(mark, other) for other in kept):
            kept.append(mark)
    return kept[:MOST]


def _same(a: Mark, b: Mark) -> bool:
    shared = min(a.x1, b.x1) - max(a.x0, b.x0)
    near = a.bright == b.bright and abs(a.y - b.y) <= max(2.0, 0.7 * (a.thickness + b.thickness))
    return near and shared > 0.9 * max(a.length, b.length)


def _lines(grey: Grey, *, bright: bool) -> list[Mark]:
    """Bright lines of a picture (turned to its negative for dark ones)."""
    rows, columns = grey.shape
    thickest = max(4, round(THICKEST * rows))
    shortest = max(10, round(SHORTEST * columns))
    marks: list[Mark] = []
    for reach in sorted({3, min(9, thickest), thickest}):
        # What is brighter than its surroundings above and below, within this thickness ...
        above = cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, np.ones((2 * reach + 1, 1), np.uint8))
        mask = np.asarray(above > STEP, np.uint8)
        # ... for a long way in one row.
        long = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((1, shortest), np.uint8))
        count, _, boxes, _ = cv2.connectedComponentsWithStats(long, connectivity=8)
        for left, top, width, height, area in boxes[1:count]:
            slender = 2.2 * height <= width <= LONGEST * columns
            if slender and height <= 2 * reach and area >= 0.6 * width * height:
                mark = _measured(grey, (int(left), int(top), int(width), int(height)), bright=bright)
                if mark is not None:
                    marks.append(mark)
    return marks


def _measured(grey: Grey, box: tuple[int, int, int, int], *, bright: bool) -> Mark | None:
    """A line with its ends to a fraction of a pixel; None where it is not even or does not stand out."""
    left, top, width, height = box
    rows, columns = grey.shape
    band = grey[top : top + height, left : left + width].astype(np.float32)
    level = float(np.median(band))
    # Rows at the line's full strength: those half-way to its ground are its blurred rims.
    strong = np.flatnonzero(band.mean(1) >= 0.75 * band.mean(1).max())
    core = grey[top + strong[0] : top + strong[-1] + 1]
    inner = core[:, left : left + width].astype(np.float32).mean(0)
    off = max(2, round(0.6 * height))
    rows_beside = [row for row in (top - off, top + height - 1 + off) if 0 <= row < rows]
    sides = [grey[row, left : left + width].astype(np.float32) for row in rows_beside]
    if not sides:
        return None
    steps = [float(np.median(inner - side)) for side in sides]
    along = min(float((inner - side > STEP / 2).mean()) for side in sides)
    ground = float(np.median(np.concatenate(sides)))
    spread = float(np.percentile(inner, 90) - np.percentile(inner, 10))
    rim = max(steps) - min(steps) > RIM and all(float(np.std(side)) < RIM for side in sides[:1] + sides[-1:])
    if min(steps) < STEP or along < ALONG or rim or spread > 1.6 * EVEN + 0.25 * (level - ground):
        return None
    half = (float(np.median(inner)) + ground) / 2
    profile = core.astype(np.float32).mean(0)
    x0 = _end(profile, left + min(3, width // 3), -1, half)
    x1 = _end(profile, left + width - 1 - min(3, width // 3), 1, half) + 1.0
    if len(sides) == 2:
        x0, x1 = _off_the_frame(x0, x1, np.minimum(*(grey[row] for row in rows_beside)) >= half)
    if x1 - x0 > LONGEST * columns:
        return None
    contrast = min(1.0, min(steps) / 120)
    evenness = max(0.0, 1.0 - spread / (2 * EVEN))
    extreme = max(0.0, (level - 128) / 127)
    length = min(1.0, (x1 - x0) / (0.12 * columns))
    score = 0.35 * contrast + 0.3 * evenness + 0.2 * extreme + 0.15 * length
    middle = top + (float(strong[0]) + float(strong[-1])) / 2
    return Mark(
        x0=x0,
        x1=x1,
        y=middle,
        thickness=float(strong[-1] - strong[0] + 1),
        level=level if bright else 255 - level,
        bright=bright,
        gap=None,
        score=score,
    )


def _end(profile: npt.NDArray[np.float32], start: int, step: int, half: float) -> float:
    """Where the profile falls to half from ``start`` on, between two pixels."""
    place = start
    while 0 <= place + step < profile.size and profile[place + step] >= half:
        place += step
    nearer, further = float(profile[place]), float(profile[place + step]) if 0 <= place + step < profile.size else half
    share = (nearer - half) / (nearer - further) if nearer > further else 0.0
    return place + step * min(1.0, max(0.0, share)) if step > 0 else place - min(1.0, max(0.0, share))


def _off_the_frame(x0: float, x1: float, plain: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Ends that run into the picture's rim, drawn back to where the line stands out from what is above and below it.

    Args:
        x0, x1: the ends.
        plain: for each column, whether the ground is as strong as the line.
    """
    left, right = round(max(0.0, x0)), min(plain.size - 1, round(x1) - 1)
    if left <= EDGE:
        while left < right and plain[left]:
            left += 1
        x0 = max(x0, float(left))
    if right >= plain.size - 1 - EDGE:
        while right > left and plain[right]:
            right -= 1
        x1 = min(x1, float(right + 1))
    return x0, x1


def _pairs(marks: Sequence[Mark], shape: tuple[int, ...]) -> list[Mark]:
    """Two lines in one row, alike, with room for print between them, as one bar."""
    rows, columns = shape[0], shape[1]
    joined = []
    for one, other in permutations(marks, 2):
        gap = other.x0 - one.x1
        alike = (
            abs(one.y - other.y) <= max(2.5, 0.5 * max(one.thickness, other.thickness))
            and abs(one.level - other.level) < 90
            and max(one.length, other.length) < 2.0 * min(one.length, other.length)
        )
        if alike and 0.02 * columns < gap < min(0.35 * columns, 5 * (one.length + other.length), 0.6 * rows):
            both = replace(
                one,
                x1=other.x1,
                y=(one.y + other.y) / 2,
                thickness=max(one.thickness, other.thickness),
                level=(one.level + other.level) / 2,
                gap=(one.x1, other.x0),
                score=min(1.0, min(one.score, other.score) + TWICE),
            )
            joined.append(both)
    return joined
