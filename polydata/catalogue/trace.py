"""Where a thing comes from and where it went: paper, figure, panel, image, records, labels, splits, runs."""

from __future__ import annotations

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

    Raises:
        InputError: if nothing has this id.
    """
    panels = _panels(catalogue, identifier)
    if not panels:
        raise InputError(
            f"Nothing in the catalogue has the id {identifier!r}.",
            "Ids stand in the exports: polydata export figures, polydata export panels.",
        )
    return [_way(catalogue, panel) for panel in panels]


def _panels(catalogue: Catalogue, identifier: str) -> list[str]:
    if len(identifier) < MIN_DIGITS:
        raise InputError(f"{identifier!r} is too short for an id.", f"Give at least {MIN_DIGITS} characters of it.")
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
        },
        "scale_bars": catalogue.rows("SELECT * EXCLUDE (panel_id) FROM scale_bars WHERE panel_id = ?", [panel_id]),
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
