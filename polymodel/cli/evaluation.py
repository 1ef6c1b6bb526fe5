"""polymodel evaluate, baselines and report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from polydata.console.options import JsonOption, WorkspaceOption
from polydata.console.output import print_json, say
from polydata.errors import UsageError
from polymodel.cli import app
from polymodel.cli.options import HumanOption, RatersOption, RunArgument, SplitOption, progress


@app.command()
def evaluate(
    *,
    run: RunArgument,
    controls: Annotated[
        bool, typer.Option("--controls/--no-controls", help="Also fit the control models, which needs the images.")
    ] = True,
    against: Annotated[
        str | None, typer.Option("--against", metavar="OTHER", help="Another run: the differences, and how sure.")
    ] = None,
    across: Annotated[
        str | None,
        typer.Option(
            "--across", metavar="SPLIT", help="Also on the test images of this split, by models that had not seen them."
        ),
    ] = None,
    human: HumanOption = None,
    images: Annotated[
        str | None,
        typer.Option("--images", metavar="COLUMN", help="The table's column with the images' names or SHA-256."),
    ] = None,
    raters: RatersOption = ["R*"],  # noqa: B006 - typer copies it
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Score a run on its test side, with 95 % intervals over papers, beside models that see no micrograph."""
    from polydata.workspace import task_for
    from polymodel.data import split as data
    from polymodel.evaluation.across import across as evaluate_across
    from polymodel.evaluation.compare import compare_pair
    from polymodel.evaluation.evaluate import evaluate as evaluate_run
    from polymodel.evaluation.people import HumanTable
    from polymodel.report.tables import show_evaluation
    from polymodel.runs import run as runs

    if (human is None) != (images is None) or (human is not None and across is None):
        raise UsageError("--human, --images and --across go together.", "--images names the table's column of images.")
    chosen = runs.open_run(run, workspace)
    votes, beside = None, {}
    if human and images:
        votes = HumanTable(human, raters, chosen.classes, chosen.positive, task_for(workspace)).votes(images)
    if against:
        beside["against"] = compare_pair(chosen, runs.open_run(against, workspace))
    if across:
        beside["across"] = evaluate_across(chosen, data.load_split(across, workspace), votes)
    with progress() as advance:
        result = evaluate_run(chosen, controls, advance) | beside
    print_json(result) if as_json else show_evaluation(result)


@app.command()
def baselines(
    *,
    split: SplitOption,
    embeddings: Annotated[
        Path | None,
        typer.Option(
            "--embeddings", metavar="FILE.parquet", help="Of embed, for the nearest neighbour; else textures."
        ),
    ] = None,
    human: HumanOption = None,
    truth: Annotated[
        str | None, typer.Option("--truth", metavar="COLUMN", help="The table's column with the true answers.")
    ] = None,
    raters: RatersOption = ["R*"],  # noqa: B006 - typer copies it
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Score what needs no trained network: controls that see no picture, Sobel, textures, neighbours, people."""
    from polydata.workspace import Workspace, task_for
    from polymodel.data import split as data
    from polymodel.evaluation.baselines import run_baselines
    from polymodel.evaluation.people import HumanTable
    from polymodel.report.tables import show_baselines

    if (human is None) != (truth is None):
        raise UsageError("--human and --truth go together.", "Name the table and its column with the true answers.")
    chosen = data.load_split(split, workspace)
    data.check_images(chosen)
    answered = None
    if human and truth:
        answered = HumanTable(human, raters, chosen.classes, chosen.positive, task_for(workspace)).scores(truth)
    with progress() as advance:
        found = run_baselines(chosen, Workspace.find(workspace).runs, embeddings, answered, advance)
    print_json(found) if as_json else show_baselines(found)


@app.command()
def report(
    run: Annotated[list[str], typer.Argument(metavar="RUN", help="Names of runs in the workspace, or their folders.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.html", help="The file to write.")],
    published: Annotated[
        Path | None,
        typer.Option(
            "--published", metavar="TABLE", help="Printed results to set beside: model, test_accuracy_pct ..."
        ),
    ] = None,
    training_log: Annotated[
        Path | None,
        typer.Option(
            "--training-log", metavar="TABLE", help="Printed trainings to draw: model, epoch, test_accuracy_pct ..."
        ),
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Write one self-contained HTML page about one or several runs."""
    from polymodel.report.report import write_report
    from polymodel.runs import run as runs

    chosen = [runs.open_run(name, workspace) for name in run]
    with progress() as advance:
        written = write_report(chosen, output, advance, published, training_log)
    say(f"Wrote {written} ({written.stat().st_size / 1e6:.1f} MB). Open it in a browser.")
