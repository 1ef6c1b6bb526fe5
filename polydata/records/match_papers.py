"""Which paper a record speaks of: by its file's name, DOI, PoLyInfo's reference number, else by its citation.

A citation is weighed field by field (Fellegi and Sunter, J. Am. Stat. Assoc. 64 (1969) 1183): what is found on the
first page speaks for the paper, the more the rarer it is; what is not found speaks against it. So one wrong or
missing field does not matter where the others agree. The sum, a log-odds, becomes the score by the logistic function.
"""

from __future__ import annotations

import hashlib
import math
import re
from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
from rapidfuzz.distance import Hamming

from polydata.records.evidence import FEWEST_WORDS, RecordEvidence, record_evidence
from polydata.records.match_figures import OTHER_KINDS, Captions
from polydata.text.normalise import fold
from polydata.text.reference import Citation, file_key, find_doi, journal_words, paper_named, surnames

TEXT_LENGTH = 6000
"""Characters of the first page that are searched."""
NEAR = 40
"""Volume, page and year count within so many words of the journal's name or the first page's number."""
PRIOR = -5.0
MINIMUM = 2.0  # log-odds: a score of 0.88
MARGIN = 2.0
_WORD = re.compile(r"[^\W_]+")
_YEAR = re.compile(r"(?:19|20)\d\d")
_REFERENCE_NO = re.compile(r"(?:reference[ _-]*no|polyinfo[ _-]*ref)[ ._-]*0*(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PaperMatch:
    """The paper of a record.

    Attributes:
        candidates: ids of the papers that come into question, the best first; exactly one where it is decided.
        method: ``file_name``, ``doi``, ``reference_no``, ``citation`` or ``caption``.
        score: 0 to 1, of the best.
    """

    candidates: tuple[str, ...]
    method: str
    score: float

    @property
    def paper_id(self) -> str | None:
        """The paper, None where several come into question."""
        return self.candidates[0] if len(self.candidates) == 1 else None


class _Page:
    """The words of a paper's first page, ready to be searched."""

    def __init__(self, text: str) -> None:
        self.words = _WORD.findall(fold(text)[:TEXT_LENGTH])
        self.places: dict[str, list[int]] = defaultdict(list)
        for place, word in enumerate(self.words):
            self.places[word].append(place)
        self.content = [(p, w) for p, w in enumerate(self.words) if w not in ("of", "the", "and", "for", "in", "on")]

    def journal(self, words: Sequence[str]) -> list[int]:
        """Places where a journal's name stands, whole or abbreviated; a subtitle may be missing."""
        core = words[:3]
        found = []
        for start in range(len(self.content) - len(core) + 1):
            here = self.content[start : start + len(core)]
            if all(w.startswith(c) or c.startswith(w) for (_, w), c in zip(here, core, strict=True)):
                found.append(here[0][0])
        return found

    def near(self, word: str, centre: int | None) -> float:
        """1 where the number stands near a place (None: anywhere), 0.3 where one with a single other digit does."""
        low, high = (0, len(self.words)) if centre is None else (max(0, centre - NEAR), centre + NEAR)
        if any(low <= p < high for p in self.places.get(word, ())):
            return 1.0
        others = (w for w in self.words[low:high] if len(w) == len(word) >= 2 and w[-1].isdigit())
        return 0.3 if word[-1].isdigit() and any(Hamming.distance(word, w) == 1 for w in others) else 0.0


def _weigh(found: float, gain: float, loss: float) -> float:
    return gain * found if found else -loss


def weigh_citation(citation: Citation, page: _Page) -> float:
    """Log-odds that a page is the first of the cited paper, without the prior; unknown fields weigh nothing."""
    words = journal_words(citation.journal)
    journals = page.journal(words) if words else []
    first = citation.first_page
    numbers = [
        (first, {1: 1.0, 2: 2.5}.get(len(first or ""), 4.0), 1.5),
        ((citation.volume or "").lower() or None, 2.0, 1.0),
        (str(citation.year) if citation.year else None, 1.5, 1.0),
    ]
    centres: list[int | None] = [*journals, *page.places.get(first or "", ())]
    total = max(sum(_weigh(page.near(n, c), gain, loss) for n, gain, loss in numbers if n) for c in centres or [None])
    if not centres:  # numbers from anywhere on the page are weak evidence
        total = min(total, 1.0)
    if words:
        total += _weigh(float(bool(journals)), min(2.5, 0.8 * len(words)), 1.5)
    for position, name in enumerate(surnames(citation.authors)[:4]):
        here = all(part in page.places for part in _WORD.findall(name))
        known = min(1.0, len(name) / 5)  # short names occur by chance
        total += _weigh(float(here), (3.5 if position == 0 else 1.5) * known, 2.0 if position == 0 else 0.5)
    return total


def _keys(citation: Citation) -> set[str]:
    """Words that the first page of the cited paper is likely to hold; two of them make a candidate."""
    first, volume = citation.first_page, (citation.volume or "").lower()
    names = [_WORD.findall(name)[-1] for name in surnames(citation.authors)[:2] if _WORD.findall(name)]
    return {k for k in (first, volume, str(citation.year or ""), *names) if k}


class _Asking:
    """Which citations hold a word. Words stand by their hashes: what two share by chance is weighed, and found wanting.

    Args:
        citations: each has its place among them.
    """

    def __init__(self, citations: Sequence[Citation]) -> None:
        hashes, places = array("q"), array("i")
        for place, citation in enumerate(citations):
            for key in _keys(citation):
                hashes.append(hash(key))
                places.append(place)
        order = np.argsort(np.asarray(hashes), kind="stable")
        self._hashes, self._places = np.asarray(hashes)[order], np.asarray(places)[order]

    def likely(self, words: Collection[str]) -> list[int]:
        """Places of the citations that hold at least two of the words, in their order."""
        hashes = np.fromiter(map(hash, words), np.int64, len(words))
        starts, ends = (np.searchsorted(self._hashes, hashes, side) for side in ("left", "right"))
        hits = [self._places[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True) if a < b]
        places, counts = np.unique(np.concatenate(hits or [self._places[:0]]), return_counts=True)
        return [int(place) for place in places[counts >= 2]]


def _short(citation: Citation) -> bytes:
    """Sixteen bytes that stand for a citation."""
    return hashlib.blake2b(repr(citation).encode("utf-8", "replace"), digest_size=16).digest()


MOST_BY_CAPTION = 9.0
"""A caption speaks for a paper by this much at most (log-odds), however long it is."""

_ID = re.compile(r"(?:paper-)?(?P<digits>[0-9a-f]{6,64})")
"""A paper's id, or its beginning."""

Row = Mapping[str, Any]


class _Names:
    """Papers by the names of their files and by their ids, of 100,000 as fast as of ten."""

    def __init__(self) -> None:
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._ids: list[str] = []

    def add(self, paper_id: str, file_name: str) -> None:
        """Take a paper in."""
        self._by_name[file_key(file_name)].append(paper_id)
        self._ids.append(paper_id)

    def settle(self) -> None:
        """No further paper comes."""
        self._ids.sort()

    def find(self, reference: str | None) -> list[str]:
        """Papers that a reference names: whole file names, or ids that may be cut."""
        name = paper_named(reference)
        if name is None or name in self._by_name:
            return self._by_name[name] if name else []
        if not (match := _ID.fullmatch(name)):
            return []
        start = f"paper-{match['digits']}"
        first = bisect_left(self._ids, start)
        return [one for one in self._ids[first : first + MOST_NAMED] if one.startswith(start)]


MOST_NAMED = 20
"""Papers that the beginning of an id may mean."""


def cited(record: Row) -> Citation:
    """What a record cites, a row of the table of records."""
    parts = {name: record[name] for name in ("authors", "journal", "volume", "issue", "pages", "year")}
    return Citation(**parts, doi=find_doi(record["doi"]))


class PaperMatcher:
    """Finds the papers of records among those that were read. No page is kept.

    Args:
        papers: what is known of them, rows as ``catalogue.records.papers_to_join`` gives them: of these ids, or all.
        captions: of all their figures.
        citations: of the records that will be asked about, each once; each page is held against them once.
    """

    def __init__(
        self,
        papers: Callable[[Sequence[str] | None], Iterable[Row]],
        captions: Captions,
        citations: Collection[Citation],
    ) -> None:
        self.captions = captions
        self._papers = papers
        self._count = 0
        self._by_doi: dict[str | None, list[str]] = defaultdict(list)
        self._by_number: dict[str | None, list[str]] = defaultdict(list)
        self._names = _Names()
        weights: dict[int, dict[str, float]] = defaultdict(dict)
        cites = list(citations)
        asking = _Asking(cites)
        for paper in papers(None):
            self._count += 1
            paper_id, page = paper["paper_id"], _page(paper)
            self._names.add(paper_id, paper["file_name"])
            if doi := find_doi(paper["doi"]):
                self._by_doi[doi].append(paper_id)
            if number := _REFERENCE_NO.search(PurePath(paper["file_name"]).stem):
                self._by_number[number[1]].append(paper_id)
            for place in asking.likely(page.places):
                weight = PRIOR + weigh_citation(cites[place], page)
                if weight >= MINIMUM:
                    weights[place][paper_id] = weight
        self._names.settle()
        self._cited = {_short(cites[place]): choose(its, "citation") for place, its in weights.items()}

    def find(self, record: Row) -> PaperMatch | None:
        """The paper of a record, several where it cannot be decided, or None.

        Papers that a citation does not tell apart may be told by captions. A record whose citation fits no paper
        well, or that has none, goes to the paper whose caption is its own, its citation still weighed.
        """
        citation = cited(record)
        match = self._match(record, citation)
        if match is not None and match.paper_id is not None:
            return match
        by_caption = self._by_caption(record_evidence(record))
        if match is not None:
            return _apart_by_caption(match, by_caption)
        is_citable = citation.doi or record["reference_no"] or len(_keys(citation)) >= 2
        if not is_citable:
            return choose({p: w - math.log(self._count) for p, w in by_caption.items()}, "caption")
        pages = {paper["paper_id"]: _page(paper) for paper in self._papers(list(by_caption))} if by_caption else {}
        return choose({p: self._weigh(citation, pages[p]) + w for p, w in by_caption.items()}, "caption")

    def _match(self, record: Row, citation: Citation) -> PaperMatch | None:
        number = re.sub(r"\D", "", record["reference_no"] or "").lstrip("0")
        for method, found in (
            ("file_name", self._names.find(record["reference"])),
            ("doi", self._by_doi.get(citation.doi)),
            ("reference_no", self._by_number.get(number)),
        ):
            if found:
                return PaperMatch(tuple(sorted(found)), method, 1.0)
        return self._cited.get(_short(citation))

    def _by_caption(self, evidence: RecordEvidence) -> dict[str, float]:
        if len(evidence.words) < FEWEST_WORDS:
            return {}
        best: dict[str, float] = {}
        for figure in self.captions.likely(evidence):
            if figure.kind not in OTHER_KINDS:
                weight = min(MOST_BY_CAPTION, self.captions.weight(evidence, figure))
                best[figure.paper_id] = max(weight, best.get(figure.paper_id, -math.inf))
        return best

    def _weigh(self, citation: Citation, page: _Page) -> float:
        """Log-odds by its citation that a record is of a page's paper, the prior included.

        Where a first page bears no year and so does not say what it is, citations decide nothing and any paper is as
        likely as any other, as it is for a record that cites nothing.
        """
        if not any(map(_YEAR.fullmatch, page.places)):
            return -math.log(self._count)
        return PRIOR + weigh_citation(citation, page)


def _page(paper: Row) -> _Page:
    known = " ".join(str(paper[name]) for name in ("citation", "title", "journal", "year") if paper[name])
    return _Page(f"{known}\n{paper['first_page_text'] or ''}")


def choose(weights: Mapping[str, float], method: str) -> PaperMatch | None:
    """The paper that leads clearly, those that are nearly as good, or None where none is good enough.

    Args:
        weights: log-odds by paper.
    """
    good = sorted(((w, p) for p, w in weights.items() if w >= MINIMUM), key=lambda pair: (-pair[0], pair[1]))
    if not good:
        return None
    score = round(1 / (1 + math.exp(-min(30.0, good[0][0]))), 4)  # so that it is the same on every machine
    return PaperMatch(tuple(p for w, p in good if w > good[0][0] - MARGIN), method, score)


def _apart_by_caption(match: PaperMatch, by_caption: Mapping[str, float]) -> PaperMatch:
    """The one of several papers that has the record's caption; all of them where that does not decide."""
    chosen = choose({paper: by_caption.get(paper, 0.0) for paper in match.candidates}, match.method)
    if chosen is None or chosen.paper_id is None:
        return match
    return PaperMatch(chosen.candidates, match.method, min(match.score, chosen.score))
