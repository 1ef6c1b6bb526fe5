"""Licences of papers: what the user said, else what their first page prints."""

from __future__ import annotations

from collections.abc import Sequence

from polydata.catalogue.connect import Catalogue
from polydata.text.licences import find_licence


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
    rows = catalogue.tuples("SELECT paper_id FROM papers WHERE source = ? ORDER BY paper_id", [source])
    return [str(paper) for (paper,) in rows]
