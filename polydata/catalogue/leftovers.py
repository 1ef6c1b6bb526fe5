"""What stayed alone: captions, figures, records, panels."""

from __future__ import annotations

from typing import Any

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.links import unlinked_panels, unlinked_records


def extraction_leftovers(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Captions without a figure and figures without a caption, by paper and page."""
    return catalogue.rows(
        """SELECT papers.file_name AS paper, leftovers.page, leftovers.what, leftovers.label, leftovers.text
           FROM leftovers JOIN papers USING (paper_id) ORDER BY papers.file_name, leftovers.page, leftovers.y0"""
    )


def all_leftovers(catalogue: Catalogue) -> dict[str, list[dict[str, Any]]]:
    """Every kind of leftover by its name."""
    return {
        "captions and figures": extraction_leftovers(catalogue),
        "records without a panel": unlinked_records(catalogue),
        "micrographs without a record": unlinked_panels(catalogue),
    }
