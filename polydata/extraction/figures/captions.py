"""Captions: where one begins, how far it goes, and what is only a mention of a figure in the text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce

from polydata.extraction.document.lines import OCR_FONT, Line
from polydata.extraction.document.page import PageContent
from polydata.extraction.document.textlines import line_spacing, repeats
from polydata.extraction.figures.caption_evidence import (
    LIKELY,
    evidence_of,
    heads_a_table,
    line_above,
    translation,
)
from polydata.extraction.figures.caption_lines import (
    ENDED,
    Body,
    beneath,
    beside,
    body_of,
    grow,
    join_lines,
    overleaf,
)
from polydata.text.caption_marks import bracketed
from polydata.text.caption_words import OPENING
from polydata.text.figure_labels import UNKNOWN, Label, is_label_alone, read_label
from polydata.types import Box

CONTINUED = re.compile(
    r"^[\s.:,(\[（]{0,4}(?:cont(?:inued|inuation|['’]?d)?(?:\b|\.)|suite\b|Fortsetzung\b|продолжение\b|続き|续|계속)",
    re.IGNORECASE,
)
"""A figure that goes on over the page has a caption of its own there."""


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
    return Caption(page, *name, text, _around(lines), lines, evidence)


def _around(lines: Sequence[Line]) -> Box:
    return reduce(Box.union, (line.box for line in lines))


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


@dataclass(frozen=True)
class _Document:
    """Where captions are read: pages, running heads, words."""

    pages: Sequence[PageContent]
    prints: frozenset[str]
    vocabulary: frozenset[str]

    def caption(
        self, page: PageContent, line: Line, label: Label, lines: Sequence[Line], body: Body
    ) -> tuple[Caption, Line | None]:
        """The caption that a line begins, in its own language alone, and the line that begins it in another."""
        own = grow(line, lines, body)
        words = beneath(line, lines, body) if is_label_alone(line.text) else ()
        own = words or own
        if not ENDED.search(own[-1].text):
            own += beside(own, lines, body)
        more: tuple[Line, ...] = ()
        if page.number < len(self.pages) and not ENDED.search(own[-1].text):
            more = overleaf(own, page, self.pages[page.number], body, self.prints)
        other = translation(label, own, lines, body)
        if other in own:
            own, more = own[: own.index(other)], ()
        whole = (line, *own) if words else own
        text = _told_by_type((*whole, *more), label.end, self.vocabulary)
        text = label.text + text[label.end :]  # with what was misread in it mended
        number = label.number + (" continued" if CONTINUED.match(line.text[label.end :]) else "")
        return _caption(page.number, own, (label.text, label.word, number), 0.0, text), other


TWO_LANGUAGES = 2.0
"""Evidence that a caption gains from another with its number in another language beneath it."""


def find_captions(pages: Sequence[PageContent], prints: frozenset[str]) -> tuple[list[Caption], list[Caption]]:
    """Captions of figures and of tables in a document.

    Of several lines that begin with the same label, the one with the most evidence is the caption; a bare
    label on another page than its words (``Fig. 1`` under the figure, the caption overleaf) is kept too. Of a caption
    in two languages, one beneath the other, the English one is taken, with the lines of both.

    Returns:
        Captions of figures, schemes, charts and plates, then those of tables, each in page order.
    """
    usually = body_of(pages)
    document = _Document(pages, prints, document_vocabulary(pages))
    found: dict[tuple[str, str], list[Caption]] = defaultdict(list)
    tables: list[Caption] = []
    for page in pages:
        lines = [line for line in page.lines if line.upright]
        body = replace(usually, spacing=max(usually.spacing, line_spacing([page])))
        for line in lines:
            label = read_label(line.text)
            if label is None or (repeats(line, page, prints) and len(line.text) > 12):
                continue
            if is_label_alone(line.text) and heads_a_table(line, lines):
                continue
            if label.word == "table":
                if line_above(line, lines) is None:
                    tables.append(_caption(page.number, (line,), (line.text[:20], "table", ""), 0.0, line.text))
                continue
            points = evidence_of(line, label, lines, body)
            if points is None or points < LIKELY:
                continue
            caption, other = document.caption(page, line, label, lines, body)
            if other and (second := read_label(other.text)):
                points += TWO_LANGUAGES
                translated, _ = document.caption(page, other, second, lines, body)
                both = (*caption.lines, *translated.lines)
                caption = replace(translated if second.english else caption, lines=both, box=_around(both))
            found[label.word, caption.number].append(replace(caption, evidence=points))
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
            if match and -5 * line.size < gap < UNKNOWN_GAP and across > 0 and line_above(line, lines) is None:
                own = grow(line, lines, body)
                text = join_lines([one.text for one in own], frozenset())
                out.append(_caption(number, own, (match["label"], "figure", ""), 0.0, text))
                break
    return out
