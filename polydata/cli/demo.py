"""polydata demo-corpus."""

from pathlib import Path
from typing import Annotated

import typer

from polydata.cli import app
from polydata.console.output import next_step


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
