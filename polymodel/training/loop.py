"""The recipes that train by gradient descent: ``lp-ft``, ``finetune``, ``paper`` and ``paper-code``."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.precision.amp import MixedPrecision
from numpy.typing import NDArray
from timm.layers.norm_act import convert_sync_batchnorm
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from polydata.errors import InputError
from polymodel.config import Hardware
from polymodel.data.split import VALIDATION_PARTS, group_folds
from polymodel.data.views import Transform
from polymodel.networks.devices import threads
from polymodel.networks.linear import balanced_weights, fit_head, image_weights
from polymodel.networks.network import Network
from polymodel.recipes import Balance, Recipe, Schedule
from polymodel.runs.parts import PartJob, PartResult
from polymodel.runs.run import CHECKPOINT
from polymodel.training import checkpoints
from polymodel.training.batches import PASS_COUNT, Choice, Maps, Pixels, Source
from polymodel.training.checkpoints import Keeper, Loop
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
    network.module.to(job.device)
    if job.device == "cuda":
        network.module.to(memory_format=torch.channels_last)  # what its kernels like
    start_digest = network.backbone_digest()
    if fabric.world_size > 1 and job.device == "cuda":  # torch's knows no other device
        network.module = convert_sync_batchnorm(network.module)  # type: ignore[no-untyped-call]
    source = _source(job, network, settings)
    if isinstance(source, Maps) and recipe.linear_start:
        _start_head(job, source, kept, labels.numpy()[kept])
    loop = _new_loop(job, network, settings)
    keeper = Keeper(settings.part_folder if fabric.is_global_zero else None, settings.checkpoint_seconds)
    checkpoint = settings.part_folder / CHECKPOINT
    if fabric.broadcast(checkpoint.is_file()):
        checkpoints.load(checkpoint, loop)
    seconds_before = sum(float(row["seconds"] or 0) for row in loop.history)
    weights = None  # of each class in the loss
    if recipe.balance == Balance.WEIGHTS:
        balanced = balanced_weights(labels.numpy()[kept], len(job.classes))
        weights = torch.tensor(balanced, dtype=torch.float32, device=job.device)
    learn = _learner(loop, source, settings, weights)
    watched = [("val", held_back)] if len(held_back) else []
    if recipe.patience is None:
        watched.append(("test", job.places("test")))
    with threads(1) if recipe.tail_only and job.device == "cpu" else nullcontext():
        while loop.epoch < min(recipe.epochs, loop.best_epoch + (recipe.patience or recipe.epochs)):
            _epoch(job, loop, (kept, labels), source, learn)
            if fabric.is_global_zero:
                for side, places in watched:
                    _look(loop, side, source.logits(places.tolist()).float(), labels[places], weights)
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


def _start_head(job: PartJob, source: Maps, kept: NDArray[np.int64], labels: NDArray[np.int64]) -> None:
    """Fill the head with a logistic regression on what the frozen network gives it."""
    job.progress("linear start", 0, 1)
    groups = [job.items[k].group for k in kept]
    weights = image_weights(labels, len(job.classes), groups, balanced=job.recipe.balance != Balance.NONE)
    features = source.head_inputs(kept.tolist())
    head = fit_head(features, labels, len(job.classes), job.recipe.inverse_regularisation, weights)
    layer = source.network.head_layer()
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(head.weight))
        layer.bias.copy_(torch.from_numpy(head.bias))


def _new_loop(job: PartJob, network: Network, settings: LoopSettings) -> Loop:
    recipe = job.recipe
    parameters = _trained_parameters(network, recipe)
    kind = torch.optim.AdamW if recipe.weight_decay else torch.optim.Adam
    optimiser = kind(parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    precision = settings.fabric.strategy.precision
    if isinstance(precision, MixedPrecision) and precision.scaler is not None:
        precision.scaler = torch.amp.GradScaler(precision.device)  # no part goes on with the scale of the one before
    return Loop(network, optimiser, settings.fabric)


def _trained_parameters(network: Network, recipe: Recipe) -> list[nn.Parameter]:
    """The parameters to train; all others are frozen."""
    names = network.tail() if recipe.tail_only else [name for name, _ in network.module.named_modules()]
    network.module.requires_grad_(False)
    parts = [network.module.get_submodule(name) for name in names]
    chosen = [
        parameter
        for part in parts
        if not (recipe.frozen_norm and isinstance(part, _BatchNorm))
        for parameter in part.parameters(recurse=False)
    ]
    for parameter in chosen:
        parameter.requires_grad_(True)
    return chosen


def rate_at(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """The learning rate of a step, counted from 0 over the whole training."""
    warm, total = recipe.warm_up * steps_per_epoch, recipe.epochs * steps_per_epoch
    if step + 1 < warm:
        return recipe.learning_rate * (step + 1) / warm
    if recipe.schedule == Schedule.COSINE:
        done = max(0.0, step - warm) / max(1.0, total - warm)
        return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    return recipe.learning_rate


Learn = Callable[[Tensor, Tensor], Tensor]
"""Learns from one batch: (this process's inputs, labels of the whole batch) -> (loss x images, right answers)."""


def _learner(loop: Loop, source: Source, settings: LoopSettings, weights: Tensor | None) -> Learn:
    fabric = settings.fabric
    module: Any = torch.compile(source.module) if settings.hardware.compiled else source.module
    module, optimiser = fabric.setup(module, loop.optimiser)

    def learn(inputs: Tensor, labels: Tensor) -> Tensor:
        # Where there are fewer images than processes, one is shown again and counts nothing.
        is_counted = fabric.global_rank < len(labels)
        given = labels[fabric.global_rank if is_counted else 0 :: fabric.world_size][: len(inputs)].to(inputs.device)
        whole = float((weights.cpu()[labels] if weights is not None else torch.ones(len(labels))).sum())
        optimiser.zero_grad(set_to_none=True)
        logits = module(inputs).float()
        losses = functional.cross_entropy(logits, given, weights, reduction="none") * float(is_counted)
        # The processes' gradients are averaged, so that each divides by its share of the whole batch.
        loss = losses.sum() / whole
        fabric.backward(loss * fabric.world_size)
        optimiser.step()
        right = (logits.detach().argmax(1) == given).sum() * float(is_counted)
        return torch.stack([loss.detach().double() * len(labels), right.double()])

    return learn


def _epoch(job: PartJob, loop: Loop, shown: tuple[NDArray[np.int64], Tensor], source: Source, learn: Learn) -> None:
    """One pass over the training images; the row's loss and accuracy are those met on the way."""
    module, fabric, began = loop.network.module, loop.fabric, time.monotonic()
    module.train()
    if job.recipe.frozen_norm:
        for part in module.modules():
            if isinstance(part, _BatchNorm):
                part.eval()
    torch.manual_seed((job.seed * PASS_COUNT + loop.epoch) * fabric.world_size + fabric.global_rank)  # of dropout
    totals = torch.zeros(2, dtype=torch.float64, device=job.device)
    chunks = batches(job, loop.epoch, *shown)
    own = [chunk[fabric.global_rank :: fabric.world_size] or chunk[:1] for chunk in chunks]
    for done, (chunk, inputs) in enumerate(zip(chunks, source.training(loop.epoch, own), strict=True)):
        job.progress(_note(loop), loop.epoch * len(chunks) + done, job.recipe.epochs * len(chunks))
        for group in loop.optimiser.param_groups:
            group["lr"] = rate_at(job.recipe, loop.epoch * len(chunks) + done, len(chunks))
        totals += learn(inputs, shown[1][[place for place, _ in chunk]])
    seen = sum(map(len, chunks))
    totals = torch.as_tensor(fabric.all_reduce(totals, reduce_op="sum"))
    loss, right = totals.tolist()
    loop.epoch += 1
    row: dict[str, float | int | None] = {
        "epoch": loop.epoch,
        "train_loss": loss / seen,
        "train_accuracy": right / seen,
        "learning_rate": loop.optimiser.param_groups[0]["lr"],
    }
    row |= dict.fromkeys(("val_loss", "val_accuracy", "test_loss", "test_accuracy"))
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
    if job.recipe.balance == Balance.SAMPLING:
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
    for name in ("train_loss", "train_accuracy", "val_loss", "val_accuracy"):
        value = loop.history[-1][name] if loop.history else None
        if value is not None:
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


def _look(loop: Loop, side: str, logits: Tensor, labels: Tensor, weights: Tensor | None) -> None:
    """Note a side's loss and accuracy after an epoch; on the validation side, remember the best state."""
    loss = float(functional.cross_entropy(logits, labels, weights.cpu() if weights is not None else None))
    loop.history[-1] |= {f"{side}_loss": loss, f"{side}_accuracy": float((logits.argmax(1) == labels).float().mean())}
    if side == "val" and loss < loop.best_loss:
        loop.best_loss, loop.best_epoch = loss, loop.epoch
        loop.best_state = {key: value.detach().clone() for key, value in loop.network.module.state_dict().items()}
