"""What is said of one image by the parts of a run: a label, or a number; and what of it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import softmax

from polydata.task import TaskKind
from polymodel.config import Members
from polymodel.evaluation.calibrated import Calibration, calibration_of_parts
from polymodel.evaluation.judged_values import Reach, reach_of_parts
from polymodel.kinds.asked import CHANCE, LOGIT, kind_name
from polymodel.networks.linear import Array
from polymodel.networks.novelty import FEWEST
from polymodel.prediction.ensemble import Answers
from polymodel.prediction.onnx import OnnxModel
from polymodel.prediction.seen import Seen, Through
from polymodel.runs.run import PartKey, Run

CALIBRATED = "_calibrated"
"""Ends the column of a probability that holds on papers not seen."""


@dataclass(frozen=True)
class Prediction:
    """What a run says of an image.

    Attributes:
        path: the file; of a picture in memory its place among the images, such as ``#0``.
        image_sha256: of the file's bytes; empty for a picture in memory.
        label: the most probable one.
        positive: the run's positive label.
        p_positive: its softmax probability.
        logits: by label, the mean over the members.
        members: how many parts of the run answered.
        p_calibrated: probability of the positive label that holds on papers not seen, as of ``evaluation.calibrated``;
            None where the run does not know.
        prediction_set: the labels that it may have, the true one among them for nine of ten papers' images: several
            where the run should not be asked to choose; None as before.
        out_of_distribution: it is unlike the images that the members were trained on, as of ``networks.novelty``, so
            that nothing here holds; None where the run does not know.
        trained_on: whether some member was trained on it, on another image of its paper (as far as the run's
            split names it), or on a picture that was made of it or it of, so that the answer may repeat its label; None
            for an exported file and a picture in memory, of which it is not known.
        trained_through: ``image``, ``paper``, ``copy`` or ``pretraining``, see ``seen.Through``; empty otherwise.
    """

    path: str
    image_sha256: str
    label: str
    positive: str
    p_positive: float
    logits: dict[str, float]
    members: int
    p_calibrated: float | None
    prediction_set: tuple[str, ...] | None
    out_of_distribution: bool | None
    trained_on: bool | None
    trained_through: str = ""

    def row(self) -> dict[str, Any]:
        """A flat row, for a table; columns of a label bear its name."""
        chance = CHANCE + self.positive
        names = {"p_positive": chance, "p_calibrated": chance + CALIBRATED}
        facts = {names.get(key, key): value for key, value in vars(self).items() if key not in ("logits", "positive")}
        if self.prediction_set is not None:
            facts["prediction_set"] = "|".join(self.prediction_set)
        return facts | {LOGIT + label: value for label, value in self.logits.items()}


@dataclass(frozen=True)
class ValuePrediction:
    """What a run of numbers says of an image; what is not named here as of ``Prediction``.

    Attributes:
        value: the mean over the members, in ``unit``.
        low, high: between which the truth lies for nine of ten papers' images, as of ``evaluation.judged_values``; None
            where the run does not know.
    """

    path: str
    image_sha256: str
    value: float
    unit: str
    low: float | None
    high: float | None
    members: int
    out_of_distribution: bool | None
    trained_on: bool | None
    trained_through: str = ""

    def row(self) -> dict[str, Any]:
        """A flat row, for a table."""
        return dict(vars(self))


AnyPrediction = Prediction | ValuePrediction


@dataclass(frozen=True)
class AnsweredImage:
    """What the parts of a run said of an image.

    Attributes:
        sha256: of its file; empty for a picture in memory.
        logits: (parts, classes); of a number (parts, 1).
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
        self.known: dict[tuple[PartKey, ...], Any] = {}

    def asked(self, sha256: str) -> tuple[list[int], str]:
        """Places of the parts that answer an image, and by what they know it; empty where they do not."""
        through = self.seen.through.get(sha256, "") if self.seen else ""
        if through and self.seen and self.members is Members.UNSEEN and (own := self.seen.strangers(sha256, self.keys)):
            return own, Through.PRETRAINING if sha256 in self.seen.pretrained else ""
        return list(range(len(self.keys) or 1)), through

    def prediction(self, path: str, answered: AnsweredImage) -> AnyPrediction:
        """What is said of one image."""
        sha256 = answered.sha256
        asked, through = self.asked(sha256)
        facts = {
            "path": path,
            "image_sha256": sha256,
            "members": len(self.keys) and len(asked),
            "out_of_distribution": self.unlike(answered, asked),
            "trained_on": bool(through) if self.seen and sha256 else None,
            "trained_through": through,
        }
        return self.said(answered.logits[asked].mean(0), self.taught(asked), facts)

    def said(self, outputs: Array, taught: Any, facts: Mapping[str, Any]) -> AnyPrediction:
        """A label, by the mean logits (classes,) and what held-back answers taught."""
        model = self.model
        positive, chances = model.classes.index(model.positive), softmax(outputs)
        labels = taught.sets(outputs[None])[0] if taught else ()
        within = tuple(c for c, is_in in zip(model.classes, labels, strict=True) if is_in) if taught else None
        return Prediction(
            label=model.classes[int(chances.argmax())],
            positive=model.positive,
            p_positive=float(chances[positive]),
            logits=dict(zip(model.classes, outputs.tolist(), strict=True)),
            p_calibrated=float(taught.chances(outputs[None])[0, positive]) if taught else None,
            prediction_set=within,
            **facts,
        )

    def learn(self, run: Run, keys: Sequence[PartKey]) -> Calibration | Reach | None:
        """What the held-back answers of some parts teach together."""
        return calibration_of_parts(run, keys)

    def taught(self, asked: Sequence[int]) -> Calibration | Reach | None:
        """What the held-back answers of the parts that are asked teach together."""
        if isinstance(self.model, OnnxModel):
            return self.model.calibration
        keys = tuple(self.keys[k] for k in asked)
        if keys not in self.known:
            self.known[keys] = self.learn(self.model, keys)
        found: Calibration | Reach | None = self.known[keys]
        return found

    def unlike(self, answered: AnsweredImage, asked: Sequence[int]) -> bool | None:
        """Whether the image is unlike what these parts were trained on; None where one of them does not know."""
        told = [answered.strange[k] for k in asked] if answered.strange else [None]
        strange = [one for one in told if one is not None]
        return bool(np.mean(strange) > 1) if len(strange) == len(told) else None

    def unsure(self, row: AnyPrediction) -> str:
        """What the run cannot say of an answer."""
        without = not isinstance(row, ValuePrediction) and row.p_calibrated is None
        held = "the run holds no answers on papers held back in training."
        return f"Probabilities are not calibrated: {held}" if without else ""

    def notes(self, rows: Sequence[AnyPrediction]) -> tuple[str, ...]:
        """What the run cannot say of these images."""
        said = sorted({self.unsure(row) for row in rows} - {""})
        if any(row.out_of_distribution is None for row in rows):
            why = f"a probe alone learns it, from {FEWEST} papers on each training side"
            said.append(f"Whether images are unlike those trained on is not known for this run: {why}.")
        if self.members is Members.UNSEEN and (left := sum(row.trained_on is True for row in rows)):
            said.append(f"{left} images are known to every member, so all of them answered (trained_on).")
        return tuple(said)


