"""The recipes that train by gradient descent: ``lp-ft``, ``finetune``, ``paper`` and ``paper-code``."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.precision.amp import MixedPrecision
from numpy.typing import NDArray
from timm.layers.norm_act import convert_sync_batchnorm
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from polydata.errors import InputError
from polymodel.config import Hardware
from polymodel.data.split import VALIDATION_PARTS, group_folds
from polymodel.data.views import Transform
from polymodel.networks.devices import threads
from polymodel.networks.linear import balanced_weights, coordinates, image_weights
from polymodel.networks.network import Network
from polymodel.networks.solver import Problem
from polymodel.recipes import Balance
from polymodel.runs.parts import PartJob, PartResult
from polymodel.runs.run import CHECKPOINT
from polymodel.training import checkpoints
from polymodel.training.batches import PASS_COUNT, Choice, Maps, Pixels, Source
from polymodel.training.checkpoints import Keeper, Loop
from polymodel.training.optimisation import average, averaged, make_optimiser, mixing, rate_at, set_rate
from polymodel.training.tracking import Tracker


@dataclass(frozen=True)
class LoopSettings:
    """How a loop is run, beside what the recipe says.

    Attributes:
        transform, transform_key: makes random views; names it in the cache.
        cache: folder of cached maps.
        part_folder: where the part is being made; checkpoints lie there.
        fabric: the processes that train together, their device and precision.
    """

    hardware: Hardware
    transform: Transform
    transform_key: str
    cache: Path
    part_folder: Path
    checkpoint_seconds: float
    fabric: Fabric
    tracker: Tracker


@dataclass(frozen=True)
class Shown:
    """What a loop learns from.

    Attributes:
        kept: places of the images to learn from among those of the partition.
        labels: (n,) class indices of all images of the partition.
        truth: (n,) what is to be answered: class indices, or numbers shifted by ``mean`` and scaled by ``sd``, which
            the images to learn from give.
        weights: (n,) what each image weighs in the loss.
    """

    kept: NDArray[np.int64]
    labels: Tensor
    truth: Tensor
    weights: Tensor
    mean: float
    sd: float

    def at(self, places: NDArray[np.int64]) -> Shown:
        """What is known of some of the images alone."""
        return replace(self, kept=places, truth=self.truth[places], weights=self.weights[places])


def train_loop(job: PartJob, network: Network, settings: LoopSettings) -> PartResult | None:
    """Train a network; with patience, the epoch with the lowest loss on validation papers is kept.

    Validation papers are the split's validation side, or where it has none a part of the training side. The test side
    never chooses anything. Only where a recipe stops early nowhere its loss and accuracy are noted after each epoch,
    for the curve that the seed article shows.

    Returns:
        The result; None in all processes of a team but the first.

    Raises:
        InputError: if an image cannot be read, the papers do not allow a validation part, or a loss is not finite.
        UsageError: if the network has no last block that could be trained by itself, and the recipe wants one.
    """
    recipe, fabric = job.recipe, settings.fabric
    labels = torch.from_numpy(job.targets())
    kept, held_back = _parts(job, labels.numpy())
    shown = _shown(job, labels, kept)
    network.module.to(job.device)
    if job.device == "cuda":
        network.module.to(memory_format=torch.channels_last)  # what its kernels like
    start_digest = network.backbone_digest()
    if fabric.world_size > 1 and job.device == "cuda":  # torch's knows no other device
        network.module = convert_sync_batchnorm(network.module)  # type: ignore[no-untyped-call]
    source = _source(job, network, settings)
    if isinstance(source, Maps) and recipe.linear_start:
        _start_head(job, source, shown)
    loop = _new_loop(job, network, settings)
    keeper = Keeper(settings.part_folder if fabric.is_global_zero else None, settings.checkpoint_seconds)
    checkpoint = settings.part_folder / CHECKPOINT
    if fabric.broadcast(checkpoint.is_file()):
        checkpoints.load(checkpoint, loop)
    seconds_before = sum(float(row["seconds"] or 0) for row in loop.history)
    learn = _learner(job, loop, source, settings, shown)
    watched = [("val", held_back)] if len(held_back) else []
    if recipe.patience is None:
        watched.append(("test", job.places("test")))
    with threads(1) if recipe.tail_only and job.device == "cpu" else nullcontext():
        while loop.epoch < min(recipe.epochs, loop.best_epoch + (recipe.patience or recipe.epochs)):
            _epoch(job, loop, shown, source, learn)
            if fabric.is_global_zero:
                with averaged(network.module, loop.average):
                    for side, places in watched:
                        _look(job, loop, side, source, shown.at(places))
            loop.history[-1], loop.best_loss, loop.best_epoch = fabric.broadcast(
                (loop.history[-1], loop.best_loss, loop.best_epoch)
            )
            _check_finite(loop)
            settings.tracker(loop.history[-1])
            keeper.after_epoch(loop)
    if not fabric.is_global_zero:
        return None
    if recipe.patience is not None:
        network.module.load_state_dict(loop.best_state)
    elif loop.average:
        network.module.load_state_dict(loop.average)
    job.kind.into_units(network, shown.mean, shown.sd)
    return PartResult(
        tensors=network.module.state_dict(),
        logits=source.logits(range(len(job.items))).numpy(),
        history=loop.history,
        facts={
            "epochs": loop.epoch,
            "kept_epoch": loop.best_epoch if recipe.patience is not None else loop.epoch,
            "validation_images": len(held_back),
            "validation_groups": sorted({job.items[k].group for k in held_back}),
            "start_digest": start_digest,
            "processes": fabric.world_size,
            "precision": settings.hardware.precision.value,
        },
        seconds_before=seconds_before,
    )


def _source(job: PartJob, network: Network, settings: LoopSettings) -> Source:
    if not job.recipe.tail_only:
        return Pixels(job, network, settings.transform, settings.fabric.world_size)
    network.module.eval()
    with settings.fabric.rank_zero_first():  # the others wait, and find every map there
        return Maps(settings.cache, job, network, settings.transform, settings.transform_key)


def _parts(job: PartJob, labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of the items to learn from, and of those held back for early stopping.

    A split's own validation side is taken as it is. Else a part of the training side is held back, the first that has
    every label and leaves every label to be learned: where one label alone is watched, the epoch that is kept is the
    one that most often names it, and the balanced loss of a label that was never shown has no value.

    Raises:
        InputError: where no part does, or the split's own validation side lacks a label.
    """
    train, val = job.places("train"), job.places("val")
    if job.recipe.patience is None:
        return train, val
    every = np.unique(labels[train])
    if len(val):
        if not np.isin(every, labels[val]).all():
            raise InputError(
                "The split's validation side lacks a label, so it cannot tell when to stop.",
                "Build a split with a larger --val-fraction, or train all epochs: --patience 0.",
            )
        return train, val
    labels = labels[train]
    groups = [item.group for item in job.fold.train]
    for kept, held_back in group_folds(labels, groups, VALIDATION_PARTS, job.seed):
        if np.array_equal(np.unique(labels[kept]), every) and np.array_equal(np.unique(labels[held_back]), every):
            return kept, held_back
    raise InputError(
        "No part of the training groups can be held back for validation so that both it and the rest have every label.",
        "Build a split with more papers of each label, train all epochs with --patience 0, or take --recipe probe.",
    )


