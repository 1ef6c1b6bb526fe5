"""What people answered in projects that ask for no labels, and what is asked there: figures and their panels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from polydata.catalogue.connect import Catalogue


def figures_to_ask(catalogue: Catalogue, *, every: bool) -> list[dict[str, Any]]:
    """The figures that were read from PDFs, the least sure first, then as papers are read.

    Columns: figure_id, sha256 and path (of the PDF), paper, title, page, label, caption, x0, y0, x1, y1, dpi, panels
    (a list of x0, y0, x1, y1 and label).

    Args:
        catalogue: of the workspace.
        every: also figures without a micrograph, by the screening, and by their kind where there was none.
    """
    return catalogue.rows(
        """SELECT figure_id, papers.sha256, papers.path, papers.file_name AS paper, papers.title, figures.page,
                  figures.label, figures.caption, figures.x0, figures.y0, figures.x1, figures.y1, figures.dpi,
                  list({'x0': panels.x0, 'y0': panels.y0, 'x1': panels.x1, 'y1': panels.y1, 'label': panels.label}
                       ORDER BY panels.position) AS panels
           FROM figures JOIN papers USING (paper_id) JOIN panels USING (figure_id)
           LEFT JOIN screened USING (image_sha256)
           WHERE papers.sha256 IS NOT NULL AND figures.x0 IS NOT NULL
           GROUP BY ALL
           HAVING ? OR bool_or(coalesce(screened.decision = 'accepted', panels.kind = 'micrograph'))
           ORDER BY any_value(figures.confidence), papers.file_name, figures.page, figures.y0, figure_id""",
        [every],
    )


def known_answers(catalogue: Catalogue, server: str, project: int, mark: str) -> dict[int, dict[str, Any]]:
    """What was pulled from a project, by the number of the annotation.

    Args:
        catalogue: of the workspace.
        server: its address.
        project: its number.
        mark: of its page.
    """
    rows = catalogue.rows(
        "SELECT * FROM task_answers WHERE server = ? AND project = ? AND mark = ?", [server, project, mark]
    )
    return {row["annotation_id"]: row for row in rows}


def last_applied(catalogue: Catalogue, role: str) -> dict[str, str]:
    """What was last made so of each subject, as JSON, whoever said it and in whatever project of this kind."""
    return dict(
        catalogue.tuples(
            """SELECT subject, arg_max(applied, (made_as, -annotation_id)) FROM task_answers
               WHERE role = ? AND applied IS NOT NULL GROUP BY subject""",
            [role],
        )
    )


def next_made(catalogue: Catalogue) -> int:
    """The number of what is made so next."""
    return int(catalogue.value("SELECT coalesce(max(made_as), 0) + 1 FROM task_answers"))


def save_answers(catalogue: Catalogue, rows: Sequence[dict[str, Any]]) -> None:
    """Write answers, within a transaction.

    Args:
        catalogue: open for writing.
        rows: of the table ``task_answers``.
    """
    catalogue.upsert("task_answers", rows)


def answer_counts(catalogue: Catalogue, server: str, project: int | None) -> dict[str, int]:
    """Of the answers of a project: annotations, skipped, unusable (what waits to be applied), deleted, annotators.

    Of what one person said of a thing, only the last counts as waiting.
    """
    return catalogue.rows(
        """WITH own AS (
               SELECT *, coalesce(json_extract_string(raw, '$.was_cancelled') = 'true', false) AS cancelled,
                      CASE WHEN annotator = 'unknown' THEN annotation_id END AS nobody
               FROM task_answers WHERE server = ? AND project = ?
           ), told AS (
               SELECT *, row_number() OVER (PARTITION BY mark, subject, annotator, nobody, deleted, cancelled
                                            ORDER BY updated_at DESC, annotation_id DESC) = 1 AS last
               FROM own
           )
           SELECT count(*) FILTER (NOT deleted) AS annotations,
                  count(*) FILTER (NOT deleted AND cancelled) AS skipped,
                  count(*) FILTER (NOT deleted AND NOT cancelled AND last AND applied IS DISTINCT FROM said)
                      AS unusable,
                  count(*) FILTER (deleted) AS deleted, count(DISTINCT annotator) FILTER (NOT deleted) AS annotators
           FROM told""",
        [server, project],
    )[0]
