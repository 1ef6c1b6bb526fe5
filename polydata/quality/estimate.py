"""Precision and recall of a whole from a stratified sample, with intervals that hold where little was judged.

What was judged is known; of the rest of each stratum it is not known how much of what was found is right, and how much
was missed. Both are drawn from what the judged part says of them. For the lower end half a thing is taken for seen
beforehand (Jeffreys), so that nothing missed in twenty pages is not nothing missed; for the upper end nothing is wrong
or missed that was not seen. Units (pages, figures) of which several things hang together count for fewer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DRAWS = 20_000
LEVEL = 0.95
JEFFREYS, NOTHING = 0.5, 1e-9
"""What is taken for seen beforehand: by the lower end, and of what is wrong or missed by the upper end."""
DOUBT = 2
"""So many units with something wrong tell as much of how wrong things hang together as what is assumed of it."""
TOGETHER = 2.0
"""Things that are missed at once, until units tell."""
Counts = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Stratum:
    """What was judged of a part of the corpus.

    Attributes:
        units: how many it has, judged or not.
        found: how many things were found in all of them.
        judged: units x 3, of each judged unit how many were found, how many of these are right, how many were missed.
        single: a unit is one thing, so it misses one at most.
    """

    units: int
    found: int
    judged: Counts
    single: bool = False


@dataclass(frozen=True)
class Estimate:
    """A share of the whole.

    Attributes:
        value: 0 to 1; None where nothing can be said.
        low, high: its 95 % interval; None likewise.
    """

    value: float | None
    low: float | None
    high: float | None


def estimate(strata: Sequence[Stratum]) -> tuple[Estimate, Estimate]:
    """Precision (right among found) and recall (found and right among all that is there).

    Args:
        strata: together the whole; one with units of which none was judged leaves both open, and so does one in which
            things were found, and none of them in what was judged: nothing says how many of these are right.

    Returns:
        Precision and recall.
    """
    strata = [one for one in strata if one.units]
    if not strata or any(not len(one.judged) or (one.found and not one.judged[:, 0].any()) for one in strata):
        return (Estimate(None, None, None),) * 2
    right = missed = 0.0
    for one in strata:
        known, right_known, missed_known = one.judged.sum(0)
        right += right_known + (max(one.found - known, 0) * right_known / known if known else 0.0)
        missed += missed_known * one.units / len(one.judged)
    found = float(sum(one.found for one in strata))
    low, high = _drawn(strata, found, JEFFREYS), _drawn(strata, found, NOTHING)
    return (
        _summary(float(right / found) if found else None, low[0], high[0]),
        _summary(float(right / (right + missed)) if right + missed else None, low[1], high[1]),
    )


def _drawn(strata: Sequence[Stratum], found: float, prior: float) -> tuple[Counts, Counts]:
    """Precision and recall of wholes that fit what was judged, ``DRAWS`` of each.

    Args:
        strata: each with something judged.
        found: in all of them.
        prior: how many wrong and missed ones are taken for seen beforehand.
    """
    rng = np.random.default_rng(0)
    right, missed = np.zeros(DRAWS), np.zeros(DRAWS)
    for one in strata:
        known, right_known, missed_known = one.judged.sum(0)
        right += right_known + _rest_right(rng, one.judged, max(one.found - known, 0), prior)
        missed += missed_known + _rest_missed(rng, one, one.units - len(one.judged), prior)
    with np.errstate(invalid="ignore", divide="ignore"):
        return right / found, right / (right + missed)


def _rest_right(rng: np.random.Generator, judged: Counts, left: float, prior: float) -> Counts:
    """How many of what was found elsewhere in the stratum are right."""
    known, right, _ = judged.sum(0)
    effect = _clustering(judged[:, 0], judged[:, 1])
    share = rng.beta(right / effect + JEFFREYS, (known - right) / effect + prior, DRAWS)
    return rng.binomial(int(left), share).astype(np.float64)


def _rest_missed(rng: np.random.Generator, one: Stratum, left: int, prior: float) -> Counts:
    """How many were missed elsewhere in the stratum."""
    missed, count = one.judged[:, 2], len(one.judged)
    if one.single:
        share = rng.beta(missed.sum() + prior, count - missed.sum() + JEFFREYS, DRAWS)
        return rng.binomial(left, share).astype(np.float64)
    mean = missed.mean()
    effect = max(1.0, float(missed.var(ddof=1) / mean)) if count > 1 and mean else 1.0
    effect = (missed.sum() * effect + DOUBT * TOGETHER) / (missed.sum() + DOUBT)
    rate = rng.gamma(missed.sum() / effect + prior, effect / count, DRAWS)
    return rng.poisson(rate * left).astype(np.float64)


def _clustering(found: Counts, right: Counts) -> float:
    """By how much fewer the things of these units count than as many that know nothing of each other; at least 1.

    Where all are right or all are wrong that cannot be seen, and the things of a unit are taken for one; where few
    units tell, they do so half and half.
    """
    total = found.sum()
    if not total:
        return 1.0
    worst = float((found**2).sum() / total)
    share, units = right.sum() / total, int((found > 0).sum())
    if not 0 < share < 1 or units < 2:
        return worst
    residual = ((right - share * found) ** 2).sum() * units / (units - 1)
    seen = min(max(1.0, float(residual / (total * share * (1 - share)))), worst)
    telling = int((right < found).sum())
    return (telling * seen + DOUBT * worst) / (telling + DOUBT)


def _summary(value: float | None, cautious: Counts, hopeful: Counts) -> Estimate:
    cautious, hopeful = cautious[np.isfinite(cautious)], hopeful[np.isfinite(hopeful)]
    if value is None or not len(cautious) or not len(hopeful):
        return Estimate(None, None, None)
    low, high = np.quantile(cautious, (1 - LEVEL) / 2), np.quantile(hopeful, (1 + LEVEL) / 2)
    return Estimate(value, min(float(low), value), max(float(high), value))
