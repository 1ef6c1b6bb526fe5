"""Which letter stands at which panel, by where both are: in it or beside it, in an order, over a region, or by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import pairwise

import numpy as np

from polydata.extraction.panels.letters import Point
from polydata.extraction.panels.orders import by_columns, by_rows, reading_orders
from polydata.types import Box

BESIDE = 30.0
"""Points between a letter and the panel above, below or beside which it stands."""

PLACES = ("inside", "above", "below", "left", "corner")
"""Where letters stand; all of a figure stand in the same way, the last about the upper left corner, in or out of it."""

ABOUT = 20.0
"""Points from there to the letter; one within the panel counts as so far away, wherever it stands."""


def _distance(box: Box, x: float, y: float, place: str) -> float | None:
    """From a letter to the panel in, above, below, left or at the corner of which it stands; None where it does not."""
    if place == "corner":
        gap = float(np.hypot(x - box.x0, y - box.y0))
        return gap if gap < ABOUT else ABOUT if box.x0 < x < box.x1 and box.y0 < y < box.y1 else None
    if place == "inside":
        within = box.x0 - 2 <= x <= box.x1 + 2 and box.y0 - 2 <= y <= box.y1 + 2
        return abs(x - box.x0) + abs(y - box.y0) if within else None
    gap = {"above": box.y0 - y, "below": y - box.y1, "left": box.x0 - x}[place]
    level = box.y0 - BESIDE / 2 <= y <= box.y1 if place == "left" else box.x0 - BESIDE / 2 <= x <= box.x1
    return gap if level and 0 <= gap <= BESIDE else None


SURER = 0.15
"""By how much one of two letters at a panel must be the surer."""


def letters_at(
    boxes: Sequence[Box], letters: Mapping[str, Point], shares: Mapping[str, float] | None = None
) -> dict[int, str]:
    """The letter of each panel, by the panel's number: one letter a panel, all placed in the same way.

    Of the ways of placing that counts by which most letters have a panel of their own, of equal ones that by which they
    are nearest to it. Letters of panels that were not found have none; a panel at which two letters stand has neither,
    unless one is clearly surer.

    Args:
        boxes: of the panels.
        letters: where each stands.
        shares: how sure each is, 0 to 1; all alike without.
    """
    sure = shares or dict.fromkeys(letters, 1.0)
    best: dict[int, str] = {}
    least = 0.0
    for place in PLACES:
        given: dict[int, list[str]] = {}
        for letter, point in letters.items():
            gaps = ((_distance(box, *point, place), index) for index, box in enumerate(boxes))
            near = [(gap, index) for gap, index in gaps if gap is not None]
            if place == "corner":
                near = [one for one in near if _holds(boxes[one[1]], point)] or near
            if near:
                given.setdefault(min(near)[1], []).append(letter)
        own = {}
        for index, some in given.items():
            first, *others = sorted(some, key=lambda letter: -sure[letter])
            if not others or sure[first] > sure[others[0]] + SURER:
                own[index] = first
        away = sum(_distance(boxes[index], *letters[letter], place) or 0.0 for index, letter in own.items())
        if (len(own), -away) > (len(best), -least):
            best, least = own, away
    return best if 2 * len(best) >= min(len(letters), len(boxes)) else {}


def _holds(box: Box, point: Point) -> bool:
    """Whether a place lies within a panel, and not on its edge."""
    x, y = point
    return min(x - box.x0, box.x1 - x, y - box.y0, box.y1 - y) > ON_GUTTER


def in_order(boxes: Sequence[Box], labels: Sequence[str], seen: Mapping[int, str]) -> dict[int, str]:
    """Of letters that were read, those that stand where the way of reading the figure that fits best has them.

    Where all panels are of one size, one in parts must fit two letters more than those by rows and columns, for one
    letter may be misread.

    Args:
        boxes: of as many panels as there are labels, in reading order.
        labels: in their order.
        seen: letters that were read, by the panel's number.
    """
    orders, whole = reading_orders(boxes), (tuple(by_rows(boxes)), tuple(by_columns(boxes)))
    turns = [dict(zip(order, labels, strict=True)) for order in orders]
    own = [{n: one for n, one in seen.items() if turn[n] == one} for turn in turns]
    alike = all(max(sides) < ALIKE * min(sides) for sides in ([b.width for b in boxes], [b.height for b in boxes]))
    return max(zip(orders, own, strict=True), key=lambda one: len(one[1]) - (alike and one[0] not in whole))[1]


def in_turn(boxes: Sequence[Box], labels: Sequence[str], seen: Mapping[int, str]) -> dict[int, str]:
    """Of letters that were read, those that speak for an order of as many panels as labels.

    Where most agree with the caption's order in a way of reading the figure, those that do. All of four or more that
    follow each other in one count, if two of them stand elsewhere: between a panel that was not found and one too many
    letters are moved by one. Else all, if most panels have one.

    Args:
        boxes: of the panels, in reading order.
        labels: of the caption, in its order.
        seen: letters that were read, by the panel's number.
    """
    agreeing = in_order(boxes, labels, seen)
    rising = any(_rises([labels.index(seen[n]) for n in order if n in seen]) for order in reading_orders(boxes))
    if rising and len(seen) > max(FEW, len(agreeing) + 1):
        return dict(seen)
    if 2 * len(agreeing) > len(seen):
        return agreeing
    return dict(seen) if 2 * len(seen) > len(boxes) else {}


def _rises(numbers: Sequence[int]) -> bool:
    return all(one < other for one, other in pairwise(numbers))


ALIKE = 1.1
"""How many times the sides of panels of one size may differ."""

FEW = 3
"""Letters that follow each other by chance in one way or another of reading a figure."""

CORNER = 0.25
"""Share of a panel's width and height within which a letter stands left and up in it."""

