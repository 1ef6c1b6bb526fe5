"""Lines of text as a page's reader sees them, from what the PDF library reads of the page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby, pairwise
from statistics import median
from typing import Any

from polydata.extraction.document.open import pymupdf
from polydata.extraction.document.symbols import STRAY, name_symbols
from polydata.types import Box

OCR_FONT = "(read by OCR)"
"""The font of lines that were read from a picture, here or by whoever laid unseen words over it."""

LIGATURES = str.maketrans(
    {
        "ﬀ": "ff",
        "ﬁ": "fi",
        "ﬂ": "fl",
        "ﬃ": "ffi",
        "ﬄ": "ffl",
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
        "\u00ad": "-",
    }
)
UNSPACED = "\u3040-\u30ff\u4e00-\u9fff"
"""Signs of Japanese and Chinese, which have no spaces between words."""
LETTER = rf"(?:(?![{UNSPACED}\uac00-\ud7af])[^\W\d_])"
WORD = re.compile(rf"[{UNSPACED}]{{4}}|(?:(?![{UNSPACED}])[^\W\d_]){{2,}}")
"""Four signs without spaces count as one."""
WIDE = re.compile(r"\S( {8,}|   +(?=(?:fig|scheme|table)[a-z.]{0,5}\s?[\dS]))(?=\S)", re.IGNORECASE)
"""A gap within a line that parts two columns: very wide, or wide and followed by another figure's label."""
GLUED = re.compile(rf"{LETTER}{{18}}")
"""Letters in a row from which words may stand closer than the PDF library takes for a gap, as in justified lines."""
BEFORE, AFTER = re.compile(rf"{LETTER}|[.,;:)]"), re.compile(LETTER)
"""What stands before and behind a gap between words; numbers and formulae have gaps of their own."""
LONE = re.compile(r"(?![aAI])\w")
"""A letter that is no word: a word is set with space between its letters."""
GAP, TIGHT = 0.08, 0.03
"""Parts of the type's size: gaps between such words are wider than the one, those between their letters mostly narrower
than the other."""
HEAVY = re.compile(r"(?i:bold)|(?:Black|Heavy|Demi)(?![a-z])")
"""Fonts that their names tell to be bold, as not all of them say otherwise."""
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\ufeff]")


@dataclass(frozen=True, eq=False)
class Line:
    """A line of text.

    Attributes:
        box: in points.
        text: ligatures written out, control characters dropped.
        size: font size of most of its letters, in points.
        bold: of its first word.
        font: of most of its letters.
        first_font: of its first word.
        block: number of the text block on the page.
        upright: reads from left to right on the page as shown.
        baseline: y of its baseline.
        turn: by how many degrees clockwise the page must be turned to read it; -1 where no quarter does it.
        in_bold: where bold parts of its text begin and end.
    """

    box: Box
    text: str
    size: float
    bold: bool
    font: str
    first_font: str
    block: int
    upright: bool
    baseline: float
    turn: int = 0
    in_bold: tuple[tuple[int, int], ...] = ()

    @cached_property
    def words(self) -> int:
        """Words that are not numbers or single signs."""
        return len(WORD.findall(self.text))


def clean_text(text: str) -> str:
    """Ligatures written out, control characters (signs without a code) and all white space made single spaces."""
    return " ".join(CONTROL.sub(" ", text.translate(LIGATURES).translate(STRAY)).split())


