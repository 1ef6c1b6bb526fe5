"""polydata audit."""

from pathlib import Path
from typing import Annotated

import typer

from polydata.cli import app
from polydata.console.options import JsonOption, WorkspaceOption
from polydata.console.output import next_step, print_json, print_table, stages


@app.command("audit")
def audit_(
    *,
    split: Annotated[
        str | None, typer.Option(metavar="NAME", help="Audit this split; otherwise all images of the workspace.")
    ] = None,
    detector: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Ask only this detector; may be given more than once.")
    ] = None,
    predictions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Predictions for label-noise: Parquet, or a folder of a run.")
    ] = None,
    embeddings: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Embeddings for label-noise: Parquet of polymodel embed.")
    ] = None,
    crops: Annotated[
        bool,
        typer.Option("--crops/--no-crops", help="Look for crops and copies by keypoints, which reads every image."),
    ] = True,
    pixels: Annotated[
        bool, typer.Option("--pixels/--no-pixels", help="Ask the detectors that read every image.")
    ] = True,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Look for what is wrong with images, labels and a split: each finding with its evidence and a fix."""
    from polydata.auditing.run import audit_workspace, finding_rows, read_opinions, report_json
    from polydata.catalogue.session import open_session
    from polydata.workspace import Workspace

    place = Workspace.find(workspace)
    opinions = read_opinions(place.task(), predictions, embeddings)
    with open_session(place, read_only=True) as session, stages() as told:
        report = audit_workspace(
            session, split=split, detectors=detector or (), opinions=opinions, crops=crops, pixels=pixels,
            progress=told,
        )  # fmt: skip
    if as_json:
        print_json(report_json(report, split))
        return
    print_table(finding_rows(report), f"Audit of {split or 'all images'}", empty="Nothing was found.")
    print_table([{"left out": k, "it needs": v} for k, v in report.skipped.items()], empty="Every detector was asked.")
    next_step(f"polydata audit {f'--split {split} ' if split else ''}--json, which lists all evidence")
