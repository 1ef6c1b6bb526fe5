"""The command line of polymodel: train, evaluate, predict, report and look at runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polydata.console.group import ErrorGroup
from polydata.console.options import JsonOption, WorkspaceOption
from polydata.console.output import report_problems
from polydata.errors import PartialFailure
from polymodel.config import DEFAULT_ARCH, IMAGENET, NO_WEIGHTS, DeviceName, RecipeName

if TYPE_CHECKING:
    from polymodel.parts import Advance

app = typer.Typer(
    cls=ErrorGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help needs no rich: a third of the start-up time
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help="Train classifiers of micrographs on a split that polydata built, and judge them honestly.",
)
runs_app = typer.Typer(cls=ErrorGroup, no_args_is_help=True, help="Look at the runs of a workspace.")
app.add_typer(runs_app, name="runs")

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run's name in the workspace, or its folder.")]
DeviceOption = Annotated[DeviceName, typer.Option("--device", help="Where to compute; auto takes the best there is.")]


@app.command()
def train(
    *,
    split: Annotated[
        str, typer.Option("--split", metavar="NAME", help="A split's name in the workspace, or its folder.")
    ],
    arch: Annotated[
        str, typer.Option("--arch", help="efficientnet_lite0, resnet18, vgg16, densenet121, or timm:NAME.")
    ] = DEFAULT_ARCH,
    weights: Annotated[
        str, typer.Option("--weights", metavar="imagenet|none|PATH", help="What the network begins with.")
    ] = IMAGENET,
    recipe: Annotated[RecipeName, typer.Option("--recipe", help="How to fit it.")] = RecipeName.PROBE,
    epochs: Annotated[
        int | None, typer.Option("--epochs", help="At most so many; otherwise the recipe's number.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option("--batch-size", help="Otherwise the recipe's.")] = None,
    learning_rate: Annotated[float | None, typer.Option("--learning-rate", help="Otherwise the recipe's.")] = None,
    image_size: Annotated[
        int | None, typer.Option("--image-size", help="Side in pixels; otherwise the recipe's.")
    ] = None,
    seeds: Annotated[int | None, typer.Option("--seeds", metavar="N", help="Train with the seeds 0 to N-1.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="S", help="Train with this seed; 0 by default.")] = None,
    device: DeviceOption = DeviceName.AUTO,
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the run; made of split and settings by default.")
    ] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Train a model on a split, fold by fold and seed by seed; run again, it goes on where it was broken off."""
    from polydata.workspace import Workspace
    from polymodel import console, data
    from polymodel.config import TrainConfig, adjusted, seeds_from
    from polymodel.weights import weights_sha256

    plan = adjusted(recipe, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, image_size=image_size)
    if weights not in (IMAGENET, NO_WEIGHTS):
        weights = str(Path(weights).resolve())
    config = TrainConfig(arch, weights, weights_sha256(weights), plan, seeds_from(seeds, seed))
    chosen = data.open_split(split, workspace)
    from polymodel.train import train as train_run

    with _progress() as advance:
        trained = train_run(
            chosen,
            config,
            Workspace.find(workspace).runs,
            name=name,
            device=device,
            command=_command(),
            advance=advance,
        )
    _print(console.trained_json(trained)) if as_json else console.show_trained(trained)


@app.command()
def evaluate(
    run: RunArgument,
    controls: Annotated[
        bool, typer.Option("--controls/--no-controls", help="Also fit the control models, which needs the images.")
    ] = True,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Score a run on its test side, with 95 % intervals over papers, beside models that see no micrograph."""
    from polymodel import console, runs
    from polymodel.evaluate import evaluate as evaluate_run

    chosen = runs.open_run(run, workspace)
    with _progress() as advance:
        result = evaluate_run(chosen, controls, advance)
    _print(result) if as_json else console.show_evaluation(chosen, result)


@app.command()
def predict(
    *,
    run: RunArgument,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE", help="Image files, and folders of them.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write a .csv, .json or .parquet file.")
    ] = None,
    device: DeviceOption = DeviceName.AUTO,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Predict the labels of images; the parts of a run (folds, seeds) answer together."""
    from polymodel import console, runs
    from polymodel.predict import check_output, write_predictions
    from polymodel.predict import predict as predict_images

    chosen = runs.open_run(run, workspace)
    if output is not None:
        check_output(output)
    with _progress() as advance:
        found = predict_images(chosen, images, device, advance)
    if output is not None:
        write_predictions(output, found)
    _print(console.predictions_json(found)) if as_json else console.show_predictions(found, output)
    report_problems((f"{path}: {reason}" for path, reason in found.failed), "Failed")
    if found.failed:
        raise PartialFailure(f"{len(found.failed)} of {len(found.failed) + len(found.done)} images could not be read.")


@app.command()
def report(
    run: Annotated[list[str], typer.Argument(metavar="RUN", help="Names of runs in the workspace, or their folders.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.html", help="The file to write.")],
    workspace: WorkspaceOption = None,
) -> None:
    """Write one self-contained HTML page about one or several runs."""
    from polymodel import runs
    from polymodel.report import write_report

    chosen = [runs.open_run(name, workspace) for name in run]
    with _progress() as advance:
        written = write_report(chosen, output, advance)
    typer.echo(f"Wrote {written} ({written.stat().st_size / 1e6:.1f} MB). Open it in a browser.")


@runs_app.command("list")
def runs_list(as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """List the runs of the workspace."""
    from polymodel import console, runs

    readable, problems = runs.list_runs(workspace)
    found = [console.run_row(run) for run in readable]
    _print(found) if as_json else console.show_runs(found)
    report_problems(problems, "Unreadable")
    if problems:
        raise PartialFailure(f"{len(problems)} runs cannot be read.", "Each is named above.")


@runs_app.command("show")
def runs_show(run: RunArgument, as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Show what a run is: its split, settings, parts and where it was computed."""
    from polymodel import console, runs

    chosen = runs.open_run(run, workspace)
    _print(console.run_json(chosen)) if as_json else console.show_run(chosen)


def _command() -> list[str]:
    """The words to type to go on with this call."""
    import shlex

    return ["polymodel", *(shlex.quote(word) for word in sys.argv[1:])]


def _print(data: Any) -> None:
    typer.echo(json.dumps(data, indent=2, ensure_ascii=False))


@contextmanager
def _progress() -> Iterator[Advance]:
    """A progress bar on standard error, silent where that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda what, done, count: bar.update(task, description=what, completed=done, total=count)
