"""Supplementary files: which paper a PDF belongs to, by its name, its DOI or the title that it repeats."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
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
STRIDE = 5
"""Letters from one place of a text to the next where a title is looked for: by pieces from the title's beginning, of"""
PIECE = SHORTEST_TITLE - STRIDE + 1
OPENING_CHARACTERS, SEARCHED = 400, 3000
"""Of title and first page: where a supplement says that it is one, and where the title of its paper is looked for."""
VERSION = 1
"""Of ``clues_of``: clues of another version are read anew."""
UNDECIDED = 3
"""Of so many papers, even when the file itself is among them, none can be chosen."""


@dataclass(frozen=True)
class Clues:
    """What one file says of which paper it supplements, and of whether others supplement it.

    Attributes:
        stem: of its name.
        main: stem of the paper that its name tells of, None where it tells of none.
        opens: whether it begins as supplements do.
        doi: the one that it bears.
        title: letters of its title, empty where it is too short to tell papers apart or the file opens as a supplement.
        text: letters of title and first page of a file that opens as a supplement, empty otherwise.
    """

    stem: str
    main: str | None
    opens: bool
    doi: str | None
    title: str
    text: str


def clues_of(paper: Mapping[str, Any]) -> Clues:
    """The clues of a row with ``file_name``, ``doi``, ``title`` and ``first_page_text`` (its first 3000 characters)."""
    stem, title, page = _stem(paper["file_name"]), paper["title"] or "", paper["first_page_text"] or ""
    match = NAME.match(stem)
    opens = bool(OPENING.search(_folded(f"{title} {page[:OPENING_CHARACTERS]}")))
    letters = "" if opens else _letters(title)
    return Clues(
        stem=stem,
        main=match["main"] if match else None,
        opens=opens,
        doi=find_doi(paper["doi"]),
        title=letters if len(letters) >= SHORTEST_TITLE else "",
        text=_letters(f"{title} {page}"[:SEARCHED]) if opens else "",
    )


def tie(papers: Mapping[str, Clues]) -> dict[str, tuple[str, str]]:
    """The papers that supplement another one of them, in time that grows with their number.

    Args:
        papers: clues by the id of their paper.

    Returns:
        By the supplement's id the id of its paper and the reason: ``file name``, ``doi`` or ``title``. What may
        belong to several papers is left out.
    """
    stems, dois, titles = (defaultdict[str, list[str]](list) for _ in range(3))
    for own, clues in papers.items():
        for named, name in ((stems, clues.stem), (dois, "" if clues.opens else clues.doi), (titles, clues.title)):
            if name and len(named[name]) < UNDECIDED:
                named[name].append(own)
    pieces = defaultdict[str, list[tuple[str, int]]](list)
    for title in titles:
        for at in range(STRIDE):
            pieces[title[at : at + PIECE]].append((title, at))

    def titled(text: str) -> set[str]:
        found = set[str]()
        for place in range(0, len(text) - PIECE + 1, STRIDE):
            for title, at in pieces.get(text[place : place + PIECE], ()):
                if at <= place and text.startswith(title, place - at):
                    found.update(titles[title])
        return found

    found = {}
    for own, clues in papers.items():
        if clues.main is None and not clues.opens:
            continue
        for reason, others in (
            ("file name", lambda c: stems.get(c.main or "", ())),
            ("doi", lambda c: dois.get(c.doi or "", ()) if c.opens else ()),
            ("title", lambda c: titled(c.text)),
        ):
            main = set(others(clues)) - {own}
            if len(main) == 1:
                found[own] = (main.pop(), reason)
                break
    return {own: (main, reason) for own, (main, reason) in found.items() if main not in found}


def _stem(name: str) -> str:
    return PurePath(name).stem.casefold().strip()


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _letters(text: str | None) -> str:
    return re.sub(r"[\W_]+", "", _folded(text or ""))
