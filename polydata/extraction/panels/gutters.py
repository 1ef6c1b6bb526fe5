"""A figure taken apart into panels by its pixels: gutters of any tone, partial grids, seams of touching pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np

from polydata.extraction.panels.grey_raster import Cut, GreyRaster, by_lanes, runs, split
from polydata.extraction.panels.partial_grids import cut_partial_grid, partial_grid
from polydata.extraction.panels.seams import SEAM_FEWER, Grey, Window, cut_seams, cut_unasked, size
from polydata.vision.measures import Rgb

MIN_SHARE = 0.12
"""A panel is at least this share of its figure's longer side divided by the root of the number of panels."""

STEP = 15.0
"""Grey levels by which most of what borders on a gutter differs from it."""

STRIP = 0.22
"""What is flatter than this share of the panel that it lies at is an information bar of that panel, not a panel."""

LIKE = 1.8
"""Panels whose areas differ by less than this factor look like a finished grid."""


def _gutters(raster: GreyRaster, window: Window, least: int) -> list[Cut]:
    """White strips from side to side, at least ``least`` pixels wide, widest first."""
    cuts = [
        Cut(axis, start + window[axis], stop + window[axis])
        for axis in (0, 1)
        for start, stop in runs(raster.white(window, axis) > 0.995)
        if stop - start >= least
    ]
    return sorted(cuts, key=lambda one: -one.width)


def _xy_cut(raster: GreyRaster, window: Window, least: int, floor: float) -> list[Window]:
    """Cut a window at its widest white gutters for as long as both sides stay larger than ``floor`` pixels."""
    inner = raster.trimmed(window)
    if inner is None:
        return []
    for cut in _gutters(raster, inner, least):
        pieces = [raster.trimmed(piece) for piece in split(inner, cut)]
        if all(piece is not None and min(size(piece)) >= floor for piece in pieces):
            return [leaf for piece in pieces if piece is not None for leaf in _xy_cut(raster, piece, least, floor)]
    return [inner]


def reading_order(windows: Sequence[Window]) -> list[Window]:
    """Rows from top to bottom, each from left to right; windows level by half their height share a row."""
    return by_lanes(sorted(windows), lambda one: (one[0], one[2]), lambda one: one[1])


def _toned_cut(raster: GreyRaster, window: Window) -> list[Window]:
    """Cut a window at strips of one tone, where a photograph stands on both sides.

    From the bottom up: an information bar begins with a plain strip too, but belongs to what is above it.
    """
    inner = raster.bare(window)
    if inner is None:
        return []
    for axis in (0, 1):
        wide = [run for run in runs(raster.plain(inner, axis)) if run[1] - run[0] >= 2]
        for start, stop in reversed(wide):
            cut = Cut(axis, start + inner[axis], stop + inner[axis])
            pieces = [piece for piece in map(raster.bare, split(inner, cut)) if piece is not None]
            if len(pieces) < 2 or _is_strip(*pieces) or not all(_stands_out(raster.grey, cut, one) for one in pieces):
                continue
            large = min(size(piece)[axis] for piece in pieces) > max(24, 0.08 * size(inner)[axis])
            if large and all(raster.picture(piece, drawn=True) for piece in pieces):
                return [leaf for piece in pieces for leaf in _toned_cut(raster, piece)]
    return [window]


def _stands_out(grey: Grey, cut: Cut, piece: Window) -> bool:
    """Whether a plain strip differs from the edge of a picture beside it: a gutter, and no flat part of a picture."""
    low, high = piece[cut.axis], piece[cut.axis + 2]
    lines = (grey if cut.axis == 0 else grey.T)[:, piece[1 - cut.axis] : piece[3 - cut.axis]]
    edge = lines[low : low + 3] if low >= cut.stop else lines[high - 3 : high]
    return float((np.abs(edge - np.median(lines[cut.start : cut.stop])) > STEP).mean()) > 0.4


def _is_strip(one: Window, other: Window) -> bool:
    """Whether one of two windows is much flatter than the other: an information bar."""
    heights = size(one)[0], size(other)[0]
    return min(heights) < STRIP * max(heights) and min(heights) < 0.2 * min(size(one)[1], size(other)[1])


