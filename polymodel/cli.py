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
from polydata.errors import PartialFailure, UsageError
from polymodel.config import DEFAULT_ARCH, IMAGENET, DeviceName, Precision, TrackerName
from polymodel.recipes import Balance, RecipeName, Schedule

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
ArchOption = Annotated[
    str, typer.Option("--arch", help="efficientnet_lite0 to 2, resnet18, vgg16, densenet121, or timm:NAME.")
]
WeightsOption = Annotated[
    str, typer.Option("--weights", metavar="imagenet|none|PATH", help="What the network begins with.")
]
MeanOption = Annotated[
    str | None,
    typer.Option("--mean", metavar="M[,M,M]", help="Of the input that the weights expect, for grey from 0 to 1."),
]
StdOption = Annotated[str | None, typer.Option("--std", metavar="S[,S,S]", help="Like --mean, the sd per channel.")]
DeviceOption = Annotated[DeviceName, typer.Option("--device", help="Where to compute; auto takes the best there is.")]


@app.command()
def train(
    *,
    split: Annotated[
        str, typer.Option("--split", metavar="NAME", help="A split's name in the workspace, or its folder.")
    ],
    arch: ArchOption = DEFAULT_ARCH,
    weights: WeightsOption = IMAGENET,
    mean: MeanOption = None,
    std: StdOption = None,
    recipe: Annotated[RecipeName, typer.Option("--recipe", help="How to fit it.")] = RecipeName.PROBE,
    epochs: Annotated[
        int | None, typer.Option("--epochs", help="At most so many; otherwise the recipe's number.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option("--batch-size", help="Otherwise the recipe's.")] = None,
    learning_rate: Annotated[float | None, typer.Option("--learning-rate", help="Otherwise the recipe's.")] = None,
    image_size: Annotated[
        int | None, typer.Option("--image-size", help="Side in pixels; otherwise the recipe's.")
    ] = None,
    balance: Annotated[
        Balance | None, typer.Option("--balance", help="What is done about classes of unequal size.")
    ] = None,
    schedule: Annotated[
        Schedule | None, typer.Option("--schedule", help="Of the learning rate after the warm-up.")
    ] = None,
    warm_up: Annotated[
        float | None, typer.Option("--warm-up", metavar="EPOCHS", help="The learning rate rises over so many.")
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option("--patience", help="Stop after so many epochs without a lower validation loss; 0 never stops."),
    ] = None,
    frozen_norm: Annotated[
        bool | None,
        typer.Option("--frozen-norm/--trained-norm", help="Batch norm keeps its statistics, or learns."),
    ] = None,
    transforms: Annotated[
        str | None,
        typer.Option("--transforms", metavar="MODULE:NAME", help="Your own: NAME(size) gives a random transform."),
    ] = None,
    seeds: Annotated[int | None, typer.Option("--seeds", metavar="N", help="Train with the seeds 0 to N-1.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="S", help="Train with this seed; 0 by default.")] = None,
    device: DeviceOption = DeviceName.AUTO,
    devices: Annotated[
        int, typer.Option("--devices", metavar="N", help="Processes that share each batch, one a device.")
    ] = 1,
    precision: Annotated[
        Precision, typer.Option("--precision", help="Of the arithmetic in training; results are always fp32.")
    ] = Precision.FP32,
    compiled: Annotated[
        bool, typer.Option("--compile/--no-compile", help="Train through torch.compile: a slow start, fast epochs.")
    ] = False,
    tracker: Annotated[
        TrackerName, typer.Option("--track", help="Who is told of every epoch, beside metrics.csv.")
    ] = TrackerName.TENSORBOARD,
    checkpoint_seconds: Annotated[
        float, typer.Option("--checkpoint-seconds", help="At least so long between two checkpoints.")
    ] = 30.0,
    name: Annotated[
        str | None, typer.Option("--name", help="Name of the run; made of split and settings by default.")
    ] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Train a model on a split, fold by fold and seed by seed; run again, it goes on where it was broken off."""
    from polydata.workspace import Workspace
    from polymodel import console, data
    from polymodel.config import Hardware, adjusted, seeds_from, train_config

    plan = adjusted(
        recipe,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        image_size=image_size,
        balance=balance,
        schedule=schedule,
        warm_up=warm_up,
        patience=patience,
        frozen_norm=frozen_norm,
    )
    config = train_config(arch, weights, plan, seeds_from(seeds, seed), mean=mean, std=std, transforms=transforms)
    chosen = data.open_split(split, workspace)
    from polymodel.train import train as train_run

    with _progress() as advance:
        trained = train_run(
            chosen,
            config,
            Workspace.find(workspace).runs,
            name=name,
            hardware=Hardware(device, devices, precision, compiled),
            tracker=tracker,
            checkpoint_seconds=checkpoint_seconds,
            command=_command(),
            advance=advance,
        )
    if trained is not None:
        _print(console.trained_json(trained)) if as_json else console.show_trained(trained)


@app.command()
def embed(
    *,
    split: Annotated[str, typer.Option("--split", metavar="NAME|FOLDER", help="A split, or a folder of image files.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.parquet", help="The file to write.")],
    arch: ArchOption = DEFAULT_ARCH,
    weights: WeightsOption = IMAGENET,
    mean: MeanOption = None,
    std: StdOption = None,
    device: DeviceOption = DeviceName.AUTO,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write features of images as a table: their SHA-256, and mean and sd of every channel of the last two stages."""
    from polymodel import console
    from polymodel.config import adjusted, train_config
    from polymodel.embed import embed as embed_images

    config = train_config(arch, weights, adjusted(RecipeName.PROBE), (0,), mean=mean, std=std)
    with _progress() as advance:
        done = embed_images(split, output, config, device=device, workspace=workspace, advance=advance)
    _print(console.embedded_json(done)) if as_json else console.show_embedded(done)
    report_problems((f"{path}: {reason}" for path, reason in done.failed), "Failed")
    if done.failed:
        raise PartialFailure(f"{len(done.failed)} of {len(done.failed) + done.images} images could not be read.")


@app.command()
def evaluate(
    run: RunArgument,
    controls: Annotated[
        bool, typer.Option("--controls/--no-controls", help="Also fit the control models, which needs the images.")
    ] = True,
    against: Annotated[
        str | None, typer.Option("--against", metavar="OTHER", help="Another run: the differences, and how sure.")
    ] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Score a run on its test side, with 95 % intervals over papers, beside models that see no micrograph."""
    from polymodel import console, console_tables, runs
    from polymodel.evaluate import compare
    from polymodel.evaluate import evaluate as evaluate_run

    chosen = runs.open_run(run, workspace)
    compared = compare(chosen, runs.open_run(against, workspace)) if against else None
    with _progress() as advance:
        result = evaluate_run(chosen, controls, advance)
    if as_json:
        _print(result | ({"against": compared} if compared else {}))
        return
    console.show_evaluation(chosen, result)
    console_tables.show_extras(result)
    if compared:
        console_tables.show_comparison(compared)


@app.command()
def baselines(
    *,
    split: Annotated[
        str, typer.Option("--split", metavar="NAME", help="A split's name in the workspace, or its folder.")
    ],
    embeddings: Annotated[
        Path | None,
        typer.Option(
            "--embeddings", metavar="FILE.parquet", help="Of embed, for the nearest neighbour; else textures."
        ),
    ] = None,
    human: Annotated[
        Path | None, typer.Option("--human", metavar="TABLE", help="What people answered: a row an image.")
    ] = None,
    truth: Annotated[
        str | None, typer.Option("--truth", metavar="COLUMN", help="The table's column with the true answers.")
    ] = None,
    raters: Annotated[
        list[str], typer.Option("--raters", metavar="PATTERN", help="The table's columns of people; may be repeated.")
    ] = ["R*"],  # noqa: B006 - typer copies it
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Score what needs no trained network: controls that see no picture, Sobel, textures, neighbours, people."""
    from polydata.workspace import Workspace
    from polymodel import console_tables, data
    from polymodel.baselines import run_baselines
    from polymodel.people import people

    if (human is None) != (truth is None):
        raise UsageError("--human and --truth go together.", "Name the table and its column with the true answers.")
    chosen = data.open_split(split, workspace)
    data.check_images(chosen)
    answered = people(human, truth, raters, chosen.positive) if human and truth else None
    with _progress() as advance:
        found = run_baselines(chosen, Workspace.find(workspace).runs, embeddings, answered, advance)
    _print(found) if as_json else console_tables.show_baselines(found)


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
    published: Annotated[
        Path | None,
        typer.Option(
            "--published", metavar="TABLE", help="Printed results to set beside: model, test_accuracy_pct ..."
        ),
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Write one self-contained HTML page about one or several runs."""
    from polymodel import runs
    from polymodel.report import write_report

    chosen = [runs.open_run(name, workspace) for name in run]
    with _progress() as advance:
        written = write_report(chosen, output, advance, published)
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
