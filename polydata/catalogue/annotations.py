"""What reviewers are asked about, and what they answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from polydata.catalogue.connect import Catalogue

_RECORD_FIELDS = (
    "polymers", "composition_ratio", "blending_method", "morphology", "characteristics",
    "literature_description", "scale_um",
)  # fmt: skip


def images_to_review(catalogue: Catalogue) -> list[dict[str, Any]]:
    """One row for each image that a panel shows, with the panel's place and words.

    Columns: image_sha256, format, mode, alpha_only, width, height (pixels), decision (of the newest automatic
    screening, None where there is none), imported (it came with a published data set), label (the resolved one),
    conflict (sources or reviewers differ), answered (reviewers said something), disputed (different things), caption,
    caption_stem, panel, figure, page, paper, title, places (how many panels show this image), bar_px, bar_value and
    bar_unit (the scale bar read from it), scale_um (the best scale that is known, of the caption too).
    An image that stands in several panels has the words of the first. Ordered by paper, page and position.
    """
    return catalogue.rows(
        """
        WITH scaled AS (
            SELECT image_sha256, arg_max(value_um, panel_scales.confidence) AS scale_um
            FROM panel_scales JOIN panels USING (panel_id) GROUP BY image_sha256
        ), placed AS (
            SELECT panels.image_sha256, panels.caption, panels.caption_stem, panels.label AS panel, panels.position,
                   figures.label AS figure, figures.page, figures.figure_id, papers.file_name AS paper, papers.title,
                   papers.paper_id,
                   row_number() OVER (PARTITION BY image_sha256 ORDER BY papers.file_name, papers.paper_id,
                                      figures.page, figures.figure_id, panels.position, panels.panel_id) AS nth,
                   count(*) OVER (PARTITION BY image_sha256) AS places,
                   bool_or(papers.status = 'imported') OVER (PARTITION BY image_sha256) AS imported
            FROM panels JOIN figures USING (figure_id) JOIN papers USING (paper_id)
        )
        SELECT placed.image_sha256, images.format, images.mode, images.alpha_only, images.width, images.height,
               screened.decision, placed.imported, labels.label, coalesce(labels.conflict, false) AS conflict,
               reviews.image_sha256 IS NOT NULL AS answered, coalesce(reviews.disputed, false) AS disputed,
               placed.caption, placed.caption_stem, placed.panel, placed.figure,
               placed.page, placed.paper, placed.title, placed.places,
               bars.length_px AS bar_px, bars.value AS bar_value, bars.unit AS bar_unit, scaled.scale_um
        FROM placed
        JOIN images ON images.sha256 = placed.image_sha256
        LEFT JOIN screened ON screened.image_sha256 = placed.image_sha256
        LEFT JOIN labels ON labels.image_sha256 = placed.image_sha256
        LEFT JOIN reviews ON reviews.image_sha256 = placed.image_sha256
        LEFT JOIN scale_readings bars ON bars.image_sha256 = placed.image_sha256
        LEFT JOIN scaled ON scaled.image_sha256 = placed.image_sha256
        WHERE nth = 1
        ORDER BY placed.paper, placed.paper_id, placed.page, placed.figure_id, placed.position, placed.image_sha256
        """
    )


def rule_suggestions(catalogue: Catalogue) -> dict[str, str]:
    """What the text rules suggest of each image on which the texts linked to it agree, by its SHA-256."""
    return dict(
        catalogue.tuples(
            """SELECT image_sha256, min(label) FROM label_candidates WHERE source = 'rule'
               GROUP BY image_sha256 HAVING count(DISTINCT label) = 1"""
        )
    )


def test_side(catalogue: Catalogue, split: str) -> set[str]:
    """SHA-256 of the images on the test side of a split, of whichever fold; empty for an unknown split."""
    sql = "SELECT DISTINCT image_sha256 FROM split_images WHERE split = ? AND side = 'test'"
    return set(catalogue.column(sql, [split]))


def record_texts(catalogue: Catalogue) -> dict[str, list[dict[str, Any]]]:
    """Fields of the records linked to each image, the best link first; the record's own label is left out."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in catalogue.rows(
        f"""SELECT panels.image_sha256, record_id, {", ".join(f"records.{f}" for f in _RECORD_FIELDS)}
            FROM links JOIN records USING (record_id) JOIN panels USING (panel_id)
            ORDER BY panels.image_sha256, links.score DESC, record_id"""  # noqa: S608 - names of this module
    ):
        fields = {f: row[f] for f in _RECORD_FIELDS}
        records = found.setdefault(row["image_sha256"], [])
        if fields not in records:
            records.append(fields)
    return found


def image_hashes(catalogue: Catalogue) -> set[str]:
    """SHA-256 of every image of the catalogue."""
    return set(catalogue.column("SELECT sha256 FROM images"))