def cut_to(corners: Sequence[float], page: Box) -> Box | None:
    """A library's rectangle cut to the page, None where nothing of it is on the page."""
    x0, y0 = max(page.x0, corners[0]), max(page.y0, corners[1])
    x1, y1 = min(page.x1, corners[2]), min(page.y1, corners[3])
    return Box(x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def _font(name: str, span: dict[str, Any]) -> str:
    """A line's font, which says nothing where its words are not to be seen."""
    return OCR_FONT if span["alpha"] == 0 else name


def _most(spans: Sequence[dict[str, Any]], key: str) -> Any:
    """What most letters of a line have."""
    if len(spans) == 1:
        return spans[0][key]
    count: Counter[Any] = Counter()
    for span in spans:
        count[span[key]] += len(span["text"])
    return count.most_common(1)[0][0]


FLAGS = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP | pymupdf.TEXT_CID_FOR_UNKNOWN_UNICODE
"""How the text of a page is to be read."""


def take_lines(read: pymupdf.TextPage, page: Box, source: pymupdf.Page) -> Iterator[Line]:
    """The lines of a page, read with ``FLAGS``, cut to the page; its fonts are asked for signs that were not read."""
    blocks = read.extractDICT()["blocks"]
    whole = "\n\n".join(span["text"] for line in _written(blocks) for span in line["spans"])
    parted = ("   " in whole and WIDE.search(whole)) or GLUED.search(whole)
    if parted:
        blocks = read.extractRAWDICT()["blocks"]
    name_symbols(source, blocks)
    if parted:
        blocks = _parted(blocks)
    for number, block in enumerate(blocks):
        for line in block.get("lines", ()):
            spans = [span for span in line["spans"] if span["text"].strip()]
            text = clean_text("".join(span["text"] for span in line["spans"]))
            box = cut_to(line["bbox"], page)
            if not spans or not text or box is None:
                continue
            first = spans[0]
            yield Line(
                box=box,
                text=text,
                size=round(_most(spans, "size"), 1),
                bold=_is_bold(first),
                font=_font(_most(spans, "font"), first),
                first_font=_font(first["font"], first),
                block=number,
                upright=line["dir"][0] > 0.98,
                baseline=first["origin"][1],
                turn=_turn(*line["dir"]),
                in_bold=tuple(_in_bold(line["spans"])),
            )


def _is_bold(span: dict[str, Any]) -> bool:
    return bool(span["flags"] & pymupdf.TEXT_FONT_BOLD) or _is_heavy(span["font"])


@lru_cache(1000)
def _is_heavy(font: str) -> bool:
    return HEAVY.search(font) is not None


def _in_bold(spans: Sequence[dict[str, Any]]) -> Iterator[tuple[int, int]]:
    """Where bold parts of a line's text begin and end; spans of one weight are one part."""
    if not any(map(_is_bold, spans)):
        return
    written = ""
    for heavy, some in groupby(spans, key=_is_bold):
        before, written = written, written + "".join(span["text"] for span in some)
        own = clean_text(written[len(before) :])
        if heavy and own:
            yield len(clean_text(written)) - len(own), len(clean_text(written))


def _written(blocks: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for block in blocks:
        yield from block.get("lines", ())


def _turn(across: float, down: float) -> int:
    """By how many degrees a page must be turned for writing in a direction to read from left to right."""
    if max(abs(across), abs(down)) < 0.98:
        return -1
    if abs(across) > abs(down):
        return 0 if across > 0 else 180
    return 90 if down < 0 else 270


def _parted(blocks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Blocks whose lines are parted at wide gaps: two captions side by side, one line with blanks between; and whose
    words are parted where a line had them in one.
    """
    out = []
    for block in blocks:
        lines: list[dict[str, Any]] = []
        for line in block.get("lines", ()):
            own = [(sign["c"], sign, span) for span in line["spans"] for sign in span["chars"]]
            signs = _spaced(own)
            text = "".join(sign for sign, _, _ in signs)
            cuts = [gap.span(1) for gap in WIDE.finditer(text)]
            starts, ends = [0, *(end for _, end in cuts)], [*(start for start, _ in cuts), len(text)]
            as_read = {"bbox": line["bbox"]} if not cuts and len(signs) == len(own) else {}
            pieces = [_piece(signs[a:b]) for a, b in zip(starts, ends, strict=True) if text[a:b].strip()]
            lines += [{**line, **piece, **as_read} for piece in pieces]
        out.append({**block, "lines": lines})
    return out


_Sign = tuple[str, dict[str, Any], dict[str, Any]]
"""A sign, what is known of it, and of its span."""


def _spaced(signs: Sequence[_Sign]) -> Sequence[_Sign]:
    """Signs of a line, with a space in each gap between two words that were taken for one."""
    if not GLUED.search("".join(sign for sign, _, _ in signs)):
        return signs
    gaps = [
        (b["bbox"][0] - a["bbox"][2]) / span["size"] if span["size"] == other["size"] else 0.0  # an index is no word
        for (_, a, span), (_, b, other) in pairwise(signs)
    ]
    if median(gaps) > TIGHT:
        return signs
    pieces = [[signs[0]]]
    for gap, (last, one) in zip(gaps, pairwise(signs), strict=True):
        if gap > GAP and BEFORE.match(last[0]) and AFTER.match(one[0]):
            pieces.append([])
        pieces[-1].append(one)
    texts = ["".join(sign for sign, _, _ in piece) for piece in pieces]
    out = list(pieces[0])
    for (left, right), piece in zip(pairwise(texts), pieces[1:], strict=True):
        if not any(LONE.fullmatch(word) for word in (left.split(" ")[-1], right.split(" ")[0])):
            out.append((" ", *piece[0][1:]))
        out += piece
    return out


def _piece(signs: Sequence[_Sign]) -> dict[str, Any]:
    """A part of a line, with its box and spans, from its signs."""
    boxes = [sign["bbox"] for text, sign, _ in signs if text.strip()]
    spans = []
    for _, same in groupby(signs, key=lambda one: id(one[2])):
        own = list(same)
        origin = next((sign["origin"] for text, sign, _ in own if text.strip()), own[0][1]["origin"])
        spans.append({**own[0][2], "text": "".join(text for text, _, _ in own), "origin": origin})
    corners = zip(*boxes, strict=True)
    return {"spans": spans, "bbox": [most(side) for most, side in zip((min, min, max, max), corners, strict=True)]}
