"""The scales that a caption states for the bars in its panels."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from polydata.text.caption_marks import PLAIN, split_names
from polydata.types import ScaleBar

MAX_TEXT = 10_000
"""Characters of a caption that are searched."""

MICROMETRES = {"nm": 1e-3, "µm": 1.0, "mm": 1e3, "cm": 1e4, "å": 1e-4}

VALUE = r"(?P<value>\d{1,4}(?:[.,]\d{1,3})?)"
UNIT = (
    r"(?P<unit>nm|[µμu]\s?m|microns?|micrometers?|micrometres?|nanometers?|nanometres?|mm|cm|Å|мкм|нм|мм)"
    r"(?![\w²³^/⁻]|\s?[-−–]\s?\d|\s?[×✕x]\s?\d|[\s(]{1,2}(?:wide|across|field|frame|scan|square|area|"
    r"in (?:width|size)|for the (?:width|side|field)|on (?:a|each) side)\b)"
)
"""A unit of length, and not one to a power, nor the side of a field."""

BAR = re.compile(
    r"\b(?:(?:scale|size|length|magnification|white|black)[\s-]+(?:bars?|markers?|lines?)|scales?|bars?|markers?)\b"
    r"(?:\s{1,3}(?:is|are|was|were|for all|in all|all|indicates?|represents?|corresponds?|denotes?|equals?|lengths?|of|"
    r"to|(?:the )?(?:images?|panels?|micrographs?|figures?))){0,8}\s{0,3}[:=,(\[~≈]{0,3}\s{0,3}",
    re.IGNORECASE,
)
NO_BAR = re.compile(r"(?:error|colou?r|height|data|vertical|intensity|grey|gray|z)[\s-]*$", re.IGNORECASE)
"""What stands before bars and scales that are no lengths in the picture."""

PANEL = r"(?:[A-Za-zА-Яа-я]\d?'?(?!\w))"
PANELS = rf"(?P<panels>{PANEL}(?:\s?(?:[-–—~,&/]|\band\b|\bto\b)\s?(?:and\s)?{PANEL}){{0,8}})"
LENGTH_FIRST = re.compile(
    rf"{VALUE}\s?-?\s?{UNIT}(?:\s?(?:(?:in|for|of)\s(?:the\s)?(?:panels?\s|images?\s)?)?"
    rf"(?:[(\[]\s?{PANELS}\s?[)\]]|(?<=\s){PANELS.replace('panels', 'bare')}|(?P<inset>\(?\binsets?\b\)?)))?",
    re.IGNORECASE,
)
PANELS_FIRST = re.compile(
    rf"(?:(?:in|for)\s)?(?:[(\[]?\s?{PANELS}\s?[)\]]?|"
    rf"(?P<inset>(?:the\s)?insets?))"
    rf"\s?(?:[:,=]|is|are)?\s?{VALUE}\s?-?\s?{UNIT}",
    re.IGNORECASE,
)
JOINED_LENGTHS = re.compile(r"\s?(?:[,;(]|\band\b)\s?(?:and\s)?")
OTHERS = re.compile(
    rf"\s?(?:for|in|of|on)\s(?!all|each|every)[^.;]{{0,150}}?(?:,|\band)\s(?:and\s)?{VALUE}\s?{UNIT}\s(?:for|in|of|on)\s"
    r"(?!thickness|diameter|size|length|width|depth|height|radius)",
    re.IGNORECASE,
)
"""Another length behind the samples for which one holds: "1 µm for A and B, 200 nm for C"."""

BAR_LAST = re.compile(
    r"(?<![\d.,])" + VALUE + r"\s{0,3}[-–]?\s{0,3}" + UNIT + r"\s{1,3}(?:long\s)?(?:scale[\s-])?(?:bars?|markers?)\b",
    re.IGNORECASE,
)
ONE_LENGTH = re.compile(rf"{VALUE}\s?{UNIT}", re.IGNORECASE)
MOST_LENGTHS = 26


@dataclass(frozen=True)
class _Length:
    """A length that a caption states for bars; ``panels`` None for whichever it speaks of."""

    value: float
    unit: str
    panels: frozenset[str] | None

    @property
    def micrometres(self) -> float:
        return self.value * MICROMETRES[self.unit.lower()]


def _length(match: re.Match[str], panels: str | None) -> _Length:
    value = match["value"]
    value = value.replace(",", "" if re.search(r",\d{3}$", value) else ".")
    names = None if panels is None else frozenset(one.lower() for one in split_names(panels.translate(PLAIN)))
    return _Length(float(value), _unit(match["unit"]), names)


def _unit(text: str) -> str:
    """The unit as µm, nm, mm, cm or Å."""
    plain = re.sub(r"\s", "", text).lower().replace("μ", "µ")
    if plain.startswith(("micro", "um", "мк")):
        return "µm"
    if plain.startswith(("nano", "н")):
        return "nm"
    return {"å": "Å", "мм": "mm"}.get(plain, plain)


def parse_length(text: str) -> tuple[float, str, float] | None:
    """A length such as ``5 µm`` or ``0,5 um``: value, unit and micrometres; None where the text is none."""
    match = ONE_LENGTH.fullmatch(text.strip())
    length = _length(match, None) if match else None
    return (length.value, length.unit, length.micrometres) if length and length.value > 0 else None


def _lengths(text: str) -> Iterator[_Length]:
    """The lengths that a text states for bars, those of insets left out."""
    for bar in BAR.finditer(text):
        place, form = bar.end(), None
        if NO_BAR.search(text[max(0, bar.start() - 12) : bar.start()]):
            continue
        for _ in range(MOST_LENGTHS):
            forms = (form,) if form else (LENGTH_FIRST, PANELS_FIRST)
            match = next((found for one in forms if (found := one.match(text, place))), None)
            if match is None:
                break
            form = match.re
            if not match["inset"]:
                bare = match["bare"] if form is LENGTH_FIRST else None
                yield _length(match, match["panels"] or bare)
            joint = JOINED_LENGTHS.match(text, match.end())
            if joint is None:
                if (other := OTHERS.match(text, match.end())) is not None:
                    yield _length(other, None)
                break
            place = joint.end()
    for match in BAR_LAST.finditer(text):
        yield _length(match, None)


def scale_in_caption(text: str | None, label: str | None = None) -> ScaleBar | None:
    """The scale that a caption states for a panel, as in ``scale bar = 10 µm`` or ``bars: 10 µm (a), 200 nm (b)``.

    Args:
        text: a caption or a part of it.
        label: of the panel; None for whatever the text speaks of.

    Returns:
        A scale bar with method ``caption`` and no length in pixels; None where none is stated, or several of which none
        is the panel's.
    """
    found = [one for one in _lengths((text or "")[:MAX_TEXT]) if one.value > 0]
    if any(one.panels for one in found):
        found = [one for one in found if one.panels and (label or "").lower() in one.panels]
    if len({round(one.micrometres, 9) for one in found}) != 1:
        return None
    value, unit, micrometres = found[0].value, found[0].unit, found[0].micrometres
    return ScaleBar(value=value, unit=unit, value_um=micrometres, length_px=None, method="caption", confidence=0.9)


def panel_scale(own: str | None, stem: str | None, caption: str | None, label: str | None) -> ScaleBar | None:
    """The scale that a figure's caption states for one of its panels; what is said within another's words is not its.

    Args:
        own: the panel's own words.
        stem: what all panels share.
        caption: of the figure, whole: where it says for which panel a length holds, that counts wherever it stands.
        label: of the panel.
    """
    return (
        scale_in_caption(own, label)
        or scale_in_caption(stem, label)
        or (scale_in_caption(caption, label) if caption and any(one.panels for one in _lengths(caption)) else None)
    )
