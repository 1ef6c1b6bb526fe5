"""How sure metrics are: 95 % intervals over papers, since images of one paper resemble each other.

Each paper is left out in turn. The variance of a metric is the jackknife's over papers (Efron and Stein, Annals of
Statistics 1981, 9:586; over clusters it leans to the safe side: MacKinnon, Nielsen and Webb, Journal of Applied
Econometrics 2023, 38:671), for AUROC close to that of Obuchowski (Biometrics 1997, 53:567). The interval is taken on
the logit scale, so it stays between 0 and 1, with a quantile of Student's t. Few papers may hold the rarer label and do
most of the varying, so the degrees of freedom are those of a sum of variances, one a label (Satterthwaite, Biometrics
Bulletin 1946, 2:110): what varies when a paper's images of that label alone are left out, from as many papers as hold
it. Numbers are of one stratum. An error in a unit, which has no upper end, is taken on the scale of its logarithm.

Where all is right or wrong, nothing varies: there the interval is Wilson's score interval (JASA 1927, 22:209) as if
each paper were one answer. Where fewer than ``FEWEST_PAPERS`` hold a label, or below ``FEWEST`` degrees of freedom,
none is given, for it would not hold (docs: benchmarks).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polymodel.evaluation.answered import LOWER_IS_BETTER, NO_FRACTIONS, SIGNED, UP_TO_ONE, Answered
from polymodel.evaluation.calibration import LEVEL, Estimate
from polymodel.evaluation.metrics import Array, Outcome, calibration_of, joined, mean_of_defined, point, weighted

INTERVAL = "95 %, each paper left out in turn (jackknife), logit scale, t quantiles"
"""How the intervals are made, in words."""
FEWEST = 2.0
"""Degrees of freedom below which no interval is given."""
FEWEST_PAPERS = 3
"""Papers of the rarest label below which metrics that compare labels get no interval."""
OF_IMAGES = ("accuracy", "brier")
"""Metrics that are a mean over images, whatever their label."""
BLOCKS = 500
"""More papers than these are put together by chance into so many blocks (delete-a-group jackknife: Kott, Journal of
Official Statistics 2001, 17:521), so that time does not grow with their square."""
AT_ONCE = 200
"""So many are left out at once, so that memory grows with the images alone."""
SAME = 1e-9
"""What moves a metric by less is rounding."""
Index = NDArray[np.int64]
Summary = dict[str, object]


@dataclass(frozen=True)
class Varied:
    """How a number varies with the papers: its variance, and from how many degrees of freedom that is known."""

    variance: float
    freedom: float


def summarise(outcomes: Sequence[Answered]) -> dict[str, Summary]:
    """Every metric with its 95 % interval.

    Over several parts a paper is left out of all of them, and the interval is that of their mean, so it speaks of
    papers, not of folds or seeds; ``sd`` (n - 1) speaks of those. The ECE is of all parts' answers together.

    Args:
        outcomes: one for each part, or for each set of parts that are scored as one.

    Returns:
        For one outcome {metric: {value, low, high}}, for several {metric: {mean, sd, low, high, values}}.
        None stands where a metric has no meaning, for an interval where there are too few papers, and for all where
        all items have one label.
    """
    points = [point(outcome) for outcome in outcomes]
    together = joined(outcomes)
    metrics, scorable = outcomes[0].metrics, together.is_scorable
    if not scorable:
        points = [dict.fromkeys(metrics, np.nan) for _ in points]
    means = {m: float(mean_of_defined(np.array([p[m] for p in points]))) for m in metrics}
    varied = _varied([outcomes])
    papers = _papers(together)
    summary: dict[str, Summary] = {}
    for metric in metrics:
        if metric == "ece" and isinstance(together, Outcome):
            found = calibration_of(together) if scorable else Estimate()
            value, low, high = found.value, found.low, found.high
        else:
            value = means[metric]
            count = len(np.unique(together.groups)) if metric in OF_IMAGES else min(papers.values())
            low, high = _between(metric, value, varied[metric], count)
        between = {"low": _number(low), "high": _number(high)}
        if len(outcomes) == 1:
            summary[metric] = {"value": _number(value), **between}
        else:
            values = np.array([p[metric] for p in points])
            summary[metric] = {**spread(values), "mean": _number(value), **between}
    return summary


def differences(first: Sequence[Answered], second: Sequence[Answered]) -> dict[str, Summary]:
    """Each metric's mean over the parts of one model less that of another, each paper left out of both at once.

    Args:
        first, second: their parts, on the same images altogether, which are of the same groups in both.

    Returns:
        {metric: {value, low, high}}; no interval for the ECE, nor where too few papers tell the two apart or none does.
    """
    points = [[point(outcome) for outcome in outcomes] for outcomes in (first, second)]
    together = [joined(outcomes) for outcomes in (first, second)]
    varied = _varied([first, second])
    one_image = 1 / min(len(both.truth) for both in together)
    same = len(first) == len(second) and all(
        getattr(a, a.said).shape == getattr(b, b.said).shape and np.allclose(getattr(a, a.said), getattr(b, b.said))
        for a, b in zip(first, second, strict=False)
    )
    found: dict[str, Summary] = {}
    for metric in first[0].metrics:
        if metric == "ece":
            mine, theirs = (calibration_of(both).value for both in together if isinstance(both, Outcome))
        else:
            mine, theirs = (float(mean_of_defined(np.array([p[metric] for p in own]))) for own in points)
        between: Summary = {"low": None, "high": None}
        if metric != "ece" and not same and varied[metric].freedom >= FEWEST:
            # Where both do alike on every paper, as if one image of one paper told them apart.
            reach = _t(varied[metric].freedom) * (np.sqrt(varied[metric].variance) or one_image)
            between = {"low": _number(mine - theirs - reach), "high": _number(mine - theirs + reach)}
        found[metric] = {"value": _number(mine - theirs), **between}
    return found


def _varied(models: Sequence[Sequence[Answered]]) -> dict[str, Varied]:
    """How each metric's mean over the parts varies with the papers, of one model or of the difference of two."""
    everything = joined([outcome for outcomes in models for outcome in outcomes])
    names, place = np.unique(everything.groups, return_inverse=True)
    blocks = np.random.default_rng(0).permutation(len(names)) % BLOCKS
    unit = np.unique(blocks[place], return_inverse=True)[1]
    labelled, own = np.unique(np.stack([everything.strata, unit]), axis=1, return_inverse=True)
    rarest = min(_papers(everything).values())
    papers = _left_out(models, unit, int(unit.max()) + 1)
    by_label = _left_out(models, own.ravel(), labelled.shape[1] + 1)  # the last one leaves nothing out
    found = {}
    for metric in papers:
        values, count = papers[metric], len(papers[metric])
        variance = (count - 1) / count * float(((values - values.mean()) ** 2).sum())
        moved = (by_label[metric] - by_label[metric][-1])[:-1]
        moved[np.abs(moved) < SAME] = 0.0
        parts = [(float((moved[of] ** 2).sum()), int((moved[of] != 0).sum()))
                 for of in (labelled[0] == k for k in np.unique(labelled[0]))]  # fmt: skip
        total = sum(square for square, _ in parts)
        if total > 0:
            freedom = total**2 / sum(square**2 / max(count - 1, 0.1) for square, count in parts)
        else:
            freedom = rarest - 1.0
        too_few = rarest < FEWEST_PAPERS and metric not in OF_IMAGES
        if too_few or np.isnan(variance) or np.isnan(freedom):
            variance, freedom = np.nan, 0.0
        found[metric] = Varied(variance if variance > SAME**2 else 0.0, freedom)
    return found


