"""The best that is known of papers, images and the panels that show them, for lists, galleries and exports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from polydata.catalogue.connect import Catalogue

PAPERS = """
    SELECT known.* REPLACE (coalesce(known.journal, said.journal) AS journal, coalesce(known.year, said.year) AS year)
    FROM known_papers known LEFT JOIN (
        SELECT paper_id, first(journal ORDER BY score DESC, record_id) FILTER (journal IS NOT NULL) AS journal,
               first(year ORDER BY score DESC, record_id) FILTER (year IS NOT NULL) AS year
        FROM record_places JOIN records USING (record_id) GROUP BY paper_id
    ) said USING (paper_id)
"""
"""``known_papers``, with journal and year of the surest joined record where the paper itself tells none."""

SCALES = """
    SELECT panel_id, coalesce(value_um, recorded_um) AS scale_um, coalesce(method, 'record') AS scale_source
    FROM (
        SELECT panel_id, arg_max(value_um, method) AS value_um, max(method) AS method
        FROM panel_scales GROUP BY panel_id
    ) seen FULL JOIN (
        SELECT panel_id, first(scale_um ORDER BY score DESC, record_id) AS recorded_um
        FROM links JOIN records USING (record_id) WHERE scale_um IS NOT NULL GROUP BY panel_id
    ) recorded USING (panel_id)
"""
"""The length of each panel's scale bar in micrometres, where one is known: as said by hand or read from the image,
else as its caption says (``hand`` and ``image``, of which there is one, sort behind ``caption``), else as the surest
linked record says."""


def images_to_show(catalogue: Catalogue) -> list[str]:
    """SHA-256 of the images that a panel shows and that are labelled, or that the screening does not reject."""
    return catalogue.column(
        """SELECT DISTINCT image_sha256 FROM panels
           LEFT JOIN screened USING (image_sha256) LEFT JOIN labels USING (image_sha256)
           WHERE labels.label IS NOT NULL OR coalesce(labels.conflict, false)
              OR coalesce(screened.decision, 'accepted') = 'accepted'
           ORDER BY 1"""
    )


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


EXPORTED_FIGURE = (
    "pdf_sha256", "file_name", "figure_id", "page", "bbox", "label", "caption", "kind", "method", "confidence", "dpi",
)  # fmt: skip
EXPORTED_PANEL = ("panel_id", "label", "bbox", "caption", "caption_stem", "kind", "image_sha256")


def figure_exports(catalogue: Catalogue) -> Iterable[dict[str, Any]]:
    """Every figure of every PDF with its panels, in the shape of ``polydata export figures``."""
    panels: dict[str, list[dict[str, Any]]] = {}
    for row in catalogue.rows("SELECT * FROM panels WHERE x0 IS NOT NULL ORDER BY figure_id, position"):
        panels.setdefault(row["figure_id"], []).append(_exported(row, EXPORTED_PANEL))
    for row in catalogue.rows(
        """SELECT papers.sha256 AS pdf_sha256, papers.file_name, figures.* FROM figures JOIN papers USING (paper_id)
           WHERE papers.sha256 IS NOT NULL ORDER BY papers.file_name, papers.sha256, page, y0, x0, figure_id"""
    ):
        yield {**_exported(row, EXPORTED_FIGURE), "panels": panels.get(row["figure_id"], [])}


def _exported(row: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    corners = [round(row[c], 1) for c in ("x0", "y0", "x1", "y1")]
    return {name: corners if name == "bbox" else row[name] for name in names}


PANELS = f"""
    WITH known AS ({PAPERS}), scales AS ({SCALES}), recorded AS (
        SELECT panel_id, record_id, composition_ratio, polymers, blending_method
        FROM links JOIN records USING (record_id)
        QUALIFY row_number() OVER (PARTITION BY panel_id ORDER BY score DESC, record_id) = 1
    )
    SELECT panels.panel_id, panels.image_sha256, images.format, labels.label, labels.source AS label_source,
           labels.conflict, panels.label AS panel_label, panels.caption, panels.caption_stem,
           coalesce(array_to_string(from_json(composition->'components', '["VARCHAR"]'), '; '), recorded.polymers)
               AS polymers,
           coalesce(array_to_string(from_json(composition->'ratio', '["VARCHAR"]'), '/'),
                    recorded.composition_ratio)
               AS composition_ratio,
           recorded.blending_method,
           scales.scale_um, scales.scale_source,
           panels.kind, panel_techniques.technique, screened.score AS screening_score,
           screened.decision AS screening, screened.by_hand AS screening_by_hand, screened.morphology,
           recorded.record_id, figures.figure_id, figures.label AS figure_label, figures.page,
           papers.paper_id, papers.sha256 AS pdf_sha256, papers.file_name AS paper_file, known.doi,
           known.title, known.journal, known.year
    FROM panels
    JOIN figures USING (figure_id) JOIN papers USING (paper_id) JOIN known USING (paper_id)
    JOIN images ON images.sha256 = panels.image_sha256
    LEFT JOIN labels ON labels.image_sha256 = panels.image_sha256
    LEFT JOIN scales ON scales.panel_id = panels.panel_id
    LEFT JOIN recorded ON recorded.panel_id = panels.panel_id
    LEFT JOIN screened ON screened.image_sha256 = panels.image_sha256
    LEFT JOIN panel_techniques ON panel_techniques.panel_id = panels.panel_id
"""  # noqa: S608 - constants
"""A panel with its image, resolved label, composition, scale and paper."""


def panel_exports(catalogue: Catalogue) -> list[dict[str, Any]]:
    """One row a panel with its image, resolved label, composition, scale, paper and box (points of its page)."""
    return catalogue.rows(
        f"""SELECT described.*, {", ".join(f"round(panels.{c}, 1) AS {c}" for c in ("x0", "y0", "x1", "y1"))}
            FROM ({PANELS}) described JOIN panels USING (panel_id)
            ORDER BY paper_file, paper_id, page, described.figure_id, position"""  # noqa: S608 - a constant
    )
