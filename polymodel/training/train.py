"""``polymodel train``: every fold and seed of a split, one part at a time, into one run folder."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric

from polydata.errors import InputError, UsageError
from polydata.splits.manifest import Fold, Split
from polydata.types import Progress, quiet
from polymodel.config import Hardware, Precision, TrackerName, TrainConfig, candidate
from polymodel.data.split import check_images, load_split
from polymodel.data.views import own_transform, standard_key, standard_transform
from polymodel.kinds.asked import kind_of
from polymodel.networks.devices import choose_device, seeded
from polymodel.networks.features import FeatureCache
from polymodel.networks.linear import Array
from polymodel.networks.network import Architecture, Network, architecture
from polymodel.networks.pretrained import pretrained
from polymodel.networks.weights import load_network
from polymodel.recipes import NO_WEIGHTS, Recipe
from polymodel.runs.card import describe_environment, write_card
from polymodel.runs.parts import PartJob, PartResult, choice_file, choices, write_part
from polymodel.runs.run import (
    FORMAT,
    MAX_NAME,
    RUN_FILE,
    PartKey,
    Run,
    check_name,
    create_run,
    held,
    new_part,
    open_run,
    write_json,
)
from polymodel.training import pretraining
from polymodel.training.loop import LoopSettings, train_loop
from polymodel.training.probe import answer_test_side, train_probe
from polymodel.training.processes import check_devices, gathered, joined, launched
from polymodel.training.search import choose
from polymodel.training.simulated import check_simulated
from polymodel.training.tracking import Tracker, require, silent, tracking

CACHE = ".cache"


@dataclass(frozen=True)
class Trained:
    """What ``train`` did.

    Attributes:
        run: the finished run.
        done_now, done_before: parts trained by this call, and found from an earlier one.
        notes: what the user should know.
        is_first: False in all processes under torchrun but the first, which alone speaks to the user.
    """

    run: Run
    done_now: int
    done_before: int
    notes: tuple[str, ...]
    is_first: bool = True


@dataclass(frozen=True)
class Work:
    """What every process of a team needs to know, which can be pickled: folders, parts that wait, and settings."""

    split: Path
    run: Path
    waiting: tuple[PartKey, ...]
    device: str
    hardware: Hardware
    tracker: TrackerName
    checkpoint_seconds: float


def train(
    split: Split,
    config: TrainConfig,
    runs: Path,
    *,
    name: str | None = None,
    hardware: Hardware | None = None,
    tracker: TrackerName = TrackerName.TENSORBOARD,
    checkpoint_seconds: float = 30.0,
    command: Sequence[str] = (),
    progress: Progress = quiet,
) -> Trained:
    """Train a model for each fold and seed, or go on with a run that was broken off; see ``polymodel.fit``.

    Args:
        split: from ``load_split``.
        config: what to train and how.
        runs: the workspace's runs/.
        name, tracker, checkpoint_seconds, command, progress: as of ``polymodel.fit``, as are the errors.
        hardware: where to compute, and in how many processes; by default one, on the best device there is.
    """
    arch, hardware = architecture(config.arch), hardware or Hardware()
    used = choose_device(hardware.device)
    _check_hardware(config, hardware, used)
    require(tracker)
    processes = int(os.environ["WORLD_SIZE"]) if launched() else hardware.devices
    folder = runs / check_name(name or default_name(split, config, hardware.precision, processes))
    if launched() and int(os.environ["RANK"]) > 0:
        with joined(used, hardware.precision) as fabric:
            return _follow(fabric)
    tried = config.search.candidates if config.search else [{}]
    for one in tried:
        check_simulated(split, candidate(config.recipe, one))
    check_images(split)
    record = _record(split, config, folder, command)
    record |= {"precision": hardware.precision.value, "processes": processes}
    record |= {"environment": describe_environment(used)}
    run = create_run(folder, record, same=("config", "split", "parts", "precision", "processes"))
    with held(run):
        pretraining.note(run.folder, config.weights)
        waiting = tuple(key for key in run.planned if key not in run.finished)
        work = Work(split.folder, run.folder, waiting, used, hardware, tracker, checkpoint_seconds)
        if waiting or launched():
            with gathered(hardware, used, _follow) as fabric:
                fabric.broadcast(work)
                Trainer(fabric, work, split, run, progress).train_parts()
                run = _finished(run, waiting)
                fabric.barrier()
        else:
            run = _finished(run, waiting)
    return Trained(run, len(waiting), len(run.planned) - len(waiting), _notes(config, run, arch))


def _finished(run: Run, waiting: Sequence[PartKey]) -> Run:
    """The run with its end noted and its card written, where there was something to do."""
    if not waiting and run.record["finished"] is not None:
        return run
    seconds = sum(float(one["seconds"]) for one in [*map(run.part, run.planned), *choices(run)])
    record = {**run.record, "seconds": round(seconds, 1), "finished": _now()}
    write_card(Run(run.folder, record))
    write_json(run.folder / RUN_FILE, record)
    return open_run(run.folder)


def default_name(split: Split, config: TrainConfig, precision: Precision, processes: int = 1) -> str:
    """The name of a run that was given none; where it would be too long or begin oddly, the split's part gives way."""
    recipe = f"{config.recipe.name}-search" if config.search else config.recipe.name
    words = [config.arch.replace("timm:", ""), recipe, config.digest(split.digest)]
    words += [] if precision is Precision.FP32 else [precision.value]
    words += [] if processes == 1 else [f"{processes}processes"]
    rest = "-".join(words).replace("/", "_")[-MAX_NAME + 6 :]
    return f"{split.name.lstrip('._-')[: MAX_NAME - 1 - len(rest)] or 'split'}-{rest}"


