"""Supplementary files: which paper a PDF belongs to, by its name, its DOI or the title that it repeats."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from polydata.text.reference import find_doi

_WORDS = (
    r"(?:supp(?:l(?:ement(?:ary|al)?)?)?|supporting)(?:[ ._-]?(?:info(?:rmation)?|materials?|data|file|text|figures?))?"
)
NAME = re.compile(
    rf"^(?P<main>.{{1,150}}?)(?:[ ._-]+(?:{_WORDS}|es[im]|si|sm\d?)|[ ._-]?{_WORDS})(?:[ ._-]?\d{{1,3}})?$"
)
"""A file name without its ending, in small letters, that is another's with ``_si``, ``-supp`` and so on behind it."""
OPENING = re.compile(
    r"(?:electronic\s)?suppl(?:ementary|emental|\.)\s(?:information|materials?|data|file|text|figures?)|"
    r"supporting\s(?:online\s)?(?:information|materials?)|electronic\ssupplementary"
)
SHORTEST_TITLE = 25
OPENING_CHARACTERS = 400


def tie(papers: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, str]]:
    """The papers that supplement another one of them.

    Args:
        papers: rows with ``paper_id``, ``file_name``, ``doi``, ``title``, ``first_page_text``.

    Returns:
        By the supplement's id the id of its paper and the reason: ``file name``, ``doi`` or ``title``. What may
        belong to several papers is left out.
    """
    stems: dict[str, list[str]] = defaultdict(list)
    by_doi: dict[str, list[str]] = defaultdict(list)
    titles: list[tuple[str, str]] = []
    openings = {}
    for paper in papers:
        stems[_stem(paper["file_name"])].append(paper["paper_id"])
        opening = _folded(f"{paper['title'] or ''} {(paper['first_page_text'] or '')[:OPENING_CHARACTERS]}")
        openings[paper["paper_id"]] = bool(OPENING.search(opening))
        if not openings[paper["paper_id"]]:
            if doi := find_doi(paper["doi"]):
                by_doi[doi].append(paper["paper_id"])
            if len(title := _letters(paper["title"])) >= SHORTEST_TITLE:
                titles.append((title, paper["paper_id"]))
    found = {}
    for paper in papers:
        own = paper["paper_id"]
        match = NAME.match(_stem(paper["file_name"]))
        candidates = [("file name", stems.get(match["main"], []) if match else [])]
        if openings[own]:
            text = _letters(f"{paper['title'] or ''} {paper['first_page_text'] or ''}"[:3000])
            candidates += [
                ("doi", by_doi.get(find_doi(paper["doi"]) or "", [])),
                ("title", [other for title, other in titles if title in text]),
            ]
        for reason, others in candidates:
            main = sorted(set(others) - {own})
            if len(main) == 1:
                found[own] = (main[0], reason)
                break
    return {own: (main, reason) for own, (main, reason) in found.items() if main not in found}


def _stem(name: str) -> str:
    return PurePath(name).stem.casefold().strip()


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _letters(text: str | None) -> str:
    return "".join(sign for sign in _folded(text or "") if sign.isalnum())
