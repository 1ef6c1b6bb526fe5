"""How far a caption goes: its lines from the first, in one column or two, over the page, or away from its label."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from polydata.extraction.document.lines import OCR_FONT, Line
from polydata.extraction.document.page import PageContent, usual
from polydata.extraction.document.textlines import is_furniture, line_spacing, same_column
from polydata.text.caption_words import OPENING
from polydata.text.figure_labels import LOST_DASH, is_label_alone, read_label

SEPARATOR = re.compile(rf"^\s*[.:|│–—．。：]|^\s+-\s|^\s*\((?i:cont)|^{LOST_DASH}")
"""What parts a label from its words."""
ENDED = re.compile(r"(?:[.\]。]|(?<![(（][A-Za-z])[)）])$")
"""A line that may be a caption's last: it ends a sentence and not with the letter of a panel."""

CAPTION_LINES = 80
"""No caption is longer."""

ROOM, WORDED = 5.0, 4
"""Lines of a label's size that a figure takes at least between its label and its words, and words of a line of text."""


@dataclass(frozen=True)
class Body:
    """How the running text of a document is set: font, size in points, line distance in units of the size."""

    font: str
    size: float
    spacing: float


def body_of(pages: Sequence[PageContent]) -> Body:
    """How it is set mostly."""
    return Body(
        usual(pages, lambda line: line.font, ""), usual(pages, lambda line: line.size, 10.0), line_spacing(pages)
    )


def _starts_other(line: Line) -> bool:
    label = read_label(line.text)
    return label is not None and bool(label.word == "table" or line.bold or SEPARATOR.match(line.text[label.end :]))