def _shown(job: PartJob, labels: Tensor, kept: NDArray[np.int64]) -> Shown:
    truth, weights = job.truth(), torch.ones(len(labels))
    mean, sd = job.kind.standard(truth[kept])
    if (mean, sd) != (0.0, 1.0):
        truth = ((truth - mean) / sd).astype(np.float32)
    if job.balance == Balance.WEIGHTS:
        balanced = balanced_weights(labels.numpy()[kept], len(job.classes))
        weights = torch.tensor(balanced, dtype=torch.float32)[labels]
    return Shown(kept, labels, torch.from_numpy(truth), weights, mean, sd)


def _start_head(job: PartJob, source: Maps, shown: Shown) -> None:
    """Fill the head with a probe of what the frozen network gives it."""
    job.progress("linear start", 0, 1)
    kept, classes = shown.kept, len(job.classes)
    groups, labels = [job.items[k].group for k in kept], shown.labels.numpy()[kept]
    weights = image_weights(labels, classes, groups, balanced=job.balance != Balance.NONE)
    place = coordinates(source.head_inputs(kept.tolist()))
    problem = Problem(job.recipe.inverse_regularisation, weights)
    head = place.head(*job.kind.fit(place.values, shown.truth.numpy()[kept], classes, [problem])[0])
    layer = source.network.head_layer()
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(head.weight))
        layer.bias.copy_(torch.from_numpy(head.bias))