def _check_hardware(config: TrainConfig, hardware: Hardware, device: str) -> None:
    """Refuse what could not be used.

    Raises:
        UsageError: naming the option.
    """
    check_devices(hardware.devices, device)
    if config.recipe.kind == "probe" and (hardware.devices > 1 or launched()):
        raise UsageError("--devices means nothing to the recipe probe, which trains no network.", "Leave it out.")
    if hardware.precision is Precision.FP16 and device != "cuda":
        raise UsageError("--precision fp16 needs CUDA.", "Use --precision bf16, or fp32.")
    if hardware.compiled and (config.recipe.kind == "probe" or config.recipe.tail_only):
        raise UsageError(f"--compile means nothing to the recipe {config.recipe.name}.", "Leave it out.")


def _follow(fabric: Fabric) -> Trained:
    """What all processes of a team do but the first: compute, and write nothing."""
    work: Any = fabric.broadcast(None)
    run = open_run(work.run)
    Trainer(fabric, work, load_split(work.split), run, quiet).train_parts()
    fabric.barrier()  # the first has finished the run
    return Trained(open_run(work.run), 0, len(run.planned) - len(work.waiting), (), is_first=False)


@dataclass(frozen=True)
class Trainer:
    """One process at work on the parts of a run; the first of those that ``fabric`` joins writes them."""

    fabric: Fabric
    work: Work
    split: Split
    run: Run
    progress: Progress

    def train_parts(self) -> None:
        """Train the parts that wait."""
        waiting = self.work.waiting
        network: Network | None = None
        for k, key in enumerate(waiting):
            recipe, chosen = self._recipe(key)
            with seeded(key.seed, self.work.device):
                # A loop changes its network, so it begins every part from a new one; a probe only reads it.
                if network is None or recipe.kind == "loop" or key.seed != waiting[k - 1].seed:
                    network = self._network(recipe)
                if not self.fabric.is_global_zero:
                    self._part(self.run.hidden_folder(key), key, network, silent, recipe=recipe, chosen=chosen)
                    continue
                with new_part(self.run, key) as folder, tracking(self.work.tracker, self.run, key, folder) as tracker:
                    self._part(folder, key, network, tracker, recipe=recipe, chosen=chosen)

    def _network(self, recipe: Recipe) -> Network:
        """A network as it begins, seeded by whoever calls."""
        config, kind = self.run.config, kind_of(self.split.asked)
        outputs = kind.outputs(len(self.split.classes))
        scaled = replace(config, recipe=recipe).input_scale
        network = load_network(architecture(config.arch), config.weights, outputs, scaled)
        network.check_input(recipe.image_size)
        if recipe.kind == "loop":
            kind.check(network)
        return network

    def _recipe(self, key: PartKey) -> tuple[Recipe, Mapping[str, Any]]:
        """How a part is fitted, and what of it was chosen for its training side; by the first seed for all seeds."""
        config, fold = self.run.config, self.split.folds[key.fold - 1]
        if config.search is None:
            return config.recipe, {}
        network: Network | None = None

        def fit(inner: Fold, recipe: Recipe, folder: Path, progress: Progress) -> Array | None:
            nonlocal network
            with seeded(config.seeds[0], self.work.device):
                if network is None or recipe.kind == "loop":
                    network = self._network(recipe)
                network.check_input(recipe.image_size)
                folder.mkdir(parents=True, exist_ok=True)
                try:
                    return self._inner(inner, recipe, folder, network, progress)
                except InputError:  # another try would only repeat it; after any other end checkpoints are left
                    shutil.rmtree(folder, ignore_errors=True)
                    raise

        path = choice_file(self.run, fold.number)
        chosen = choose(path, fold, self.split, config, fit=fit, fabric=self.fabric, progress=self.progress)
        return candidate(config.recipe, chosen), {"chosen": chosen}

    def _inner(self, inner: Fold, recipe: Recipe, folder: Path, network: Network, progress: Progress) -> Array | None:
        """What a candidate answers on the papers held back; its checkpoints are gone afterwards."""
        job = PartJob(self.split, inner, recipe, self.run.config.seeds[0], self.work.device, progress)
        logits: Array | None
        if recipe.kind == "probe":
            network.module.to(job.device).eval()
            logits = answer_test_side(job, self._features(network, recipe), self._cache / "simulated")
        else:
            result = train_loop(job, network, self._settings(recipe, folder, silent))
            logits = None if result is None else result.logits[job.places("test")]
        if self.fabric.is_global_zero:
            shutil.rmtree(folder)
        return logits

    def _part(
        self,
        folder: Path,
        key: PartKey,
        network: Network,
        tracker: Tracker,
        *,
        recipe: Recipe,
        chosen: Mapping[str, Any],
    ) -> None:
        began = time.monotonic()
        place = f"part {self.run.planned.index(key) + 1} of {len(self.run.planned)}, "
        job = PartJob(
            split=self.split,
            fold=self.split.folds[key.fold - 1],
            recipe=recipe,
            seed=key.seed,
            device=self.work.device,
            progress=lambda what, done, count: self.progress(place + what, done, count),
        )
        result: PartResult | None
        if recipe.kind == "probe":
            network.module.to(job.device).eval()
            result = train_probe(job, self._features(network, recipe), self._cache / "simulated")
            for step, row in enumerate(result.history, start=1):
                tracker({"epoch": step, **row})
        else:
            result = train_loop(job, network, self._settings(recipe, folder, tracker))
        if result is not None:
            result = replace(result, facts={**result.facts, **chosen})
            write_part(folder, job, result, time.monotonic() - began + result.seconds_before)

    def _features(self, network: Network, recipe: Recipe) -> FeatureCache:
        return FeatureCache(self._cache / "features", network, recipe, self.work.device)

    @property
    def _cache(self) -> Path:
        return self.run.folder.parent / CACHE

    def _settings(self, recipe: Recipe, folder: Path, tracker: Tracker) -> LoopSettings:
        """How a loop is run in a folder."""
        own, sha256, size = self.run.config.transforms, self.run.config.transforms_sha256, recipe.image_size
        standard = standard_transform(size, recipe.crop_area, recipe.jitter)
        return LoopSettings(
            hardware=self.work.hardware,
            transform=own_transform(own, size) if own else standard,
            transform_key=f"{own} {sha256}" if own else standard_key(recipe),
            cache=self._cache / "maps",
            part_folder=folder,
            checkpoint_seconds=self.work.checkpoint_seconds,
            fabric=self.fabric,
            tracker=tracker,
        )


