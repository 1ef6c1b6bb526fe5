"""All that people said of images, as rows of one table: written out, and brought in from elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import permutations
from typing import Any

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.successors import adopt

SAID = (
    "kind", "image_sha256", "paper", "doi", "page", "figure", "panel", "phash", "width", "height", "choice", "who",
    "when", "why", "role", "cancelled", "deleted", "server", "project", "annotation_id", "task", "mark", "raw",
)  # fmt: skip
"""Columns of what people said, see ``all_said``."""


def all_said(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Every row of what people said of images, with the columns of ``SAID``, in an order that stays."""
    return catalogue.rows(
        f"""WITH said AS (
                SELECT 'answer' AS kind, image_sha256, choice, annotator AS who, updated_at AS "when", comment AS why,
                       role, cancelled, deleted, server, project, annotation_id, task, mark, raw
                FROM annotations
                UNION ALL BY NAME
                SELECT 'decision' AS kind, image_sha256, choice, decided_by AS who, reason AS why, number AS project
                FROM label_decisions
                UNION ALL BY NAME
                SELECT 'screening' AS kind, image_sha256, decision AS choice FROM screening_corrections
                UNION ALL BY NAME
                SELECT 'distinct' AS kind, image_sha256, other_sha256 AS choice, decided_by AS who, reason AS why
                FROM distinct_images
            ), looks AS (
                SELECT sha256 AS image_sha256, phash, width, height FROM images
                UNION SELECT image_sha256, phash, width, height FROM seen_images
            ), places AS (
                SELECT image_sha256, papers.file_name AS paper, papers.doi, page, figures.label AS figure,
                       panels.label AS panel
                FROM panels JOIN figures USING (figure_id) JOIN papers USING (paper_id)
                QUALIFY row_number() OVER (PARTITION BY image_sha256 ORDER BY panel_id) = 1
            )
            SELECT {", ".join(f'"{name}"' for name in SAID)}
            FROM said LEFT JOIN looks USING (image_sha256) LEFT JOIN places USING (image_sha256)
            ORDER BY kind, project, server, annotation_id, image_sha256, choice"""  # noqa: S608 - names of this module
    )


def other_decisions(catalogue: Catalogue, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Images of decisions of which something else was decided here; rows as of ``all_said``."""
    here = dict(catalogue.tuples("SELECT image_sha256, choice FROM decided"))
    last = {row["image_sha256"]: row["choice"] for row in rows}
    return sorted(image for image, choice in last.items() if here.get(image, choice) != choice)


def remember(catalogue: Catalogue, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep what images look like of which something was said elsewhere, within a transaction."""
    names = ("image_sha256", "phash", "width", "height")
    looks = {row["image_sha256"]: {name: row[name] for name in names} for row in rows if row["phash"]}
    catalogue.upsert("seen_images", list(looks.values()))


def bring_said(catalogue: Catalogue, rows: Sequence[Mapping[str, Any]], origin: str) -> dict[str, int]:
    """Write what was said elsewhere, within a transaction; how many rows of each kind came.

    Args:
        rows: as of ``all_said``.
        origin: what the place is called that they come from.
    """
    states = "SELECT server, project, annotation_id, updated_at, deleted FROM annotations"
    known = {row[:3]: row[3:] for row in catalogue.tuples(states)}
    answers = [
        {
            **{name: row[name] for name in ("server", "project", "annotation_id", "task", "image_sha256", "choice")},
            **{name: row[name] for name in ("cancelled", "deleted", "mark")},
            "annotator": row["who"],
            "comment": row["why"],
            "updated_at": row["when"],
            "role": row["role"] or "label",
            "raw": row["raw"] or "{}",
        }
        for row in rows
        if row["kind"] == "answer"
        and (row["when"], row["deleted"])
        > known.get((row["server"], row["project"], row["annotation_id"]), (datetime.min, False))
    ]
    catalogue.upsert("annotations", answers)
    decided = set(catalogue.column("SELECT image_sha256 FROM label_decisions"))
    highest = catalogue.value("SELECT coalesce(max(number), 0) FROM label_decisions")
    decisions = [
        {
            "number": highest + n,
            "image_sha256": row["image_sha256"],
            "choice": row["choice"],
            "reason": row["why"] or "",
            "decided_by": row["who"] or "unknown",
            "origin": origin,
        }
        for n, row in enumerate((row for row in rows if row["kind"] == "decision"), start=1)
        if row["image_sha256"] not in decided
    ]
    catalogue.upsert("label_decisions", decisions)
    corrected = set(catalogue.column("SELECT image_sha256 FROM screening_corrections"))
    screened = [
        {"image_sha256": row["image_sha256"], "decision": row["choice"]}
        for row in rows
        if row["kind"] == "screening" and row["image_sha256"] not in corrected
    ]
    catalogue.upsert("screening_corrections", screened)
    known_pairs = set(catalogue.tuples("SELECT image_sha256, other_sha256 FROM distinct_images"))
    distinct = {
        (a, b): {
            "image_sha256": a,
            "other_sha256": b,
            "reason": row["why"] or "",
            "decided_by": row["who"] or "unknown",
        }
        for row in rows
        if row["kind"] == "distinct" and (row["image_sha256"], row["choice"]) not in known_pairs
        for a, b in permutations((row["image_sha256"], row["choice"]))
    }
    catalogue.upsert("distinct_images", [*distinct.values()])
    adopt(catalogue)
    came = {"answer": len(answers), "decision": len(decisions), "screening": len(screened), "distinct": len(distinct)}
    return {kind: count for kind, count in came.items() if count}


def waiting(catalogue: Catalogue, images: Collection[str]) -> int:
    """How many images no panel shows, nor one that stands in their place."""
    return int(
        catalogue.value(
            """SELECT count(*) FROM (SELECT unnest(?::TEXT[]) AS image_sha256) said
               LEFT JOIN image_successors USING (image_sha256)
               WHERE image_sha256 NOT IN (SELECT image_sha256 FROM panels)
                 AND coalesce(successor, '') NOT IN (SELECT image_sha256 FROM panels)""",
            [list(images)],
        )
    )
