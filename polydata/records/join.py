"""Joins records to papers and panels, and lists what could not be joined."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz, process

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.records import (
    manual_links,
    panels_to_join,
    papers_to_join,
    records_to_join,
    replace_links,
)
from polydata.records.match_panels import PanelMatch, comparable, match_panels, panel_evidence, record_evidence
from polydata.records.match_papers import PaperEvidence, PaperMatch, PaperMatcher, is_citable

SHORTEST_CAPTION = 25
SAME_CAPTION = 92.0
"""A record without any reference is given to the one paper whose caption is alike by so much (of 100) ..."""
NEXT_CAPTION = 8.0
"""... and no other paper's by nearly as much."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Ambiguous:
    """A record whose paper cannot be told from others."""

    record_id: str
    record_key: str | None
    candidates: tuple[str, ...]
    score: float


@dataclass(frozen=True)
class JoinReport:
    """What a join did.

    Attributes:
        records: number of records in the catalogue.
        panels: number of panels that were read from PDFs.
        linked: records with a panel, manual links included.
        in_paper: records whose paper is known and whose panel is not.
        ambiguous: records with several possible papers.
        no_paper: records for which no paper was found.
        methods: number of links by method.
        panels_left: panels without a record.
        changed: whether the catalogue changed.
    """

    records: int
    panels: int
    linked: int
    in_paper: int
    ambiguous: tuple[Ambiguous, ...]
    no_paper: int
    methods: Mapping[str, int]
    panels_left: int
    changed: bool

    def facts(self) -> dict[str, int]:
        """The numbers, named for a person."""
        return {
            "records": self.records,
            "linked to a panel": self.linked,
            **{f"  by {method}": count for method, count in self.methods.items()},
            "paper known, panel not": self.in_paper,
            "several papers possible": len(self.ambiguous),
            "no paper found": self.no_paper,
            "panels without a record": self.panels_left,
        }


def _evidence(row: Row) -> PaperEvidence:
    known = " ".join(str(row[name]) for name in ("citation", "title", "journal", "year") if row[name])
    return PaperEvidence(row["paper_id"], row["file_name"], row["doi"], f"{known}\n{row['first_page_text'] or ''}")


class _Captions:
    """Finds the paper of a record by its caption alone."""

    def __init__(self, panels: Sequence[Row]) -> None:
        self._papers: dict[str, set[str]] = defaultdict(set)
        for row in panels:
            for text in (row["figure_caption"], row["caption_stem"]):
                words = comparable(text)
                if len(words) >= SHORTEST_CAPTION:
                    self._papers[words].add(row["paper_id"])

    def match(self, caption: str | None) -> PaperMatch | None:
        words = comparable(caption)
        if len(words) < SHORTEST_CAPTION:
            return None
        best: dict[str, float] = {}
        hits = process.extract(
            words, list(self._papers), scorer=fuzz.ratio, score_cutoff=SAME_CAPTION - NEXT_CAPTION, limit=None
        )
        for text, score, _ in hits:
            for paper in self._papers[text]:
                best[paper] = max(score, best.get(paper, 0.0))
        ranked = sorted(best.items(), key=lambda pair: (-pair[1], pair[0]))
        if not ranked or ranked[0][1] < SAME_CAPTION:
            return None
        rivals = [paper for paper, score in ranked if score > ranked[0][1] - NEXT_CAPTION]
        return PaperMatch(tuple(rivals), "caption", round(ranked[0][1] / 100, 4))


def _papers(records: Sequence[Row], papers: Sequence[Row], panels: Sequence[Row]) -> dict[str, PaperMatch]:
    matcher, captions = PaperMatcher(_evidence(row) for row in papers), _Captions(panels)
    found = {}
    for record in records:
        match = matcher.match(record)
        if match is None and not is_citable(record):
            match = captions.match(record["caption"])
        if match is not None:
            found[record["record_id"]] = match
    return found


def join_records(catalogue: Catalogue, advance: Callable[[int], None] = lambda _: None) -> JoinReport:
    """Link records to panels of papers that were read from PDFs. Call it inside a transaction.

    A record goes to a paper by DOI, PoLyInfo's reference number in the file's name, or its citation; one that has
    none of these by its caption. Within the paper it goes to a panel where captions, letters, ratios and scales
    decide; otherwise it stays linked to the paper alone. Links made by hand win: their records and panels take no
    part. Only what differs from what stands there is written.

    Args:
        advance: called with 1 for each paper that is done.
    """
    records, papers, panels = records_to_join(catalogue), papers_to_join(catalogue), panels_to_join(catalogue)
    by_hand = manual_links(catalogue)
    fixed_panels, fixed_records = {p for p, _ in by_hand}, {r for _, r in by_hand}
    open_records = [row for row in records if row["record_id"] not in fixed_records]
    found = _papers(open_records, papers, panels)
    waiting: dict[str, list[Row]] = defaultdict(list)
    for row in open_records:
        match = found.get(row["record_id"])
        if match is not None and match.paper_id is not None:
            waiting[match.paper_id].append(row)
    shown: dict[str, list[Row]] = defaultdict(list)
    for row in panels:
        shown[row["paper_id"]].append(row)

    links: list[dict[str, Any]] = []
    for paper in papers:
        paper_id = paper["paper_id"]
        evidence = panel_evidence(shown[paper_id])
        matches = match_panels([record_evidence(row) for row in waiting[paper_id]], evidence, frozenset(fixed_panels))
        links += [_link(m, found[m.record_id]) for m in matches]
        advance(1)
    placed = {link["record_id"] for link in links}
    paper_links = [
        {"paper_id": m.paper_id, "record_id": record_id, "method": m.method, "score": m.score}
        for record_id, m in sorted(found.items())
        if m.paper_id is not None and record_id not in placed
    ]
    changed = replace_links(catalogue, links, paper_links)
    methods: dict[str, int] = defaultdict(int, {"manual": len(by_hand)} if by_hand else {})
    for link in links:
        methods[link["method"]] += 1
    keys = {row["record_id"]: row["record_key"] for row in records}
    ambiguous = tuple(
        Ambiguous(record_id, keys[record_id], m.candidates, m.score)
        for record_id, m in sorted(found.items())
        if m.paper_id is None
    )
    return JoinReport(
        records=len(records),
        panels=len(panels),
        linked=len(placed) + len(fixed_records),
        in_paper=len(paper_links),
        ambiguous=ambiguous,
        no_paper=len(open_records) - len(found),
        methods=dict(sorted(methods.items())),
        panels_left=len({row["panel_id"] for row in panels} - fixed_panels - {link["panel_id"] for link in links}),
        changed=changed,
    )


def _link(match: PanelMatch, paper: PaperMatch) -> dict[str, Any]:
    score = round(match.score * paper.score, 4)
    return {"panel_id": match.panel_id, "record_id": match.record_id, "method": match.method, "score": score}
