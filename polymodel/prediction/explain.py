"""Why a run answers as it does: what of a picture speaks for the answer, and which training images are near.

**The map** is occlusion (Zeiler and Fergus, ECCV 2014; captum's ``Occlusion``): windows of the picture are covered with
its median grey one after the other, and the map says how much less the answer is preferred then. It asks the models as
they stand, views and pooled features included, so it means the same for a probe and for a network that was trained
itself. It says what the models use, not what is so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from polydata.images.picture import open_picture
from polydata.types import Progress, quiet, tracked
from polymodel.config import DeviceName, Members
from polymodel.data.preparation import Map, sample_pixels, without_print
from polymodel.networks.devices import each
from polymodel.networks.linear import Array
from polymodel.prediction.answers import AnsweredImage, AnyPrediction, Prediction
from polymodel.prediction.ensemble import Answers
from polymodel.prediction.nearest import Neighbour, Neighbours
from polymodel.prediction.predict import Images, ask
from polymodel.recipes import BurnedIn
from polymodel.runs.run import Run

CELLS = 8
"""Cells of the map along the picture's short side; a window covers two by two of them, one cell further each time."""
MOST_CELLS = 24
"""Along the long side."""


@dataclass(frozen=True)
class Printed:
    """What print on a picture has to do with its answer.

    Attributes:
        area: the share of the picture that print takes, 0 to 1.
        mass: the share of what speaks for the answer in the map that lies on print, 0 to 1; None where nothing does.
        without: the answer when all print is covered with the picture's median grey; None where there is no print.
    """

    area: float
    mass: float | None
    without: AnyPrediction | None

    @property
    def ratio(self) -> float | None:
        """Mass over area: 1 where print says as much as any other part of the picture; None without print."""
        return self.mass / self.area if self.mass is not None and self.area else None


@dataclass(frozen=True, eq=False)
class Explanation:
    """What a run says of an image and what it rests on.

    Attributes:
        prediction: as of ``predict``.
        map: (rows, columns) of cells, how much less the answer is preferred, in logits (of numbers in their unit), when
            a place is covered; positive where the place speaks for the answer, negative where against it.
        printed: of print on the picture; None where the run's recipe shows none.
        nearest: training images, the nearest first.
        shown: the grey picture that the map lies over.
    """

    prediction: AnyPrediction
    map: Array
    printed: Printed | None
    nearest: tuple[Neighbour, ...]
    shown: Image.Image

    def facts(self) -> dict[str, Any]:
        """For JSON: all but the picture."""
        printed = self.printed and {
            "area": self.printed.area,
            "mass": self.printed.mass,
            "ratio": self.printed.ratio,
            "without": self.printed.without and self.printed.without.row(),
        }
        near = [vars(one) for one in self.nearest]
        return {
            "prediction": self.prediction.row(),
            "map": self.map.round(5).tolist(),
            "print": printed,
            "nearest": near,
        }


@dataclass(frozen=True)
class Explanations:
    """What a run says of images and what it rests on.

    Attributes:
        run: that was asked.
        done: one for each image.
        failed: files that could not be read, each with its reason.
        notes: as of ``Predictions``, and why no nearest images are known.
    """

    run: Run
    done: tuple[Explanation, ...]
    failed: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """For JSON."""
        told = {"run": self.run.name, "leakage": self.run.leakage, "notes": list(self.notes)}
        failed = [{"path": path, "reason": reason} for path, reason in self.failed]
        return {**told, "explanations": [one.facts() for one in self.done], "failed": failed}


