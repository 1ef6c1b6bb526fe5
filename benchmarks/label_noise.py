"""Partly compatible images as soft labels, and labels that are contradicted counted less.

    label_noise.py WORKSPACE [--data FOLDER]

WORKSPACE is one that benchmarks/training.py made. The default probe is trained on the published images with clear
labels, five folds by paper three times, and
    soft      on the partly compatible images of the training side's papers too, half of each weight on either label;
    doubted   with the images whose text and file name contradict each other at a smaller weight;
    unlikely  with every training image at a smaller weight whose label models of other papers deny: its weight is
              multiplied by the probability that they give it, to a power.
The share of the weight, or the power, is chosen by the AUROC of inner folds. Test sides are the same for all; what they
are without contradicted images is told too.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from published_models import (
    DATA,
    LESS,
    Array,
    Fold,
    Index,
    Published,
    auroc,
    coordinates_of,
    features,
    kernel,
    line,
    published,
    regress,
    weights_of,
)
from scipy.special import expit

from polymodel.evaluation.metrics import Outcome
from polymodel.networks.solver import Problem

C = 0.3
SHARES = (0.0, 0.25, 0.5, 1.0)
POWERS = (0.0, 0.5, 1.0, 2.0)


@dataclass(frozen=True)
class Clear:
    """Clear images first, partly compatible ones behind them.

    Attributes:
        data: folds and labels of the clear ones.
        partial: papers of the partly compatible ones.
        doubted: (n,) whether text and file name contradict each other.
    """

    data: Published
    partial: NDArray[np.str_]
    doubted: NDArray[np.bool_]


def labels_of(data: Path) -> dict[str, tuple[str, int]]:
    """SHA-256 to the text's label, and 1 where the file name says compatible."""
    with open(data / "published_split.csv", newline="", encoding="utf-8") as handle:
        return {row["sha256"]: (row["text_label"], int(row["label01"])) for row in csv.DictReader(handle)}


def logits(clear: Clear, values: Array, fold: Fold, weights: Array, soft: float) -> tuple[Array, Array]:
    """Logits of the training side held back in turn, and of the test side.

    Args:
        values: (n + partial, r) coordinates.
        weights: (train,) of the clear images.
        soft: what a partly compatible image weighs beside the mean clear one.
    """
    data, count = clear.data, len(clear.data.labels)
    groups = data.groups[fold.train]
    masks = [np.ones(len(weights), bool), *(np.isin(np.arange(len(weights)), kept) for kept, _ in fold.inner)]
    places, labels = fold.train, data.labels[fold.train]
    whole = [weights * mask for mask in masks]
    if soft:
        own = np.flatnonzero(np.isin(clear.partial, groups))
        places = np.concatenate([fold.train, count + own, count + own])
        labels = np.concatenate([labels, np.zeros(len(own), np.int64), np.ones(len(own), np.int64)])
        for k, mask in enumerate(masks):
            there = np.isin(clear.partial[own], groups[mask]) * soft / 2
            whole[k] = np.concatenate([whole[k], there, there])
    heads = regress(values[places], labels, [Problem(C, one) for one in whole])
    held = np.zeros(len(weights))
    for (_, out), (weight, bias) in zip(fold.inner, heads[1:], strict=True):
        held[out] = values[fold.train[out]] @ weight + bias
    return held, values[fold.test] @ heads[0][0] + heads[0][1]


def trials(clear: Clear, values: Array, fold: Fold) -> dict[str, dict[float, tuple[Array, Array]]]:
    """Held-back and test logits of each way of training and each of its numbers."""
    labels = clear.data.labels[fold.train]
    weights = weights_of(labels, clear.data.groups[fold.train])
    usual = logits(clear, values, fold, weights, 0.0)
    likely = expit(np.where(labels == 1, usual[0], -usual[0]))
    found: dict[str, dict[float, tuple[Array, Array]]] = {
        "as ever": {0: usual},
        "soft": {},
        "doubted": {},
        "unlikely": {},
    }
    for share in SHARES:
        found["soft"][share] = logits(clear, values, fold, weights, share)
        found["doubted"][share] = logits(
            clear, values, fold, weights * np.where(clear.doubted[fold.train], share, 1), 0
        )
    for power in POWERS:
        less = weights * likely**power
        found["unlikely"][power] = logits(clear, values, fold, less * len(less) / less.sum(), 0)
    return found


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--data", type=Path, default=DATA)
    asked = parser.parse_args(words)
    workspace = asked.workspace.resolve()
    data, whole, said = published(workspace), published(workspace, "cv517"), labels_of(asked.data)
    partial = [k for k, one in enumerate(whole.sha256) if said[one][0] == "partially_compatible"]
    images = [*zip(data.sha256, data.paths, strict=True), *((whole.sha256[k], whole.paths[k]) for k in partial)]
    blocks = features(workspace, images)
    doubted = np.array([(said[one][0] == "compatible") != (said[one][1] == 1) for one in data.sha256])
    clear = Clear(data, whole.groups[partial], doubted)
    print(f"{len(data.labels)} clear images, {len(partial)} partly compatible, {doubted.sum()} contradicted")
    every = [trials(clear, coordinates_of(kernel(blocks, fold.train), fold.train), fold) for fold in data.folds]
    rows: dict[str, list[Array]] = {"as ever": [one["as ever"][0][1] for one in every]}
    for way, numbers in (("soft", SHARES), ("doubted", SHARES), ("unlikely", POWERS)):
        rows |= {f"{way}, {number:g}": [one[way][number][1] for one in every] for number in numbers}
        rows[f"{way}, chosen"] = []
        for fold, one in zip(data.folds, every, strict=True):
            best = max(numbers, key=lambda n: auroc(one[way][n][0], data.labels[fold.train]))
            rows[f"{way}, chosen"].append(one[way][best][1])
    for title, kept in (("all clear images", ~np.zeros_like(doubted)), ("without contradicted ones", ~doubted)):
        print(f"\n| tested on {title} {LESS}")
        usual = tested(data, rows["as ever"], kept)
        for name, own in rows.items():
            print(line(name, tested(data, own, kept), None if name == "as ever" else usual), flush=True)


def tested(data: Published, own: Sequence[Array], kept: NDArray[np.bool_]) -> list[Outcome]:
    """Outcomes over the images that are kept (n,)."""
    found = []
    for number, outcome in enumerate(data.outcomes(own), start=1):
        places: Index = np.concatenate([fold.test for fold in data.folds if fold.repeat == number])
        found.append(outcome.at(np.flatnonzero(kept[places])))
    return found


if __name__ == "__main__":
    main()