def _joined_strips(leaves: list[Window]) -> list[Window]:
    """Leaves with flat ones joined to the panel above, or else below, that they lie close to."""
    out = list(leaves)
    for strip in sorted(leaves, key=lambda one: size(one)[0]):
        height, width = size(strip)
        if height > 0.16 * width or strip not in out:
            continue
        for other in sorted(out, key=lambda one: (one[0] > strip[0], abs(strip[0] - one[2]))):
            level = min(strip[3], other[3]) - max(strip[1], other[1]) > 0.85 * max(width, size(other)[1])
            near = min(abs(strip[0] - other[2]), abs(other[0] - strip[2])) < max(0.6 * height, 0.05 * size(other)[0])
            if other != strip and level and near and height < STRIP * size(other)[0]:
                out.remove(strip)
                out[out.index(other)] = (
                    min(strip[0], other[0]), min(strip[1], other[1]), max(strip[2], other[2]), max(strip[3], other[3])
                )  # fmt: skip
                break
    return out


def _floor(window: Window, count: int) -> float:
    height, width = size(window)
    return max(12.0, MIN_SHARE * max(height, width) / math.sqrt(count))


def _area(window: Window) -> float:
    return float(np.prod(size(window)))


def _alike(leaves: list[Window]) -> bool:
    """Whether panels are of nearly one size."""
    areas = [_area(leaf) for leaf in leaves]
    return len(areas) > 1 and max(areas) < LIKE * min(areas)


def _seams_for(grey: Grey, leaves: list[Window], count: int) -> list[Window]:
    """Cut leaves further at seams until there are ``count``; the largest ones hold the panels that are missing.

    Leaves of nearly one size may be all that there is: a caption names more than is shown. They are cut at
    plain seams only.
    """
    finished = _alike(leaves)
    while len(leaves) < count:
        areas = [_area(leaf) for leaf in leaves]
        typical = sum(areas) / count
        index = int(np.argmax(areas))
        share = max(2, round(areas[index] / typical)) if len(leaves) > 1 else count
        share = min(share, count - len(leaves) + 1)
        pieces = cut_seams(grey, leaves[index], share, SEAM_FEWER if finished else None)
        if len(pieces) < 2:
            return leaves
        leaves = [*leaves[:index], *pieces, *leaves[index + 1 :]]
    return leaves


def _by_gutters(raster: GreyRaster, count: int | None) -> list[Window]:
    """Leaves of the XY-cut; where a count is known, with the narrowest gutters that do not give more."""
    floor = _floor(raster.whole, count or 6)
    best: list[Window] = []
    for least in (2, 3, 4, 6, 8, 12, 16, 24):
        leaves = _joined_strips(_xy_cut(raster, raster.whole, least, floor))
        if not best or count is None or len(leaves) == count or len(best) > count:
            best = leaves
        if count is None or len(leaves) <= count:
            break
    return best


def cut_pixels(rgb: Rgb, count: int | None) -> list[Window]:
    """Panels of a figure by its pixels.

    Args:
        rgb: rows x columns x 3.
        count: panels that the caption names; None where it names none.

    Returns:
        Windows in reading order. Without a count, only photographs are taken apart. With one, drawings
        are taken apart only if exactly that many parts come out; of photographs there may be fewer, or
        a multiple in a full grid whose rows or columns are counted.
    """
    grey = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.float32)
    raster = GreyRaster(grey)
    leaves = _by_gutters(raster, count)
    pictures = _pictures(raster, leaves)
    if sum(map(_area, pictures)) > 0.5 * sum(map(_area, leaves)) and raster.share(raster.whole) < 0.6:
        if count is not None and (grid := _labelled_lanes(raster, count)):
            return reading_order(grid)
        return reading_order(_photographs(raster, pictures, count))
    if count is not None and len(leaves) == count:
        return reading_order(leaves)
    return [raster.whole]


def _pictures(raster: GreyRaster, leaves: list[Window]) -> list[Window]:
    """Leaves that hold photographs; specks of them left out."""
    if not any(raster.picture(leaf) for leaf in leaves):
        return []
    pictures = [leaf for leaf in leaves if raster.picture(leaf, drawn=True)]
    large = max(map(_area, pictures), default=0.0)
    return [leaf for leaf in pictures if _area(leaf) > 0.08 * large]


def lanes(windows: Sequence[Window], axis: int) -> list[int]:
    """Numbers of windows in each row (axis 0) or column of a grid, in order; one lane a level."""
    ends: list[tuple[int, int]] = []
    numbers: list[int] = []
    for one in sorted(windows, key=lambda one: one[axis]):
        low, high = one[axis], one[axis + 2]
        if ends and min(high, ends[-1][1]) - low > 0.5 * (high - low):
            numbers[-1] += 1
        else:
            ends.append((low, high))
            numbers.append(1)
    return numbers


