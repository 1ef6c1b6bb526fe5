"""polydata screen, sheets and list screenings."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from polydata.cli import app
from polydata.cli.extract import listing
from polydata.console.options import JsonOption, WorkspaceOption
from polydata.console.output import next_step, print_facts, print_json, print_table, progress, report_problems
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
    from polydata.screening import workflow as screening
    from polydata.workspace import Workspace

    place = Workspace.find(workspace)
    choices = screening.Choices(threshold, accept or (), reject or (), undo or ())
    with open_session(place) as session, progress("Screening", None) as advance:
        result = screening.screen(session, rule, again=again, choices=choices, advance=advance)
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
    if result.failures:
        raise PartialFailure(f"{len(result.failures)} images could not be opened.", "Each is named above.")


@app.command()
def sheets(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder to write; exports/sheets.")] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write contact sheets of the screened images to look through in a browser: borderline ones first."""
    from polydata.catalogue.session import open_session
    from polydata.screening import sheets as contactsheets
    from polydata.workspace import Workspace

    place = Workspace.find(workspace)
    target = output or place.exports / "sheets"
    with open_session(place, read_only=True) as session, progress("Drawing", None) as advance:
        result = contactsheets.write_sheets(session, target, advance=advance)
    report_problems(result.failures, "Failed")
    facts = {**result.counts, "pages": result.pages, "index": str(result.index)}
    if as_json:
        print_json(facts)
    else:
        print_facts(facts, "Contact sheets")
        next_step("polydata screen --accept ID or --reject ID where a sheet is wrong")
    if result.failures:
        raise PartialFailure(f"{len(result.failures)} images could not be opened.", "Each is named above.")


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
    from polydata.workspace import Workspace

    with open_session(Workspace.find(workspace), read_only=True) as session:
        rows = rows_of(session.catalogue, decision, borderline=borderline)
    print_json(rows) if as_json else print_table(rows, "Screenings", empty="No image was screened so: polydata screen")