def _new_loop(job: PartJob, network: Network, settings: LoopSettings) -> Loop:
    optimiser = make_optimiser(network, job.recipe)
    precision = settings.fabric.strategy.precision
    if isinstance(precision, MixedPrecision) and precision.scaler is not None:
        precision.scaler = torch.amp.GradScaler(precision.device)  # no part goes on with the scale of the one before
    return Loop(network, optimiser, settings.fabric)


Learn = Callable[[Tensor, Tensor], Tensor]
"""Learns from one batch: (this process's inputs, places of the whole batch) -> (loss x images, sum of the measure)."""


def _learner(job: PartJob, loop: Loop, source: Source, settings: LoopSettings, shown: Shown) -> Learn:
    fabric, kind, recipe = settings.fabric, job.kind, job.recipe
    module: Any = torch.compile(source.module) if settings.hardware.compiled else source.module
    module, optimiser = fabric.setup(module, loop.optimiser)

    def learn(inputs: Tensor, places: Tensor) -> Tensor:
        # Where there are fewer images than processes, one is shown again and counts nothing.
        is_counted = fabric.global_rank < len(places)
        own = places[fabric.global_rank if is_counted else 0 :: fabric.world_size][: len(inputs)]
        given, weights = shown.truth[own].to(inputs.device), shown.weights[own].to(inputs.device)
        whole = float(shown.weights[places].sum())
        optimiser.zero_grad(set_to_none=True)
        share, others = mixing(recipe.mixup, len(given))
        if share < 1:
            inputs = share * inputs + (1 - share) * inputs[others]
        outputs = module(inputs).float()
        losses = kind.losses(outputs, given) * weights
        if share < 1:
            losses = share * losses + (1 - share) * kind.losses(outputs, given[others]) * weights[others]
        # The processes' gradients are averaged, so that each divides by its share of the whole batch.
        loss = losses.sum() * float(is_counted) / whole
        fabric.backward(loss * fabric.world_size)
        if recipe.clip_norm:
            fabric.clip_gradients(module, optimiser, max_norm=recipe.clip_norm, error_if_nonfinite=False)
        optimiser.step()
        if recipe.ema:
            average(loop.average, loop.network.module, recipe.ema, loop.steps)
        loop.steps += 1
        measured = kind.measured(outputs.detach(), given, shown.sd).sum() * float(is_counted)
        return torch.stack([loss.detach().double() * len(places), measured.double()])

    return learn


