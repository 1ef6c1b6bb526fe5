"""The automatic screening: which images a rule has seen, and what it said."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from polydata.catalogue.connect import Catalogue
from polydata.types import Screening


def unscreened_images(catalogue: Catalogue, rule: str, version: int, *, again: bool = False) -> list[tuple[str, str]]:
    """SHA-256 and true format of the images this version of the rule has not seen; all of them if ``again``."""
    return [
        (sha256, true_format)
        for sha256, true_format in catalogue.tuples(
            """SELECT sha256, format FROM images
               WHERE ? OR sha256 NOT IN (SELECT image_sha256 FROM screenings WHERE rule = ? AND version = ?)
               ORDER BY sha256""",
            [again, rule, version],
        )
    ]


def save_screenings(catalogue: Catalogue, rule: str, version: int, screenings: Sequence[tuple[str, Screening]]) -> None:
    """Write what a rule said of some images, in one transaction."""
    with catalogue.transaction():
        catalogue.upsert(
            "screenings",
            [
                {"image_sha256": sha256, "rule": rule, "version": version, **dataclasses.asdict(screening)}
                for sha256, screening in screenings
            ],
        )


def list_screenings(catalogue: Catalogue, decision: str | None = None) -> list[dict[str, Any]]:
    """The newest screening of each image with a panel that shows it, the least sure first."""
    return catalogue.rows(
        """SELECT s.image_sha256, s.decision, s.score, s.reason, s.rule, s.version,
                  papers.file_name AS paper, figures.page, figures.label AS figure, panels.label AS panel
           FROM screened s
           JOIN panels USING (image_sha256) JOIN figures USING (figure_id) JOIN papers USING (paper_id)
           WHERE (? IS NULL OR s.decision = ?)
           QUALIFY row_number() OVER (PARTITION BY s.image_sha256 ORDER BY panels.panel_id) = 1
           ORDER BY abs(s.score - 0.5), s.image_sha256""",
        [decision, decision],
    )


def count_decisions(catalogue: Catalogue) -> dict[str, int]:
    """How many images are accepted and rejected."""
    rows = catalogue.tuples("SELECT decision, count(*) FROM screened GROUP BY decision")
    return {"accepted": 0, "rejected": 0, **dict(rows)}
