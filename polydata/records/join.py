"""Joins records to papers, figures and panels as far as that is sure, or as a person says, and labels follow."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from polydata.catalogue import by_hand
from polydata.catalogue.lookup import find
from polydata.catalogue.metadata import papers_of
from polydata.catalogue.records import KEYS, panels_to_join, papers_to_join, records_to_join, staged_links
from polydata.catalogue.resolution import count_disagreeing
from polydata.catalogue.session import Session
from polydata.errors import InputError
from polydata.records.decide import decide
from polydata.records.evidence import FigureEvidence, figure_evidence, record_evidence
from polydata.records.match_figures import Captions
from polydata.records.match_papers import PaperMatch, PaperMatcher, cited
from polydata.records.on_disk import OnDisk
from polydata.records.rules import VoteReport, write_votes
from polydata.text.reference import Citation
from polydata.types import Progress, quiet, tracked

Row = Mapping[str, Any]
CHUNK = 200
"""Papers whose panels are read at once."""


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
        disagreeing: images whose records say different labels, with none set by hand.
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
    disagreeing: int
    changed: bool


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
        links = self.links
        return {
            "records": links.records,
            "linked to a panel": links.linked,
            **{f"  by {method}": count for method, count in links.methods.items()},
            "linked to a figure": links.in_figure,
            "paper known, figure not": links.in_paper,
            "several papers possible": len(links.ambiguous),
            "no paper found": links.no_paper,
            "queued for review": links.queued,
            "panels without a record": links.panels_left,
            "images whose records disagree": links.disagreeing,
            **{f"labels by {source}": count for source, count in self.votes.votes.items()},
        }


def join(session: Session, progress: Progress = quiet) -> Joined:
    """Bring all automatic links, and the labels that follow from links, up to date in one transaction.

    A record goes to a paper that was read from a PDF by DOI, PoLyInfo's reference number in the file's name, its
    citation, or its caption. Within the paper it goes to a panel where captions, letters, ratios and scales decide;
    otherwise to the figure, or to the paper alone, and its candidates are queued. Records linked by hand take no
    part. Only what differs from what stands there is written.
    """
    catalogue = session.catalogue
    with catalogue.one_thread(), catalogue.transaction():
        by_hand.settle_manual_links(catalogue)
        links = by_hand.manual_links(catalogue)
        fixed = {link.record_id for link in links}
        by_person, waiting, citations = set[str](), OnDisk[Row](), set[Citation]()
        for record in records_to_join(catalogue):
            if record["record_id"] in fixed:
                by_person.add(record["record_id"])
            else:
                waiting.put(record["record_id"], record)
                citations.add(cited(record))
        papers = papers_of(catalogue, "pdf")
        targets = {link.target_id for link in links}
        panels, seen = [0], set[str]()

        def figures() -> Iterator[FigureEvidence]:
            for start in range(0, len(papers), CHUNK):
                rows = panels_to_join(catalogue, papers[start : start + CHUNK])
                seen.update(row["panel_id"] for row in rows if row["panel_id"] in targets)
                panels[0] += len(rows)
                catalogue.let_go()
                yield from figure_evidence(rows)

        finder = PaperMatcher(partial(papers_to_join, catalogue), Captions(figures()), citations)
        del citations
        catalogue.let_go()
        found = {record_id: match for record_id, row in waiting.items() if (match := finder.find(row))}
        taken = {link.target_id for link in links if link.target == "panel"}
        records, linked = {table: set[str]() for table in KEYS}, set[str]()
        methods, links_made = Counter[str](), staged_links(catalogue)
        for table, row in _decide(waiting, finder.captions, found, taken, progress):
            links_made.put(table, row)
            records[table].add(row["record_id"])
            if table == "links":
                methods[row["method"]] += 1
                linked.add(row["panel_id"])
        changed = links_made.settle()
        votes = write_votes(session)
    linked_by_hand = [link for link in links if link.record_id in by_person]
    in_force = [link for link in linked_by_hand if link.there]
    of_panel = {link.record_id for link in in_force if link.target == "panel"}
    of_figure = {link.record_id for link in in_force if link.target == "figure"} - of_panel
    if of_panel:
        methods["manual"] = sum(link.target == "panel" for link in in_force)
    linked |= seen & {link.target_id for link in linked_by_hand}
    report = JoinReport(
        records=len(by_person) + len(waiting),
        panels=panels[0],
        linked=len(records["links"]) + len(of_panel),
        in_figure=len(records["figure_links"]) + len(of_figure),
        in_paper=len(records["paper_links"]),
        queued=len(records["link_candidates"]),
        ambiguous=tuple(
            Ambiguous(record_id, waiting[record_id]["record_key"], m.candidates, m.score)
            for record_id, m in sorted(found.items())
            if m.paper_id is None
        ),
        no_paper=len(waiting) - len(found),
        methods=dict(sorted(methods.items())),
        panels_left=panels[0] - len(linked),
        disagreeing=count_disagreeing(catalogue),
        changed=changed,
    )
    return Joined(report, votes)


def _decide(
    records: OnDisk[Row],
    captions: Captions,
    found: Mapping[str, PaperMatch],
    taken: Collection[str],
    progress: Progress,
) -> Iterator[tuple[str, Row]]:
    """The rows of all tables that a join writes, each with its table.

    Args:
        records: those without a link by hand.
        captions: of all papers that were read from PDFs.
        found: the papers of records.
        taken: panels that are linked by hand.
    """
    waiting: dict[str, list[str]] = defaultdict(list)
    for record_id, match in found.items():
        for paper_id in match.candidates:
            waiting[paper_id].append(record_id)
    placed = set[str]()
    for paper_id in tracked(sorted(waiting), "Joining", progress, len(waiting)):
        here = [record_evidence(records[record_id]) for record_id in waiting[paper_id]]
        sure = {r.record_id: found[r.record_id].score / len(found[r.record_id].candidates) for r in here}
        for table, rows in decide(here, captions.of_paper(paper_id), captions, sure, taken).items():
            for row in rows:  # a record that may be of another paper too is only queued
                if table == "link_candidates":
                    yield table, row
                elif found[row["record_id"]].paper_id is not None:
                    placed.add(row["record_id"])
                    yield table, row
                elif table == "links":
                    yield "link_candidates", {name: row[name] for name in ("panel_id", "record_id", "score")}
    for record_id, match in found.items():
        if match.paper_id is not None and record_id not in placed:
            row = {"paper_id": match.paper_id, "record_id": record_id, "method": match.method, "score": match.score}
            yield "paper_links", row


def link(session: Session, record: str, target: str | None) -> by_hand.ManualLink:
    """Link a record to a panel or figure by hand, and let labels follow, in one transaction.

    It wins over every join until it is taken back, and finds its target again when the PDF is read anew. A record
    may be linked to several panels, and a panel to several records.

    Args:
        record, target: as in ``manual_link``, which raises as well.
    """
    with session.catalogue.transaction():
        made = by_hand.manual_link(session.catalogue, record, target)
        by_hand.add_manual_links(session.catalogue, [made])
        write_votes(session, [made.record_id])
    return made


def unlink(session: Session, record: str, target: str | None = None) -> list[by_hand.ManualLink]:
    """Take links by hand back, and the labels that followed; the next join decides about the record again.

    Args:
        record: as in ``link``.
        target: the panel or figure whose link goes; None: all links by hand of the record.

    Raises:
        InputError: if there is no such record or link.
    """
    with session.catalogue.transaction():
        record_id = find(session.catalogue, record, "record")[1]
        gone = by_hand.remove_manual_links(session.catalogue, record_id, target)
        if not gone:
            raise InputError(
                f"{record!r} has no link by hand" + (f" to {target!r}." if target else "."),
                "See them with: polydata list manual-links",
            )
        write_votes(session, [record_id])
    return gone
