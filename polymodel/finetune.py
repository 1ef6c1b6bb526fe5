"""The recipes that train by gradient descent: ``lp-ft``, ``finetune`` and ``paper``."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm
from torchvision.transforms import v2

from polydata.errors import InputError
from polydata.images import open_picture
from polydata.splits.manifest import Item
from polymodel.config import Recipe
from polymodel.data import VALIDATION_PARTS, group_folds
from polymodel.linear import balanced_weights, fit_head
from polymodel.models import Network
from polymodel.parts import PartJob, PartResult
from polymodel.views import Grey, centre, fixed_copy, grey_resized

EVAL_BATCH = 64
PASS_COUNT = 1_000_003  # a prime, so that (seed, epoch, place) seldom share a random state


@dataclass
class Loop:
    """The state of one training, all that another epoch needs.

    Attributes:
        network: on the device.
        optimiser: over what is trained.
        epoch: epochs done.
        history: a row for each.
        best_loss, best_epoch, best_state: of the epoch with the lowest validation loss.
    """

    network: Network
    optimiser: torch.optim.Optimizer
    epoch: int = 0
    history: list[dict[str, float | int | None]] = field(default_factory=list)
    best_loss: float = float("inf")
    best_epoch: int = 0
    best_state: dict[str, Tensor] = field(default_factory=dict)


def train_loop(job: PartJob, network: Network) -> PartResult:
    """Train a network; with patience, the epoch with the lowest loss on held-back training groups is kept.

    The test side never chooses anything. Only where a recipe has no validation part (``paper``) its loss and
    accuracy are noted after each epoch, for the curve that the seed article shows.

    Raises:
        InputError: if an image cannot be read, the groups do not allow a validation part, or a loss is not finite.
    """
    recipe, classes = job.recipe, len(job.classes)
    labels = torch.from_numpy(job.train_targets())
    train, test = _read(job, job.fold.train, "training"), _read(job, job.fold.test, "test")
    kept, held_back = _parts(job, labels.numpy())
    network.module.to(job.device)
    weights = torch.tensor(balanced_weights(labels.numpy()[kept], classes), dtype=torch.float32, device=job.device)
    criterion = nn.CrossEntropyLoss(weights if recipe.balanced else None)
    if recipe.linear_start:
        _start_head(job, network, [train[k] for k in kept], labels.numpy()[kept])
    trained = _trained_parameters(network, recipe)
    loop = Loop(network, torch.optim.Adam(trained, lr=recipe.learning_rate))
    watched = ("val", [train[k] for k in held_back], labels[held_back])
    if recipe.patience is None:
        watched = ("test", test, torch.from_numpy(job.test_targets()))
    while loop.epoch < recipe.epochs and not _is_stale(loop, recipe):
        _epoch(job, loop, [train[k] for k in kept], labels[kept], criterion)
        _look(job, loop, watched, criterion)
        _check_finite(loop)
    if recipe.patience is not None:
        network.module.load_state_dict(loop.best_state)
    return PartResult(
        tensors=network.module.state_dict(),
        train_logits=logits_of(network, train, recipe, job.device),
        test_logits=logits_of(network, test, recipe, job.device),
        history=loop.history,
        facts={
            "epochs": loop.epoch,
            "kept_epoch": loop.best_epoch if recipe.patience is not None else loop.epoch,
            "validation_images": len(held_back),
            "validation_groups": sorted({job.fold.train[k].group for k in held_back}),
        },
    )


def logits_of(network: Network, images: Sequence[Grey], recipe: Recipe, device: str) -> NDArray[np.float64]:
    """Logits (n, classes) of resized grey images, each seen once by its centre; the network goes to eval mode."""
    network.module.eval()
    rows = []
    with torch.inference_mode():
        for start in range(0, len(images), EVAL_BATCH):
            batch = np.stack([centre(image, recipe.image_size) for image in images[start : start + EVAL_BATCH]])
            rows.append(network.module(network.normalise(torch.from_numpy(batch).to(device))).double().cpu())
    found: NDArray[np.float64] = torch.cat(rows).numpy()
    return found


def _read(job: PartJob, items: Sequence[Item], side: str) -> list[Grey]:
    """The images of one side, resized."""
    images = []
    for done, item in enumerate(items, start=1):
        picture = open_picture(job.split.image_path(item))
        images.append(grey_resized(picture, job.recipe.short_side, job.recipe.image_size))
        job.advance(f"reading {side} images", done, len(items))
    return images


def _parts(job: PartJob, labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Indices of the training items to learn from, and of those held back for early stopping.

    Held back is the first part without which every label is still there to be learned: the balanced loss of a
    label that was never shown has no value.
    """
    if job.recipe.patience is None:
        return np.arange(len(labels)), np.arange(0)
    groups = [item.group for item in job.fold.train]
    for kept, held_back in group_folds(labels, groups, VALIDATION_PARTS, job.seed):
        if np.array_equal(np.unique(labels[kept]), np.unique(labels)):
            return kept, held_back
    raise InputError(
        "Whichever training groups are held back for validation, all images of some label go with them.",
        "Build a split with more papers of each label, or train with --recipe probe or paper.",
    )


def _start_head(job: PartJob, network: Network, images: Sequence[Grey], labels: NDArray[np.int64]) -> None:
    """Fill the head with a logistic regression on what the frozen network gives it."""
    network.module.eval()
    rows = []
    with torch.inference_mode():
        for start in range(0, len(images), EVAL_BATCH):
            job.advance("linear start", start, len(images))
            batch = np.stack([centre(i, job.recipe.image_size) for i in images[start : start + EVAL_BATCH]])
            rows.append(network.head_inputs(network.normalise(torch.from_numpy(batch).to(job.device))).cpu())
    head = fit_head(torch.cat(rows).numpy(), labels, len(job.classes), job.recipe.inverse_regularisation)
    layer = network.head_layer()
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(head.weight))
        layer.bias.copy_(torch.from_numpy(head.bias))


