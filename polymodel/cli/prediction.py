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
    from polymodel import api
    from polymodel.prediction.predict import OUTPUTS, write_predictions
    from polymodel.report import tables

    if output is not None:
        check_output(output, OUTPUTS)
    with progress() as bar:
        found = api.predict(run, images, device=device, workspace=workspace, progress=bar)
    if output is not None:
        write_predictions(output, found)
    print_json(tables.predictions_json(found)) if as_json else tables.show_predictions(found, output)
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
    from polymodel.api import open_run
    from polymodel.report import tables

    with progress() as bar:
        done = open_run(run, workspace).export(output, progress=bar)
    print_json(tables.exported_json(done)) if as_json else tables.show_exported(done)
