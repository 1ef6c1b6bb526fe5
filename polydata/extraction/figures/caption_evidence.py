"""Whether a line begins a caption or mentions a figure in the text: what speaks for it and against it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from polydata.extraction.document.lines import OCR_FONT, Line
from polydata.extraction.document.textlines import same_column
from polydata.extraction.figures.caption_lines import SEPARATOR, Body
from polydata.text.figure_labels import Label, is_label_alone, read_label
from polydata.types import Box

PARTS = r"\s*(?:\(?[a-zA-Z](?:\s*[-–,]\s*[a-zA-Z])*\)\s*(?:(?:,|and|&|to)\s*)?)*"
MENTION = re.compile(
    r"^\s*[,;)\]/]|^" + PARTS + r"\s*(?:"
    r"shows?|showed|shown|is|are|was|were|has|have|had|presents?|presented|depicts?|depicted|illustrates?|illustrated|"
    r"displays?|displayed|demonstrates?|demonstrated|indicates?|indicated|gives?|compares?|compared|represents?|"
    r"reports?|reveals?|revealed|provides?|contains?|describes?|summari[sz]es?|suggests?|exhibits?|plots?|reproduces?|"
    r"confirms?|and|or|to|in|of|for|as|at|by|on|with|from|that|which|where|when|while|we|it|can|could|may|might|will|"
    r"also|clearly|below|above|respectively|further|again|therefore|ref|"
    r"の|は|に|を|で|から|より|が|も|と|へ|および|及び|中|所示|为|是|显示|可)"
    r"(?:\b|(?<=[\u3040-\u30ff\u4e00-\u9fff]))"
)
LETTERED = re.compile(r"[a-z][,.:)]?\s[A-Z]")
"""The first panel's words right behind a label: "Fig. 4 a, Schematic diagram"."""
LEADS_ON = re.compile(
    r"(?:\b(?:in|see|and|of|to|the|from|with|by|cf|ref|on|as|at|or|both|also)|[(\[,;–-])\.?$", re.IGNORECASE
)
LIKELY = 3.0
"""Evidence from which a line is taken for the beginning of a caption; see ``evidence_of``."""


def line_above(line: Line, lines: Sequence[Line], reach: float = 1.6) -> Line | None:
    """The nearest line over this one in its column, at most so many heights away, where it belongs to the same text.

    A short line is writing of a figure, such as a tick or the title of a panel, or ends a paragraph.
    """
    best = None
    for other in lines:
        step = line.baseline - other.baseline
        near = 0.5 * line.size < step < reach * max(line.size, other.size)
        if other.upright and near and same_column(other, line) and (best is None or other.baseline > best.baseline):
            best = other
    if best is None:
        return None
    return best if best.box.width > 0.6 * line.box.width else None


def _goes_on(line: Line, lines: Sequence[Line]) -> bool:
    """Whether a line is a piece of one of running text: another stands close before it, and the next line over or
    under them runs through the gap between.
    """
    size, left = line.size, line.box.x0
    near = [one for one in lines if abs(one.baseline - line.baseline) < 2.5 * size and abs(one.size - size) < 0.4]
    return any(
        0 < left - one.box.x1 < 3 * size
        and one.words
        and one.block == line.block
        and read_label(one.text) is None
        and abs(one.baseline - line.baseline) < 0.2 * size
        and any(other.box.x0 < one.box.x1 - size and other.box.x1 > left + size for other in near)
        for one in near
    )


def evidence_of(line: Line, label: Label, lines: Sequence[Line], body: Body) -> float | None:
    """Points for and against a caption beginning here; None where it is certainly a mention in the text."""
    rest = line.text[label.end : label.end + 200]
    separated = bool(SEPARATOR.match(rest))
    if not separated and MENTION.match(rest):
        return None
    bare = re.sub(r"^[\s.:|│–—-]+", "", rest)
    styled = line.bold or line.first_font not in (body.font, OCR_FONT)
    own_type = styled and line.first_font != line.font  # "Fig. 6 a SEM" with its label in bold
    lower = bare[:1].islower() and not own_type and not LETTERED.match(bare)
    if not separated and not line.bold and (lower or not (label.plain or line.font == OCR_FONT)):
        return None
    if _goes_on(line, lines):
        return None
    above = line_above(line, lines)
    points = 2.0 * separated + 1.5 * styled + 1.0 * (abs(line.size - body.size) > 0.4)
    if bare[:1].isupper() or bare[:1] in "([" or bare[:1].isdigit() or ord(bare[:1] or " ") > 0x2FFF:
        points += 1.0
    if above is None:
        far = line_above(line, lines, 1.2 * body.spacing)  # of a text set with space between its lines
        points += -2.0 if far and LEADS_ON.search(far.text) else 2.0
    elif abs(above.size - line.size) > 0.4 or (above.font != line.font and not above.bold):
        points += 1.0
    else:
        points -= 1.5
        if LEADS_ON.search(above.text):
            points -= 2.0
    return points


def _overlap(one: Box, other: Box) -> bool:
    """Whether one stands over the other."""
    return min(one.x1, other.x1) > max(one.x0, other.x0)


def heads_a_table(line: Line, lines: Sequence[Line]) -> bool:
    """Whether a label stands in a row with two others, each over a number: columns of a table about figures."""
    row = [one for one in lines if abs(one.baseline - line.baseline) < 0.3 * line.size and is_label_alone(one.text)]
    return len(row) > 2 and all(
        any(
            not other.words and 0 < other.baseline - one.baseline < 3 * one.size and _overlap(other.box, one.box)
            for other in lines
        )
        for one in row
    )


APART = 2.5
"""Heights of a line to the same caption in another language."""


def translation(label: Label, taken: Sequence[Line], lines: Sequence[Line], body: Body) -> Line | None:
    """The line that begins the same caption in another language, English one of them, among a caption's lines or next
    beneath them.

    Args:
        label: of the caption.
        taken: its lines.
        lines: upright ones of the page.
        body: of the document.
    """
    first, last = taken[0], taken[-1]
    under = [
        line
        for line in lines
        if first.baseline < line.baseline < last.baseline + APART * last.size and same_column(line, first)
    ]
    beneath = min((line for line in under if line.baseline > last.baseline), key=lambda one: one.baseline, default=None)
    for line in under:
        if not (line in taken or line is beneath) or abs(line.size - first.size) > 0.3 * first.size:
            continue
        other = read_label(line.text)
        same = other and (other.word, other.number) == (label.word, label.number) and other.english != label.english
        if other and same and other.plain and label.plain and line.font in (first.font, last.font):
            alone = is_label_alone(line.text) and is_label_alone(first.text)
            return None if alone or evidence_of(line, other, lines, body) is None else line
    return None
