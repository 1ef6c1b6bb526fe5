"""polymodel simulate and morphology: micrographs whose structure is known, and measures of structure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from polydata.console.options import JsonOption
from polydata.console.output import print_result
from polymodel.cli import app
from polymodel.cli.options import progress


@app.command()
def simulate(
    *,
    output: Annotated[
        Path, Option("--output", "-o", metavar="DIR", help="Folder to make: new, empty or an earlier simulation.")
    ],
    count: Annotated[int, Option("--count", "-n", min=1, help="Number of images.")] = 200,
    seed: Annotated[int, Option(min=0, help="The same seed gives the same bytes.")] = 0,
    size: Annotated[int, Option(help="Side of the square images in pixels.")] = 256,
    task: Annotated[str, Option(help="Task whose labels the table uses.")] = "compatibility",
    as_json: JsonOption = False,
) -> None:
    """Simulate micrographs of blends, with a table of labels and true measures."""
    from polydata.simulation import workflow
    from polydata.task import Task

    with progress() as bar:
        made = workflow.simulate(output, count=count, seed=seed, size=size, task=Task.load(task), progress=bar)
    labels = ", ".join(f"{number} {label}" for label, number in made.labels.items())
    said = f"{made.images} images of {made.samples} samples in {output} ({labels}); {made.images / made.seconds:.0f}/s"
    following = f"polymodel morphology {output}"
    print_result(said, as_json, following=following, whole={**vars(made), "table": made.folder / workflow.TABLE})