def _left_out(models: Sequence[Sequence[Answered]], unit: Index, count: int) -> dict[str, Array]:
    """The metrics, mean over parts, of the first model less the second if there is one, without each unit in turn.

    Args:
        models: their parts.
        unit: number of each item's unit, over all parts of all models one after the other.
        count: units are numbered from 0 to below it; one that no item is of leaves all as it is.

    Returns:
        {metric: (units,)}.
    """
    begin = 0
    means = []
    for outcomes in models:
        parts = []
        for outcome in outcomes:
            own = unit[begin : begin + len(outcome.truth)]
            begin += len(own)
            different = np.append(np.unique(own), -1)  # what stands for all units that this part lacks
            blocks = [weighted(outcome, (own != different[k : k + AT_ONCE, None]).astype(np.float64))
                      for k in range(0, len(different), AT_ONCE)]  # fmt: skip
            rows = np.full(count, len(different) - 1)
            rows[different[:-1]] = np.arange(len(different) - 1)
            parts.append({metric: np.concatenate([block[metric] for block in blocks])[rows] for metric in blocks[0]})
        means.append({metric: mean_of_defined(np.stack([part[metric] for part in parts])) for metric in parts[0]})
    return means[0] if len(means) == 1 else {metric: means[0][metric] - means[1][metric] for metric in means[0]}


def _papers(outcome: Answered) -> dict[int, int]:
    """How many papers hold each stratum that occurs: each label, or any number."""
    return {k: len(np.unique(outcome.groups[outcome.strata == k])) for k in np.unique(outcome.strata).tolist()}


