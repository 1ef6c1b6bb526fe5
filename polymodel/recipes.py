"""The recipes: how a model is fitted, each fixed before any test side was looked at."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from polydata.errors import InputError, UsageError
from polydata.resources import schemas

DEFAULT_ARCH = "efficientnet_lite0"
IMAGENET = "imagenet"
NO_WEIGHTS = "none"
Channels = str | float | Sequence[float] | None


class RecipeName(StrEnum):
    """The recipes by name."""

    PROBE = "probe"
    PROBE_SIMULATED = "probe-simulated"
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


class BurnedIn(StrEnum):
    """What becomes of print on a micrograph: strips and margins, values, bars, magnifications, letters."""

    KEPT = "kept"
    MASKED = "masked"
    CROPPED = "cropped"


class Optimiser(StrEnum):
    """How gradients become steps."""

    ADAM = "adam"
    SGD = "sgd"


@dataclass(frozen=True)
class Recipe:
    """How a model is fitted; schemas/recipe.schema.json says the same of files.

    Attributes:
        name: one of ``RecipeName``, or that of a file.
        summary: one sentence for the run folder and the report.
        kind: ``probe`` fits a linear head on frozen features; ``loop`` trains by gradient descent.
        image_size: side in pixels of what the network sees.
        short_side: pixels to which an image's short side is brought before it is cropped; None squashes
            the whole image to ``image_size`` squared.
        views: of a probe: (short side, quarter turns) of each rendering from which five crops are taken.
        inverse_regularisation: C of the logistic regression, for the probe and the linear start of ``lp-ft``;
            every block of features weighs the same and has a mean square sum of 1 per image.
        likeness: of a probe: an image weighs one over the number of images of its paper to this power.
        simulated: of a probe of two labels: so many simulated pictures are learned too; one phase is positive.
        simulated_weight: what they weigh together, as a share of all training images.
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
        optimiser: ``adam``, or ``sgd`` with Nesterov's momentum of 0.9.
        layer_decay: each block learns at this share of the rate of the block behind it.
        clip_norm: gradients are shortened to this norm at most; 0 leaves them.
        ema: decay a step of the moving average of weights that is measured and kept; 0 keeps the last ones.
        mixup: parameter of the beta distribution of shares by which images of a batch are mixed; 0 mixes none.
        burned_in: what becomes of print that ``polydata.vision.burned_in`` finds on the picture, before anything else:
            ``kept``; ``masked`` gives its pixels the median grey of the rest; ``cropped`` keeps the largest rectangle
            without any.
        um_per_px: micrometres a pixel of what is cut out of the (first) rendering, by the scale bar that is read in the
            picture itself; one without a bar that can be read is brought to its short side as ever. 0 reads none.
        crop_area, jitter: least share of the area in a random view; by how much its brightness and contrast vary.
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
    optimiser: str = Optimiser.ADAM.value
    layer_decay: float = 1.0
    clip_norm: float = 0.0
    ema: float = 0.0
    mixup: float = 0.0
    crop_area: float = 0.5
    jitter: float = 0.2
    burned_in: str = BurnedIn.KEPT.value
    um_per_px: float = 0.0
    simulated: int = 0
    simulated_weight: float = 10.0

    @property
    def words(self) -> str:
        """What was done, with the numbers that held and what of it differs from the recipe of that name."""
        known = next((recipe for name, recipe in RECIPES.items() if name == self.name), None)
        numbers = [f"{self.image_size} px"]
        if self.kind == "loop":
            numbers += [f"{self.epochs} epochs", f"batch {self.batch_size}", f"learning rate {self.learning_rate:g}"]
            numbers += [f"early stopping after {self.patience}"] if self.patience is not None else []
        numbers += [f"{self.simulated} simulated pictures learned too"] if self.simulated else []
        numbers += self.looked_for
        changed = [key.replace("_", " ") for key in SETTINGS if known and getattr(self, key) != getattr(known, key)]
        unlike = f" (changed from the recipe: {', '.join(changed)})" if changed else ""
        return f"{self.summary}; {', '.join(numbers)}{unlike}"

    @property
    def looked_for(self) -> list[str]:
        """What is done about print and scale, in words; nothing where both are left alone."""
        print_ = [f"print {self.burned_in}"] if self.burned_in != BurnedIn.KEPT else []
        return print_ + ([f"{self.um_per_px:g} um a pixel where a bar can be read"] if self.um_per_px else [])


