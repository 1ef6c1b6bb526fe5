"""polymodel evaluate, baselines and report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from polydata.console.options import JsonOption, WorkspaceOption
from polydata.console.output import print_json, print_result
from polymodel.cli import app
from polymodel.cli.options import HumanOption, RatersOption, RunArgument, SplitArgument, progress, usual_output
from polymodel.config import Scoring


@app.command()
def evaluate(
    *,
    run: RunArgument,
    controls: Annotated[
        bool, Option("--controls/--no-controls", help="Also fit the control models, which needs the images.")
    ] = True,
    against: Annotated[str | None, Option(metavar="OTHER", help="Another run: the differences, and how sure.")] = None,
    scoring: Annotated[
        Scoring | None, Option(help="How --against scores both: each model, folds together, or all models together.")
    ] = None,
    across: Annotated[
        str | None,
        Option(metavar="SPLIT", help="Also on the test images of this split, by models that had not seen them."),
    ] = None,
    human: HumanOption = None,
    images: Annotated[
        str | None, Option(metavar="COLUMN", help="The table's column with the images' names or SHA-256.")
    ] = None,
    raters: RatersOption = ["R*"],  # noqa: B006 - typer copies it
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Score a run on its test side, with 95 % intervals over papers, beside Sobel and what sees no micrograph."""
    from polymodel.api import open_run
    from polymodel.report.evaluations import show_evaluation

    with progress() as bar:
        found = open_run(run, workspace).evaluate(
            controls=controls,
            against=against,
            scoring=scoring,
            across=across,
            human=human,
            images=images,
            raters=raters,
            workspace=workspace,
            progress=bar,
        )
    print_json(found.facts) if as_json else show_evaluation(found.facts)


@app.command()
def baselines(
    *,
    split: SplitArgument,
    embeddings: Annotated[
        Path | None, Option(metavar="FILE.parquet", help="Of embed, for the nearest neighbour; else textures.")
    ] = None,
    human: HumanOption = None,
    truth: Annotated[str | None, Option(metavar="COLUMN", help="The table's column with the true answers.")] = None,
    raters: RatersOption = ["R*"],  # noqa: B006 - typer copies it
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Score what needs no trained network: controls that see no picture, Sobel, textures, neighbours, people."""
    from polymodel import api
    from polymodel.report.tables import show_baselines

    with progress() as bar:
        found = api.baselines(
            split, embeddings=embeddings, human=human, truth=truth, raters=raters, workspace=workspace, progress=bar
        )
    print_json(found.facts) if as_json else show_baselines(found.facts)


@app.command()
def report(
    run: Annotated[list[str], Argument(metavar="RUN", help="Names of runs in the workspace, or their folders.")],
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="FILE.html", help="File to write; exports/RUN-report.html.")
    ] = None,
    published: Annotated[
        Path | None, Option(metavar="TABLE", help="Printed results to set beside: model, test_accuracy_pct ...")
    ] = None,
    training_log: Annotated[
        Path | None,
        Option(metavar="TABLE", help="Printed trainings to draw: model, epoch, test_accuracy_pct ..."),
    ] = None,
    series: Annotated[
        list[Path] | None, Option(metavar="TABLE", help="Series to draw, as polymodel series wrote; may be repeated.")
    ] = None,
    trials: Annotated[
        Path | None, Option(metavar="TABLE", help="Trials to draw: trial, metric, value, low, high.")
    ] = None,
    explain: Annotated[
        int, Option(metavar="N", min=0, max=24, help="Explain the N surest mistakes of each run; some 20 s each.")
    ] = 0,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write one self-contained HTML page about one or several runs."""
    from polymodel.api import write_report

    output = output or usual_output(workspace, f"{'-'.join(Path(one).name for one in run)}-report.html")
    with progress() as bar:
        written = write_report(
            run,
            output,
            published=published,
            training_log=training_log,
            series=series or [],
            trials=trials,
            explained=explain,
            workspace=workspace,
            progress=bar,
        )
    size = written.stat().st_size
    said = f"Wrote {written} ({size / 1e6:.1f} MB). Open it in a browser."
    following = f"polymodel predict {run[0]} IMAGES, or polymodel export {run[0]} -o model.onnx"
    print_result(said, as_json, following=following, whole={"output": str(written), "size_bytes": size})
