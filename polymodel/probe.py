"""The recipe ``probe``: a linear head on frozen features."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from polymodel.data import VALIDATION_PARTS, group_folds
from polymodel.features import FeatureCache
from polymodel.linear import Array, coordinates, fit_head, fit_regression, image_weights, loss_and_accuracy
from polymodel.parts import PartJob, PartResult
from polymodel.recipes import Balance

CURVE = (0.003, 0.03, 3.0, 30.0)
"""Regularisation strengths measured on validation papers, to show where the fixed one stands."""


def train_probe(job: PartJob, cache: FeatureCache) -> PartResult:
    """Fit the head at the recipe's fixed regularisation.

    The history holds one row for each of several regularisation strengths, measured on papers held back from
    the training side in turn. It shows whether the fixed strength fits the data; it chooses nothing.

    Raises:
        InputError: if an image cannot be read or the training side holds a single class.
    """
    labels, classes = job.train_targets(), len(job.classes)
    groups = [item.group for item in job.fold.train]
    blocks = cache.get(job.images(job.fold.train), lambda done, count: job.advance("training features", done, count))
    test = cache.get(job.images(job.fold.test), lambda done, count: job.advance("test features", done, count))
    chosen = job.recipe.inverse_regularisation
    weights = image_weights(labels, classes, groups, job.recipe.likeness, job.recipe.balance == Balance.WEIGHTS)
    train = np.concatenate(blocks, axis=1)
    place = coordinates(train, [block.shape[1] for block in blocks])
    head = fit_head(place, labels, classes, chosen, weights)
    history = []
    for step, c in enumerate(sorted({*CURVE, chosen})):
        job.advance("validation curve", step, len(CURVE) + 1)
        row = _curve_row(job, place.values, labels, c, weights)
        history.append({"inverse_regularisation": c, "used": int(c == chosen), **row})
    return PartResult(
        tensors={"weight": torch.from_numpy(head.weight), "bias": torch.from_numpy(head.bias)},
        train_logits=head.logits(train),
        test_logits=head.logits(np.concatenate(test, axis=1)),
        history=history,
        facts={"features": int(train.shape[1]), "backbone_digest": cache.digest},
    )


def _curve_row(
    job: PartJob, values: Array, labels: NDArray[np.int64], c: float, weights: Array
) -> dict[str, float | None]:
    """Loss and accuracy on the training papers and, out of fold, on papers held back; None where none can be.

    The features were standardised on all training papers together, which knows no label.
    """
    classes = len(job.classes)

    def answers(kept: NDArray[np.int64], asked: NDArray[np.int64]) -> Array:
        weight, bias = fit_regression(values[kept], labels[kept], classes, c, weights[kept])
        found: Array = values[asked] @ weight.T + bias
        return found

    every = np.arange(len(labels))
    train_loss, train_accuracy = loss_and_accuracy(answers(every, every), labels, weights)
    row: dict[str, float | None] = {"train_loss": train_loss, "train_accuracy": train_accuracy}
    row |= {"val_loss": None, "val_accuracy": None}
    groups = [item.group for item in job.fold.train]
    if len(set(groups)) < 2 or np.bincount(labels).max() < 2:
        return row
    held_back = np.full((len(labels), classes), np.nan)
    for kept, out in group_folds(labels, groups, VALIDATION_PARTS, job.seed):
        if len(np.unique(labels[kept])) > 1:
            held_back[out] = answers(kept, out)
    seen = ~np.isnan(held_back[:, 0])
    if seen.any():
        row["val_loss"], row["val_accuracy"] = loss_and_accuracy(held_back[seen], labels[seen], weights[seen])
    return row