SETTINGS = (
    "image_size", "epochs", "batch_size", "learning_rate", "warm_up", "schedule", "patience", "balance", "frozen_norm",
)  # fmt: skip
"""What of a recipe can be changed from outside."""
LATER = (
    "optimiser", "layer_decay", "clip_norm", "ema", "mixup", "crop_area", "jitter", "burned_in", "um_per_px",
    "simulated", "simulated_weight",
)  # fmt: skip
"""Settings that came later: runs note them where they are not the default, so that older runs keep their identity."""
OF_PROBES = ("views", "likeness", "simulated", "simulated_weight")
"""Settings that mean something to a probe alone."""
OF_BOTH = (
    "name", "summary", "kind", "image_size", "inverse_regularisation", "balance", "burned_in", "um_per_px",
)  # fmt: skip
"""Settings that both kinds have."""
HINT = "What a recipe can say stands in docs/how-to/train.md and schemas/recipe.schema.json."


def read_recipe(path: Path) -> Recipe:
    """A recipe from a TOML file.

    Args:
        path: of the file; what it does not say is taken from the recipe of the program that it ``extends``.

    Raises:
        InputError: if there is no such file, it is no TOML, or says something that no recipe can say, the nearest name
            beside one that is unknown.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"There is no recipe {path}.", "Name a .toml file, or one of: " + ", ".join(RecipeName)
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{path} is no recipe: {error}", HINT) from error
    if data.get("name") in list(RecipeName):
        raise InputError(f"{path} bears the name of a recipe of the program, {data['name']}.", "Give it its own name.")
    if faults := _faults(data):
        raise InputError(f"{path} is no recipe: {'; '.join(faults)}.", HINT)
    return _recipe(data, str(path))


def _faults(data: Mapping[str, Any]) -> list[str]:
    """What is wrong with the settings of a file, by the schema."""
    from jsonschema import Draft202012Validator

    schema = json.loads((schemas() / "recipe.schema.json").read_text(encoding="utf-8"))
    faults = []
    for key in data.keys() - schema["properties"].keys():
        near = get_close_matches(key, schema["properties"], n=1)
        faults.append(f"it has no setting {key}" + (f", but {near[0]}" if near else ""))
    known = {key: value for key, value in data.items() if key in schema["properties"]}
    for error in Draft202012Validator(schema).iter_errors(known):
        where = ".".join(str(part) for part in error.absolute_path)
        faults.append(f"{where}: {error.message}" if where else error.message)
    for key, value in known.items():
        said = "" if isinstance(value, str) else json.dumps(value, default=str)
        if re.search(r"NaN|Infinity", said):
            faults.append(f"{key}: it is no number")
        elif re.search(r"\d[.e]", said) and '"integer"' in json.dumps(schema["properties"][key]):
            faults.append(f"{key}: a whole number has no point")
    return sorted(faults)


def _recipe(data: Mapping[str, Any], whose: str) -> Recipe:
    """A recipe from settings that follow the schema.

    Raises:
        InputError: if one of them means nothing to it.
    """
    own = _own({key: value for key, value in data.items() if key != "extends"})
    base = RECIPES[RecipeName(data["extends"])] if "extends" in data else None
    return _sound(replace(base, **own) if base else Recipe(**{"short_side": None, **own}), own, whose)


def varied(recipe: Recipe, settings: Mapping[str, Any], whose: str) -> Recipe:
    """A recipe with other settings, by the rules of a file that extends it.

    Raises:
        InputError: beginning with ``whose``, if one of them is out of range or means nothing to the recipe.
    """
    if faults := _faults({"extends": "probe", "name": "varied", "summary": whose, **settings}):
        raise InputError(f"{whose}: {'; '.join(faults)}.", HINT)
    own = _own(settings)
    return _sound(replace(recipe, **own), own, whose)


def _own(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a file as a recipe holds them; 0 turns two of them off."""
    off = {key: None for key in ("short_side", "patience") if settings.get(key) == 0}
    return {key: _frozen(value) for key, value in settings.items()} | off


