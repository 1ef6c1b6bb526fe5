"""How the answers of several models become figures: the one place that joins or averages them.

A split with folds, or several seeds, gives several models. ``Scoring`` names the three ways in which they are scored;
figures that were come by in different ways are answers to different questions and are never subtracted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from polydata.ids import sha256_file
from polydata.splits.manifest import TARGET
from polydata.task import TaskKind
from polymodel.config import Scoring
from polymodel.data.split import class_indices
from polymodel.evaluation.metrics import Ordered, Outcome, joined
from polymodel.evaluation.values import Values
from polymodel.kinds.asked import LOGIT, VALUE, kind_name
from polymodel.runs.run import PREDICTIONS, Run

if TYPE_CHECKING:
    import pandas as pd

ONE_PAPER = "leave-one-paper-out"
"""The protocol of a split whose folds test one paper each."""


def usual_scoring(recipe: Mapping[str, Any]) -> Scoring:
    """How models on a split of this recipe are scored unless something else is asked for.

    One paper alone has no AUROC and hardly a recall, so of a split that leaves out one paper at a time all folds are
    scored together.
    """
    return Scoring.POOLED if recipe.get("protocol") == ONE_PAPER else Scoring.PER_PART


@dataclass(frozen=True)
class Answers:
    """What a model, or several as one, said of images.

    Attributes:
        repeat, seed: of the part, of several the first; the folds of one repeat and seed test each image once.
        images: (n,) SHA-256.
        outcome: of the same images, in the same order.
    """

    repeat: int
    seed: int
    images: NDArray[np.str_]
    outcome: Any

    def at(self, wanted: Mapping[str, str]) -> Answers:
        """The same of those images that are wanted, under the groups that are given for them."""
        places = np.array([k for k, image in enumerate(self.images) if image in wanted], dtype=np.int64)
        images = self.images[places]
        groups = np.array([wanted[image] for image in images], dtype=np.str_)
        return Answers(self.repeat, self.seed, images, self.outcome.at(places).having(groups=groups))


def outcome_of(run: Run, frame: pd.DataFrame) -> Any:
    """Rows of a part's predictions: an ``Answered`` of the run's kind.

    Raises:
        InputError: if they hold labels that the run does not list.
    """
    from scipy.special import softmax

    groups = frame["group"].to_numpy(dtype=np.str_)
    kind = kind_name(run.split)
    if kind is TaskKind.REGRESSION:
        truth, said = (frame[name].to_numpy(dtype=np.float64) for name in (TARGET, VALUE))
        return Values(truth, said, groups)
    return {TaskKind.NOMINAL: Outcome, TaskKind.ORDINAL: Ordered}[kind](
        truth=class_indices(frame["label"], run.classes, f"The predictions of {run.name} hold labels that the run"),
        probabilities=softmax(frame[[LOGIT + label for label in run.classes]].to_numpy(dtype=np.float64), axis=1),
        groups=groups,
        positive=run.classes.index(run.positive),
    )


def answers_of(run: Run, frames: Sequence[pd.DataFrame], side: str = "test") -> list[Answers]:
    """What each part of a run said of a side.

    Args:
        frames: the predictions of each planned part.

    Raises:
        InputError: if they hold labels that the run does not list.
    """
    folds = int(run.split["recipe"].get("folds") or 1)
    own = [frame[frame["side"] == side] for frame in frames]
    return [
        Answers((key.fold - 1) // folds, key.seed, f["image_sha256"].to_numpy(dtype=np.str_), outcome_of(run, f))
        for key, f in zip(run.planned, own, strict=True)
    ]


def scored(parts: Sequence[Answers], scoring: Scoring) -> list[Answers]:
    """The sets of answers over which figures are means."""
    if scoring is Scoring.PER_PART:
        return list(parts)
    if scoring is Scoring.ENSEMBLE:
        return [ensemble(parts)]
    sets: dict[tuple[int, int], list[Answers]] = {}
    for part in sorted(parts, key=lambda p: (p.seed, p.repeat)):
        sets.setdefault((part.seed, part.repeat), []).append(part)
    return [
        replace(own[0], images=np.concatenate([p.images for p in own]), outcome=joined([p.outcome for p in own]))
        for own in sets.values()
    ]


def ensemble(parts: Sequence[Answers]) -> Answers:
    """Each image once: the softmax of the mean logits, or the mean of the numbers, of the models that answered it.

    Returns:
        Images by SHA-256, rising; label and group are those of the first answer.
    """
    images, first, place = np.unique(np.concatenate([p.images for p in parts]), return_index=True, return_inverse=True)
    return replace(parts[0], images=images, outcome=joined([part.outcome for part in parts]).averaged(place, first))


def together(run: Run) -> tuple[pd.DataFrame, Any]:
    """Test images of a run, each answered by the ensemble of the parts that had it as a test image.

    Returns:
        A row for each image, sorted by SHA-256 (label, group, path, how many parts tested it and were
        wrong, or their errors together), and the outcome in the same order.

    Raises:
        InputError: if predictions cannot be read or hold labels that the run does not list.
    """
    import pandas as pd

    frames = [run.predictions(key) for key in run.planned]
    parts = answers_of(run, frames)
    tests = pd.concat([frame[frame["side"] == "test"] for frame in frames])
    tests["wrong"] = np.concatenate([part.outcome.wrong for part in parts])
    images = tests.groupby("image_sha256")
    facts = images[["label", "group", "path"]].first()
    facts[["parts", "wrong"]] = images["wrong"].agg(["size", "sum"])
    return facts, ensemble(parts).outcome


def predictions_digest(run: Run) -> str:
    """SHA-256 over the predictions of all parts."""
    files = [sha256_file(run.part_folder(key) / PREDICTIONS) for key in run.planned]
    return hashlib.sha256("\n".join(files).encode()).hexdigest()
