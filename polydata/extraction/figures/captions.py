"""Captions: where one begins, how far it goes, and what is only a mention of a figure in the text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

from polydata.extraction.document.page import Line, PageContent, usual
from polydata.extraction.document.textlines import OCR_FONT, is_furniture, line_spacing, same_column
from polydata.text.captions import LABEL, WORDS
from polydata.types import Box

TABLE = re.compile(r"^\W{0,2}(?:TABLE|Table|表)\.?\s*(?:S?[A-Z]?\.?\d+|[IVX]+)(?![\w])")
SEPARATOR = re.compile(r"^\s*[.:|│–—]|^\s+-\s")
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
CONTINUED = re.compile(r"^[\s.:(\[]{0,4}cont(?:inued|['’]?d)\b", re.IGNORECASE)
"""A figure that goes on over the page has a caption of its own there."""

LEADS_ON = re.compile(
    r"(?:\b(?:in|see|and|of|to|the|from|with|by|cf|ref|on|as|at|or|both|also)|[(\[,;–-])\.?$", re.IGNORECASE
)
ENDED = re.compile(r"(?:[.\]]|(?<!\([A-Za-z])\))$")
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


def _above(line: Line, lines: Sequence[Line]) -> Line | None:
    """The nearest line over this one in its column, where it belongs to the same run of text.

    A short line that does not begin where this one does is writing of a figure: a tick, an axis title.
    """
    best = None
    for other in lines:
        step = line.baseline - other.baseline
        near = 0.5 * line.size < step < 1.6 * max(line.size, other.size)
        if other.upright and near and same_column(other, line) and (best is None or other.baseline > best.baseline):
            best = other
    if best is None:
        return None
    flush = abs(best.box.x0 - line.box.x0) < 2 * line.size
    return best if flush or best.box.width > 0.6 * line.box.width else None


def _evidence(line: Line, match: re.Match[str], lines: Sequence[Line], body: _Body) -> float | None:
    """Points for and against a caption beginning here; None where it is certainly a mention in the text."""
    rest = line.text[match.end() : match.end() + 200]
    separated = bool(SEPARATOR.match(rest))
    if not separated and MENTION.match(rest):
        return None
    bare = re.sub(r"^[\s.:|│–—-]+", "", rest)
    styled = line.bold or line.first_font not in (body.font, OCR_FONT)
    if not separated and bare[:1].islower() and not line.bold:
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
    if (match := LABEL.match(line.text)) and (line.bold or SEPARATOR.match(line.text[match.end() :])):
        return True
    return bool(TABLE.match(line.text))


def _next_line(taken: Sequence[Line], lines: Sequence[Line], body: _Body) -> Line | None:
    """The line that goes on with a caption, None where it ends."""
    last, first = taken[-1], taken[0]
    size = first.size
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
    if abs(line.size - size) > (0.8 if same_block else 0.45) and len(line.text) > 4:
        return None
    centred = abs((line.box.x0 + line.box.x1) - (left + right)) < 3 * size
    if not centred and abs(line.box.x0 - left) > 3 * size:
        return None
    if same_block:
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


def join_lines(texts: Sequence[str], vocabulary: frozenset[str]) -> str:
    """Lines as one text; a word broken at a line's end is joined where the document knows the whole word."""
    out = ""
    for text in texts:
        left, right = re.search(r"([^\W\d_]+)-$", out[-60:]), re.match(r"[^\W\d_]+", text)
        if left and right and (left[1] + right[0]).lower() in vocabulary:
            out = out[:-1] + text
        elif left and right and f"{left[1]}-{right[0]}".lower() in vocabulary:
            out += text
        else:
            out = f"{out} {text}" if out else text
    return out


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
    body = _Body(
        usual(pages, lambda line: line.font, ""), usual(pages, lambda line: line.size, 10.0), line_spacing(pages)
    )
    vocabulary = document_vocabulary(pages)
    found: dict[tuple[str, str], list[Caption]] = defaultdict(list)
    tables: list[Caption] = []
    for page in pages:
        lines = [line for line in page.lines if line.upright]
        for line in lines:
            if TABLE.match(line.text) and _above(line, lines) is None:
                tables.append(_caption(page.number, (line,), (line.text[:20], "table", ""), 0.0, line.text))
            match = LABEL.match(line.text)
            if match is None or (is_furniture(line, page, prints) and len(line.text) > 12):
                continue
            points = _evidence(line, match, lines, body)
            if points is None or points < LIKELY:
                continue
            word = WORDS[match["word"].lower()]
            number = re.sub(r"\s", "", match["number"]).lower().replace("–", "-")
            if CONTINUED.match(line.text[match.end() :]):
                number += " continued"
            label = " ".join(match["label"].split())
            own = _grow(line, lines, body)
            text = join_lines([one.text for one in own], vocabulary)
            found[word, number].append(_caption(page.number, own, (label, word, number), points, text))
    captions: list[Caption] = []
    for same in found.values():
        best = max(same, key=lambda one: (not one.bare, one.evidence, -one.page))
        captions.append(best)
        if not best.bare:
            captions += [one for one in same if one.bare and one.page != best.page][:1]
    captions.sort(key=lambda one: (one.page, one.box.y0, one.box.x0))
    return captions, tables
