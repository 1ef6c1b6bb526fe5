"""Papers taken out of the catalogue, after it was said what goes with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.papers import delete_papers
from polydata.catalogue.quality import forget_papers
from polydata.catalogue.successors import remember_looks


def papers_at_shared_paths(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Papers that were read from one path, each with its path and the SHA-256 of its PDF: all but one are older."""
    return catalogue.rows(
        """SELECT paper_id, path, sha256 FROM papers
           WHERE path IN (SELECT path FROM papers WHERE path IS NOT NULL GROUP BY path HAVING count(*) > 1)
           ORDER BY path, paper_id"""
    )


def what_goes_with(catalogue: Catalogue, paper_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Papers that are to go, in this order, each with the numbers of what goes with it.

    Returns:
        ``paper_id``, ``file_name``, numbers of ``figures``, ``panels``, ``links``, ``labels`` (votes), ``edits``
        (corrections by hand) and ``images`` that no paper has which stays, ``annotations`` of these, and ``splits``
        that hold them.
    """
    return catalogue.rows(
        """WITH chosen AS (SELECT * FROM papers WHERE list_contains($1, paper_id)),
                own_panels AS (
                    SELECT paper_id, panels.* FROM panels JOIN figures USING (figure_id) JOIN chosen USING (paper_id)
                ),
                lonely AS (
                    SELECT image_sha256 FROM own_panels
                    EXCEPT SELECT image_sha256 FROM panels WHERE panel_id NOT IN (SELECT panel_id FROM own_panels)
                ),
                own_images AS (SELECT DISTINCT paper_id, image_sha256 FROM own_panels JOIN lonely USING (image_sha256))
           SELECT paper_id, file_name,
                  (SELECT count(*) FROM figures f WHERE f.paper_id = p.paper_id) AS figures,
                  (SELECT count(*) FROM own_panels o WHERE o.paper_id = p.paper_id) AS panels,
                  (SELECT count(*) FROM links JOIN own_panels o USING (panel_id) WHERE o.paper_id = p.paper_id)
                      + (SELECT count(*) FROM record_places l WHERE l.paper_id = p.paper_id AND depth <> 'panel')
                      AS links,
                  (SELECT count(*) FROM label_votes JOIN own_panels o USING (panel_id)
                   WHERE o.paper_id = p.paper_id) AS labels,
                  (SELECT count(*) FROM edits WHERE paper_sha256 = p.sha256) AS edits,
                  (SELECT count(*) FROM own_images o WHERE o.paper_id = p.paper_id) AS images,
                  (SELECT count(*) FROM annotations JOIN own_images o USING (image_sha256)
                   WHERE o.paper_id = p.paper_id) AS annotations,
                  (SELECT coalesce(list(DISTINCT split ORDER BY split), [])
                   FROM split_images JOIN own_images o USING (image_sha256) WHERE o.paper_id = p.paper_id) AS splits
           FROM chosen p ORDER BY list_position($1, paper_id)""",
        [list(paper_ids)],
    )


def remove_papers(catalogue: Catalogue, paper_ids: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Take papers out with all that extraction, join and screening made of them, in one transaction.

    What people said stays: annotations, corrections by hand of figures and of the screening, links by hand (they are in
    force again when the PDF is read again), records. Of the sample of the corpus goes what only these papers have.

    Returns:
        SHA-256 and true format of their images that no other paper shows, and names of pictures that were drawn of
        their figures and pages.
    """
    shown = """SELECT DISTINCT sha256, format FROM images JOIN panels ON panels.image_sha256 = images.sha256
               JOIN figures USING (figure_id) WHERE list_contains(?, paper_id)"""
    with catalogue.transaction():
        images = dict(catalogue.tuples(shown, [list(paper_ids)]))
        of_papers = "paper_id IN (SELECT unnest(?::TEXT[]))"
        of_figures = f"figure_id IN (SELECT figure_id FROM figures WHERE {of_papers})"  # noqa: S608 - a constant
        of_panels = f"panel_id IN (SELECT panel_id FROM panels WHERE {of_figures})"  # noqa: S608 - a constant
        conditions = dict.fromkeys(("links", "link_candidates", "label_votes"), of_panels)
        conditions |= {"figure_links": of_figures, "paper_links": of_papers, "paper_resolutions": of_papers}
        for table, condition in conditions.items():
            catalogue.run(f"DELETE FROM {table} WHERE {condition}", [list(paper_ids)])  # noqa: S608
        pictures = forget_papers(catalogue, paper_ids)
        delete_papers(catalogue, paper_ids)
        kept = set(catalogue.column("SELECT DISTINCT image_sha256 FROM panels"))
        lonely = sorted((sha256, form) for sha256, form in images.items() if sha256 not in kept)
        gone = [sha256 for sha256, _ in lonely]
        remember_looks(catalogue, gone)
        for table, column in (("screenings", "image_sha256"), ("scale_readings", "image_sha256"), ("images", "sha256")):
            catalogue.run(f"DELETE FROM {table} WHERE list_contains(?, {column})", [gone])  # noqa: S608
    return lonely, pictures
