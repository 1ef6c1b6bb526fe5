"""A sample of the corpus that people judge: what there is to draw from, what was drawn, what they counted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.screenings import shown_screenings
from polydata.choices import QualityKind
from polydata.ids import figure_picture

Row = dict[str, Any]

FIELDS: Mapping[QualityKind, tuple[str, ...]] = {
    "page": ("figures_right", "figures_missed", "captions_right", "captions_missed"),
    "figure": ("panels_right", "panels_missed"),
    "image": ("is_micrograph",),
}
"""What a person counts of each kind of unit."""
MOST = 1000
"""Figures or panels on a page."""


def checked(kind: QualityKind, unit: Mapping[str, Any], counts: Mapping[str, Any]) -> dict[str, int]:
    """What a person counted, as whole numbers.

    Args:
        kind: of the unit.
        unit: with what was ``found`` and ``named`` in it.
        counts: by the names of ``FIELDS``; of a screening 0 or 1.

    Raises:
        ValueError: if a number is missing, is none, or says that more is right than was found.
    """
    found = {"figures_right": unit["found"], "panels_right": unit["found"], "captions_right": unit["named"]}
    read: dict[str, int] = {}
    for name in FIELDS[kind]:
        try:
            value = float(str(counts.get(name)).strip())
            whole = int(value)
        except (ValueError, OverflowError):
            raise ValueError(f"{name} is no number") from None
        most = found.get(name, 1 if kind == "image" else MOST)
        if whole != value or not 0 <= whole <= most:
            raise ValueError(f"{name} is {value:g}; it may be 0 to {most}")
        read[name] = whole
    return read


def _pages(catalogue: Catalogue) -> list[Row]:
    return catalogue.rows(
        """WITH pages AS (
               SELECT paper_id, sha256, path, file_name, unnest(range(1, pages + 1))::INTEGER AS page
               FROM papers WHERE sha256 IS NOT NULL AND pages IS NOT NULL
           ), figured AS (
               SELECT paper_id, page, count(*) AS found, count(caption) AS named,
                      list([x0, y0, x1, y1] ORDER BY y0, x0) AS boxes,
                      string_agg(caption, chr(10) || chr(10) ORDER BY y0, x0) AS words
               FROM figures GROUP BY paper_id, page
           )
           SELECT sha256 || '-' || page AS unit, sha256, path, page,
                  concat_ws(', ', file_name, 'page ' || page) AS place, NULL AS box,
                  coalesce(found, 0) AS found, coalesce(named, 0) AS named, coalesce(boxes, []) AS boxes,
                  coalesce(words, '') AS words,
                  CASE WHEN found IS NULL THEN 'pages without figures' ELSE 'pages with figures' END AS stratum
           FROM pages LEFT JOIN figured USING (paper_id, page) ORDER BY unit"""
    )


def _figures(catalogue: Catalogue) -> list[Row]:
    return catalogue.rows(
        """SELECT figure_id AS unit, sha256, path, figures.page,
                  concat_ws(', ', papers.file_name, 'page ' || figures.page, figures.label) AS place,
                  [figures.x0, figures.y0, figures.x1, figures.y1] AS box,
                  count(panel_id) AS found, 0 AS named, '' AS words,
                  list([panels.x0, panels.y0, panels.x1, panels.y1] ORDER BY panels.position) AS boxes,
                  CASE WHEN count(panel_id) > 1 THEN 'figures of several panels' ELSE 'figures of one panel' END
                      AS stratum
           FROM figures JOIN papers USING (paper_id) JOIN panels USING (figure_id)
           WHERE sha256 IS NOT NULL AND figures.x0 IS NOT NULL GROUP BY ALL ORDER BY unit"""
    )


def _images(catalogue: Catalogue) -> list[Row]:
    rows = []
    for one in shown_screenings(catalogue):
        accepted, near = one["decision"] == "accepted", "borderline " if one["borderline"] else ""
        place = ", ".join(
            str(part) for part in (one["paper"], f"page {one['page']}", one["figure"], one["panel"]) if part
        )
        rows.append(
            {"unit": one["image_sha256"], "place": place, "found": int(accepted), "named": 0, "format": one["format"]}
            | {"stratum": f"{near}{one['decision']} images", "words": ""}
        )
    return sorted(rows, key=lambda row: str(row["unit"]))


def units(catalogue: Catalogue, kind: QualityKind) -> list[Row]:
    """Everything of a kind that a sample can be drawn from, by its id.

    Columns: unit, place, found, named, words, stratum; of pages and figures sha256 and path of the PDF, page, box (of
    the picture, None for the whole page) and boxes (of what was found there, in points); of images their format.
    """
    return {"page": _pages, "figure": _figures, "image": _images}[kind](catalogue)


def save_sample(
    catalogue: Catalogue, strata: Sequence[Row], sample: Sequence[Row], kinds: Sequence[QualityKind] = tuple(FIELDS)
) -> None:
    """Write a sample in the place of another, in one transaction.

    What was counted stays with a unit that comes again with the same picture; for the others the next pull looks for
    answers.

    Args:
        catalogue: open for writing.
        strata: rows of ``quality_strata``.
        sample: rows of ``quality_sample``; ``judged`` need not be there.
        kinds: which are drawn anew; what there is of the others stays.
    """
    before = catalogue.tuples("SELECT unit, picture, judged FROM quality_sample")
    counted = {(unit, picture): judged for unit, picture, judged in before}
    kept = [row | {"judged": counted.get((row["unit"], row["picture"]))} for row in sample]
    with catalogue.transaction():
        for table, rows in (("quality_strata", strata), ("quality_sample", kept)):
            catalogue.run(f"DELETE FROM {table} WHERE list_contains(?, kind)", [list(kinds)])  # noqa: S608 - constants
            catalogue.upsert(table, rows)
        catalogue.run(
            """UPDATE task_answers SET applied = NULL WHERE starts_with(role, 'quality-')
               AND subject IN (SELECT picture FROM quality_sample WHERE judged IS NULL)"""
        )


def forget_papers(catalogue: Catalogue, paper_ids: Sequence[str]) -> list[str]:
    """Take out of the sample what only papers have that are to go, within the caller's transaction.

    An image that another paper shows stays, without the name of the paper that goes.

    Returns:
        Names of the pictures that were drawn of what went, and of figures of these papers.
    """
    found = catalogue.tuples(
        """WITH gone AS (SELECT paper_id, sha256, file_name FROM papers WHERE list_contains($1, paper_id)),
                own AS (SELECT figure_id FROM figures JOIN gone USING (paper_id)),
                own_units AS (FROM own UNION SELECT image_sha256 FROM panels JOIN own USING (figure_id)),
                others AS (SELECT figure_id FROM figures ANTI JOIN own USING (figure_id)
                           UNION SELECT image_sha256 FROM panels ANTI JOIN own USING (figure_id)),
                named AS (SELECT unit FROM quality_sample JOIN gone ON starts_with(place, file_name || ', page '))
           SELECT unit, picture, kind, unit IN (FROM others) FROM quality_sample
           WHERE CASE kind WHEN 'page' THEN split_part(unit, '-', 1) IN (SELECT sha256 FROM gone)
                 ELSE unit IN (FROM own_units) OR unit IN (FROM named) END""",
        [list(paper_ids)],
    )
    figures = catalogue.column("SELECT figure_id FROM figures WHERE list_contains(?, paper_id)", [list(paper_ids)])
    units = [unit for unit, _, _, stays in found if not stays]
    catalogue.run("DELETE FROM quality_sample WHERE list_contains(?, unit)", [units])
    named = [unit for unit, _, kind, stays in found if stays and kind == "image"]
    catalogue.run("UPDATE quality_sample SET place = '' WHERE list_contains(?, unit)", [named])
    drawn = [picture for _, picture, kind, stays in found if kind != "image" and not stays]
    return drawn + [figure_picture(figure) for figure in figures]


def sampled(catalogue: Catalogue, kind: QualityKind | None = None) -> list[Row]:
    """The sample in the order in which it is judged; ``judged`` is a mapping, or None."""
    rows = catalogue.rows("SELECT * FROM quality_sample WHERE kind = coalesce(?, kind) ORDER BY kind, position", [kind])
    return [row | {"judged": json.loads(row["judged"]) if row["judged"] else None} for row in rows]


def strata(catalogue: Catalogue) -> list[Row]:
    """What the sample stands for: kind, stratum, units, found, named, seed."""
    return catalogue.rows("SELECT * FROM quality_strata ORDER BY kind, stratum")


def save_judged(catalogue: Catalogue, judged: Mapping[str, Mapping[str, int]]) -> None:
    """Write what people counted, in one transaction.

    Args:
        catalogue: open for writing.
        judged: by unit of the sample.
    """
    texts = [json.dumps(counts) for counts in judged.values()]
    with catalogue.transaction():
        catalogue.run(
            """UPDATE quality_sample SET judged = said.counts
               FROM (SELECT unnest($1::TEXT[]) AS unit, unnest($2::TEXT[]) AS counts) said
               WHERE quality_sample.unit = said.unit""",
            [list(judged), texts],
        )
