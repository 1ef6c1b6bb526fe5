"""The command line of polymodel: train, evaluate, predict, report and look at runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from polydata.console.group import new_program, print_version

COMMANDS = {
    "From a split to a report": {
        "baselines": (
            "evaluation",
            "Score what needs no trained network: controls that see no picture, Sobel, textures, neighbours, people.",
        ),
        "train": (
            "training",
            "Train a model on a split, fold by fold and seed by seed; run again, it goes on where it was broken off.",
        ),
        "pretrain": (
            "training",
            "Pretrain a network on a workspace's own micrographs, without labels; run again, it goes on.",
        ),
        "evaluate": (
            "evaluation",
            "Score a run on its test side, with 95 % intervals over papers, beside Sobel and what sees no micrograph.",
        ),
        "curve": (
            "training",
            "Train on fewer and more papers, to see whether more of them would help; run again, it goes on.",
        ),
        "report": ("evaluation", "Write one self-contained HTML page about one or several runs."),
        "runs": ("runs", "Look at the runs of a workspace."),
    },
    "Morphology": {
        "morphology": (
            "morphology",
            "Measure diameters, lengths and interface of micrographs, in micrometres where they have a scale.",
        ),
        "simulate": ("morphology", "Simulate micrographs of blends, with a table of labels and true measures."),
    },
    "To use a run": {
        "predict": ("runs", "Predict the labels of images; the parts of a run (folds, seeds) answer together."),
        "explain": (
            "runs",
            "Show what of a picture speaks for a run's answer, how much of it is print, and the nearest training "
            "images.",
        ),
        "series": (
            "runs",
            "Follow a run's answers along a ratio, a size or a treatment: index with its range, raw logits, "
            "correlation.",
        ),
        "export": (
            "runs",
            "Write a run as one ONNX file that answers as predict does, checked against it; needs the extra onnx.",
        ),
        "embed": (
            "training",
            "Write features of images as a table: their SHA-256, and mean and sd of every channel of the last two "
            "stages.",
        ),
    },
}
"""The commands in the order in which a user needs them, each with its modules and the first sentence of its help."""

app = new_program(
    "Train classifiers of micrographs on a split that polydata built, and judge them honestly.", __name__, COMMANDS
)


@app.callback()
def main(
    workspace: Annotated[
        Path | None, Option("--workspace", "-w", metavar="DIR", help="The workspace that the command works on.")
    ] = None,
    version: Annotated[
        bool, Option("--version", callback=print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Train classifiers of micrographs on a split that polydata built, and judge them honestly."""