def _between(metric: str, value: float, varied: Varied, papers: int) -> tuple[float, float]:
    """The interval of a metric, by the scale on which it has no end; from -1 to 1 as if it ran from 0 to 1."""
    if metric in NO_FRACTIONS:
        return _above_zero(value, varied)
    if metric in UP_TO_ONE:
        low, high = _above_zero(1 - value, varied)
        return 1 - high, 1 - low
    if metric not in SIGNED:
        return bounded(value, varied, papers)
    low, high = bounded((1 + value) / 2, Varied(varied.variance / 4, varied.freedom), papers)
    return 2 * low - 1, 2 * high - 1


def _above_zero(value: float, varied: Varied) -> tuple[float, float]:
    """The interval of a number from 0 upwards, on the scale of its logarithm; NaN where there is none."""
    if not varied.freedom >= FEWEST or not value > SAME or varied.variance == 0:
        return np.nan, np.nan
    reach = float(np.exp(min(_t(varied.freedom) * np.sqrt(varied.variance) / value, 500)))
    return value / reach, value * reach


def bounded(value: float, varied: Varied, papers: int) -> tuple[float, float]:
    """The 95 % interval of a number from 0 to 1; NaN where there is none.

    Args:
        value: the number.
        varied: how it varies.
        papers: how many speak of it, for a value that is 0 or 1 and so varies nowhere.
    """
    if not varied.freedom >= FEWEST or np.isnan(value):
        return np.nan, np.nan
    if SAME < value < 1 - SAME:
        if varied.variance == 0:
            return np.nan, np.nan  # it does not depend on the papers: an AUROC of answers that are all the same
        centre = np.log(value / (1 - value))
        reach = _t(varied.freedom) * np.sqrt(varied.variance) / (value * (1 - value))
        ends = 1 / (1 + np.exp(-np.clip([centre - reach, centre + reach], -500, 500)))
        return float(ends[0]), float(ends[1])
    missed = _t(papers - 1) ** 2 / papers
    missed /= 1 + missed
    return (0.0, missed) if value < 0.5 else (1 - missed, 1.0)


def _t(freedom: float) -> float:
    from scipy.stats import t

    return float(t.ppf((1 + LEVEL) / 2, freedom))


def _number(value: float | np.floating) -> float | None:
    return None if np.isnan(value) else float(value)


def spread(values: Array) -> Summary:
    """Mean, sd (n - 1) and all ``values`` of a metric over parts, seeds or people; None where it has no meaning."""
    known = values[~np.isnan(values)]
    return {
        "mean": float(known.mean()) if len(known) else None,
        "sd": float(known.std(ddof=1)) if len(known) > 1 else None,
        "values": [_number(v) for v in values],
    }


def wilson(accuracy: float, items: int) -> tuple[float, float]:
    """Wilson's 95 % interval of an accuracy, as if the items were independent of each other."""
    from scipy.stats import binomtest

    found = binomtest(round(accuracy * items), items).proportion_ci(LEVEL, method="wilson")
    return float(found.low), float(found.high)


def over_seeds(outcomes: Sequence[Answered], seeds: Sequence[int]) -> dict[str, Summary]:
    """Each metric's mean over the parts of each seed, and how it varies over seeds.

    Args:
        outcomes: one for each part.
        seeds: of each part.

    Returns:
        {metric: {mean, sd, values, best}}, ``values`` in the order of the seeds; None where it has no meaning.
    """
    points = [point(outcome) for outcome in outcomes]
    found: dict[str, Summary] = {}
    for metric in outcomes[0].metrics:
        of_seeds = [[p[metric] for p, own in zip(points, seeds, strict=True) if own == s] for s in sorted(set(seeds))]
        values = np.array([float(mean_of_defined(np.array(own))) for own in of_seeds])
        known = values[~np.isnan(values)]
        best = (known.min() if metric in LOWER_IS_BETTER else known.max()) if len(known) else np.nan
        found[metric] = {**spread(values), "best": _number(best)}
    return found


def within_groups(outcomes: Sequence[Outcome]) -> Summary:
    """AUROC among the images of one paper, the mean over papers that have both labels.

    A paper that several parts test counts once, with the mean over these parts.

    Returns:
        {value, low, high, groups, images}; the interval is that of a mean over those papers.
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
    count, mean = len(values), float(values.mean())
    varied = Varied(float(values.var(ddof=1)) / count if count > 1 else np.nan, count - 1.0)
    low, high = bounded(mean, varied, count)
    counts: Summary = {"groups": count, "images": sum(sizes.values())}
    return {"value": mean, "low": _number(low), "high": _number(high), **counts}
