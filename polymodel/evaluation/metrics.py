"""Metrics of predictions, and their intervals by a bootstrap over groups.

scikit-learn computes every metric itself. For the thousands of resamples of a bootstrap the same formulae are
applied to counts per group, which is exact and fast; the tests hold the two against each other.

A metric that has no meaning is NaN: recall where no item is positive, precision where none was called
positive, and AUROC, balanced accuracy and MCC where only one class occurs; AUPRC where no item is positive.

AUPRC is the average precision. Brier score and ECE are of the positive class's probability: the mean square of its
error, and the mean gap between probability and frequency over ten bins that hold the same number of items each
(items of equal probability share a bin).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TITLES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "precision": "precision",
    "recall": "recall",
    "specificity": "specificity",
    "npv": "NPV",
    "f1": "F1",
    "mcc": "MCC",
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "brier": "Brier score",
    "ece": "ECE",
}
"""What each metric is called where people read it."""
METRICS = tuple(TITLES)
LOWER_IS_BETTER = ("brier", "ece")
ECE_BINS = 10
RESAMPLES = 2000
INTERVAL = f"95 %, percentiles of {RESAMPLES} resamples of papers, seed 0"
"""How the intervals are made, in words."""
RESAMPLES_AT_ONCE = 200
"""So the memory for them does not grow with their number."""
LEVEL = 0.95


@dataclass(frozen=True)
class Outcome:
    """What a model said of one side of one part.

    Attributes:
        truth: (n,) class indices.
        probabilities: (n, classes); the largest is the answer.
        groups: (n,) names of the papers.
        positive: index of the positive class. Precision, recall, specificity, NPV, F1 and AUROC hold it
            against all others.
    """

    truth: NDArray[np.int64]
    probabilities: Array
    groups: NDArray[np.str_]
    positive: int

    @property
    def answers(self) -> NDArray[np.int64]:
        """(n,) class indices."""
        best: NDArray[np.int64] = self.probabilities.argmax(1)
        return best

    def at(self, places: NDArray[np.int64] | NDArray[np.bool_]) -> Outcome:
        """The same of some of the items, by their numbers or a mask."""
        return Outcome(self.truth[places], self.probabilities[places], self.groups[places], self.positive)


def centre_of(summary: Mapping[str, Any]) -> float | None:
    """The value of a metric, or its mean over parts."""
    value: float | None = summary["value"] if "value" in summary else summary["mean"]
    return value


def rows(evaluation: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The model and what stands beside it, by name: {metric: summary} each."""
    return {
        "model": {metric: evaluation[metric] for metric in METRICS},
        "majority": evaluation["majority"],
        **evaluation["controls"],
    }


def joined(outcomes: Sequence[Outcome]) -> Outcome:
    """Several parts' answers as those of one model."""
    return Outcome(
        np.concatenate([o.truth for o in outcomes]),
        np.concatenate([o.probabilities for o in outcomes]),
        np.concatenate([o.groups for o in outcomes]),
        outcomes[0].positive,
    )


def point(outcome: Outcome) -> dict[str, float]:
    """Every metric of ``METRICS`` as a fraction (MCC from -1 to 1); NaN where undefined."""
    from sklearn import metrics as sk

    truth, answers = outcome.truth, outcome.answers
    is_positive, said_positive = truth == outcome.positive, answers == outcome.positive
    present = np.unique(truth)
    binary, each = {"zero_division": np.nan}, {"labels": present, "average": "macro"}
    single = len(present) < 2
    scores = outcome.probabilities[:, outcome.positive]
    return {
        "accuracy": float(sk.accuracy_score(truth, answers)),
        "balanced_accuracy": np.nan if single else float(sk.recall_score(truth, answers, **each)),
        "precision": float(sk.precision_score(is_positive, said_positive, **binary)),
        "recall": float(sk.recall_score(is_positive, said_positive, **binary)),
        "specificity": float(sk.recall_score(is_positive, said_positive, pos_label=False, **binary)),
        "npv": float(sk.precision_score(is_positive, said_positive, pos_label=False, **binary)),
        "f1": float(sk.f1_score(is_positive, said_positive, **binary)),
        "mcc": np.nan if single else float(sk.matthews_corrcoef(truth, answers)),
        "auroc": (float(sk.roc_auc_score(is_positive, scores)) if 0 < is_positive.sum() < len(is_positive) else np.nan),
        "auprc": float(sk.average_precision_score(is_positive, scores)) if is_positive.any() else np.nan,
        "brier": float(sk.brier_score_loss(is_positive, scores.clip(0, 1), pos_label=True)),
        "ece": float(_calibration_error(*_by_score(scores, is_positive, np.ones((1, len(scores)))))[0]),
    }


