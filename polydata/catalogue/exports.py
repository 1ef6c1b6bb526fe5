"""What the exports of figures and panels hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.known import PAPERS, SCALES


def figure_exports(catalogue: Catalogue) -> Iterable[dict[str, Any]]:
    """Every figure of every PDF with its panels, in the shape of ``polydata export figures``."""
    panels: dict[str, list[dict[str, Any]]] = {}
    for row in catalogue.rows("SELECT * FROM panels ORDER BY figure_id, position"):
        if row["x0"] is None:
            continue
        panels.setdefault(row["figure_id"], []).append(
            {
                "panel_id": row["panel_id"],
                "label": row["label"],
                "bbox": _bbox(row),
                "caption": row["caption"],
                "caption_stem": row["caption_stem"],
                "kind": row["kind"],
                "image_sha256": row["image_sha256"],
            }
        )
    for row in catalogue.rows(
        """SELECT papers.sha256 AS pdf_sha256, papers.file_name, figures.* FROM figures JOIN papers USING (paper_id)
           WHERE papers.sha256 IS NOT NULL ORDER BY papers.file_name, papers.sha256, page, y0, x0, figure_id"""
    ):
        yield {
            "pdf_sha256": row["pdf_sha256"],
            "file_name": row["file_name"],
            "figure_id": row["figure_id"],
            "page": row["page"],
            "bbox": _bbox(row),
            "label": row["label"],
            "caption": row["caption"],
            "kind": row["kind"],
            "method": row["method"],
            "confidence": row["confidence"],
            "dpi": row["dpi"],
            "panels": panels.get(row["figure_id"], []),
        }


def _bbox(row: dict[str, Any]) -> list[float]:
    return [round(row[c], 1) for c in ("x0", "y0", "x1", "y1")]


def panel_exports(catalogue: Catalogue) -> list[dict[str, Any]]:
    """One row a panel with its image, resolved label, composition, scale and paper."""
    return catalogue.rows(
        f"""
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
        ORDER BY papers.file_name, papers.paper_id, figures.page, figures.figure_id, panels.position
        """  # noqa: S608 - constants
    )
