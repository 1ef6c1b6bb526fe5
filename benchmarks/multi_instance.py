"""Whether panels of one sample are better answered together, on the published images.

    multi_instance.py WORKSPACE

WORKSPACE is that of ``benchmarks/training.py``, with the split cv475-once. A sample is what panels of one paper show
whose captions say the same; such panels are answered by the mean, the highest or the lowest of their logits of
incompatible, or by a weighted mean in which surer panels count for more (the weights are a softmax of the logits'
size). Samples know no label, neither in training nor in testing. Which way is taken, single answers among them, each
training side chooses by the AUROC on papers held back from it in turn; each test side is scored once. The probe sees
the crops of ``benchmarks/pretraining.py``.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pretraining import METRICS, SIZE, VIEWS, said_of
from scipy.special import expit, softmax
from sklearn.metrics import roc_auc_score

from polydata.splits.manifest import Fold, Item
from polydata.types import quiet
from polymodel.data.split import group_folds, load_split
from polymodel.evaluation.intervals import differences, summarise
from polymodel.evaluation.metrics import Outcome, outcome_from
from polymodel.networks.features import FeatureCache
from polymodel.networks.network import architecture
from polymodel.networks.weights import load_network
from polymodel.recipes import DEFAULT_ARCH, IMAGENET, RECIPES, RecipeName
from polymodel.runs.parts import PartJob
from polymodel.training.probe import answer_test_side

Array = NDArray[np.float64]
INNER = 5
WAYS: Mapping[str, Callable[[Array], float]] = {
    "single": lambda _: np.nan,
    "mean": lambda logits: float(logits.mean()),
    "highest": lambda logits: float(logits.max()),
    "lowest": lambda logits: float(logits.min()),
    "surer": lambda logits: float(softmax(np.abs(logits)) @ logits),
}
"""How the logits of one sample's panels become the answer of each of them."""


def pooled(logits: Array, items: Sequence[Item], way: str) -> Array:
    """Logits (n,) of images, those of one sample taken together."""
    if way == "single":
        return logits
    samples: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, item in enumerate(items):
        words = " ".join(item.extra.get("caption", "").lower().split())
        samples[item.group, words or item.image_sha256].append(place)
    together = logits.copy()
    for places in samples.values():
        together[places] = WAYS[way](logits[places])
    return together


def main(words: Sequence[str] | None = None) -> None:
    """Print what each way is worth: AUROC, then balanced accuracy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    asked = parser.parse_args(words)
    torch.set_num_threads(1)
    split = load_split("cv475-once", asked.workspace)
    recipe = replace(RECIPES[RecipeName.PROBE], image_size=SIZE, views=VIEWS)
    network = load_network(architecture(DEFAULT_ARCH), IMAGENET, 2)
    network.module.eval()
    place = asked.workspace / "pretraining" / "features"
    cache = FeatureCache(place, network, recipe, "cpu")
    other = 1 - split.classes.index(split.positive)

    def answered(fold: Fold) -> tuple[Array, NDArray[np.int64]]:
        """Logits of incompatible of a test side, and whether it is."""
        job = PartJob(split, fold, recipe, 0, "cpu", quiet)
        logits = answer_test_side(job, cache, place)
        return logits[:, other] - logits[:, 1 - other], (job.targets()[job.places("test")] == other).astype(np.int64)

    found: dict[str, list[Outcome]] = defaultdict(list)
    for fold in split.folds:
        labels = np.array([split.classes.index(item.label) for item in fold.train])
        groups = [item.group for item in fold.train]
        scores: dict[str, list[float]] = defaultdict(list)
        for kept, out in group_folds(labels, groups, INNER, 0):
            inner = replace(fold, train=[fold.train[k] for k in kept], test=[fold.train[k] for k in out], val=())
            logits, truth = answered(inner)
            for way in WAYS:
                scores[way].append(roc_auc_score(truth, pooled(logits, inner.test, way)))
        best = max(WAYS, key=lambda way: float(np.mean(scores[way])))
        inner_words = ", ".join(f"{way} {np.mean(own):.4f}" for way, own in scores.items())
        print(f"fold {fold.number} chooses {best}; papers held back: {inner_words}", flush=True)
        logits, truth = answered(fold)
        tested = [item.group for item in fold.test]
        for name, way in (*((way, way) for way in WAYS), ("chosen", best)):
            chance = expit(pooled(logits, fold.test, way))
            proba = np.stack([1 - chance, chance], axis=1)
            found[name].append(outcome_from(truth, proba, tested, 0))
    for name, outcomes in found.items():
        own, less = summarise(outcomes), differences(outcomes, found["single"])
        print(f"{name:<8}", *(f"{said_of(own[m], '.3f')} ({said_of(less[m], '+.3f')})" for m in METRICS), flush=True)


if __name__ == "__main__":
    main()
