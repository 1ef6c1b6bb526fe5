"""A figure taken apart into panels: placed images, gutters, and the seams of touching pictures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from polydata.extract.pixelstats import WHITE, block_texture
from polydata.extract.seams import Grey, Window, cut_seams, cut_unasked, size
from polydata.types import Box

Rgb = npt.NDArray[np.uint8]

MIN_SHARE = 0.12
"""A panel is at least this share of its figure's longer side divided by the number of panels, on both sides."""


PLAIN = 14.0
"""A strip whose grey levels differ by less than this from end to end is a gutter, whatever its tone."""


@dataclass(frozen=True)
class _Cut:
    """A line along which a window falls apart."""

    axis: int
    start: int
    stop: int

    @property
    def width(self) -> int:
        return self.stop - self.start


def _trimmed(blank: npt.NDArray[np.bool_], window: Window) -> Window | None:
    """A window without its blank rim, None where all is blank."""
    top, left, bottom, right = window
    part = ~blank[top:bottom, left:right]
    rows, columns = np.flatnonzero(part.mean(1) > 0.004), np.flatnonzero(part.mean(0) > 0.004)
    if rows.size == 0 or columns.size == 0:
        return None
    return top + int(rows[0]), left + int(columns[0]), top + int(rows[-1]) + 1, left + int(columns[-1]) + 1