def _trained_parameters(network: Network, recipe: Recipe) -> list[nn.Parameter]:
    """The parameters to train; all others are frozen."""
    if not recipe.tail_only:
        return list(network.module.parameters())
    network.module.requires_grad_(False)
    tail = [network.module.get_submodule(name) for name in network.tail()]
    chosen = [p for part in tail if not isinstance(part, _BatchNorm) for p in part.parameters(recurse=False)]
    for parameter in chosen:
        parameter.requires_grad_(True)
    return chosen


def _is_stale(loop: Loop, recipe: Recipe) -> bool:
    return recipe.patience is not None and loop.epoch - loop.best_epoch >= recipe.patience


def _epoch(job: PartJob, loop: Loop, images: Sequence[Grey], labels: Tensor, criterion: nn.CrossEntropyLoss) -> None:
    """One pass over the training images; the row's loss and accuracy are those met on the way."""
    module, began = loop.network.module, time.monotonic()
    module.train()
    if job.recipe.tail_only:
        for part in module.modules():
            if isinstance(part, _BatchNorm):
                part.eval()
    total, right, seen = 0.0, 0, 0
    for batch, places in _batches(job, loop.epoch, images, labels, _note(loop)):
        wanted = labels[places].to(job.device)
        loop.optimiser.zero_grad(set_to_none=True)
        logits = module(loop.network.normalise(batch.to(job.device)))
        loss = criterion(logits, wanted)
        loss.backward()
        loop.optimiser.step()
        total += float(loss.detach()) * len(wanted)
        right += int((logits.detach().argmax(1) == wanted).sum())
        seen += len(wanted)
    loop.epoch += 1
    row: dict[str, float | int | None] = {
        "epoch": loop.epoch,
        "train_loss": total / seen,
        "train_accuracy": right / seen,
    }
    row |= dict.fromkeys(("val_loss", "val_accuracy", "test_loss", "test_accuracy"))
    loop.history.append({**row, "seconds": round(time.monotonic() - began, 3)})


def _batches(
    job: PartJob, epoch: int, images: Sequence[Grey], labels: Tensor, note: str
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches (images (b, size, size) uint8, places (b,) in ``labels``), the same for the same seed and epoch."""
    copies = _copies(job, labels)
    order = torch.randperm(len(copies), generator=torch.Generator().manual_seed(job.seed * PASS_COUNT + epoch))
    chunks = list(torch.split(order, job.recipe.batch_size))
    if len(chunks) > 1 and len(chunks[-1]) == 1:
        chunks.pop()  # batch norm cannot learn from one image
    for done, chunk in enumerate(chunks):
        job.advance(note, epoch * len(chunks) + done, job.recipe.epochs * len(chunks))
        pictures = [_augmented(job, epoch, images[copies[k][0]], *copies[k]) for k in chunk.tolist()]
        yield torch.stack(pictures), torch.tensor([copies[k][0] for k in chunk.tolist()])


def _note(loop: Loop) -> str:
    """What the progress bar says: the epoch, and the loss and accuracy after the last."""
    words = [f"epoch {loop.epoch + 1}"]
    for name in ("train_loss", "val_loss", "val_accuracy"):
        value = loop.history[-1][name] if loop.history else None
        if value is not None:
            words.append(f"{name.replace('_', ' ')} {value:.3f}")
    return ", ".join(words)


def _copies(job: PartJob, labels: Tensor) -> list[tuple[int, int]]:
    """(place, number of its copy) of everything that an epoch shows."""
    if job.recipe.copies is None:
        return [(place, 0) for place in range(len(labels))]
    positive = job.classes.index(job.split.positive)
    of_positive, of_others = job.recipe.copies
    return [
        (place, copy)
        for place, label in enumerate(labels.tolist())
        for copy in range(of_positive if label == positive else of_others)
    ]


def _augmented(job: PartJob, epoch: int, image: Grey, place: int, copy: int) -> Tensor:
    """One augmented view (size, size) uint8, the same for the same seed, epoch and place."""
    if job.recipe.copies is not None:
        return torch.from_numpy(fixed_copy(image, copy))
    size = job.recipe.image_size
    transform = v2.Compose(
        [
            v2.RandomResizedCrop(size, scale=(0.5, 1.0), ratio=(0.8, 1.25), antialias=True),
            v2.RandomHorizontalFlip(),
            v2.RandomVerticalFlip(),
            v2.ColorJitter(brightness=0.2, contrast=0.2),
        ]
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed((job.seed * PASS_COUNT + epoch) * PASS_COUNT + place)
        view = transform(torch.from_numpy(image.copy()).unsqueeze(0))
        turned: Tensor = torch.rot90(view[0], int(torch.randint(4, ())))
    return turned


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


def _look(
    job: PartJob, loop: Loop, watched: tuple[str, Sequence[Grey], Tensor], criterion: nn.CrossEntropyLoss
) -> None:
    """Measure after an epoch; on a validation part, remember the best state."""
    name, images, labels = watched
    logits = torch.from_numpy(logits_of(loop.network, images, job.recipe, job.device)).float()
    weight = criterion.weight.cpu() if criterion.weight is not None else None
    loss = float(functional.cross_entropy(logits, labels, weight))
    loop.history[-1] |= {f"{name}_loss": loss, f"{name}_accuracy": float((logits.argmax(1) == labels).float().mean())}
    if name == "val" and loss < loop.best_loss:
        loop.best_loss, loop.best_epoch = loss, loop.epoch
        loop.best_state = {key: value.detach().clone() for key, value in loop.network.module.state_dict().items()}
