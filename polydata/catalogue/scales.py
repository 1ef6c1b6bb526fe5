"""Scale bars read from images: which images have not been looked at, and what was found."""

from __future__ import annotations

from collections.abc import Sequence

from polydata.catalogue.connect import Catalogue
from polydata.types import ScaleBar

COLUMNS = ("value", "unit", "value_um", "length_px", "confidence", "x0", "x1", "y")


def images_to_read(catalogue: Catalogue, version: int, *, again: bool = False) -> list[tuple[str, str]]:
    """SHA-256 and true format of micrographs whose scale bar this version of the reader has not looked for.

    A micrograph is what the screening accepts; an image that was not screened counts by the kind of its panel.

    Args:
        catalogue: open.
        version: of the reader.
        again: all micrographs.
    """
    rows = catalogue.tuples(
        """SELECT DISTINCT images.sha256, images.format
           FROM images JOIN panels ON panels.image_sha256 = images.sha256
           LEFT JOIN screened ON screened.image_sha256 = images.sha256
           WHERE coalesce(screened.decision = 'accepted', coalesce(panels.kind, 'micrograph') = 'micrograph')
             AND (? OR images.sha256 NOT IN (SELECT image_sha256 FROM scale_readings WHERE version = ?))
           ORDER BY 1""",
        [again, version],
    )
    return [(sha256, true_format) for sha256, true_format in rows]


def save_readings(catalogue: Catalogue, version: int, readings: Sequence[tuple[str, ScaleBar | None]]) -> None:
    """Write what was found in some images, in one transaction; None where there is no bar or it cannot be told."""
    with catalogue.transaction():
        catalogue.upsert(
            "scale_readings",
            [
                {"image_sha256": sha256, "version": version, **{name: getattr(bar, name, None) for name in COLUMNS}}
                for sha256, bar in readings
            ],
        )