def confusion(outcome: Outcome) -> NDArray[np.int64]:
    """(classes, classes) counts: rows are the truth, columns the answers."""
    from sklearn.metrics import confusion_matrix

    labels = np.arange(outcome.probabilities.shape[1])
    counts: NDArray[np.int64] = confusion_matrix(outcome.truth, outcome.answers, labels=labels)
    return counts


def weighted(outcome: Outcome, names: NDArray[np.str_], weights: Array) -> dict[str, Array]:
    """The metrics when each group counts several times or not at all.

    Args:
        outcome: the predictions.
        names: (g,) all groups, sorted; those of ``outcome`` are among them.
        weights: (b, g) how often each group counts in each resample.

    Returns:
        For each of ``METRICS`` an array (b,); NaN where undefined.
    """
    present, place = np.unique(outcome.groups, return_inverse=True)
    mine = weights[:, np.searchsorted(names, present)]
    classes = outcome.probabilities.shape[1]
    per_group = np.zeros((len(present), classes, classes))
    np.add.at(per_group, (place, outcome.truth, outcome.answers), 1.0)
    matrix = np.einsum("bg,gij->bij", mine, per_group)
    is_positive, scores = outcome.truth == outcome.positive, outcome.probabilities[:, outcome.positive]
    items = mine[:, place]
    different, every, positive = _by_score(scores, is_positive, items)
    square = (scores.clip(0, 1) - is_positive) ** 2
    return _from_confusion(matrix, outcome.positive) | {
        "auroc": _auroc(every, positive),
        "auprc": _average_precision(every, positive),
        "brier": _ratio(items @ square, items.sum(1)),
        "ece": _calibration_error(different, every, positive),
    }


def _ratio(above: Array, below: Array) -> Array:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def _from_confusion(matrix: Array, positive: int) -> dict[str, Array]:
    """Metrics (b,) from confusion matrices (b, classes, classes)."""
    truth, answers, total = matrix.sum(2), matrix.sum(1), matrix.sum((1, 2))
    right = np.trace(matrix, axis1=1, axis2=2)
    tp, real, said = matrix[:, positive, positive], truth[:, positive], answers[:, positive]
    tn = total - real - said + tp
    recalls = _ratio(np.diagonal(matrix, axis1=1, axis2=2).copy(), truth)
    single = (truth > 0).sum(1) < 2
    balanced = np.where(single, np.nan, np.nansum(recalls, axis=1) / np.maximum(1, (truth > 0).sum(1)))
    # Gorodkin's K-category correlation, what scikit-learn computes.
    agreement = right * total - (truth * answers).sum(1)
    spread = np.sqrt((total**2 - (answers**2).sum(1)) * (total**2 - (truth**2).sum(1)))
    mcc = np.divide(agreement, spread, out=np.zeros_like(agreement), where=spread > 0)
    return {
        "accuracy": _ratio(right, total),
        "balanced_accuracy": balanced,
        "precision": _ratio(tp, said),
        "recall": _ratio(tp, real),
        "specificity": _ratio(tn, total - real),
        "npv": _ratio(tn, total - said),
        "f1": _ratio(2 * tp, said + real),
        "mcc": np.where(single, np.nan, mcc),
    }


