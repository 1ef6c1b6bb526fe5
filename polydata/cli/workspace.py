"""polydata init, status, trace, demo-corpus, remove and merge."""

import dataclasses
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument, Option

from polydata.cli import app, open_session
from polydata.console import output as out
from polydata.console.group import new_group
from polydata.console.options import JsonOption, WorkspaceOption

removing = new_group(app, "remove", "Take things out of the workspace.")

LISTED = 20
"""Rows of one table that are named on the terminal; --json names all."""


@app.command()
def init(
    folder: Annotated[Path, Argument(metavar="DIR", help="Where to make it.")] = Path(), as_json: JsonOption = False
) -> None:
    """Make a workspace: settings, catalogue, image store, and folders for splits, runs and exports."""
    from polydata.catalogue.session import init as make
    from polydata.workspace import Workspace

    there, around = Workspace.is_there(folder), Workspace.around(folder)
    root = make(folder).root
    if around and not there:
        out.report_problems([f"{root} lies in the workspace {around}; commands in it mean the inner one"], "Note")
    go = "" if root == Path.cwd() else f"cd {shlex.quote(str(folder))} && "
    said = f"The workspace {root} was there; what it holds is kept." if there else f"Workspace {root}"
    following = f"{go}polydata status" if there else f"{go}polydata extract PAPERS/"
    out.print_result(said, as_json, following=following, whole={"workspace": str(root)})


@app.command()
def status(as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Show how many papers, figures and images survive each step, and what comes next."""
    from polydata.upkeep.status import status as where

    found = where(workspace)
    if as_json:
        out.print_json(dataclasses.asdict(found))
        return
    rows = [{"count": row["count"], "step": row["step"], "what": row["what"]} for row in found.funnel]
    out.print_table(rows, f"Workspace {found.workspace}; fingerprint of its catalogue {found.fingerprint[:16]}")
    for step in found.steps:
        out.next_step(f"{step.command}  ({step.why})")


@app.command()
def trace(
    identifier: Annotated[str, Argument(metavar="ID", help="Id or SHA-256, or its beginning.")],
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Follow a paper, figure, panel, image or record back to its PDF page and forward to splits and runs."""
    from polydata.catalogue.trace import trace as follow
    from polydata.upkeep.trace import describe, open_with_runs

    with open_with_runs(workspace) as session:
        found = follow(session, identifier)
    if as_json:
        out.print_json(found)
    else:
        out.say(describe(found))


@app.command("demo-corpus")
def demo_corpus(
    folder: Annotated[Path, Argument(metavar="DIR", help="Folder to make; it must be empty or missing.")],
    papers: Annotated[int, Option(min=1, max=1000, help="Number of PDF papers.")] = 24,
    seed: Annotated[int, Option(help="The same seed gives the same bytes.")] = 0,
    task: Annotated[str, Option(help="Task whose labels the records use.")] = "compatibility",
    as_json: JsonOption = False,
) -> None:
    """Simulate micrographs of blends and lay them out as PDF papers with a record file and all answers."""
    from polydata.demo.corpus import make_corpus
    from polydata.task import Task

    corpus = make_corpus(folder, papers=papers, seed=seed, task=Task.load(task))
    panels = sum(corpus.labels.values())
    said = f"{papers} papers of {corpus.pages} pages, {corpus.figures} figures, {panels} micrograph panels in {folder}"
    following = f"polydata init WORKSPACE, then polydata extract {folder / 'papers'}"
    out.print_result(said, as_json, following=following, whole={**dataclasses.asdict(corpus), "papers": papers})


@removing.command("paper")
def remove_paper(
    papers: Annotated[list[str] | None, Argument(metavar="ID", help="Ids of papers, or beginnings of them.")] = None,
    older: Annotated[bool, Option("--older", help="Also papers whose file has changed and was read anew.")] = False,
    dry_run: Annotated[bool, Option("--dry-run", help="Only say what would go.")] = False,
    yes: Annotated[bool, Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Remove papers with their figures, links and images; what hangs on them is named first."""
    from polydata.papers.remove import Removed, plan_removal, remove

    removed = Removed(0, ())
    with open_session(workspace, read_only=dry_run) as session:
        going = plan_removal(session, papers or (), older=older)
        if not as_json:
            _name(going)
        todo = bool(going) and not dry_run
        if todo:
            out.confirm("Remove these papers?", yes=yes, can_ask=not as_json)
            removed = remove(session, going)
            splits = sorted({split for paper in going for split in paper["splits"]})  # sealed: they stay as they are
            out.report_problems((f"{s} holds images that are gone from the catalogue" for s in splits), "Split")
    out.report_problems(removed.failures, "Not deleted")
    if as_json:
        out.print_json({"removed": todo, "papers": going, **dataclasses.asdict(removed)})
    elif todo:
        stay = f"\nThe images stay in {removed.left_behind}, which other workspaces may share."
        out.say(f"Removed {len(going)} papers and {removed.images} images.{stay if removed.left_behind else ''}")
    hint = "The papers are removed: delete the files by hand, nothing refers to them any more."
    out.fail_in_part(len(removed.failures), "image files could not be deleted.", hint)


def _name(papers: Sequence[dict[str, Any]]) -> None:
    """A line for each paper that is to go, with what hangs on it."""
    typer.echo("To be removed; what people said is kept:" if papers else "No paper is older than its file.")
    for paper in papers:
        counts = ", ".join(f"{n} {what}" for what, n in paper.items() if isinstance(n, int) and n) or "nothing on it"
        splits = f", in the splits {', '.join(paper['splits'])}" if paper["splits"] else ""
        typer.echo(out.one_line(f"  {paper['file_name']} ({paper['paper_id']}): {counts}{splits}"))


@removing.command("failures")
def remove_failures(
    files: Annotated[
        list[str] | None, Argument(metavar="FILE", help="Path or name; otherwise all that are there no more.")
    ] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Strike files out of the list of failures: those that are named, or those that are there no more."""
    from polydata.papers.remove import forget_failures

    with open_session(workspace) as session:
        gone = forget_failures(session, files or ())
    empty = "No failed file is gone. Name one to forget it all the same: polydata remove failures FILE"
    out.print_json(gone) if as_json else out.print_table([{"forgotten": path} for path in gone], empty=empty)


@app.command("merge")
def merge_workspaces(
    other: Annotated[Path, Argument(metavar="OTHER", help="The workspace that is brought into this one.")],
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Bring papers, records, labels and annotations of another workspace into this one; it is only read."""
    from polydata.upkeep.merge import merge
    from polydata.workspace import Workspace

    theirs = Workspace.open(other)
    with open_session(workspace) as session, out.stages() as progress:
        done = merge(session, theirs, progress)
    out.report_problems(done.papers, "Kept as it was read here")
    for table, keys in done.kept.items():
        out.report_problems(keys, f"Kept as it is here, in {table}", LISTED)
    out.report_problems(done.behind, "Left behind")
    facts = {"images copied": done.images, **done.came}
    out.print_result(facts, as_json, "Merged", "polydata join", dataclasses.asdict(done))
    hint = f"Read them again there, then merge again: polydata extract PATH --again --workspace {theirs.root}"
    out.fail_in_part(len(done.behind), f"papers of {theirs.root} were left behind.", hint)
