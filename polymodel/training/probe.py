"""The recipe ``probe``: a linear head on frozen features."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from polymodel.data.split import VALIDATION_PARTS, group_folds
from polymodel.networks.features import FeatureCache
from polymodel.networks.linear import Array, coordinates, fit_regression, image_weights, loss_and_accuracy
from polymodel.networks.novelty import fit_reference
from polymodel.recipes import Balance
from polymodel.runs.parts import PartJob, PartResult

Index = NDArray[np.int64]
CURVE = (0.003, 0.03, 3.0, 30.0)
"""Regularisation strengths measured on validation papers, to show where the fixed one stands."""


def train_probe(job: PartJob, cache: FeatureCache) -> PartResult:
    """Fit the head at the recipe's fixed regularisation.

    The history holds one row for each of several regularisation strengths, measured on the split's validation side, or
    where it has none on papers held back from the training side in turn. It shows whether the fixed strength fits the
    data; it chooses nothing. The answers on papers held back at the fixed strength are kept: by them probabilities
    are calibrated.

    Raises:
        InputError: if an image cannot be read or the training side holds a single class.
    """
    labels, train, classes = job.targets(), job.places("train"), len(job.classes)
    blocks = cache.get(job.images(job.items), job.progress)
    features = np.concatenate(blocks, axis=1)
    place = coordinates(features[train], [block.shape[1] for block in blocks])
    chosen, weights = job.recipe.inverse_regularisation, _weights(job, train)
    val = job.places("val")
    history, heads, held_out = [], {}, _out_of_fold(job, place.values, chosen)
    for step, c in enumerate(sorted({*CURVE, chosen})):
        job.progress("validation curve", step, len(CURVE) + 1)
        weight, bias = fit_regression(place.values, labels[train], classes, c, weights)
        heads[c] = place.head(weight, bias)
        row: dict[str, float | None] = {"inverse_regularisation": c, "used": int(c == chosen)}
        answers = place.values @ weight.T + bias
        row["train_loss"], row["train_accuracy"] = loss_and_accuracy(answers, labels[train], weights)
        if len(val):
            out, answers = val, heads[c].logits(features[val])
        else:
            out, answers = held_out if c == chosen else _out_of_fold(job, place.values, c)
        row |= dict.fromkeys(("val_loss", "val_accuracy"))
        if len(out):
            row["val_loss"], row["val_accuracy"] = loss_and_accuracy(answers, labels[out], _weights(job, out))
        history.append(row)
    reference = fit_reference(blocks[0][train], [item.group for item in job.fold.train])
    return PartResult(
        tensors={name: torch.from_numpy(value) for name, value in vars(heads[chosen]).items()},
        logits=heads[chosen].logits(features),
        history=history,
        facts={"features": int(features.shape[1]), "backbone_digest": cache.digest},
        held_out=held_out if len(held_out[0]) else None,
        reference=None if reference is None else reference.tensors(),
    )


def _weights(job: PartJob, places: Index) -> Array:
    """What each of these images weighs among them."""
    recipe, groups = job.recipe, [job.items[k].group for k in places]
    balanced = recipe.balance == Balance.WEIGHTS
    return image_weights(job.targets()[places], len(job.classes), groups, recipe.likeness, balanced)


def _out_of_fold(job: PartJob, values: Array, c: float) -> tuple[Index, Array]:
    """Places of training images (n,) that were held back in turn, and what the others' models answer (n, classes).

    Features of papers held back in turn were standardised with the others', which knows no label.
    """
    train, classes = job.places("train"), len(job.classes)
    labels, weights = job.targets()[train], _weights(job, train)
    groups = [item.group for item in job.fold.train]
    answers = np.full((len(labels), classes), np.nan)
    if len(set(groups)) > 1 and np.bincount(labels).max() > 1:
        for kept, out in group_folds(labels, groups, VALIDATION_PARTS, job.seed):
            if len(np.unique(labels[kept])) > 1:
                weight, bias = fit_regression(values[kept], labels[kept], classes, c, weights[kept])
                answers[out] = values[out] @ weight.T + bias
    seen = ~np.isnan(answers[:, 0])
    return train[seen], answers[seen]
