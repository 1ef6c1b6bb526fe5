"""Settings chosen for each training side by papers that are held back within it: nested cross-validation.

What is chosen for a fold follows from the images of its training side alone; its validation and test sides are never
shown to a candidate. The candidate with the lowest loss on the papers held back, in which labels weigh alike, is
trained on the whole training side, whatever its margin.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from lightning_fabric import Fabric

from polydata.errors import InputError
from polydata.splits.manifest import Fold, Split
from polydata.types import Progress
from polymodel.config import TrainConfig, candidate
from polymodel.data.split import group_folds, targets
from polymodel.kinds.asked import Nominal, kind_of
from polymodel.networks.linear import Array, balanced_weights
from polymodel.recipes import Recipe
from polymodel.runs.run import known_json, write_json

Fit = Callable[[Fold, Recipe, Path, Progress], Array | None]
"""Trains on a fold's training side by a recipe, in a folder of its own: logits (n, outputs) of its test side, or None
in all processes of a team but the first."""


def inner_folds(fold: Fold, classes: Sequence[str], inner: int, seed: int) -> list[Fold]:
    """The training side of a fold, papers of it held back in turn as the test side; no part lacks a label.

    Raises:
        InputError: if papers cannot be held back so that all labels of the training side are left.
    """
    labels, items = targets(fold.train, classes), fold.train
    found: list[Fold] = []
    for kept, held in group_folds(labels, [item.group for item in items], inner, seed):
        if set(labels[kept]) == set(labels):
            train, test = ([items[k] for k in places] for places in (kept, held))
            found.append(Fold(train, test, number=len(found) + 1, repeat=1))
    if not found:
        raise InputError(
            f"No papers of training side {fold.number} can be held back so that all labels are left to choose by.",
            "Build a split with more papers of each label, or train without --search.",
        )
    return found


def choose(
    path: Path, fold: Fold, split: Split, config: TrainConfig, *, fit: Fit, fabric: Fabric, progress: Progress
) -> dict[str, Any]:
    """The settings that do best on papers held back within the training side of a fold; goes on after a break.

    Args:
        path: a file that is written after every fit: ``fits`` with the loss of each, and at the end ``candidates`` with
            their means, ``chosen``, and what they were chosen by.
        fold: of the split.
        split: gives the labels and what is asked.
        config: with a search.
        fit: trains a candidate.
        fabric: the processes that train together; the first writes.
        progress: told of what is going on.

    Raises:
        InputError: if no papers can be held back, or no candidate can be trained, as of the first of them.
    """
    assert config.search is not None
    known: dict[str, Any] = fabric.broadcast(known_json(path) or {})
    if "chosen" in known:
        return dict(known["chosen"])
    kind, candidates = kind_of(split.asked), config.search.candidates
    folds = inner_folds(fold, split.classes, config.search.inner, config.seeds[0])
    fits: list[dict[str, Any]] = [one for one in known.get("fits", []) if "failed" not in one]
    done = {(one["candidate"], one["inner"]) for one in fits}
    for number, one in enumerate((k, inner) for k in range(len(candidates)) for inner in folds):
        k, inner = one
        if (k, inner.number) in done:
            continue
        words = f"choosing for fold {fold.number}, fit {number + 1} of {len(candidates) * len(folds)}, "
        began = time.monotonic()
        row: dict[str, Any] = {"candidate": k, "inner": inner.number}
        try:
            place = path.with_name(f".{path.stem}-candidate-{k}-inner-{inner.number}")
            told = _told(progress, words)
            logits = fit(inner, candidate(config.recipe, candidates[k]), place, told)
            row |= _scored(logits, inner, fold, split, kind) if logits is not None else {}
        except InputError as error:
            row |= {"failed": error.message}
        fits.append(row | {"seconds": round(time.monotonic() - began, 3)})
        if fabric.is_global_zero:
            write_json(path, {"fold": fold.number, "fits": fits})
    found = _judged(fits, candidates, kind) if fabric.is_global_zero else {}
    if fabric.is_global_zero:
        facts = {"fold": fold.number, "images": len(fold.train), "papers": len({i.group for i in fold.train})}
        seconds = round(sum(one["seconds"] for one in fits), 3)
        write_json(path, {**facts, "inner": len(folds), "seconds": seconds, **found, "fits": fits})
    return dict(fabric.broadcast(found)["chosen"])


def _told(progress: Progress, words: str) -> Progress:
    return lambda what, done, count: progress(words + what, done, count)


def _scored(logits: Array, inner: Fold, fold: Fold, split: Split, kind: Nominal) -> dict[str, Any]:
    """Loss and measure on the images held back; labels weigh alike over the whole training side."""
    held = targets(inner.test, split.classes)
    weights: Array = np.ones(len(held))
    if kind.has_classes:
        weights = balanced_weights(targets(fold.train, split.classes), len(split.classes))[held]
    loss, measure = kind.loss_and_measure(logits, kind.truth(inner.test, split.classes), weights)
    return {"images": len(held), "weight": float(weights.sum()), "loss": loss, kind.measure: measure}


def _judged(fits: Sequence[dict[str, Any]], candidates: Sequence[dict[str, Any]], kind: Nominal) -> dict[str, Any]:
    """Every candidate's loss and measure over all images held back, and the one with the lowest loss.

    Raises:
        InputError: if there is none with a loss.
    """
    by_candidate = defaultdict(list)
    for one in fits:
        by_candidate[one["candidate"]].append(one)
    rows: list[dict[str, Any]] = []
    for k, settings in enumerate(candidates):
        own = by_candidate[k]
        failed = next((one["failed"] for one in own if "failed" in one), None)
        row: dict[str, Any] = {"settings": settings, "loss": None, kind.measure: None, "failed": failed}
        if failed is None:
            row["loss"] = float(np.average([one["loss"] for one in own], weights=[one["weight"] for one in own]))
            images = [one["images"] for one in own]
            row[kind.measure] = float(np.average([one[kind.measure] for one in own], weights=images))
        rows.append(row)
    able = [row for row in rows if row["loss"] is not None]
    if not able:
        raise InputError(f"No candidate can be trained: {rows[0]['failed']}", "Try the first of them by itself.")
    best = min(able, key=lambda row: float(row["loss"]))
    return {"measure": kind.measure, "candidates": rows, "chosen": best["settings"]}
