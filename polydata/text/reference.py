"""A paper's place in the literature: DOIs as they stand in texts, references, and keys under which two are the same."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
    folded = unicodedata.normalize("NFKD", (text or "")[:2000])
    return "".join(c for c in folded if not unicodedata.combining(c)).casefold().strip()


def reference_keys(row: Mapping[str, Any]) -> frozenset[str]:
    """All keys of one row of ``catalogue.splits.paper_references``."""
    keys = (
        doi_key(row["doi"]),
        doi_key(row["citation"]),
        text_key(row["citation"]),
        citation_key(row["journal"], row["volume"], row["pages"], row["year"]),
    )
    return frozenset(k for k in keys if k)
