"""Ways in which the panels of a figure are read one after the other."""

from __future__ import annotations

from collections.abc import Sequence

from polydata.types import Box


def by_rows(boxes: Sequence[Box]) -> list[int]:
    """Numbers of panels row by row, each from left to right; those level by half their height share a row."""
    return _by_lanes([(box.y0, box.y1, box.x0) for box in boxes])


def by_columns(boxes: Sequence[Box]) -> list[int]:
    """Numbers of panels column by column, each from top to bottom."""
    return _by_lanes([(box.x0, box.x1, box.y0) for box in boxes])


def reading_orders(boxes: Sequence[Box]) -> list[tuple[int, ...]]:
    """Ways to read panels, by their numbers: row by row, column by column, and the upper rows and then the lower ones,
    or the left columns and then the right ones, each part row by row or column by column.
    """
    orders = [by_rows(boxes), by_columns(boxes)]
    for axis in (0, 1):
        lane = lanes(boxes, axis)
        for end in range(1, max(lane) + 1):
            first, second = (
                [[part[k] for k in way([boxes[n] for n in part])] for way in (by_rows, by_columns)]
                for part in ([n for n, at in enumerate(lane) if (at < end) is upper] for upper in (True, False))
            )
            orders += [one + other for one in first for other in second]
    return list(dict.fromkeys(map(tuple, orders)))


def _by_lanes(places: Sequence[tuple[float, float, float]]) -> list[int]:
    """Numbers of places lane by lane; a place: from where to where it reaches across its lane, where it is along it."""
    rest, ordered = sorted(range(len(places)), key=lambda n: (places[n][0], places[n][2])), list[int]()
    while rest:
        low, high, _ = places[rest[0]]
        spans = [(n, *places[n][:2]) for n in rest]
        mates = [n for n, a, b in spans if min(b, high) - max(a, low) > 0.5 * min(b - a, high - low)]
        ordered += sorted(mates, key=lambda n: places[n][2])
        rest = [n for n in rest if n not in mates]
    return ordered


def lanes(boxes: Sequence[Box], axis: int) -> list[int]:
    """The lane of each panel, from 0: its row (axis 0) or its column."""
    spans = [(box.y0, box.y1) if axis == 0 else (box.x0, box.x1) for box in boxes]
    lane, last, given = -1, float("-inf"), [0] * len(boxes)
    for n in sorted(range(len(spans)), key=lambda n: spans[n]):
        low, high = spans[n]
        if last - low <= 0.5 * (high - low):
            lane, last = lane + 1, high
        given[n] = lane
    return given
