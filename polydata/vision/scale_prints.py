"""Lengths in print that was read from a micrograph: ``10 µm``, ``500nm``, and what recognisers make of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from polydata.vision.ocr import Print

NUMBER = r"(?P<value>\d{1,4}(?:[.,:]\d{1,2})?)"
STRICT = re.compile(
    rf"(?<![\d.,]){NUMBER}\s?(?P<unit>[μµuUц]\s?m|[μµ]|nm|mm|microns?|micrometers?)(?![A-Za-z])", re.IGNORECASE
)
AFTER_MAGNIFICATION = re.compile(r"[x×]\s?\d{1,3}[,.]\s?\d{3}(?P<value>\d{1,3})\s?(?P<unit>[μµu]m)", re.IGNORECASE)
LOOSE = re.compile(rf"(?<![\d.,]){NUMBER}\s?(?P<unit>[a-zA-Zμµцl|/1]?\s?[mnu日]m?|[uμµ])(?![A-Za-z0-9])")
CONFUSED = str.maketrans("OoDQlIJV|]", "0000111111")
"""Signs that recognisers read for digits, where a number must stand."""

MAX_SIGNS = 200
"""Signs of a line of print that are read; no data strip has more."""

OTHER_UNIT = re.compile(r"(?:[cdefhk]m|[/1l|]nm)", re.IGNORECASE)
"""What is no misread micrometre: centimetres and their like, reciprocal nanometres (``1/nm``), and ``hm``, which may be
nanometres as well."""
RECIPROCAL = re.compile(r"\s?(?:[-\u2212\u2013\u207b^]{1,2}\s?[1\u00b9]|\u00b9)")
PICOMETRES = 200
"""From this number on ``pm`` may be what is printed; below it is a misread ``µm``, for no bar is so short."""

UNIT_ALONE = re.compile(r"[μµuU]\s?m|nm|[μµ]")
NEARLY_NUMBER = re.compile(r"(?<![A-Za-z0-9])(?=[\dOoDQlIJV|\]]*[\dOo])[\dOoDQlIJV|\]]{1,4}(?=\s?[μµunpjry]{1,2}m?\b)")
WORKING_DISTANCE = re.compile(r"\bW\.?\s?D\b|\bdet\b|\bspot\b", re.IGNORECASE)
MICROMETRES = {"nm": 1e-3, "µm": 1.0, "mm": 1e3}


@dataclass(frozen=True)
class Length(Print):
    """A length as printed, and its print.

    Attributes:
        value, unit: 10 and ``µm``.
        strict: the unit was read as it is written; otherwise it is what is likely beside a bar.
    """

    value: float
    unit: str
    strict: bool

    @property
    def value_um(self) -> float:
        """In micrometres."""
        return self.value * MICROMETRES[self.unit]

    @property
    def height(self) -> float:
        """Of the print, in pixels."""
        return self.y1 - self.y0


def usual(value: float) -> bool:
    """Whether scale bars bear such a number: one digit and zeros, or two digits that end in 5."""
    digits = f"{value:.6f}".replace(".", "").strip("0")
    return 0 < value <= 2000 and (len(digits) == 1 or (len(digits) == 2 and digits[1] == "5"))


def _unit(text: str) -> str:
    plain = re.sub(r"\s", "", text).lower()
    return plain if plain in ("nm", "mm") else "µm"


def _number(text: str) -> float:
    return float(text.replace(",", ".").replace(":", "."))


def _other_unit(text: str, match: re.Match[str]) -> bool:
    """Whether what looks like a length in a text is one in a unit that bars of micrographs do not bear, or may be."""
    read = re.sub(r"\s", "", match["unit"]).lower()
    short = read == "pm" and _number(match["value"]) >= PICOMETRES
    return bool(OTHER_UNIT.fullmatch(read) or RECIPROCAL.match(text, match.end())) or short


def contradicts(line: Print) -> bool:
    """Whether a line of print holds a length in another unit than those of bars."""
    text = line.text[:MAX_SIGNS]
    return any(_other_unit(text, match) for match in (*STRICT.finditer(text), *LOOSE.finditer(text)))


def lengths_in(line: Print) -> list[Length]:
    """Lengths that a line of print holds.

    A working distance (``WD 9.6 mm``) is none, nor is a number that no scale bar bears. A unit that was read wrongly
    (``10 pm``, ``10u``, ``10 rm``) counts only where little else stands in the line, and where it can be no other unit.
    """
    text = NEARLY_NUMBER.sub(lambda match: match[0].translate(CONFUSED), line.text[:MAX_SIGNS])
    signs = max(1, len(re.sub(r"\W", "", text)))
    found = []
    matches = [(match, True) for match in (*STRICT.finditer(text), *AFTER_MAGNIFICATION.finditer(text))]
    if not matches:
        matches = [(match, False) for match in LOOSE.finditer(text)]
    for match, spelled in matches:
        value, unit = _number(match["value"]), _unit(match["unit"])
        if _other_unit(text, match):
            continue
        alone = len(re.sub(r"\W", "", match[0])) >= 0.7 * signs
        strict = spelled and unit != "mm"
        if unit == "mm" and (WORKING_DISTANCE.search(text) or not alone):
            continue
        if unit == "mm" and value >= 10:
            continue  # millimetres of a photograph, or a micro sign read as an m
        if not usual(value) or (not strict and not alone):
            continue
        width = (line.x1 - line.x0) / max(1, len(text))
        found.append(
            Length(
                text=match[0],
                score=line.score,
                x0=line.x0 + match.start() * width,
                y0=line.y0,
                x1=line.x0 + match.end() * width,
                y1=line.y1,
                value=value,
                unit=unit,
                strict=strict,
            )
        )
    return found
