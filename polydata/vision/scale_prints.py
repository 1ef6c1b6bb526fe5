"""What a line of print says of a scale: the length of a bar, a magnification, the width of a field."""

from __future__ import annotations

import re
from dataclasses import dataclass

NUMBER = re.compile(r"[^\w.,]*(?P<digits>[\dOoDQlI|SB]{1,4}(?:[.,:][\dOoDQlI|]{1,3})?|[.,]\d{1,2})(?P<rest>\D{0,6})")
"""A number, signs that recognisers read for digits among it, and whatever they make of the unit after it."""
AMID = re.compile(r"(?<![\d.,])(?:\d{1,4}(?:[.,]\d{1,2})?|[.,]\d{1,2})\s?(?:[µμu]m|nm)(?![A-Za-z])")
"""A length amid other print, written as lengths are."""
CONFUSED = str.maketrans("OoDQlI|SB:", "000011158.")

MICROMETRES = {"pm": 1e-6, "Å": 1e-4, "nm": 1e-3, "µm": 1.0, "mm": 1e3, "cm": 1e4}
"""Units of length; a reciprocal one is none."""

TIMES = re.compile(
    r"x\s?(?P<after>\d{1,3}(?:[ ,.]\d{3})+(?!\d)|\d+(?:[.,]\d*)?)\s?(?P<thousand>k)?(?!\S)(?!\s?[nmµμu]?m\b)|"
    r"(?<![\d.,])(?P<before>\d{1,3}(?:[ ,.]\d{3})+|\d{2,6}(?:\.\d{1,2})?|\d(?:\.\d{1,2})?(?=\s?k))"
    r"\s?(?P<thousands>k)?\s?x"
)
FIELD = re.compile(r"\s*(?P<value>\d{1,4}(?:\.\d{1,2})?)\s?(?P<unit>nm|[µμu]m|mm)\s*")

MEASURED = re.compile(r"\b[A-Za-z]\s?\d{0,3}\s?[=:]\s?\d")
"""A length with the name of what was measured, a letter and perhaps a number."""

WORKING_DISTANCE = 3000.0
"""Micrometres from which a length in millimetres is the distance between sample and lens, and no field of view."""

PRINTED = (30.0, 900.0)
"""Millimetres of width of what a magnification speaks of: photographs of 90 to 130 mm, screens of 300 to 500 mm, and
what was cut off."""


@dataclass(frozen=True)
class Length:
    """A length as printed.

    Attributes:
        value, unit: 10 and ``µm``.
    """

    value: float
    unit: str

    @property
    def micrometres(self) -> float:
        """In micrometres."""
        return self.value * MICROMETRES[self.unit]


RARE = 0.7
"""How usual 6 to 9 are at scale bars, beside 1 to 5: blurred print of 5, 8 and 3 looks like them."""


def how_usual(value: float) -> float:
    """How usual such a number is at scale bars, 0 to 1: one digit and zeros, or two digits that end in 5; else 0."""
    digits = f"{value:.6f}".replace(".", "").strip("0")
    known = 0 < value <= 2000 and (len(digits) == 1 or (len(digits) == 2 and digits[1] == "5"))
    return (RARE if digits[0] in "6789" else 1.0) if known else 0.0


def _numbered(text: str) -> re.Match[str] | None:
    """The number with which a line begins, or that of the one length that stands amid other print."""
    amid = AMID.findall(text[:200])
    return NUMBER.fullmatch(amid[0] if len(amid) == 1 else text[:40].strip())


def number_of(text: str) -> tuple[float, float] | None:
    """The number with which a line of print begins, and how plainly it is one, 0 to 1.

    Args:
        text: as recognised, its unit included: that is taken for nothing, for recognisers have no sure micro sign.

    Returns:
        None where there is no number.
    """
    match = _numbered(text)
    if match is None:
        return None
    number = _plain(match["digits"].translate(CONFUSED))
    letters = len(re.sub(r"\W", "", match["rest"]))
    plainness = (1.0 if match["digits"][:1] in ".,0123456789" else 0.6) * (1.0 if letters > 1 else 0.6)
    return number, plainness


HEARD: dict[str, dict[str, float]] = {
    "µm": {"µm": 1.0},
    "nm": {"nm": 1.0, "µm": 0.1},
    "mm": {"mm": 1.0, "µm": 0.3, "nm": 0.1},
    "cm": {"cm": 1.0, "µm": 0.3},
    "pm": {"pm": 1.0, "µm": 1.0},
    "Å": {"Å": 1.0},
    **{other: {"": 1.0} for other in ("dm", "em", "fm", "hm", "km")},
}
"""How well a unit explains what the recogniser makes of it; any other with ``ELSE``."""
RECIPROCAL = re.compile(r"\d\s?[1Il|]?/\s?[nµμuÅA]|m\s?[-⁻]")
ELSE, BARE, NONE = 0.03, 0.15, 0.1
"""Of a unit that is not among them, of any after a bare number, and of any where no number begins the line."""


