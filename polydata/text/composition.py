"""Blend compositions as captions write them: PP/PA6 (70/30), PLA80PBAT20, PP with 5 phr of SEBS-g-MA."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from polydata.text.mentions import evened, find_mentions
from polydata.types import Composition

NAME = (
    r"(?:[A-Za-z]{1,12}-(?:[gb]|co|graft|block|alt|ran|stat|random|r)-[A-Za-z0-9()\-]{1,20}"
    r"|poly\([A-Za-z0-9,'\- ]{2,40}\)"
    r"|(?:PA|[Nn]ylon)[ -]\d{1,2}(?:[,.]\d{1,2})?(?!\d|\s?[/:]\s?\d)"
    r"|(?:[a-z]-)?(?:[a-z]{0,3}-?)?[A-Z][A-Za-z0-9]{0,11}(?:[-.][A-Za-z0-9]{1,8}){0,2}"
    r"|(?:poly|nylon|rubber|starch|epoxy|phenoxy|elastomer|cellulose|chitosan|lignin|gelatin)[a-z]{0,20}"
    r"(?:[ -]\d{1,2})?)"
)
PLAIN = r"[A-Za-z][A-Za-z-]{0,12}?[A-Za-z]"
NUMBER = r"\d{1,3}(?:\.\d{1,2})?"
UNIT = (
    r"(?P<unit>(?:wt|vol|mol|w|v|m)\.?\s?-?\s?%|%\s?(?:by\s)?(?:wt|weight|vol|volume|mol)?"
    r"|(?:weight|volume|mass|mole?) (?:percent|ratio|fraction)|phr|w/w(?:/w)?|v/v(?:/v)?|wt/wt|vol/vol)"
)
RATIO = rf"{NUMBER}(?:\s?[/:]\s?{NUMBER}){{1,4}}"
DASHED = rf"{NUMBER}\s?[–-]\s?{NUMBER}"
JOINT = r"\s{0,2}(?://?|[:–])\s{0,2}"
AND = r"\s(?:and|with)\s"
WORDS = (
    r"(?:\s+(?:blends?|blended|composites?|mixtures?|alloys?|systems?|samples?|films?|of|with|the|ratios?|composition|"
    r"weight|volume|mass|at|in|a|an))*"
)
BLEND = re.compile(
    rf"(?<![A-Za-z0-9/])(?P<names>{NAME}(?:{JOINT}{NAME}){{1,4}}|{NAME}{AND}{NAME})"
    rf"(?P<between>{WORDS}\s?(?:-\s)?\s?[,:=]?\s?[(\[]?\s?(?:w/w\s?=?\s?)?)"
    rf"(?P<ratio>{RATIO}|{DASHED})(?!\d|\s?[/:]\s?\d)\s?[,)]?\s?\(?{UNIT}?"
)
REVERSED = re.compile(
    rf"(?<![\d/:.])(?P<ratio>{RATIO})(?!\d|\s?[/:]\s?\d)\s?\(?{UNIT}?\)?\s{{1,2}}"
    rf"(?:blends? of\s)?(?P<names>{NAME}(?:{JOINT}{NAME}){{1,4}})(?![A-Za-z0-9/])"
)
EACH = re.compile(
    rf"(?<![A-Za-z0-9/])(?P<first>{PLAIN})\s?\(?(?P<a>{NUMBER})\s?%?\)?\s?/?\s?(?P<second>{PLAIN})\s?\(?(?P<b>{NUMBER})(?![\w/])"
)
COUNTED = re.compile(
    rf"(?<![\w./:])(?P<a>{NUMBER})(?P<first>{PLAIN})\s?/\s?(?P<b>{NUMBER})(?P<second>{PLAIN})(?![\w/])"
)
SHARE = (
    re.compile(rf"(?<![\w./:])(?P<part>{NUMBER})\s{{0,2}}{UNIT}\s{{0,2}}(?:of\s)?(?:the\s)?(?P<name>{NAME})"),
    re.compile(rf"(?<![A-Za-z0-9])(?P<name>{NAME})\s?[,(]?\s?(?P<part>{NUMBER})\s{{0,2}}{UNIT}"),
    re.compile(rf"(?<![\w.:])(?<!\d/)(?P<part>{NUMBER})(?P<unit>)(?P<name>[A-Z][A-Za-z-]{{1,12}})(?![\w/])"),
)
"""One component's share: ``20 wt% of PCL``, ``PMMA (15 phr)``, ``10PBS``."""
MATRIX = re.compile(
    rf"(?<![A-Za-z0-9/])(?P<name>{NAME})(?:\s?/\s?|\s(?:blends?\s|matrix\s|composites?\s)?"
    rf"(?:(?:blended|modified|mixed|filled|toughened|reinforced|compatibilized)\s)?(?:with|containing)\s)$"
)
PAIR = re.compile(rf"(?<![A-Za-z0-9/])(?P<names>{NAME}(?:{JOINT}{NAME}){{1,3}})(?![A-Za-z0-9/])")
BLENDED = re.compile(r"[\s-]{1,2}(?:blend|mixture|alloy|composite|system)")
ONLY_RATIO = re.compile(rf"(?<![\w./:])(?P<ratio>{RATIO})(?!\d|\s?[/:]\s?\d)\s?[,)]?\s?\(?{UNIT}?")
MAX_TEXT = 6_000
"""Characters of a caption that are searched."""
NEAR = 60
"""Characters before a share in which the polymer stands that it was added to."""


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


