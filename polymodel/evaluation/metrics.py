"""Metrics of predictions, as values; how sure they are is worked out in ``intervals``.

Every metric is worked out for many weightings of the items at once, since intervals leave out one paper at a time; the
tests hold all of them to scikit-learn's.

A metric that has no meaning is NaN: recall where no item is positive, precision where none was called
positive, and AUROC, balanced accuracy and MCC where only one class occurs; AUPRC where no item is positive.

Of two classes precision, recall, specificity, NPV, F1, AUROC, AUPRC, Brier score and ECE hold the positive one against
the other. Of more classes they are macro means: each class that occurs is held against the rest, and those that have a
meaning are averaged. AUPRC is the average precision, the Brier score the mean square of a probability's error, and the
ECE that of ``calibration``.

Of labels in an order there are three more: Cohen's kappa with the squares of the distances in ranks as weights, the
mean distance in ranks, and Spearman's correlation of the ranks that are said and true. Those of numbers: ``values``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polydata.errors import UsageError, first_line
from polymodel.evaluation.answered import (
    METRICS,
    ORDER_TITLES,
    SHOWN,
    Answered,
    Either,
    titles_of,
)
from polymodel.evaluation.calibration import Estimate, calibration_error

Array = NDArray[np.float64]

LEAST = 1e-300
"""Stands for a probability of 0 where its logarithm is taken."""


@dataclass(frozen=True)
class Outcome(Answered):
    """Which of several labels a model gave.

    Attributes:
        truth: (n,) class indices.
        probabilities: (n, classes); the largest is the answer.
        groups: (n,) names of the papers.
        positive: index of the positive class.
    """

    metrics: ClassVar[tuple[str, ...]] = METRICS
    shown: ClassVar[tuple[str, ...]] = SHOWN["auroc"]
    main: ClassVar[str] = "accuracy"
    said: ClassVar[str] = "probabilities"

    truth: NDArray[np.int64]
    probabilities: Array
    groups: NDArray[np.str_]
    positive: int

    @property
    def answers(self) -> NDArray[np.int64]:
        """(n,) class indices."""
        best: NDArray[np.int64] = self.probabilities.argmax(1)
        return best

    @property
    def judged(self) -> list[int]:
        """The classes that are held against the rest: the positive one of two, of more all that occur."""
        return [self.positive] if self.probabilities.shape[1] == 2 else np.unique(self.truth).tolist()

    @property
    def missing(self) -> list[int]:
        """Classes that no item has: of them nothing can be said."""
        return sorted({*range(self.probabilities.shape[1])} - {*self.truth.tolist()})

    @property
    def strata(self) -> NDArray[np.int64]:
        """(n,) the labels."""
        return self.truth

    @property
    def wrong(self) -> NDArray[Any]:
        """(n,) whether the answer is another label."""
        found: NDArray[np.bool_] = self.answers != self.truth
        return found

    def tally(self) -> dict[str, int]:
        """How many items are positive."""
        return {"positive": int((self.truth == self.positive).sum())}

    def averaged(self, place: NDArray[np.int64], first: NDArray[np.int64]) -> Outcome:
        """As ``Answered``: the softmax of the mean logits.

        The mean of logarithms of probabilities is that of logits but for a number that all classes share.
        """
        from scipy.special import softmax

        logits = np.zeros((len(first), self.probabilities.shape[1]))
        np.add.at(logits, place, np.log(np.maximum(self.probabilities, LEAST)))
        chances: Array = softmax(logits / np.bincount(place)[:, None], axis=1)
        return replace(self.at(first), probabilities=chances)

    def weighted(self, weights: Array) -> dict[str, Array]:
        """As the function of that name."""
        matrix = _confusions(self, weights)
        each = [_against_rest(self, k, matrix, weights) for k in self.judged]
        return _of_all(matrix) | {
            metric: mean_of_defined(np.stack([one[metric] for one in each])) for metric in each[0]
        }


@dataclass(frozen=True)
class Ordered(Outcome):
    """Which of several labels in an order a model gave; attributes as of ``Outcome``, classes in their order."""

    metrics: ClassVar[tuple[str, ...]] = (*ORDER_TITLES, *METRICS)
    shown: ClassVar[tuple[str, ...]] = SHOWN["kappa"]

    def weighted(self, weights: Array) -> dict[str, Array]:
        """As the function of that name."""
        return super().weighted(weights) | _of_order(_confusions(self, weights))


def outcome_from(truth: ArrayLike, proba: ArrayLike, groups: ArrayLike | None, positive: int) -> Outcome:
    """Answers from anywhere; arguments and errors as of ``polymodel.score``."""
    try:
        labels, chances = np.asarray(truth, dtype=np.int64), np.asarray(proba, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(f"These are no numbers: {first_line(error)}", "Give the index of each class.") from error
    chances = np.column_stack([1 - chances, chances]) if chances.ndim == 1 else chances
    papers = np.arange(len(labels)) if groups is None else np.asarray(groups)
    if labels.ndim != 1 or not len(labels) or not len(labels) == len(chances) == len(papers) or chances.ndim != 2:
        raise UsageError(f"Shapes {labels.shape}, {chances.shape} and {papers.shape} do not fit each other.")
    if not (((chances >= 0) & (chances <= 1)).all() and {*labels.tolist(), positive} <= set(range(chances.shape[1]))):
        raise UsageError(f"Probabilities are from 0 to 1, and classes from 0 to {chances.shape[1] - 1}.")
    return Outcome(labels, chances, papers.astype(np.str_), positive)


def rows(evaluation: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The models, their ensemble if there is one, and what stands beside them, by name: {metric: summary} each."""
    return {
        "model": {metric: evaluation[metric] for metric in titles_of(evaluation)},
        **({"ensemble": evaluation["ensemble"]} if evaluation["ensemble"] else {}),
        evaluation["baseline"]: evaluation[evaluation["baseline"]],
        **evaluation["controls"],
    }