def _sound(recipe: Recipe, own: Mapping[str, Any], whose: str) -> Recipe:
    """A recipe, if what was said of it by itself means something."""
    means_nothing = [key for key in own if not _acts(key, recipe)]
    if means_nothing:
        names = ", ".join(means_nothing)
        raise InputError(f"{whose} says {names}, which means nothing to a {recipe.kind} of these settings.", HINT)
    if recipe.tail_only and not recipe.frozen_norm:
        raise InputError(f"{whose} trains the last block alone, so its frozen_norm is true.", HINT)
    if recipe.linear_start and not recipe.tail_only:
        raise InputError(f"{whose} trains the whole network, so its linear_start is false.", HINT)
    if recipe.kind == "loop" and not (recipe.epochs and recipe.batch_size and recipe.learning_rate):
        raise InputError(f"{whose} is a loop without epochs, batch_size or learning_rate.", HINT)
    if recipe.kind == "probe" and not (recipe.views and recipe.inverse_regularisation):
        raise InputError(f"{whose} is a probe without views or inverse_regularisation.", HINT)
    return recipe


def _acts(key: str, recipe: Recipe) -> bool:
    """Whether a setting changes what this recipe does."""
    if recipe.kind == "probe":
        return key in (*OF_PROBES, *OF_BOTH) and not (
            (key == "balance" and recipe.balance == Balance.SAMPLING)
            or (key == "simulated_weight" and not recipe.simulated)
        )
    return not (
        key in OF_PROBES
        or (key in ("crop_area", "jitter") and recipe.copies is not None)
        or (key in ("linear_start", "inverse_regularisation") and not (recipe.tail_only and recipe.linear_start))
        or (key == "copies" and recipe.tail_only)
        or (key == "um_per_px" and recipe.short_side is None)
    )


def _frozen(value: Any) -> Any:
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value


def _shipped(name: RecipeName) -> Recipe:
    """A recipe of the program; that its file follows the schema is tested."""
    return _recipe(tomllib.loads((schemas() / "recipes" / f"{name}.toml").read_text(encoding="utf-8")), name)


RECIPES: dict[RecipeName, Recipe] = {name: _shipped(name) for name in RecipeName}


def recipe_named(name: str | Path) -> Recipe:
    """A recipe of the program by its name, or one from a path that ends in ``.toml``.

    Raises:
        UsageError: if there is none of that name.
        InputError: as ``read_recipe``.
    """
    if str(name).endswith(".toml"):
        return read_recipe(Path(name))
    if name not in list(RecipeName):
        near = get_close_matches(str(name), list(RecipeName), n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise UsageError(f"There is no recipe {name!r}.", f"{hint}Take {', '.join(RecipeName)}, or a FILE.toml.")
    return RECIPES[RecipeName(name)]


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
        search: path of a file of settings among which papers held back within each training side choose.
    """

    arch: str = DEFAULT_ARCH
    weights: str | Path = IMAGENET
    mean: Channels = None
    std: Channels = None
    image_size: int | None = None
    balance: Balance | str | None = None
    search: str | Path | None = None


@dataclass(frozen=True)
class Probe(Method):
    """A linear head on frozen features; takes the keywords of ``Method`` and this.

    Attributes:
        recipe: ``probe``, ``probe-simulated``, or the path of a recipe file of this kind, which ends in ``.toml``.
    """

    recipe: RecipeName | str | Path = RecipeName.PROBE


@dataclass(frozen=True)
class Finetune(Method):
    """Training by gradient descent; takes the keywords of ``Method`` and these.

    Attributes:
        recipe: ``lp-ft`` (the last block alone), ``finetune``, ``paper`` or ``paper-code``, or the path of a recipe
            file of this kind, which ends in ``.toml``.
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

    recipe: RecipeName | str | Path = RecipeName.LP_FT
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    schedule: Schedule | str | None = None
    warm_up: float | None = None
    patience: int | None = None
    frozen_norm: bool | None = None
    transforms: str | None = None


def method_named(recipe: str | Path, **settings: Any) -> Probe | Finetune:
    """The method of a recipe, by its name or file, with these settings; None leaves one out.

    Raises:
        UsageError: if there is no such recipe, or a probe is told what means nothing to it.
        InputError: if the file is none of a recipe.
    """
    if recipe_named(recipe).kind != "probe":
        return Finetune(recipe, **settings)
    given = {key: value for key, value in settings.items() if value is not None}
    for key in [key for key in given if key not in Probe.__dataclass_fields__]:
        flag = f"--{key.replace('_', '-')}"
        raise UsageError(
            f"{flag} means nothing to the recipe {recipe}, which fits a linear head on frozen features.",
            f"Take another recipe ({', '.join(r for r in RecipeName if r != recipe)}) or leave {flag} out.",
        )
    return Probe(recipe, **given)
