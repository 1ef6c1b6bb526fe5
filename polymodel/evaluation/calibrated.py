"""Answers that hold on papers of which nothing was seen: calibrated probabilities, and sets of labels.

Both are learned from what models answered on papers that were held back from them within the training side
(``Run.held_out``), so no test side has a say.

**Probabilities** are ``softmax(slope * logits + shifts)``: for two classes Platt's scaling (Advances in Large Margin
Classifiers, 1999), for more a temperature with a bias a class (Alexandari, Kundaje and Shrikumar, ICML 2020). The
shifts also undo the shares that balanced classes had in training. The order of images does not change.

**Sets** hold every label whose calibrated probability is no lower than what true labels of this class have on held-back
papers, but for a share of 1 - ``COVERAGE`` (split conformal prediction a class: Vovk, ACML 2012). Images of one paper
resemble each other, so each paper counts once, whatever its images, and one more paper might have anything: the
hierarchical quantile of Lee, Barber and Willett (2023, arXiv:2306.06342). Where no label is probable enough, the
one that comes nearest is taken; a set of several labels abstains.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from scipy.stats import t

from polymodel.config import Scoring
from polymodel.data.split import class_indices
from polymodel.evaluation.aggregate import Answers, scored
from polymodel.evaluation.calibration import FEWEST, LEVEL
from polymodel.evaluation.intervals import summarise
from polymodel.evaluation.metrics import LEAST, Array, mean_of_defined, point
from polymodel.kinds.asked import LOGIT
from polymodel.runs.run import PartKey, Run

if TYPE_CHECKING:
    import pandas as pd

COVERAGE = 0.9
"""The share of papers' images whose set is to hold the true label."""
EASE = 1.0
"""How strongly, in answers, the slope is held to 1 and the shifts to 0 where little is known."""


@dataclass(frozen=True)
class Calibration:
    """How logits become probabilities and sets.

    Attributes:
        slope: of the logits; below 1 where they are too sure.
        shifts: (classes) added afterwards; they sum to 0.
        lowest: (classes) the calibrated probability from which on a label belongs to the set.
        threshold: the calibrated probability of the positive class from which on its label gives the best balanced
            accuracy on the held-back papers; None of more than two classes.
        papers: how many it was learned from.
    """

    slope: float
    shifts: tuple[float, ...]
    lowest: tuple[float, ...]
    threshold: float | None
    papers: int

    def chances(self, logits: Array) -> Array:
        """Calibrated probabilities (n, classes) of logits (n, classes)."""
        found: Array = softmax(self.slope * logits + np.array(self.shifts), axis=1)
        return found

    def sets(self, logits: Array) -> NDArray[np.bool_]:
        """Which labels stand in the set of each image, (n, classes)."""
        enough = self.chances(logits) / np.maximum(self.lowest, LEAST)
        found: NDArray[np.bool_] = enough >= np.minimum(1.0, enough.max(1, keepdims=True))
        return found


def calibration_from(facts: Any, classes: int) -> Calibration | None:
    """What a file says of it, as ``vars`` gave it; None where it says nothing.

    Raises:
        KeyError, TypeError, ValueError: if it is something else.
    """
    if facts is None:
        return None
    shifts, lowest = (tuple(float(value) for value in facts[name]) for name in ("shifts", "lowest"))
    threshold = None if facts["threshold"] is None else float(facts["threshold"])
    numbers = np.array([facts["slope"], *shifts, *lowest], dtype=np.float64)
    if len(shifts) != classes or len(lowest) != classes or not np.isfinite(numbers).all():
        raise ValueError("a calibration that does not fit the classes")
    return Calibration(float(facts["slope"]), shifts, lowest, threshold, int(facts["papers"]))


def fit_calibration(
    logits: Array, truth: NDArray[np.int64], groups: NDArray[np.str_], positive: int
) -> Calibration | None:
    """Learn from answers on papers that the models had not seen; None where a class or papers are too few.

    Args:
        logits: (n, classes).
        truth: (n,) class indices.
        groups: (n,) names of the papers.
        positive: index of the positive class.
    """
    classes, papers = logits.shape[1], len(np.unique(groups))
    if papers < FEWEST or len(np.unique(truth)) < classes:
        return None
    rows = np.arange(len(truth))

    def loss(given: Array) -> tuple[float, Array]:
        slope, shifts = np.exp(given[0]), given[1:] - given[1:].mean()
        said = log_softmax(slope * logits + shifts, axis=1)
        wrong = np.exp(said)
        wrong[rows, truth] -= 1
        pull = wrong.sum(0)
        value = -said[rows, truth].sum() + EASE / 2 * (given**2).sum()
        return value, np.array([slope * (wrong * logits).sum(), *(pull - pull.mean())]) + EASE * given

    found = minimize(loss, np.zeros(1 + classes), jac=True, method="L-BFGS-B").x
    slope, shifts = float(np.exp(found[0])), found[1:] - found[1:].mean()
    chances = softmax(slope * logits + shifts, axis=1)
    own = chances[rows, truth]
    lowest = tuple(_lowest(own[truth == k], groups[truth == k]) for k in range(classes))
    threshold = _threshold(chances[:, positive], truth == positive) if classes == 2 else None
    return Calibration(slope, tuple(shifts.tolist()), lowest, threshold, papers)


