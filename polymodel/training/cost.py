"""How many trainings a run is, and about how long they take here, measured on one image before they begin."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from polydata.images.picture import open_picture
from polydata.splits.manifest import Fold, Split
from polymodel.config import DeviceName, TrainConfig, candidate
from polymodel.data.preparation import preparation
from polymodel.kinds.asked import kind_of
from polymodel.networks.devices import choose_device, seeded, threads
from polymodel.networks.features import describe
from polymodel.networks.linear import coordinates
from polymodel.networks.network import Network, architecture
from polymodel.networks.solver import Problem
from polymodel.networks.weights import load_network
from polymodel.recipes import Recipe
from polymodel.training.batches import RANDOM_VIEWS, LastBlock
from polymodel.training.search import inner_folds

TIMED = 8
"""Views of a batch that is timed."""
VIEWS_OF_MAPS = 4 + RANDOM_VIEWS
HEADS = 30
"""Heads that the training of a probe that is kept fits together, to show where the strength stands."""


@dataclass(frozen=True)
class Cost:
    """What a training is about to do.

    Attributes:
        fits: trainings in all, ``choosing`` of them only to choose.
        candidates: settings among which each training side chooses; 1 where the recipe is fixed.
        inner: parts in which papers of a training side are held back, the most of any.
        folds, seeds: of the parts that are kept.
        seconds: about how long it takes, without what is kept from earlier runs, and with every epoch of a recipe that
            may stop early.
        device: on which that was measured.
    """

    fits: int
    choosing: int
    candidates: int
    inner: int
    folds: int
    seeds: int
    seconds: float
    device: str

    @property
    def words(self) -> str:
        """For people."""
        among = f"{self.choosing} to choose among {self.candidates} candidates by {self.inner} parts of a training side"
        work = f"{self.fits} trainings" + (f", {among}, {self.fits - self.choosing} to keep" if self.choosing else "")
        unit, name = next(((u, n) for u, n in ((3600, "h"), (60, "min")) if self.seconds >= 2 * u), (1, "s"))
        return f"{work}; about {self.seconds / unit:.1f} {name} on {self.device}, less where features are kept already."


def cost(split: Split, config: TrainConfig, device: DeviceName = DeviceName.AUTO) -> Cost:
    """What ``train`` would do of a configuration.

    Args:
        split: from ``load_split``.
        config: from ``train_config``.
        device: where it would compute; one image, a batch of eight views and one head are timed there.

    Raises:
        InputError, UsageError: as of ``train``.
    """
    used, search = choose_device(device), config.search
    candidates = [candidate(config.recipe, one) for one in search.candidates] if search else [config.recipe]
    inner = [inner_folds(f, split.classes, search.inner, config.seeds[0]) if search else [] for f in split.folds]
    tried = [(recipe, fold) for folds in inner for fold in folds for recipe in candidates]
    dearest = max(candidates, key=lambda recipe: recipe.epochs)
    kept = [(dearest, fold) for fold in split.folds for _ in config.seeds]
    with seeded(config.seeds[0], used):
        kind = kind_of(split.asked)
        outputs = kind.outputs(len(split.classes))
        network = load_network(architecture(config.arch), config.weights, outputs, config.input_scale)
        network.module.to(used)
        timer = _Timer(split, network, used)
        seconds = timer.fits(tried, last=False) + timer.fits(kept, last=True)
    counts = len(candidates), max(map(len, inner), default=0), len(split.folds), len(config.seeds)
    return Cost(len(tried) + len(kept), len(tried), *counts, seconds, used)


class _Timer:
    """Times of one network on one device.

    Args:
        split: whose first training image is looked at.
        network: on the device.
        device: ``cpu``, ``cuda`` or ``mps``.
    """

    def __init__(self, split: Split, network: Network, device: str) -> None:
        self.split, self.network, self.device = split, network, device
        self.known: dict[Any, Any] = {}
        self.seen: set[Any] = set()

    def fits(self, work: Sequence[tuple[Recipe, Fold]], *, last: bool) -> float:
        """Seconds of trainings; what is kept of images is computed once."""
        return sum(self._fit(recipe, fold, last) for recipe, fold in work)

    def _fit(self, recipe: Recipe, fold: Fold, last: bool) -> float:
        seconds, train = self._pictures(recipe, fold), len(fold.train)
        if recipe.kind == "probe":
            return seconds + self._heads(recipe, train, len(fold.everything), HEADS if last else 1)
        times = sum(recipe.copies) / 2 if recipe.copies else 1
        return seconds + self._step(recipe) * recipe.epochs * train * times

    def _pictures(self, recipe: Recipe, fold: Fold) -> float:
        """Reading images, and what the frozen front makes of those that were not seen yet."""
        is_kept = recipe.kind == "probe" or recipe.tail_only
        key = repr(preparation(recipe))
        sha256s = {item.image_sha256 for item in fold.everything}
        new = [one for one in sha256s if (key, one) not in self.seen] if is_kept else sha256s
        if is_kept:
            self.seen.update((key, one) for one in sha256s)
        at_once = torch.get_num_threads() if self.device == "cpu" else 1  # an image a thread
        return self._once(("picture", key), lambda: self._picture(recipe)) * (len(new) + recipe.simulated) / at_once

    def _picture(self, recipe: Recipe) -> float:
        path = self.split.image_path(self.split.folds[0].train[0])
        shown = preparation(recipe)
        with threads(1):
            seconds = _timed(lambda: shown.prepare(open_picture(path)), self.device)
            size = recipe.image_size
            self.network.module.eval()
            with torch.inference_mode():
                if recipe.kind == "probe":
                    views = torch.zeros(1, 5 * len(recipe.views), size, size, dtype=torch.uint8, device=self.device)
                    seconds += _timed(lambda: describe(self.network, views), self.device)
                elif recipe.tail_only:
                    views = torch.zeros(VIEWS_OF_MAPS, size, size, dtype=torch.uint8, device=self.device)
                    seconds += _timed(lambda: self.network.middle_map(self.network.normalise(views)), self.device)
        return seconds

    def _step(self, recipe: Recipe) -> float:
        """Seconds a view forwards and backwards."""
        key = "step", recipe.image_size, recipe.tail_only
        return self._once(key, lambda: self._stepped(recipe))

    def _stepped(self, recipe: Recipe) -> float:
        size = recipe.image_size
        inputs = self.network.normalise(torch.zeros(TIMED, size, size, dtype=torch.uint8, device=self.device))
        module: Any = self.network.module
        if recipe.tail_only:
            with torch.no_grad():
                inputs = self.network.middle_map(inputs)
            module = LastBlock(self.network, size)
        module.train()

        def step() -> None:
            module.zero_grad(set_to_none=True)
            module(inputs).float().sum().backward()

        return _timed(step, self.device) / TIMED

    def _heads(self, recipe: Recipe, train: int, shown: int, count: int) -> float:
        """Seconds of so many heads together on features as many as there are, but made up."""

        def fitted() -> float:
            views = torch.zeros(1, 1, recipe.image_size, recipe.image_size, dtype=torch.uint8, device=self.device)
            self.network.module.eval()
            with torch.inference_mode():
                columns = sum(block.shape[1] for block in describe(self.network, views))
            rng = np.random.default_rng(0)
            values = rng.normal(size=(shown, columns)).astype(np.float32)
            kind, classes = kind_of(self.split.asked), self.split.classes
            truth = np.resize(kind.truth(self.split.folds[0].train, classes), train)
            problems = [Problem(recipe.inverse_regularisation, np.ones(train))] * count

            def fit() -> None:
                place = coordinates(values[:train])
                place.head(*kind.fit(place.values, truth, len(classes), problems)[0]).logits(values)

            return _timed(fit, "cpu", times=1)

        return self._once(("heads", count, train // 50), fitted)

    def _once(self, key: Any, measure: Callable[[], float]) -> float:
        if key not in self.known:
            self.known[key] = measure()
        return float(self.known[key])


def _timed(work: Callable[[], Any], device: str, times: int = 2) -> float:
    """Seconds of one call, the fastest after one that warms up."""

    def one() -> float:
        began = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - began

    return min([one() for _ in range(times + 1)][1:])
