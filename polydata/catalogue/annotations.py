"""What reviewers are asked about and what they answered; and all that is said of each image, by whom and how."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.records import STANDS

_RECORD_FIELDS = (
    "polymers", "composition_ratio", "blending_method", "morphology", "characteristics",
    "literature_description", "scale_um",
)  # fmt: skip

_PLACE = """'a': papers.file_name, 'b': papers.paper_id, 'c': figures.page, 'd': figures.figure_id,
            'e': panels.position, 'panel_id': panels.panel_id"""
"""Where a panel stands, as a structure that is ordered as papers are read."""


def images_to_review(catalogue: Catalogue) -> Iterator[dict[str, Any]]:
    """One row for each image that a panel shows, by paper, page and position of the first panel that shows it.

    Columns: image_sha256, format, decision (of the newest automatic screening, None where there is none),
    imported (it came with a published data set), label (the resolved one), conflict (sources or reviewers differ),
    answered (reviewers said something), disputed (different things).
    """
    # One view after the other, of each what is asked here alone, and on one thread: otherwise they take more memory.
    with catalogue.one_thread():
        for name, sql in REVIEWED.items():
            catalogue.run(f"CREATE OR REPLACE TEMP TABLE reviewed_{name} AS {sql}")
    for start in range(0, (catalogue.value("SELECT max(number) FROM reviewed_places") or 0) + 1, FIGURES):
        yield from catalogue.rows(
            """
            SELECT image_sha256, format, decision, imported, label, coalesce(conflict, false) AS conflict,
                   disputed IS NOT NULL AS answered, coalesce(disputed, false) AS disputed
            FROM (SELECT * FROM reviewed_places WHERE number >= $1 AND number < $1 + $2)
            JOIN images ON sha256 = image_sha256 LEFT JOIN reviewed_screened USING (image_sha256)
            LEFT JOIN reviewed_labels USING (image_sha256) LEFT JOIN reviewed_answers USING (image_sha256)
            ORDER BY number, position, image_sha256""",
            [start, FIGURES],
        )


FIGURES = 10000
"""Figures whose images are told at once."""
REVIEWED = {
    "labels": "SELECT image_sha256, label, conflict FROM labels",
    "answers": "SELECT image_sha256, disputed FROM reviews",
    "screened": "SELECT image_sha256, decision FROM screened",
    "places": """
        SELECT image_sha256, place.number, place.position, imported FROM (
            SELECT image_sha256, min({'number': number, 'position': position}) AS place, bool_or(imported) AS imported
            FROM panels JOIN (
                SELECT figure_id, papers.status = 'imported' AS imported,
                       row_number() OVER (ORDER BY papers.file_name, papers.paper_id, figures.page, figure_id) AS number
                FROM figures JOIN papers USING (paper_id)
            ) USING (figure_id) GROUP BY image_sha256)""",
}
"""What is asked of each image that is to be reviewed; ``number`` counts the figures of all papers as they are read."""


def review_texts(catalogue: Catalogue, images: Collection[str]) -> dict[str, dict[str, Any]]:
    """What is shown to reviewers beside each of these images, by its SHA-256: place and words of its panel.

    Columns: image_sha256, width, height (pixels), caption, caption_stem, panel, figure, page, paper, title, places (how
    many panels show this image), bar_px, bar_value and bar_unit (the scale bar read from it), scale_um (the best scale
    that is known, of the caption too). An image that stands in several panels has the words of the first.
    """
    rows = catalogue.rows(
        f"""
        WITH asked AS (SELECT panels.* FROM panels WHERE image_sha256 IN (SELECT unnest(?::TEXT[]))), scaled AS (
            SELECT image_sha256, arg_max(value_um, panel_scales.confidence) AS scale_um
            FROM panel_scales JOIN asked USING (panel_id) GROUP BY image_sha256
        ), first AS (
            SELECT image_sha256, count(*) AS places, min({{{_PLACE}}}).panel_id AS panel_id
            FROM asked panels JOIN figures USING (figure_id) JOIN papers USING (paper_id) GROUP BY image_sha256
        )
        SELECT first.image_sha256, images.width, images.height, asked.caption, asked.caption_stem, asked.label AS panel,
               figures.label AS figure, figures.page, papers.file_name AS paper, papers.title, places,
               bars.length_px AS bar_px, bars.value AS bar_value, bars.unit AS bar_unit, scaled.scale_um
        FROM first JOIN asked USING (panel_id) JOIN figures USING (figure_id) JOIN papers USING (paper_id)
        JOIN images ON images.sha256 = first.image_sha256
        LEFT JOIN image_bars bars ON bars.image_sha256 = first.image_sha256
        LEFT JOIN scaled ON scaled.image_sha256 = first.image_sha256
        """,  # noqa: S608 - a constant
        [list(images)],
    )
    return {row["image_sha256"]: row for row in rows}


def rule_suggestions(catalogue: Catalogue) -> dict[str, str]:
    """What the text rules suggest of each image on which the texts linked to it agree, by its SHA-256."""
    sql = """SELECT image_sha256, min(label) FROM label_candidates WHERE source = 'rule'
             GROUP BY image_sha256 HAVING count(DISTINCT label) = 1"""
    return dict(catalogue.tuples(sql))


def test_side(catalogue: Catalogue, split: str) -> set[str]:
    """SHA-256 of the images on the test side of a split, of whichever fold; empty for an unknown split."""
    sql = "SELECT DISTINCT image_sha256 FROM split_images WHERE split = ? AND side = 'test'"
    return set(catalogue.column(sql, [split]))


def record_texts(catalogue: Catalogue, images: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    """Fields of the records linked to each of these images, the best link first; the record's own label is left out."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in catalogue.rows(
        f"""SELECT panels.image_sha256, record_id, {", ".join(f"records.{f}" for f in _RECORD_FIELDS)}
            FROM links JOIN records USING (record_id) JOIN panels USING (panel_id)
            WHERE panels.image_sha256 IN (SELECT unnest(?::TEXT[]))
            ORDER BY panels.image_sha256, links.score DESC, record_id""",  # noqa: S608 - names of this module
        [list(images)],
    ):
        fields = {f: row[f] for f in _RECORD_FIELDS}
        records = found.setdefault(row["image_sha256"], [])
        if fields not in records:
            records.append(fields)
    return found


