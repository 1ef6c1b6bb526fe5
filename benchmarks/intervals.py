"""Whether 95 % intervals hold: simulated test sides of few papers, of which the truth is known.

    intervals.py [--simulations 1000] [--papers 6 12 24 100] [--before 300]

Papers are of uneven size (one image and more, four on average). Labels resemble each other within a paper (a paper's
share of positives is drawn from a beta distribution, intra-class correlation 0.4), and so do scores. Printed are the
share of intervals that hold the value of a very large sample, the share of test sides for which no interval is given,
and the median width; beside them percentiles of resamples of papers (500; 2,000 were used before).
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polymodel.evaluation.answered import METRICS
from polymodel.evaluation.intervals import Summary, differences, summarise
from polymodel.evaluation.metrics import Outcome, point, weighted

Array = NDArray[np.float64]
POSITIVES, ALIKE, IMAGES = 0.2, 0.4, 4.2
TRUTH_PAPERS = 40_000


def labels_in_papers(rng: np.random.Generator, papers: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Labels (n,), and the number of each image's paper (n,)."""
    sizes = 1 + rng.negative_binomial(1, 1 / IMAGES, papers)
    shares = rng.beta(POSITIVES * (1 / ALIKE - 1), (1 - POSITIVES) * (1 / ALIKE - 1), papers)
    place = np.repeat(np.arange(papers), sizes)
    return (rng.random(len(place)) < shares[place]).astype(np.int64), place


def scored(rng: np.random.Generator, labels: NDArray[np.int64], place: NDArray[np.int64], noise: Array) -> Outcome:
    """Answers of a model to these images; a part of its errors is its own for each paper."""
    of_papers = 0.7 * rng.normal(size=place.max() + 1)[place]
    chance = 1 / (1 + np.exp(-1.1 * (2.0 * (labels - 0.5) + of_papers + noise) + 1))
    return Outcome(labels, np.column_stack([1 - chance, chance]), place.astype(np.str_), 1)


def drawn(rng: np.random.Generator, papers: int) -> Outcome:
    """A model's answers to a test side."""
    labels, place = labels_in_papers(rng, papers)
    return scored(rng, labels, place, rng.normal(size=len(labels)))


def pair(rng: np.random.Generator, papers: int, changed: float) -> tuple[Outcome, Outcome]:
    """Two models that are equally good; a share of the answers differs."""
    labels, place = labels_in_papers(rng, papers)
    noise, other = rng.normal(size=(2, len(labels)))
    state = int(rng.integers(2**31))
    swapped = np.where(rng.random(len(labels)) < changed, other, noise)
    first, second = (scored(np.random.default_rng(state), labels, place, n) for n in (noise, swapped))
    return first, second


def calibrated(rng: np.random.Generator, images: int, papers: int) -> Outcome:
    """Probabilities that hold exactly, 20 % positive, alike within a paper."""
    place = np.sort(rng.integers(papers, size=images))
    logit = -1.9 + 1.2 * rng.normal(size=papers)[place] + 1.0 * rng.normal(size=images)
    chance = 1 / (1 + np.exp(-logit))
    truth = (rng.random(images) < chance).astype(np.int64)
    return Outcome(truth, np.column_stack([1 - chance, chance]), place.astype(np.str_), 1)


def binned(outcome: Outcome, bins: int = 10) -> float:
    """The ECE in bins of equal mass, as it was before."""
    order = np.argsort(outcome.probabilities[:, 1], kind="stable")
    gaps = (outcome.probabilities[:, 1] - outcome.truth)[order]
    return float(sum(abs(part.sum()) for part in np.array_split(gaps, bins)) / len(gaps))


def resampled(outcomes: Sequence[Outcome], resamples: int = 500) -> dict[str, tuple[float, float]]:
    """Percentiles of resamples of papers, of one model or of the difference of two, as they were before."""
    names, place = np.unique(outcomes[0].groups, return_inverse=True)
    draws = np.random.default_rng(0).multinomial(len(names), np.full(len(names), 1 / len(names)), size=resamples)
    found = [weighted(outcome, draws[:, place].astype(np.float64)) for outcome in outcomes]
    values = {m: found[0][m] - found[1][m] if len(found) > 1 else found[0][m] for m in found[0]}
    ends = {m: np.nanquantile(v, [0.025, 0.975]) if not np.isnan(v).all() else (np.nan,) * 2 for m, v in values.items()}
    return {m: (float(low), float(high)) for m, (low, high) in ends.items()}


@cache
def truth() -> dict[str, float]:
    """The values that samples vary about."""
    found = [point(drawn(np.random.default_rng(seed), TRUTH_PAPERS)) for seed in range(3)]
    return {m: float(np.mean([one[m] for one in found])) for m in METRICS}


