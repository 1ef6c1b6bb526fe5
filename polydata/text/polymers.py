"""The polymers that captions and records name: abbreviations and chemical names, from ``schemas/polymers.csv``.

Each row holds the abbreviation that is the normal form (after ISO 1043-1 and common use), others for the same
polymer, and its names, the last two separated by ``|``.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache

from polydata.resources import schemas

WORD = re.compile(r"[^\W\d_]+|\d+|[()]")
"""What counts in a name: words, numbers and brackets; hyphens, commas and spaces come and go."""


@dataclass(frozen=True)
class Vocabulary:
    """Polymers by what they are called.

    Attributes:
        abbreviations: normal form by abbreviation, as capitals and small letters stand.
        names: normal form by the words of a name, in small letters.
        lengths: how many words the names have that begin with a word, the longest first.
    """

    abbreviations: dict[str, str]
    names: dict[tuple[str, ...], str]
    lengths: dict[str, tuple[int, ...]]


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name in small letters."""
    return tuple(WORD.findall(name.lower()))


@cache
def vocabulary() -> Vocabulary:
    """The list that is shipped, read once."""
    abbreviations: dict[str, str] = {}
    names: dict[tuple[str, ...], str] = {}
    lengths: dict[str, set[int]] = {}
    with open(schemas() / "polymers.csv", encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            normal = row["abbreviation"]
            for short in filter(None, [normal, *row["also"].split("|")]):
                if any(sign.isupper() for sign in short):
                    abbreviations[short] = normal
            for name in filter(None, row["names"].split("|")):
                words = words_of(name)
                names[words] = normal
                lengths.setdefault(words[0], set()).add(len(words))
    return Vocabulary(
        abbreviations, names, {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}
    )


def normal_form(name: str) -> str | None:
    """The normal abbreviation of a polymer that is called so, None for a name that is not listed."""
    known = vocabulary()
    name = name.strip()
    return known.abbreviations.get(name) or known.names.get(words_of(name))