def explain(
    run: Run,
    images: Images,
    *,
    device: DeviceName = DeviceName.AUTO,
    members: Members = Members.UNSEEN,
    progress: Progress = quiet,
) -> Explanations:
    """Explain what a run says of images; arguments and errors as of ``polymodel.api.Run.explain``."""
    asked = ask(run, images, device, progress, members=members)
    answers = asked.answers
    assert isinstance(answers, Answers)
    neighbours = Neighbours(run, answers, progress)
    places = {place: asked.judge.asked(one.sha256)[0] for place, one in asked.answered.items()}
    for own in {tuple(own) for own in places.values()}:
        neighbours.prepare(own)
    found: dict[int, Explanation] = {}
    predictions = dict(zip(sorted(asked.answered), asked.result.done, strict=True))

    def one(answers: Answers, place: int) -> None:
        source = asked.sources[place][1]
        picture = open_picture(source) if isinstance(source, Path) else source
        prepared = answers.preparation.prepare(picture)
        shown = without_print(picture, answers.preparation.burned_in)
        told, own = predictions[place], places[place]
        preferred, parts = preference(run, told), answers.only(own)

        def value(grey: Image.Image) -> float:
            return float(preferred @ parts.answer(parts.preparation.render(grey, prepared.um_per_px).views))

        drops = occlusion(shown, value)
        printed = None
        if answers.preparation.burned_in == BurnedIn.KEPT:
            known = sample_pixels(picture)
            masked = without_print(picture, BurnedIn.MASKED, known)
            views = answers.preparation.render(masked, prepared.um_per_px).views
            said = AnsweredImage(asked.answered[place].sha256, answers.each(views)[0], ())
            without = None if known.all() else asked.judge.prediction(told.path, said)
            printed = Printed(float(1 - known.mean()), print_mass(drops, known), without)
        near = tuple(neighbours.nearest(answers, own, prepared.views))
        found[place] = Explanation(told, drops, printed, near, shown)

    for _ in tracked(each(answers, asked.device, list(places), one), "explaining", progress, len(places)):
        pass
    unknown = f"The nearest training images are not known: {neighbours.unknown}." if neighbours.unknown else ""
    notes = (*asked.result.notes, *filter(None, [unknown]))
    return Explanations(run, tuple(found[k] for k in sorted(found)), asked.result.failed, notes)


def preference(run: Run, told: AnyPrediction) -> Array:
    """What to multiply outputs with so that the answer's logit less the mean of the others comes out; of numbers 1."""
    if not isinstance(told, Prediction):
        return np.ones(1)
    own = np.array([label == told.label for label in run.classes])
    return np.where(own, 1.0, -1.0 / max(1, len(run.classes) - 1))


def occlusion(grey: Image.Image, value: Any) -> Array:
    """How much a value falls when windows of a picture are covered, by cells (rows, columns).

    Args:
        grey: a picture.
        value: gives a number for a grey picture of the same size.
    """
    from captum.attr import Occlusion

    def of(patterns: Tensor) -> Tensor:
        return torch.tensor([value(covered(grey, one > 0)) for one in patterns.numpy()], dtype=torch.float64)

    whole = torch.ones(1, *(len(one) - 1 for one in _edges(grey.size[::-1])), dtype=torch.float64)
    window = tuple(min(2, side) for side in whole.shape[1:])
    found = Occlusion(of).attribute(whole, sliding_window_shapes=window, strides=(1, 1), baselines=0.0)
    return np.asarray(found[0].numpy(), np.float64)


def covered(grey: Image.Image, shown: Map) -> Image.Image:
    """A grey picture of which the cells (rows, columns) that are not shown have its median grey."""
    pixels = np.asarray(grey)
    down, across = (np.diff(edges) for edges in _edges(pixels.shape))
    spread = np.repeat(np.repeat(shown, down, 0), across, 1)
    return Image.fromarray(np.where(spread, pixels, np.median(pixels)).astype(np.uint8))


def _edges(shape: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where cells of a picture (height, width) begin and end, down and across."""
    counts = [min(side, MOST_CELLS, max(1, round(CELLS * side / min(shape)))) for side in shape]
    down, across = (np.linspace(0, side, n + 1).round().astype(np.int64) for side, n in zip(shape, counts, strict=True))
    return down, across


def print_mass(drops: Array, known: Map) -> float | None:
    """The share of what speaks for the answer that lies on print; None where nothing speaks for it.

    Args:
        drops: (rows, columns) of cells, as of ``occlusion``; what speaks against it does not count.
        known: (height, width), false where there is print.
    """
    rows, columns = (edges[:-1] for edges in _edges(known.shape))
    share = np.add.reduceat(np.add.reduceat((~known).astype(float), rows, 0), columns, 1)
    share /= np.add.reduceat(np.add.reduceat(np.ones(known.shape), rows, 0), columns, 1)
    mass = np.maximum(drops, 0.0)
    return float((mass * share).sum() / mass.sum()) if mass.sum() > 0 else None