def _names(text: str) -> list[str]:
    return [name.strip() for name in re.split(rf"{JOINT}|{AND}", text)]


def _numbers(text: str) -> list[float]:
    return [float(part) for part in re.split(r"\s?[/:–-]\s?", text)]


def _known(name: str) -> bool:
    return any(one.field == "polymer" for one in find_mentions(name))


def _of(match: re.Match[str]) -> Composition | None:
    names, ratio = _names(match["names"]), _numbers(match["ratio"])
    hundred = abs(sum(ratio) - 100) < 0.51
    if not _sensible(names, ratio):
        return None
    if not re.search(r"[/:]", match["ratio"]) and not hundred:  # 70-30 is a ratio, 10-20 a range
        return None
    if re.search(AND, match["names"]) and not (hundred and all(map(_known, names))):
        return None
    start, end = min(match.start("names"), match.start("ratio")), max(match.end("names"), match.end("ratio"))
    if match["unit"]:
        end = max(end, match.end("unit"))
    return Composition(tuple(names), tuple(ratio), _unit(match["unit"]), match.string[start:end], start, end)


def _ratios(text: str) -> Iterator[Composition]:
    """Blends with one number a component."""
    for pattern in (BLEND, REVERSED):
        yield from filter(None, map(_of, pattern.finditer(text)))
    for pattern in (EACH, COUNTED):
        for match in pattern.finditer(text):
            names, ratio = [match["first"], match["second"]], [float(match["a"]), float(match["b"])]
            if _sensible(names, ratio) and abs(sum(ratio) - 100) < 0.51:
                yield Composition(tuple(names), tuple(ratio), None, match.group(), match.start(), match.end())


def _completed(text: str, share: re.Match[str], pair: re.Match[str] | None) -> Composition | None:
    """The blend of which one component's share is given: the other's follows, 100 for what phr is counted on."""
    name, part, unit = share["name"], float(share["part"]), _unit(share["unit"])
    if not _known(name) or part > (1000 if unit == "phr" else 100):
        return None
    names, start = [name], share.start()
    matrix = MATRIX.search(text, max(0, share.start() - NEAR), share.start())
    if matrix and _known(matrix["name"]) and matrix["name"] != name:
        names, start = [matrix["name"], name], matrix.start()
    elif pair and len(_names(pair["names"])) == 2 and name in _names(pair["names"]):
        names, start = _names(pair["names"]), min(start, pair.start())
    rest = 100.0 if unit == "phr" else round(100 - part, 2)
    ratio = [part if one == name else rest for one in names]
    end = max(share.end(), pair.end("names")) if pair and start == pair.start() else share.end()
    return (
        Composition(tuple(names), tuple(ratio), unit, text[start:end], start, end) if _sensible(names, ratio) else None
    )