def image_hashes(catalogue: Catalogue) -> set[str]:
    """SHA-256 of every image that is in the catalogue or was: of those that went, what people said stays."""
    return set(
        catalogue.column(
            """SELECT sha256 FROM images UNION SELECT image_sha256 FROM annotations
               UNION SELECT image_sha256 FROM image_successors UNION SELECT image_sha256 FROM seen_images"""
        )
    )


def project_annotations(catalogue: Catalogue, server: str, project: int) -> dict[int, dict[str, Any]]:
    """What the catalogue holds of a project, by the annotation's number."""
    rows = catalogue.rows("SELECT * FROM annotations WHERE server = ? AND project = ?", [server, project])
    return {row["annotation_id"]: row for row in rows}


def _watermark_key(server: str, project: int, mark: str | None) -> str:
    return f"label_studio.pulled_to {server} {project}" + (f" {mark}" if mark else "")


def watermark(catalogue: Catalogue, server: str, project: int, mark: str | None) -> str | None:
    """Up to when a project was pulled: the server's clock, ISO 8601; None before the first pull."""
    key = _watermark_key(server, project, mark)
    value: str | None = catalogue.value("SELECT value FROM settings WHERE key = ?", [key])
    return value


def save_pull(
    catalogue: Catalogue,
    server: str,
    project: int,
    mark: str | None,
    *,
    annotations: Sequence[Mapping[str, Any]],
    deleted: Sequence[int],
    pulled_to: str | None,
) -> None:
    """Write new and changed annotations, mark those that vanished, and move the watermark, within a transaction.

    Args:
        mark: of the project.
        annotations: rows of the annotations table.
        deleted: numbers of annotations that are no longer on the server.
    """
    catalogue.upsert("annotations", annotations)
    catalogue.run(
        "UPDATE annotations SET deleted = true WHERE server = ? AND project = ? AND list_contains(?, annotation_id)",
        [server, project, list(deleted)],
    )
    catalogue.run("UPDATE annotations SET mark = ? WHERE server = ? AND project = ?", [mark, server, project])
    if pulled_to:
        catalogue.upsert("settings", [{"key": _watermark_key(server, project, mark), "value": pulled_to}])


def set_aside(catalogue: Catalogue, server: str, project: int, marks: Collection[str | None]) -> None:
    """Give the answers of projects that are no longer there an address of their own, within a transaction.

    They stay in force: what this server says from now on neither replaces nor deletes them.

    Args:
        project: its number, which another project has now.
        marks: of the projects that had it; None for one from before there were marks.
    """
    for mark in marks:
        old = f"{server}#{mark or 'unmarked'}"
        both = [old, server, project, mark]
        catalogue.run(
            """INSERT OR IGNORE INTO label_projects
               SELECT $1, project, title, role, split, $4 FROM label_projects WHERE server = $2 AND project = $3""",
            both,
        )
        catalogue.run(
            """UPDATE annotations SET server = $1
               WHERE server = $2 AND project = $3 AND mark IS NOT DISTINCT FROM $4
                 AND (project, annotation_id) NOT IN (
                     SELECT (project, annotation_id) FROM annotations WHERE server = $1)""",
            both,
        )


def restore_deleted(catalogue: Catalogue, annotator: str | None = None) -> int:
    """Let answers count again that vanished from their server, within a transaction; returns how many.

    They get an address of their own, so that the next pull does not take them away again.

    Args:
        annotator: only theirs.
    """
    chosen = "deleted AND annotator = coalesce(?, annotator)"
    count = catalogue.value(f"SELECT count(*) FROM annotations WHERE {chosen}", [annotator])  # noqa: S608 - a constant
    catalogue.run(
        f"""UPDATE annotations SET deleted = false,
                   server = CASE WHEN server LIKE '%#restored' THEN server ELSE server || '#restored' END
            WHERE {chosen} AND (server || '#restored', project, annotation_id) NOT IN (
                SELECT (server, project, annotation_id) FROM annotations)""",  # noqa: S608 - a constant
        [annotator],
    )
    return int(count)


