"""The command line of polymodel: train, evaluate, predict, report and look at runs."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from polydata.console.group import new_program, print_version

COMMANDS = {
    "training": {
        "train": "Train a model on a split, fold by fold and seed by seed; run again, it goes on where it was broken "
        "off.",
        "embed": "Write features of images as a table: their SHA-256, and mean and sd of every channel of the last two "
        "stages.",
    },
    "evaluation": {
        "evaluate": "Score a run on its test side, with 95 % intervals over papers, beside models that see no "
        "micrograph.",
        "baselines": "Score what needs no trained network: controls that see no picture, Sobel, textures, neighbours, "
        "people.",
        "report": "Write one self-contained HTML page about one or several runs.",
    },
    "runs": {
        "predict": "Predict the labels of images; the parts of a run (folds, seeds) answer together.",
        "export": "Write a run as one ONNX file that answers as predict does, checked against it; needs "
        "the extra onnx.",
        "runs": "Look at the runs of a workspace.",
    },
}
"""The commands of each module in the order in which a user needs them, with the first sentence of their help."""

app = new_program(
    "Train classifiers of micrographs on a split that polydata built, and judge them honestly.", __name__, COMMANDS
)


@app.callback()
def main(
    version: Annotated[
        bool, Option("--version", callback=print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Train classifiers of micrographs on a split that polydata built, and judge them honestly."""
