"""The line of a first page that cites the paper itself: journal, year, volume, first page."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_PAGE = r"(?:pp?\.?\s?)?(?P<page>[A-Za-z]{0,2}\d{1,7})(?:\s?[-–−]\s?[A-Za-z]{0,2}\d{1,7})?(?![\d/%°])"
_VOLUME = r"(?P<volume>\d{1,4})(?:\s?\(\d{1,3}(?:[-–]\d{1,3})?\))?"
_YEAR = r"(?P<year>19[3-9]\d|20[0-4]\d)"
_ISSUE = r"(?:(?:[Nn]os?\.?|NUMBER|Number|[Ii]ssue)\s?\d{1,3}\s?[,|]\s?)?"
_MONTH = r"(?:[A-Z][A-Za-z]{2,8}\.?\s)?"
_HEAD = r"(?<![\w.])(?P<journal>[A-Z][A-Za-zÀ-ÿ .,&:'’()-]{2,100}?)[\s,]{1,3}"
_VOL = r"(?:[Vv]ol(?:ume)?\.?\s?|VOLUME\s)"
STYLES = tuple(
    re.compile(_HEAD + rest)
    for rest in (
        rf"{_YEAR}\s?[,;]\s?{_VOLUME}\s?[,:;]\s?{_ISSUE}{_PAGE}",  # Macromolecules 2006, 39, 9041-9048
        rf"{_VOL}?{_VOLUME}\s?\({_YEAR}\)\s?{_PAGE}",  # European Polymer Journal 42 (2006) 1866-1874
        rf"{_VOL}?{_VOLUME}(?:\s?[,:]\s?|\s(?=[Nn]o)){_ISSUE}{_PAGE}\s?,?\s?\(?{_MONTH}{_YEAR}\b\)?",  # GLIA 24:39
        rf"{_VOL}{_VOLUME}\s?[,|]\s?{_ISSUE}{_MONTH}\(?(?P<page>){_YEAR}\b",  # Nature VOLUME 14 | NUMBER 2 | MAY 2011
    )
)
PREAMBLE = re.compile(
    r"^.{0,200}?(?:(?:[Hh]ow to )?[Cc]ite [Tt]his(?: article| paper)?(?: as)?\s?:"
    r"|\bInc\.|\bLtd\.?|KGaA,?(?: Weinheim)?|B\.V\.)\s"
)
"""What stands before the citation in the same line."""
ABOUT_ITSELF = re.compile(r"[Cc]ite [Tt]his|©|[Cc]opyright|\([cC]\)\s?(?:19|20)\d\d|Wiley Periodicals|⃝")
NO_JOURNAL = re.compile(
    r"\b(?:[Rr]eceived|[Rr]evised|[Aa]ccepted|[Pp]ublished|[Aa]vailable|[Dd]ownloaded|[Tt]el|[Ff]ax|[Pp]hone|Box|Fig(?:ure|s)?|"
    r"[Tt]able|[Uu]niversity|[Dd]epartment|[Ii]nstitute|[Rr]oom|ISSN|DOI|https?|www)\b"
)
_SMALL = frozenset(("of", "the", "and", "for", "in", "on", "de", "der", "die", "und", "für", "et", "des", "&"))
LONGEST_LINE = 400


@dataclass(frozen=True)
class Citeline:
    """What a paper says where it cites itself.

    Attributes:
        first_page: as printed, None where the line has none.
        text: the words that were read.
    """

    journal: str
    year: int
    volume: str
    first_page: str | None
    text: str


def _journal(text: str) -> str:
    """The last run of words that begin with a capital: an author's title before it ends in a small word."""
    words = PREAMBLE.sub("", text).replace("|", " ").split()
    kept: list[str] = []
    for word in reversed(words):
        if not (word.lower() in _SMALL or word.lstrip("(&")[:1].isupper()):
            break
        kept.append(word)
    while kept and kept[-1].lower() in _SMALL - {"the", "die", "der"}:
        kept.pop()
    journal = " ".join(reversed(kept)).strip(" ,:;-")
    return journal if re.search(r"\b[A-Z][A-Za-z]{0,7}\.$", journal) else journal.strip(".")


def cite_line(line: str) -> Citeline | None:
    """What one line says of the paper's own place, None where it is no citation. Never raises."""
    text = PREAMBLE.sub("", " ".join(line[:LONGEST_LINE].split()))
    for style in STYLES:
        match = style.search(text)
        if match is None:
            continue
        journal = _journal(match["journal"])
        letters = sum(sign.isalpha() for sign in journal)
        if letters >= 3 and not NO_JOURNAL.search(match["journal"]) and match["volume"] != match["year"]:
            return Citeline(journal, int(match["year"]), match["volume"], match["page"] or None, match[0])
    return None


def find_cite_line(margin: Iterable[str], elsewhere: Iterable[str]) -> Citeline | None:
    """The paper's own citation among the lines of its first page.

    Args:
        margin: lines of the head and foot of the page.
        elsewhere: all others; of these only lines that speak of the paper itself count ("Cite this", a copyright).
    """
    lines = [*margin, *(line for line in elsewhere if ABOUT_ITSELF.search(line[:LONGEST_LINE]))]
    found = [(one, line) for line in lines if (one := cite_line(line)) is not None]
    cited = [one for one, line in found if "ite " in line] or [one for one, _ in found if one.first_page]
    return next(iter(cited), found[0][0] if found else None)