MIDDLE = 0.3
"""Share of a panel's width and height within which its corners reach."""

LEVEL, LEVEL_SHARE = 14.0, 0.1
"""Points, or share of its height, by which a letter that stands further away may be lower than its panel begins."""

OTHERS = 0.25
"""Share of panels that may hold a letter of another one, as those do that were cut too large."""

ON_GUTTER = 4.0
"""Points between the middle of a letter and the edges of two panels from which it stands at both."""

ROW = 0.6
"""Share of the least height of a panel by which letters of one row may differ."""


def _before(x: float, y: float, box: Box) -> bool:
    """Whether a letter stands up or left of a panel, in its upper left quarter, or close beside this."""
    low = box.y0 + max(LEVEL, CORNER * box.height if x > box.x0 - BESIDE else LEVEL_SHARE * box.height)
    within = box.x0 < x < box.x0 + box.width / 2 and box.y0 < y
    return y < low and (within or x < box.x0 + max(BESIDE, CORNER * box.width))


def in_corner(boxes: Sequence[Box], point: Point) -> bool:
    """Whether a place lies in no panel, or about a corner of one: letters stand nowhere else."""
    x, y = point
    return all(
        min(x - box.x0, box.x1 - x) < MIDDLE * box.width and min(y - box.y0, box.y1 - y) < MIDDLE * box.height
        for box in boxes
        if box.x0 < x < box.x1 and box.y0 < y < box.y1
    )


