"""Heads of a probe for labels in an order and for numbers; those of labels stand in ``networks.linear``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from polydata.errors import InputError
from polymodel.networks.solver import Problem

Array = NDArray[np.float64]
Head = tuple[Array, Array]
"""Weight (outputs, columns) and bias (outputs,)."""


def fit_order(values: Array, truth: NDArray[np.int64], classes: int, problem: Problem) -> Head:
    """``logit of label k = k * direction + bias of k``, fitted as the other regressions are.

    Args:
        values: (n, columns).
        truth: (n,) class indices.
        classes: how many there are.
        problem: which images weigh how much, and how strong the regularisation is.

    Raises:
        InputError: if all images that weigh something have the same label, or what is found is no number.
    """
    there = np.flatnonzero(np.bincount(truth, weights=problem.weights, minlength=classes) > 0)
    if len(there) < 2:
        raise InputError(
            "All training images have the same label, so there is nothing to tell apart.",
            "Label images of another class, or build a split with fewer folds.",
        )
    some = problem.weights > 0
    features, weights = values[some], problem.weights[some]
    own = np.searchsorted(there, truth[some])
    columns, rows = features.shape[1], np.arange(len(own))

    def loss(given: Array) -> tuple[float, Array]:
        direction, bias = given[:columns], given[columns:]
        said = log_softmax(np.outer(features @ direction, there) + bias, axis=1)
        wrong = np.exp(said)
        wrong[rows, own] -= 1
        wrong *= problem.c * weights[:, None]
        value = -problem.c * (weights * said[rows, own]).sum() + (direction @ direction) / 2
        return float(value), np.concatenate([features.T @ (wrong @ there) + direction, wrong.sum(0)])

    limits = {"maxiter": 5000, "maxfun": 10000, "gtol": 1e-7 * problem.c * weights.sum(), "ftol": 1e-15}
    found = minimize(loss, np.zeros(columns + len(there)), jac=True, method="L-BFGS-B", options=limits).x
    if not np.isfinite(found).all():
        raise InputError("The ordinal regression did not converge.", "Look for features that are no numbers.")
    bias = np.full(classes, -1e4)
    bias[there] = found[columns:]
    return np.outer(np.arange(classes), found[:columns]), bias


def fit_ridge(values: Array, truth: Array, problem: Problem) -> Head:
    """The minimum of ``c * sum(weight * error^2) / 2 + |coefficients|^2 / 2`` with a free intercept, in units.

    Args:
        values: (n, columns).
        truth: (n,) numbers, brought to mean 0 and sd 1 by the images that weigh something.
        problem: which images weigh how much, and how strong the regularisation is.
    """
    weights = problem.weights
    total = weights.sum()
    mean = float(weights @ truth / total)
    sd = float(np.sqrt(weights @ (truth - mean) ** 2 / total)) or 1.0
    centre = weights @ values / total
    centred, wanted = values - centre, (truth - mean) / sd
    weighed = weights[:, None] * centred
    if values.shape[1] <= len(values):
        inner = problem.c * centred.T @ weighed + np.eye(values.shape[1])
        found = np.linalg.solve(inner, problem.c * weighed.T @ wanted)
    else:  # as many unknowns as images
        roots = np.sqrt(weights)
        scaled = roots[:, None] * centred
        found = scaled.T @ np.linalg.solve(scaled @ scaled.T + np.eye(len(values)) / problem.c, roots * wanted)
    return sd * found[None], np.array([mean - sd * float(found @ centre)])
