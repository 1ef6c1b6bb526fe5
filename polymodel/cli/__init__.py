"""The command line of polymodel: train, evaluate, predict, report and look at runs."""

from __future__ import annotations

from typing import Annotated

import typer

from polydata.console.group import new_program, print_version
from polymodel.cli import evaluation as judging
from polymodel.cli import prediction as using
from polymodel.cli import runs, training

app = new_program("Train classifiers of micrographs on a split that polydata built, and judge them honestly.")


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Train classifiers of micrographs on a split that polydata built, and judge them honestly."""


for command in (
    training.train,
    training.embed,
    judging.evaluate,
    judging.baselines,
    using.predict,
    using.export,
    judging.report,
):
    app.command()(command)
app.add_typer(runs.app, name="runs")
