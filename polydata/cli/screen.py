"""polydata screen, sheets, scale-bar and list screenings."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from polydata.cli import app
from polydata.cli.extract import listing
from polydata.console.options import JsonOption, WorkspaceOption
from polydata.console.output import (
    next_step,
    print_facts,
    print_json,
    print_json_line,
    print_table,
    report_problems,
    stages,
)
from polydata.errors import PartialFailure

NAMED = "an image's SHA-256 or a panel's id"


class DecisionName(StrEnum):
    """What a screening decides."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


@app.command()
def screen(  # noqa: PLR0917 - options of a command
    rule: Annotated[str, typer.Option(help="Name of the screening rule; its newest version is used.")] = "micrograph",
    again: Annotated[bool, typer.Option("--again", help="Screen images anew that were screened before.")] = False,
    threshold: Annotated[
        float | None, typer.Option(help="Accept images from this score up; kept until another is given.")
    ] = None,
    accept: Annotated[
        list[str] | None, typer.Option(metavar="ID", help=f"Accept this image by hand: {NAMED}. May be repeated.")
    ] = None,
    reject: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Reject this image by hand. May be repeated.")
    ] = None,
    undo: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Leave this image to the rule again. May be repeated.")
    ] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Tell candidate micrographs from all other images, by a rule and by hand; reviewers have the last word later."""
    from polydata.catalogue.session import open_session
    from polydata.screening import workflow

    choices = workflow.Choices(threshold, accept or (), reject or (), undo or ())
    with open_session(workspace) as session, stages() as progress:
        result = workflow.screen(session, rule, again=again, choices=choices, progress=progress)
    report_problems(result.failures, "Failed")
    facts = {
        "screened now": result.screened,
        **result.counts,
        "changed side": result.changed,
        "threshold": result.threshold,
        "failures": len(result.failures),
    }
    if as_json:
        print_json(facts)
    else:
        print_facts(facts, f"Screening by rule {rule}")
        next_step("polydata sheets, to look at them; then polydata records import FILE and polydata join")
    _report_failures(len(result.failures), "images could not be opened")


@app.command()
def sheets(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder to write; exports/sheets.")] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write contact sheets of the screened images to look through in a browser: borderline ones first."""
    from polydata.catalogue.session import open_session
    from polydata.screening.sheets import write_sheets

    with open_session(workspace, read_only=True) as session, stages() as progress:
        result = write_sheets(session, output or session.workspace.exports / "sheets", progress=progress)
    report_problems(result.failures, "Failed")
    facts = {**result.counts, "pages": result.pages, "index": str(result.index)}
    if as_json:
        print_json(facts)
    else:
        print_facts(facts, "Contact sheets")
        next_step("polydata screen --accept ID or --reject ID where a sheet is wrong")
    _report_failures(len(result.failures), "images could not be opened")


@listing.command("screenings")
def list_screenings(
    decision: Annotated[DecisionName | None, typer.Option(help="Only this decision.")] = None,
    borderline: Annotated[
        bool, typer.Option("--borderline", help="Only images near the threshold that nobody decided by hand.")
    ] = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Images with their screening, the least sure first."""
    from polydata.catalogue.screenings import list_screenings as rows_of
    from polydata.catalogue.session import open_session

    with open_session(workspace, read_only=True) as session:
        rows = rows_of(session.catalogue, decision, borderline=borderline)
    print_json(rows) if as_json else print_table(rows, "Screenings", empty="No image was screened so: polydata screen")


@app.command("scale-bar")
def scale_bar(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH", help="Images, folders or glob patterns; without any, the workspace's."),
    ] = None,
    *,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Processes for the workspace's images; 0 takes one for each processor.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Read all images of the workspace anew.")] = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Read scale bars printed into micrographs: of image files, or of the workspace's accepted micrographs."""
    problems = _read_files(paths, as_json=as_json) if paths else _read_session(workspace, workers, again, as_json)
    report_problems(problems, "Failed")
    _report_failures(len(problems), f"images{'' if paths else ' of the workspace'} could not be read")


def _read_files(paths: Sequence[str], *, as_json: bool) -> Sequence[str]:
    """Print the scale bar of each image file; what could not be read comes back."""
    from polydata.screening.scalebars import find_images, read_files

    files = find_images(paths)
    rows, problems = [], []
    with stages() as progress:
        for row, problem in read_files(files, progress=progress):
            if problem:
                problems.append(problem)
            elif as_json:
                print_json_line(row)
            else:
                rows.append(row)
    if not as_json:
        print_table(rows, "Scale bars", empty="No image was read.")
    return problems


def _read_session(workspace: Path | None, workers: int | None, again: bool, as_json: bool) -> Sequence[str]:
    """Read the scale bars of a workspace and print their number; what could not be read comes back."""
    from polydata.catalogue.session import open_session
    from polydata.screening.scalebars import read_scale_bars

    with open_session(workspace) as session, stages() as progress:
        done = read_scale_bars(session, workers=workers, again=again, progress=progress)
    facts = {"images read now": done.images, "scale bars found": done.found, "failures": len(done.failures)}
    print_json(facts) if as_json else print_facts(facts, "Scale bars")
    return done.failures


def _report_failures(count: int, what: str) -> None:
    """End with exit status 3 where images failed."""
    if count:
        raise PartialFailure(f"{count} {what}.", "Each is named above.")
