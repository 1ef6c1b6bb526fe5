"""A paper's place in the literature: DOIs, references, its own citation, and keys by which two of them are the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from polydata.text.normalise import clean, fold

# Old DOIs of one publisher hold angle brackets; elsewhere these end the DOI, as in HTML.
DOI = re.compile(r"\b10\.\d{4,9}/(?:\(SICI\)[^\s\"{}|\\^`]{1,200}|[^\s\"<>{}|\\^`]{1,200})", re.IGNORECASE)
"""A DOI and the signs that stand close after it."""

_CLOSING = ".,;:'’”»"


def find_doi(text: str | None) -> str | None:
    """The first DOI in a text, in lower case, without a resolver's address or the signs after it.

    Full stops, commas, quotes and brackets that were not opened within the DOI belong to the sentence around it:
    ``(doi:10.1016/S0032-3861(99)00123-4).`` gives ``10.1016/s0032-3861(99)00123-4``.

    Returns:
        None where there is no DOI.
    """
    match = DOI.search(text or "")
    if match is None:
        return None
    doi = match[0].rstrip(_CLOSING)
    while doi.endswith((")", "]")) and doi.count("(") + doi.count("[") < doi.count(")") + doi.count("]"):
        doi = doi[:-1].rstrip(_CLOSING)
    return None if doi.endswith("/") else doi.lower()


_NAMED = re.compile(r"\s*\[PDF: (?P<name>[^\[\]]{1,300})\]$")
MAX_FILE_NAME = 300


def with_paper(reference: str | None, name: str) -> str:
    """A reference that also says by which name the paper's PDF goes; the name alone where there is no reference."""
    return f"{reference} [PDF: {name.translate({91: 40, 93: 41})}]" if reference else name


def paper_named(reference: str | None) -> str | None:
    """The name of a PDF file, or a paper's id, that a reference may be: made comparable by ``file_key``."""
    text = (reference or "").strip()
    behind = _NAMED.search(text)
    name = behind["name"] if behind else text
    return file_key(name) or None if len(name) <= MAX_FILE_NAME else None


def file_key(name: str) -> str:
    """A file's name for comparing: without folders, ``.pdf`` and capitals."""
    return fold(re.split(r"[/\\]", name.strip())[-1].translate({91: 40, 93: 41})).removesuffix(".pdf").rstrip()


def without_name(reference: str | None) -> str | None:
    """A reference as far as it cites; None for the name of a file alone."""
    text = _NAMED.sub("", (reference or "").strip())
    return None if text.lower().endswith(".pdf") else text or None


@dataclass(frozen=True)
class Reference:
    """A paper as a bibliographic service knows it."""

    doi: str
    title: str | None
    journal: str | None
    year: int | None
    volume: str | None
    pages: str | None
    authors: str | None

    def text(self) -> str:
        """All of it as a citation: ``A. Author; B. Author, Journal, 12, 34-56 (2001)``."""
        parts = [part for part in (self.authors, self.title, self.journal, self.volume, self.pages) if part]
        return ", ".join(parts) + (f" ({self.year})" if self.year else "")


_SMALL_WORDS = frozenset(("of", "the", "and", "for", "in", "on", "a", "an", "de", "der", "die", "und", "fur"))


def doi_key(text: str | None) -> str | None:
    """``doi:`` and the first DOI of a text as ``polydata.text.reference`` reads it; None where there is none."""
    doi = find_doi(text)
    return f"doi:{doi}" if doi else None


def citation_key(journal: str | None, volume: str | None, pages: str | None, year: int | None) -> str | None:
    """A key that two references share only if they are one paper; None where a part is missing.

    Journal by the first letters of its words (``J. Appl. Polym. Sci.`` and the full name agree), volume,
    first page or article number, and year.
    """
    letters = "".join(w[0] for w in re.findall(r"[^\W\d_]+", _plain(journal)) if w not in _SMALL_WORDS)
    number = "".join(re.findall(r"[^\W_]+", _plain(volume)))
    page = re.match(r"(?:pp?\.?\s*)?([a-z]?\d+)", _plain(pages))
    if not (letters and number and page and year):
        return None
    return f"citation:{letters}|{number}|{page[1]}|{year}"


def text_key(citation: str | None) -> str | None:
    """The letters and digits of a reference given as a text, where it holds at least volume, page and year."""
    plain = _plain(citation)
    numbers = re.findall(r"\d+", plain)
    if len(numbers) < 3 or not any(re.fullmatch(r"(1[89]|20)\d\d", n) for n in numbers):
        return None
    return "citation:" + "".join(re.findall(r"[^\W_]+", plain))


def _plain(text: str | None) -> str:
    return fold((text or "")[:MAX_LENGTH])


def reference_keys(row: Mapping[str, Any]) -> frozenset[str]:
    """All keys of one row of ``catalogue.splits.paper_references``."""
    keys = (
        doi_key(row["doi"]),
        doi_key(row["citation"]),
        text_key(without_name(row["citation"])),
        citation_key(row["journal"], row["volume"], row["pages"], row["year"]),
    )
    return frozenset(k for k in keys if k)


MAX_LENGTH = 2000
"""Longer texts are cut before they are read: no reference is longer."""

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


@dataclass(frozen=True, slots=True)
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


def journal_words(text: str | None) -> tuple[str, ...]:
    """Words of a journal's name without particles and punctuation, for comparing."""
    words = re.findall(r"[^\W_]+", fold(text or ""))
    return tuple(w for w in words if w not in _SMALL_WORDS)


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


_PAGE = r"(?:pp?\.?\s?)?(?P<page>[A-Za-z]{0,2}\d{1,7})(?:\s?[-–−]\s?[A-Za-z]{0,2}\d{1,7})?(?![\d/%°])"
_VOLUME = r"(?P<volume>\d{1,4})(?:\s?\(\d{1,3}(?:[-–]\d{1,3})?\))?"
_YR = r"(?P<year>19[3-9]\d|20[0-4]\d)"
_NO = r"(?:(?:[Nn]os?\.?|NUMBER|Number|[Ii]ssue)\s?\d{1,3}\s?[,|]\s?)?"
_MONTH = r"(?:[A-Z][A-Za-z]{2,8}\.?\s)?"
_HEAD = r"(?<![\w.])(?P<journal>[A-Z][A-Za-zÀ-ÿ .,&:'’()-]{2,100}?)[\s,]{1,3}"
_VOL = r"(?:[Vv]ol(?:ume)?\.?\s?|VOLUME\s)"
STYLES = tuple(
    re.compile(_HEAD + rest)
    for rest in (
        rf"{_YR}\s?[,;]\s?{_VOLUME}\s?[,:;]\s?{_NO}{_PAGE}",  # Macromolecules 2006, 39, 9041-9048
        rf"{_VOL}?{_VOLUME}\s?\({_YR}\)\s?{_PAGE}",  # European Polymer Journal 42 (2006) 1866-1874
        rf"{_VOL}?{_VOLUME}(?:\s?[,:]\s?|\s(?=[Nn]o)){_NO}{_PAGE}\s?,?\s?\(?{_MONTH}{_YR}\b\)?",  # GLIA 24:39
        rf"{_VOL}{_VOLUME}\s?[,|]\s?{_NO}{_MONTH}\(?(?P<page>){_YR}\b",  # Nature VOLUME 14 | NUMBER 2 | MAY 2011
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
