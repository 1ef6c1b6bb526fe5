"""polydata remove and merge."""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from polydata.cli import app
from polydata.console.options import JsonOption, WorkspaceOption
from polydata.console.output import (
    next_step,
    one_line,
    print_facts,
    print_json,
    print_table,
    progress,
    report_problems,
)
from polydata.errors import PartialFailure, UsageError

removing = typer.Typer(no_args_is_help=True, help="Take things out of the workspace.")
app.add_typer(removing, name="remove")

LISTED = 20
"""Rows of one table that are named on the terminal; --json names all."""


@removing.command("paper")
def remove_paper(
    papers: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="Ids of papers, or beginnings of them.")
    ] = None,
    *,
    older: Annotated[
        bool, typer.Option("--older", help="Also papers whose file has changed and was read anew.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Remove papers with their figures, links and images; what hangs on them is named first."""
    from polydata.catalogue.session import open_session
    from polydata.papers.remove import Removed, plan_removal, remove
    from polydata.workspace import Workspace

    place, removed = Workspace.find(workspace), Removed(0, ())
    with open_session(place, read_only=dry_run) as session:
        plan = plan_removal(session.catalogue, papers or (), older=older)
        if not as_json:
            _name(plan.papers)
        todo = bool(plan.papers) and not dry_run
        if todo and not yes:
            _ask(as_json=as_json)
        if todo:
            removed = remove(session, plan)
            report_problems((f"{s} holds images that are gone from the catalogue" for s in plan.splits), "Split")
    report_problems(removed.failures, "Not deleted")
    if as_json:
        print_json({"removed": todo, "papers": plan.papers, **dataclasses.asdict(removed)})
    elif todo:
        typer.echo(f"Removed {len(plan.papers)} papers and {removed.images} images.")
    if removed.failures:
        raise PartialFailure(
            f"The papers are removed, but {len(removed.failures)} image files could not be deleted.",
            "Delete them by hand: nothing refers to them any more.",
        )


def _name(papers: Sequence[dict[str, Any]]) -> None:
    """A line for each paper that is to go, with what hangs on it."""
    typer.echo("To be removed; what people said is kept:" if papers else "No paper is older than its file.")
    for paper in papers:
        counts = ", ".join(f"{n} {what}" for what, n in paper.items() if isinstance(n, int) and n) or "nothing on it"
        splits = f", in the splits {', '.join(paper['splits'])}" if paper["splits"] else ""
        typer.echo(one_line(f"  {paper['file_name']} ({paper['paper_id']}): {counts}{splits}"))


def _ask(*, as_json: bool) -> None:
    """Ask a person; where there is none, refuse instead of waiting."""
    if as_json or not sys.stdin.isatty():
        raise UsageError(
            "Nothing was removed, since nobody can be asked here.", "Say --yes to remove it, or --dry-run to look."
        )
    typer.confirm("Remove these papers?", abort=True, err=True)


@removing.command("failures")
def remove_failures(as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Strike files out of the list of failures that are there no more."""
    from polydata.catalogue.session import open_session
    from polydata.papers.remove import forget_gone_failures
    from polydata.workspace import Workspace

    with open_session(Workspace.find(workspace)) as session:
        gone = forget_gone_failures(session.catalogue)
    print_json(gone) if as_json else print_table([{"path": p} for p in gone], "Forgotten", empty="No failure is gone.")


@app.command("merge")
def merge_workspaces(
    other: Annotated[Path, typer.Argument(metavar="OTHER", help="The workspace that is brought into this one.")],
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Bring papers, records, labels and annotations of another workspace into this one; it is only read."""
    from polydata.catalogue.session import open_session
    from polydata.upkeep.merge import merge
    from polydata.workspace import Workspace

    place, theirs = Workspace.find(workspace), Workspace.open(other)
    with open_session(place) as session, progress("Copying images", None) as advance:
        done = merge(session, theirs, advance)
    report_problems(done.papers, "Kept as it was read here")
    for table, keys in done.kept.items():
        more = [f"and {len(keys) - LISTED} more: --json lists all"] if len(keys) > LISTED else []
        report_problems([*keys[:LISTED], *more], f"Kept as it is here, in {table}")
    report_problems(done.behind, "Left behind")
    if as_json:
        print_json(dataclasses.asdict(done))
    else:
        print_facts({"images copied": done.images, **done.came}, "Merged")
        next_step("polydata join")
    if done.behind:
        raise PartialFailure(
            f"{len(done.behind)} papers of {theirs.root} were left behind.",
            f"Read them again there, then merge again: polydata extract PATH --again --workspace {theirs.root}",
        )