def joined(outcomes: Sequence[Either]) -> Either:
    """Several parts' answers as those of one model."""
    first = outcomes[0]
    names = ("truth", "groups", first.said)
    return first.having(**{name: np.concatenate([getattr(o, name) for o in outcomes]) for name in names})


def point(outcome: Answered) -> dict[str, float]:
    """Every metric of its kind, fractions from 0 to 1 (MCC from -1 to 1); NaN where undefined."""
    found = weighted(outcome, np.ones((1, len(outcome.truth))))
    return {
        m: calibration_of(outcome).value if m == "ece" and isinstance(outcome, Outcome) else float(found[m][0])
        for m in outcome.metrics
    }


def against_rest(outcome: Outcome, k: int) -> dict[str, float]:
    """The metrics of one class, by its index, held against all others; NaN where undefined."""
    weights = np.ones((1, len(outcome.truth)))
    found = _against_rest(outcome, k, _confusions(outcome, weights), weights)
    return {metric: float(values[0]) for metric, values in found.items()}


def calibration_of(outcome: Outcome) -> Estimate:
    """The ECE with its interval; of more than two classes the means over those that occur."""
    found = [calibration_error(outcome.probabilities[:, k], outcome.truth == k, outcome.groups) for k in outcome.judged]
    means = mean_of_defined(np.array([(one.value, one.low, one.high) for one in found]))
    return Estimate(*means.tolist())


def mean_of_defined(values: Array) -> Array:
    """Mean over the first axis of what is defined; NaN where nothing is."""
    there = ~np.isnan(values)
    return _ratio(np.where(there, values, 0.0).sum(0), there.sum(0).astype(np.float64))


def confusion(outcome: Outcome) -> NDArray[np.int64]:
    """(classes, classes) counts: rows are the truth, columns the answers."""
    counts: NDArray[np.int64] = _confusions(outcome, np.ones((1, len(outcome.truth))))[0].astype(np.int64)
    return counts


def weighted(outcome: Answered, weights: Array) -> dict[str, Array]:
    """The metrics, without the ECE, when items count several times or not at all.

    Args:
        outcome: the predictions, (n,).
        weights: (b, n) how often each item counts in each of b cases.

    Returns:
        For each metric an array (b,); NaN where undefined.
    """
    return outcome.weighted(weights)


def _confusions(outcome: Outcome, weights: Array) -> Array:
    """Confusion matrices (b, classes, classes) of weights (b, n)."""
    classes = outcome.probabilities.shape[1]
    cells = np.zeros((len(outcome.truth), classes * classes))
    cells[np.arange(len(cells)), outcome.truth * classes + outcome.answers] = 1.0
    return (weights @ cells).reshape(-1, classes, classes)


