"""Trains the measures of the rule ``micrograph`` and compares them with its first version, three simple shares.

    python data/train_screening.py [--count 200] [--output FILE]

Pictures of known kind are drawn (``drawn_pictures.py``), and nothing else is trained on. What is printed is measured on
pictures that the model did not see: micrographs by folds, everything else by families held back whole. The threshold is
chosen for recall. With ``--output`` the model is written.
"""

# ruff: noqa: T201 - a script prints
from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).resolve().parent))

from drawn_pictures import MICROGRAPHS, REST, draw
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from polydata.screening.rules import MIN_SIDE, THRESHOLD
from polydata.vision.measures import measure
from polydata.vision.micrograph import NAMES, Quadratic, features, pairs, standardised

KEPT = 0.99
"""Share of the micrographs not seen in training that the threshold must keep."""
STRENGTH = 0.02
"""Inverse strength of the ridge."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pictures:
    """Measures and version 1's score of many pictures, one row each.

    Attributes:
        truth: whether it is a micrograph.
        family: how it was drawn.
        group: pictures that must not stand on both sides.
    """

    measures: Floats
    rule: Floats
    truth: npt.NDArray[np.bool_]
    family: npt.NDArray[np.str_]
    group: npt.NDArray[np.str_]


def by_shares(rgb: npt.NDArray[np.uint8]) -> float:
    """Version 1's score: white ground speaks against a micrograph, texture and a range of grey levels for it."""
    stats = measure(rgb)
    ground = 1.0 - np.clip((stats.white - 0.25) / 0.55, 0, 1)
    texture, tone = np.clip((stats.textured - 0.05) / 0.45, 0, 1), np.clip((stats.levels - 0.02) / 0.18, 0, 1)
    return float(0.45 * ground + 0.45 * texture + 0.1 * tone)


def collect(count: int) -> Pictures:
    """Draw the families."""
    rows: list[tuple[Floats, float, bool, str, str]] = []

    def add(rgb: npt.NDArray[np.uint8], truth: bool, family: str, group: str) -> None:
        if min(rgb.shape[:2]) >= MIN_SIDE:
            rows.append((features(rgb), by_shares(rgb), truth, family, group))

    for family in (*MICROGRAPHS, *REST):
        for seed in range(count):
            add(draw(family, seed), family in MICROGRAPHS, family, f"{family} {seed}")
        print(f"drawn: {count} of {family}", flush=True)
    measures, rule, truth, family_of, group = (np.array(column) for column in zip(*rows, strict=True))
    return Pictures(measures, rule, truth, family_of, group)


def fit(pictures: Pictures, rows: npt.NDArray[np.bool_]) -> Quadratic:
    """The model of some of the pictures."""
    x = pictures.measures[rows]
    mean, scale = x.mean(0), np.maximum(x.std(0), 1e-3)
    z = standardised(x, mean, scale)
    wide = np.hstack([z, pairs(z)])
    middle, spread = wide.mean(0), np.maximum(wide.std(0), 1e-3)
    regression = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=3000)
    regression.fit((wide - middle) / spread, pictures.truth[rows])
    slopes = regression.coef_[0] / spread
    bias = float(regression.intercept_[0] - (slopes * middle).sum())

    def short(values: Floats) -> tuple[float, ...]:
        return tuple(float(f"{v:.5g}") for v in values)

    n = len(NAMES)
    return Quadratic(NAMES, short(mean), short(scale), round(bias, 5), short(slopes[:n]), short(slopes[n:]))


def scored(model: Quadratic, measures: Floats) -> Floats:
    """Log-odds, one a row."""
    return np.array([model.log_odds(row) for row in measures])


def unseen(pictures: Pictures) -> Floats:
    """Log-odds of every picture by a model that saw neither its group nor, for drawings, its family."""
    out = np.zeros(len(pictures.truth))
    micrographs = np.flatnonzero(pictures.truth)
    folds = GroupKFold(5, shuffle=True, random_state=0)
    for _, held in folds.split(micrographs, groups=pictures.group[micrographs]):
        rows = np.ones(len(out), bool)
        rows[micrographs[held]] = False
        out[~rows] = scored(fit(pictures, rows), pictures.measures[~rows])
    for family in REST:
        rows = pictures.family != family
        out[~rows] = scored(fit(pictures, rows), pictures.measures[~rows])
    return out


def main() -> None:
    """Train, compare, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200, help="pictures drawn a family")
    parser.add_argument("--output", type=Path, help="where the model is written; without it nothing is written")
    options = parser.parse_args()
    pictures = collect(options.count)
    log_odds = unseen(pictures)
    threshold = float(np.quantile(log_odds[pictures.truth], 1 - KEPT))
    print(f"\n{'accepted of':22}{'pictures':>9}{'shares':>11}{'measures':>11}")
    for family in dict.fromkeys(pictures.family):
        rows = pictures.family == family
        old, new = (pictures.rule[rows] >= THRESHOLD).mean(), (log_odds[rows] >= threshold).mean()
        print(f"{family:22}{rows.sum():9}{old:11.3f}{new:11.3f}")
    for name, rows in (("all micrographs", pictures.truth), ("all the rest", ~pictures.truth)):
        old, new = (pictures.rule[rows] >= THRESHOLD).mean(), (log_odds[rows] >= threshold).mean()
        print(f"{name:22}{rows.sum():9}{old:11.3f}{new:11.3f}")
    if options.output:
        model = fit(pictures, np.ones(len(pictures.truth), bool))
        trained = f"{options.count} drawn pictures of each of {len(MICROGRAPHS) + len(REST)} families"
        shifted = round(model.bias - threshold, 5)  # log-odds 0, a score of one half, is the threshold
        written = {**vars(model), "bias": shifted, "trained": trained}
        options.output.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
        print(f"written: {options.output}")


if __name__ == "__main__":
    main()