def _record(split: Split, config: TrainConfig, folder: Path, command: Sequence[str]) -> dict[str, Any]:
    """What run.json holds of a run that begins."""
    return {
        "format": FORMAT,
        "config": config.as_dict(),
        "split": {
            "name": split.name,
            "digest": split.digest,
            "classes": list(split.classes),
            "positive": split.positive,
            **split.asked,
            "folds": len(split.folds) if split.has_folds else 0,
            "counts": _counts(split),
            "leakage": _leakage(split, config.weights),
            "recipe": split.manifest["recipe"],
        },
        "parts": [{"fold": fold.number, "seed": seed} for seed in config.seeds for fold in split.folds],
        "image_root": os.path.relpath(split.folder.parent.parent, folder),
        "command": " ".join(command),
        "started": _now(),
        "finished": None,
        "seconds": 0.0,
    }


def _leakage(split: Split, weights: str) -> Mapping[str, Any] | None:
    """What the split says of its leakage; papers on both sides and tests that the weights saw are found without."""
    own, seen = _own_leakage(split), pretrained(weights)
    words = seen.leak(split) if seen else None
    return own if words is None else {"reason": words} if own is None else {**own, "pretraining": words}


def _own_leakage(split: Split) -> Mapping[str, Any] | None:
    sides = [({i.group for i in fold.trained}, {i.group for i in fold.test}) for fold in split.folds]
    both = set().union(*(trained & tested for trained, tested in sides))
    if split.leakage is None and both:
        return {"reason": f"{len(both)} papers stand on both sides, which the split does not say"}
    return split.leakage


def _counts(split: Split) -> dict[str, Any]:
    """Images, groups and labels of the whole split, and images of the first fold's sides."""
    first, every = split.folds[0], split.items.values()
    return {
        "images": len(every),
        "groups": len({item.group for item in every}),
        "labels": {c: sum(item.label == c for item in every) for c in split.classes},
        "train": len(first.train),
        "val": len(first.val),
        "test": len(first.test),
        "train_labels": dict(Counter(i.label for i in first.train)),
        "test_labels": dict(Counter(i.label for i in first.test)),
    }


def _notes(config: TrainConfig, run: Run, arch: Architecture) -> tuple[str, ...]:
    notes = []
    facts = run.part(run.planned[0])
    digest = facts.get("backbone_digest", facts.get("start_digest"))
    if config.weights != NO_WEIGHTS and digest:
        notes.append(f"{arch.name} began with the weights {config.weights}: SHA-256 of its tensors {digest}.")
    return tuple(notes)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
