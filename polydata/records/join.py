"""Joins records to papers, figures and panels as far as that is sure, or as a person says, and labels follow."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from polydata.catalogue.links import panels_to_join, papers_to_join, records_to_join, replace_links
from polydata.catalogue.lookup import find
from polydata.catalogue.manual_links import (
    ManualLink,
    add_manual_link,
    manual_links,
    remove_manual_links,
    settle_manual_links,
)
from polydata.catalogue.session import Session
from polydata.errors import InputError
from polydata.records.decide import Decided, Link, decide
from polydata.records.evidence import FigureEvidence, RecordEvidence, figure_evidence, record_evidence
from polydata.records.match_figures import Captions
from polydata.records.match_papers import PaperMatch, PaperMatcher, paper_evidence
from polydata.records.rules import VoteReport, write_votes
from polydata.types import Progress, quiet, tracked

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
        in_figure: records whose figure is known and whose panel is not, manual links included.
        in_paper: records whose paper is known and whose figure is not.
        queued: records that wait for a person with their candidates.
        ambiguous: records with several possible papers.
        no_paper: records for which no paper was found.
        methods: number of links to panels by method.
        panels_left: panels without a record.
        changed: whether the catalogue changed.
    """

    records: int
    panels: int
    linked: int
    in_figure: int
    in_paper: int
    queued: int
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
            "linked to a figure": self.in_figure,
            "paper known, figure not": self.in_paper,
            "several papers possible": len(self.ambiguous),
            "no paper found": self.no_paper,
            "queued for review": self.queued,
            "panels without a record": self.panels_left,
        }


@dataclass(frozen=True)
class _Given:
    """What a join reads: rows of the catalogue, and links by hand."""

    records: Sequence[Row]
    papers: Sequence[Row]
    panels: Sequence[Row]
    by_hand: Sequence[ManualLink]


