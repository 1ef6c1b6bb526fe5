"""What a training run is told: one frozen configuration that a run folder keeps.

Nothing heavy is imported here, so the command line can show its choices at once.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from polydata.errors import InputError, UsageError
from polydata.ids import sha256_file
from polydata.resources import schemas
from polymodel.recipes import (
    IMAGENET,
    LATER,
    NO_WEIGHTS,
    RECIPES,
    Balance,
    Channels,
    Finetune,
    Probe,
    Recipe,
    RecipeName,
    Schedule,
    recipe_named,
    varied,
)

MAX_SEEDS = 1000
S = TypeVar("S", bound=StrEnum)


class DeviceName(StrEnum):
    """Where to compute; ``auto`` takes CUDA, then MPS, then the processor."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


class Precision(StrEnum):
    """Of the arithmetic in training; the two short ones are automatic mixed precision."""

    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"


class TrackerName(StrEnum):
    """Who is told of every epoch, beside metrics.csv."""

    TENSORBOARD = "tensorboard"
    MLFLOW = "mlflow"
    NONE = "none"


class Scoring(StrEnum):
    """How several models' answers are scored."""

    PER_PART = "per-part"
    """Each model on its own test side; figures are means over the models."""
    POOLED = "pooled"
    """The folds of a seed and repeat as one set of answers; figures are means over seeds and repeats."""
    ENSEMBLE = "ensemble"
    """Each image once, by the mean logits of all models that had it as a test image: as ``predict`` answers."""

    @property
    def words(self) -> str:
        """What it is, for people."""
        return {
            Scoring.PER_PART: "single models, mean",
            Scoring.POOLED: "single models, folds scored together",
            Scoring.ENSEMBLE: "all models together, as predict answers",
        }[self]


class Members(StrEnum):
    """Which models of a run answer an image."""

    ALL = "all"
    UNSEEN = "unseen"
    """Of a paper that the run knows, those that saw no image of it, where there are any."""


@dataclass(frozen=True)
class Hardware:
    """Where and how fast to compute; the results differ only by rounding.

    Attributes:
        device: ``auto`` takes the best there is.
        devices: processes that share each batch.
        precision: of the arithmetic in training; what is measured and predicted is always fp32.
        compiled: hand the network to ``torch.compile`` for training.
    """

    device: DeviceName = DeviceName.AUTO
    devices: int = 1
    precision: Precision = Precision.FP32
    compiled: bool = False


@dataclass(frozen=True)
class Search:
    """Settings among which papers held back within each training side choose; schemas/search.schema.json.

    Attributes:
        values: of each setting of a recipe those that are tried.
        inner: in so many parts training papers are held back in turn.
    """

    values: tuple[tuple[str, tuple[Any, ...]], ...]
    inner: int

    @property
    def candidates(self) -> tuple[dict[str, Any], ...]:
        """Every combination of the values, the last setting varying fastest."""
        names = [name for name, _ in self.values]
        combined = itertools.product(*(values for _, values in self.values))
        return tuple(dict(zip(names, one, strict=True)) for one in combined)


def candidate(recipe: Recipe, settings: Mapping[str, Any]) -> Recipe:
    """A recipe with the settings of a candidate, or those that were chosen.

    Raises:
        InputError: as of ``recipes.varied``.
    """
    told = ", ".join(f"{key} = {json.dumps(value)}" for key, value in settings.items())
    if "image_size" in settings and not {"views", "short_side"} & settings.keys():
        recipe = dataclasses.replace(recipe, **_resized(recipe, settings["image_size"]))
    return varied(recipe, json.loads(json.dumps(settings)), f"The candidate {told}")


