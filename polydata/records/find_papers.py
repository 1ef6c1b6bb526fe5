"""The papers of records: by DOI, number and citation, and by captions where these do not decide."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from polydata.records.evidence import RecordEvidence
from polydata.records.match_figures import OTHER_KINDS, Captions
from polydata.records.match_papers import PaperEvidence, PaperMatch, PaperMatcher, choose

MOST_BY_CAPTION = 9.0
"""A caption speaks for a paper by this much at most (log-odds), however long it is."""
FEWEST_WORDS = 4

Row = Mapping[str, Any]


def paper_evidence(row: Row) -> PaperEvidence:
    """What is known of a paper, a row as ``catalogue.links.papers_to_join`` gives it."""
    known = " ".join(str(row[name]) for name in ("citation", "title", "journal", "year") if row[name])
    return PaperEvidence(row["paper_id"], row["file_name"], row["doi"], f"{known}\n{row['first_page_text'] or ''}")


class PaperFinder:
    """Finds the papers of records among those that were read.

    Args:
        papers: what is known of them.
        captions: of all their figures.
    """

    def __init__(self, papers: Sequence[Row], captions: Captions) -> None:
        self._matcher = PaperMatcher(paper_evidence(row) for row in papers)
        self._captions = captions

    def find(self, record: Row, evidence: RecordEvidence) -> PaperMatch | None:
        """The paper of a record, several where it cannot be decided, or None.

        Papers that a citation does not tell apart may be told by captions. A record whose citation fits no paper
        well, or that has none, goes to the paper whose caption is its own, its citation still weighed.
        """
        match = self._matcher.match(record)
        if match is not None and match.paper_id is not None:
            return match
        by_caption = self._by_caption(evidence)
        if match is not None:
            return _told_apart(match, by_caption)
        return choose({p: self._matcher.weigh(record, p) + w for p, w in by_caption.items()}, "caption")

    def _by_caption(self, evidence: RecordEvidence) -> dict[str, float]:
        if len(evidence.words) < FEWEST_WORDS:
            return {}
        best: dict[str, float] = {}
        for figure in self._captions.likely(evidence):
            if figure.kind not in OTHER_KINDS:
                weight = min(MOST_BY_CAPTION, self._captions.weight(evidence, figure))
                best[figure.paper_id] = max(weight, best.get(figure.paper_id, -math.inf))
        return best


def _told_apart(match: PaperMatch, by_caption: Mapping[str, float]) -> PaperMatch:
    """The one of several papers that has the record's caption; all of them where that does not decide."""
    weights = {paper: by_caption.get(paper, 0.0) for paper in match.candidates}
    chosen = choose(weights, match.method)
    if chosen is None or chosen.paper_id is None:
        return match
    return PaperMatch(chosen.candidates, match.method, min(match.score, chosen.score))