def by_regions(boxes: Sequence[Box], letters: Mapping[str, Point]) -> list[str] | None:
    """The letter of each panel where letters stand up and left of what they name: each names all up to the next.

    A panel belongs to the last letter left of it in the lowest row of letters that does not begin below it.

    Args:
        boxes: of the panels.
        letters: where each letter of the figure stands; none may be missing.

    Returns:
        None where some panel has no letter up and left of it, or too many hold one that is not their own.
    """
    apart = ROW * min(box.height for box in boxes)
    rows: list[list[tuple[float, float, str]]] = []
    for y, x, label in sorted((y, x, label) for label, (x, y) in letters.items()):
        if not rows or y - rows[-1][0][0] > apart:
            rows.append([])
        rows[-1].append((y, x, label))
    out, others = [], 0
    for box in boxes:
        over = ([one for one in row if _before(one[1], one[0], box)] for row in reversed(rows))
        own = next((max(row, key=lambda one: one[1])[2] for row in over if row), None)
        if own is None:
            return None
        inside = [label for label, (x, y) in letters.items() if box.x0 < x < box.x1 and box.y0 < y < box.y1]
        others += bool(inside) and own not in inside
        out.append(own)
    return out if others <= OTHERS * len(boxes) else None


def across_gutters(boxes: Sequence[Box], named: Sequence[str | None], letters: Mapping[str, Point]) -> list[str | None]:
    """The letter of each panel, where one that stands on the gutter between two panels is that of both.

    Args:
        boxes: of the panels.
        named: the letter of each, None where it has none.
        letters: where each stands.
    """
    given = list(named)
    for label, (x, y) in letters.items():
        beside = [
            n
            for n, box in enumerate(boxes)
            if box.y0 < y < box.y1 and min(abs(x - box.x0), abs(x - box.x1)) < ON_GUTTER
        ]
        if len(beside) == 2 and {named[n] for n in beside} == {label, None}:
            for n in beside:
                given[n] = label
    return given


def nearest_panels(boxes: Sequence[Box], letters: Mapping[str, Point]) -> dict[int, str]:
    """The letter of each panel, by the panel's number, where each letter stands nearest to another panel, wherever it
    stands; empty where two stand nearest to the same.

    Args:
        boxes: of the panels.
        letters: where each stands.
    """
    nearest = {min(range(len(boxes)), key=lambda n: _away(boxes[n], point)): label for label, point in letters.items()}
    return nearest if len(nearest) == len(letters) else {}


def _away(box: Box, point: Point) -> float:
    """Distance of a place from a panel, 0 within it."""
    x, y = point
    return float(np.hypot(max(box.x0 - x, x - box.x1, 0.0), max(box.y0 - y, y - box.y1, 0.0)))


_Place = tuple[str, str]
"""Words for height and side, empty where a label does not say."""


def _place_of(label: str) -> _Place | None:
    """Where a label such as "Top left" says that its panel stands; None for letters."""
    said = label.lower().replace("-", " ").split()
    down = next((word for word in ("top", "upper", "bottom", "lower") if word in said), "")
    across = next((word for word in ("left", "right") if word in said), "")
    middle = any(word in ("middle", "center", "centre") for word in said)
    if not (down or across or middle):
        return None
    down = {"upper": "top", "lower": "bottom"}.get(down, down)
    return ("middle", across) if middle and across else (down, across or ("middle" if middle else ""))


def by_place(boxes: Sequence[Box], labels: Sequence[str]) -> list[str | None] | None:
    """Labels of panels by the places that these name, such as "Top left"; None where not all of them name one.

    A panel that two labels fit, or none, has none.
    """
    places = [place for label in labels if (place := _place_of(label))]
    if len(places) < len(labels):
        return None
    around = reduce(Box.union, boxes)
    rows = all(across in ("", "middle") for _, across in places)  # "top, middle, bottom" and not "left, middle, right"
    places = [("middle", "") if rows and place == ("", "middle") else place for place in places]
    out: list[str | None] = []
    for box in boxes:
        x, y = ((box.x0 + box.x1) / 2 - around.x0) / around.width, ((box.y0 + box.y1) / 2 - around.y0) / around.height
        side = "left" if x < 0.4 else "right" if x > 0.6 else "middle"
        height = "top" if y < 0.4 else "bottom" if y > 0.6 else "middle"
        fit = [
            label
            for label, (down, across) in zip(labels, places, strict=True)
            if down in ("", height) and across in ("", side)
        ]
        out.append(fit[0] if len(fit) == 1 else None)
    return out
