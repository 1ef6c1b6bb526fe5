"""Scales that a caption states in words."""

from __future__ import annotations

import re

from polydata.types import ScaleBar

MICROMETRES = {"nm": 1e-3, "µm": 1.0, "mm": 1e3, "cm": 1e4, "å": 1e-4}

NUMBER = r"(?P<value>\d{1,4}(?:[.,]\d{1,3})?)"
UNIT = r"(?P<unit>nm|[µμu]\s?m|microns?|micrometers?|micrometres?|nanometers?|nanometres?|mm|cm|Å)"
BAR = r"(?:(?:scale|size|length|magnification|white|black)[\s-]+(?:bars?|markers?|lines?)|(?:scale|bars?|markers?))"
AFTER = re.compile(
    BAR + r"(?:\s+(?:is|are|was|were|for all|in all|indicates?|represents?|corresponds?|denotes?|equals?|length|of|to|"
    r"(?:the )?(?:images?|panels?|micrographs?|figures?)))*\s*[:=,(\[~≈]*\s*" + NUMBER + r"\s*" + UNIT + r"\b",
    re.IGNORECASE,
)
BEFORE = re.compile(
    r"(?<![\d.,])" + NUMBER + r"\s*[-–]?\s*" + UNIT + r"\s+(?:long\s+)?(?:scale[\s-]+)?(?:bars?|markers?)\b",
    re.IGNORECASE,
)


def _unit(text: str) -> str:
    """The unit as µm, nm, mm, cm or Å."""
    plain = re.sub(r"\s", "", text).lower().replace("μ", "µ")
    if plain.startswith(("micro", "um")):
        return "µm"
    if plain.startswith("nano"):
        return "nm"
    return "Å" if plain == "å" else plain


def scale_in_caption(text: str | None) -> ScaleBar | None:
    """The scale a caption states, as in ``scale bar = 10 µm`` or ``the bars are 200 nm``.

    A caption that states several different scales says nothing of one panel.

    Returns:
        A scale bar with method ``caption`` and no length in pixels; None where none or several are stated.
    """
    if not text:
        return None
    found = {}
    for match in [*AFTER.finditer(text), *BEFORE.finditer(text)]:
        value = float(match["value"].replace(",", "."))
        unit = _unit(match["unit"])
        if value > 0:
            found[value, unit] = value * MICROMETRES[unit.lower()]
    if len(set(found.values())) != 1:
        return None
    (value, unit), micrometres = next(iter(found.items()))
    return ScaleBar(value=value, unit=unit, value_um=micrometres, length_px=None, method="caption", confidence=0.9)
