"""Which letter stands at which panel: as the page's text says, as print in the picture says, else by order."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from polydata.extraction.document.page import Line
from polydata.extraction.panels.grey_raster import by_lanes
from polydata.types import Box
from polydata.vision.measures import Rgb
from polydata.vision.ocr import read_picture

Point = tuple[float, float]

ALONE = re.compile(r"^[(\[]?\s*([A-Za-z]\d?|[ivx]{1,4})\s*[)\].:]?$")
"""A letter that stands alone, with or without brackets."""

AROUND = 16.0
"""Points around a figure in which its letters may stand."""

BESIDE = 30.0
"""Points between a letter and the panel above, below or beside which it stands."""

READ = 6
"""Panels whose corners are read; they tell rows from columns, and more cost time."""

CORNER = 0.25
"""Share of a panel's shorter side that its letter's corner has."""

CELL, RIM = 110, 7
"""Pixels of a corner with its rim on the sheet that is read."""

SURE = 0.8
"""The recogniser's score from which a letter counts."""


def letter_of(text: str) -> str | None:
    """The letter that a piece of print is, without its brackets; None where it is something else."""
    match = ALONE.match(text.strip())
    return match[1] if match else None


def printed_letters(lines: Sequence[Line], figure: Box, labels: Sequence[str]) -> dict[str, Point]:
    """Places of a figure's letters in the page's text, by label as the caption writes it.

    Where a letter stands in several places, as on axes and in formulae, those count that are set like
    the letters which stand once; where that decides nothing, the letter is left out.

    Args:
        lines: of the page.
        figure: its box, in points.
        labels: of the panels, by the caption.
    """
    around = Box(figure.x0 - AROUND, figure.y0 - AROUND, figure.x1 + AROUND, figure.y1 + AROUND)
    by_letter: dict[str, list[Line]] = {}
    wanted = {label.lower(): label for label in labels}
    for line in lines:
        letter = letter_of(line.text) if len(line.text) <= 6 else None
        if letter and letter.lower() in wanted and line.box.share_inside(around) > 0.9:
            by_letter.setdefault(wanted[letter.lower()], []).append(line)
    styles = Counter(_style(some[0]) for some in by_letter.values() if len(some) == 1)
    usual = styles.most_common(1)[0][0] if styles else None
    found = {}
    for label, some in by_letter.items():
        alike = some if len(some) == 1 else [line for line in some if _style(line) == usual]
        if len(alike) == 1:
            box = alike[0].box
            found[label] = ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
    return found


def _style(line: Line) -> tuple[str, float, bool]:
    return line.font, round(line.size), line.bold


PLACES = ("inside", "above", "below", "left")
"""Where letters stand; all of a figure stand in the same way."""


def _distance(box: Box, x: float, y: float, place: str) -> float | None:
    """From a letter to the panel in, above, below or left of which it stands; None where it stands otherwise."""
    if place == "inside":
        within = box.x0 - 2 <= x <= box.x1 + 2 and box.y0 - 2 <= y <= box.y1 + 2
        return abs(x - box.x0) + abs(y - box.y0) if within else None
    gap = {"above": box.y0 - y, "below": y - box.y1, "left": box.x0 - x}[place]
    level = box.y0 - BESIDE / 2 <= y <= box.y1 if place == "left" else box.x0 - BESIDE / 2 <= x <= box.x1
    return gap if level and 0 <= gap <= BESIDE else None


def letters_at(boxes: Sequence[Box], letters: Mapping[str, Point]) -> dict[int, str]:
    """The letter of each panel, by the panel's number: one letter a panel, all placed in the same way.

    Empty where no way of placing gives every letter a panel of its own.
    """
    for place in PLACES:
        given: dict[int, str] = {}
        for letter, point in letters.items():
            gaps = ((_distance(box, *point, place), index) for index, box in enumerate(boxes))
            near = [(gap, index) for gap, index in gaps if gap is not None]
            if not near or min(near)[1] in given:
                break
            given[min(near)[1]] = letter
        else:
            return given
    return {}


def by_columns(boxes: Sequence[Box]) -> list[int]:
    """Numbers of panels column by column, each from top to bottom."""
    rest = sorted(range(len(boxes)), key=lambda index: boxes[index].x0)
    return by_lanes(rest, lambda i: (boxes[i].x0, boxes[i].x1), lambda i: boxes[i].y0)


def named(boxes: Sequence[Box], labels: Sequence[str], seen: Mapping[int, str]) -> list[str | None]:
    """A label for each panel.

    Args:
        boxes: in reading order.
        labels: of the caption, in its order; may be more than there are panels.
        seen: letters that were seen at panels, by the panel's number; may be wrong or missing.

    Returns:
        The labels seen where all panels have one; else the caption's order by rows or by columns,
        whichever agrees with more of what was seen; None for all where the caption names fewer than there are.
    """
    if len(seen) == len(boxes):
        return [seen[index] for index in range(len(boxes))]
    rows = list(range(len(boxes)))
    columns = by_columns(boxes)
    if len(labels) < len(boxes):
        return [seen.get(index) for index in rows]

    def agreeing(order: Sequence[int]) -> int:
        return sum(seen.get(index) == label for index, label in zip(order, labels, strict=False))

    order = columns if agreeing(columns) > agreeing(rows) else rows
    out: list[str | None] = [None] * len(boxes)
    if len(labels) > len(boxes) and len(seen) > agreeing(order):  # letters in between are missing
        return _in_between(order, labels, seen)
    for index, label in zip(order, labels, strict=False):
        out[index] = label
    return out


def _in_between(order: Sequence[int], labels: Sequence[str], seen: Mapping[int, str]) -> list[str | None]:
    """Labels in the caption's order, some skipped so that what was seen is met."""
    out: list[str | None] = [None] * len(order)
    place = 0
    for index in order:
        if index in seen and seen[index] in labels[place:]:
            place = labels.index(seen[index], place)
        if place < len(labels):
            out[index] = labels[place]
            place += 1
    return out


def read_letters(pictures: Sequence[Rgb], labels: Sequence[str]) -> dict[int, str]:
    """Letters burned into the upper left corners of panels, by the panel's number.

    The corners of the first ``READ`` panels are read together, as one picture. A letter read at two panels,
    and one that the caption does not name, does not count.

    Args:
        pictures: of the panels, rows x columns x 3.
        labels: that the caption names.
    """
    sheet = np.full((2 * CELL, CELL * math.ceil(READ / 2), 3), 128, np.uint8)
    for index, picture in enumerate(pictures[:READ]):
        side = max(8, round(CORNER * min(picture.shape[:2])))
        corner = Image.fromarray(np.ascontiguousarray(picture[:side, :side]))
        row, column = divmod(index, math.ceil(READ / 2))
        top, left = row * CELL + RIM, column * CELL + RIM
        size = CELL - 2 * RIM
        sheet[top : top + size, left : left + size] = np.asarray(corner.resize((size, size), Image.Resampling.BILINEAR))
    wanted = {label.lower(): label for label in labels}
    seen: dict[int, str] = {}
    for one in read_picture(sheet):
        letter = letter_of(one.text)
        if letter and letter.lower() in wanted and one.score >= SURE:
            row, column = int((one.y0 + one.y1) / 2 // CELL), int((one.x0 + one.x1) / 2 // CELL)
            seen[row * math.ceil(READ / 2) + column] = wanted[letter.lower()]
    often = Counter(seen.values())
    return {index: letter for index, letter in seen.items() if often[letter] == 1 and index < len(pictures)}
