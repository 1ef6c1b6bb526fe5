"""polydata conflicts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from polydata.cli import app, open_session
from polydata.console import output as out
from polydata.console.options import JsonOption, WorkspaceOption
from polydata.errors import PartialFailure, UsageError

if TYPE_CHECKING:
    from polydata.labels.conflicts.find import Conflicts

LISTED = 40
"""Conflicts that are named on the terminal; --json and --html show all."""


@app.command("conflicts")
def list_conflicts(
    table: Annotated[Path | None, Option(metavar="FILE", help="A table that people filled in, a row an image.")] = None,
    truth: Annotated[
        str | None, Option(metavar="COLUMN", help="The table's column of true answers; they are checked too.")
    ] = None,
    raters: Annotated[
        list[str] | None,
        Option(metavar="PATTERN", help="The table's columns of raters, such as 'R*'. May be repeated."),
    ] = None,
    key: Annotated[
        str | None, Option(metavar="COLUMN", help="The table's column that names the image; otherwise the first.")
    ] = None,
    predictions: Annotated[
        list[Path] | None,
        Option(
            metavar="FILE|RUN", help="What a model predicts: Parquet of polymodel predict, or a run. May be repeated."
        ),
    ] = None,
    html: Annotated[
        Path | None, Option(metavar="FILE", help="Write a page with the images side by side and the evidence.")
    ] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """List every disagreement about labels: of file names, records, texts, people, models; the weightiest first."""
    from polydata.labels.conflicts.find import TableOptions, find_conflicts
    from polydata.labels.conflicts.page import write_conflicts

    if (table is None) != (truth is None) or (table is None and (raters or key)):
        raise UsageError("A table needs its column of true answers.", "Name both: --table FILE --truth COLUMN")
    options = TableOptions(table, truth, tuple(raters or ()), key) if table and truth else None
    with open_session(workspace, read_only=True) as session, out.stages() as bar:
        found = find_conflicts(session, table=options, predictions=predictions or ())
        written = write_conflicts(session, found, html, bar) if html is not None else None
    out.print_json(found.as_json()) if as_json else _show(found, bool(html))
    failures = written.failures if written else ()
    out.report_problems(found.problems, "Not used")
    out.report_problems(failures, "Failed")
    if found.problems or failures:
        raise PartialFailure("Some rows or images could not be used.", "Each is named above.")


def _show(found: Conflicts, has_page: bool) -> None:
    rows = [
        {
            "severity": f"{c.severity:.2f}",
            "kind": c.kind,
            "image": " / ".join(found.evidence.pictures[i]["file_name"] or i[:12] for i in c.images),
            "what": f"{c.says} (settled)" if c.settled else c.says,
        }
        for c in found.conflicts[:LISTED]
    ]
    out.print_table(rows, empty="No conflict was found.")
    out.print_facts(found.counts, f"Conflicts; the first {len(rows)} are shown" if len(rows) == LISTED else "Conflicts")
    out.next_step(
        "polydata label set IMAGE LABEL --reason WHY" if has_page else "polydata conflicts --html conflicts.html"
    )