class ValueJudge(Judge):
    """Makes one prediction of the numbers that the parts of a run said."""

    def said(self, outputs: Array, taught: Any, facts: Mapping[str, Any]) -> AnyPrediction:
        """A number, by the mean (1,) and what held-back answers taught."""
        value, within = float(outputs[0]), taught.within if taught else None
        low, high = (None, None) if within is None else (value - within, value + within)
        unit = str(self.model.split["unit"]) if isinstance(self.model, Run) else ""
        return ValuePrediction(value=value, unit=unit, low=low, high=high, **facts)

    def learn(self, run: Run, keys: Sequence[PartKey]) -> Calibration | Reach | None:
        """As ``Judge``."""
        return reach_of_parts(run, keys)

    def unsure(self, row: AnyPrediction) -> str:
        """As ``Judge``."""
        few = isinstance(row, ValuePrediction) and row.low is None
        return "How far values may be off is not known: too few papers were held back in training." if few else ""


JUDGES = {TaskKind.NOMINAL: Judge, TaskKind.ORDINAL: Judge, TaskKind.REGRESSION: ValueJudge}


def judge_of(model: Run | OnnxModel, answers: Answers | OnnxModel, seen: Seen | None, members: Members) -> Judge:
    """The judge of what a model is asked; arguments as of ``Judge``."""
    kind = kind_name(model.split) if isinstance(model, Run) else TaskKind.NOMINAL
    return JUDGES[kind](model, answers, seen, members)