def explains(text: str) -> dict[str, float]:
    """How well each unit, or none (an empty text), explains a line of print as recognised; relative to each other."""
    units = ["", *MICROMETRES, "1/nm"]
    if RECIPROCAL.search(text):
        return {unit: 1.0 if unit in ("", "1/nm") else ELSE for unit in units}
    match = _numbered(text)
    rest = re.sub(r"\s|[^\w/]+$", "", match["rest"]) if match else ""
    if not rest:
        return {unit: 1.0 if unit == "" else BARE if match else NONE for unit in units}
    heard = HEARD.get("µm" if rest.lower() in ("um", "μm", "µm", "μ", "µ", "u") else rest)
    if heard is None:  # what recognisers make of a unit, or another word
        return {unit: 1.0 if len(rest) < 4 or unit == "" else NONE for unit in units}
    return {unit: heard.get(unit, ELSE) for unit in units}


def _plain(digits: str) -> float:
    """A number whose comma parts thousands or decimals."""
    return float(digits.replace(",", "" if re.fullmatch(r"\d+,\d{3}", digits) else "."))


def speaks_for(text: str, length: Length, share: float) -> int:
    """Whether a magnification or a field width speaks for a bar (1), against it (-1), or tells nothing (0).

    Args:
        text: the line of print that gives it.
        length: of the bar.
        share: of the picture's width that the bar takes.
    """
    shown = length.micrometres / share
    wide = FIELD.fullmatch(text[:40])
    if wide is not None:
        field = float(wide["value"]) * MICROMETRES[wide["unit"].replace("u", "µ").replace("μ", "µ")]
        if field == 0 or (wide["unit"] == "mm" and field > WORKING_DISTANCE):
            return 0
        return 1 if 0.1 * field < shown < 2.5 * field else 0 if wide["unit"] == "mm" else -1
    match = TIMES.search(text[:40].replace("X", "x").replace("×", "x").replace("K", "k"))
    if match is None:
        return 0
    times = _times(match["after"] or match["before"], thousands=bool(match["thousand"] or match["thousands"]))
    return 0 if times == 0 else 1 if _fits(times, length, share) else -1


def measures(text: str) -> bool:
    """Whether a line of print tells what somebody measured in the picture, as ``D2 = 103.31 nm`` does, and no field."""
    return MEASURED.search(text[:60]) is not None


def _times(digits: str, *, thousands: bool) -> float:
    """A magnification whose signs part thousands or decimals; 0 for what is none."""
    plain = re.sub(r"[ ,.](?=\d{3}(?!\d))", "", digits).replace(",", ".").replace(" ", "").rstrip(".")
    return 0.0 if plain.count(".") > 1 else float(plain) * (1000 if thousands else 1)


def _fits(times: float, length: Length, share: float) -> bool:
    """Whether a picture so often magnified, of whose width a bar takes a share, is as wide as a print or a screen."""
    return PRINTED[0] < times * length.micrometres / share / 1000 < PRINTED[1]


STRIP_TIMES = re.compile(r"[xX×K]\s?(?P<digits>\d{1,3}(?:,\d{3})+|\d[\d.,]*\d)\s?(?P<thousands>[kK](?![vVuUwW]))?")
STRIP_LENGTH = re.compile(
    r"(?<![\d.,])(?<!WD)(?<!WD[ =:])(?P<digits>\d{1,4}(?:\.\d{1,2})?)\s?"
    r"(?P<unit>(?![kK][vVuUwW])(?:[^\W\d]{1,3}(?!\w)|[^\W\d]?m(?=[A-Z\d])))"
)
"""In the strip of print under a micrograph: a magnification, and a length whose unit may be read as anything; what
stands behind ``WD`` is the distance to the lens."""


def in_strip(text: str, share: float) -> Length | None:
    """The length of a bar by the whole strip of print that it stands in.

    The micro sign of old microscopes is read as many a letter, but a magnification tells the unit: of nanometres and
    micrometres one alone goes with the width of a print or a screen. Millimetres are read as such.

    Args:
        text: as recognised, such as ``10KV X2,500 10Pm WD25``.
        share: of the picture's width that the bar takes.

    Returns:
        None where no magnification is read, or no length or several go with it.
    """
    fitting = set()
    for match in STRIP_TIMES.finditer(text[:200]):
        digits, before, after = match["digits"], text[: match.start()], text[match.end() :]
        splits = [(digits, f"{before} {after}")]
        if re.match(r"(?!mm)[^\W\d]{1,3}\b", after) and not match["thousands"]:  # "X2,50010Pm" for "X2,500 10Pm"
            splits = [(digits[:n], digits[n:] + after) for n in range(1, len(digits))]
        for one, other in splits:
            times = _times(one, thousands=bool(match["thousands"]))
            for found in STRIP_LENGTH.finditer(other):
                units = ("mm",) if found["unit"] == "mm" else ("nm", "µm")
                lengths = [Length(_plain(found["digits"]), unit) for unit in units]
                fitting |= {length for length in lengths if how_usual(length.value) and _fits(times, length, share)}
    return fitting.pop() if len(fitting) == 1 else None
