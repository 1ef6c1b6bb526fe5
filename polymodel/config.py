"""What a training run is told: recipes, and one frozen configuration that a run folder keeps.

Nothing heavy is imported here, so the command line can show its choices at once.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from polydata.errors import UsageError

DEFAULT_ARCH = "efficientnet_lite0"
IMAGENET = "imagenet"
NO_WEIGHTS = "none"
MAX_SEEDS = 1000


class RecipeName(StrEnum):
    """The recipes by name."""

    PROBE = "probe"
    LP_FT = "lp-ft"
    FINETUNE = "finetune"
    PAPER = "paper"


class DeviceName(StrEnum):
    """Where to compute; ``auto`` takes CUDA, then MPS, then the processor."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


@dataclass(frozen=True)
class Recipe:
    """How a model is fitted.

    Attributes:
        name: one of ``RecipeName``.
        summary: one sentence for the run folder and the report.
        kind: ``probe`` fits a linear head on frozen features; ``loop`` trains by gradient descent.
        image_size: side in pixels of what the network sees.
        short_side: pixels to which an image's short side is brought before it is cropped; None squashes
            the whole image to ``image_size`` squared.
        inverse_regularisation: C of the logistic regression, for the probe and the linear start of ``lp-ft``.
        epochs, batch_size, learning_rate: of the loop; 0 where there is none.
        patience: epochs without a lower validation loss after which training stops; None trains all
            epochs on all training images, without a validation part.
        tail_only: train what follows the last stage but one, with every batch norm frozen.
        linear_start: begin from a logistic regression on the frozen network (linear probe, then fine-tuning:
            Kumar et al., ICLR 2022).
        balanced: weight classes by the inverse of their frequency.
        copies: (copies of an image of the positive class, of any other) for augmentation fixed before
            training; None draws new augmentations in every epoch.
    """

    name: str
    summary: str
    kind: Literal["probe", "loop"]
    image_size: int
    short_side: int | None
    inverse_regularisation: float = 0.0
    epochs: int = 0
    batch_size: int = 0
    learning_rate: float = 0.0
    patience: int | None = None
    tail_only: bool = False
    linear_start: bool = False
    balanced: bool = True
    copies: tuple[int, int] | None = None


PROBE_C = 3e-4

RECIPES: dict[RecipeName, Recipe] = {
    RecipeName.PROBE: Recipe(
        name="probe",
        summary="logistic regression on frozen features: mean and sd of the last two stages over five crops",
        kind="probe",
        image_size=224,
        short_side=280,
        inverse_regularisation=PROBE_C,
    ),
    RecipeName.LP_FT: Recipe(
        name="lp-ft",
        summary="linear probe, then fine-tuning of the last stage with early stopping on validation groups",
        kind="loop",
        image_size=224,
        short_side=256,
        inverse_regularisation=PROBE_C,
        epochs=20,
        batch_size=32,
        learning_rate=1e-4,
        patience=5,
        tail_only=True,
        linear_start=True,
    ),
    RecipeName.FINETUNE: Recipe(
        name="finetune",
        summary="fine-tuning of the whole network with early stopping on validation groups",
        kind="loop",
        image_size=224,
        short_side=256,
        epochs=30,
        batch_size=32,
        learning_rate=1e-4,
        patience=6,
    ),
    RecipeName.PAPER: Recipe(
        name="paper",
        summary="the seed article's settings: 100 epochs, batch 128, Adam at 1e-4, 256 px, x12/x3 augmentation",
        kind="loop",
        image_size=256,
        short_side=None,
        epochs=100,
        batch_size=128,
        learning_rate=1e-4,
        balanced=False,
        copies=(12, 3),
    ),
}


@dataclass(frozen=True)
class TrainConfig:
    """All that decides what a run learns, apart from the split.

    Attributes:
        arch: a name of the registry or ``timm:NAME``.
        weights: ``imagenet``, ``none``, or the path of a file.
        weights_sha256: of that file; None for the two words.
        recipe: with its overrides applied.
        seeds: one model is trained for each, on each fold.
    """

    arch: str
    weights: str
    weights_sha256: str | None
    recipe: Recipe
    seeds: tuple[int, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON: tuples come out as lists."""
        plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        return plain

    def digest(self, split_digest: str) -> str:
        """Eight hex digits that name this configuration on that split."""
        text = json.dumps([self.as_dict() | {"weights": self.weights_sha256 or self.weights}, split_digest])
        return hashlib.sha256(text.encode()).hexdigest()[:8]


def config_from_dict(data: dict[str, Any]) -> TrainConfig:
    """The inverse of ``TrainConfig.as_dict``.

    Raises:
        KeyError, TypeError: if it is not what ``as_dict`` writes.
    """
    recipe = dict(data["recipe"])
    recipe["copies"] = tuple(recipe["copies"]) if recipe["copies"] else None
    return TrainConfig(data["arch"], data["weights"], data["weights_sha256"], Recipe(**recipe), tuple(data["seeds"]))


def adjusted(name: RecipeName, **overrides: float | None) -> Recipe:
    """A recipe with some of its numbers replaced; None keeps the recipe's own.

    Raises:
        UsageError: if a number makes no sense, or the recipe has no such number.
    """
    recipe = RECIPES[name]
    wanted = {key: value for key, value in overrides.items() if value is not None}
    for key, value in wanted.items():
        flag = f"--{key.replace('_', '-')}"
        if recipe.kind == "probe" and key in ("epochs", "batch_size", "learning_rate"):
            raise UsageError(
                f"{flag} means nothing to the recipe {name}, which fits a logistic regression.",
                f"Take another recipe ({', '.join(r for r in RecipeName if r != name)}) or leave {flag} out.",
            )
        if value <= 0:
            raise UsageError(f"{flag} must be above 0, not {value}.")
    size = wanted.get("image_size")
    if size is not None and recipe.short_side is not None:
        wanted["short_side"] = round(size * recipe.short_side / recipe.image_size)
    return dataclasses.replace(recipe, **wanted)  # type: ignore[arg-type]  # names are those of the fields


def seeds_from(count: int | None, seed: int | None) -> tuple[int, ...]:
    """Seeds 0 to ``count`` - 1, or the one named; 0 where neither is given.

    Raises:
        UsageError: if both are given, or one is out of range.
    """
    if count is not None and seed is not None:
        raise UsageError("--seeds and --seed exclude each other.", "--seeds N trains with seeds 0 to N-1.")
    if count is not None:
        if not 1 <= count <= MAX_SEEDS:
            raise UsageError(f"--seeds must lie between 1 and {MAX_SEEDS}, not {count}.")
        return tuple(range(count))
    if seed is not None and not 0 <= seed < 2**31:
        raise UsageError(f"--seed must lie between 0 and 2147483647, not {seed}.")
    return (seed or 0,)
