"""The recipes: how a model is fitted, each fixed before any test side was looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Literal

from polydata.errors import UsageError

DEFAULT_ARCH = "efficientnet_lite0"
IMAGENET = "imagenet"
NO_WEIGHTS = "none"


class RecipeName(StrEnum):
    """The recipes by name."""

    PROBE = "probe"
    LP_FT = "lp-ft"
    FINETUNE = "finetune"
    PAPER = "paper"
    PAPER_CODE = "paper-code"


class Balance(StrEnum):
    """What is done about classes of unequal size."""

    NONE = "none"
    WEIGHTS = "weights"
    SAMPLING = "sampling"


class Schedule(StrEnum):
    """How the learning rate goes on after the warm-up."""

    CONSTANT = "constant"
    COSINE = "cosine"


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
        views: of a probe: (short side, quarter turns) of each rendering from which five crops are taken.
        inverse_regularisation: C of the logistic regression, for the probe and the linear start of ``lp-ft``;
            every block of features weighs the same and has a mean square sum of 1 per image.
        likeness: of a probe: an image weighs one over the number of images of its paper to this power.
        epochs, batch_size, learning_rate: of the loop; 0 where there is none.
        warm_up: epochs over which the learning rate rises from 0.
        schedule: of the learning rate afterwards.
        weight_decay: of the optimiser (Adam; decoupled, as in AdamW, where it is above 0).
        patience: epochs without a lower validation loss after which training stops; None trains all
            epochs on all training images, without a validation part.
        tail_only: train the last block alone, on what the frozen rest makes of fixed views, computed once.
        frozen_norm: batch norm keeps its statistics and its parameters.
        linear_start: begin from a logistic regression on the frozen network (linear probe, then fine-tuning:
            Kumar et al., ICLR 2022).
        balance: ``weights`` weights classes by the inverse of their frequency in the loss, ``sampling`` draws
            them equally often.
        copies: (copies of an image of the positive class, of any other) for augmentation fixed before
            training, those that ``polydata augment`` writes; None draws new augmentations in every epoch.
        normalised: shift and scale the input as the network expects; otherwise grey values between 0 and 1.
        flips: average over an image and its three mirror images when predicting.
    """

    name: str
    summary: str
    kind: Literal["probe", "loop"]
    image_size: int
    short_side: int | None
    views: tuple[tuple[int, int], ...] = ()
    inverse_regularisation: float = 0.0
    likeness: float = 0.0
    epochs: int = 0
    batch_size: int = 0
    learning_rate: float = 0.0
    warm_up: float = 0.0
    schedule: str = Schedule.CONSTANT.value
    weight_decay: float = 0.0
    patience: int | None = None
    tail_only: bool = False
    frozen_norm: bool = False
    linear_start: bool = False
    balance: str = Balance.NONE.value
    copies: tuple[int, int] | None = None
    normalised: bool = True
    flips: bool = False

    @property
    def words(self) -> str:
        """What was done, with the numbers that held and what of it differs from the recipe of that name."""
        known = RECIPES.get(self.name)  # type: ignore[call-overload]
        numbers = [f"{self.image_size} px"]
        if self.kind == "loop":
            numbers += [f"{self.epochs} epochs", f"batch {self.batch_size}", f"learning rate {self.learning_rate:g}"]
            numbers += [f"early stopping after {self.patience}"] if self.patience is not None else []
        changed = [key.replace("_", " ") for key in SETTINGS if known and getattr(self, key) != getattr(known, key)]
        unlike = f" (changed from the recipe: {', '.join(changed)})" if changed else ""
        return f"{self.summary}; {', '.join(numbers)}{unlike}"


SETTINGS = (
    "image_size", "epochs", "batch_size", "learning_rate", "warm_up", "schedule", "patience", "balance", "frozen_norm",
)  # fmt: skip
"""What of a recipe can be changed from outside."""
PROBE_C = 0.3

