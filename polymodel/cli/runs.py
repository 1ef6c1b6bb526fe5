"""polymodel predict, explain, series, export and runs: what is done with runs that were trained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from polydata.console.group import new_group
from polydata.console.options import JsonOption, WideOption, WorkspaceOption
from polydata.console.output import fail_in_part, print_json, print_rows, report_problems
from polymodel.cli import app
from polymodel.cli.options import DeviceOption, MembersOption, RunArgument, progress, report_failed, usual_output
from polymodel.config import DeviceName, Members


@app.command()
def predict(
    *,
    run: Annotated[str, Argument(metavar="RUN|FILE.onnx", help="A run's name or folder, or a file that export wrote.")],
    images: Annotated[list[Path], Argument(metavar="IMAGE", help="Image files, folders of them, and workspaces.")],
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="FILE", help="Write a .csv, .json or .parquet file.")
    ] = None,
    device: DeviceOption = DeviceName.AUTO,
    crops: Annotated[
        bool | None,
        Option("--crops/--no-crops", help="See whether they are crops of training images; by default up to 2,000."),
    ] = None,
    members: MembersOption = Members.ALL,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Predict the labels of images; the parts of a run (folds, seeds) answer together."""
    from polydata.files.atomic import check_output
    from polydata.files.find import companions
    from polydata.files.tables import FRAMES, refuse_other_table, write_frame
    from polydata.images.picture import FILE_SUFFIXES
    from polymodel import api
    from polymodel.report import tables

    if output is not None:
        check_output(output, FRAMES)
        refuse_other_table(output, ("path", "image_sha256"))
    with progress() as bar:
        found = api.predict(run, images, device=device, crops=crops, members=members, workspace=workspace, progress=bar)
    if output is not None:
        write_frame(output, found.table)
    print_json(tables.predictions_json(found)) if as_json else tables.show_predictions(found, output)
    skipped = companions(images, FILE_SUFFIXES)
    report_problems((f"{path} only holds what macOS notes of another file" for path in skipped), "Skipped")
    report_failed(found.failed, len(found.done))


@app.command()
def explain(
    *,
    images: Annotated[list[Path], Argument(metavar="IMAGE", help="Image files, folders of them, and workspaces.")],
    run: Annotated[str, Option(metavar="RUN", help="A run's name in the workspace, or its folder.")],
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="DIR", help="Folder of the page; exports/RUN-explained.")
    ] = None,
    device: DeviceOption = DeviceName.AUTO,
    members: MembersOption = Members.UNSEEN,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Show what of a picture speaks for a run's answer, how much of it is print, and the nearest training images."""
    from polymodel.api import open_run
    from polymodel.report import explanations

    opened, output = open_run(run, workspace), output or usual_output(workspace, f"{Path(run).name}-explained")
    explanations.check_folder(output)
    with progress() as bar:
        found = opened.explain(images, device=device, members=members, progress=bar)
    page = explanations.write_explanations(found, output)
    print_json(found.facts()) if as_json else explanations.show_explanations(found, page)
    report_failed(found.failed, len(found.done))


@app.command()
def series(
    *,
    table: Annotated[Path, Argument(metavar="TABLE", help="A row an image: image, image_sha256, path or file_name.")],
    run: Annotated[str, Option(metavar="RUN", help="A run's name in the workspace, or its folder.")],
    by: Annotated[str, Option(metavar="COLUMN", help="Of the order: numbers, ratios as 70/30, or words in order.")],
    named: Annotated[
        str | None, Option("--series", metavar="COLUMN", help="Of the series; all rows are one otherwise.")
    ] = None,
    label: Annotated[
        str | None, Option(help="Whose calibrated probability the index is; of two labels the one not positive.")
    ] = None,
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="FILE", help="Write a .csv, .json or .parquet file.")
    ] = None,
    device: DeviceOption = DeviceName.AUTO,
    members: MembersOption = Members.UNSEEN,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Follow a run's answers along a ratio, a size or a treatment: index with its range, raw logits, correlation."""
    from polydata.files.atomic import check_output
    from polydata.files.tables import FRAMES, refuse_other_table, write_frame
    from polymodel.api import open_run
    from polymodel.report import tables

    if output is not None:
        check_output(output, FRAMES)
        refuse_other_table(output, ("series", "order"))
    with progress() as bar:
        found = open_run(run, workspace).series(table, by, named, label, device=device, members=members, progress=bar)
    if output is not None:
        write_frame(output, found.table)
    print_json(tables.series_json(found)) if as_json else tables.show_series(found, output)
    report_failed(found.failed, len(found.rows))


@app.command()
def export(
    *,
    run: RunArgument,
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="FILE.onnx", help="File to write; exports/RUN.onnx.")
    ] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write a run as one ONNX file that answers as predict does, checked against it; needs the extra onnx."""
    from polymodel.api import open_run
    from polymodel.report import tables

    output = output or usual_output(workspace, f"{Path(run).name}.onnx")
    with progress() as bar:
        done = open_run(run, workspace).export(output, progress=bar)
    print_json(vars(done)) if as_json else tables.show_exported(done)


runs_app = new_group(app, "runs", "Look at the runs of a workspace.")


@runs_app.command("list")
def runs_list(wide: WideOption = False, as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """List the runs of the workspace."""
    from polymodel.report import tables
    from polymodel.runs import run as runs

    readable, problems = runs.list_runs(workspace)
    empty = "There are no runs yet. Train one with: polymodel train SPLIT"
    print_rows([tables.run_row(run) for run in readable], as_json, wide, tables.run_cells, empty=empty)
    report_problems(problems, "Unreadable")
    fail_in_part(len(problems), "runs cannot be read.")


@runs_app.command("show")
def runs_show(run: RunArgument, as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Show what a run is: its split, settings, parts and where it was computed."""
    from polymodel.api import open_run
    from polymodel.report import tables

    chosen = open_run(run, workspace)
    print_json(tables.run_json(chosen)) if as_json else tables.show_run(chosen)


@runs_app.command("compare")
def runs_compare(
    *,
    names: Annotated[list[str] | None, Argument(metavar="RUN", help="Runs; all of the workspace otherwise.")] = None,
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="FILE.csv", help="Also write the leaderboard as CSV.")
    ] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Set runs side by side, split by split; of runs that are named, also the first against the others."""
    from polydata.files.atomic import check_output
    from polydata.files.tables import refuse_other_table, write_frame
    from polymodel import api
    from polymodel.report import evaluations

    if output is not None:
        check_output(output, (".csv",))
        refuse_other_table(output, ("split", "split_digest"))
    with progress() as bar:
        board = api.compare(names or (), workspace=workspace, progress=bar)
    if output is not None:
        write_frame(output, board.table)
    if as_json:
        print_json({"runs": board.rows, "differences": board.differences, "problems": board.problems})
    else:
        evaluations.show_leaderboard(board.rows, output)
        for pair in board.differences:
            evaluations.show_comparison(pair)
    report_problems(board.problems, "Left out")
    fail_in_part(len(board.problems), "runs or pairs were left out.")