def _next_line(taken: Sequence[Line], lines: Sequence[Line], body: Body) -> Line | None:
    """The line that goes on with a caption, None where it ends."""
    last, alone = taken[-1], is_label_alone(taken[0].text)
    size = taken[1 if alone and len(taken) > 1 else 0].size
    left, right = min(line.box.x0 for line in taken), max(line.box.x1 for line in taken)
    below = [
        line
        for line in lines
        if line.baseline > last.baseline + 0.4 * size
        and min(line.box.x1, right) - max(line.box.x0, left) > 0.5 * min(line.box.width, right - left)
    ]
    if not below:
        return None
    line = min(below, key=lambda one: (one.baseline, one.box.x0))
    step = line.baseline - last.baseline
    steps = [b.baseline - a.baseline for a, b in pairwise(taken) if b.baseline > a.baseline + 0.4 * size]
    known = sorted(steps)[len(steps) // 2] if steps else None
    same_block = line.block == last.block
    limit = 1.35 * known if known else max(1.75 if same_block else 1.5, 1.1 * body.spacing) * size
    if step > limit + 0.5 or _starts_other(line):
        return None
    heading = alone and len(taken) == 1 and (same_block or abs(line.size - body.size) > 0.4)
    if heading and 0.6 < line.size / size < 1.6 and abs(line.box.x0 - left) < size:
        return line  # a label in a line and a size of its own over the words
    if abs(line.size - size) > (0.8 if same_block else 0.45) and len(line.text) > 4:
        return None
    centred = abs((line.box.x0 + line.box.x1) - (left + right)) < 3 * size
    if not centred and abs(line.box.x0 - left) > 3 * size and not _hangs(line, taken, size):
        return None
    if same_block or (len(taken) == 1 and last.font == OCR_FONT and is_label_alone(last.text)):
        return line
    plain = {one.font for one in taken}
    even = step < (1.12 * known if known else 1.35 * size)
    own = abs(size - body.size) > 0.3 or body.font not in plain
    if own and even and line.font in plain and abs(line.size - size) < 0.3:
        return line  # set like the caption and unlike the running text, at the same distance
    foreign = line.font == body.font and body.font not in plain
    wider = line.box.x1 > right + 3 * size and len(taken) > 1
    if foreign or wider:
        return None
    middle = abs((line.box.x0 + line.box.x1) - (last.box.x0 + last.box.x1)) < 0.6 * size
    if even and middle and known and abs(line.box.x0 - last.box.x0) > 0.6 * size:
        return line  # both are centred
    ended = ENDED.search(last.text) and (
        last.box.x1 < right - 2 * size or len(taken) == 1 or line.box.x0 > left + 0.8 * size
    )
    return None if ended and line.text[:1].isupper() else line


def _hangs(line: Line, taken: Sequence[Line], size: float) -> bool:
    """Whether a line is set in as far as the words behind the label, or as the lines before it are."""
    if len(taken) > 1:
        row = [one for one in taken if abs(one.baseline - taken[-1].baseline) < 0.2 * size]
        return abs(line.box.x0 - min(one.box.x0 for one in row)) < size
    box, text, label = taken[0].box, taken[0].text, read_label(taken[0].text)
    start = 1 - len(text[label.end :].lstrip(OPENING)) / len(text) if label else 0.0
    return abs(line.box.x0 - box.x0 - start * box.width) < 2 * size


def _row(line: Line, lines: Sequence[Line], size: float, right: float) -> list[Line]:
    """A line with the pieces that stand right of it in its block, torn off by wide spaces."""
    row = [line]
    for other in sorted(lines, key=lambda one: one.box.x0):
        level = other.block == line.block and abs(other.baseline - line.baseline) < 0.2 * size
        if level and 0 < other.box.x0 - row[-1].box.x1 < 4 * size and other.box.x1 < right + size:
            row.append(other)
    return row


def grow(start: Line, lines: Sequence[Line], body: Body) -> tuple[Line, ...]:
    """The lines of a caption from its first.

    Args:
        start: the first.
        lines: upright ones of the page.
        body: of the document.
    """
    reach = start.baseline + CAPTION_LINES * 3 * max(start.size, 1.0)
    near = [line for line in lines if start.baseline - start.size < line.baseline < reach]
    taken = [start]
    while len(taken) < CAPTION_LINES:
        line = _next_line(taken, near, body)
        if line is None:
            break
        taken += _row(line, near, start.size, max(one.box.x1 for one in taken))
    return tuple(taken)


def beside(taken: Sequence[Line], lines: Sequence[Line], body: Body) -> tuple[Line, ...]:
    """The lines with which a caption that is set in two columns under its figure goes on in the second one.

    Args:
        taken: its lines so far.
        lines: upright ones of the page.
        body: of the document.
    """
    first, last = taken[0], taken[-1]
    right = max(line.box.x1 for line in taken)
    level = [
        line
        for line in lines
        if abs(line.baseline - first.baseline) < 0.3 * first.size
        and right < line.box.x0 < right + 6 * first.size
        and line.font in {one.font for one in taken}
        and abs(line.size - last.size) < 0.3
        and read_label(line.text) is None
    ]
    start = min(level, key=lambda line: line.box.x0, default=None)
    unlike = first.size < body.size - 0.4
    if start is None or not (unlike or start.text[:1].islower()):
        return ()
    more = grow(start, [line for line in lines if line.box.x0 > right], body)
    return more if more[-1].baseline < last.baseline + 1.6 * last.size else ()


def beneath(label: Line, lines: Sequence[Line], body: Body) -> tuple[Line, ...]:
    """The words of a label that stands alone over its figure: beneath the figure, flush or in line with the label and
    in a type of their own, with no running text between.

    Args:
        label: a line with nothing but the label.
        lines: upright ones of the page.
        body: of the document.
    """
    box, size = label.box, label.size
    for line in sorted(lines, key=lambda one: one.baseline):
        across = min(line.box.x1, box.x1) - max(line.box.x0, box.x0)
        if line.box.y0 < box.y1 or across <= 0 or line.words < WORDED:
            continue
        if read_label(line.text) or line.font == body.font or line.baseline - label.baseline < ROOM * size:
            return ()
        begins = abs(line.box.x0 - box.x0) < 0.5 * size or abs(line.box.x0 + line.box.x1 - box.x0 - box.x1) < size
        if begins and abs(line.size - size) < 0.3 * size:
            return grow(line, lines, body)
    return ()


def overleaf(
    taken: Sequence[Line], page: PageContent, after: PageContent, body: Body, prints: frozenset[str]
) -> tuple[Line, ...]:
    """The lines with which a caption that fills its page goes on on the next one, where it is set unlike the text.

    Args:
        taken: its lines so far.
        page, after: its page and the next one.
        body: of the document.
        prints: of running heads.
    """
    last = taken[-1]
    if last.font == body.font and abs(last.size - body.size) <= 0.3:
        return ()
    below = [line for line in page.lines if line.upright and line.baseline > last.baseline + 0.4 * last.size]
    if any(same_column(line, last) and not is_furniture(line, page, prints) for line in below):
        return ()
    lines = [line for line in after.lines if line.upright and not is_furniture(line, after, prints)]
    first = min(lines, key=lambda line: (line.baseline, line.box.x0), default=None)
    if first is None or first.font != last.font or abs(first.size - last.size) > 0.3 or read_label(first.text):
        return ()
    return grow(first, lines, body)


def join_lines(texts: Sequence[str], vocabulary: frozenset[str]) -> str:
    """Lines as one text; a word broken at a line's end is joined where the document knows the whole word."""
    out = ""
    for text in texts:
        left, right = re.search(r"([^\W\d_]+)-$", out[-60:]), re.match(r"[^\W\d_]+", text)
        if left and right and (left[1] + right[0]).lower() in vocabulary:
            out = out[:-1] + text
        elif out.endswith("/") or (left and right and f"{left[1]}-{right[0]}".lower() in vocabulary):
            out += text
        else:
            out = f"{out} {text}" if out else text
    return out
