"""Where a thing comes from and where it went, from paper to run; and how many survive each step on that way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from polydata.catalogue.annotations import outside_words
from polydata.catalogue.connect import Catalogue
from polydata.catalogue.lookup import find
from polydata.catalogue.session import Session
from polydata.catalogue.splits import images_in_split, split_memberships
from polydata.errors import InputError


def trace(session: Session, identifier: str) -> list[dict[str, Any]]:
    """The way of a paper, figure, panel, image or record through the catalogue.

    Args:
        identifier: as in ``lookup.find``.

    Returns:
        One entry a panel: ``paper``, ``figure``, ``panel``, ``image`` (with its screenings), ``scale_bars``,
        ``records``, ``label`` (resolved, with all that was said), ``annotations``,
        ``distinct`` (images that look like it and are others), ``splits``, ``runs``.
        A paper without panels gives one entry with ``paper`` and ``leftovers``; a record that is joined to no
        panel one with ``record`` and ``papers``, those it was tied to.

    Raises:
        InputError: as ``lookup.find``.
    """
    catalogue = session.catalogue
    kind, found = find(catalogue, identifier, "paper", "figure", "panel", "image", "record")
    columns = {"image": "image_sha256", "record": "links.record_id"}
    panels = catalogue.tuples(
        f"""SELECT DISTINCT panel_id, papers.file_name, figures.page, figures.figure_id, panels.position
            FROM panels JOIN figures USING (figure_id) JOIN papers USING (paper_id) LEFT JOIN links USING (panel_id)
            WHERE {columns.get(kind, f"{kind}_id")} = ? ORDER BY 2, 3, 4, 5""",  # noqa: S608 - constants
        [found],
    )
    return [_way(catalogue, panel[0]) for panel in panels] or [_alone(catalogue, kind, found)]


def _alone(catalogue: Catalogue, kind: str, identifier: str) -> dict[str, Any]:
    if kind == "record":
        record = catalogue.rows("SELECT * EXCLUDE (raw) FROM records WHERE record_id = ?", [identifier])[0]
        tied = """SELECT paper_id, file_name, method, score FROM record_places JOIN papers USING (paper_id)
                  WHERE record_id = ? ORDER BY score DESC, paper_id"""
        return {"record": record, "papers": catalogue.rows(tied, [identifier])}
    if kind == "image":
        raise InputError(f"No panel shows the image {identifier} any more.", "Its paper was read anew or removed.")
    paper_id = catalogue.value("SELECT paper_id FROM figures WHERE figure_id = ?", [identifier]) or identifier
    paper = catalogue.rows("SELECT * EXCLUDE (first_page_text) FROM papers WHERE paper_id = ?", [paper_id])[0]
    leftovers = "SELECT * EXCLUDE (leftover_id, paper_id) FROM leftovers WHERE paper_id = ? ORDER BY page, y0"
    return {"paper": paper, "leftovers": catalogue.rows(leftovers, [paper_id])}


def _way(catalogue: Catalogue, panel_id: str) -> dict[str, Any]:
    def of(sql: str, key: str) -> list[dict[str, Any]]:
        return catalogue.rows(sql, [key])

    (panel,) = of("SELECT * FROM panels WHERE panel_id = ?", panel_id)
    (figure,) = of("SELECT * FROM figures WHERE figure_id = ?", panel["figure_id"])
    (paper,) = of("SELECT * EXCLUDE (first_page_text) FROM papers WHERE paper_id = ?", figure["paper_id"])
    sha256 = panel["image_sha256"]
    (image,) = of("SELECT * FROM images WHERE sha256 = ?", sha256)
    said = "SELECT rule, version, score, decision, reason FROM screenings WHERE image_sha256 = ? ORDER BY 1, 2"
    decided = catalogue.row("SELECT decision, by_hand, threshold FROM screened WHERE image_sha256 = ?", [sha256])
    return {
        "paper": paper,
        "figure": figure,
        "panel": panel,
        "image": {**image, "screenings": of(said, sha256), "decision": decided},
        "scale_bars": of(
            """SELECT * EXCLUDE (panel_id) FROM panel_scales WHERE panel_id = $1 UNION ALL BY NAME
               SELECT bars_by_hand.* EXCLUDE (image_sha256, panel_id, said) FROM bars_by_hand
               JOIN panels USING (image_sha256) WHERE panels.panel_id = $1 AND value = 0
               ORDER BY method""",
            panel_id,
        ),
        "records": of(
            """SELECT records.* EXCLUDE (raw), method, score FROM links JOIN records USING (record_id)
               WHERE panel_id = ? ORDER BY score DESC, record_id""",
            panel_id,
        ),
        "label": catalogue.row("SELECT * FROM labels WHERE image_sha256 = ?", [sha256]),
        "annotations": of("SELECT * EXCLUDE (raw) FROM annotations WHERE image_sha256 = ? ORDER BY updated_at", sha256),
        "distinct": of(
            "SELECT * EXCLUDE (image_sha256) FROM distinct_pairs WHERE image_sha256 = ? ORDER BY ALL", sha256
        ),
        "splits": split_memberships(catalogue, sha256),
        "runs": of(
            """SELECT name, runs.split, runs.digest FROM runs
               WHERE runs.split IN (SELECT split FROM split_images WHERE image_sha256 = ?) ORDER BY name""",
            sha256,
        ),
    }


def papers_of(catalogue: Catalogue, images: Sequence[str]) -> list[dict[str, Any]]:
    """The papers that show these images, counted by ``source`` and ``extractor`` (the method that read them)."""
    return catalogue.rows(
        """SELECT papers.source, papers.extractor, count(DISTINCT paper_id) AS papers,
                  count(DISTINCT image_sha256) AS images
           FROM (SELECT DISTINCT unnest(?::TEXT[]) AS image_sha256) JOIN panels USING (image_sha256)
           JOIN figures USING (figure_id) JOIN papers USING (paper_id) GROUP BY 1, 2 ORDER BY 1, 2""",
        [list(images)],
    )


def runs_on(catalogue: Catalogue, split: str) -> list[dict[str, Any]]:
    """Runs that were trained on a split of this name: ``name`` and ``digest`` of the split they saw."""
    return catalogue.rows("SELECT name, digest FROM runs WHERE split = ? ORDER BY name", [split])


def list_runs(catalogue: Catalogue) -> list[dict[str, Any]]:
    """The runs that are noted, by name."""
    return catalogue.rows("SELECT name, split, digest, manifest FROM runs ORDER BY name")


def save_runs(catalogue: Catalogue, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note these runs and forget all others."""
    with catalogue.transaction():
        catalogue.run("DELETE FROM runs")
        catalogue.upsert("runs", rows)