def _threshold(chances: Array, is_positive: NDArray[np.bool_]) -> float:
    """The best for balanced accuracy; of several the middle one."""
    order = np.argsort(chances, kind="stable")
    tried, right = chances[order], is_positive[order]
    below = np.concatenate([[0.0], np.cumsum(~right) / (~right).sum() - np.cumsum(right) / right.sum()])
    between = np.concatenate([[tried[0]], (tried[1:] + tried[:-1]) / 2, [tried[-1]]])
    best = between[below >= below.max() - 1e-12]
    return float(best[len(best) // 2])


def _lowest(chances: Array, groups: NDArray[np.str_]) -> float:
    """What all but a share of 1 - ``COVERAGE`` of papers' images of one class reach; 0 where papers are too few."""
    return reached_by(chances, groups) or 0.0


def reached_by(scores: Array, groups: NDArray[np.str_]) -> float | None:
    """The highest score (n,) that ``COVERAGE`` of papers' images reach, one more paper having any; None of too few."""
    _, place, counts = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.argsort(-scores, kind="stable")
    share = np.cumsum(1 / counts[place[order]]) / (len(counts) + 1)
    reached = np.flatnonzero(share >= COVERAGE - 1e-9)
    return float(scores[order[reached[0]]]) if len(reached) else None


def calibration_of_parts(run: Run, keys: Sequence[PartKey]) -> Calibration | None:
    """What some parts' held-back answers say together; None where there are too few, as of runs of before.

    Raises:
        InputError: if the answers cannot be read.
    """
    frame = run.held_out(keys)
    if frame is None:
        return None
    truth = class_indices(frame["label"], run.classes, f"The answers held back in {run.name} bear labels that the run")
    groups = frame["group"].to_numpy(dtype=np.str_)
    return fit_calibration(_logits(run, frame), truth, groups, run.classes.index(run.positive))


def _logits(run: Run, frame: pd.DataFrame) -> Array:
    return np.asarray(frame[[LOGIT + label for label in run.classes]].to_numpy(dtype=np.float64))


def calibrated_parts(
    run: Run, frames: Sequence[pd.DataFrame], parts: Sequence[Answers]
) -> list[tuple[Calibration, Array, Answers]] | None:
    """Each part's calibration, raw logits (n, classes) and calibrated answers on its test side.

    Args:
        run: finished.
        frames: the predictions of each planned part.
        parts: what each said of the test side.

    Returns:
        None where a part has nothing to learn from.
    """
    found = []
    for key, frame, part in zip(run.planned, frames, parts, strict=True):
        calibration = calibration_of_parts(run, [key])
        if calibration is None:
            return None
        logits = _logits(run, frame[frame["side"] == "test"])
        said = replace(part.outcome, probabilities=calibration.chances(logits))
        found.append((calibration, logits, replace(part, outcome=said)))
    return found


def calibrated_evaluation(
    run: Run, frames: Sequence[pd.DataFrame], parts: Sequence[Answers], scoring: Scoring
) -> dict[str, Any] | None:
    """How calibrated answers and sets do on the test side, each part by what its own training side taught.

    Args:
        run: finished.
        frames: the predictions of each planned part.
        parts: what each said of the test side.
        scoring: of the run.

    Returns:
        ``metrics``: accuracy, Brier score and ECE of calibrated probabilities, as of ``intervals.summarise``;
        ``threshold``: mean of the parts' thresholds, and the accuracy and balanced accuracy that they give (None of
        more than two classes); ``coverage``: the share that was ``wanted`` and how many images' sets hold their label,
        over ``images`` and over ``papers`` {value, low, high}, ``single`` the share of images whose set is one label,
        and ``single_right`` how many of these are right. None where a part has nothing to learn from.
    """
    known = calibrated_parts(run, frames, parts)
    if known is None:
        return None
    by_threshold, covered, single = [], [], []
    thresholds: list[float] = []
    for calibration, logits, part in known:
        own = part.outcome
        sets = calibration.sets(logits)
        covered.append(sets[np.arange(len(sets)), own.truth])
        single.append(sets.sum(1) == 1)
        if calibration.threshold is not None:
            thresholds.append(calibration.threshold)
            is_it = own.probabilities[:, own.positive] >= calibration.threshold
            answers = np.where(is_it, own.positive, 1 - own.positive)
            by_threshold.append(point(replace(own, probabilities=np.eye(2)[answers])))
    metrics = summarise([one.outcome for one in scored([part for _, _, part in known], scoring)])
    held, alone = np.concatenate(covered), np.concatenate(single)
    groups = np.concatenate([part.outcome.groups for part in parts])
    return {
        "metrics": {name: metrics[name] for name in ("accuracy", "brier", "ece")},
        "threshold": {
            "value": float(np.mean(thresholds)),
            **{name: _mean([one[name] for one in by_threshold]) for name in ("accuracy", "balanced_accuracy")},
        }
        if thresholds
        else None,
        "coverage": {
            "wanted": COVERAGE,
            "images": float(held.mean()),
            "papers": over_papers(held, groups),
            "single": float(alone.mean()),
            "single_right": _mean(held[alone].tolist()),
        },
    }


def _mean(values: Sequence[float]) -> float | None:
    found = float(mean_of_defined(np.array(values, dtype=np.float64))) if len(values) else np.nan
    return None if np.isnan(found) else found


def over_papers(held: NDArray[np.bool_], groups: NDArray[np.str_]) -> dict[str, float | None]:
    """The mean over papers of the share of images whose set holds their label, with the interval of a mean."""
    _, place, counts = np.unique(groups, return_inverse=True, return_counts=True)
    shares = np.bincount(place, weights=held) / counts
    value = float(shares.mean())
    if len(shares) < FEWEST:
        return {"value": value, "low": None, "high": None}
    reach = float(t.ppf((1 + LEVEL) / 2, len(shares) - 1) * shares.std(ddof=1) / np.sqrt(len(shares)))
    return {"value": value, "low": max(value - reach, 0.0), "high": min(value + reach, 1.0)}
