"""What is known of papers beside their figures: listing, resolved references, supplements, licences."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from polydata.catalogue.connect import Catalogue
from polydata.text.licences import find_licence
from polydata.text.reference import Reference
from polydata.text.supplements import SEARCHED, VERSION, Clues, clues_of, tie

PAPERS_CHANGED = "papers.changed"
"""The setting that stands while it is not noted yet which papers are supplements of which."""


PAPERS = """
    SELECT paper_id, p.file_name AS file, k.doi, k.title, k.journal, k.year, k.volume, k.pages AS first_page, p.pages,
           (SELECT count(*) FROM figures f WHERE f.paper_id = p.paper_id) AS figures,
           (SELECT count(*) FROM panels JOIN figures f USING (figure_id) WHERE f.paper_id = p.paper_id) AS panels,
           NULL::TEXT AS supplement_of, k.resolved_by || ' ' || printf('%.2f', k.resolved_score) AS resolved,
           NULL::TEXT AS licence, p.status
    FROM papers p JOIN known_papers k USING (paper_id) ORDER BY p.file_name, paper_id
"""
"""What ``list_papers`` lists; it fills in the columns that are empty here."""


def list_papers(catalogue: Catalogue) -> list[dict[str, Any]]:
    """One row a paper, by file name.

    Columns: paper_id, file, doi, title, journal, year, volume, first_page, pages (of the file), figures, panels,
    supplement_of (the file of its paper), resolved (the service and its score, None where it was not asked), licence
    (None where it is not known), status.
    """
    tied, rows = supplements(catalogue), catalogue.rows(PAPERS)
    names = {row["paper_id"]: row["file"] for row in rows}
    licences = paper_licences(catalogue)
    for row in rows:
        row["licence"] = licences.get(row["paper_id"], (None,))[0]
        if row["paper_id"] in tied:
            row["supplement_of"] = names[tied[row["paper_id"]]]
    return rows


def papers_to_resolve(catalogue: Catalogue, *, again: bool = False) -> list[dict[str, Any]]:
    """Papers read from PDFs that no service has resolved yet; all of them if ``again``.

    Supplements are left out: their paper stands for them.
    """
    rows = catalogue.rows(
        """SELECT paper_id, file_name, doi, title, year FROM papers
           WHERE source = 'pdf' AND (? OR paper_id NOT IN (SELECT paper_id FROM paper_resolutions))
           ORDER BY file_name, paper_id""",
        [again],
    )
    tied = supplements(catalogue)
    return [row for row in rows if row["paper_id"] not in tied]


def save_resolution(
    catalogue: Catalogue, paper_id: str, reference: Reference, *, source: str, method: str, score: float
) -> None:
    """Write what a service answered for a paper; an earlier answer is replaced, the paper itself stays as it is."""
    row = {"paper_id": paper_id, "source": source, "method": method, "score": score}
    with catalogue.transaction():
        catalogue.upsert("paper_resolutions", [{**row, **dataclasses.asdict(reference), "reference": reference.text()}])


def supplements(catalogue: Catalogue) -> dict[str, str]:
    """The id of each supplement with that of its paper; worked out anew only where papers changed since it was noted.

    Only papers that were read from PDFs are looked at.
    """
    if not catalogue.value("SELECT 1 FROM settings WHERE key = ?", [PAPERS_CHANGED]):
        return dict(catalogue.tuples("SELECT paper_id, supplement_of FROM papers WHERE supplement_of IS NOT NULL"))
    return _tied(_clues(catalogue)[0])


def _tied(clues: Mapping[str, Clues]) -> dict[str, str]:
    return {own: main for own, (main, _) in tie(clues).items()}


def _clues(catalogue: Catalogue) -> tuple[dict[str, Clues], list[dict[str, Any]]]:
    """The clues of all papers that were read from PDFs, and rows of those that are not noted yet."""
    names = [part.name for part in fields(Clues)]
    noted = catalogue.tuples(
        f"SELECT paper_id, {', '.join(names)} FROM supplement_clues WHERE version = ?",  # noqa: S608 - constants
        [VERSION],
    )
    clues = {paper: Clues(*parts) for paper, *parts in noted}
    rows = []
    for paper in catalogue.each(
        f"""SELECT paper_id, file_name, doi, title, left(first_page_text, {SEARCHED}) AS first_page_text FROM papers
            WHERE source = 'pdf' AND paper_id NOT IN (SELECT paper_id FROM supplement_clues WHERE version = ?)""",  # noqa: S608
        [VERSION],
    ):
        clues[paper["paper_id"]] = its = clues_of(paper)
        rows.append({"paper_id": paper["paper_id"], "version": VERSION, **{name: getattr(its, name) for name in names}})
    return clues, rows


def note_papers_changed(catalogue: Catalogue, papers: Sequence[str] | None = None) -> None:
    """Which papers are supplements must be worked out anew. Call it inside a transaction.

    Args:
        papers: that went or were read anew; None: all may be others. Ones that came need not be named.
    """
    catalogue.upsert("settings", [{"key": PAPERS_CHANGED, "value": "yes"}])
    if papers is None:
        catalogue.run("DELETE FROM supplement_clues")
    elif papers:
        catalogue.run("DELETE FROM supplement_clues WHERE paper_id IN (SELECT unnest(?::TEXT[]))", [list(papers)])


def tie_supplements(catalogue: Catalogue) -> int:
    """Write to each paper which one it supplements, in one transaction. Returns how many are supplements.

    Nothing is done where no paper changed; else only papers that changed are read.
    """
    if catalogue.value("SELECT 1 FROM settings WHERE key = ?", [PAPERS_CHANGED]):
        with catalogue.transaction():
            catalogue.run("DELETE FROM supplement_clues WHERE version <> ?", [VERSION])
            clues, rows = _clues(catalogue)
            catalogue.upsert("supplement_clues", rows)
            tied = _tied(clues)
            catalogue.run(
                """UPDATE papers SET supplement_of = tied.main
                   FROM (SELECT unnest($1::TEXT[]) AS paper_id, unnest($2::TEXT[]) AS main) tied
                   WHERE papers.paper_id = tied.paper_id AND supplement_of IS DISTINCT FROM tied.main""",
                [list(tied), list(tied.values())],
            )
            catalogue.run(
                """UPDATE papers SET supplement_of = NULL WHERE source = 'pdf' AND supplement_of IS NOT NULL
                   AND paper_id NOT IN (SELECT unnest($1::TEXT[]))""",
                [list(tied)],
            )
            catalogue.run("DELETE FROM settings WHERE key = ?", [PAPERS_CHANGED])
    count: int = catalogue.value("SELECT count(supplement_of) FROM papers WHERE source = 'pdf'")
    return count


def paper_licences(catalogue: Catalogue) -> dict[str, tuple[str, str]]:
    """Licence and where it is known from (``user`` or ``first page``), by paper; papers without one are left out."""
    printed = {
        paper: (licence, "first page")
        for paper, text in catalogue.tuples("SELECT paper_id, first_page_text FROM papers ORDER BY paper_id")
        if (licence := find_licence(text))
    }
    said = {
        paper: (licence, "user")
        for paper, licence in catalogue.tuples("SELECT paper_id, licence FROM paper_licences ORDER BY paper_id")
    }
    return printed | said


def save_licence(catalogue: Catalogue, papers: Sequence[str], licence: str | None) -> None:
    """Write what the user says of papers, in one transaction; None takes it back."""
    with catalogue.transaction():
        if licence is None:
            catalogue.run("DELETE FROM paper_licences WHERE list_contains(?, paper_id)", [list(papers)])
        else:
            catalogue.upsert("paper_licences", [{"paper_id": paper, "licence": licence} for paper in papers])


def papers_of(catalogue: Catalogue, source: str) -> list[str]:
    """Ids of the papers of a source: ``pdf`` or an imported data set."""
    return catalogue.column("SELECT paper_id FROM papers WHERE source = ? ORDER BY paper_id", [source])