@dataclass(frozen=True)
class _Outcome:
    """What was decided: the papers of records; links to panels, figures and papers; the queue."""

    found: Mapping[str, PaperMatch]
    panels: list[Link]
    figures: list[Link]
    papers: list[Link]
    candidates: dict[str, tuple[tuple[str, float], ...]]

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Rows by the table that they are for."""
        return {
            "links": _rows("panel_id", self.panels),
            "figure_links": _rows("figure_id", self.figures),
            "paper_links": _rows("paper_id", self.papers),
            "link_candidates": [
                {"panel_id": panel, "record_id": record_id, "score": score}
                for record_id, its in sorted(self.candidates.items())
                for panel, score in its
            ],
        }


def _rows(column: str, links: Iterable[Link]) -> list[dict[str, Any]]:
    return [{column: one.target, "record_id": one.record_id, "method": one.method, "score": one.score} for one in links]


@dataclass(frozen=True)
class Joined:
    """What a join did: to the links, and to the labels that follow from them."""

    links: JoinReport
    votes: VoteReport

    @property
    def changed(self) -> bool:
        """Whether the catalogue changed."""
        return self.links.changed or self.votes.changed

    def facts(self) -> dict[str, int]:
        """The numbers, named for a person."""
        labels = {f"labels by {source}": count for source, count in self.votes.votes.items()}
        return {**self.links.facts(), **labels}


def join(session: Session, progress: Progress = quiet) -> Joined:
    """Bring all automatic links, and the labels that follow from links, up to date in one transaction.

    A record goes to a paper that was read from a PDF by DOI, PoLyInfo's reference number in the file's name, its
    citation, or its caption. Within the paper it goes to a panel where captions, letters, ratios and scales decide;
    otherwise to the figure, or to the paper alone, and its candidates are queued. Records linked by hand take no
    part. Only what differs from what stands there is written.
    """
    catalogue = session.catalogue
    with catalogue.transaction():
        settle_manual_links(catalogue)
        given = _Given(
            records_to_join(catalogue), papers_to_join(catalogue), panels_to_join(catalogue), manual_links(catalogue)
        )
        outcome = _decide(given, progress)
        report = _report(given, outcome, replace_links(catalogue, outcome.tables()))
        return Joined(report, write_votes(session))


def _decide(given: _Given, progress: Progress) -> _Outcome:
    figures = figure_evidence(given.panels)
    captions = Captions(figures)
    finder = PaperMatcher(map(paper_evidence, given.papers), captions)
    fixed = {link.record_id for link in given.by_hand}
    said = {row["record_id"]: record_evidence(row) for row in given.records if row["record_id"] not in fixed}
    found = {
        row["record_id"]: match
        for row in given.records
        if row["record_id"] in said
        if (match := finder.find(row, said[row["record_id"]])) is not None
    }
    waiting: dict[str, list[RecordEvidence]] = defaultdict(list)
    for record_id, match in found.items():
        for paper_id in match.candidates:
            waiting[paper_id].append(said[record_id])
    of_paper: dict[str, list[FigureEvidence]] = defaultdict(list)
    for figure in figures:
        of_paper[figure.paper_id].append(figure)
    taken = {link.target_id for link in given.by_hand if link.target == "panel"}
    outcome = _Outcome(found, [], [], [], {})
    for paper in tracked(given.papers, "Joining", progress, len(given.papers)):
        here = waiting[paper["paper_id"]]
        sure = {r.record_id: found[r.record_id].score / len(found[r.record_id].candidates) for r in here}
        _add(outcome, decide(here, of_paper[paper["paper_id"]], captions, sure, taken))
    placed = {link.record_id for link in (*outcome.panels, *outcome.figures)}
    outcome.papers.extend(
        Link(record_id, m.paper_id, m.method, m.score)
        for record_id, m in sorted(found.items())
        if m.paper_id is not None and record_id not in placed
    )
    return outcome


def _add(outcome: _Outcome, decided: Decided) -> None:
    """Take over what was decided within one paper; a record that may be of another paper too is only queued."""
    queue: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for record_id, its in decided.candidates.items():
        queue[record_id].extend(its)
    for link in decided.panels:
        if outcome.found[link.record_id].paper_id is None:
            queue[link.record_id].append((link.target, link.score))
        else:
            outcome.panels.append(link)
    outcome.figures.extend(link for link in decided.figures if outcome.found[link.record_id].paper_id is not None)
    for record_id, waiting in queue.items():
        if waiting:
            outcome.candidates[record_id] = (*outcome.candidates.get(record_id, ()), *waiting)


def _report(given: _Given, outcome: _Outcome, changed: bool) -> JoinReport:
    known = {row["record_id"]: row["record_key"] for row in given.records}
    by_hand = [link for link in given.by_hand if link.record_id in known]
    in_force = [link for link in by_hand if link.there]
    of_panel = {link.record_id for link in in_force if link.target == "panel"}
    of_figure = {link.record_id for link in in_force if link.target == "figure"} - of_panel
    methods = Counter(link.method for link in outcome.panels)
    if of_panel:
        methods["manual"] = sum(link.target == "panel" for link in in_force)
    linked = {link.target for link in outcome.panels} | {link.target_id for link in by_hand}
    return JoinReport(
        records=len(known),
        panels=len(given.panels),
        linked=len({link.record_id for link in outcome.panels} | of_panel),
        in_figure=len({link.record_id for link in outcome.figures} | of_figure),
        in_paper=len(outcome.papers),
        queued=len(outcome.candidates),
        ambiguous=tuple(
            Ambiguous(record_id, known[record_id], m.candidates, m.score)
            for record_id, m in sorted(outcome.found.items())
            if m.paper_id is None
        ),
        no_paper=len(known) - len({link.record_id for link in by_hand}) - len(outcome.found),
        methods=dict(sorted(methods.items())),
        panels_left=len({row["panel_id"] for row in given.panels} - linked),
        changed=changed,
    )


def link(session: Session, record: str, target: str | None) -> ManualLink:
    """Link a record to a panel or figure by hand, and let labels follow, in one transaction.

    It wins over every join until it is taken back, and finds its target again when the PDF is read anew. A record
    may be linked to several panels, and a panel to several records.

    Args:
        record: its id, the beginning of it, or its own key.
        target: id of a panel or figure, or the beginning of it; None: the record belongs to none.

    Raises:
        InputError: if either is not there or not the only one.
    """
    with session.catalogue.transaction():
        kind, identifier = ("nothing", "") if target is None else find(session.catalogue, target, "panel", "figure")
        made = ManualLink(find(session.catalogue, record, "record")[1], kind, identifier)
        add_manual_link(session.catalogue, made)
        write_votes(session)
    return made


def unlink(session: Session, record: str, target: str | None = None) -> list[ManualLink]:
    """Take links by hand back, and the labels that followed; the next join decides about the record again.

    Args:
        record: as in ``link``.
        target: the panel or figure whose link goes; None: all links by hand of the record.

    Raises:
        InputError: if there is no such record or link.
    """
    with session.catalogue.transaction():
        record_id = find(session.catalogue, record, "record")[1]
        gone = remove_manual_links(session.catalogue, record_id, target)
        if not gone:
            raise InputError(
                f"{record!r} has no link by hand" + (f" to {target!r}." if target else "."),
                "See them with: polydata list manual-links",
            )
        write_votes(session)
    return gone
