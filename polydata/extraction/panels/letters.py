"""Letters of panels: where the page's text has them, with words beside them, and where they are read in a picture."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np

from polydata.extraction.document.lines import Line
from polydata.extraction.panels.render import Drawn
from polydata.text.caption_marks import PLAIN
from polydata.types import Box
from polydata.vision.corner_letters import LETTERS, find_letters

Point = tuple[float, float]

ALONE = re.compile(r"^[(\[]?\s*([A-Za-zА-Яа-я](?:\d{1,2})?['′’]{0,2}|\d{1,2}|[ivx]{1,4})\s*[)\].:]?$")
"""A letter that stands alone, with or without brackets."""

WITH_WORDS = re.compile(r"[(\[]?([A-Za-z])[)\]]\s?(\w.{2,100})$")
"""A letter with the words of its panel, as some papers have them beneath each."""

AROUND = 16.0
"""Points around a figure in which its letters may stand."""

BEYOND = 4
"""Letters that may be printed in a figure beyond those of its caption."""


def letter_of(text: str) -> str | None:
    """The letter that a piece of print is, without its brackets; None where it is something else."""
    match = ALONE.match(text.strip())
    return match[1].translate(PLAIN) if match else None


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
    by_letter: dict[str, list[tuple[Point, Line]]] = {}
    wanted, worded = {label.lower(): label for label in labels}, printed_words(lines, figure)
    for line in lines:
        letter, point = _letter_at(line)
        if WITH_WORDS.match(line.text) and letter not in worded:
            continue
        if letter and letter.lower() in wanted and line.box.share_inside(around) > 0.9:
            by_letter.setdefault(wanted[letter.lower()], []).append((point, line))
    styles = Counter(_style(some[0][1]) for some in by_letter.values() if len(some) == 1)
    usual = styles.most_common(1)[0][0] if styles else None
    found = {}
    for label, some in by_letter.items():
        alike = some if len(some) == 1 else [(point, line) for point, line in some if _style(line) == usual]
        if len(alike) == 1:
            found[label] = alike[0][0]
    return found


def printed_words(lines: Sequence[Line], figure: Box) -> dict[str, str]:
    """Words that stand with their letter at each panel, by letter; none unless two or more letters follow each other.

    Args:
        lines: of the page.
        figure: its box, in points.
    """
    around = Box(figure.x0 - AROUND, figure.y0 - AROUND, figure.x1 + AROUND, figure.y1 + AROUND)
    inside = [WITH_WORDS.match(line.text) for line in lines if line.box.share_inside(around) > 0.9]
    found = [(one[1], one[2]) for one in inside if one]
    letters = sorted(letter for letter, _ in found)
    rising = all(ord(b) - ord(a) == 1 for a, b in pairwise(letters))
    return dict(found) if rising and len(found) > 1 else {}


def _letter_at(line: Line) -> tuple[str | None, Point]:
    """The letter that a line is, or begins with in a type of its own ("b" before a tick's "0.4") or a bracket."""
    box, middle = line.box, (line.box.y0 + line.box.y1) / 2
    if len(line.text) <= 6 and (letter := letter_of(line.text)):
        return letter, ((box.x0 + box.x1) / 2, middle)
    if with_words := WITH_WORDS.match(line.text):
        return with_words[1], ((box.x0 + box.x1) / 2, middle)
    first, _, rest = line.text.partition(" ")
    return letter_of(first) if rest and line.first_font != line.font else None, (box.x0 + line.size / 3, middle)


WINDOWS = (44.0, 88.0)
"""Points of the squares in which letters are looked for: those of letters of 8 to 30 points."""

MOST_SQUARES = 40
"""Squares along the longer side of a figure; those of a poster are larger."""

SURE = 0.6
"""Probability from which a letter counts."""


def read_letters(drawn: Drawn, labels: Sequence[str]) -> dict[str, tuple[Point, float]]:
    """Places of a figure's letters in its picture, in points on the page, each with its probability, by label.

    Args:
        drawn: the figure.
        labels: that the caption names; only single letters and figures are read.
    """
    wanted = {label.lower(): label for label in labels if len(label) == 1 and label.lower() in LETTERS}
    if not wanted:
        return {}
    grey, scale = np.asarray(cv2.cvtColor(drawn.rgb, cv2.COLOR_RGB2GRAY), np.uint8), drawn.dpi / 72
    finest = max(grey.shape) / MOST_SQUARES
    found = find_letters(grey, [max(finest, window * scale) for window in WINDOWS], "".join(wanted), thorough=False)
    return {
        wanted[letter]: ((drawn.box.x0 + column / scale, drawn.box.y0 + row / scale), share)
        for letter, (share, row, column) in found.items()
        if share > SURE
    }


def following(labels: Sequence[str]) -> list[str]:
    """Letters that would go on with a caption's, of panels that it does not name."""
    last = labels[-1] if labels else ""
    return [chr(ord(last) + step) for step in range(1, BEYOND + 1)] if len(last) == 1 and last.isalpha() else []


def _style(line: Line) -> tuple[str, bool]:
    return line.first_font, line.bold
