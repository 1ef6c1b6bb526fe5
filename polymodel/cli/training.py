"""polymodel train and embed."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from polydata.console.options import JsonOption, WorkspaceOption
from polydata.console.output import print_json
from polymodel.cli import app
from polymodel.cli.options import (
    ArchOption,
    DeviceOption,
    MeanOption,
    SplitArgument,
    StdOption,
    WeightsOption,
    command_words,
    progress,
    report_failed,
    usual_output,
)
from polymodel.config import DeviceName, Precision, TrackerName, seeds_from
from polymodel.recipes import DEFAULT_ARCH, IMAGENET, Balance, Finetune, Probe, RecipeName, Schedule, method_named


@app.command()
def train(
    *,
    split: SplitArgument,
    arch: ArchOption = DEFAULT_ARCH,
    weights: WeightsOption = IMAGENET,
    mean: MeanOption = None,
    std: StdOption = None,
    recipe: Annotated[
        str, Option(metavar="NAME|FILE.toml", help=f"How to fit it: {', '.join(RecipeName)}, or a file of your own.")
    ] = RecipeName.PROBE.value,
    epochs: Annotated[int | None, Option(help="At most so many; otherwise the recipe's number.")] = None,
    batch_size: Annotated[int | None, Option(help="Otherwise the recipe's.")] = None,
    learning_rate: Annotated[float | None, Option(help="Otherwise the recipe's.")] = None,
    image_size: Annotated[int | None, Option(help="Side in pixels; otherwise the recipe's.")] = None,
    balance: Annotated[Balance | None, Option(help="What is done about classes of unequal size.")] = None,
    schedule: Annotated[Schedule | None, Option(help="Of the learning rate after the warm-up.")] = None,
    warm_up: Annotated[float | None, Option(metavar="EPOCHS", help="The learning rate rises over so many.")] = None,
    patience: Annotated[
        int | None, Option(help="Stop after so many epochs without a lower validation loss; 0 never stops.")
    ] = None,
    frozen_norm: Annotated[
        bool | None, Option("--frozen-norm/--trained-norm", help="Batch norm keeps its statistics, or learns.")
    ] = None,
    transforms: Annotated[
        str | None, Option(metavar="MODULE:NAME", help="Your own: NAME(size) gives a random transform.")
    ] = None,
    seeds: Annotated[int | None, Option(metavar="N", help="Train with the seeds 0 to N-1.")] = None,
    seed: Annotated[int | None, Option(metavar="S", help="Train with this seed; 0 by default.")] = None,
    device: DeviceOption = DeviceName.AUTO,
    devices: Annotated[int, Option(metavar="N", help="Processes that share each batch, one a device.")] = 1,
    precision: Annotated[
        Precision, Option(help="Of the arithmetic in training; results are always fp32.")
    ] = Precision.FP32,
    compiled: Annotated[
        bool, Option("--compile/--no-compile", help="Train through torch.compile: a slow start, fast epochs.")
    ] = False,
    tracker: Annotated[
        TrackerName, Option("--track", help="Who is told of every epoch, beside metrics.csv.")
    ] = TrackerName.TENSORBOARD,
    checkpoint_seconds: Annotated[float, Option(help="At least so long between two checkpoints.")] = 30.0,
    name: Annotated[str | None, Option(help="Name of the run; made of split and settings by default.")] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Train a model on a split, fold by fold and seed by seed; run again, it goes on where it was broken off."""
    given = locals()
    from polymodel.api import fit
    from polymodel.report import tables

    settings = {field.name: given[field.name] for field in fields(Finetune) if field.name != "recipe"}
    with progress() as bar:
        trained = fit(
            split,
            method_named(recipe, **settings),
            seeds=seeds_from(seeds, seed),
            name=name,
            device=device,
            devices=devices,
            precision=precision,
            compiled=compiled,
            tracker=tracker,
            checkpoint_seconds=checkpoint_seconds,
            workspace=workspace,
            command=command_words(),
            progress=bar,
        ).trained
    if trained is not None:
        print_json(tables.trained_json(trained)) if as_json else tables.show_trained(trained)


@app.command()
def curve(
    *,
    split: SplitArgument,
    arch: ArchOption = DEFAULT_ARCH,
    weights: WeightsOption = IMAGENET,
    recipe: Annotated[
        str, Option(metavar="NAME|FILE.toml", help=f"How to fit it: {', '.join(RecipeName)}, or a file of your own.")
    ] = RecipeName.PROBE.value,
    points: Annotated[int, Option(help="At most so many numbers of papers, up to all of them.")] = 5,
    draws: Annotated[int, Option(help="How often papers are drawn anew for each number.")] = 3,
    image_size: Annotated[int | None, Option(help="Side in pixels; otherwise the recipe's.")] = None,
    device: DeviceOption = DeviceName.AUTO,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Train on fewer and more papers, to see whether more of them would help; run again, it goes on."""
    from polymodel.config import Hardware, train_config
    from polymodel.curves.curve import curve as measure
    from polymodel.data.split import load_split
    from polymodel.report import evaluations

    config = train_config(method_named(recipe, arch=arch, weights=weights, image_size=image_size))
    opened, place = load_split(split, workspace), Hardware(device)
    with progress() as bar:
        made = measure(opened, config, points=points, draws=draws, hardware=place, workspace=workspace, progress=bar)
    print_json(vars(made)) if as_json else evaluations.show_curve(made)


@app.command()
def embed(
    *,
    split: Annotated[str, Argument(metavar="SPLIT|DIR", help="A split, or a folder of image files.")],
    output: Annotated[
        Path | None,
        Option("--output", "-o", metavar="FILE.parquet", help="File to write; exports/SPLIT-features.parquet."),
    ] = None,
    arch: ArchOption = DEFAULT_ARCH,
    weights: WeightsOption = IMAGENET,
    mean: MeanOption = None,
    std: StdOption = None,
    device: DeviceOption = DeviceName.AUTO,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write features of images as a table: their SHA-256, and mean and sd of every channel of the last two stages."""
    from polymodel.config import train_config
    from polymodel.prediction.embed import embed as embed_images
    from polymodel.report import tables

    config = train_config(Probe(arch=arch, weights=weights, mean=mean, std=std))
    output = output or usual_output(workspace, f"{Path(split).name}-features.parquet")
    with progress() as bar:
        done = embed_images(split, output, config, device=device, workspace=workspace, progress=bar)
    print_json(tables.embedded_json(done)) if as_json else tables.show_embedded(done)
    report_failed(done.failed, done.images)
