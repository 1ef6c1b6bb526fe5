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

from polydata.splits.manifest import Split
from polymodel.card import write_card
from polymodel.config import DeviceName, TrainConfig
from polymodel.data import check_images
from polymodel.environment import choose_device, describe_environment, seed_everything
from polymodel.features import FeatureCache
from polymodel.finetune import train_loop
from polymodel.models import Network, architecture
from polymodel.parts import Advance, PartJob, write_part
from polymodel.probe import train_probe
from polymodel.runs import FORMAT, RUN_FILE, PartKey, Run, check_name, create_run, held, new_part, open_run, write_json
from polymodel.weights import load_network

CACHE = ".cache"


@dataclass(frozen=True)
class Trained:
    """What ``train`` did.

    Attributes:
        run: the finished run.
        done_now, done_before: parts trained by this call, and found from an earlier one.
        notes: what the user should know.
    """

    run: Run
    done_now: int
    done_before: int
    notes: tuple[str, ...]


def train(
    split: Split,
    config: TrainConfig,
    runs: Path,
    *,
    name: str | None = None,
    device: DeviceName = DeviceName.AUTO,
    command: Sequence[str] = (),
    advance: Advance = lambda *_: None,
) -> Trained:
    """Train a model for each fold and seed, or go on with a run that was broken off.

    Args:
        split: from ``open_split``.
        config: what to train and how.
        runs: the workspace's runs/.
        name: of the run; by default made of the split, the architecture, the recipe and a digest of all
            settings, so that the same call always means the same run.
        device: where to compute.
        command: the words with which the user can go on after a break, kept in run.json.
        advance: told (what is going on, done, all).

    Returns:
        The finished run; a leaky split is marked in it.

    Raises:
        RefusedError: if an image of the split was changed, another process trains the run, or a run of that
            name means something else.
        InputError: if weights do not fit, or an image cannot be read.
        UsageError: if the device, the architecture or the name cannot be used.
    """
    arch = architecture(config.arch)
    used = choose_device(device)
    default = f"{split.name}-{config.arch.replace('timm:', '')}-{config.recipe.name}-{config.digest(split.digest)}"
    folder = runs / check_name(name or default.replace("/", "_")[:100])
    check_images(split)
    record = _record(split, config, folder, used, command)
    run = create_run(folder, record, same=("config", "split", "parts"))
    with held(run):
        waiting = [key for key in run.planned if key not in run.finished]
        network: Network | None = None
        for k, key in enumerate(waiting):
            # A loop changes its network, so it begins every part from a new one; a probe only reads it.
            if network is None or config.recipe.kind == "loop" or key.seed != waiting[k - 1].seed:
                seed_everything(key.seed)
                network = load_network(arch, config.weights, len(split.classes))
            with new_part(run, key) as part:
                _train_part(part, key, run, split, network=network, device=used, advance=advance)
        if waiting or run.record["finished"] is None:
            seconds = sum(float(run.part(key)["seconds"]) for key in run.planned)
            write_json(run.folder / RUN_FILE, {**run.record, "seconds": round(seconds, 1), "finished": _now()})
            run = open_run(run.folder)
            write_card(run)
    return Trained(run, len(waiting), len(run.planned) - len(waiting), _notes(config))


def _train_part(
    folder: Path, key: PartKey, run: Run, split: Split, *, network: Network, device: str, advance: Advance
) -> None:
    began, recipe = time.monotonic(), run.config.recipe
    place = f"part {run.planned.index(key) + 1} of {len(run.planned)}, "
    job = PartJob(
        split=split,
        fold=split.folds[key.fold - 1],
        recipe=recipe,
        seed=key.seed,
        device=device,
        advance=lambda what, done, count: advance(place + what, done, count),
    )
    if recipe.kind == "probe":
        network.module.to(device).eval()
        cache = FeatureCache(run.folder.parent / CACHE / "features", network, recipe, device)
        result = train_probe(job, cache)
    else:
        result = train_loop(job, network)
    write_part(folder, job, result, time.monotonic() - began)


def _record(split: Split, config: TrainConfig, folder: Path, device: str, command: Sequence[str]) -> dict[str, Any]:
    """What run.json holds of a run that begins."""
    numbers = [fold.number for fold in split.folds]
    parts = [{"fold": number, "seed": seed} for seed in config.seeds for number in numbers]
    root = split.folder.parent.parent
    return {
        "format": FORMAT,
        "config": config.as_dict(),
        "split": {
            "name": split.name,
            "digest": split.digest,
            "classes": list(split.classes),
            "positive": split.positive,
            "folds": len(split.folds) if split.has_folds else 0,
            "counts": _counts(split),
            "leakage": _leakage(split),
            "recipe": split.manifest["recipe"],
        },
        "parts": parts,
        "image_root": os.path.relpath(root, folder),
        "command": " ".join(command),
        "started": _now(),
        "finished": None,
        "seconds": 0.0,
        "environment": describe_environment(device),
    }


def _leakage(split: Split) -> Mapping[str, Any] | None:
    """What the split says of its leakage; papers on both sides are found even where it says nothing."""
    both = {group for fold in split.folds for group in {i.group for i in fold.train} & {i.group for i in fold.test}}
    if split.leakage is None and both:
        return {"reason": f"{len(both)} papers stand on both sides, which the split does not say"}
    return split.leakage


def _counts(split: Split) -> dict[str, Any]:
    """Images, groups and labels of the whole split, and images of the first fold's sides."""
    first = split.folds[0]
    every = {item.image_sha256: item for fold in split.folds for item in (*fold.train, *fold.test)}
    return {
        "images": len(every),
        "groups": len({item.group for item in every.values()}),
        "labels": {c: sum(i.label == c for i in every.values()) for c in split.classes},
        "train": len(first.train),
        "test": len(first.test),
        "train_labels": dict(Counter(i.label for i in first.train)),
        "test_labels": dict(Counter(i.label for i in first.test)),
    }


def _notes(config: TrainConfig) -> tuple[str, ...]:
    notes = []
    if config.recipe.kind == "probe" and len(config.seeds) > 1 and config.weights != "none":
        notes.append("The probe has nothing random in it, so all seeds gave the same model.")
    return tuple(notes)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
