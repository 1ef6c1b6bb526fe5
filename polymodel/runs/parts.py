"""One trained model of a run: what a recipe hands back, and how it is written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors.torch import save_file
from scipy.special import softmax
from torch import Tensor

from polydata.splits.manifest import Fold, Item, Split
from polydata.types import Progress
from polymodel.data.split import targets
from polymodel.recipes import Recipe
from polymodel.runs.run import LOGIT, METRICS, MODEL, PART_FILE, PREDICTIONS, write_json

Side = Literal["train", "val", "test"]
SIDES: tuple[Side, ...] = get_args(Side)


@dataclass(frozen=True)
class PartJob:
    """What a recipe is given.

    Attributes:
        split, fold: what to train and test on.
        recipe: how.
        seed: of everything random.
        device: ``cpu``, ``cuda`` or ``mps``.
        progress: told of what is done.
    """

    split: Split
    fold: Fold
    recipe: Recipe
    seed: int
    device: str
    progress: Progress

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels, in the order of the logits."""
        return self.split.classes

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """All images of the partition: training, validation and test side, in this order."""
        return self.fold.everything

    def places(self, side: Side) -> NDArray[np.int64]:
        """Where the images of a side stand in ``items``, (n,)."""
        first, second = len(self.fold.train), len(self.fold.train) + len(self.fold.val)
        bounds = {"train": (0, first), "val": (first, second), "test": (second, len(self.items))}
        return np.arange(*bounds[side], dtype=np.int64)

    def targets(self) -> NDArray[np.int64]:
        """Class indices of ``items``, (n,)."""
        return targets(self.items, self.classes)

    def images(self, items: Sequence[Item]) -> list[tuple[str, Path]]:
        """SHA-256 and path of each item's image."""
        return [(item.image_sha256, self.split.image_path(item)) for item in items]


@dataclass(frozen=True)
class PartResult:
    """What a recipe hands back.

    Attributes:
        tensors: the weights to keep, by name.
        logits: (n, classes) for ``PartJob.items``, in order.
        history: rows of metrics.csv, all with the same keys; None where something was not measured.
        facts: what else to note in part.json.
        seconds_before: spent on the part before a break.
    """

    tensors: Mapping[str, Tensor]
    logits: NDArray[np.float64]
    history: Sequence[Mapping[str, float | int | None]]
    facts: Mapping[str, Any]
    seconds_before: float = 0.0


def write_part(folder: Path, job: PartJob, result: PartResult, seconds: float) -> None:
    """Write all files of a part into an empty folder."""
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in result.tensors.items()}
    # One entry, for the order of several is not the same in every file.
    save_file(tensors, folder / MODEL, metadata={"classes": "\n".join(job.classes)})
    pd.DataFrame(result.history).to_csv(folder / METRICS, index=False, lineterminator="\r\n")
    items, logits = job.items, result.logits.astype(np.float64)
    columns: dict[str, Any] = {
        "image_sha256": [i.image_sha256 for i in items],
        "side": [side for side in SIDES for _ in job.places(side)],
        "label": [i.label for i in items],
        "group": [i.group for i in items],
        "path": [i.path for i in items],
        "p_positive": softmax(logits, axis=1)[:, job.classes.index(job.split.positive)],
    }
    columns |= {LOGIT + label: logits[:, k] for k, label in enumerate(job.classes)}
    pd.DataFrame(columns).to_parquet(folder / PREDICTIONS, index=False)
    write_json(
        folder / PART_FILE,
        {
            "fold": job.fold.number,
            "repeat": job.fold.repeat,
            "seed": job.seed,
            "device": job.device,
            **{f"{side}_images": len(job.places(side)) for side in SIDES},
            "seconds": round(seconds, 3),
            **result.facts,
        },
    )
