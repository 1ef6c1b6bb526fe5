"""Logistic regressions on the same images, solved together: time and memory grow with images times features.

What is minimised is that of scikit-learn, ``c * sum(weight * cross-entropy) + |coefficients|^2 / 2`` with a free
intercept. Newton's steps are found by conjugate gradients (Nash and Nocedal, SIAM J. Optimization 1991), for which no
matrix is made: each turn multiplies the images once with the directions of all regressions and once back, which costs
hardly more for thirty of them than for one. Products within a step are in the precision of the images, gradients in
double precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logsumexp, softmax
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from polydata.errors import InputError

Array = NDArray[np.float64]
Real = NDArray[np.floating]

TOLERANCE = 1e-7
"""Largest entry of the gradient, a unit of the images' weights, at which a regression is solved."""
STEPS, TURNS = 60, 500
HALVINGS = 30
ROWS = 2048
"""So many images at once are brought to double precision."""


@dataclass(frozen=True)
class Problem:
    """One regression.

    Attributes:
        c: inverse of the L2 regularisation strength.
        weights: (n,) of the images; 0 leaves one out.
    """

    c: float
    weights: Array


def one_thread() -> Any:
    """On one thread the bits do not depend on how many processors there are, and small problems are faster."""
    return threadpool_limits(limits=1, user_api="blas")


def solve(values: Real, targets: NDArray[np.int64], classes: int, problems: Sequence[Problem]) -> Array:
    """The regressions of the same images, each with every class among those that weigh something.

    Args:
        values: (n, columns).
        targets: (n,) class indices.
        classes: two or more.
        problems: each of them is solved.

    Returns:
        (problems, classes or 1 for two, columns + 1): coefficients and, last, the intercept, of the logits or for two
        classes of the second one's less the first one's.

    Raises:
        InputError: if one of them does not converge.
    """
    own = np.eye(classes)[targets][:, -1:] if classes == 2 else np.eye(classes)[targets]
    batch = _Batch(values, own, problems)
    with one_thread():
        return batch.solved()


