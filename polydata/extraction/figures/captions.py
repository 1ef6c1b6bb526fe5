"""Captions: where one begins, how far it goes, and what is only a mention of a figure in the text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise

from polydata.extraction.document.lines import OCR_FONT, Line
from polydata.extraction.document.page import PageContent, usual
from polydata.extraction.document.textlines import is_furniture, line_spacing, same_column
from polydata.text.caption_marks import bracketed
from polydata.text.captions import OPENING
from polydata.text.figure_labels import LOST_DASH, UNKNOWN, Label, is_label_alone, read_label
from polydata.types import Box

SEPARATOR = re.compile(rf"^\s*[.:|│–—．。：]|^\s+-\s|^\s*\((?i:cont)|^{LOST_DASH}")
"""What parts a label from its words."""
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
CONTINUED = re.compile(
    r"^[\s.:,(\[（]{0,4}(?:cont(?:inued|inuation|['’]?d)?(?:\b|\.)|suite\b|Fortsetzung\b|продолжение\b|続き|续|계속)",
    re.IGNORECASE,
)
"""A figure that goes on over the page has a caption of its own there."""

LEADS_ON = re.compile(
    r"(?:\b(?:in|see|and|of|to|the|from|with|by|cf|ref|on|as|at|or|both|also)|[(\[,;–-])\.?$", re.IGNORECASE
)
ENDED = re.compile(r"(?:[.\]。]|(?<![(（][A-Za-z])[)）])$")
"""A line that may be a caption's last: it ends a sentence and not with the letter of a panel."""

CAPTION_LINES = 80
"""No caption is longer."""

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
        lines: its lines, from top to bottom.
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


@dataclass(frozen=True)
class _Body:
    """How the running text of a document is set: font, size in points, line distance in units of the size."""

    font: str
    size: float
    spacing: float


def _body(pages: Sequence[PageContent]) -> _Body:
    return _Body(
        usual(pages, lambda line: line.font, ""), usual(pages, lambda line: line.size, 10.0), line_spacing(pages)
    )


def _above(line: Line, lines: Sequence[Line]) -> Line | None:
    """The nearest line over this one in its column, where it belongs to the same run of text.

    A short line is writing of a figure, such as a tick or the title of a panel, or ends a paragraph.
    """
    best = None
    for other in lines:
        step = line.baseline - other.baseline
        near = 0.5 * line.size < step < 1.6 * max(line.size, other.size)
        if other.upright and near and same_column(other, line) and (best is None or other.baseline > best.baseline):
            best = other
    if best is None:
        return None
    return best if best.box.width > 0.6 * line.box.width else None


def _evidence(line: Line, label: Label, lines: Sequence[Line], body: _Body) -> float | None:
    """Points for and against a caption beginning here; None where it is certainly a mention in the text."""
    rest = line.text[label.end : label.end + 200]
    separated = bool(SEPARATOR.match(rest))
    if not separated and MENTION.match(rest):
        return None
    bare = re.sub(r"^[\s.:|│–—-]+", "", rest)
    styled = line.bold or line.first_font not in (body.font, OCR_FONT)
    own_type = styled and line.first_font != line.font  # "Fig. 6 a SEM" with its label in bold
    lower = bare[:1].islower() and not own_type
    if not separated and not line.bold and (lower or not (label.plain or line.font == OCR_FONT)):
        return None
    above = _above(line, lines)
    points = 2.0 * separated + 1.5 * styled + 1.0 * (abs(line.size - body.size) > 0.4)
    if bare[:1].isupper() or bare[:1] in "([" or bare[:1].isdigit() or ord(bare[:1] or " ") > 0x2FFF:
        points += 1.0
    if above is None:
        points += 2.0
    elif abs(above.size - line.size) > 0.4 or (above.font != line.font and not above.bold):
        points += 1.0
    else:
        points -= 1.5
        if LEADS_ON.search(above.text):
            points -= 2.0
    return points


def _starts_other(line: Line) -> bool:
    label = read_label(line.text)
    return label is not None and bool(label.word == "table" or line.bold or SEPARATOR.match(line.text[label.end :]))


def _next_line(taken: Sequence[Line], lines: Sequence[Line], body: _Body) -> Line | None:
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


def _grow(start: Line, lines: Sequence[Line], body: _Body) -> tuple[Line, ...]:
    """The lines of a caption from its first."""
    reach = start.baseline + CAPTION_LINES * 3 * max(start.size, 1.0)
    near = [line for line in lines if start.baseline - start.size < line.baseline < reach]
    taken = [start]
    while len(taken) < CAPTION_LINES:
        line = _next_line(taken, near, body)
        if line is None:
            break
        taken += _row(line, near, start.size, max(one.box.x1 for one in taken))
    return tuple(taken)


def _beside(taken: Sequence[Line], lines: Sequence[Line], body: _Body) -> tuple[Line, ...]:
    """The lines with which a caption that is set in two columns under its figure goes on in the second one."""
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
    more = _grow(start, [line for line in lines if line.box.x0 > right], body)
    return more if more[-1].baseline < last.baseline + 1.6 * last.size else ()


def _overleaf(
    taken: Sequence[Line], page: PageContent, after: PageContent, body: _Body, prints: frozenset[str]
) -> tuple[Line, ...]:
    """The lines with which a caption that fills its page goes on on the next one, where it is set unlike the text."""
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
    return _grow(first, lines, body)


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


def find_captions(pages: Sequence[PageContent], prints: frozenset[str]) -> tuple[list[Caption], list[Caption]]:
    """Captions of figures and of tables in a document.

    Of several lines that begin with the same label, the one with the most evidence is the caption; a bare
    label on another page than its words (``Fig. 1`` under the figure, the caption overleaf) is kept too.

    Returns:
        Captions of figures, schemes, charts and plates, then those of tables, each in page order.
    """
    usually = _body(pages)
    vocabulary = document_vocabulary(pages)
    found: dict[tuple[str, str], list[Caption]] = defaultdict(list)
    tables: list[Caption] = []
    for page in pages:
        lines = [line for line in page.lines if line.upright]
        body = replace(usually, spacing=max(usually.spacing, line_spacing([page])))
        for line in lines:
            label = read_label(line.text)
            if label is None or (is_furniture(line, page, prints) and len(line.text) > 12):
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
            own = _grow(line, lines, body)
            if not ENDED.search(own[-1].text):
                own += _beside(own, lines, body)
            more: tuple[Line, ...] = ()
            if page.number < len(pages) and not ENDED.search(own[-1].text):
                more = _overleaf(own, page, pages[page.number], body, prints)
            name = label.text, label.word, number
            text = _told_by_type((*own, *more), label.end, vocabulary)
            found[label.word, number].append(_caption(page.number, own, name, points, text))
    captions: list[Caption] = []
    for same in found.values():
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
    body = _body(pages)
    out = []
    for number, picture in pictures:
        lines = [line for line in pages[number - 1].lines if line.upright]
        for line in lines:
            match = UNKNOWN.match(line.text)
            gap = max(line.box.y0 - picture.y1, picture.y0 - line.box.y1)
            across = min(line.box.x1, picture.x1) - max(line.box.x0, picture.x0)
            if match and -5 * line.size < gap < UNKNOWN_GAP and across > 0 and _above(line, lines) is None:
                own = _grow(line, lines, body)
                text = join_lines([one.text for one in own], frozenset())
                out.append(_caption(number, own, (match["label"], "figure", ""), 0.0, text))
                break
    return out
