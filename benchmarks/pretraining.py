"""What pretraining on each training side's pictures is worth to a probe, on the published images.

    pretraining.py WORKSPACE [--epochs N] [--batch-size N]

WORKSPACE is that of ``benchmarks/training.py``, with the split cv475-once. For each of its five folds a network is
pretrained on the pictures of the training side alone, without their labels, and a probe is fitted on its features (five
crops of 128 pixels of one rendering, to save time); beside it the same probe on the network as it was. Both are fitted
on the same training sides and answer the same test sides, each of which is scored once. Nothing is chosen here.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from polydata.types import quiet
from polymodel.data.split import load_split
from polymodel.evaluation.intervals import differences, summarise
from polymodel.evaluation.metrics import Outcome, outcome_from
from polymodel.networks.features import FeatureCache
from polymodel.networks.network import architecture
from polymodel.networks.weights import load_network
from polymodel.recipes import DEFAULT_ARCH, IMAGENET, RECIPES, Recipe, RecipeName
from polymodel.runs.parts import PartJob
from polymodel.training.pretraining import Pretraining, pretrain
from polymodel.training.probe import answer_test_side

METRICS = ("auroc", "balanced_accuracy")
SIZE, VIEWS = 128, ((160, 0),)
"""Side of a crop, and one rendering in place of the default's three, each as large a share of it as there."""


def answers(job: PartJob, weights: str, cache: Path) -> Outcome:
    """What a probe on a network says of a test side."""
    network = load_network(architecture(DEFAULT_ARCH), weights, 2)
    network.module.eval()
    logits = answer_test_side(job, FeatureCache(cache, network, job.recipe, "cpu"), cache)
    tests = job.places("test")
    chances = torch.softmax(torch.from_numpy(logits), 1).numpy()
    positive = job.classes.index(job.split.positive)
    return outcome_from(job.targets()[tests], chances, [job.items[k].group for k in tests], positive)


def main(words: Sequence[str] | None = None) -> None:
    """Print a row for each fold, and what all folds up to it say together: AUROC, then balanced accuracy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=32)
    asked = parser.parse_args(words)
    torch.set_num_threads(1)
    split = load_split("cv475-once", asked.workspace)
    recipe: Recipe = replace(RECIPES[RecipeName.PROBE], image_size=SIZE, views=VIEWS)
    method = Pretraining(image_size=SIZE, epochs=asked.epochs, batch_size=asked.batch_size)
    place = asked.workspace / "pretraining"
    plain: list[Outcome] = []
    grown: list[Outcome] = []
    for fold in split.folds:
        job = PartJob(split, fold, recipe, 0, "cpu", quiet)
        plain.append(answers(job, IMAGENET, place / "features"))
        own = [split.image_path(item) for item in fold.train]
        began, file = time.process_time(), place / f"fold-{fold.number}-{method.epochs}-{method.batch_size}.safetensors"
        made = pretrain(own, file, method, device="cpu")
        grown.append(answers(job, str(file), place / "features"))
        first, last = made.record.history[0], made.record.history[-1]
        print(
            f"fold {fold.number}: {len(own)} pictures, loss {first['loss']:.2f} to {last['loss']:.2f}, distance "
            f"{first['distance']:.3f} to {last['distance']:.3f}, spread {last['spread']:.2f}; "
            f"{time.process_time() - began:.0f} processor s",
            flush=True,
        )
        for name, found in (("as it was", summarise(plain)), ("pretrained", summarise(grown))):
            print(f"{name:<12}", *(said_of(found[m], ".3f") for m in METRICS), flush=True)
        less = differences(grown, plain)
        print("difference  ", *(said_of(less[m], "+.3f") for m in METRICS), flush=True)


def said_of(found: Mapping[str, Any], form: str) -> str:
    """A figure with its interval, where there is one."""
    value, low, high = found.get("mean", found.get("value")), found["low"], found["high"]
    return f"{value:{form}}" + ("" if low is None else f" [{low:{form}}, {high:{form}}]")


if __name__ == "__main__":
    main()
