"""The screening and the scale bars: what rules said of images, what was decided by hand, what was read."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from polydata.catalogue.connect import Catalogue
from polydata.types import Decision, ScaleBar, Screening

BORDERLINE = 1.1
"""Scores whose log-odds lie within this of the threshold's are worth a look: 0.25 to 0.75 at a threshold of 0.5."""


def _odds(column: str) -> str:
    return f"ln(least(greatest({column}, 0.001), 0.999) / (1 - least(greatest({column}, 0.001), 0.999)))"


_DISTANCE = f"abs({_odds('s.score')} - {_odds('s.threshold')})"
_IS_BORDERLINE = f"(NOT s.by_hand AND {_DISTANCE} < ?)"


def unscreened_images(
    catalogue: Catalogue, rule: str, version: int, *, again: bool = False
) -> list[tuple[str, str, str | None, bool | None, str | None]]:
    """The images that this version of the rule has not seen; all of them if ``again``.

    Returns:
        SHA-256, true format, the captions of the figures that show the image, one after the other, whether a panel
        with it was taken for a micrograph, and the panels' own words; None for what is not known.
    """
    return catalogue.tuples(
        """SELECT images.sha256, images.format,
                  string_agg(DISTINCT figures.caption, chr(10) ORDER BY figures.caption),
                  bool_or(panels.kind = 'micrograph'),
                  string_agg(DISTINCT panels.caption, chr(10) ORDER BY panels.caption)
           FROM images LEFT JOIN panels ON panels.image_sha256 = images.sha256 LEFT JOIN figures USING (figure_id)
           WHERE ? OR images.sha256 NOT IN (SELECT image_sha256 FROM screenings WHERE rule = ? AND version = ?)
           GROUP BY ALL ORDER BY images.sha256""",
        [again, rule, version],
    )


def save_screenings(catalogue: Catalogue, rule: str, version: int, screenings: Sequence[tuple[str, Screening]]) -> None:
    """Write what a rule said of some images, in one transaction."""
    base = {"rule": rule, "version": version}
    with catalogue.transaction():
        rows = [{"image_sha256": sha256, **base, **_columns_of(one)} for sha256, one in screenings]
        catalogue.upsert("screenings", rows)


def _columns_of(one: Screening) -> dict[str, Any]:
    columns = dataclasses.asdict(one)
    del columns["scale_bar"]  # scale_readings has it
    return columns


def save_choices(
    catalogue: Catalogue,
    rule: str,
    *,
    threshold: float | None = None,
    corrections: Iterable[tuple[str, Decision | None]] = (),
) -> None:
    """Write the user's threshold and decisions, in one transaction.

    Args:
        threshold: for this rule, 0 to 1; None leaves it as it is.
        corrections: SHA-256 of images and what was decided; None takes a decision back.
    """
    with catalogue.transaction():
        if threshold is not None:
            catalogue.upsert("screening_thresholds", [{"rule": rule, "threshold": threshold}])
        for sha256, decision in corrections:
            if decision is None:
                catalogue.run("DELETE FROM screening_corrections WHERE image_sha256 = ?", [sha256])
            else:
                catalogue.upsert("screening_corrections", [{"image_sha256": sha256, "decision": decision}])


def decided_by_hand(catalogue: Catalogue, image_sha256: str) -> str | None:
    """What was decided by hand on an image; None for nothing."""
    value: str | None = catalogue.value(
        "SELECT decision FROM screening_corrections WHERE image_sha256 = ?", [image_sha256]
    )
    return value


def final_decisions(catalogue: Catalogue) -> dict[str, str]:
    """The decision on each image that was screened or decided by hand, by its SHA-256."""
    return dict(catalogue.tuples("SELECT image_sha256, decision FROM screened"))


BESIDE = ("caption", "path", "format", "borderline", "width", "height")
"""Columns that a contact sheet shows and a list does not."""


def list_screenings(
    catalogue: Catalogue, decision: str | None = None, *, borderline: bool = False
) -> list[dict[str, Any]]:
    """The final decision on each image that a panel shows, with one such panel; the least sure first.

    Columns: image_sha256, panel_id, figure_id, decision, by (``hand`` or ``rule``), score, technique_by_caption,
    technique_by_image, morphology, reason, rule, version, paper, page, figure, panel.

    Args:
        decision: only this one.
        borderline: only images whose score lies near the threshold and that nobody decided by hand.
    """
    return [
        {name: row[name] for name in row if name not in BESIDE and not name.startswith("bar_")}
        for row in shown_screenings(catalogue)
        if (decision is None or row["decision"] == decision) and (not borderline or row["borderline"])
    ]


