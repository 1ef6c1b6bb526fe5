"""``polymodel predict``: labels for images that a run has not been given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from scipy.special import softmax

from polydata.errors import InputError, UsageError, first_line
from polydata.ids import sha256_bytes
from polydata.images.decode import shown
from polydata.images.picture import describe, find_images, open_picture
from polydata.types import Progress, quiet, tracked
from polymodel.config import DeviceName, Members
from polymodel.evaluation.calibrated import Calibration, calibration_of_parts
from polymodel.networks.devices import choose_device, each
from polymodel.networks.linear import Array
from polymodel.prediction.ensemble import Answers, open_answers, references
from polymodel.prediction.onnx import SUFFIX, OnnxModel, open_onnx
from polymodel.prediction.seen import Picture, Seen, seen_images
from polymodel.runs.run import LOGIT, PartKey, Run, open_run

OneImage = str | Path | Image.Image | NDArray[Any]
Images = OneImage | Sequence[OneImage]


@dataclass(frozen=True)
class Prediction:
    """What a run says of an image.

    Attributes:
        path: the file; of a picture in memory its place among the images, such as ``#0``.
        image_sha256: of the file's bytes; empty for a picture in memory.
        label: the most probable one.
        p_positive: softmax probability of the run's positive class.
        logits: by label, the mean over the members.
        members: how many parts of the run answered.
        p_calibrated: probability of the positive class that holds on papers not seen, as of ``evaluation.calibrated``;
            None where the run does not know.
        prediction_set: the labels that it may have, the true one among them for nine of ten papers' images: several
            where the run should not be asked to choose; None as before.
        out_of_distribution: it is unlike the images that the members were trained on, as of ``networks.novelty``, so
            that nothing here holds; None where the run does not know.
        trained_on: whether some member was trained on it, on another image of its paper (as far as the run's
            split names it), or on a picture that was made of it or it of, so that the answer may repeat its label; None
            for an exported file and a picture in memory, of which it is not known.
        trained_through: ``image``, ``paper`` or ``copy``, see ``seen.Through``; empty otherwise.
    """

    path: str
    image_sha256: str
    label: str
    p_positive: float
    logits: dict[str, float]
    members: int
    p_calibrated: float | None
    prediction_set: tuple[str, ...] | None
    out_of_distribution: bool | None
    trained_on: bool | None
    trained_through: str = ""

    def row(self) -> dict[str, Any]:
        """A flat row, for a table."""
        facts = {key: value for key, value in vars(self).items() if key != "logits"}
        if self.prediction_set is not None:
            facts["prediction_set"] = "|".join(self.prediction_set)
        return facts | {LOGIT + label: value for label, value in self.logits.items()}


@dataclass(frozen=True)
class Predictions:
    """What a run says of images.

    Attributes:
        done: one for each image.
        failed: files that could not be read, each with its reason.
        leakage: why the run's split leaks, in words; None for a clean one.
        notes: what was not looked at, and what the run cannot say.
    """

    done: tuple[Prediction, ...]
    failed: tuple[tuple[str, str], ...]
    leakage: str | None
    notes: tuple[str, ...] = ()

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


def predict(
    model: Run | OnnxModel,
    images: Images,
    device: DeviceName = DeviceName.AUTO,
    progress: Progress = quiet,
    crops: bool | None = None,
    *,
    members: Members = Members.ALL,
) -> Predictions:
    """Predict images with all parts of a finished run together; arguments and errors as of ``polymodel.predict``.

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
    found: dict[int, Answered] = {}
    pictures: dict[str, Picture] = {}
    failed: dict[int, tuple[str, str]] = {}

    def one(answers: Answers | OnnxModel, place: int) -> None:
        name, source = sources[place]
        try:
            data = source.read_bytes() if isinstance(source, Path) else b""
            picture = open_picture(data) if isinstance(source, Path) else source
            views = answers.preparation.views(picture)
        except (InputError, OSError) as error:
            failed[place] = name, error.message if isinstance(error, InputError) else str(error.strerror)
        else:
            sha256 = sha256_bytes(data) if isinstance(source, Path) else ""
            said, features = (
                (answers.answer(views)[None], []) if isinstance(answers, OnnxModel) else answers.each(views)
            )
            strange = [float(k.strangeness(f)[0]) if k else None for k, f in zip(known, features, strict=False)]
            found[place] = Answered(sha256, said, strange)
            if isinstance(source, Path) and isinstance(model, Run):
                pictures[sha256] = Picture(source, describe(data, name, picture).phash)

    for _ in tracked(each(answers, used, range(len(sources)), one), "predicting", progress, len(sources)):
        pass
    seen = seen_images(model, pictures, crops, progress) if isinstance(model, Run) else None
    judge = Judge(model, answers, seen, members)
    rows = tuple(judge.prediction(sources[place][0], answered) for place, answered in sorted(found.items()))
    problems = tuple(reason for _, reason in sorted(failed.items()))
    return Predictions(rows, problems, model.leakage, (*_notes(seen), *judge.notes(rows)))


