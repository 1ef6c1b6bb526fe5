"""polydata edit and list edits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from polydata.choices import Kind
from polydata.cli import app
from polydata.cli.extract import listing
from polydata.console.options import JsonOption, WorkspaceOption
from polydata.console.output import next_step, print_facts, print_json, print_table, report_problems
from polydata.errors import PartialFailure

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from polydata.catalogue.edits import Changes
    from polydata.catalogue.session import Session
    from polydata.extraction.editing import Edited

editing = typer.Typer(
    no_args_is_help=True, help="Correct what extraction found; corrections are kept when a PDF is read again."
)
app.add_typer(editing, name="edit")

Identifier = Annotated[str, typer.Argument(metavar="ID", help="Its id, or the beginning of it.")]
PageOption = Annotated[int | None, typer.Option(min=1, help="The page, from 1.")]
BoxOption = Annotated[
    str | None,
    typer.Option(metavar="X0,Y0,X1,Y1", help="The box in points from the top left of the page; pictures are cut anew."),
]
CaptionOption = Annotated[str | None, typer.Option(help="The caption; an empty one takes it away.")]
LabelOption = Annotated[str | None, typer.Option(help="The label, such as 'Figure 3' or 'a'; an empty one for none.")]
KindOption = Annotated[Kind | None, typer.Option(help="What it shows.")]
DeleteOption = Annotated[bool, typer.Option("--delete", help="It is no figure or panel.")]


@editing.command("figure")
def edit_figure(
    figure: Identifier,
    *,
    page: PageOption = None,
    box: BoxOption = None,
    caption: CaptionOption = None,
    label: LabelOption = None,
    kind: KindOption = None,
    delete: DeleteOption = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Correct a figure's page, box, caption, label or kind, or delete it."""
    from polydata.extraction import editing as library

    wanted = library.changes(page=page, box=box, caption=caption, label=label, kind=kind, delete=delete)
    _correct(library.edit_figure, figure, wanted, workspace, as_json=as_json)


@editing.command("panel")
def edit_panel(
    panel: Identifier,
    *,
    box: BoxOption = None,
    caption: CaptionOption = None,
    label: LabelOption = None,
    kind: KindOption = None,
    delete: DeleteOption = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Correct a panel's box, own words, letter or kind, or delete it."""
    from polydata.extraction import editing as library

    wanted = library.changes(box=box, caption=caption, label=label, kind=kind, delete=delete)
    _correct(library.edit_panel, panel, wanted, workspace, as_json=as_json)


@editing.command("new-figure")
def new_figure(
    paper: Identifier,
    *,
    page: Annotated[int, typer.Option(min=1, help="The page, from 1.")],
    box: Annotated[str, typer.Option(metavar="X0,Y0,X1,Y1", help="The box in points from the top left of the page.")],
    caption: CaptionOption = None,
    label: LabelOption = None,
    kind: KindOption = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Add a figure that extraction missed in a paper; it is taken apart into panels as all are."""
    from polydata.extraction import editing as library

    wanted = library.changes(page=page, box=box, caption=caption, label=label, kind=kind)
    _correct(library.new_figure, paper, wanted, workspace, as_json=as_json)


@editing.command("undo")
def undo(edit: Identifier, as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Take a correction back: its paper is read anew, with all other corrections."""
    from polydata.catalogue.session import open_session
    from polydata.extraction import editing as library
    from polydata.workspace import Workspace

    place = Workspace.find(workspace)
    with open_session(place) as session:
        undone, stale = library.undo(session, edit)
    report_problems(stale, "Not corrected")
    print_json({"undone": undone, "stale": stale}) if as_json else typer.echo(f"Undone: {undone}")
    if stale:
        raise PartialFailure(f"{len(stale)} other corrections could not be made again.", "See: polydata list edits")


@listing.command("edits")
def list_edits(as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Corrections by hand, each with whether it is in force."""
    from polydata.catalogue.edits import list_edits as rows_of
    from polydata.catalogue.session import open_session
    from polydata.workspace import Workspace

    with open_session(Workspace.find(workspace), read_only=True) as session:
        rows = rows_of(session.catalogue)
    print_json(rows) if as_json else print_table(rows, "Corrections", empty="Nothing was corrected by hand.")


def _correct(
    edit: Callable[[Session, str, Changes], Edited],
    target: str,
    wanted: Changes,
    workspace: Path | None,
    *,
    as_json: bool,
) -> None:
    """Make a correction and print what became of it."""
    from polydata.catalogue.session import open_session
    from polydata.workspace import Workspace

    place = Workspace.find(workspace)
    with open_session(place) as session:
        done = edit(session, target, wanted)
    if as_json:
        print_json(vars(done))
        return
    facts: dict[str, Any] = {"correction": done.edit_id, done.target: done.result or "deleted"}
    print_facts({**facts, "panels with another id": len(done.moved)}, "Corrected")
    if done.note:
        typer.echo(f"Note: {done.note}")
    next_step(f"polydata screen and polydata join; to take it back: polydata edit undo {done.edit_id}")