def outside_words(catalogue: Catalogue, words: Collection[str]) -> dict[str, int]:
    """Answers and decisions in force of images that are shown whose word is none of these: how many of each word."""
    rows = catalogue.tuples(
        """SELECT choice, count(*) FROM (
               SELECT image_sha256, choice FROM answers UNION ALL SELECT image_sha256, choice FROM decided
           ) SEMI JOIN panels USING (image_sha256) WHERE NOT list_contains(?, choice) GROUP BY 1 ORDER BY 1""",
        [list(words)],
    )
    return dict(rows)


def renames(catalogue: Catalogue) -> dict[str, str]:
    """Words of the task that were changed, each with the word it became."""
    return dict(catalogue.tuples("SELECT old, new FROM label_renames"))


def save_rename(catalogue: Catalogue, old: str, new: str, by: str) -> int:
    """Let a word of answers and decisions be another from now on, within a transaction; returns how many changed."""
    count = 0
    for table in ("annotations", "label_decisions"):
        count += catalogue.value(f"SELECT count(*) FROM {table} WHERE choice = ?", [old])  # noqa: S608 - a constant
        catalogue.run(f"UPDATE {table} SET choice = ? WHERE choice = ?", [new, old])  # noqa: S608 - a constant
    catalogue.run("UPDATE label_renames SET new = ? WHERE new = ?", [new, old])
    now = datetime.now(UTC).replace(tzinfo=None)
    catalogue.upsert("label_renames", [{"old": old, "new": new, "renamed_at": now, "renamed_by": by}])
    catalogue.run("DELETE FROM label_renames WHERE old = new OR old = ?", [new])
    return count


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


def annotation_counts(catalogue: Catalogue, server: str, project: int | None, words: Collection[str]) -> dict[str, int]:
    """How many annotations of a project the catalogue holds: live, skipped and unusable ones among them, deleted.

    Args:
        words: answers that the task knows; others cannot be used.
    """
    return catalogue.rows(
        """SELECT count(*) FILTER (NOT deleted) AS annotations, count(*) FILTER (NOT deleted AND cancelled) AS skipped,
                  count(*) FILTER (NOT deleted AND NOT cancelled
                                   AND NOT coalesce(list_contains(?, choice), false)) AS unusable,
                  count(*) FILTER (deleted) AS deleted, count(DISTINCT annotator) FILTER (NOT deleted) AS annotators
           FROM annotations WHERE server = ? AND project = ?""",
        [list(words), server, project],
    )[0]


def review_counts(catalogue: Catalogue) -> dict[str, int]:
    """Over all servers, of images that are shown: those with an answer, and those about which as many said one thing as
    another."""
    return catalogue.rows(
        """SELECT count(*) AS reviewed, count(*) FILTER (choice IS NULL) AS tied
           FROM reviews SEMI JOIN panels USING (image_sha256)"""
    )[0]


def save_project(
    catalogue: Catalogue, server: str, project: int, mark: str | None, *, title: str, role: str, split: str | None
) -> int:
    """Note that the workspace uses a project and what for, within a transaction.

    Answers of another project of this number are set aside (see ``set_aside``).

    Returns:
        How many answers that was.
    """
    sql = "SELECT mark, count(*) FROM annotations WHERE server = ? AND project = ? AND mark <> ? GROUP BY mark"
    others = dict(catalogue.tuples(sql, [server, project, mark]))
    set_aside(catalogue, server, project, others)
    row = {"server": server, "project": project, "title": title, "role": role, "split": split, "mark": mark}
    catalogue.upsert("label_projects", [row])
    return sum(others.values())


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
    record_id, record_key, and the record's morphology, literature_description, and table with row (stands)."""
    return catalogue.rows(
        f"""
        SELECT DISTINCT panels.image_sha256, v.source, v.label, v.evidence, v.spans, v.record_id, records.record_key,
               records.morphology, records.literature_description, {STANDS}
        FROM label_votes v JOIN panels USING (panel_id) LEFT JOIN records USING (record_id)
        ORDER BY panels.image_sha256, v.source, records.record_key, v.record_id, v.label
        """  # noqa: S608 - a constant
    )


def linked_records(catalogue: Catalogue) -> list[dict[str, Any]]:
    """The records linked to each image with what names their paper, for images with several records."""
    return catalogue.rows(
        f"""
        SELECT DISTINCT panels.image_sha256, record_id, record_key, reference, doi, journal, volume, records.pages,
               year, records.caption, compatibility, {STANDS}
        FROM links JOIN panels USING (panel_id) JOIN records USING (record_id)
        QUALIFY count(DISTINCT record_id) OVER (PARTITION BY panels.image_sha256) > 1
        ORDER BY panels.image_sha256, record_key, record_id
        """  # noqa: S608 - a constant
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
