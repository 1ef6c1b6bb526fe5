"""polymodel train, pretrain, curve and embed."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Annotated

from typer import Argument, Option, echo

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
from polymodel.config import (
    DeviceName,
    Precision,
    TrackerName,
    TrainConfig,
    read_search,
    seeds_from,
    train_config,
)
from polymodel.recipes import DEFAULT_ARCH, IMAGENET, Balance, Finetune, Probe, RecipeName, Schedule, method_named

PASSED_ON = ("name", "device", "devices", "precision", "compiled", "tracker", "checkpoint_seconds", "workspace")
"""Options of ``train`` that ``fit`` takes under the same names."""


@app.command()
def train(
    *,
    split: SplitArgument,
    arch: ArchOption = DEFAULT_ARCH,
    weights: WeightsOption = IMAGENET,
    mean: MeanOption = None,
    std: StdOption = None,
    recipe: Annotated[
        str | None,
        Option(metavar="NAME|FILE.toml", help=f"How to fit it: {', '.join(RecipeName)}, or a file of your own; probe."),
    ] = None,
    search: Annotated[
        Path | None,
        Option(metavar="FILE.toml", help="Settings among which papers held back within each training side choose."),
    ] = None,
    dry_run: Annotated[
        bool, Option("--dry-run", help="Only say how many trainings it is, and about how long.")
    ] = False,
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
    base = RecipeName.PROBE if search is None else read_search(search)[0]
    method, every = method_named(recipe or base, **settings), seeds_from(seeds, seed)
    if dry_run or search is not None:
        _say_cost(split, train_config(method, every), device, workspace, as_json=as_json, dry_run=dry_run)
    if dry_run:
        return
    with progress() as bar:
        told = {key: given[key] for key in PASSED_ON}
        trained = fit(split, method, seeds=every, **told, command=command_words(), progress=bar).trained
    if trained is not None:
        print_json(tables.trained_json(trained)) if as_json else tables.show_trained(trained)


def _say_cost(
    split: str, config: TrainConfig, device: DeviceName, workspace: Path | None, *, as_json: bool, dry_run: bool
) -> None:
    """Say what a training is about to do; as JSON where that is all, otherwise for people, beside other JSON."""
    from polymodel.data.split import load_split
    from polymodel.training.cost import cost

    found = cost(load_split(split, workspace), config, device)
    if as_json and dry_run:
        print_json(vars(found))
    else:
        echo(found.words, err=as_json)


@app.command()
def pretrain(
    *,
    images: Annotated[
        list[Path] | None,
        Argument(
            metavar="[IMAGE]", help="Files, folders, workspaces, exported panels; exports/panels of the workspace."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        Option("--output", "-o", metavar="FILE", help="A .safetensors file; exports/pretrained.safetensors."),
    ] = None,
    split: Annotated[str | None, Option(metavar="SPLIT", help="Show no image and no paper of its test sides.")] = None,
    arch: ArchOption = DEFAULT_ARCH,
    weights: WeightsOption = IMAGENET,
    image_size: Annotated[int, Option(help="Side of a view in pixels.")] = 160,
    epochs: Annotated[int, Option(help="How often every picture is shown, in two views.")] = 20,
    batch_size: Annotated[int, Option(help="Pictures of a batch.")] = 64,
    learning_rate: Annotated[float, Option(help="At its highest.")] = 3e-4,
    whole: Annotated[
        bool, Option("--whole", help="Train all of the network, not only what comes after its last stage but one.")
    ] = False,
    seed: Annotated[int, Option(metavar="S", help="Of everything random.")] = 0,
    device: DeviceOption = DeviceName.AUTO,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Pretrain a network on a workspace's own micrographs, without labels; run again, it goes on."""
    from polymodel.report import tables
    from polymodel.training import pretraining

    given = locals()
    output = output or usual_output(workspace, "pretrained.safetensors")
    settings = {field.name: given[field.name] for field in fields(pretraining.Pretraining)}
    method = pretraining.Pretraining(**settings)
    with progress() as bar:
        done = pretraining.pretrain(
            images or [], output, method, split=split, device=device, workspace=workspace, progress=bar
        )
    print_json(tables.pretrained_json(done)) if as_json else tables.show_pretrained(done, split)
    report_failed(done.failed, len(done.record.images))


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
    from polymodel.config import Hardware
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
    from polymodel.prediction.embed import embed as embed_images
    from polymodel.report import tables

    config = train_config(Probe(arch=arch, weights=weights, mean=mean, std=std))
    output = output or usual_output(workspace, f"{Path(split).name}-features.parquet")
    with progress() as bar:
        done = embed_images(split, output, config, device=device, workspace=workspace, progress=bar)
    print_json(tables.embedded_json(done)) if as_json else tables.show_embedded(done)
    report_failed(done.failed, done.images)
