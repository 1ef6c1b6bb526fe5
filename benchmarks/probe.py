"""How time and memory of a probe's regressions grow with the images: python benchmarks/probe.py [IMAGES ...]

Features are made up: a few hundred directions whose strength falls as that of a network's does, noise, a label that
follows some of them and papers of five images. What is solved is what ``polymodel train`` solves for one part: five
strengths on all images, and each again without one paper in five.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np
from numpy.typing import NDArray

from polymodel.data.split import group_folds
from polymodel.networks.linear import coordinates, fit_regressions, image_weights
from polymodel.networks.solver import Problem
from polymodel.recipes import RECIPES, RecipeName
from polymodel.training.probe import CURVE

FEATURES = 8000
SIZES = (1000, 2000, 4000, 8000, 20000)
DIRECTIONS = 300
ROWS = 1000


def scene(images: int) -> tuple[NDArray[np.float32], NDArray[np.int64], list[str]]:
    """Features (images, ``FEATURES``), labels and papers."""
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(DIRECTIONS, FEATURES)) / np.arange(1, DIRECTIONS + 1)[:, None] ** 0.7
    features, hidden = np.empty((images, FEATURES), dtype=np.float32), np.empty((images, DIRECTIONS))
    for k in range(0, images, ROWS):
        some = features[k : k + ROWS]
        hidden[k : k + ROWS] = rng.normal(size=(len(some), DIRECTIONS))
        some[:] = hidden[k : k + ROWS] @ mixing + 0.3 * rng.normal(size=some.shape)
    score = hidden[:, 2:40] @ rng.normal(size=38) / 3 + 0.5 * rng.normal(size=images)
    return features, (score > np.quantile(score, 0.8)).astype(np.int64), [str(k // 5) for k in range(images)]


def main() -> None:
    """Print a row for each size."""
    for images in [int(word) for word in sys.argv[1:]] or SIZES:
        features, labels, papers = scene(images)
        began, worked = time.monotonic(), time.process_time()
        weights = image_weights(labels, 2, papers, 0.5, balanced=True)
        place = coordinates(features)
        folds = [np.isin(np.arange(images), kept) for kept, _ in group_folds(labels, papers, 5, 0)]
        problems = [
            Problem(c, weights * kept)
            for c in (*CURVE, RECIPES[RecipeName.PROBE].inverse_regularisation)
            for kept in (np.ones(images, bool), *folds)
        ]
        fit_regressions(place.values, labels, 2, problems)
        seconds, processor = time.monotonic() - began, time.process_time() - worked
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        words = f"{seconds:6.1f} s  {processor:6.1f} processor seconds  peak {peak:.2f} GB"
        print(f"{images:6d} images  {words}", flush=True)


if __name__ == "__main__":
    main()