def project_annotations(catalogue: Catalogue, server: str, project: int) -> dict[int, dict[str, Any]]:
    """What the catalogue holds of a project, by the annotation's number."""
    rows = catalogue.rows("SELECT * FROM annotations WHERE server = ? AND project = ?", [server, project])
    return {row["annotation_id"]: row for row in rows}


def _watermark_key(server: str, project: int) -> str:
    return f"label_studio.pulled_to {server} {project}"


def watermark(catalogue: Catalogue, server: str, project: int) -> str | None:
    """Up to when a project was pulled: the server's clock, ISO 8601; None before the first pull."""
    value: str | None = catalogue.value("SELECT value FROM settings WHERE key = ?", [_watermark_key(server, project)])
    return value


def save_pull(
    catalogue: Catalogue,
    server: str,
    project: int,
    *,
    annotations: Sequence[Mapping[str, Any]],
    deleted: Sequence[int],
    pulled_to: str | None,
) -> None:
    """Write new and changed annotations, mark those that vanished, and move the watermark: all or nothing.

    Args:
        annotations: rows of the annotations table.
        deleted: numbers of annotations that are no longer on the server.
    """
    with catalogue.transaction():
        catalogue.upsert("annotations", annotations)
        catalogue.run(
            "UPDATE annotations SET deleted = true "
            "WHERE server = ? AND project = ? AND list_contains(?, annotation_id)",
            [server, project, list(deleted)],
        )
        if pulled_to:
            catalogue.upsert("settings", [{"key": _watermark_key(server, project), "value": pulled_to}])


def list_annotations(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Every annotation with the place of its image, the newest last."""
    return catalogue.rows(
        """
        SELECT a.image_sha256, a.choice, a.annotator, a.role, a.comment, a.cancelled, a.deleted, a.updated_at,
               p.paper, p.page, p.figure, p.panel, a.server, a.project, a.task, a.annotation_id
        FROM annotations a
        LEFT JOIN (
            SELECT image_sha256, arg_min(papers.file_name, panel_id) AS paper, arg_min(figures.page, panel_id) AS page,
                   arg_min(figures.label, panel_id) AS figure, arg_min(panels.label, panel_id) AS panel
            FROM panels JOIN figures USING (figure_id) JOIN papers USING (paper_id) GROUP BY image_sha256
        ) p USING (image_sha256)
        ORDER BY a.updated_at, a.server, a.project, a.annotation_id
        """
    )


def annotation_counts(catalogue: Catalogue, server: str, project: int | None) -> dict[str, int]:
    """How many annotations of a project the catalogue holds: live, skipped and unusable ones among them, deleted."""
    return catalogue.rows(
        """SELECT count(*) FILTER (NOT deleted) AS annotations, count(*) FILTER (NOT deleted AND cancelled) AS skipped,
                  count(*) FILTER (NOT deleted AND NOT cancelled AND choice IS NULL) AS unusable,
                  count(*) FILTER (deleted) AS deleted, count(DISTINCT annotator) FILTER (NOT deleted) AS annotators
           FROM annotations WHERE server = ? AND project = ?""",
        [server, project],
    )[0]


def review_counts(catalogue: Catalogue) -> dict[str, int]:
    """Over all servers: images with an answer, and images about which as many said one thing as another."""
    return catalogue.rows("SELECT count(*) AS reviewed, count(*) FILTER (choice IS NULL) AS tied FROM reviews")[0]


def save_project(catalogue: Catalogue, server: str, project: int, *, title: str, role: str, split: str | None) -> None:
    """Note a project, or that its number has changed."""
    row = {"server": server, "project": project, "title": title, "role": role, "split": split}
    catalogue.upsert("label_projects", [row])


def projects_on(catalogue: Catalogue, server: str) -> list[dict[str, Any]]:
    """The projects on a server: project (its number), title, role and split, by title."""
    return catalogue.rows(
        "SELECT project, title, role, split FROM label_projects WHERE server = ? ORDER BY title", [server]
    )


def blind_answers(catalogue: Catalogue, split: str) -> list[dict[str, Any]]:
    """What people answered blind about a split's test images, the last answer of each.

    Columns: image_sha256, truth (the split's label), annotator, choice; by image and annotator.
    """
    return catalogue.rows(
        """WITH truth AS (
               SELECT image_sha256, any_value(label) AS truth FROM split_images
               WHERE split = ? AND side = 'test' GROUP BY image_sha256
           )
           SELECT image_sha256, truth, annotator, choice
           FROM annotations JOIN label_projects p USING (server, project) JOIN truth USING (image_sha256)
           WHERE p.role = 'blind' AND p.split = ? AND NOT cancelled AND NOT deleted AND choice IS NOT NULL
           QUALIFY row_number() OVER (PARTITION BY image_sha256, annotator
                                      ORDER BY updated_at DESC, annotation_id DESC) = 1
           ORDER BY image_sha256, annotator""",
        [split, split],
    )
