"""The recipe ``probe``: a linear head on frozen features."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from polymodel.data import VALIDATION_PARTS, group_folds
from polymodel.features import FeatureCache, Features
from polymodel.linear import balanced_weights, fit_head, loss_and_accuracy
from polymodel.parts import PartJob, PartResult

CURVE = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
"""Regularisation strengths measured on validation groups, to show where the fixed one stands."""


def train_probe(job: PartJob, cache: FeatureCache) -> PartResult:
    """Fit the head at the recipe's fixed regularisation.

    The history holds one row for each of several regularisation strengths, measured on groups held back from
    the training side in turn. It shows whether the fixed strength fits the data; it chooses nothing.

    Raises:
        InputError: if an image cannot be read or the training side holds a single class.
    """
    labels = job.train_targets()
    train = cache.get(job.images(job.fold.train), lambda done, count: job.advance("training features", done, count))
    test = cache.get(job.images(job.fold.test), lambda done, count: job.advance("test features", done, count))
    chosen = job.recipe.inverse_regularisation
    head = fit_head(train, labels, len(job.classes), chosen)
    history = []
    for step, c in enumerate(sorted({*CURVE, chosen})):
        job.advance("validation curve", step, len(CURVE) + 1)
        history.append({"inverse_regularisation": c, "used": int(c == chosen), **_curve_row(job, train, labels, c)})
    return PartResult(
        tensors={"weight": torch.from_numpy(head.weight), "bias": torch.from_numpy(head.bias)},
        train_logits=head.logits(train),
        test_logits=head.logits(test),
        history=history,
        facts={"features": int(train.shape[1]), "backbone_digest": cache.network.backbone_digest()},
    )


def _curve_row(job: PartJob, features: Features, labels: NDArray[np.int64], c: float) -> dict[str, float | None]:
    """Loss and accuracy on the training groups and, out of fold, on groups held back; None where none can be."""
    classes = len(job.classes)
    weights = balanced_weights(labels, classes)
    fitted = fit_head(features, labels, classes, c).logits(features)
    train_loss, train_accuracy = loss_and_accuracy(fitted, labels, weights)
    row: dict[str, float | None] = {"train_loss": train_loss, "train_accuracy": train_accuracy}
    row |= {"val_loss": None, "val_accuracy": None}
    groups = [item.group for item in job.fold.train]
    if len(set(groups)) < 2 or np.bincount(labels).max() < 2:
        return row
    held_back = np.full((len(labels), classes), np.nan)
    for kept, out in group_folds(labels, groups, VALIDATION_PARTS, job.seed):
        if len(np.unique(labels[kept])) > 1:
            held_back[out] = fit_head(features[kept], labels[kept], classes, c).logits(features[out])
    seen = ~np.isnan(held_back[:, 0])
    if seen.any():
        row["val_loss"], row["val_accuracy"] = loss_and_accuracy(held_back[seen], labels[seen], weights)
    return row
