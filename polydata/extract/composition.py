"""Blend compositions as captions write them: PP/PA6 (70/30), PLA/PBAT 80:20 wt%."""

from __future__ import annotations

import math
import re

from polydata.types import Composition

NAME = (
    r"(?:[A-Za-z]{1,12}-(?:[gb]|co|graft|block|alt|ran|stat|random|r)-[A-Za-z0-9()\-]{1,20}"
    r"|poly\([A-Za-z0-9,'\- ]{2,40}\)"
    r"|(?:[a-z]{0,3}-?)?[A-Z][A-Za-z0-9]{0,11}(?:[-.][A-Za-z0-9]{1,8}){0,2}"
    r"|(?:poly|nylon|rubber|starch|epoxy)[a-z]{0,20}(?:[ -]\d{1,2})?)"
)
PLAIN = r"[A-Za-z][A-Za-z-]{0,12}?[A-Za-z]"
NUMBER = r"\d{1,3}(?:\.\d{1,2})?"
UNIT = (
    r"(?P<unit>(?:wt|vol|mol|w|v|m)\.?\s?-?\s?%|%\s?(?:by\s)?(?:wt|weight|vol|volume|mol)?"
    r"|(?:weight|volume|mass|mole?) (?:percent|ratio|fraction)|phr|w/w(?:/w)?|v/v(?:/v)?|wt/wt|vol/vol)"
)
RATIO = rf"{NUMBER}(?:\s?[/:]\s?{NUMBER}){{1,4}}"
JOINT = r"\s?[/:–]\s?"
BLEND = re.compile(
    rf"(?<![A-Za-z0-9/])(?P<names>{NAME}(?:{JOINT}{NAME}){{1,4}})"
    rf"(?P<between>(?:\s+(?:blends?|composites?|mixtures?|alloys?|systems?|samples?|films?|of|with|the|ratio|composition|"
    rf"weight|volume|at|in|a|an))*\s*[,:=]?\s*[(\[]?\s*(?:w/w\s*=?\s*)?)"
    rf"(?P<ratio>{RATIO})(?![\d/:])\s*[,)]?\s*\(?{UNIT}?"
)
REVERSED = re.compile(
    rf"(?<![\d/:.])(?P<ratio>{RATIO})(?![\d/:])\s*\(?{UNIT}?\)?\s+(?P<names>{NAME}(?:{JOINT}{NAME}){{1,4}})(?![A-Za-z0-9/])"
)
EACH = re.compile(
    rf"(?<![A-Za-z0-9/])(?P<first>{PLAIN})\s?\(?(?P<a>{NUMBER})\s?%?\)?\s?/\s?(?P<second>{PLAIN})\s?\(?(?P<b>{NUMBER})(?![\w/])"
)
MAX_TEXT = 20_000
"""Characters of a caption that are searched."""


def _unit(text: str | None) -> str | None:
    if not text:
        return None
    plain = re.sub(r"[\s.-]", "", text.lower())
    if plain == "phr":
        return "phr"
    for letter, unit in (("w", "wt%"), ("v", "vol%"), ("mass", "wt%"), ("m", "mol%")):
        if plain.lstrip("%").removeprefix("by").startswith(letter):
            return unit
    return "%"


def _sensible(names: list[str], ratio: list[float]) -> bool:
    return (
        len(names) == len(ratio)
        and len({name.lower() for name in names}) == len(names)
        and all(math.isfinite(part) and part <= 1000 for part in ratio)
        and sum(part > 0 for part in ratio) >= 1
        and not any(re.fullmatch(r"(?:Fig|Figs|Figure|Table|Scheme|Ref|Refs|Eq)", name) for name in names)
    )


def _of(match: re.Match[str]) -> Composition | None:
    names = [name.strip() for name in re.split(r"\s?[/:–]\s?", match["names"])]
    ratio = [float(part) for part in re.split(r"\s?[/:]\s?", match["ratio"])]
    if not _sensible(names, ratio):
        return None
    start, end = min(match.start("names"), match.start("ratio")), max(match.end("names"), match.end("ratio"))
    if match["unit"]:
        end = max(end, match.end("unit"))
    return Composition(tuple(names), tuple(ratio), _unit(match["unit"]), match.string[start:end], start, end)


def parse_composition(text: str | None) -> Composition | None:
    """The first blend with a ratio in a text.

    Understands ``PP/PA6 (70/30)``, ``PLA/PBAT 80:20 wt%``, ``70/30 PP/EPDM blends``, ``PP70/PA30``, three and more
    components. Never raises.

    Args:
        text: a caption or a part of one.

    Returns:
        The composition, None where the text holds none or the number of names and numbers differ.
    """
    if not text:
        return None
    text = text[:MAX_TEXT]
    found = [
        one for pattern in (BLEND, REVERSED) for match in pattern.finditer(text) if (one := _of(match)) is not None
    ]
    for match in EACH.finditer(text):
        names, ratio = [match["first"], match["second"]], [float(match["a"]), float(match["b"])]
        if _sensible(names, ratio) and abs(sum(ratio) - 100) < 0.51:
            found.append(Composition(tuple(names), tuple(ratio), None, match.group(), match.start(), match.end()))
    return min(found, key=lambda one: (one.start, -one.end), default=None)


def panel_composition(caption: str | None, stem: str | None, own: str | None) -> Composition | None:
    """The blend of one panel.

    Its own words come first; where they hold a ratio alone, the stem names the components (``PLA/PBAT blends``
    with ``80/20``). ``start`` and ``end`` count in the text that was read: the panel's own words, the stem joined
    to them by a colon and a space, or, for a panel without words of its own, the whole caption.
    """
    if own is None:
        return parse_composition(caption)
    return parse_composition(own) or parse_composition(f"{stem}: {own}" if stem else None)