def _against_rest(outcome: Outcome, k: int, matrix: Array, weights: Array) -> dict[str, Array]:
    """The metrics (b,) of one class against the rest, from confusion matrices (b, classes, classes) and weights."""
    truth, answers, total = matrix.sum(2)[:, k], matrix.sum(1)[:, k], matrix.sum((1, 2))
    tp, is_it, scores = matrix[:, k, k], outcome.truth == k, outcome.probabilities[:, k]
    tn = total - truth - answers + tp
    every, positive = _by_score(scores, is_it, weights)
    return {
        metric: np.where(truth > 0, found, np.nan) if outcome.probabilities.shape[1] > 2 else found
        for metric, found in {
            "precision": _ratio(tp, answers),
            "recall": _ratio(tp, truth),
            "specificity": _ratio(tn, total - truth),
            "npv": _ratio(tn, total - answers),
            "f1": _ratio(2 * tp, answers + truth),
            "auroc": _auroc(every, positive),
            "auprc": _average_precision(every, positive),
            "brier": _ratio(weights @ (scores.clip(0, 1) - is_it) ** 2, total),
        }.items()
    }


def _ratio(above: Array, below: Array) -> Array:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def _of_all(matrix: Array) -> dict[str, Array]:
    """Metrics (b,) of all classes together, from confusion matrices (b, classes, classes)."""
    truth, answers, total = matrix.sum(2), matrix.sum(1), matrix.sum((1, 2))
    right = np.trace(matrix, axis1=1, axis2=2)
    recalls = _ratio(np.diagonal(matrix, axis1=1, axis2=2).copy(), truth)
    single = (truth > 0).sum(1) < 2
    # Gorodkin's K-category correlation, what scikit-learn computes.
    agreement = right * total - (truth * answers).sum(1)
    spread = np.sqrt((total**2 - (answers**2).sum(1)) * (total**2 - (truth**2).sum(1)))
    mcc = np.divide(agreement, spread, out=np.zeros_like(agreement), where=spread > 0)
    return {
        "accuracy": _ratio(right, total),
        "balanced_accuracy": np.where(single, np.nan, mean_of_defined(recalls.T)),
        "mcc": np.where(single, np.nan, mcc),
    }


def _of_order(matrix: Array) -> dict[str, Array]:
    """Metrics (b,) of classes in an order, from confusion matrices (b, classes, classes)."""
    ranks = np.arange(matrix.shape[1], dtype=np.float64)
    away = np.abs(ranks[:, None] - ranks)
    truth, answers, total = matrix.sum(2), matrix.sum(1), matrix.sum((1, 2))
    expected = _ratio(((away**2) * truth[:, :, None] * answers[:, None, :]).sum((1, 2)), total)
    missed = _ratio((away**2 * matrix).sum((1, 2)), expected)
    # Spearman: the correlation of middle ranks, which all items of one label share.
    middles = [counts.cumsum(1) - counts / 2 - total[:, None] / 2 for counts in (truth, answers)]
    together = (matrix * middles[0][:, :, None] * middles[1][:, None, :]).sum((1, 2))
    spreads = [(counts * middle**2).sum(1) for counts, middle in zip((truth, answers), middles, strict=True)]
    return {
        "kappa": 1 - missed,
        "rank_mae": _ratio((away * matrix).sum((1, 2)), total),
        "rank_correlation": _ratio(together, np.sqrt(spreads[0] * spreads[1])),
    }


def _by_score(scores: Array, is_positive: NDArray[np.bool_], weights: Array) -> tuple[Array, Array]:
    """Sums of weights (b, n) over all and over positive items of each different score, rising, (b, u)."""
    different, place = np.unique(scores, return_inverse=True)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(different)))
    every, positive = (np.add.reduceat(w[:, order], starts, axis=1) for w in (weights, weights * is_positive))
    return every, positive


def _auroc(every: Array, positive: Array) -> Array:
    """The share of (positive, other) pairs ranked rightly, ties half, (b,); NaN where one of the two is missing."""
    other = every - positive
    below = other.cumsum(1) - other / 2
    return _ratio((positive * below).sum(1), positive.sum(1) * other.sum(1))


def _average_precision(every: Array, positive: Array) -> Array:
    """Precision at each threshold, weighted by the recall gained there, (b,); NaN where nothing is positive."""
    right, said = positive[:, ::-1], every[:, ::-1].cumsum(1)
    precision = np.divide(right.cumsum(1), said, out=np.zeros_like(said), where=said > 0)
    return _ratio((precision * right).sum(1), right.sum(1))


def mcnemar(first: Outcome, second: Outcome) -> dict[str, float]:
    """McNemar's exact test of two models on the same items: how often just one is right, and the p value."""
    from scipy.stats import binomtest

    right, other = first.answers == first.truth, second.answers == second.truth
    only, only_other = int((right & ~other).sum()), int((other & ~right).sum())
    p = float(binomtest(only, only + only_other).pvalue) if only + only_other else 1.0
    return {"first_only_right": only, "second_only_right": only_other, "p": p}
