"""Which paper a record speaks of: by DOI, by PoLyInfo's reference number in the file's name, else by its citation.

A citation is weighed field by field (Fellegi and Sunter, J. Am. Stat. Assoc. 64 (1969) 1183): what is found on the
first page speaks for the paper, the more the rarer it is; what is not found speaks against it. So one wrong or
missing field does not matter where the others agree. The sum, a log-odds, becomes the score by the logistic function.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from polydata.records.evidence import RecordEvidence
from polydata.records.match_figures import OTHER_KINDS, Captions
from polydata.text.normalise import fold
from polydata.text.reference import Citation, find_doi, journal_words, parse_citation, surnames

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


@dataclass(frozen=True)
class PaperEvidence:
    """What is known of a paper.

    Attributes:
        text: everything that may hold its citation: known reference, journal, year, title, the first page.
    """

    paper_id: str
    file_name: str
    doi: str | None
    text: str

    @property
    def reference_no(self) -> str | None:
        """PoLyInfo's reference number in the file's name, without leading zeros."""
        match = _REFERENCE_NO.search(PurePath(self.file_name).stem)
        return match[1] if match else None


@dataclass(frozen=True)
class PaperMatch:
    """The paper of a record.

    Attributes:
        candidates: ids of the papers that come into question, the best first; exactly one where it is decided.
        method: ``doi``, ``reference_no`` or ``citation``.
        score: 0 to 1, of the best.
    """

    candidates: tuple[str, ...]
    method: str
    score: float

    @property
    def paper_id(self) -> str | None:
        """The paper, None where several come into question."""
        return self.candidates[0] if len(self.candidates) == 1 else None


def logistic(log_odds: float) -> float:
    """Probability of log-odds, rounded to four digits so that it is the same on every machine."""
    return round(1 / (1 + math.exp(-max(-30.0, min(30.0, log_odds)))), 4)


class _Page:
    """The words of a paper's first page, ready to be searched."""

    def __init__(self, text: str) -> None:
        self.words = _WORD.findall(fold(text)[:TEXT_LENGTH])
        self.places: dict[str, list[int]] = defaultdict(list)
        for place, word in enumerate(self.words):
            self.places[word].append(place)
        self.content = [(p, w) for p, w in enumerate(self.words) if w not in ("of", "the", "and", "for", "in", "on")]

    @property
    def is_dated(self) -> bool:
        """Whether any year stands on it."""
        return any(_YEAR.fullmatch(word) for word in self.places)

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
        if len(word) >= 2 and any(_one_digit_off(word, w) for w in self.words[low:high]):
            return 0.3
        return 0.0


def _one_digit_off(one: str, other: str) -> bool:
    if len(one) != len(other) or not (one[-1].isdigit() and other[-1].isdigit()):
        return False
    return sum(a != b for a, b in zip(one, other, strict=True)) == 1


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
    best = max(
        (sum(_weigh(page.near(n, c), gain, loss) for n, gain, loss in numbers if n) for c in centres or [None]),
    )
    if not centres:  # numbers from anywhere on the page are weak evidence
        best = min(best, 1.0)
    total = best
    if words:
        total += _weigh(float(bool(journals)), min(2.5, 0.8 * len(words)), 1.5)
    for position, name in enumerate(surnames(citation.authors)[:4]):
        here = all(part in page.places for part in _WORD.findall(name))
        known = min(1.0, len(name) / 5)  # short names occur by chance
        total += _weigh(float(here), (3.5 if position == 0 else 1.5) * known, 2.0 if position == 0 else 0.5)
    return total


def citation_of(record: Mapping[str, object]) -> Citation:
    """The citation of a record from its columns, completed from its reference."""
    parsed = parse_citation(str(record["reference"] or ""))
    parts = {
        name: record[name] or getattr(parsed, name)
        for name in ("authors", "journal", "volume", "issue", "pages", "year")
    }
    return Citation(doi=find_doi(str(record["doi"] or "")) or parsed.doi, **parts)  # type: ignore[arg-type]


def _keys(citation: Citation) -> set[str]:
    """Words that the first page of the cited paper is likely to hold; two of them make a candidate."""
    first, volume = citation.first_page, (citation.volume or "").lower()
    names = [_WORD.findall(name)[-1] for name in surnames(citation.authors)[:2] if _WORD.findall(name)]
    return {k for k in (first, volume, str(citation.year or ""), *names) if k}


def is_citable(record: Mapping[str, object]) -> bool:
    """Whether a record names its paper at all: by DOI, reference number, or at least two parts of a citation."""
    return bool(citation_of(record).doi or record["reference_no"]) or len(_keys(citation_of(record))) >= 2


MOST_BY_CAPTION = 9.0
"""A caption speaks for a paper by this much at most (log-odds), however long it is."""
FEWEST_WORDS = 4

