"""The training images that look most like a picture to the models that answer it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.torch import save

from polydata.errors import InputError, UsageError
from polydata.files.atomic import replacing
from polydata.ids import content_id, sha256_file
from polydata.images.decode import READING
from polydata.images.picture import open_picture
from polydata.types import Progress, tracked
from polymodel.data.views import Grey
from polymodel.networks.devices import each
from polymodel.networks.novelty import Reference, fit_reference, reference_from
from polymodel.networks.weights import read_state
from polymodel.prediction.ensemble import Answers, references
from polymodel.runs.run import MODEL, PartKey, Run
from polymodel.training.train import CACHE

MOST = 4
"""Training images that are named."""


@dataclass(frozen=True)
class Neighbour:
    """A training image near a picture.

    Attributes:
        image_sha256, label, group, path: as in the run's split; the path is relative to ``Run.image_root``.
        distance: in the models' features, 1 where a picture begins to be unlike those that were trained on.
    """

    image_sha256: str
    label: str
    group: str
    path: str
    distance: float


class Neighbours:
    """Finds them; ``unknown`` says why there are none.

    Args:
        run: a finished one.
        answers: its parts.
        progress: told while training images are looked at, which networks that were trained themselves need; what
            these make of them is kept beside the run.
    """

    def __init__(self, run: Run, answers: Answers, progress: Progress) -> None:
        self.run, self.answers, self.progress = run, answers, progress
        self.is_probe = run.config.recipe.kind == "probe"
        self.known = dict(zip(answers.keys, references(run, answers.keys), strict=True)) if self.is_probe else {}
        self.trained: dict[PartKey, Any] = {}
        self.unknown = "" if all(self.known.values()) else "the run does not hold what its training images look like"

    def prepare(self, asked: Sequence[int]) -> None:
        """Look at the training images of the part that stands for these."""
        for key in self._standing_for(asked):
            if key not in self.known:
                try:
                    self.known[key] = self._reference(key)
                    self.unknown = self.unknown if self.known[key] else "there are too few training papers"
                except (InputError, UsageError) as error:
                    self.known[key], self.unknown = None, error.message
            if key not in self.trained:
                frame = self.run.predictions(key)
                self.trained[key] = frame.loc[frame["side"] == "train", ["image_sha256", "label", "group", "path"]]

    def nearest(self, answers: Answers, asked: Sequence[int], views: Grey) -> list[Neighbour]:
        """The nearest training images of the parts at these places, none where a part says nothing of its own.

        Args:
            answers: the parts, or their twin for another thread.
            asked: for which ``prepare`` was called; of networks that were trained themselves the first one is asked.
            views: (views, size, size) of the picture.
        """
        found: dict[tuple[str, str, str, str], list[float]] = defaultdict(list)
        features = answers.each(views)[1] if self.is_probe else []
        for place, key in zip(asked, self._standing_for(asked), strict=False):
            reference = self.known[key]
            if reference is None:
                return []
            own = features[place] if self.is_probe else head_input(answers, place, views)
            rows = self.trained[key].itertuples(index=False, name=None)
            for row, distance in zip(rows, reference.distances(own)[0], strict=True):
                found[row].append(float(distance))
        means = sorted((float(np.mean(distances)), row) for row, distances in found.items())
        return [Neighbour(*row, distance) for distance, row in means[:MOST]]

    def _standing_for(self, asked: Sequence[int]) -> list[PartKey]:
        return [self.answers.keys[place] for place in (asked if self.is_probe else asked[:1])]

    def _reference(self, key: PartKey) -> Reference | None:
        """What the training images look like to a network that was trained itself."""
        place = self.answers.keys.index(key)
        weights = sha256_file(self.run.part_folder(key) / MODEL)
        shown = (repr(self.answers.preparation), *self.answers.preparation.key)
        name = f"{content_id('nearest', READING, weights, *shown)}.safetensors"
        kept = self.run.folder.parent / CACHE / "nearest" / name
        if kept.is_file():
            return reference_from(read_state(kept))
        frame = self.run.predictions(key)
        frame = frame[frame["side"] == "train"]
        rows: dict[int, NDArray[np.floating]] = {}

        def one(answers: Answers, k: int) -> None:
            picture = open_picture(self.run.image_root / frame["path"].iloc[k])
            rows[k] = head_input(answers, place, answers.preparation.views(picture))

        work = each(self.answers, self.answers.device, range(len(frame)), one)
        for _ in tracked(work, "looking at training images", self.progress, len(frame)):
            pass
        found = fit_reference(np.concatenate([rows[k] for k in range(len(frame))]), frame["group"].tolist())
        if found is not None:
            with replacing(kept) as out:
                out.write(save(found.tensors()))
        return found


def head_input(answers: Answers, place: int, views: Grey) -> NDArray[np.floating]:
    """What the last layer of the network of a part is given of a picture's views, their mean: (1, features).

    Raises:
        UsageError: if the network does not end in a linear layer.
    """
    kept: list[Any] = []
    member: Any = answers.members[place]
    layer = member.network.head_layer()
    with layer.register_forward_pre_hook(lambda _module, inputs: kept.append(inputs[0].detach().cpu())):
        answers.only([place]).answer(views)
    return np.asarray(kept[0].mean(0, keepdim=True))