def _labelled_lanes(raster: GreyRaster, count: int) -> list[Window]:
    """Photographs in rows or columns of which each has one letter: a full grid of ``count`` lanes; else nothing."""
    leaves = _joined_strips(_xy_cut(raster, raster.whole, 2, _floor(raster.whole, count * count)))
    leaves = _evened(_pictures(raster, leaves)) if len(leaves) > count + 1 else []
    if len(leaves) < 2 * count or len(leaves) % count or max(map(_area, leaves)) > LIKE * min(map(_area, leaves)):
        return []
    each = [len(leaves) // count] * count
    return leaves if each in (lanes(leaves, 0), lanes(leaves, 1)) else []


def _evened(leaves: list[Window]) -> list[Window]:
    """Leaves without those much smaller than most (legends), and those of several panels' size cut evenly.

    Print that reaches into a gutter keeps panels together that are plainly apart elsewhere.
    """
    usual = float(np.median([_area(leaf) for leaf in leaves])) if leaves else 0.0
    height, width = (float(np.median([size(leaf)[axis] for leaf in leaves])) if leaves else 1.0 for axis in (0, 1))
    out: list[Window] = []
    for leaf in leaves:
        top, left, bottom, right = leaf
        if _area(leaf) < usual / LIKE or bottom - top < height / 2 or right - left < width / 2:
            continue
        down, across = max(1, round((bottom - top) / height)), max(1, round((right - left) / width))
        ys = [top + (bottom - top) * step // down for step in range(down + 1)]
        xs = [left + (right - left) * step // across for step in range(across + 1)]
        out += [(a, c, b, d) for a, b in pairwise(ys) for c, d in pairwise(xs)]
    return out


def cut_at_letters(rgb: Rgb, letters: Sequence[tuple[float, float]]) -> list[Window]:
    """Cut a figure at white gutters so that each part holds one letter.

    Args:
        rgb: rows x columns x 3.
        letters: row and column of each printed letter.

    Returns:
        A window for each letter, in the letters' order; empty where gutters do not part them.
    """
    raster = GreyRaster(np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.float32))
    rows = [row for row, _ in letters]
    first = min(rows) <= raster.whole[2] - max(rows)
    found = _at_letters(raster, raster.whole, list(enumerate(letters)), first)
    return [found[index] for index in range(len(letters))] if len(found) == len(letters) else []


def _at_letters(
    raster: GreyRaster, window: Window, letters: list[tuple[int, tuple[float, float]]], first: bool
) -> dict[int, Window]:
    """Windows by the letters' numbers. ``first``: letters stand at the beginning of their panels."""
    if len(letters) == 1:
        inner = raster.trimmed(window)
        return {letters[0][0]: inner} if inner else {}
    inner = raster.trimmed(window) or window
    ways: dict[tuple[int, int], list[Cut]] = {}
    for cut in _gutters(raster, inner, 2):
        before = sum(place[cut.axis] < (cut.start + cut.stop) / 2 for _, place in letters)
        if 0 < before < len(letters):
            ways.setdefault((cut.axis, before), []).append(cut)
    for cuts in sorted(ways.values(), key=lambda some: -max(one.width for one in some)):
        wide = [one for one in cuts if one.width > 0.5 * max(other.width for other in cuts)]
        cut = max(wide, key=lambda one: one.start) if first else min(wide, key=lambda one: one.start)
        middle = (cut.start + cut.stop) / 2
        sides = (
            [item for item in letters if item[1][cut.axis] < middle],
            [item for item in letters if item[1][cut.axis] >= middle],
        )
        found: dict[int, Window] = {}
        for piece, some in zip(split(inner, cut), sides, strict=True):
            found |= _at_letters(raster, piece, some, first)
        if len(found) == len(letters):
            return found
    return {}


def _photographs(raster: GreyRaster, pictures: list[Window], count: int | None) -> list[Window]:
    """Photographs taken apart further: at gutters of other tones, at the corners of partial grids, at seams."""
    if count is not None and len(pictures) >= count:
        return pictures
    toned = [part for leaf in pictures for part in _toned_cut(raster, leaf)]
    if toned and (count is None or len(pictures) < len(toned) <= count):
        pictures = toned
    if count is not None and len(pictures) == 1 and (grid := partial_grid(raster, pictures[0], count)):
        return grid
    pictures = [part for leaf in pictures for part in cut_partial_grid(raster, leaf)]
    if count is None:
        usual = float(np.median([_area(leaf) for leaf in pictures]))
        few = len(pictures) < 4
        return [
            part
            for leaf in pictures
            for part in (cut_unasked(raster.grey, leaf) if few or _area(leaf) > LIKE * usual else [leaf])
        ]
    return _seams_for(raster.grey, pictures, count) if len(pictures) < count else pictures