def _by_score(scores: Array, is_positive: NDArray[np.bool_], weights: Array) -> tuple[Array, Array, Array]:
    """The different scores (u,), rising; sums of weights (b, n) over all and over positive items of each, (b, u)."""
    different, place = np.unique(scores, return_inverse=True)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(different)))
    every, positive = (np.add.reduceat(w[:, order], starts, axis=1) for w in (weights, weights * is_positive))
    return different, every, positive


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


def _calibration_error(different: Array, every: Array, positive: Array) -> Array:
    """Expected calibration error (b,) over ``ECE_BINS`` bins of equal mass."""
    total = every.sum(1, keepdims=True)
    middle = (every.cumsum(1) - every / 2) * ECE_BINS
    bins = np.minimum(np.floor(_ratio(middle, np.broadcast_to(total, middle.shape))), ECE_BINS - 1)
    gaps = every * different - positive
    return _ratio(sum(np.abs(np.where(bins == k, gaps, 0.0).sum(1)) for k in range(ECE_BINS)), total[:, 0])


def summarise(outcomes: Sequence[Outcome], seed: int = 0, resamples: int = RESAMPLES) -> dict[str, dict[str, object]]:
    """Every metric with its 95 % interval.

    Groups are drawn with replacement, all items of a group together, and the same draw is applied to every
    part; the interval is that of the percentiles. Over several parts it is the interval of their mean, so it
    speaks of papers, not of folds or seeds; ``sd`` (n - 1) speaks of those. Resamples in which a metric has no
    meaning are left out.

    Args:
        outcomes: one for each part.
        seed: of the draws.
        resamples: how many draws.

    Returns:
        For one part {metric: {value, low, high}}, for several {metric: {mean, sd, low, high, values}};
        None stands where a metric has no meaning.
    """
    points = [point(outcome) for outcome in outcomes]
    drawn = _resampled(outcomes, seed, resamples)
    summary: dict[str, dict[str, object]] = {}
    for metric in METRICS:
        values = np.array([p[metric] for p in points])
        between = _interval(_mean(np.stack([d[metric] for d in drawn])))
        if len(outcomes) == 1:
            summary[metric] = {"value": _number(values[0]), **between}
        else:
            summary[metric] = {**spread(values), "mean": _number(_mean(values[:, None])[0]), **between}
    return summary


def spread(values: Array) -> dict[str, object]:
    """Mean, sd (n - 1) and all ``values`` of a metric over parts, seeds or people; None where it has no meaning."""
    known = values[~np.isnan(values)]
    return {
        "mean": float(known.mean()) if len(known) else None,
        "sd": float(known.std(ddof=1)) if len(known) > 1 else None,
        "values": [_number(v) for v in values],
    }


def _resampled(outcomes: Sequence[Outcome], seed: int, resamples: int) -> list[dict[str, Array]]:
    """The metrics of each outcome in every resample of all groups, (resamples,); the same draws for all outcomes."""
    names = np.unique(np.concatenate([outcome.groups for outcome in outcomes]))
    shares = np.full(len(names), 1 / len(names))
    rng = np.random.default_rng(seed)
    blocks = []
    for begin in range(0, resamples, RESAMPLES_AT_ONCE):
        draws = rng.multinomial(len(names), shares, size=min(RESAMPLES_AT_ONCE, resamples - begin))
        blocks.append([weighted(outcome, names, draws.astype(np.float64)) for outcome in outcomes])
    return [{m: np.concatenate([part[m] for part in parts]) for m in METRICS} for parts in zip(*blocks, strict=True)]


def _mean(values: Array) -> Array:
    """Mean over the first axis of what is defined; NaN where nothing is."""
    there = ~np.isnan(values)
    return _ratio(np.where(there, values, 0.0).sum(0), there.sum(0).astype(np.float64))


def _interval(values: Array) -> dict[str, float | None]:
    defined = values[~np.isnan(values)]
    ends = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).tolist() if len(defined) else (None, None)
    return dict(zip(("low", "high"), ends, strict=True))


def _number(value: float | np.floating) -> float | None:
    return None if np.isnan(value) else float(value)


