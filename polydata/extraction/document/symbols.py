"""Signs of symbol fonts that the PDF library does not know, told from the names that their glyphs have in the file.

Journals set from about 1990 to 2015 have brackets, Greek letters and operators in fonts whose glyphs are called after
their number in a foundry's catalogue (``H9262`` is µ, ``H20849`` an opening bracket) or in TeX's or Adobe's order of
symbols (``C2``, ``C176``). Without them "(a) 5 µm" is read as " a  5  m".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from polydata.extraction.document.open import pymupdf

GREEK = dict(zip("abgdezhqiklmnxoprstufcyw8", "αβγδεζηθικλµνξοπρστυφχψω°", strict=True))
"""Greek letters by the Latin ones at whose place Adobe's Symbol and fonts after it have them, and a typesetter's °."""

CATALOGUE = {
    **{9251 + at: sign for at, sign in enumerate("αβγδεζηθικλµνξοπρσςτυφχψω")},
    **{11001: "+", 11002: "−", 11003: "×", 11005: "=", 11006: "±", 11009: "∞", 11011: "~", 11015: "≈"},
    **{11021: "<", 11022: ">", 11032: "′", 11033: "″", 11034: "°", 11088: "≤", 11091: "≥", 11349: "≤", 11350: "≥"},
    **{20841: "|", 20849: "(", 20850: ")", 20851: "[", 20852: "]", 20853: "{", 20854: "}"},
}
"""Signs by their number in Mathematical Pi and the Greek fonts that go with it."""

TEX = {0: "−", 1: "·", 2: "×", 3: "∗", 6: "±", 14: "°", 20: "≤", 21: "≥", 24: "~", 25: "≈", 33: "→"}
"""Signs by their place in TeX's symbols (cmsy)."""
TEX_FONT, TEX_LATIN = re.compile(r"AdvP4C4E74"), {"¼": "=", "þ": "+", "ð": "(", "Þ": ")"}
"""A typesetter's font in that order, and what it calls by the names of Latin letters."""

SYMBOL = {109: "µ", 163: "≤", 176: "°", 177: "±", 179: "≥", 180: "×", 211: "©"}
"""Signs by their place in Adobe's Symbol."""
SYMBOL_FONT, GREEK_FONT = re.compile(r"Sym"), re.compile(r"AdvPi\d|AdvGreek")

STRAY = str.maketrans(
    {
        **{chr(code): sign for code, sign in CATALOGUE.items() if 9251 < code <= 9275},
        **{chr(code - 10000): sign for code, sign in CATALOGUE.items() if 11001 <= code <= 11022},
        **{chr(code - 20000): sign for code, sign in CATALOGUE.items() if code > 20000},
    }
)
"""What files hold whose makers took such a number, or its last digits, for the sign's code: Coptic letters and marks
above nothing. Cyrillic ones among them stay what they are."""

UNKNOWN = re.compile(r"[\x01-\x1f\x7f-\x9f¼þðÞ]")
"""What signs are read as of which the library knows a place in their font alone."""
LONGEST_NAME = 31
"""Letters of a font's name that the library keeps, the mark of a subset included."""
MICRO = re.compile(r"[ml]")
"""What a µ is read as in fonts that have it at the place of another letter: "5 mm" with an m of another font."""

Signs = dict[int, str]


def name_symbols(page: pymupdf.Page, blocks: Sequence[dict[str, Any]]) -> None:
    """Put signs where a page's text has their places in a font.

    Args:
        page: whose fonts are asked.
        blocks: text of it as the library reads it, with or without single signs; changed in place.
    """
    lines = [line["spans"] for block in blocks for line in block.get("lines", ())]
    fonts: Mapping[str, Signs] | None = None
    for spans in lines:
        for span in spans:
            text = _text(span)
            if UNKNOWN.search(text) or GREEK_FONT.match(span["font"]):
                fonts = _fonts(page) if fonts is None else fonts
                if signs := fonts.get(span["font"]):
                    _write(span, text.translate(signs))
        written = [span for span in spans if _text(span).strip()] if len(spans) > 2 else []
        for left, span, right in zip(written, written[1:], written[2:], strict=False):
            amid = (
                left["font"] == right["font"]
                and _family(left) != _family(span)
                and MICRO.fullmatch(_text(span).strip())
            )
            if amid and re.search(r"\d[\s-]?$", _text(left)) and re.match(r"m\b", _text(right)):
                _write(span, MICRO.sub("µ", _text(span)))


def _family(span: dict[str, Any]) -> str:
    """A font's name without what says that it is bold or slanted."""
    return re.split(r"[-,]|(?:PS)?MT|PS|Bold|Ital|Obl", span["font"])[0]


def _text(span: dict[str, Any]) -> str:
    return span["text"] if "text" in span else "".join(sign["c"] for sign in span["chars"])


def _write(span: dict[str, Any], text: str) -> None:
    """Other signs in the place of those of a span, of which each is one."""
    if "text" in span:
        span["text"] = text
    for sign, other in zip(span.get("chars", ()), text, strict=False):
        sign["c"] = other


def _fonts(page: pymupdf.Page) -> dict[str, Signs]:
    """The signs that the library does not know, by font and place; none of fonts of one name that do not agree."""
    found: dict[str, Signs] = {}
    for xref, _, _, base, *_ in page.get_fonts(full=True):
        name = base[:LONGEST_NAME].split("+")[-1]
        signs = _signs(name, _differences(page.parent, xref))
        before = found.setdefault(name, signs)
        found[name] = {place: sign for place, sign in signs.items() if before.get(place) == sign}
    return found


def _differences(document: pymupdf.Document, xref: int) -> str:
    """What a font's encoding says of single places; nothing of a broken font, and of one written into its page."""
    try:
        kind, array = document.xref_get_key(xref, "Encoding/Differences") if xref > 0 else ("null", "")
        return str(document.xref_object(int(array.split()[0])) if kind == "xref" else array)
    except (ValueError, RuntimeError):
        return ""


def _signs(font: str, differences: str) -> Signs:
    """Signs of a font by the place that an encoding gives them: ``[1/H9262/H11005 30/C2]``."""
    signs: Signs = {ord(place): sign for place, sign in TEX_LATIN.items()} if TEX_FONT.match(font) else {}
    if GREEK_FONT.match(font):
        signs |= {ord(place): sign for place, sign in GREEK.items()}
    place = 0
    for number, name in re.findall(r"(?<![\w/])(\d{1,3})(?!\w)|/([^\s/\[\]]+)", differences[:20_000]):
        if number:
            place = int(number)
            continue
        kind, code = name[:1], name[1:]
        if code.isdecimal() and len(code) < 6:
            orders = {"H": CATALOGUE, "C": TEX if TEX_FONT.match(font) else SYMBOL if SYMBOL_FONT.search(font) else {}}
            if sign := orders.get(kind, {}).get(int(code)):
                signs[place] = sign
        place += 1
    return signs
