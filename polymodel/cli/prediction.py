"""polymodel predict."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from polydata.console.options import JsonOption, WorkspaceOption
from polydata.console.output import print_json, report_problems
from polydata.errors import PartialFailure
from polymodel.cli import app
from polymodel.cli.options import DeviceOption, RunArgument, progress
from polymodel.config import DeviceName


@app.command()
def predict(
    *,
    run: Annotated[
        str, typer.Argument(metavar="RUN|FILE.onnx", help="A run's name or folder, or a file that export wrote.")
    ],
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE", help="Image files, folders of them, and workspaces.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write a .csv, .json or .parquet file.")
    ] = None,
    device: DeviceOption = DeviceName.AUTO,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Predict the labels of images; the parts of a run (folds, seeds) answer together."""
    from polydata.files.atomic import check_output
    from polymodel.prediction.predict import OUTPUTS, open_model, write_predictions
    from polymodel.prediction.predict import predict as predict_images
    from polymodel.report import tables as console

    chosen = open_model(run, workspace)
    if output is not None:
        check_output(output, OUTPUTS)
    with progress() as advance:
        found = predict_images(chosen, images, device, advance)
    if output is not None:
        write_predictions(output, found)
    print_json(console.predictions_json(found)) if as_json else console.show_predictions(found, output)
    report_problems((f"{path}: {reason}" for path, reason in found.failed), "Failed")
    if found.failed:
        raise PartialFailure(f"{len(found.failed)} of {len(found.failed) + len(found.done)} images could not be read.")


@app.command()
def export(
    *,
    run: RunArgument,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.onnx", help="The file to write.")],
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write a run as one ONNX file that answers as predict does, checked against it; needs the extra onnx."""
    from polymodel.prediction.onnx import export as export_run
    from polymodel.report import tables as console
    from polymodel.runs import run as runs

    chosen = runs.open_run(run, workspace)
    with progress() as advance:
        done = export_run(chosen, output, advance)
    print_json(console.exported_json(done)) if as_json else console.show_exported(done)
