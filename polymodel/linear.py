"""A linear classifier on fixed features: standardised, regularised, classes balanced."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polydata.errors import InputError

Array = NDArray[np.float64]


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


def fit_head(features: NDArray[np.floating], labels: NDArray[np.int64], classes: int, c: float) -> LinearHead:
    """Standardise each feature, fit a class-balanced logistic regression, fold both into one layer.

    Args:
        features: (n, features).
        labels: (n,) class indices; a class may be absent, its logit then stays far below the others.
        classes: how many classes there are.
        c: inverse of the L2 regularisation strength.

    Raises:
        InputError: if all labels are the same.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    present = np.unique(labels)
    if len(present) < 2:
        raise InputError(
            "All training images have the same label, so there is nothing to tell apart.",
            "Label images of another class, or build a split with fewer folds.",
        )
    scaler = StandardScaler().fit(features.astype(np.float64))
    model = LogisticRegression(C=c, class_weight="balanced", max_iter=5000, tol=1e-6)
    # On one thread the bits do not depend on how many processors there are, and a problem this small is faster.
    with threadpool_limits(limits=1, user_api="blas"), warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            model.fit(scaler.transform(features.astype(np.float64)), labels)
        except ConvergenceWarning as warning:
            raise InputError(f"The logistic regression did not converge: {warning}") from warning
    if len(present) == 2:
        half_w, half_b = model.coef_[0] / 2, model.intercept_[0] / 2
        weight, bias = np.stack([-half_w, half_w]), np.array([-half_b, half_b])
    else:
        weight, bias = model.coef_, model.intercept_
    weight = weight / scaler.scale_
    bias = bias - weight @ scaler.mean_
    full_weight, full_bias = np.zeros((classes, features.shape[1])), np.full(classes, -1e4)
    full_weight[present], full_bias[present] = weight, bias
    return LinearHead(full_weight, full_bias)


def softmax(logits: Array) -> Array:
    """Probabilities (n, classes) from logits (n, classes)."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Array = powers / powers.sum(axis=1, keepdims=True)
    return shares


def loss_and_accuracy(
    logits: Array, labels: NDArray[np.int64], class_weights: Array | None = None
) -> tuple[float, float]:
    """Mean cross-entropy, weighted by class where weights are given, and the share of correct answers."""
    chosen = softmax(logits)[np.arange(len(labels)), labels]
    weights = np.ones(len(labels)) if class_weights is None else class_weights[labels]
    loss = float(np.average(-np.log(np.maximum(chosen, 1e-12)), weights=weights))
    return loss, float(np.mean(logits.argmax(1) == labels))


def balanced_weights(labels: NDArray[np.int64], classes: int) -> Array:
    """A weight for each class, n / (classes present x count); 0 for a class that is absent."""
    counts = np.bincount(labels, minlength=classes).astype(np.float64)
    present = counts > 0
    weights = np.zeros(classes)
    weights[present] = len(labels) / (present.sum() * counts[present])
    return weights
