"""Captions: where one begins, how far it goes, and what is only a mention of a figure in the text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

from polydata.extraction.document.lines import OCR_FONT, Line
from polydata.extraction.document.page import PageContent
from polydata.extraction.document.textlines import line_spacing, repeats, same_column
from polydata.extraction.figures.caption_lines import (
    ENDED,
    SEPARATOR,
    Body,
    beneath,
    beside,
    body_of,
    grow,
    join_lines,
    overleaf,
)
from polydata.text.caption_marks import bracketed
from polydata.text.captions import OPENING
from polydata.text.figure_labels import UNKNOWN, Label, is_label_alone, read_label
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
CONTINUED = re.compile(
    r"^[\s.:,(\[（]{0,4}(?:cont(?:inued|inuation|['’]?d)?(?:\b|\.)|suite\b|Fortsetzung\b|продолжение\b|続き|续|계속)",
    re.IGNORECASE,
)
"""A figure that goes on over the page has a caption of its own there."""

LEADS_ON = re.compile(
    r"(?:\b(?:in|see|and|of|to|the|from|with|by|cf|ref|on|as|at|or|both|also)|[(\[,;–-])\.?$", re.IGNORECASE
)
LIKELY = 3.0
"""Evidence from which a line is taken for the beginning of a caption; see ``_evidence``."""


@dataclass(frozen=True)
class Caption:
    """A caption as it stands on a page.

    Attributes:
        page: 1-based.
        label: as printed, without the sign after it.
        word: ``figure``, ``scheme``, ``chart``, ``plate``, ``graph``, ``table``.
        number: normalised, for comparison.
        text: the whole caption, label included.
        box: in points.
        lines: its lines, from top to bottom, without the label where that stands over the figure and they beneath it.
        evidence: how sure it is that this is a caption; see ``LIKELY``.
    """

    page: int
    label: str
    word: str
    number: str
    text: str
    box: Box
    lines: tuple[Line, ...]
    evidence: float

    @property
    def bare(self) -> bool:
        """Nothing but the label: the words stand elsewhere."""
        return len(self.text) <= len(self.label) + 3


def _above(line: Line, lines: Sequence[Line], reach: float = 1.6) -> Line | None:
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


def _evidence(line: Line, label: Label, lines: Sequence[Line], body: Body) -> float | None:
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
    above = _above(line, lines)
    points = 2.0 * separated + 1.5 * styled + 1.0 * (abs(line.size - body.size) > 0.4)
    if bare[:1].isupper() or bare[:1] in "([" or bare[:1].isdigit() or ord(bare[:1] or " ") > 0x2FFF:
        points += 1.0
    if above is None:
        far = _above(line, lines, 1.2 * body.spacing)  # of a text set with space between its lines
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


def _heads_a_table(line: Line, lines: Sequence[Line]) -> bool:
    """Whether a label stands in a row with two others, each over a number: columns of a table about figures."""
    row = [one for one in lines if abs(one.baseline - line.baseline) < 0.3 * line.size and is_label_alone(one.text)]
    return len(row) > 2 and all(
        any(
            not other.words and 0 < other.baseline - one.baseline < 3 * one.size and _overlap(other.box, one.box)
            for other in lines
        )
        for one in row
    )


def _told_by_type(lines: Sequence[Line], start: int, vocabulary: frozenset[str]) -> str:
    """A caption's lines as one text, with brackets around letters of panels that are told by bold type alone.

    Args:
        lines: of the caption.
        start: where its label ends.
        vocabulary: of the document.
    """
    text, bold = "", list[tuple[int, int]]()
    for line in lines:
        text = join_lines([text, line.text], vocabulary)
        offset = len(text) - len(line.text)
        bold += [(offset + begin, offset + end) for begin, end in line.in_bold]
    body = start + len(text[start:]) - len(text[start:].lstrip(OPENING))
    after = [(max(begin, body) - body, end - body) for begin, end in bold if end > body]
    return text[:body] + bracketed(text[body:], after)


def document_vocabulary(pages: Sequence[PageContent]) -> frozenset[str]:
    """Words and hyphenated words that stand within lines of the document, in lower case."""
    texts = (line.text for page in pages for line in page.lines)
    return frozenset(word.lower() for text in texts for word in re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", text))


def _caption(page: int, lines: tuple[Line, ...], name: tuple[str, str, str], evidence: float, text: str) -> Caption:
    """A caption from its lines; ``name`` is label, word and number."""
    return Caption(page, *name, text, reduce(Box.union, (line.box for line in lines)), lines, evidence)


def _counted(found: Mapping[tuple[str, str], list[Caption]]) -> dict[tuple[str, str], list[Caption]]:
    """Captions by word and number; those that OCR numbers ``I`` or ``II`` are 1 or 11 where the others have figures."""
    out = dict(found)
    for (word, number), same in found.items():
        meant, label = number.replace("i", "1"), re.sub(r"I{1,2}(?=\W*$)", number.replace("i", "1"), same[0].label)
        misread = number in ("i", "ii") and (word, meant) not in found and same[0].lines[0].font == OCR_FONT
        if misread and any(other == word and counted.isdecimal() for other, counted in found):
            del out[word, number]
            out[word, meant] = [
                replace(one, label=label, number=meant, text=label + one.text[len(one.label) :]) for one in same
            ]
    return out


def find_captions(pages: Sequence[PageContent], prints: frozenset[str]) -> tuple[list[Caption], list[Caption]]:
    """Captions of figures and of tables in a document.

    Of several lines that begin with the same label, the one with the most evidence is the caption; a bare
    label on another page than its words (``Fig. 1`` under the figure, the caption overleaf) is kept too.

    Returns:
        Captions of figures, schemes, charts and plates, then those of tables, each in page order.
    """
    usually = body_of(pages)
    vocabulary = document_vocabulary(pages)
    found: dict[tuple[str, str], list[Caption]] = defaultdict(list)
    tables: list[Caption] = []
    for page in pages:
        lines = [line for line in page.lines if line.upright]
        body = replace(usually, spacing=max(usually.spacing, line_spacing([page])))
        for line in lines:
            label = read_label(line.text)
            if label is None or (repeats(line, page, prints) and len(line.text) > 12):
                continue
            if is_label_alone(line.text) and _heads_a_table(line, lines):
                continue
            if label.word == "table":
                if _above(line, lines) is None:
                    tables.append(_caption(page.number, (line,), (line.text[:20], "table", ""), 0.0, line.text))
                continue
            points = _evidence(line, label, lines, body)
            if points is None or points < LIKELY:
                continue
            continued = CONTINUED.match(line.text[label.end :])
            number = label.number + (" continued" if continued else "")
            own = grow(line, lines, body)
            words = beneath(line, lines, body) if is_label_alone(line.text) else ()
            own = words or own
            if not ENDED.search(own[-1].text):
                own += beside(own, lines, body)
            more: tuple[Line, ...] = ()
            if page.number < len(pages) and not ENDED.search(own[-1].text):
                more = overleaf(own, page, pages[page.number], body, prints)
            name = label.text, label.word, number
            whole = (line, *own) if words else own
            text = _told_by_type((*whole, *more), label.end, vocabulary)
            text = label.text + text[label.end :]  # with what was misread in it mended
            found[label.word, number].append(_caption(page.number, own, name, points, text))
    captions: list[Caption] = []
    for same in _counted(found).values():
        best = max(same, key=lambda one: (not one.bare, one.evidence, -one.page))
        captions.append(best)
        if not best.bare:
            captions += [one for one in same if one.bare and one.page != best.page][:1]
    captions.sort(key=lambda one: (one.page, one.box.y0, one.box.x0))
    return captions, tables


UNKNOWN_GAP = 40.0
"""Points from a picture to what may be its caption in a language that is not known; it may count as its writing."""


def unknown_captions(pages: Sequence[PageContent], pictures: Sequence[tuple[int, Box]]) -> list[Caption]:
    """What stands over or under a picture without caption and looks like one, though its word is not known.

    Args:
        pages: in order.
        pictures: without captions: page and box.
    """
    body = body_of(pages)
    out = []
    for number, picture in pictures:
        lines = [line for line in pages[number - 1].lines if line.upright]
        for line in lines:
            match = UNKNOWN.match(line.text)
            gap = max(line.box.y0 - picture.y1, picture.y0 - line.box.y1)
            across = min(line.box.x1, picture.x1) - max(line.box.x0, picture.x0)
            if match and -5 * line.size < gap < UNKNOWN_GAP and across > 0 and _above(line, lines) is None:
                own = grow(line, lines, body)
                text = join_lines([one.text for one in own], frozenset())
                out.append(_caption(number, own, (match["label"], "figure", ""), 0.0, text))
                break
    return out
