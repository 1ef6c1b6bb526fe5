"""What stands before and after a split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from polydata.catalogue.connect import Catalogue


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