@dataclass(frozen=True)
class TrainConfig:
    """All that decides what a run learns, apart from the split.

    Attributes:
        arch: a name of the registry or ``timm:NAME``.
        weights: ``imagenet``, ``none``, or the path of a file.
        weights_sha256: of that file; None for the two words.
        recipe: with its overrides applied.
        seeds: one model is trained for each, on each fold.
        mean, std: per channel, of the input that the weights expect, for grey values between 0 and 1; None
            takes the architecture's own.
        transforms: ``module:name`` of the user's own random transform, or None.
        transforms_sha256: of the file that defines it.
        search: what is chosen among for each training side; None where the recipe is fixed.
    """

    arch: str
    weights: str
    weights_sha256: str | None
    recipe: Recipe
    seeds: tuple[int, ...]
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    transforms: str | None = None
    transforms_sha256: str | None = None
    search: Search | None = None

    @property
    def input_scale(self) -> tuple[tuple[float, ...] | None, tuple[float, ...] | None]:
        """Mean and sd by which the input is shifted and scaled; None where the architecture's own are taken."""
        if self.recipe.normalised:
            return self.mean, self.std
        return self.mean or (0.0,) * 3, self.std or (1.0,) * 3

    def as_dict(self) -> dict[str, Any]:
        """For JSON: tuples come out as lists."""
        plain: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        usual = {f.name: f.default for f in dataclasses.fields(Recipe) if f.name in LATER}
        plain["recipe"] = {k: v for k, v in plain["recipe"].items() if k not in usual or v != usual[k]}
        if self.search is None:  # runs of before there were any keep their identity
            del plain["search"]
        return plain

    def digest(self, split_digest: str) -> str:
        """Eight hex digits that name this configuration on that split, by what it means alone."""
        text = json.dumps([meaning(self.as_dict()), split_digest])
        return hashlib.sha256(text.encode()).hexdigest()[:8]


def chosen(kind: type[S], given: str, option: str) -> S:
    """A choice by its word.

    Raises:
        UsageError: if there is none of that word.
    """
    try:
        return kind(given)
    except ValueError:
        raise UsageError(f"{option} takes {', '.join(kind)}, not {given!r}.") from None


def meaning(config: dict[str, Any]) -> dict[str, Any]:
    """What of ``TrainConfig.as_dict`` decides what is learned: files by their bytes, and no words about the recipe."""
    recipe = {key: value for key, value in config["recipe"].items() if key != "summary"}
    return config | {"weights": config["weights_sha256"] or config["weights"], "recipe": recipe}


def config_from_dict(data: dict[str, Any]) -> TrainConfig:
    """The inverse of ``TrainConfig.as_dict``.

    Raises:
        KeyError, TypeError: if it is not what ``as_dict`` writes.
    """
    plain = {key: _tuples(value) for key, value in data.items() if key not in ("recipe", "search")}
    if found := data.get("search"):
        plain["search"] = Search(_tuples(found["values"]), found["inner"])
    return TrainConfig(**plain, recipe=Recipe(**{key: _tuples(value) for key, value in data["recipe"].items()}))


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


def adjusted(name: str | Path, **overrides: float | str | bool | None) -> Recipe:
    """A recipe with some of its settings replaced; None keeps the recipe's own.

    Args:
        name: of a recipe, or the path of its file.
        overrides: by the names of settings.

    Raises:
        UsageError: if a number or word makes no sense, or the recipe has no such setting.
    """
    recipe = recipe_named(name)
    wanted: dict[str, Any] = {key: value for key, value in overrides.items() if value is not None}
    for key, value in wanted.items():
        lowest_allowed = key in ("warm_up", "patience")  # 0 turns these two off
        if isinstance(value, int | float) and (value < 0 or (value == 0 and not lowest_allowed)) and value is not False:
            raise UsageError(f"--{key.replace('_', '-')} must be above 0, not {value}.")
    for key, kind in (("balance", Balance), ("schedule", Schedule)):
        if key in wanted:
            wanted[key] = chosen(kind, wanted[key], f"--{key}").value
    if recipe.kind == "probe" and wanted.get("balance") == "sampling":
        raise UsageError("--balance sampling means nothing to a probe.", "Use --balance weights, or none.")
    if recipe.tail_only and wanted.get("frozen_norm") is False:
        raise UsageError(f"--trained-norm means nothing to the recipe {name}, whose front is frozen.", "Leave it out.")
    if wanted.get("patience") == 0:
        wanted["patience"] = None
    size = wanted.get("image_size")
    return dataclasses.replace(recipe, **wanted | (_resized(recipe, size) if isinstance(size, int) else {}))


def _resized(recipe: Recipe, size: int) -> dict[str, Any]:
    """What changes with the side in pixels of what the network sees."""
    scale = size / recipe.image_size
    views = tuple((round(side * scale), turns) for side, turns in recipe.views)
    short = None if recipe.short_side is None else round(scale * recipe.short_side)
    return {"image_size": size, "views": views, "short_side": short}


SEARCH_HINT = "What a search can say stands in docs/how-to/train.md and schemas/search.schema.json."
MOST_CANDIDATES = 200


