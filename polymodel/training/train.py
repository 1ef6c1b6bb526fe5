"""``polymodel train``: every fold and seed of a split, one part at a time, into one run folder."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric

from polydata.errors import UsageError
from polydata.splits.manifest import Split
from polydata.types import Progress, quiet
from polymodel.config import Hardware, Precision, TrackerName, TrainConfig
from polymodel.data.split import check_images, load_split
from polymodel.data.views import own_transform, standard_key, standard_transform
from polymodel.kinds.asked import kind_of
from polymodel.networks.devices import choose_device, seeded
from polymodel.networks.features import FeatureCache
from polymodel.networks.network import Architecture, Network, architecture
from polymodel.networks.weights import load_network
from polymodel.recipes import NO_WEIGHTS
from polymodel.runs.card import describe_environment, write_card
from polymodel.runs.parts import PartJob, PartResult, write_part
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
from polymodel.training.loop import LoopSettings, train_loop
from polymodel.training.probe import train_probe
from polymodel.training.processes import check_devices, gathered, joined, launched
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
    check_simulated(split, config.recipe)
    check_images(split)
    record = _record(split, config, folder, command)
    record |= {"precision": hardware.precision.value, "processes": processes}
    record |= {"environment": describe_environment(used)}
    run = create_run(folder, record, same=("config", "split", "parts", "precision", "processes"))
    with held(run):
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
    seconds = sum(float(run.part(key)["seconds"]) for key in run.planned)
    record = {**run.record, "seconds": round(seconds, 1), "finished": _now()}
    write_card(Run(run.folder, record))
    write_json(run.folder / RUN_FILE, record)
    return open_run(run.folder)


def default_name(split: Split, config: TrainConfig, precision: Precision, processes: int = 1) -> str:
    """The name of a run that was given none; where it would be too long or begin oddly, the split's part gives way."""
    words = [config.arch.replace("timm:", ""), config.recipe.name, config.digest(split.digest)]
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
        config, waiting = self.run.config, self.work.waiting
        network: Network | None = None
        for k, key in enumerate(waiting):
            with seeded(key.seed, self.work.device):
                # A loop changes its network, so it begins every part from a new one; a probe only reads it.
                if network is None or config.recipe.kind == "loop" or key.seed != waiting[k - 1].seed:
                    kind = kind_of(self.split.asked)
                    outputs = kind.outputs(len(self.split.classes))
                    network = load_network(architecture(config.arch), config.weights, outputs, config.input_scale)
                    network.check_input(config.recipe.image_size)
                    if config.recipe.kind == "loop":
                        kind.check(network)
                if not self.fabric.is_global_zero:
                    self._part(self.run.hidden_folder(key), key, network, silent)
                    continue
                with new_part(self.run, key) as folder, tracking(self.work.tracker, self.run, key, folder) as tracker:
                    self._part(folder, key, network, tracker)

    def _part(self, folder: Path, key: PartKey, network: Network, tracker: Tracker) -> None:
        began, config, recipe = time.monotonic(), self.run.config, self.run.config.recipe
        place = f"part {self.run.planned.index(key) + 1} of {len(self.run.planned)}, "
        job = PartJob(
            split=self.split,
            fold=self.split.folds[key.fold - 1],
            recipe=recipe,
            seed=key.seed,
            device=self.work.device,
            progress=lambda what, done, count: self.progress(place + what, done, count),
        )
        cache = self.run.folder.parent / CACHE
        result: PartResult | None
        if recipe.kind == "probe":
            network.module.to(job.device).eval()
            known = FeatureCache(cache / "features", network, recipe, job.device)
            result = train_probe(job, known, cache / "simulated")
            for step, row in enumerate(result.history, start=1):
                tracker({"epoch": step, **row})
        else:
            own, size = config.transforms, recipe.image_size
            standard = standard_transform(size, recipe.crop_area, recipe.jitter)
            settings = LoopSettings(
                hardware=self.work.hardware,
                transform=own_transform(own, size) if own else standard,
                transform_key=f"{own} {config.transforms_sha256}" if own else standard_key(recipe),
                cache=cache / "maps",
                part_folder=folder,
                checkpoint_seconds=self.work.checkpoint_seconds,
                fabric=self.fabric,
                tracker=tracker,
            )
            result = train_loop(job, network, settings)
        if result is not None:
            write_part(folder, job, result, time.monotonic() - began + result.seconds_before)


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
            "leakage": _leakage(split),
            "recipe": split.manifest["recipe"],
        },
        "parts": [{"fold": fold.number, "seed": seed} for seed in config.seeds for fold in split.folds],
        "image_root": os.path.relpath(split.folder.parent.parent, folder),
        "command": " ".join(command),
        "started": _now(),
        "finished": None,
        "seconds": 0.0,
    }


def _leakage(split: Split) -> Mapping[str, Any] | None:
    """What the split says of its leakage; papers on both sides are found even where it says nothing."""
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
