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
from torch import Tensor

from polydata.splits.manifest import Fold, Item, Split
from polydata.types import Progress
from polymodel.config import candidate
from polymodel.data.split import targets
from polymodel.kinds.asked import Nominal, kind_of
from polymodel.recipes import Balance, Recipe
from polymodel.runs.run import (
    HELD_OUT,
    METRICS,
    MODEL,
    PART_FILE,
    PREDICTIONS,
    REFERENCE,
    PartKey,
    Run,
    read_json,
    write_json,
)

CHOICES = "search"
"""The folder of a run that says what was chosen for each training side, and by what."""
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

    @property
    def kind(self) -> Nominal:
        """What is asked of the images."""
        return kind_of(self.split.asked)

    @property
    def balance(self) -> str:
        """What is done about classes of unequal size: nothing of a number, whose bins know values of the test side."""
        return self.recipe.balance if self.kind.has_classes else Balance.NONE.value

    def targets(self) -> NDArray[np.int64]:
        """Class indices of ``items``, (n,); of a number those of the bins, by which sides are made alike."""
        return targets(self.items, self.classes)

    def truth(self) -> NDArray[Any]:
        """What is to be learned of ``items``, (n,): class indices, or numbers."""
        return self.kind.truth(self.items, self.classes)

    def images(self, items: Sequence[Item]) -> list[tuple[str, Path]]:
        """SHA-256 and path of each item's image."""
        return [(item.image_sha256, self.split.image_path(item)) for item in items]


@dataclass(frozen=True)
class PartResult:
    """What a recipe hands back.

    Attributes:
        tensors: the weights to keep, by name.
        logits: (n, outputs) for ``PartJob.items``, in order: of a number its value alone.
        history: rows of metrics.csv, all with the same keys; None where something was not measured.
        facts: what else to note in part.json.
        seconds_before: spent on the part before a break.
        held_out: places among ``PartJob.items`` (m,) of training images, and the logits (m, outputs) of models that
            saw no image of their papers.
        reference: what the training images look like, as of ``networks.novelty``.
    """

    tensors: Mapping[str, Tensor]
    logits: NDArray[np.float64]
    history: Sequence[Mapping[str, float | int | None]]
    facts: Mapping[str, Any]
    seconds_before: float = 0.0
    held_out: tuple[NDArray[np.int64], NDArray[np.float64]] | None = None
    reference: Mapping[str, Tensor] | None = None


def choice_file(run: Run, fold: int) -> Path:
    """Where a run of a search says what was chosen for the training side of a fold."""
    return run.folder / CHOICES / f"fold-{fold}.json"


def choices(run: Run) -> list[dict[str, Any]]:
    """What was chosen for each training side so far, by fold, as ``training.search.choose`` writes it."""
    files = [choice_file(run, fold) for fold in sorted({key.fold for key in run.planned})]
    found = [read_json(path) for path in files if path.is_file()] if run.config.search else []
    return [choice for choice in found if "chosen" in choice]


def chosen_words(run: Run) -> dict[int, str]:
    """What was chosen for the training side of each fold, in words; empty without a search."""
    return {one["fold"]: settings_words(one["chosen"]) for one in choices(run)}


def settings_words(settings: Mapping[str, Any]) -> str:
    """Settings of a recipe in words."""
    return ", ".join(f"{key.replace('_', ' ')} {_number(value)}" for key, value in settings.items())


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).replace("_", " ")


def recipe_of(run: Run, key: PartKey) -> Recipe:
    """How a part was fitted: by the run's recipe, or with what was chosen for the part's training side."""
    recipe = run.config.recipe
    return candidate(recipe, run.part(key)["chosen"]) if run.config.search else recipe


def write_part(folder: Path, job: PartJob, result: PartResult, seconds: float) -> None:
    """Write all files of a part into an empty folder."""
    # One entry, for the order of several is not the same in every file.
    save_file(_plain(result.tensors), folder / MODEL, metadata={"classes": "\n".join(job.classes)})
    if result.reference is not None:
        save_file(_plain(result.reference), folder / REFERENCE)
    pd.DataFrame(result.history).to_csv(folder / METRICS, index=False, lineterminator="\r\n")
    frame = _answers(job, job.items, result.logits)
    frame.insert(1, "side", [side for side in SIDES for _ in job.places(side)])
    frame.insert(4, "path", [item.path for item in job.items])
    frame.to_parquet(folder / PREDICTIONS, index=False)
    if result.held_out is not None:
        places, logits = result.held_out
        _answers(job, [job.items[k] for k in places], logits).to_parquet(folder / HELD_OUT, index=False)
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


def _answers(job: PartJob, items: Sequence[Item], logits: NDArray[np.float64]) -> pd.DataFrame:
    """A row for each image: its SHA-256, label and group, and what was answered."""
    facts: dict[str, Any] = {
        "image_sha256": [item.image_sha256 for item in items],
        "label": [item.label for item in items],
        "group": [item.group for item in items],
    }
    answers = job.kind.table(logits.astype(np.float64), job.classes, job.split.positive)
    return pd.DataFrame(facts | job.kind.known(items) | answers)


def _plain(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