def _pair(text: str) -> re.Match[str] | None:
    """The first polymers that strokes join: what a blend is made of, without numbers."""
    for match in PAIR.finditer(text):
        names = _names(match["names"])
        if len(set(names)) == len(names) and (BLENDED.match(text, match.end()) or all(map(_known, names))):
            return match
    return None


def _shares(text: str) -> Iterator[Composition]:
    pair = _pair(text)
    for pattern in SHARE:
        yield from filter(None, (_completed(text, match, pair) for match in pattern.finditer(text)))


def _first(found: Iterator[Composition]) -> Composition | None:
    return min(found, key=lambda one: (one.start, -one.end), default=None)


def _earliest(found: Iterator[Composition]) -> Composition | None:
    return min(found, key=lambda one: (one.end, one.start), default=None)


def parse_composition(text: str | None) -> Composition | None:
    """The first blend with a ratio in a text.

    Understands ``PP/PA6 (70/30)``, ``PLA/PBAT 80:20 wt%``, ``70/30 PP/EPDM blends``, ``PP70/PA30``,
    ``PLA80PBAT20``, three and more components; where there is none of these, one component's share
    (``PP with 5 phr of SEBS-g-MA``, ``PLA/10PBS``, ``containing 20 wt % PCL``), in which another component's share
    is what is missing to 100, or 100 where the unit is phr; where there is no number, the components alone
    (``PP/PA6 blends``). Never raises.

    Args:
        text: a caption or a part of one.

    Returns:
        The composition, None where the text holds none or the number of names and numbers differ.
    """
    return _as_written(_parsed(evened(text[:MAX_TEXT])), text) if text else None


def _parsed(text: str) -> Composition | None:
    return _first(_ratios(text)) or _earliest(_shares(text)) or _without_numbers(text)


def _as_written(found: Composition | None, text: str) -> Composition | None:
    """With the words as they stood before hyphens and spaces were made even."""
    return replace(found, text=text[found.start : found.end]) if found else None


def _without_numbers(text: str) -> Composition | None:
    pair = _pair(text)
    if pair is None or not BLENDED.match(text, pair.end()) or not all(map(_known, _names(pair["names"]))):
        return None
    return Composition(tuple(_names(pair["names"])), (), None, pair["names"], *pair.span("names"))


def panel_composition(caption: str | None, stem: str | None, own: str | None) -> Composition | None:
    """The blend of one panel.

    Its own words come first; where they hold a ratio alone, the stem names the components (``PLA/PBAT blends``
    with ``80/20``). ``start`` and ``end`` count in the text that was read: the panel's own words, the stem joined
    to them by a colon and a space, or, for a panel without words of its own, the whole caption.
    """
    if own is None:
        return _of_all(caption)
    written = (f"{stem}: {own}" if stem else own)[:MAX_TEXT]
    text, start = evened(written), max(0, len(stem) + 2 if stem else 0)
    of_own = _first(_ratios(text[start:]))
    if of_own:
        return _as_written(of_own, own)
    found = (
        _numbered(text, start)
        or _first(_ratios(text))
        or _earliest(one for one in _shares(text) if one.end > start)
        or _parsed(text)
    )
    return _as_written(found, written)


