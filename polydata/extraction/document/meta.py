"""What a PDF says of itself: title, DOI, journal, year, and the words of its first page."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping

from polydata.extraction.document.lines import clean_text
from polydata.extraction.document.open import pymupdf
from polydata.extraction.document.page import PageContent
from polydata.text.reference import Citeline, cite_line, find_cite_line, find_doi
from polydata.types import PaperMeta

FIRST_PAGE_CHARACTERS = 6000
XMP_CHARACTERS = 200_000
YEAR = re.compile(r"(?<!\d)(19[5-9]\d|20[0-4]\d)(?!\d)")
COPYRIGHT = re.compile(rf"(?:©|\([cC]\)|⃝|[Cc]opyright)\D{{0,40}}?{YEAR.pattern}")
HISTORY = re.compile(
    r"(?:[Rr]eceived|[Rr]evised|[Aa]ccepted|[Pp]ublished|[Aa]vailable)[^0-9]{0,30}(?:\d{1,2}\D{1,15}){0,2}"
    + YEAR.pattern
)
REFERENCES = re.compile(r"^(?:\d{1,2}\.?\s)?(?:references?|literature cited|bibliography)\W{0,3}$", re.IGNORECASE)
REFERENCE = re.compile(r"^[\[(]?\d{1,3}[\])]?[.)]?\s+[A-Z]")
"""How an entry of a list of references begins."""
HEAD, FOOT = 0.15, 0.15
"""Shares of the page's height that are its head and its foot."""
NO_TITLE = re.compile(
    r"^(?:untitled|no job name|doi\b|10\.\d{4}|https?:|microsoft word|powerpoint|document ?\d*$"
    r"|.*\.(?:docx?|pdf|tex|dvi|qxd|indd|p65|fm|eps|3d))(?:\W|$)",
    re.IGNORECASE,
)
"""What programs put where a title should stand."""


def safe_name(name: str) -> str:
    """The last part of a file name, without control characters, at most 200 characters."""
    last = re.split(r"[/\\]", name)[-1]
    shown = "".join("_" if unicodedata.category(sign).startswith(("C", "Zl", "Zp")) else sign for sign in last)
    return shown[:200] if shown.strip(". _") else "unnamed.pdf"


def _xmp(text: str, *tags: str) -> str | None:
    """The first non-empty value of a tag or attribute in an XMP packet, read as text and never as XML."""
    for tag in tags:
        for pattern in (rf"<{tag}\b[^>]*>(.{{0,2000}}?)</{tag}>", rf"\b{tag}=\"([^\"]{{1,500}})\""):
            match = re.search(pattern, text, re.DOTALL)
            value = clean_text(html.unescape(re.sub(r"<[^>]{0,200}>", " ", match.group(1)))) if match else ""
            if value:
                return value
    return None


def _title_on(page: PageContent) -> str | None:
    """The lines of the largest writing in the upper half of a page."""
    upper = [line for line in page.lines if line.upright and line.box.y1 < 0.5 * page.box.height and line.words >= 2]
    if not upper:
        return None
    size = max(line.size for line in upper)
    title = " ".join(line.text for line in upper if line.size > size - 0.6)
    body = sorted(line.size for line in page.lines)[len(page.lines) // 2]
    return title[:400] if size > 1.15 * body and len(title) > 10 else None


def _authors(xmp: str) -> str | None:
    """The authors of an XMP packet, one list item each."""
    match = re.search(r"<dc:creator\b[^>]{0,200}>(.{0,5000}?)</dc:creator>", xmp, re.DOTALL)
    names = re.findall(r"<rdf:li\b[^>]{0,200}>([^<]{1,200})</rdf:li>", match[1])[:100] if match else []
    return "; ".join(clean_text(html.unescape(name)) for name in names)[:2000] or None


def _said(metadata: Mapping[str, object], key: str) -> str | None:
    value = metadata.get(key)
    return clean_text(value)[:500] or None if isinstance(value, str) else None


def _margin(page: PageContent) -> tuple[list[str], list[str]]:
    """Lines of the head and foot of a page, and all others."""
    head, foot = page.box.y0 + HEAD * page.box.height, page.box.y1 - FOOT * page.box.height
    margin: list[str] = []
    inside: list[str] = []
    for line in page.lines:
        (inside if head < line.box.y0 and line.box.y1 < foot else margin).append(line.text)
    return margin, inside


def _own_doi(page: PageContent) -> str | None:
    """The paper's own DOI on its first page: the first one that is not in the list of references."""
    for line in page.lines:
        if REFERENCES.match(line.text):
            return None
        if not REFERENCE.match(line.text) and (doi := find_doi(line.text)):
            return doi
    return None


def _printed_year(page: PageContent) -> int | None:
    """The year of the copyright, else the last of those in which it was received, accepted and published."""
    for pattern in (COPYRIGHT, HISTORY):
        years = [int(year) for line in page.lines for year in pattern.findall(line.text[:400])]
        if years:
            return max(years)
    return None


def _journal(xmp: str | None, cited: Citeline | None) -> str | None:
    """The journal's name: the printed one, or its full form where the file names the same journal."""
    if cited is None or xmp is None:
        return xmp or (cited.journal if cited else None)
    initials = [
        re.findall(r"(?<![^\W_])[^\W\d_]", re.sub(r"\b(?:of|the|and|for|in)\b", "", name.lower()))
        for name in (xmp, cited.journal)
    ]
    return xmp if initials[0] == initials[1] else cited.journal


def paper_meta(document: pymupdf.Document, first: PageContent) -> PaperMeta:
    """Title, DOI, journal and year from XMP, the information dictionary and the first page.

    The line in which the first page cites the paper itself goes before XMP for the journal, for files often name
    their publisher there. Every field that is not said stays None; nothing is guessed from the file's name or its
    dates, or from years that merely stand somewhere on the page.
    """
    xmp = (document.get_xml_metadata() or "")[:XMP_CHARACTERS]
    metadata = document.metadata or {}
    subject = _said(metadata, "subject")
    title = _xmp(xmp, "dc:title") or _said(metadata, "title")
    if title is None or NO_TITLE.match(title) or len(title) < 8:
        title = _title_on(first)
    doi = (
        find_doi(_xmp(xmp, "prism:doi", "pdfx:doi", "crossmark:DOI", "dc:identifier"))
        or find_doi(subject)
        or _own_doi(first)
    )
    cited, said = find_cite_line(*_margin(first)), cite_line(subject or "")
    if said and (cited is None or cited.first_page is None):
        cited = said
    dates = (_xmp(xmp, "prism:coverDate", "prism:publicationDate", "prism:coverDisplayDate"), subject)
    years = [int(year) for date in dates for year in YEAR.findall(date or "")]
    return PaperMeta(
        title=title[:500] if title else None,
        doi=doi,
        journal=_journal(_xmp(xmp, "prism:publicationName"), cited),
        year=cited.year if cited else years[0] if years else _printed_year(first),
        authors=_authors(xmp) or _said(metadata, "author"),
        volume=cited.volume if cited else _xmp(xmp, "prism:volume"),
        first_page=cited.first_page if cited else _xmp(xmp, "prism:startingPage"),
        reference=cited.text if cited else None,
        first_page_text="\n".join(line.text for line in first.lines)[:FIRST_PAGE_CHARACTERS] or None,
    )