def shown_screenings(catalogue: Catalogue) -> list[dict[str, Any]]:
    """The rows of ``list_screenings`` with what a contact sheet shows beside.

    Columns: caption, format, borderline, path, width and height in pixels, and of the scale bar in force
    ``bar_method``, ``bar_value``, ``bar_unit``, ``bar_length_px``, ``bar_x0``, ``bar_x1``,
    ``bar_y`` (its ends and height); None where there is none or it is not known.
    """
    return catalogue.rows(
        f"""SELECT s.image_sha256, panels.panel_id, figures.figure_id, s.decision,
                   CASE WHEN s.by_hand THEN 'hand' ELSE 'rule' END AS "by", s.score,
                   t.by_caption AS technique_by_caption, t.by_image AS technique_by_image, s.morphology,
                   s.reason, s.rule, s.version,
                   papers.file_name AS paper, figures.page, figures.label AS figure, panels.label AS panel,
                   coalesce(panels.caption, figures.caption) AS caption, papers.path, images.format,
                   coalesce({_IS_BORDERLINE}, false) AS borderline, images.width, images.height,
                   bars.method AS bar_method, bars.value AS bar_value, bars.unit AS bar_unit,
                   bars.length_px AS bar_length_px, bars.x0 AS bar_x0, bars.x1 AS bar_x1, bars.y AS bar_y
            FROM screened s
            JOIN panels USING (image_sha256) JOIN figures USING (figure_id) JOIN papers USING (paper_id)
            JOIN images ON images.sha256 = s.image_sha256 JOIN panel_techniques t USING (panel_id)
            LEFT JOIN image_bars bars ON bars.image_sha256 = s.image_sha256
            QUALIFY row_number() OVER (PARTITION BY s.image_sha256
                                       ORDER BY papers.file_name, figures.page, panels.panel_id) = 1
            ORDER BY s.by_hand, {_DISTANCE} NULLS LAST, s.image_sha256""",  # noqa: S608 - a constant
        [BORDERLINE],
    )


def count_decisions(catalogue: Catalogue) -> dict[str, int]:
    """Of the images that a panel shows: accepted and rejected ones; of both, those decided by hand or borderline."""
    return catalogue.rows(  # images of panels that were corrected or removed stay screened
        f"""SELECT count(*) FILTER (decision = 'accepted') AS accepted,
                   count(*) FILTER (decision = 'rejected') AS rejected,
                   count(*) FILTER (by_hand) AS "decided by hand", count(*) FILTER ({_IS_BORDERLINE}) AS borderline
            FROM screened s SEMI JOIN panels USING (image_sha256)""",  # noqa: S608 - a constant
        [BORDERLINE],
    )[0]


def threshold_of(catalogue: Catalogue, rule: str) -> float | None:
    """The threshold that the user set for a rule; None where the rule's own counts."""
    value: float | None = catalogue.value("SELECT threshold FROM screening_thresholds WHERE rule = ?", [rule])
    return value


COLUMNS = ("value", "unit", "value_um", "length_px", "confidence", "x0", "x1", "y")


def images_to_read(catalogue: Catalogue, version: int, *, again: bool = False) -> list[tuple[str, str]]:
    """SHA-256 and true format of micrographs whose scale bar this version of the reader has not looked for.

    A micrograph is what the screening accepts; an image that was not screened counts by the kind of its panel.
    All micrographs if ``again``.
    """
    return catalogue.tuples(
        """SELECT DISTINCT images.sha256, images.format
           FROM images JOIN panels ON panels.image_sha256 = images.sha256
           LEFT JOIN screened ON screened.image_sha256 = images.sha256
           WHERE coalesce(screened.decision = 'accepted', coalesce(panels.kind, 'micrograph') = 'micrograph')
             AND (? OR images.sha256 NOT IN (SELECT image_sha256 FROM scale_readings WHERE version = ?))
           ORDER BY 1""",
        [again, version],
    )


def save_readings(catalogue: Catalogue, version: int, readings: Sequence[tuple[str, ScaleBar | None]]) -> None:
    """Write what was found in some images, in one transaction; None where there is no bar or it cannot be told."""
    rows = [
        {"image_sha256": sha256, "version": version, **{name: getattr(bar, name, None) for name in COLUMNS}}
        for sha256, bar in readings
    ]
    with catalogue.transaction():
        catalogue.upsert("scale_readings", rows)
