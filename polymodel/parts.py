"""One trained model of a run: what a recipe hands back, and how it is written down."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from polydata.splits.manifest import Fold, Item, Split
from polymodel.data import targets
from polymodel.linear import softmax
from polymodel.recipes import Recipe
from polymodel.runs import LOGIT, METRICS, MODEL, PART_FILE, PREDICTIONS, write_json

Advance = Callable[[str, int, int], None]
"""Told (what is going on, done, all)."""


@dataclass(frozen=True)
class PartJob:
    """What a recipe is given.

    Attributes:
        split, fold: what to train and test on.
        recipe: how.
        seed: of everything random.
        device: ``cpu``, ``cuda`` or ``mps``.
        advance: to be told of progress.
    """

    split: Split
    fold: Fold
    recipe: Recipe
    seed: int
    device: str
    advance: Advance

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels, in the order of the logits."""
        return self.split.classes

    def train_targets(self) -> NDArray[np.int64]:
        """Class indices of the training side, (n,)."""
        return targets(self.fold.train, self.classes)

    def test_targets(self) -> NDArray[np.int64]:
        """Class indices of the test side, (n,)."""
        return targets(self.fold.test, self.classes)

    def images(self, items: Sequence[Item]) -> list[tuple[str, Path]]:
        """SHA-256 and path of each item's image."""
        return [(item.image_sha256, self.split.image_path(item)) for item in items]


@dataclass(frozen=True)
class PartResult:
    """What a recipe hands back.

    Attributes:
        tensors: the weights to keep, by name.
        train_logits, test_logits: (n, classes) for the items of each side, in order.
        history: rows of metrics.csv, all with the same keys; None where something was not measured.
        facts: what else to note in part.json.
    """

    tensors: Mapping[str, Tensor]
    train_logits: NDArray[np.float64]
    test_logits: NDArray[np.float64]
    history: Sequence[Mapping[str, float | int | None]]
    facts: Mapping[str, Any]


def write_part(folder: Path, job: PartJob, result: PartResult, seconds: float) -> None:
    """Write all files of a part into an empty folder."""
    from safetensors.torch import save_file

    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in result.tensors.items()}
    save_file(tensors, folder / MODEL, metadata={"classes": "\n".join(job.classes), "recipe": job.recipe.name})
    with open(folder / METRICS, "w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, list(result.history[0]))
        writer.writeheader()
        writer.writerows(result.history)
    _write_predictions(folder / PREDICTIONS, job, result)
    write_json(
        folder / PART_FILE,
        {
            "fold": job.fold.number,
            "repeat": job.fold.repeat,
            "seed": job.seed,
            "device": job.device,
            "train_images": len(job.fold.train),
            "test_images": len(job.fold.test),
            "seconds": round(seconds, 3),
            **result.facts,
        },
    )


def _write_predictions(path: Path, job: PartJob, result: PartResult) -> None:
    import pandas as pd

    items = [*job.fold.train, *job.fold.test]
    logits = np.concatenate([result.train_logits, result.test_logits]).astype(np.float64)
    columns: dict[str, Any] = {
        "image_sha256": [i.image_sha256 for i in items],
        "side": ["train"] * len(job.fold.train) + ["test"] * len(job.fold.test),
        "label": [i.label for i in items],
        "group": [i.group for i in items],
        "path": [i.path for i in items],
        "p_positive": softmax(logits)[:, job.classes.index(job.split.positive)],
    }
    columns |= {LOGIT + label: logits[:, k] for k, label in enumerate(job.classes)}
    pd.DataFrame(columns).to_parquet(path, index=False)