STEPS = (
    ("papers", "papers read or imported", "SELECT count(*) FROM papers"),
    ("papers failed", "files that could not be read", "SELECT count(*) FROM failures"),
    ("figures", "figures found", "SELECT count(*) FROM figures"),
    ("panels", "panels found", "SELECT count(*) FROM panels"),
    ("images", "different images", "SELECT count(DISTINCT image_sha256) FROM panels"),
    (
        "screened",
        "images the automatic screening has seen",
        "SELECT count(DISTINCT image_sha256) FROM screenings SEMI JOIN panels USING (image_sha256)",
    ),
    (
        "accepted",
        "candidate micrographs, by the screening and by hand",
        "SELECT count(*) FROM screened SEMI JOIN panels USING (image_sha256) WHERE decision = 'accepted'",
    ),
    ("records", "records of samples", "SELECT count(*) FROM records"),
    (
        "linked",
        "images with a record",
        "SELECT count(DISTINCT image_sha256) FROM links JOIN panels USING (panel_id)",
    ),
)


def funnel(session: Session) -> list[dict[str, Any]]:
    """How many papers, figures and images survive each step: the seed paper's 687 -> 8,625 -> 517 for any corpus.

    The manual screening stands apart from the automatic one: images that reviewers called no micrograph.

    Returns:
        One row a step: its name (``step``), ``what`` it counts, and the ``count``.
    """
    catalogue, task = session.catalogue, session.task
    labels = catalogue.tuples(
        """SELECT label, count(*), count(*) FILTER (conflict AND source IS DISTINCT FROM 'manual')
           FROM labels SEMI JOIN panels USING (image_sha256) GROUP BY label"""
    )
    of_label = {label: count for label, count, _ in labels if label is not None}
    reviews = dict(
        catalogue.tuples("SELECT choice, count(*) FROM reviews SEMI JOIN panels USING (image_sha256) GROUP BY choice")
    )
    counts = [(step, what, catalogue.value(sql)) for step, what, sql in STEPS]
    counts += [
        ("reviewed", "images that a reviewer answered", sum(reviews.values())),
        ("rejected by reviewers", "images called no micrograph", reviews.get(task.not_a_micrograph, 0)),
        ("labelled", "images with a resolved label", sum(of_label.values())),
        *((f"  {label}", "of these", of_label.get(label, 0)) for label in task.labels),
        (
            "  in conflict",
            "images whose sources disagree, with none set by hand",
            sum(conflicts for *_, conflicts in labels),
        ),
        ("in a split", "images in at least one split", images_in_split(catalogue)),
    ]
    outside = outside_words(catalogue, task.choices)
    if outside:
        words = ", ".join(outside)
        counts.append(("outside the task", f"answers that the task does not know: {words}", sum(outside.values())))
    return [{"step": step, "what": what, "count": count} for step, what, count in counts]