def wilson(accuracy: float, items: int) -> tuple[float, float]:
    """Wilson's 95 % interval of an accuracy, as if the items were independent of each other."""
    from scipy.stats import binomtest

    found = binomtest(round(accuracy * items), items).proportion_ci(LEVEL, method="wilson")
    return float(found.low), float(found.high)


def over_seeds(outcomes: Sequence[Outcome], seeds: Sequence[int]) -> dict[str, dict[str, object]]:
    """Each metric's mean over the parts of each seed, and how it varies over seeds.

    Args:
        outcomes: one for each part.
        seeds: of each part.

    Returns:
        {metric: {mean, sd, values, best}}, ``values`` in the order of the seeds; None where it has no meaning.
    """
    points = [point(outcome) for outcome in outcomes]
    found: dict[str, dict[str, object]] = {}
    for metric in METRICS:
        of_seeds = [[p[metric] for p, own in zip(points, seeds, strict=True) if own == s] for s in sorted(set(seeds))]
        values = np.array([_mean(np.array(own)[:, None])[0] for own in of_seeds])
        known = values[~np.isnan(values)]
        best = (known.min() if metric in LOWER_IS_BETTER else known.max()) if len(known) else np.nan
        found[metric] = {**spread(values), "best": _number(best)}
    return found


def within_groups(outcomes: Sequence[Outcome], seed: int = 0, resamples: int = RESAMPLES) -> dict[str, object]:
    """AUROC among the images of one paper, the mean over papers that have both labels.

    A paper that several parts test counts once, with the mean over these parts.

    Returns:
        {value, low, high, groups, images}; the interval is of a bootstrap over those papers.
    """
    from sklearn.metrics import roc_auc_score

    areas: defaultdict[str, list[float]] = defaultdict(list)
    sizes: dict[str, int] = {}
    for outcome in outcomes:
        for name in np.unique(outcome.groups).tolist():
            own = outcome.at(outcome.groups == name)
            is_positive = own.truth == own.positive
            if 0 < is_positive.sum() < len(is_positive):
                areas[name].append(float(roc_auc_score(is_positive, own.probabilities[:, own.positive])))
                sizes[name] = len(is_positive)
    values = np.array([np.mean(areas[name]) for name in sorted(areas)])
    if not len(values):
        return {"value": None, "low": None, "high": None, "groups": 0, "images": 0}
    draws = np.random.default_rng(seed).integers(len(values), size=(resamples, len(values)))
    counts = {"groups": len(values), "images": sum(sizes.values())}
    return {"value": float(values.mean()), **_interval(values[draws].mean(1)), **counts}


def differences(
    first: Sequence[Outcome], second: Sequence[Outcome], seed: int = 0, resamples: int = RESAMPLES
) -> dict[str, dict[str, float | None]]:
    """Each metric's mean over the parts of one model less that of another, with a paired bootstrap over papers.

    Args:
        first, second: their parts, on the same images altogether, which are of the same groups in both.
        seed: of the draws, which are the same for all parts.
        resamples: how many draws.

    Returns:
        {metric: {value, low, high}}.
    """
    drawn = _resampled([*first, *second], seed, resamples)
    points = [point(outcome) for outcome in (*first, *second)]

    def difference(values: Sequence[Array]) -> Array:
        mine, theirs = np.stack(values[: len(first)]), np.stack(values[len(first) :])
        return _mean(mine) - _mean(theirs)

    found = {}
    for metric in METRICS:
        value = difference([np.array([p[metric]]) for p in points])[0]
        found[metric] = {"value": _number(value), **_interval(difference([d[metric] for d in drawn]))}
    return found


def mcnemar(first: Outcome, second: Outcome) -> dict[str, float]:
    """McNemar's exact test of two models on the same items: how often just one is right, and the p value."""
    from scipy.stats import binomtest

    right, other = first.answers == first.truth, second.answers == second.truth
    only, only_other = int((right & ~other).sum()), int((other & ~right).sum())
    p = float(binomtest(only, only + only_other).pvalue) if only + only_other else 1.0
    return {"first_only_right": only, "second_only_right": only_other, "p": p}
