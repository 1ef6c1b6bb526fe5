"""Simulated pictures that a probe learns from beside the real ones.

The label of a simulated picture follows from its phase diagram: where there is one phase it has the positive label.
So it means something where the positive label says that a blend is compatible. Simulated pictures are on no test side,
none is held back, and calibration and the reference of strange pictures know real ones alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from polydata.errors import UsageError
from polydata.simulation.teaching import VERSION, draw_lessons
from polydata.splits.manifest import Split
from polydata.task import TaskKind
from polymodel.kinds.asked import kind_name
from polymodel.networks.features import FeatureCache, Features
from polymodel.networks.linear import Array, image_weights
from polymodel.recipes import Balance, Recipe
from polymodel.runs.parts import PartJob


@dataclass(frozen=True)
class Simulated:
    """What is learned beside the training side.

    Attributes:
        features: (m, columns), blocks side by side.
        truth: (m,) class indices.
        weights: (m,) of the pictures; their sum is the recipe's share of the number of training images.
        digest: SHA-256 over those of all pictures.
    """

    features: Features
    truth: NDArray[np.int64]
    weights: Array
    digest: str


def check_simulated(split: Split, recipe: Recipe) -> None:
    """Refuse to simulate for what has no such labels.

    Raises:
        UsageError: if the recipe simulates and the split is not one of two labels.
    """
    if recipe.simulated and (kind_name(split.asked) is not TaskKind.NOMINAL or len(split.classes) != 2):
        raise UsageError(
            f"{split.name} has no two labels, which simulated pictures can have.",
            "Leave simulated out of the recipe, or build a split of two labels (--partial drop).",
        )


def simulated_pictures(job: PartJob, cache: FeatureCache, folder: Path) -> Simulated | None:
    """The recipe's simulated pictures with their features; None where it has none.

    Args:
        job: of a split that ``check_simulated`` let pass.
        cache: of the recipe's features.
        folder: below which pictures are kept.

    Raises:
        InputError: if the folder cannot be written.
    """
    recipe = job.recipe
    if not recipe.simulated:
        return None
    lessons = draw_lessons(folder / str(VERSION), recipe.simulated, progress=job.progress)
    blocks = cache.get([(one.sha256, one.path) for one in lessons], job.progress)
    positive = job.classes.index(job.split.positive)
    truth = np.array([positive if one.one_phase else 1 - positive for one in lessons], dtype=np.int64)
    balanced = job.balance == Balance.WEIGHTS
    weights = image_weights(truth, 2, [one.sample for one in lessons], recipe.likeness, balanced)
    share = recipe.simulated_weight * len(job.fold.train) / len(lessons)
    digest = hashlib.sha256("\n".join(one.sha256 for one in lessons).encode()).hexdigest()
    return Simulated(np.concatenate(blocks, axis=1), truth, share * weights, digest)