def _epoch(job: PartJob, loop: Loop, shown: Shown, source: Source, learn: Learn) -> None:
    """One pass over the training images; the row's loss and measure are those met on the way."""
    module, fabric, began = loop.network.module, loop.fabric, time.monotonic()
    module.train()
    if job.recipe.frozen_norm:
        for part in module.modules():
            if isinstance(part, _BatchNorm):
                part.eval()
    torch.manual_seed((job.seed * PASS_COUNT + loop.epoch) * fabric.world_size + fabric.global_rank)  # of dropout
    totals = torch.zeros(2, dtype=torch.float64, device=job.device)
    chunks = batches(job, loop.epoch, shown.kept, shown.labels)
    own = [chunk[fabric.global_rank :: fabric.world_size] or chunk[:1] for chunk in chunks]
    for done, (chunk, inputs) in enumerate(zip(chunks, source.training(loop.epoch, own), strict=True)):
        job.progress(_note(loop), loop.epoch * len(chunks) + done, job.recipe.epochs * len(chunks))
        set_rate(loop.optimiser, rate_at(job.recipe, loop.epoch * len(chunks) + done, len(chunks)))
        totals += learn(inputs, torch.tensor([place for place, _ in chunk]))
    seen = sum(map(len, chunks))
    totals = torch.as_tensor(fabric.all_reduce(totals, reduce_op="sum"))
    loss, measured = totals.tolist()
    loop.epoch += 1
    row: dict[str, float | int | None] = {
        "epoch": loop.epoch,
        "train_loss": loss / seen,
        f"train_{job.kind.measure}": measured / seen,
        "learning_rate": max(group["lr"] for group in loop.optimiser.param_groups),
    }
    row |= dict.fromkeys(f"{side}_{what}" for side in ("val", "test") for what in ("loss", job.kind.measure))
    loop.history.append({**row, "seconds": round(time.monotonic() - began, 3)})


def batches(job: PartJob, epoch: int, kept: NDArray[np.int64], labels: Tensor) -> list[list[Choice]]:
    """The images of each batch, the same for the same seed and epoch.

    Args:
        job: of the part.
        epoch: from 0.
        kept: places of the images to learn from.
        labels: of all images of the partition.
    """
    of_positive, of_others = job.recipe.copies or (1, 1)
    times = torch.where(labels == job.classes.index(job.split.positive), of_positive, of_others).tolist()
    copies = [(place, copy) for place in kept.tolist() for copy in range(times[place])]
    generator = torch.Generator().manual_seed(job.seed * PASS_COUNT + epoch)
    if job.balance == Balance.SAMPLING:
        shown = labels[[place for place, _ in copies]]
        chances = 1.0 / torch.bincount(shown).double()[shown]
        order = torch.multinomial(chances, len(copies), replacement=True, generator=generator)
    else:
        order = torch.randperm(len(copies), generator=generator)
    chunks = [[copies[k] for k in chunk.tolist()] for chunk in torch.split(order, job.recipe.batch_size)]
    if len(chunks) > 1 and len(chunks[-1]) == 1:
        chunks.pop()  # batch norm cannot learn from one image
    return chunks


def _note(loop: Loop) -> str:
    """What the progress bar says: the epoch, and the loss and accuracy after the last."""
    words = [f"epoch {loop.epoch + 1}"]
    for name, value in (loop.history[-1] if loop.history else {}).items():
        if name.startswith(("train_", "val_")) and value is not None:
            words.append(f"{name.replace('_', ' ')} {value:.3f}")
    return ", ".join(words)


def _check_finite(loop: Loop) -> None:
    """Stop where training ran away: what follows from a loss without value has none either.

    Raises:
        InputError: naming the epoch.
    """
    losses = {name: value for name, value in loop.history[-1].items() if name.endswith("_loss") and value is not None}
    bad = [name for name, value in losses.items() if not math.isfinite(value)]
    if bad:
        raise InputError(
            f"Training ran away: {' and '.join(bad)} is not finite after epoch {loop.epoch}.",
            "Train again with a lower --learning-rate.",
        )


def _look(job: PartJob, loop: Loop, side: str, source: Source, shown: Shown) -> None:
    """Note a side's loss and measure after an epoch; on the validation side, remember the best state."""
    outputs = source.logits(shown.kept.tolist()).float()
    loss = float((job.kind.losses(outputs, shown.truth) * shown.weights).sum() / shown.weights.sum())
    measured = job.kind.measured(outputs, shown.truth, shown.sd).float().mean()
    loop.history[-1] |= {f"{side}_loss": loss, f"{side}_{job.kind.measure}": float(measured)}
    if side == "val" and loss < loop.best_loss:
        loop.best_loss, loop.best_epoch = loss, loop.epoch
        loop.best_state = {key: value.detach().clone() for key, value in loop.network.module.state_dict().items()}
