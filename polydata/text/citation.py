"""A reference as a text, and its parts: authors, journal, volume, issue, pages, year, DOI."""

from __future__ import annotations

import re
from dataclasses import dataclass

from polydata.text.doi import DOI, find_doi
from polydata.text.normalise import clean, fold

MAX_LENGTH = 2000
"""Longer texts are cut before they are parsed: no reference is longer."""

_YEAR = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d)(?!\d)")
_PAGES = re.compile(r"^(?:pp?\.?\s*)?([A-Za-z]?\d+[A-Za-z]?(?:\s*[-–—/]\s*[A-Za-z]?\d+)?)$")
# Tail of a reference in the usual styles: "45 (2004) 1234-1240", "2004, 45, 1234", "45(3):1234-40 (2004)".
_NUMBER = r"[A-Za-z]?\d{1,6}"
_SPAN = rf"(?:pp?\.?\s*)?(?P<pages>{_NUMBER}(?:\s*[-–]\s*{_NUMBER})?)"
_ISSUE = r"\s*(?:\(\s*(?P<issue>[\d/ -]{1,9})\))?"
_IN_YEAR = r"(?P<year>(?:18|19|20)\d\d)"
_TAILS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?P<volume>{_NUMBER}){_ISSUE}\s*\({_IN_YEAR}\)[\s,;:]*{_SPAN}",
        rf"\(?{_IN_YEAR}\)?[\s,;:]+(?:vol\.?\s*)?(?P<volume>{_NUMBER}){_ISSUE}[\s,;:]+{_SPAN}",
        rf"(?P<volume>{_NUMBER}){_ISSUE}\s*[,:;]\s*{_SPAN}\s*[,;]?\s*\({_IN_YEAR}\)",
        rf"(?P<volume>{_NUMBER}){_ISSUE}\s*:\s*{_SPAN}",
    )
)
_JOURNAL_STOP = frozenset(("of", "the", "and", "for", "in", "on", "a", "an", "de", "der", "die", "und", "fur", "&"))


@dataclass(frozen=True)
class Citation:
    """Parts of a reference as they stand in it; None where a part is missing or could not be told."""

    authors: str | None = None
    journal: str | None = None
    volume: str | None = None
    issue: str | None = None
    pages: str | None = None
    year: int | None = None
    doi: str | None = None

    @property
    def first_page(self) -> str | None:
        """The first page or article number, lower case."""
        match = re.match(r"\s*(?:pp?\.?\s*)?([A-Za-z]?\d+)", self.pages or "")
        return match[1].lower() if match else None

    @property
    def first_author(self) -> str | None:
        """Surname of the first author, folded."""
        return surnames(self.authors)[0] if surnames(self.authors) else None


def journal_words(text: str | None) -> tuple[str, ...]:
    """Words of a journal's name without particles and punctuation, for comparing."""
    words = re.findall(r"[^\W_]+", fold(text or ""))
    return tuple(w for w in words if w not in _JOURNAL_STOP)


def surnames(authors: str | None) -> tuple[str, ...]:
    """Surnames of the authors, folded: ``Doshev, P.; Lohse, G.`` or ``P. Doshev, G. Lohse and X. Li``."""
    text = (authors or "")[:MAX_LENGTH].strip()
    # "Surname, Given; Surname, Given", or one such alone; otherwise "G. Surname, G. Surname and G. Surname".
    inverted = ";" in text or re.match(r"(?![A-Z]\.)[^,;]+,\s*[^,;]+$", text) is not None
    people = [p.split(",")[0] for p in text.split(";")] if inverted else re.split(r",|\band\b|&", text)
    found = []
    for person in people:
        words = [w for w in fold(person).replace(".", ". ").split() if not re.fullmatch(r"([a-z]-?\.?-?)+\.|[a-z]", w)]
        if words and re.search(r"[^\W\d_]", words[-1]):
            found.append(" ".join(words) if inverted else words[-1])
    return tuple(name for name in found if name not in ("et al", "al", "al."))


def parse_citation(text: str | None) -> Citation:
    """The parts of a reference.

    Two styles are read: PoLyInfo's ``authors , journal , volume , issue , pages (year)``, whose parts stand
    between `` , ``, and the usual ones of journals (``45 (2004) 1234-1240`` and its relatives). What cannot be
    told stays None; any text is accepted.
    """
    line = clean((text or "")[:MAX_LENGTH]) or ""
    doi = find_doi(line)
    parts = [p.strip() for p in re.split(r"\s,(?:\s|$)", line)]
    if len(parts) >= 3:
        return _from_parts(parts, doi)
    return _from_prose(line, doi)


def _from_parts(parts: list[str], doi: str | None) -> Citation:
    tail = re.match(r"^(.*?)\s*\(((?:18|19|20)\d\d)\)\W*$", parts[-1])
    pages, year = (tail[1], int(tail[2])) if tail else (parts[-1], None)
    numbers = parts[2:-1]  # volume, issue; in proceedings "59th", "Vol. 2"
    match = _PAGES.match(pages)
    return Citation(
        authors=parts[0] or None,
        journal=parts[1] or None,
        volume=(numbers[0] if numbers else None) or None,
        issue=(numbers[1] if len(numbers) > 1 else None) or None,
        pages=match[1] if match else None,
        year=year,
        doi=doi,
    )


def _from_prose(line: str, doi: str | None) -> Citation:
    bare = DOI.sub(" ", line)
    match = next((m for m in (tail.search(bare) for tail in _TAILS) if m), None)
    years = _YEAR.findall(bare)
    if not match:
        return Citation(year=int(years[-1]) if years else None, doi=doi)
    before = bare[: match.start()].rstrip(" ,;:(")
    before = re.sub(r"[\s,;:]*\bvol(ume)?\.?$", "", before, flags=re.IGNORECASE)
    # The journal is what follows the last comma, semicolon, or full stop that ends no abbreviation.
    pieces = re.split(r"[,;]\s+|\(?(?:19|20)\d\d\)[.,]?\s+|(?<=[a-z]{6}\.)\s+(?=[A-Z])|[\"“”]\s*", before)
    journal = pieces[-1].strip(" .") if pieces else ""
    authors = ", ".join(p.strip() for p in pieces[:-1] if p.strip())
    return Citation(
        authors=authors or None,
        journal=journal or None,
        volume=match["volume"],
        issue=(match["issue"] or "").strip() or None,
        pages=match["pages"],
        year=int(match.groupdict().get("year") or (years[-1] if years else 0)) or None,
        doi=doi,
    )


def same_journal(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two journal names (``journal_words``) can be the same, one of them perhaps abbreviated.

    Each word of the shorter form starts the word at the same place in the longer one; an initialism
    of the whole name counts too; a subtitle (``Part B: Physics``) may be missing.
    """
    if not one or not other:
        return False
    if one == other:
        return True
    short, full = sorted((one, other), key=lambda w: (len(w), sum(map(len, w))))
    if len(short) == 1 and len(full) > 2 and short[0] == "".join(w[0] for w in full):
        return True
    aligned = all(a.startswith(b) or b.startswith(a) for a, b in zip(short, full, strict=False))
    # A name of one word starts many others ("Polymer", "Polymer Engineering and Science").
    return aligned and (len(short) == len(full) or len(short) >= 3)