class _Batch:
    """Regressions that wait to be solved; arrays of them are (columns + 1, problems, outputs)."""

    def __init__(self, values: Real, own: Array, problems: Sequence[Problem]) -> None:
        self.values, self.own = values, own
        self.weights = np.stack([problem.weights for problem in problems], axis=1)[..., None]
        self.total = self.weights.sum((0, 2))
        self.strength = 1 / np.array([problem.c for problem in problems])

    def solved(self) -> Array:
        """See ``solve``."""
        outputs = self.own.shape[1]
        found = np.zeros((self.values.shape[1] + 1, len(self.total), outputs))
        scores = np.zeros((len(self.values), len(self.total), outputs))
        left = np.arange(len(self.total))
        for _ in range(STEPS):
            slope, chances = self._gradient(found[:, left], scores[:, left], left)
            steep = np.abs(slope).max((0, 2)) / self.total[left]
            waiting = ~(steep <= TOLERANCE)  # what is no number waits too
            left, slope, chances, steep = left[waiting], slope[:, waiting], chances[:, waiting], steep[waiting]
            if not len(left):
                return found.transpose(1, 2, 0)
            way = self._step(slope, chances, left, np.minimum(0.1, np.sqrt(steep)))
            change = self._forward(way, np.float64)
            falls = (slope * way).sum((0, 2))
            length = self._length((found[:, left], scores[:, left]), (way, change), falls, left)
            found[:, left] += length[:, None] * way
            scores[:, left] += length[:, None] * change
        raise InputError(
            f"The logistic regression did not converge in {STEPS} steps.", "Look for features that are no numbers."
        )

    def _forward(self, coefficients: Array, kind: Any) -> Array:
        """Scores (n, problems, outputs)."""
        flat = coefficients[:-1].reshape(self.values.shape[1], -1).astype(kind)
        rows = len(self.values) if self.values.dtype == kind else ROWS
        parts = [self.values[k : k + rows].astype(kind, copy=False) @ flat for k in range(0, len(self.values), rows)]
        whole = np.concatenate(parts).astype(np.float64).reshape(-1, *coefficients.shape[1:])
        return np.asarray(whole + coefficients[-1])

    def _back(self, pulls: Array, kind: Any) -> Array:
        """What pulls (n, problems, outputs) on the scores do to coefficients and intercepts."""
        flat, rows = pulls.reshape(len(pulls), -1).astype(kind), len(pulls) if self.values.dtype == kind else ROWS
        found = np.zeros((self.values.shape[1], flat.shape[1]), dtype=kind)
        for k in range(0, len(pulls), rows):
            found += self.values[k : k + rows].astype(kind, copy=False).T @ flat[k : k + rows]
        return np.concatenate([found.astype(np.float64).reshape(-1, *pulls.shape[1:]), pulls.sum(0)[None]])

    def _gradient(self, found: Array, scores: Array, left: NDArray[np.int64]) -> tuple[Array, Array]:
        """The gradient, and the probabilities (n, problems, outputs)."""
        chances: Array = expit(scores) if scores.shape[2] == 1 else softmax(scores, axis=2)
        slope = self._back(self.weights[:, left] * (chances - self.own[:, None]), np.float64)
        slope[:-1] += self.strength[left, None] * found[:-1]
        return slope, chances

    def _step(self, slope: Array, chances: Array, left: NDArray[np.int64], enough: Array) -> Array:
        """Newton's step for each problem, nearly: conjugate gradients until what is left is a share of the slope."""
        step, rest, way = np.zeros_like(slope), -slope, -slope
        size = (rest**2).sum((0, 2))
        goal = size * enough**2
        for _ in range(TURNS):
            some = np.flatnonzero(size > goal)  # those that are near enough cost nothing more
            if not len(some):
                break
            bent = self._curved(way[:, some], chances[:, some], left[some])
            along = (size[some] / np.maximum((way[:, some] * bent).sum((0, 2)), 1e-300))[:, None]
            step[:, some] += along * way[:, some]
            rest[:, some] -= along * bent
            before = size[some]
            size[some] = (rest[:, some] ** 2).sum((0, 2))
            way[:, some] = rest[:, some] + (size[some] / before)[:, None] * way[:, some]
        return step

    def _curved(self, way: Array, chances: Array, left: NDArray[np.int64]) -> Array:
        """How the gradient changes along ways, at these probabilities."""
        moved = chances * self._forward(way, self.values.dtype)
        moved -= chances * moved.sum(2, keepdims=True)
        found = self._back(self.weights[:, left] * moved, self.values.dtype)
        found[:-1] += self.strength[left, None] * way[:-1]
        return found

    def _length(
        self, at: tuple[Array, Array], step: tuple[Array, Array], falls: Array, left: NDArray[np.int64]
    ) -> Array:
        """How much of each step is gone: all of it, or half as much until the loss falls.

        Args:
            at, step: coefficients and scores, and what the step adds to them.
            falls: what the loss would lose along the steps, were it straight.
            left: the problems.
        """
        length: Array = np.ones(len(left))
        start = self._loss(*at, left)
        for _ in range(HALVINGS):
            there = self._loss(at[0] + length[:, None] * step[0], at[1] + length[:, None] * step[1], left)
            short = there > start + 1e-4 * length * falls + 1e-12 * np.abs(start)
            if not short.any():
                break
            length = np.where(short, length / 2, length)
        return length

    def _loss(self, found: Array, scores: Array, left: NDArray[np.int64]) -> Array:
        if scores.shape[2] == 1:
            each = np.logaddexp(0, scores) - self.own[:, None] * scores
        else:
            each = logsumexp(scores, axis=2, keepdims=True) - (self.own[:, None] * scores).sum(2, keepdims=True)
        penalty = self.strength[left] * (found[:-1] ** 2).sum((0, 2)) / 2
        return np.asarray((self.weights[:, left] * each).sum((0, 2)) + penalty)
