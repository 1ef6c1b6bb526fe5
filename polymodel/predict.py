"""``polymodel predict``: labels for images that a run has not been given."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from polydata.errors import InputError, RefusedError, UsageError
from polydata.files import replacing
from polydata.ids import sha256_bytes
from polydata.images import SUFFIXES, open_picture
from polymodel.config import NO_WEIGHTS, DeviceName
from polymodel.environment import choose_device, seed_everything
from polymodel.features import describe_picture
from polymodel.linear import Array, LinearHead, softmax
from polymodel.models import Network, architecture, build
from polymodel.runs import LOGIT, MODEL, PartKey, Run
from polymodel.sources import pixel_logits
from polymodel.views import grey_resized
from polymodel.weights import fill, load_network, read_state

IMAGE_SUFFIXES = frozenset({*(f".{s}" for s in SUFFIXES.values()), ".jpeg", ".tiff"})


@dataclass(frozen=True)
class Prediction:
    """What a run says of an image.

    Attributes:
        path: the file.
        image_sha256: of its bytes.
        label: the most probable one.
        p_positive: softmax probability of the run's positive class.
        logits: by label, the mean over the run's parts.
    """

    path: str
    image_sha256: str
    label: str
    p_positive: float
    logits: dict[str, float]

    def row(self) -> dict[str, Any]:
        """A flat row, for a table."""
        named = {LOGIT + label: value for label, value in self.logits.items()}
        return {
            "path": self.path,
            "image_sha256": self.image_sha256,
            "label": self.label,
            "p_positive": self.p_positive,
            **named,
        }


@dataclass(frozen=True)
class Predictions:
    """Predictions, and the files that could not be read, each with its reason."""

    done: tuple[Prediction, ...]
    failed: tuple[tuple[str, str], ...]


def find_images(paths: Sequence[Path]) -> list[Path]:
    """Files as named, and every image below folders, in order of name.

    Raises:
        InputError: if a path does not exist or a folder holds no image.
    """
    found = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file())
            if not inside:
                raise InputError(
                    f"There are no images in {path}.", f"Known kinds: {', '.join(sorted(IMAGE_SUFFIXES))}."
                )
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise InputError(f"There is no {path}.")
    return found


def predict(
    run: Run,
    paths: Sequence[Path],
    device: DeviceName = DeviceName.AUTO,
    advance: Callable[[str, int, int], None] = lambda *_: None,
) -> Predictions:
    """Predict images with all parts of a finished run together: their logits are averaged.

    Args:
        run: from ``open_run``.
        paths: image files and folders.
        device: where to compute.
        advance: told (what is going on, done, all).

    Raises:
        RefusedError: if the run is not finished, or its network is not the one that it was trained with.
        InputError: if a path does not exist or weights cannot be read. An image that cannot be read is no
            error; it is listed in ``failed``.
    """
    run.require_finished()
    images = find_images(paths)
    used = choose_device(device)
    pictures, failed = [], []
    for path in images:
        try:
            data = path.read_bytes()
            open_picture(data)
            pictures.append((path, sha256_bytes(data)))
        except (InputError, OSError) as error:
            failed.append((str(path), error.message if isinstance(error, InputError) else str(error.strerror)))
    if not pictures:
        return Predictions((), tuple(failed))
    logits = np.zeros((len(pictures), len(run.classes)))
    models = _models(run, used)
    for done, (path, _) in enumerate(pictures):
        advance("predicting", done, len(pictures))
        logits[done] = np.mean([answer(path) for answer in models], axis=0)
    chances = softmax(logits)
    positive = run.classes.index(run.positive)
    rows = tuple(
        Prediction(
            path=str(path),
            image_sha256=sha256,
            label=run.classes[int(chance.argmax())],
            p_positive=float(chance[positive]),
            logits=dict(zip(run.classes, values.tolist(), strict=True)),
        )
        for (path, sha256), chance, values in zip(pictures, chances, logits, strict=True)
    )
    return Predictions(rows, tuple(failed))


Answer = Callable[[Path], Array]


def _models(run: Run, device: str) -> list[Answer]:
    """A function from an image file to logits (classes,) for each network of the run."""
    if run.config.recipe.kind == "loop":
        return [_loop_model(run, key, device) for key in run.planned]
    # With random weights each seed has a network of its own; otherwise all share one.
    by_network: dict[int, list[PartKey]] = {}
    for key in run.planned:
        by_network.setdefault(key.seed if run.config.weights == NO_WEIGHTS else 0, []).append(key)
    return [_probe_model(run, keys, device) for keys in by_network.values()]


def _loop_model(run: Run, key: PartKey, device: str) -> Answer:
    recipe = run.config.recipe
    network = build(architecture(run.config.arch), len(run.classes))
    fill(network, read_state(run.part_folder(key) / MODEL), f"{run.name}/{key.folder}")
    network.set_input_scale(*run.config.input_scale)
    network.module.to(device).eval()

    def answer(path: Path) -> Array:
        image = grey_resized(open_picture(path), recipe.short_side, recipe.image_size)
        found: Array = pixel_logits(network, [image], recipe.image_size, recipe.flips, device)[0].numpy()
        return found

    return answer


def _probe_model(run: Run, keys: Sequence[PartKey], device: str) -> Answer:
    """All heads on one frozen network; they are linear, so their mean is one head."""
    network = _frozen(run, keys[0].seed, device)
    head = _mean_head(run, keys)
    digest = network.backbone_digest()
    for key in keys:
        if run.part(key)["backbone_digest"] != digest:
            raise RefusedError(
                f"The network {run.config.arch} with weights {run.config.weights} is no longer the one that "
                f"{run.name} was trained with.",
                "Install the versions named in run.json, or train the run again.",
            )
    return lambda path: head.logits(
        np.concatenate(describe_picture(network, open_picture(path), run.config.recipe, device))[None]
    )[0]


def _frozen(run: Run, seed: int, device: str) -> Network:
    seed_everything(seed)
    config = run.config
    network = load_network(architecture(config.arch), config.weights, len(run.classes), config.input_scale)
    network.module.to(device).eval()
    return network


def _mean_head(run: Run, keys: Sequence[PartKey]) -> LinearHead:
    states = [read_state(run.part_folder(key) / MODEL) for key in keys]
    try:
        weight = np.mean([s["weight"].numpy() for s in states], axis=0)
        bias = np.mean([s["bias"].numpy() for s in states], axis=0)
    except KeyError as error:
        raise InputError(f"{run.name} holds a part without {error}.", "Train the run again.") from error
    return LinearHead(weight, bias)


OUTPUTS = (".csv", ".json", ".parquet")


def check_output(path: Path) -> None:
    """Refuse a file that could not be written, before the work is done.

    Raises:
        UsageError: for a suffix other than ``OUTPUTS``.
        InputError: if it is a folder itself, or its folder is missing or cannot be written.
    """
    if path.suffix.lower() not in OUTPUTS:
        raise UsageError(f"{path} ends in none of {', '.join(OUTPUTS)}.", "Choose one of these suffixes.")
    if path.is_dir():
        raise InputError(f"{path} cannot be written: it is a folder.", "Name another file with --output.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise InputError(f"{path} cannot be written: {path.parent} is missing or read-only.", "Make the folder first.")


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write a table as .csv, .json or .parquet, by the file's suffix.

    Raises:
        UsageError, InputError: as ``check_output``, and if the disk fails.
    """
    import pandas as pd

    check_output(path)
    frame = pd.DataFrame([p.row() for p in predictions.done])
    try:
        with replacing(path) as out:
            if path.suffix.lower() == ".csv":
                frame.to_csv(out, index=False)
            elif path.suffix.lower() == ".json":
                frame.to_json(out, orient="records", indent=2)
            else:
                frame.to_parquet(out, index=False)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error
