"""Where a thing comes from and where it went: paper, figure, panel, image, records, labels, splits, runs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.splits import split_memberships
from polydata.errors import InputError

MIN_DIGITS = 6


def trace(catalogue: Catalogue, identifier: str) -> list[dict[str, Any]]:
    """The way of a paper, figure, panel, image or record through the catalogue.

    Args:
        identifier: an id (``paper-…``, ``figure-…``, ``panel-…``, ``record-…``), the SHA-256 of an image or
            a PDF, or the beginning of one (at least six digits).

    Returns:
        One entry a panel: ``paper``, ``figure``, ``panel``, ``image`` (with its screenings), ``scale_bars``,
        ``records``, ``label`` (resolved, with all that was said), ``annotations``, ``splits``, ``runs``.
        A paper without panels gives one entry with ``paper`` and ``leftovers``; a record that is joined to no
        panel one with ``record`` and ``papers``, those it was tied to.

    Raises:
        InputError: if nothing has this id, or it is too short.
    """
    digits = re.sub(r"^(paper|figure|panel|record)-", "", identifier)
    if len(digits) < MIN_DIGITS:
        raise InputError(f"{identifier!r} is too short for an id.", f"Give at least {MIN_DIGITS} digits of it.")
    found = [_way(catalogue, panel) for panel in _panels(catalogue, identifier)] or _alone(catalogue, identifier)
    if not found:
        raise InputError(
            f"Nothing in the catalogue has the id {identifier!r}.",
            "Ids stand in the exports: polydata export figures, polydata export panels.",
        )
    return found


def _panels(catalogue: Catalogue, identifier: str) -> list[str]:
    rows = catalogue.tuples(
        """SELECT DISTINCT panel_id, papers.file_name, figures.page, figures.figure_id, panels.position
           FROM panels JOIN figures USING (figure_id) JOIN papers USING (paper_id)
           LEFT JOIN links USING (panel_id)
           WHERE starts_with(panel_id, ?) OR starts_with(figure_id, ?) OR starts_with(paper_id, ?)
              OR starts_with(image_sha256, ?) OR starts_with(coalesce(papers.sha256, ''), ?)
              OR starts_with(coalesce(links.record_id, ''), ?)
           ORDER BY 2, 3, 4, 5""",
        [identifier] * 6,
    )
    return [row[0] for row in rows]


def _alone(catalogue: Catalogue, identifier: str) -> list[dict[str, Any]]:
    """Papers and records that no panel hangs on."""
    papers = catalogue.rows(
        """SELECT * EXCLUDE (first_page_text) FROM papers
           WHERE starts_with(paper_id, ?) OR starts_with(coalesce(sha256, ''), ?) ORDER BY paper_id""",
        [identifier] * 2,
    )
    records = catalogue.rows(
        "SELECT * EXCLUDE (raw) FROM records WHERE starts_with(record_id, ?) ORDER BY record_id", [identifier]
    )
    leftovers = "SELECT * EXCLUDE (leftover_id, paper_id) FROM leftovers WHERE paper_id = ? ORDER BY page, y0"
    tied = """SELECT paper_id, file_name, method, score FROM record_places JOIN papers USING (paper_id)
              WHERE record_id = ? ORDER BY score DESC, paper_id"""
    return [{"paper": p, "leftovers": catalogue.rows(leftovers, [p["paper_id"]])} for p in papers] + [
        {"record": r, "papers": catalogue.rows(tied, [r["record_id"]])} for r in records
    ]


def _way(catalogue: Catalogue, panel_id: str) -> dict[str, Any]:
    panel = catalogue.rows("SELECT * FROM panels WHERE panel_id = ?", [panel_id])[0]
    figure = catalogue.rows("SELECT * FROM figures WHERE figure_id = ?", [panel["figure_id"]])[0]
    paper = catalogue.rows("SELECT * EXCLUDE (first_page_text) FROM papers WHERE paper_id = ?", [figure["paper_id"]])[0]
    sha256 = panel["image_sha256"]
    image = catalogue.rows("SELECT * FROM images WHERE sha256 = ?", [sha256])[0]
    return {
        "paper": paper,
        "figure": figure,
        "panel": panel,
        "image": {
            **image,
            "screenings": catalogue.rows(
                "SELECT rule, version, score, decision, reason FROM screenings WHERE image_sha256 = ? ORDER BY 1, 2",
                [sha256],
            ),
            "decision": next(
                iter(
                    catalogue.rows("SELECT decision, by_hand, threshold FROM screened WHERE image_sha256 = ?", [sha256])
                ),
                None,
            ),
        },
        "scale_bars": catalogue.rows(
            "SELECT * EXCLUDE (panel_id) FROM panel_scales WHERE panel_id = ? ORDER BY method", [panel_id]
        ),
        "records": catalogue.rows(
            """SELECT records.* EXCLUDE (raw), method, score FROM links JOIN records USING (record_id)
               WHERE panel_id = ? ORDER BY score DESC, record_id""",
            [panel_id],
        ),
        "label": next(iter(catalogue.rows("SELECT * FROM labels WHERE image_sha256 = ?", [sha256])), None),
        "annotations": catalogue.rows(
            "SELECT * EXCLUDE (raw) FROM annotations WHERE image_sha256 = ? ORDER BY updated_at", [sha256]
        ),
        "splits": split_memberships(catalogue, sha256),
        "runs": catalogue.rows(
            """SELECT name, runs.split, runs.digest FROM runs
               WHERE runs.split IN (SELECT split FROM split_images WHERE image_sha256 = ?) ORDER BY name""",
            [sha256],
        ),
    }


def papers_of(catalogue: Catalogue, images: Sequence[str]) -> list[dict[str, Any]]:
    """The papers that show these images, counted by ``source`` and ``extractor`` (the method that read them)."""
    return catalogue.rows(
        """SELECT papers.source, papers.extractor, count(DISTINCT paper_id) AS papers,
                  count(DISTINCT image_sha256) AS images
           FROM (SELECT DISTINCT unnest(?::TEXT[]) AS image_sha256) JOIN panels USING (image_sha256)
           JOIN figures USING (figure_id) JOIN papers USING (paper_id) GROUP BY 1, 2 ORDER BY 1, 2""",
        [list(images)],
    )


def runs_on(catalogue: Catalogue, split: str) -> list[dict[str, Any]]:
    """Runs that were trained on a split of this name: ``name`` and ``digest`` of the split they saw."""
    return catalogue.rows("SELECT name, digest FROM runs WHERE split = ? ORDER BY name", [split])


def list_runs(catalogue: Catalogue) -> list[dict[str, Any]]:
    """The runs that are noted, by name."""
    return catalogue.rows("SELECT name, split, digest, manifest FROM runs ORDER BY name")


def save_runs(catalogue: Catalogue, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note these runs and forget all others."""
    with catalogue.transaction():
        catalogue.run("DELETE FROM runs")
        catalogue.upsert("runs", rows)
