"""The components of a blend, from the cells that name them and their ratio."""

from __future__ import annotations

import re
from dataclasses import dataclass

NUMBER = re.compile(r"\d{1,4}(?:\.\d{1,4})?")
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
    parts = [float(number) for number in NUMBER.findall(ratio or "")]
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
