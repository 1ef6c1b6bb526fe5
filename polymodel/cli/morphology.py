"""polymodel simulate and morphology: micrographs whose structure is known, and measures of structure."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from polydata.console.options import JsonOption, WideOption
from polydata.console.output import print_result, print_rows, say
from polymodel.cli import app
from polymodel.cli.options import progress, report_failed

SHOWN = {
    "image": "file",
    "kind": "kind",
    "objects": "objects",
    "d number": "diameter_number",
    "d volume": "diameter_volume",
    "length": "characteristic_length",
    "unit": "unit",
    "note": "note",
}
"""Columns of the narrow table."""


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


@app.command()
def morphology(
    *,
    images: Annotated[list[Path], Argument(metavar="IMAGE", help="Image files, folders of them, and workspaces.")],
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="FILE", help="Write a .csv, .json or .parquet file.")
    ] = None,
    overlays: Annotated[
        Path | None, Option(metavar="DIR", help="Write a picture an image of what was made out to this folder.")
    ] = None,
    um_per_px: Annotated[float | None, Option(metavar="UM", help="Micrometres a pixel of all images.")] = None,
    scales: Annotated[
        Path | None, Option(metavar="TABLE", help="Scales: um_per_px beside image_sha256, file or path.")
    ] = None,
    bars: Annotated[bool, Option("--bars/--no-bars", help="Read scale bars where no scale is known.")] = True,
    wide: WideOption = False,
    as_json: JsonOption = False,
) -> None:
    """Measure diameters, lengths and interface of micrographs, in micrometres where they have a scale."""
    from polydata.files.atomic import check_output
    from polydata.files.tables import FRAMES, refuse_other_table, write_frame
    from polymodel.morphology.workflow import measure

    if output is not None:
        check_output(output, FRAMES)
        refuse_other_table(output, ("file", "path", "image_sha256", "scale_source"))
    with progress() as bar:
        found = measure(images, um_per_px=um_per_px, scales=scales, bars=bars, overlays=overlays, progress=bar)
    if output is not None:
        write_frame(output, found.table)
    print_rows(found.rows, as_json, wide, SHOWN, empty="No image could be measured.")
    if output is not None and not as_json:
        say(f"Wrote {output}.")
    report_failed(found.failed, len(found.rows))
