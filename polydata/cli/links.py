"""polydata link, unlink, list candidates and list manual-links."""

import dataclasses
from typing import Annotated

import typer

from polydata.cli import app
from polydata.cli.extract import listing
from polydata.console.options import JsonOption, WorkspaceOption
from polydata.console.output import next_step, print_json, print_table
from polydata.errors import UsageError

RecordArgument = Annotated[
    str, typer.Argument(metavar="RECORD", help="Its own key, its id, or the beginning of the id.")
]


@app.command()
def link(
    record: RecordArgument,
    target: Annotated[
        str | None, typer.Argument(metavar="PANEL|FIGURE", help="Id of the panel or figure, or the beginning of it.")
    ] = None,
    *,
    nothing: Annotated[bool, typer.Option("--nothing", help="The record belongs to no panel or figure.")] = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Link a record to a panel or figure by hand; it wins over every join and outlives a new reading of the PDF."""
    from polydata.catalogue.session import open_session
    from polydata.records.workflow import link_by_hand
    from polydata.workspace import Workspace

    if (target is None) != nothing:
        raise UsageError("Name either a panel or figure, or --nothing.", "Ids stand in: polydata list candidates")
    place = Workspace.find(workspace)
    with open_session(place) as session:
        made = link_by_hand(session, record, target)
    if as_json:
        print_json(dataclasses.asdict(made))
        return
    typer.echo(f"{made.record_id} is linked to {made.target_id or 'nothing'}.")
    next_step(f"polydata list candidates; to take it back: polydata unlink {made.record_id}")


@app.command()
def unlink(
    record: RecordArgument,
    target: Annotated[
        str | None, typer.Argument(metavar="PANEL|FIGURE", help="Which link goes; without it all of the record.")
    ] = None,
    *,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Take links by hand back; the next join decides about the record again."""
    from polydata.catalogue.session import open_session
    from polydata.records.workflow import unlink as take_back
    from polydata.workspace import Workspace

    place = Workspace.find(workspace)
    with open_session(place) as session:
        gone = take_back(session, record, target)
    if as_json:
        print_json([dataclasses.asdict(one) for one in gone])
        return
    for one in gone:
        typer.echo(f"{one.record_id} is no longer linked to {one.target_id or 'nothing'} by hand.")
    next_step("polydata join")


@listing.command("candidates")
def list_candidates(as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Records whose panel could not be decided, each with the panels that come into question and their scores."""
    from polydata.catalogue.links import list_candidates as rows_of
    from polydata.catalogue.session import open_session
    from polydata.workspace import Workspace

    with open_session(Workspace.find(workspace), read_only=True) as session:
        rows = rows_of(session.catalogue)
    if as_json:
        print_json(rows)
        return
    shown = [
        {
            "record": row["record_key"] or row["record_id"],
            "caption": (row["caption"] or "")[:60],
            "paper": row["paper"],
            "figure": row["figure"],
            "panel": row["panel"],
            "panel_id": row["panel_id"],
            "score": row["score"],
        }
        for row in rows
    ]
    print_table(shown, "For review", empty="No record waits for a decision.")
    if shown:
        next_step("polydata link RECORD PANEL, or polydata link RECORD --nothing")


@listing.command("manual-links")
def list_manual_links(as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Links by hand, each with whether it is in force."""
    from polydata.catalogue.manual_links import list_manual_links as rows_of
    from polydata.catalogue.session import open_session
    from polydata.workspace import Workspace

    with open_session(Workspace.find(workspace), read_only=True) as session:
        rows = rows_of(session.catalogue)
    print_json(rows) if as_json else print_table(rows, "Links by hand", empty="Nothing was linked by hand.")