def read_search(path: Path) -> tuple[str, Search]:
    """The recipe that a search begins from, a name or the path of a file, and what it chooses among.

    Raises:
        InputError: if there is no such file, it is no TOML, or says something that no search can say.
    """
    from jsonschema import Draft202012Validator

    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"There is no search {path}.", SEARCH_HINT) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{path} is no search: {error}", SEARCH_HINT) from error
    schema = json.loads((schemas() / "search.schema.json").read_text(encoding="utf-8"))
    errors = Draft202012Validator(schema).iter_errors(data)
    faults = [": ".join([*filter(None, [".".join(map(str, e.absolute_path))]), e.message]) for e in errors]
    if faults:
        raise InputError(f"{path} is no search: {'; '.join(sorted(faults))}.", SEARCH_HINT)
    search = Search(tuple((key, _tuples(values)) for key, values in data["values"].items()), data.get("inner", 5))
    if not 2 <= (count := math.prod(len(values) for _, values in search.values)) <= MOST_CANDIDATES:
        raise InputError(f"{path} has {count} candidates; a search has 2 to {MOST_CANDIDATES}.", SEARCH_HINT)
    base = str(data["recipe"])
    return str(path.parent / base) if base.endswith(".toml") else base, search


def train_config(method: Probe | Finetune, seeds: int | Sequence[int] = 1) -> TrainConfig:
    """The configuration of a method and its seeds: all of them, or how many from 0.

    Raises:
        UsageError: if a setting makes no sense or means nothing to the recipe, or there is no such transform.
        InputError: if there is no such weights file, or the file of a search is none for this recipe.
    """
    settings = dict(vars(method))
    base, search = read_search(Path(path)) if (path := settings.pop("search")) is not None else (None, None)
    name, arch, weights = settings.pop("recipe"), settings.pop("arch"), str(settings.pop("weights"))
    if (recipe_named(name).kind == "probe") != isinstance(method, Probe):
        loops, probes = (", ".join(r for r in RecipeName if (RECIPES[r].kind == kind)) for kind in ("loop", "probe"))
        words = f"{type(method).__name__} takes no recipe {str(name)!r}."
        raise UsageError(words, f"Finetune takes {loops}, or a file of a loop; Probe takes {probes}, or a file of one.")
    if base is not None and recipe_named(base) != recipe_named(name):
        raise UsageError(f"The search {path} varies the recipe {base}, not {name}.", f"Name {base}, or another search.")
    scale = _channel_values(settings.pop("mean"), "--mean"), _channel_values(settings.pop("std"), "--std")
    transforms, own_sha256 = settings.pop("transforms", None), None
    recipe = adjusted(name, **settings)
    tried = [candidate(recipe, one) for one in search.candidates] if search else [recipe]
    if transforms is not None:
        if any(one.copies is not None for one in tried):
            raise UsageError(f"--transforms means nothing to the recipe {name}, which shows no random views.")
        from polymodel.data.views import transform_sha256

        own_sha256 = transform_sha256(transforms)
    weights_sha256 = None
    if weights not in (IMAGENET, NO_WEIGHTS):
        weights = str(Path(weights).resolve())
        if not Path(weights).is_file():
            hint = "--weights takes imagenet, none, or the path of a file."
            raise InputError(f"There is no weights file {weights}.", hint)
        weights_sha256 = sha256_file(Path(weights))
    every = seeds_from(seeds, None) if isinstance(seeds, int) else tuple(seeds_from(None, s)[0] for s in seeds)
    if not every or len(set(every)) < len(every):
        raise UsageError(f"Seeds are at least one and all different, not {list(every)}.")
    if len(every) > 1 and recipe.kind == "probe" and weights != NO_WEIGHTS:
        raise UsageError(
            "Several seeds mean nothing to the recipe probe with given weights: nothing in it is random, so all models "
            "would be the same.",
            "Leave --seeds out, or take --recipe lp-ft.",
        )
    return TrainConfig(arch, weights, weights_sha256, recipe, every, *scale, transforms, own_sha256, search)


def _channel_values(given: Channels, flag: str) -> tuple[float, ...] | None:
    """Three numbers, or one for all channels, from ``0.5`` or ``0.485,0.456,0.406``."""
    if given is None:
        return None
    parts = given.split(",") if isinstance(given, str) else [given] if isinstance(given, int | float) else given
    try:
        values = tuple(float(part) for part in parts)
    except ValueError:
        values = ()
    lowest = 0.0 if flag == "--mean" else 1e-6
    if len(values) not in (1, 3) or not all(lowest <= v <= 10 for v in values):
        raise UsageError(f"{flag} takes one number or three with commas, not {given!r}.", "Such as 0.485,0.456,0.406.")
    return values * 3 if len(values) == 1 else values


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