def _of_all(caption: str | None) -> Composition | None:
    """The blend that a whole caption speaks of: where it gives several ratios, no one of them is the picture's."""
    found = parse_composition(caption)
    if found is None or not found.ratio or caption is None:
        return found
    text = evened(caption[:MAX_TEXT])
    said = dict(zip(found.components, found.ratio, strict=True))
    ratios = [one for one in _ratios(text) if one.start >= found.end]
    shares = [] if ratios else [one for one in _shares(text) if set(one.components) <= set(found.components)]
    others = [dict(zip(one.components, one.ratio, strict=True)) for one in (*ratios, *shares)]
    for match in ONLY_RATIO.finditer(text, found.end):  # "PTT/PC 70/30 and 50/50"
        bare = _numbers(match["ratio"])
        if len(bare) == len(said) and abs(sum(bare) - 100) < 0.51:
            within = any(one.start <= match.start() < one.end for one in ratios)
            others += [] if within else [dict(zip(found.components, bare, strict=True))]
    if all(other.items() <= said.items() for other in others):
        return found
    if all(set(other) <= set(said) for other in others):
        return replace(found, ratio=(), unit=None)
    return None


def _numbered(text: str, own: int) -> Composition | None:
    """The ratio among a panel's own words (from ``own`` on) for the components that the stem names."""
    pair, match = _pair(text[:own]), ONLY_RATIO.search(text, own)
    if pair is None or match is None:
        return None
    names, ratio = _names(pair["names"]), _numbers(match["ratio"])
    if not _sensible(names, ratio):
        return None
    end = match.end("unit") if match["unit"] else match.end("ratio")
    return Composition(tuple(names), tuple(ratio), _unit(match["unit"]), text[pair.start() : end], pair.start(), end)


CELL_NUMBER = re.compile(r"\d{1,4}(?:\.\d{1,4})?")
UNITS = (
    ("phr", re.compile(r"\bphr\b|parts? per hundred", re.IGNORECASE)),
    ("vol%", re.compile(r"\bvol|\bv/v\b|volume", re.IGNORECASE)),
    ("mol%", re.compile(r"\bmol", re.IGNORECASE)),
    ("wt%", re.compile(r"\bwt\b|\bw/w\b|weight|mass", re.IGNORECASE)),
)
"""Units by the words that name them, in the order in which they are looked for."""

NAMES = re.compile(r"\s*[;\n|]\s*")
CUTS = re.compile(r"\s*(?:[;\n|]|(?<=\S)/(?=\S)|\s/\s)\s*")
MAX_COMPONENTS = 20


@dataclass(frozen=True)
class Component:
    """One component of a blend.

    Attributes:
        name: as written.
        polymer_id: PoLyInfo's (``P000001``).
        ratio: its part in the blend; None where the numbers and the names do not match.
        unit: ``wt%``, ``vol%``, ``mol%``, ``phr``; None where none is given.
    """

    name: str
    polymer_id: str | None
    ratio: float | None
    unit: str | None


def components_of(polymers: str | None, ratio: str | None, polymer_ids: str | None) -> tuple[Component, ...]:
    """Components by name, each with its part where there are as many numbers as names.

    Names are parted by semicolons or lines; one name alone also by slashes (``PP/PA6``).

    Args:
        polymers: ``polymer A; polymer B``.
        ratio: ``70/30 wt%``.
        polymer_ids: in the order of the names.
    """
    names = [part for part in NAMES.split(polymers or "") if part]
    if len(names) == 1:
        names = [part for part in CUTS.split(names[0]) if part]
    names = names[:MAX_COMPONENTS]
    ids = [part for part in NAMES.split(polymer_ids or "") if part]
    parts = [float(number) for number in CELL_NUMBER.findall(ratio or "")]
    unit = next((unit for unit, pattern in UNITS if ratio and pattern.search(ratio)), None)
    matched = len(parts) == len(names)
    return tuple(
        Component(
            name=name,
            polymer_id=ids[place] if len(ids) == len(names) else None,
            ratio=parts[place] if matched else None,
            unit=unit if matched else None,
        )
        for place, name in enumerate(names)
    )
