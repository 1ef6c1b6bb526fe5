"""What is said about each image, by whom and with which words: what disagreements are found in."""

from __future__ import annotations

from typing import Any

from polydata.catalogue.connect import Catalogue


def pictures(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Every panel with its image, place and resolved label, in page order; one image may stand in several.

    Columns: image_sha256, format, phash, panel_id, figure_id, paper_id, paper, page, figure, panel, file_name, caption,
    path (of the PDF), label, source.
    """
    return catalogue.rows(
        """
        SELECT panels.image_sha256, images.format, images.phash, panels.panel_id, figures.figure_id, papers.paper_id,
               papers.file_name AS paper, figures.page, figures.label AS figure, panels.label AS panel,
               panels.file_name, coalesce(panels.caption, panels.caption_stem, figures.caption) AS caption,
               papers.path, labels.label, labels.source
        FROM panels JOIN figures USING (figure_id) JOIN papers USING (paper_id)
        JOIN images ON images.sha256 = panels.image_sha256
        LEFT JOIN labels ON labels.image_sha256 = panels.image_sha256
        ORDER BY papers.file_name, papers.paper_id, figures.page, figures.figure_id, panels.position, panels.panel_id
        """
    )


def votes(catalogue: Catalogue) -> list[dict[str, Any]]:
    """What file names, records and their texts say of each image: image_sha256, source, label, evidence, spans (JSON),
    record_id, record_key, and the record's morphology and literature_description."""
    return catalogue.rows(
        """
        SELECT DISTINCT panels.image_sha256, v.source, v.label, v.evidence, v.spans, v.record_id, records.record_key,
               records.morphology, records.literature_description
        FROM label_votes v JOIN panels USING (panel_id) LEFT JOIN records USING (record_id)
        ORDER BY panels.image_sha256, v.source, records.record_key, v.record_id, v.label
        """
    )


def linked_records(catalogue: Catalogue) -> list[dict[str, Any]]:
    """The records linked to each image with what names their paper, for images with several records."""
    return catalogue.rows(
        """
        SELECT DISTINCT panels.image_sha256, record_id, record_key, reference, doi, journal, volume, records.pages,
               year, records.caption, compatibility
        FROM links JOIN panels USING (panel_id) JOIN records USING (record_id)
        QUALIFY count(DISTINCT record_id) OVER (PARTITION BY panels.image_sha256) > 1
        ORDER BY panels.image_sha256, record_key, record_id
        """
    )


def record_keys(catalogue: Catalogue) -> list[tuple[str, str]]:
    """Image and key of each linked record that has one."""
    return catalogue.tuples(
        """SELECT DISTINCT panels.image_sha256, record_key FROM links JOIN panels USING (panel_id)
           JOIN records USING (record_id) WHERE record_key IS NOT NULL ORDER BY 1, 2"""
    )


def reviewed(catalogue: Catalogue) -> list[dict[str, Any]]:
    """What the reviewers come to by the method in force: image_sha256, choice (None for a tie), disputed, said."""
    return catalogue.rows("SELECT image_sha256, choice, disputed, said FROM reviewers ORDER BY image_sha256")


def decisions(catalogue: Catalogue) -> list[dict[str, Any]]:
    """The decisions by hand that are in force: image_sha256, choice, reason, decided_by."""
    return catalogue.rows("SELECT image_sha256, choice, reason, decided_by FROM decided ORDER BY image_sha256")