@dataclass(frozen=True)
class Answered:
    """What the parts of a run said of an image.

    Attributes:
        sha256: of its file; empty for a picture in memory.
        logits: (parts, classes).
        strange: how far it is from what each part was trained on, above 1 unlike it; None where a part does not know.
            Empty for networks that were trained themselves, and for files.
    """

    sha256: str
    logits: Array
    strange: Sequence[float | None]


class Judge:
    """Makes one prediction of what the parts of a run said.

    Args:
        model: the run, or its exported file.
        answers: its parts.
        seen: which images it knows; None for a file.
        members: which parts answer.
    """

    def __init__(
        self, model: Run | OnnxModel, answers: Answers | OnnxModel, seen: Seen | None, members: Members
    ) -> None:
        self.model, self.seen, self.members = model, seen, members
        self.keys = answers.keys if isinstance(answers, Answers) else ()
        self.known: dict[tuple[PartKey, ...], Calibration | None] = {}

    def prediction(self, path: str, answered: Answered) -> Prediction:
        """What is said of one image."""
        model, sha256 = self.model, answered.sha256
        through = self.seen.through.get(sha256, "") if self.seen else ""
        asked = list(range(len(answered.logits)))
        if through and self.seen and self.members is Members.UNSEEN and (own := self.seen.strangers(sha256, self.keys)):
            asked, through = own, ""
        logits = answered.logits[asked].mean(0)
        positive, chances = model.classes.index(model.positive), softmax(logits)
        calibration = self.calibration(tuple(self.keys[k] for k in asked) if self.keys else ())
        labels = calibration.sets(logits[None])[0] if calibration else ()
        return Prediction(
            path=path,
            image_sha256=sha256,
            label=model.classes[int(chances.argmax())],
            p_positive=float(chances[positive]),
            logits=dict(zip(model.classes, logits.tolist(), strict=True)),
            members=len(self.keys) and len(asked),
            p_calibrated=float(calibration.chances(logits[None])[0, positive]) if calibration else None,
            prediction_set=tuple(c for c, within in zip(model.classes, labels, strict=True) if within)
            if calibration
            else None,
            out_of_distribution=self.unlike(answered, asked),
            trained_on=bool(through) if self.seen and sha256 else None,
            trained_through=through,
        )

    def calibration(self, keys: tuple[PartKey, ...]) -> Calibration | None:
        """What the held-back answers of these parts teach together."""
        if isinstance(self.model, OnnxModel):
            return self.model.calibration
        if keys not in self.known:
            self.known[keys] = calibration_of_parts(self.model, keys)
        return self.known[keys]

    def unlike(self, answered: Answered, asked: Sequence[int]) -> bool | None:
        """Whether the image is unlike what these parts were trained on; None where one of them does not know."""
        told = [answered.strange[k] for k in asked] if answered.strange else [None]
        strange = [one for one in told if one is not None]
        return bool(np.mean(strange) > 1) if len(strange) == len(told) else None

    def notes(self, rows: Sequence[Prediction]) -> tuple[str, ...]:
        """What the run cannot say of these images."""
        said = []
        if any(row.p_calibrated is None for row in rows):
            said.append("Probabilities are not calibrated: the run holds no answers on papers held back in training.")
        if any(row.out_of_distribution is None for row in rows):
            said.append("Whether images are unlike those trained on is not known for this run.")
        if self.members is Members.UNSEEN and (left := sum(row.trained_on is True for row in rows)):
            said.append(f"{left} images are known to every member, so all of them answered (trained_on).")
        return tuple(said)


def _notes(seen: Seen | None) -> tuple[str, ...]:
    """What was not looked at for ``trained_on``."""
    if seen is None:
        return ()
    crops = "" if seen.looked_for_crops else "Crops of training images were not looked for (--crops)."
    gone = f"{seen.gone} training images are gone, so copies of them are not known again." if seen.gone else ""
    return tuple(filter(None, (crops, gone)))
