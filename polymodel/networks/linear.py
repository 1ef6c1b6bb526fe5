"""A linear classifier on fixed features: standardised, regularised, classes balanced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from polydata.errors import InputError
from polymodel.networks.solver import ROWS, Problem, one_thread, solve

Array = NDArray[np.float64]

TURNED = 2000
"""So many images at most are turned, which takes time with their cube; no answer changes, and all else is cheaper."""


@dataclass(frozen=True)
class LinearHead:
    """``logits = features @ weight.T + bias``; the standardisation of the features is folded in.

    Attributes:
        weight: (classes, features).
        bias: (classes,).
    """

    weight: Array
    bias: Array

    def logits(self, features: NDArray[np.floating]) -> Array:
        """(n, classes) for (n, features)."""
        return features.astype(np.float64) @ self.weight.T + self.bias


@dataclass(frozen=True)
class Coordinates:
    """Standardised features; of few images turned, so that no more columns are left than there are images.

    A regularised linear classifier on ``values`` is the same one as on the standardised features: it lies in
    the span of the images it learns from.

    Attributes:
        values: (n, r), r at most n and at most the number of features; of more than ``TURNED`` images all features, in
            single precision.
        basis: (features, r) or None for the identity.
        mean, scale: (features,), subtracted and divided by before the turn.
    """

    values: NDArray[np.floating]
    basis: Array | None
    mean: Array
    scale: Array

    def head(self, weight: Array, bias: Array) -> LinearHead:
        """The head on raw features that answers as ``values @ weight.T + bias`` does."""
        full = (weight if self.basis is None else weight @ self.basis.T) / self.scale
        return LinearHead(full, bias - full @ self.mean)


def coordinates(features: NDArray[np.floating], widths: Sequence[int] = ()) -> Coordinates:
    """Standardise each feature, scale each block to a mean square sum of 1 per image, turn.

    Args:
        features: (n, features).
        widths: columns of each block of features, in order; one block where none are given.
    """
    n, columns = features.shape
    widths = widths or [columns]
    if sum(widths) != columns:
        raise ValueError(f"blocks of {sum(widths)} columns do not make up {columns}")
    mean, spread = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
    spread[spread <= 1e-9 * np.maximum(1.0, np.abs(mean))] = np.inf  # what is constant up to rounding tells nothing
    scale = spread * np.sqrt(np.repeat(widths, widths))
    if columns <= n or n > TURNED:
        values = np.empty(features.shape, dtype=np.float32 if n > TURNED else np.float64)
        for k in range(0, n, ROWS):
            values[k : k + ROWS] = (features[k : k + ROWS] - mean) / scale
        return Coordinates(values, None, mean, scale)
    scaled = (features.astype(np.float64) - mean) / scale
    with one_thread():
        powers, turned = np.linalg.eigh(scaled @ scaled.T)
        kept = powers > 1e-10 * max(float(powers[-1]), 1e-300)
        roots = np.sqrt(powers[kept])
        basis = scaled.T @ (turned[:, kept] / roots)
    return Coordinates(turned[:, kept] * roots, basis, mean, scale)


def fit_regressions(
    values: NDArray[np.floating], labels: NDArray[np.int64], classes: int, problems: Sequence[Problem]
) -> list[tuple[Array, Array]]:
    """Weight (classes, columns) and bias (classes,) of several logistic regressions on the same images.

    Args:
        values: (n, columns).
        labels: (n,) class indices; a class that weighs nothing in a problem is absent from it, and its logit stays far
            below the others.
        classes: how many classes there are.
        problems: each of them is solved.

    Raises:
        InputError: if all labels of one are the same, or it does not converge.
    """
    sums = np.stack([np.bincount(labels, weights=one.weights, minlength=classes) for one in problems])
    found: list[tuple[Array, Array]] = [(np.zeros((classes, values.shape[1])), np.full(classes, -1e4)) for _ in sums]
    for there in np.unique(sums > 0, axis=0):
        present = np.flatnonzero(there)
        if len(present) < 2:
            raise InputError(
                "All training images have the same label, so there is nothing to tell apart.",
                "Label images of another class, or build a split with fewer folds.",
            )
        own = [k for k, row in enumerate(sums > 0) if (row == there).all()]
        place = np.searchsorted(present, labels).clip(max=len(present) - 1)  # of others any: they weigh nothing
        solved = solve(values, place, len(present), [problems[k] for k in own])
        if len(present) == 2:  # one row says both
            solved = solved * np.array([[-0.5], [0.5]])
        for k, one in zip(own, solved, strict=True):
            found[k][0][present], found[k][1][present] = one[:, :-1], one[:, -1]
    return found


def image_weights(
    labels: NDArray[np.int64], classes: int, groups: Sequence[str], likeness: float = 0.0, balanced: bool = False
) -> Array:
    """A weight for each image, (n,), with mean 1.

    Args:
        labels: (n,) class indices.
        classes: how many there are.
        groups: papers of the n images.
        likeness: each image weighs one over the number of images of its paper to this power: 0 where every
            image counts as much, 1 where every paper does.
        balanced: afterwards bring all classes to the same sum.
    """
    _, places, counts = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    weights: Array = 1.0 / counts[places] ** likeness
    if balanced:
        weights = weights / np.bincount(labels, weights=weights, minlength=classes)[labels]
    return np.asarray(weights * (len(labels) / weights.sum()))


def loss_and_accuracy(logits: Array, labels: NDArray[np.int64], weights: Array | None = None) -> tuple[float, float]:
    """Mean cross-entropy, weighted by image where weights (n,) are given, and the share of correct answers."""
    chosen = softmax(logits, axis=1)[np.arange(len(labels)), labels]
    loss = float(np.average(-np.log(np.maximum(chosen, 1e-12)), weights=weights))
    return loss, float(np.mean(logits.argmax(1) == labels))


def balanced_weights(labels: NDArray[np.int64], classes: int) -> Array:
    """A weight for each class, n / (classes present x count); 0 for a class that is absent."""
    counts = np.bincount(labels, minlength=classes).astype(np.float64)
    present = counts > 0
    weights = np.zeros(classes)
    weights[present] = len(labels) / (present.sum() * counts[present])
    return weights
