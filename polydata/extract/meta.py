"""What a PDF says of itself: title, DOI, journal, year, and the words of its first page."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping

from polydata.doi import find_doi
from polydata.extract.mupdf import pymupdf
from polydata.extract.pdf import PageContent, clean_text
from polydata.types import PaperMeta

FIRST_PAGE_CHARACTERS = 6000
XMP_CHARACTERS = 200_000
YEAR = re.compile(r"(?<!\d)(19[5-9]\d|20[0-4]\d)(?!\d)")
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
            if value.strip():
                return " ".join(value.split())
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


def _text(page: PageContent) -> str:
    return "\n".join(line.text for line in page.lines)[:FIRST_PAGE_CHARACTERS]


def _said(metadata: Mapping[str, object], key: str) -> str | None:
    value = metadata.get(key)
    return " ".join(clean_text(value).split())[:500] or None if isinstance(value, str) else None


def paper_meta(document: pymupdf.Document, first: PageContent) -> PaperMeta:
    """Title, DOI, journal and year from XMP, the information dictionary and the first page, in that order.

    Every field that is not said stays None; nothing is guessed from the file's name or its dates.
    """
    xmp = (document.get_xml_metadata() or "")[:XMP_CHARACTERS]
    metadata = document.metadata or {}
    text = _text(first)
    subject = _said(metadata, "subject")
    title = _xmp(xmp, "dc:title") or _said(metadata, "title")
    if title is None or NO_TITLE.match(title) or len(title) < 8:
        title = _title_on(first)
    doi = (
        find_doi(_xmp(xmp, "prism:doi", "pdfx:doi", "crossmark:DOI", "dc:identifier"))
        or find_doi(subject)
        or find_doi(text)
    )
    year = None
    for source in (_xmp(xmp, "prism:coverDate", "prism:publicationDate", "prism:coverDisplayDate"), subject, text):
        years = [int(found) for found in YEAR.findall(source or "")]
        if years:
            year = max(set(years), key=lambda one: (years.count(one), one)) if source is text else years[0]
            break
    return PaperMeta(
        title=title[:500] if title else None,
        doi=doi,
        journal=_xmp(xmp, "prism:publicationName"),
        year=year,
        first_page_text=text or None,
    )