_ALL = (
    Recipe(
        name="probe",
        summary="logistic regression on frozen features of 15 crops at two scales: means, sds and covariances",
        kind="probe",
        image_size=224,
        short_side=None,
        views=((280, 0), (280, 1), (448, 0)),
        inverse_regularisation=PROBE_C,
        likeness=0.5,
        balance=Balance.WEIGHTS.value,
    ),
    Recipe(
        name="lp-ft",
        summary="linear probe, then fine-tuning of the last block on cached views, four mirror images averaged",
        kind="loop",
        image_size=224,
        short_side=256,
        inverse_regularisation=PROBE_C,
        epochs=6,
        batch_size=32,
        learning_rate=1e-4,
        schedule=Schedule.COSINE.value,
        tail_only=True,
        frozen_norm=True,
        linear_start=True,
        flips=True,
    ),
    Recipe(
        name="finetune",
        summary="fine-tuning of the whole network on random views",
        kind="loop",
        image_size=224,
        short_side=256,
        epochs=30,
        batch_size=32,
        learning_rate=1e-4,
        warm_up=1.0,
        schedule=Schedule.COSINE.value,
        patience=6,
        balance=Balance.WEIGHTS.value,
    ),
    Recipe(
        name="paper",
        summary="the seed article's settings: Adam, twelve copies of each compatible image and three of any other",
        kind="loop",
        image_size=256,
        short_side=320,
        epochs=100,
        batch_size=128,
        learning_rate=1e-4,
        copies=(12, 3),
    ),
    Recipe(
        name="paper-code",
        summary="the seed authors' code: Adam, the article's copies, input between 0 and 1 without normalisation",
        kind="loop",
        image_size=128,
        short_side=160,
        epochs=100,
        batch_size=64,
        learning_rate=5e-5,
        copies=(12, 3),
        normalised=False,
    ),
)
RECIPES = {RecipeName(recipe.name): recipe for recipe in _ALL}


Channels = str | float | Sequence[float] | None


@dataclass(frozen=True, kw_only=True)
class Method:
    """What ``Probe`` and ``Finetune`` share; a setting left out is the recipe's.

    Attributes:
        arch: a name of the registry, or ``timm:NAME`` for any model of timm.
        weights: ``imagenet``, ``none``, or the path of a file.
        mean, std: one number or three (also as text with commas), of the input that the weights expect, for grey
            from 0 to 1.
        image_size: side in pixels of what the network sees.
        balance: ``weights``, ``sampling`` (not for a probe) or ``none``: what is done about classes of unequal size.
    """

    arch: str = DEFAULT_ARCH
    weights: str | Path = IMAGENET
    mean: Channels = None
    std: Channels = None
    image_size: int | None = None
    balance: Balance | str | None = None


@dataclass(frozen=True)
class Probe(Method):
    """A logistic regression on frozen features.

    Attributes:
        arch, weights, mean, std, image_size, balance: by keyword, as of ``Method``.
    """

    recipe: ClassVar[RecipeName] = RecipeName.PROBE


@dataclass(frozen=True)
class Finetune(Method):
    """Training by gradient descent; takes the keywords of ``Method`` and these.

    Attributes:
        recipe: ``lp-ft`` (the last block alone), ``finetune``, ``paper`` or ``paper-code``.
        epochs: at most so many.
        batch_size: images of a batch, over all processes.
        learning_rate: of Adam, after the warm-up.
        schedule: ``constant`` or ``cosine``, of the learning rate after the warm-up.
        warm_up: epochs over which the learning rate rises; 0 turns it off.
        patience: epochs without a lower validation loss after which training stops; 0 never stops.
        frozen_norm: batch norm keeps its statistics and its parameters.
        transforms: ``module:name`` of a random transform of one's own: ``name(size)`` gives a function from a grey
            uint8 tensor (1, height, width) to another of (1, size, size).
    """

    recipe: RecipeName | str = RecipeName.LP_FT
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    schedule: Schedule | str | None = None
    warm_up: float | None = None
    patience: int | None = None
    frozen_norm: bool | None = None
    transforms: str | None = None


def method_named(recipe: RecipeName, **settings: Any) -> Probe | Finetune:
    """The method of a recipe with these settings; None leaves one out.

    Raises:
        UsageError: if a probe is told what means nothing to it.
    """
    if recipe != RecipeName.PROBE:
        return Finetune(recipe, **settings)
    given = {key: value for key, value in settings.items() if value is not None}
    for key in given:
        if key not in Probe.__dataclass_fields__:
            flag = f"--{key.replace('_', '-')}"
            raise UsageError(
                f"{flag} means nothing to the recipe {recipe}, which fits a logistic regression.",
                f"Take another recipe ({', '.join(r for r in RecipeName if r != recipe)}) or leave {flag} out.",
            )
    return Probe(**given)
