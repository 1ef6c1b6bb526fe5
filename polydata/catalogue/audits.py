"""What the audit asks of the catalogue beside what stands in ``catalogue.splits``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from polydata.catalogue.connect import Catalogue


def said_of(catalogue: Catalogue, images: Sequence[str]) -> list[dict[str, Any]]:
    """Labels of images by hash: ``image_sha256``, ``label`` (resolved, or None) and ``said``, a list of ``source`` and
    ``label`` for every source that speaks."""
    return catalogue.rows(
        """WITH wanted AS (SELECT DISTINCT unnest(?::TEXT[]) AS image_sha256)
           SELECT image_sha256, any_value(labels.label) AS label,
                  list({'source': c.source, 'label': c.label} ORDER BY c.source, c.label) AS said
           FROM wanted JOIN label_candidates c USING (image_sha256) LEFT JOIN labels USING (image_sha256)
           GROUP BY image_sha256 ORDER BY image_sha256""",
        [list(images)],
    )


def scales_of(catalogue: Catalogue, images: Sequence[str]) -> list[tuple[str, str, float]]:
    """Image, paper and micrometres a pixel, where both the value and the length of a scale bar are known."""
    return [
        (image, paper, scale)
        for image, paper, scale in catalogue.tuples(
            """SELECT image_sha256, paper_id, median(value_um / length_px)
               FROM (SELECT DISTINCT unnest(?::TEXT[]) AS image_sha256) JOIN panels USING (image_sha256)
               JOIN figures USING (figure_id) JOIN panel_scales USING (panel_id)
               WHERE value_um > 0 AND length_px > 0 GROUP BY 1, 2 ORDER BY 1, 2""",
            [list(images)],
        )
    ]


def shown_more_than_once(catalogue: Catalogue, images: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Images that several panels show, byte for byte, with the names of their papers."""
    return [
        (image, papers)
        for image, papers in catalogue.tuples(
            """SELECT image_sha256, list(papers.file_name ORDER BY papers.file_name, panel_id)
               FROM (SELECT DISTINCT unnest(?::TEXT[]) AS image_sha256) JOIN panels USING (image_sha256)
               JOIN figures USING (figure_id) JOIN papers USING (paper_id)
               GROUP BY image_sha256 HAVING count(DISTINCT panel_id) > 1 ORDER BY image_sha256""",
            [list(images)],
        )
    ]