def _runs(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Starts and ends of the runs of true, those at either end left out."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    pairs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [(start, stop) for start, stop in pairs if start > 0 and stop < flags.size]


def _gutters(blank: npt.NDArray[np.bool_], window: Window, least: int) -> list[_Cut]:
    """Blank strips from side to side, at least ``least`` pixels wide."""
    top, left, bottom, right = window
    part = blank[top:bottom, left:right]
    cuts = []
    for axis, offset in ((0, top), (1, left)):
        for start, stop in _runs(part.mean(1 - axis) > 0.995):
            if stop - start >= least:
                cuts.append(_Cut(axis, start + offset, stop + offset))
    return cuts


def _split(window: Window, cut: _Cut) -> tuple[Window, Window]:
    top, left, bottom, right = window
    if cut.axis == 0:
        return (top, left, cut.start, right), (cut.stop, left, bottom, right)
    return (top, left, bottom, cut.start), (top, cut.stop, bottom, right)


def _xy_cut(blank: npt.NDArray[np.bool_], window: Window, least: int, floor: float) -> list[Window]:
    """Cut a window at its widest gutters for as long as both sides stay larger than ``floor`` pixels."""
    inner = _trimmed(blank, window)
    if inner is None:
        return []
    for cut in sorted(_gutters(blank, inner, least), key=lambda one: -one.width):
        pieces = [_trimmed(blank, piece) for piece in _split(inner, cut)]
        if all(piece is not None and min(size(piece)) >= floor for piece in pieces):
            return [leaf for piece in pieces if piece is not None for leaf in _xy_cut(blank, piece, least, floor)]
    return [inner]


def reading_order(windows: Sequence[Window]) -> list[Window]:
    """Rows from top to bottom, each from left to right; windows level by half their height share a row."""
    rest = sorted(windows)
    ordered: list[Window] = []
    while rest:
        first = rest[0]
        row = [
            one
            for one in rest
            if min(one[2], first[2]) - max(one[0], first[0]) > 0.5 * min(size(one)[0], size(first)[0])
        ]
        ordered += sorted(row, key=lambda one: one[1])
        rest = [one for one in rest if one not in row]
    return ordered


def _picture(grey: Grey, window: Window) -> bool:
    """Whether a window holds a photograph rather than writing or lines on white."""
    part = grey[window[0] : window[2], window[1] : window[3]]
    texture = block_texture(part)
    return texture.size > 0 and float(texture.mean()) > 0.35 and float((part >= WHITE).mean()) < 0.6


def _toned_cut(grey: Grey, window: Window) -> list[Window]:
    """Cut a window at strips of one tone that is not white, where a photograph stands on both sides."""
    top, left, bottom, right = window
    part = grey[top:bottom, left:right]
    for axis, offset in ((0, top), (1, left)):
        low, high = np.percentile(part, (1, 99), axis=1 - axis)
        for start, stop in _runs(high - low < PLAIN):
            pieces = _split(window, _Cut(axis, start + offset, stop + offset))
            large = min(size(piece)[axis] for piece in pieces) > 0.15 * part.shape[axis]
            if stop - start >= 2 and large and all(_picture(grey, piece) for piece in pieces):
                return [leaf for piece in pieces for leaf in _toned_cut(grey, piece)]
    return [window]


def _floor(window: Window, count: int) -> float:
    height, width = size(window)
    return max(12.0, MIN_SHARE * max(height, width) / math.sqrt(count))


def _seams_for(grey: Grey, leaves: list[Window], count: int) -> list[Window]:
    """Cut leaves further at seams until there are ``count``; the largest ones hold the panels that are missing."""
    while len(leaves) < count:
        areas = [float(np.prod(size(leaf))) for leaf in leaves]
        typical = sum(areas) / count
        index = int(np.argmax(areas))
        share = max(2, round(areas[index] / typical)) if len(leaves) > 1 else count
        share = min(share, count - len(leaves) + 1)
        pieces = cut_seams(grey, leaves[index], share)
        if len(pieces) < 2:
            return leaves
        leaves = [*leaves[:index], *pieces, *leaves[index + 1 :]]
    return leaves


def _by_gutters(blank: npt.NDArray[np.bool_], whole: Window, count: int | None) -> list[Window]:
    """Leaves of the XY-cut; where a count is known, with the narrowest gutters that do not give more."""
    floor = _floor(whole, count or 6)
    best: list[Window] = []
    for least in (2, 3, 4, 6, 8, 12, 16, 24):
        leaves = _xy_cut(blank, whole, least, floor)
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
        are taken apart only if exactly that many parts come out.
    """
    grey = rgb.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    blank = grey >= 240
    whole: Window = (0, 0, grey.shape[0], grey.shape[1])
    leaves = _by_gutters(blank, whole, count)
    pictures = [leaf for leaf in leaves if _picture(grey, leaf)]
    large = max((float(np.prod(size(leaf))) for leaf in pictures), default=0.0)
    pictures = [leaf for leaf in pictures if float(np.prod(size(leaf))) > 0.08 * large]
    covered = sum(float(np.prod(size(leaf))) for leaf in pictures)
    if pictures and covered > 0.5 * blank.size:
        toned = [part for leaf in pictures for part in _toned_cut(grey, leaf)] if len(pictures) != count else []
        if len(toned) == count:  # an information bar has plain rows too, so the caption's count decides
            pictures = toned
        if count is None:
            leaves = cut_unasked(grey, pictures[0]) if len(pictures) == 1 else pictures
        else:
            leaves = _seams_for(grey, pictures, count) if len(pictures) < count else pictures
        return reading_order(leaves)
    if count is not None and len(leaves) == count:
        return reading_order(leaves)
    return [whole]


def join_strips(boxes: Sequence[Box]) -> list[Box]:
    """Placed images that touch along a whole side made one: a figure stored in strips or tiles."""
    out = list(boxes)
    changed = True
    while changed:
        changed = False
        for i, a in enumerate(out):
            for j in range(i + 1, len(out)):
                b = out[j]
                level = abs(a.x0 - b.x0) < 1.5 and abs(a.x1 - b.x1) < 1.5
                beside = abs(a.y0 - b.y0) < 1.5 and abs(a.y1 - b.y1) < 1.5
                gap_down, gap_across = max(a.y0, b.y0) - min(a.y1, b.y1), max(a.x0, b.x0) - min(a.x1, b.x1)
                if (level and gap_down < 1.5) or (beside and gap_across < 1.5):
                    out[i] = a.union(b)
                    del out[j]
                    changed = True
                    break
            if changed:
                break
    return out


def placed_panels(images: Sequence[Box], figure: Box, count: int | None) -> list[Box]:
    """Panels that stand in the file as images of their own; empty where they do not make up the figure."""
    inside = [box for box in images if box.share_inside(figure) > 0.9 and box.area > 0.02 * figure.area]
    inside = [box for box in inside if not any(box != other and box.share_inside(other) > 0.9 for other in inside)]
    for boxes in (inside, join_strips(inside)):
        if len(boxes) > 1 and len(boxes) == count:
            return boxes
    boxes = join_strips(inside)
    covered = sum(box.area for box in boxes)
    if len(boxes) > 1 and count is None and covered > 0.6 * figure.area:
        return boxes
    return []
