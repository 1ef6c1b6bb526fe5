"""polydata extract, screen and list."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from polydata.cli import app
from polydata.console.options import JsonOption, WorkspaceOption
from polydata.console.output import next_step, print_facts, print_json, print_table, progress, report_problems
from polydata.errors import PartialFailure

listing = typer.Typer(no_args_is_help=True, help="List what the catalogue holds.")
app.add_typer(listing, name="list")


@app.command()
def extract(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="PDF files, folders or glob patterns.")],
    workers: Annotated[
        int | None, typer.Option(min=0, help="Worker processes; 0 takes one for each processor.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Read files anew that were read before.")] = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Find figures, captions and panels in PDFs and store each image once."""
    from polydata import pipeline
    from polydata.catalogue.session import open_catalogue
    from polydata.discover import find_pdfs
    from polydata.workspace import Workspace

    place = Workspace.find(workspace)
    files = find_pdfs(paths)
    with open_catalogue(place) as catalogue, progress("Extracting", len(files)) as advance:
        result = pipeline.extract(place, catalogue, files, workers=workers, again=again, advance=advance)
    report_problems((f"{f.path}: {f.reason}: {f.detail}" for f in result.failures), "Failed")
    report_problems((f"{d} has the same bytes as another file" for d in result.duplicates), "Left out")
    report_problems((f"{o}: its file has changed, both versions are kept" for o in result.older), "Older version")
    facts = {**result.counts, "failures": len(result.failures), "read now": result.done, "read before": result.skipped}
    if as_json:
        print_json({**facts, "failed": [vars(f) for f in result.failures]})
    else:
        print_facts(facts, "Extraction")
        next_step("polydata screen")
    if result.failures:
        raise PartialFailure(
            f"{len(result.failures)} of {len(files)} files failed.", "List them: polydata list failures"
        )


@app.command()
def screen(
    rule: Annotated[str, typer.Option(help="Name of the screening rule; its newest version is used.")] = "micrograph",
    again: Annotated[bool, typer.Option("--again", help="Screen images anew that were screened before.")] = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Tell candidate micrographs from all other images, by a rule; reviewers have the last word later."""
    from polydata import pipeline
    from polydata.catalogue.screenings import count_decisions
    from polydata.catalogue.session import open_catalogue
    from polydata.workspace import Workspace

    place = Workspace.find(workspace)
    with open_catalogue(place) as catalogue, progress("Screening", None) as advance:
        result = pipeline.screen(place, catalogue, rule, again=again, advance=advance)
        decisions = count_decisions(catalogue)
    report_problems(result.failures, "Failed")
    facts = {"screened now": result.screened, **decisions, "failures": len(result.failures)}
    if as_json:
        print_json(facts)
    else:
        print_facts(facts, f"Screening by rule {rule}")
        next_step("polydata records import FILE, then polydata join")
    if result.failures:
        raise PartialFailure(f"{len(result.failures)} images could not be opened.", "Each is named above.")


class DecisionName(StrEnum):
    """What a screening decides."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


@listing.command("failures")
def list_failures(as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Files that could not be read, each with its reason."""
    from polydata.catalogue.papers import failures
    from polydata.catalogue.session import open_catalogue
    from polydata.workspace import Workspace

    with open_catalogue(Workspace.find(workspace), read_only=True) as catalogue:
        rows = [{**row, "file": "there" if Path(row["path"]).exists() else "gone"} for row in failures(catalogue)]
    print_json(rows) if as_json else print_table(rows, "Failures", empty="No file failed.")


@listing.command("screenings")
def list_screenings(
    decision: Annotated[DecisionName | None, typer.Option(help="Only this decision.")] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Images with their automatic screening, the least sure first."""
    from polydata.catalogue.screenings import list_screenings as rows_of
    from polydata.catalogue.session import open_catalogue
    from polydata.workspace import Workspace

    with open_catalogue(Workspace.find(workspace), read_only=True) as catalogue:
        rows = rows_of(catalogue, decision)
    print_json(rows) if as_json else print_table(rows, "Screenings", empty="No image was screened so: polydata screen")


@listing.command("leftovers")
def list_leftovers(as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Captions without a figure, figures without a caption, records and panels that nothing was joined to."""
    from polydata.catalogue.leftovers import all_leftovers
    from polydata.catalogue.session import open_catalogue
    from polydata.workspace import Workspace

    with open_catalogue(Workspace.find(workspace), read_only=True) as catalogue:
        leftovers = all_leftovers(catalogue)
    if as_json:
        print_json(leftovers)
    else:
        for title, rows in leftovers.items():
            print_table(rows, title, empty=f"{title}: none")