class Tally:
    """Counts how often intervals hold a value."""

    def __init__(self) -> None:
        self.holds: list[bool] = []
        self.widths: list[float] = []
        self.all = 0

    def add(self, low: Any, high: Any, value: float) -> None:
        self.all += 1
        if low is not None and not np.isnan(low):
            self.holds.append(bool(low <= value <= high))
            self.widths.append(high - low)

    @property
    def held(self) -> float:
        return float(np.mean(self.holds)) if self.holds else float("nan")

    @property
    def words(self) -> str:
        if not self.holds:
            return "none given"
        missing = 1 - len(self.holds) / self.all
        return f"{self.held:.3f} ({np.median(self.widths):.2f})" + (f", {missing:.0%} none" if missing >= 0.005 else "")


def in_folds(outcome: Outcome, folds: int) -> list[Outcome]:
    """The same answers in folds of whole papers, with labels spread as evenly as a split spreads them."""
    if folds == 1:
        return [outcome]
    from sklearn.model_selection import StratifiedGroupKFold

    warnings.filterwarnings("ignore", "The least populated class")
    kind = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
    return [outcome.at(test) for _, test in kind.split(outcome.truth, outcome.truth, outcome.groups)]


def coverage(
    papers: int, simulations: int, before: int = 0, folds: int = 1, seed: int = 0
) -> dict[str, tuple[Tally, Tally]]:
    """By metric: now, and before; the ECE apart."""
    real, rng = truth(), np.random.default_rng(seed)
    found = {m: (Tally(), Tally()) for m in METRICS if m != "ece"}
    for number in range(simulations):
        outcome = drawn(rng, papers)
        now = summarise(in_folds(outcome, folds))
        then = resampled([outcome]) if number < before else {}
        for metric, (new, old) in found.items():
            new.add(now[metric]["low"], now[metric]["high"], real[metric])
            if then:
                old.add(*then[metric], real[metric])
    return found


def paired(papers: int, simulations: int, changed: float, before: int = 0) -> dict[str, tuple[Tally, Tally]]:
    """By metric: intervals of the difference of two equally good models that hold 0, now and before."""
    rng = np.random.default_rng(1)
    found = {m: (Tally(), Tally()) for m in METRICS if m != "ece"}
    for number in range(simulations):
        both = pair(rng, papers, changed)
        now = differences([both[0]], [both[1]])
        then = resampled(both) if number < before else {}
        for metric, (new, old) in found.items():
            new.add(now[metric]["low"], now[metric]["high"], 0.0)
            if then:
                old.add(*then[metric], 0.0)
    return found


def calibration(simulations: int, images: int, papers: int) -> tuple[float, float, Summary, Tally]:
    """Mean ECE in bins and now of calibrated answers, the share of values up to 3 %, and intervals that hold 0."""
    rng, tally = np.random.default_rng(2), Tally()
    bins, values = [], []
    for _ in range(simulations):
        outcome = calibrated(rng, images, papers)
        found = summarise([outcome])["ece"]
        bins.append(binned(outcome))
        if found["value"] is not None:
            values.append(float(found["value"]))  # type: ignore[arg-type]
            tally.add(found["low"], found["high"], 0.0)
    shares: Summary = {"up to 3 %": float(np.mean(np.array(values) <= 0.03)), "median": float(np.median(values))}
    return float(np.mean(bins)), float(np.mean(values)), shares, tally


def shown(title: str, sizes: Sequence[int], columns: Sequence[dict[str, tuple[Tally, Tally]]], before: bool) -> None:
    """Print a table: a column a number of papers, where it was taken beside that of the bootstrap."""
    heads = [head for n in sizes for head in (f"{n} papers", "before")[: 1 + before]]
    print(f"\n| {title} | " + " | ".join(heads) + " |\n" + "|---" * (1 + len(heads)) + "|")
    for metric in columns[0] if columns else ():
        cells = [tally.words for column in columns for tally in column[metric][: 1 + before]]
        print(f"| {metric} | " + " | ".join(cells) + " |", flush=True)


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--papers", type=int, nargs="+", default=(6, 12, 24, 100))
    parser.add_argument("--before", type=int, default=300, help="of the simulations so many by the bootstrap too")
    asked = parser.parse_args(words)
    before = asked.before
    np.seterr(all="ignore")
    print("share that holds the truth (median width), now; before")
    shown("one model", asked.papers, [coverage(n, asked.simulations, before) for n in asked.papers], bool(before))
    folded = [n for n in asked.papers if n >= 24]
    shown("mean of five folds", folded, [coverage(n, asked.simulations, 0, 5) for n in folded], False)
    for kind, changed in (("half of the answers differ", 0.5), ("one answer in fifty differs", 0.02)):
        pairs = [paired(n, asked.simulations, changed, before) for n in asked.papers]
        shown(f"difference of equals, {kind}", asked.papers, pairs, bool(before))
    for images, papers in ((83, 24), (413, 121)):
        bins, now, shares, tally = calibration(asked.simulations, images, papers)
        print(f"\nCalibrated answers of {images} images, {papers} papers: ECE in bins {bins:.3f}, now {now:.3f} "
              f"{shares}, intervals that hold 0: {tally.words}")  # fmt: skip


if __name__ == "__main__":
    main()