Row = Mapping[str, Any]


def paper_evidence(row: Row) -> PaperEvidence:
    """What is known of a paper, a row as ``catalogue.links.papers_to_join`` gives it."""
    known = " ".join(str(row[name]) for name in ("citation", "title", "journal", "year") if row[name])
    return PaperEvidence(row["paper_id"], row["file_name"], row["doi"], f"{known}\n{row['first_page_text'] or ''}")


class PaperMatcher:
    """Finds the papers of records among those that were read.

    Args:
        papers: what is known of them.
        captions: of all their figures.
    """

    def __init__(self, papers: Iterable[PaperEvidence], captions: Captions) -> None:
        self._captions = captions
        self._pages: dict[str, _Page] = {}
        self._by_doi: dict[str, list[str]] = defaultdict(list)
        self._by_number: dict[str, list[str]] = defaultdict(list)
        self._holding: dict[str, set[str]] = defaultdict(set)
        for paper in papers:
            self._pages[paper.paper_id] = page = _Page(paper.text)
            if doi := find_doi(paper.doi):
                self._by_doi[doi].append(paper.paper_id)
            if paper.reference_no:
                self._by_number[paper.reference_no].append(paper.paper_id)
            for word in page.places:
                self._holding[word].add(paper.paper_id)
        self._known: dict[Citation, PaperMatch | None] = {}

    def find(self, record: Row, evidence: RecordEvidence) -> PaperMatch | None:
        """The paper of a record, several where it cannot be decided, or None.

        Papers that a citation does not tell apart may be told by captions. A record whose citation fits no paper
        well, or that has none, goes to the paper whose caption is its own, its citation still weighed.
        """
        match = self.match(record)
        if match is not None and match.paper_id is not None:
            return match
        by_caption = self._by_caption(evidence)
        if match is not None:
            return _apart_by_caption(match, by_caption)
        return choose({p: self.weigh(record, p) + w for p, w in by_caption.items()}, "caption")

    def _by_caption(self, evidence: RecordEvidence) -> dict[str, float]:
        if len(evidence.words) < FEWEST_WORDS:
            return {}
        best: dict[str, float] = {}
        for figure in self._captions.likely(evidence):
            if figure.kind not in OTHER_KINDS:
                weight = min(MOST_BY_CAPTION, self._captions.weight(evidence, figure))
                best[figure.paper_id] = max(weight, best.get(figure.paper_id, -math.inf))
        return best

    def match(self, record: Mapping[str, object]) -> PaperMatch | None:
        """The paper of a record as ``find`` gives it, by DOI, reference number and citation alone."""
        citation = citation_of(record)
        number = re.sub(r"\D", "", str(record["reference_no"] or "")).lstrip("0")
        for method, found in (
            ("doi", self._by_doi.get(citation.doi or "")),
            ("reference_no", self._by_number.get(number)),
        ):
            if found:
                return PaperMatch(tuple(sorted(found)), method, 1.0)
        if citation not in self._known:
            self._known[citation] = self._by_citation(citation)
        return self._known[citation]

    def weigh(self, record: Mapping[str, object], paper_id: str) -> float:
        """Log-odds by its citation that a record is of a paper, the prior included.

        Where a record cites nothing, or a first page bears no year and so does not say what it is, citations decide
        nothing and any paper is as likely as any other.
        """
        page = self._pages[paper_id]
        if not is_citable(record) or not page.is_dated:
            return -math.log(len(self._pages))
        return PRIOR + weigh_citation(citation_of(record), page)

    def _by_citation(self, citation: Citation) -> PaperMatch | None:
        hits: dict[str, int] = defaultdict(int)
        for key in _keys(citation):
            for paper in self._holding.get(key, ()):
                hits[paper] += 1
        return choose(
            {p: PRIOR + weigh_citation(citation, self._pages[p]) for p, count in hits.items() if count >= 2}, "citation"
        )


def choose(weights: Mapping[str, float], method: str) -> PaperMatch | None:
    """The paper that leads clearly, those that are nearly as good, or None where none is good enough.

    Args:
        weights: log-odds by paper.
    """
    good = sorted(((w, p) for p, w in weights.items() if w >= MINIMUM), key=lambda pair: (-pair[0], pair[1]))
    if not good:
        return None
    return PaperMatch(tuple(p for w, p in good if w > good[0][0] - MARGIN), method, logistic(good[0][0]))


def _apart_by_caption(match: PaperMatch, by_caption: Mapping[str, float]) -> PaperMatch:
    """The one of several papers that has the record's caption; all of them where that does not decide."""
    weights = {paper: by_caption.get(paper, 0.0) for paper in match.candidates}
    chosen = choose(weights, match.method)
    if chosen is None or chosen.paper_id is None:
        return match
    return PaperMatch(chosen.candidates, match.method, min(match.score, chosen.score))
