"""``polymodel predict``: labels for images that a run has not been given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from polydata.errors import InputError, UsageError, first_line
from polydata.ids import sha256_bytes
from polydata.images.decode import shown
from polydata.images.picture import describe, find_images, open_picture
from polydata.types import Progress, quiet, tracked
from polymodel.config import DeviceName, Members
from polymodel.networks.devices import choose_device, each
from polymodel.prediction.answers import AnsweredImage, AnyPrediction, Judge, judge_of
from polymodel.prediction.ensemble import Answers, open_answers, references
from polymodel.prediction.onnx import SUFFIX, OnnxModel, open_onnx
from polymodel.prediction.seen import Picture, Seen, seen_images
from polymodel.runs.run import Run, open_run

OneImage = str | Path | Image.Image | NDArray[Any]
Images = OneImage | Sequence[OneImage]


@dataclass(frozen=True, repr=False)
class Predictions:
    """What a run says of images.

    Attributes:
        done: one for each image.
        failed: files that could not be read, each with its reason.
        leakage: why the run's split leaks, in words; None for a clean one.
        notes: what was not looked at, and what the run cannot say.
        spoken: a label as people are shown it, as of ``Run.spoken``; tables for programs keep the label.
    """

    done: tuple[AnyPrediction, ...]
    failed: tuple[tuple[str, str], ...]
    leakage: str | None
    notes: tuple[str, ...] = ()
    spoken: Callable[[str], str] = field(default=str, compare=False)

    def __repr__(self) -> str:
        return f"<Predictions of {len(self.done)} images, {len(self.failed)} failed; as a data frame: .table>"

    @property
    def table(self) -> pd.DataFrame:
        """``Prediction.row`` of each image."""
        return pd.DataFrame([p.row() for p in self.done])


def _sources(images: Images) -> list[tuple[str, Path | Image.Image]]:
    """The name of each image, and its file or what it shows.

    Raises:
        InputError: as ``find_images``.
        UsageError: if something is neither a path, a picture nor an array of one.
    """
    several = [images] if isinstance(images, str | Path | Image.Image | np.ndarray) else images
    found: list[tuple[str, Path | Image.Image]] = []
    for place, image in enumerate(several):
        if isinstance(image, str | Path):
            found += [(str(path), path) for path in find_images(Path(image))]
            continue
        try:
            found.append((f"#{place}", shown(_pictured(image))))
        except (AttributeError, TypeError, ValueError, OSError) as error:
            hint = "Give paths, PIL pictures, or arrays of uint8 or uint16; of several channels uint8 alone."
            raise UsageError(f"Image {place} is no picture: {first_line(error)}", hint) from error
    return found


def _pictured(image: Image.Image | NDArray[Any]) -> Image.Image:
    """A picture with pixels; of other arrays pillow would make something, but not what was meant."""
    if 0 in (image.shape if isinstance(image, np.ndarray) else image.size):
        raise ValueError("it has no pixels")
    if not isinstance(image, np.ndarray):
        return image
    is_pixels = image.dtype.kind == "u" and image.dtype.itemsize <= 2
    if not is_pixels or image.ndim < 2 or image.shape[2:] not in ((), (3,), (4,)):
        raise ValueError(f"an array of {image.dtype} and shape {image.shape}")
    return Image.fromarray(image)


def open_model(name_or_path: str, workspace: Path | None = None) -> Run | OnnxModel:
    """A run by its name or folder, or a FILE.onnx that ``polymodel export`` wrote.

    Raises:
        InputError: if there is none, or it cannot be read.
        WorkspaceError: if a name was given and no workspace is found.
    """
    if name_or_path.lower().endswith(SUFFIX):
        return open_onnx(Path(name_or_path))
    return open_run(name_or_path, workspace)


@dataclass(frozen=True)
class Asked:
    """Images that the parts of a run were asked about.

    Attributes:
        sources: the name of each image, and its file or what it shows.
        answered: by place among these, what was said; the others could not be read.
        answers: the parts.
        judge: makes predictions of it.
        device: where the parts are.
        result: the predictions.
    """

    sources: Sequence[tuple[str, Path | Image.Image]]
    answered: Mapping[int, AnsweredImage]
    answers: Answers | OnnxModel
    judge: Judge
    device: str
    result: Predictions


def predict(
    model: Run | OnnxModel,
    images: Images,
    device: DeviceName = DeviceName.AUTO,
    progress: Progress = quiet,
    crops: bool | None = None,
    *,
    members: Members = Members.ALL,
) -> Predictions:
    """Predict images with all parts of a finished run together; arguments and errors as of ``ask``."""
    return ask(model, images, device, progress, crops, members=members).result


def ask(
    model: Run | OnnxModel,
    images: Images,
    device: DeviceName = DeviceName.AUTO,
    progress: Progress = quiet,
    crops: bool | None = None,
    *,
    members: Members = Members.ALL,
) -> Asked:
    """Ask all parts of a finished run about images; arguments and errors as of ``polymodel.predict``.

    Args:
        model: from ``open_model`` or ``open_run``.
        crops: look whether images are crops of what the run was trained on; None where there are few.
        members: which parts answer an image of a paper that the run knows.
    """
    sources = _sources(images)
    if isinstance(model, OnnxModel):
        if members is Members.UNSEEN:
            raise UsageError("An exported file holds all members as one.", "Name the run, or leave --members out.")
        if device not in (DeviceName.AUTO, DeviceName.CPU):
            raise UsageError("An exported file is asked on the processor.", "Leave --device out.")
        answers: Answers | OnnxModel = model
        used = DeviceName.CPU.value
    else:
        used = choose_device(device)
        answers = open_answers(model, used)
    known = references(model, answers.keys) if isinstance(model, Run) and isinstance(answers, Answers) else []
    found: dict[int, AnsweredImage] = {}
    unscaled: list[bool] = []
    pictures: dict[str, Picture] = {}
    failed: dict[int, tuple[str, str]] = {}

    def one(answers: Answers | OnnxModel, place: int) -> None:
        name, source = sources[place]
        try:
            data = source.read_bytes() if isinstance(source, Path) else b""
            picture = open_picture(data) if isinstance(source, Path) else source
            said, features, is_unscaled = answers.see(picture)
        except (InputError, OSError) as error:
            failed[place] = name, error.message if isinstance(error, InputError) else str(error.strerror)
        else:
            sha256 = sha256_bytes(data) if isinstance(source, Path) else ""
            strange = [float(k.strangeness(f)[0]) if k else None for k, f in zip(known, features, strict=False)]
            found[place] = AnsweredImage(sha256, said, strange)
            unscaled.append(is_unscaled)
            if isinstance(source, Path) and isinstance(model, Run):
                pictures[sha256] = Picture(source, describe(data, name, picture).phash)

    for _ in tracked(each(answers, used, range(len(sources)), one), "predicting", progress, len(sources)):
        pass
    seen = seen_images(model, pictures, crops, progress) if isinstance(model, Run) else None
    judge = judge_of(model, answers, seen, members)
    rows = tuple(judge.prediction(sources[place][0], answered) for place, answered in sorted(found.items()))
    problems = tuple(reason for _, reason in sorted(failed.items()))
    notes = (*_notes(seen, sum(unscaled)), *judge.notes(rows))
    spoken = model.spoken if isinstance(model, Run) else str
    return Asked(sources, found, answers, judge, used, Predictions(rows, problems, model.leakage, notes, spoken))


def _notes(seen: Seen | None, unscaled: int) -> tuple[str, ...]:
    """What was not looked at for ``trained_on``, and how many images were not brought to the scale of the run."""
    notes = [f"{unscaled} images have no scale bar that can be read; they were not brought to one scale."]
    notes = notes if unscaled else []
    if seen is not None and not seen.looked_for_crops:
        notes.append("Crops of training images were not looked for (--crops).")
    if seen is not None and seen.gone:
        notes.append(f"{seen.gone} training images are gone, so copies of them are not known again.")
    return tuple(notes)
