"""All that is known of images and the places that show them, for galleries and exports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.known import PAPERS, SCALES


def images_to_show(catalogue: Catalogue) -> list[str]:
    """SHA-256 of the images that a panel shows and that are labelled, or that the screening does not reject."""
    rows = catalogue.tuples(
        """SELECT DISTINCT image_sha256 FROM panels
           LEFT JOIN screened USING (image_sha256) LEFT JOIN labels USING (image_sha256)
           WHERE labels.label IS NOT NULL OR coalesce(labels.conflict, false)
              OR coalesce(screened.decision, 'accepted') = 'accepted'
           ORDER BY 1"""
    )
    return [str(sha256) for (sha256,) in rows]


def described_panels(catalogue: Catalogue, images: Sequence[str]) -> list[dict[str, Any]]:
    """One row a panel that shows one of the images, by image and panel id.

    Columns: of the image ``image_sha256``, ``phash``, ``format``, ``mode``, ``alpha_only``, ``width``, ``height``,
    ``label`` (resolved), ``label_source``, ``conflict``, ``said`` (list of ``source=label``, None for none); of the
    panel ``panel_id``, ``panel``, ``panel_box``, ``caption``, ``caption_stem``, ``technique``, ``scales`` (list of
    ``method``, ``value``, ``unit``, ``value_um``, ``x0``, ``x1``, ``y``), ``scale_um`` (the best that is known),
    ``record`` (the best that is joined to it, or None); of its figure ``figure_id``, ``figure``, ``figure_caption``,
    ``page``, ``figure_box`` (None where it has no place); of its paper ``paper_id``, ``paper``, ``path``,
    ``pdf_sha256``, ``source``, ``doi``, ``title``, ``journal``, ``year``, ``reference``.
    """
    return catalogue.rows(
        f"""
        WITH wanted AS (SELECT DISTINCT unnest(?::TEXT[]) AS image_sha256), known AS ({PAPERS}), lengths AS ({SCALES}),
        scales AS (
            SELECT panel_id, list({{'method': method, 'value': value, 'unit': unit, 'value_um': value_um,
                                   'x0': x0, 'x1': x1, 'y': y}} ORDER BY method) AS scales
            FROM panel_scales GROUP BY panel_id
        ), recorded AS (
            SELECT panel_id, {{'record_id': record_id, 'key': record_key, 'polymers': polymers,
                              'ratio': composition_ratio, 'blending': blending_method, 'morphology': morphology,
                              'literature': literature_description, 'compatibility': compatibility,
                              'reference': reference}} AS record
            FROM links JOIN records USING (record_id)
            QUALIFY row_number() OVER (PARTITION BY panel_id ORDER BY score DESC, record_id) = 1
        )
        SELECT panels.image_sha256, images.phash, images.format, images.mode, images.alpha_only, images.width,
               images.height, labels.label, labels.source AS label_source, coalesce(labels.conflict, false) AS conflict,
               labels.sources AS said, panels.panel_id, panels.label AS panel,
               CASE WHEN panels.x0 IS NOT NULL THEN [panels.x0, panels.y0, panels.x1, panels.y1] END AS panel_box,
               panels.caption, panels.caption_stem, panel_techniques.technique, scales.scales, lengths.scale_um,
               recorded.record, figures.figure_id, figures.label AS figure, figures.caption AS figure_caption,
               figures.page,
               CASE WHEN figures.x0 IS NOT NULL THEN [figures.x0, figures.y0, figures.x1, figures.y1] END AS figure_box,
               papers.paper_id, papers.file_name AS paper, papers.path, papers.sha256 AS pdf_sha256, papers.source,
               known.doi, known.title, known.journal, known.year, nullif(known.citation, '') AS reference
        FROM wanted JOIN panels USING (image_sha256) JOIN images ON images.sha256 = panels.image_sha256
        JOIN figures USING (figure_id) JOIN papers USING (paper_id) JOIN known USING (paper_id)
        LEFT JOIN labels ON labels.image_sha256 = panels.image_sha256
        LEFT JOIN scales ON scales.panel_id = panels.panel_id
        LEFT JOIN lengths ON lengths.panel_id = panels.panel_id
        LEFT JOIN recorded ON recorded.panel_id = panels.panel_id
        LEFT JOIN panel_techniques ON panel_techniques.panel_id = panels.panel_id
        ORDER BY panels.image_sha256, panels.panel_id
        """,  # noqa: S608 - constants
        [list(images)],
    )
