"""polydata init, status, trace and demo-corpus."""

from pathlib import Path
from typing import Annotated

import typer

from polydata.cli import app
from polydata.console.options import JsonOption, WorkspaceOption
from polydata.console.output import next_step, print_json, print_table


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where to make it.")] = Path(),
) -> None:
    """Make a workspace: settings, catalogue, image store, and folders for splits, runs and exports."""
    from polydata.catalogue.session import open_session
    from polydata.workspace import Workspace

    workspace = Workspace.init(folder)
    open_session(workspace).close()
    typer.echo(f"Workspace {workspace.root}")
    next_step("polydata extract PAPERS/")


@app.command()
def status(as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Show how many papers, figures and images survive each step, from PDF to split."""
    from polydata.catalogue.funnel import funnel
    from polydata.upkeep.trace import open_with_runs
    from polydata.workspace import Workspace

    place = Workspace.find(workspace)
    with open_with_runs(place) as session:
        rows = funnel(session)
        fingerprint = session.catalogue.fingerprint()
    if as_json:
        print_json({"workspace": place.root, "fingerprint": fingerprint, "funnel": rows})
    else:
        print_table(rows, str(place.root))
        typer.echo(f"Catalogue fingerprint {fingerprint[:16]}")


@app.command()
def trace(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="Id or SHA-256, or its beginning.")],
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Follow a paper, figure, panel, image or record back to its PDF page and forward to splits and runs."""
    from polydata.catalogue.trace import trace as follow
    from polydata.upkeep.trace import describe_way, open_with_runs
    from polydata.workspace import Workspace

    with open_with_runs(Workspace.find(workspace)) as session:
        found = follow(session.catalogue, identifier)
    if as_json:
        print_json(found)
    else:
        for way in found:
            typer.echo(describe_way(way))


@app.command("demo-corpus")
def demo_corpus(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make; it must be empty or missing.")],
    papers: Annotated[int, typer.Option(min=1, max=1000, help="Number of PDF papers.")] = 24,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 0,
    task: Annotated[str, typer.Option(help="Task whose labels the records use.")] = "compatibility",
) -> None:
    """Simulate micrographs of blends and lay them out as PDF papers with a record file and all answers."""
    from polydata.demo.corpus import make_corpus
    from polydata.task import Task

    corpus = make_corpus(folder, papers=papers, seed=seed, task=Task.load(task))
    panels = sum(corpus.labels.values())
    typer.echo(
        f"{papers} papers of {corpus.pages} pages, {corpus.figures} figures, {panels} micrograph panels in {folder}"
    )
    next_step(f"polydata init WORKSPACE, then polydata extract {folder / 'papers'}")
