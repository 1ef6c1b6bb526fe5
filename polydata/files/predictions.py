"""What a model, or the text rules, say of images: read from files that somebody brought, checked, never believed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from polydata.errors import InputError
from polydata.task import Task

if TYPE_CHECKING:
    import pandas as pd

Uncertainty = Literal["entropy", "margin"]
RULES = "rules"
"""Stands for the task's text rules where a file is asked for, and is their model version."""
LOGIT = "logit_"
MAX_BYTES = 500_000_000
MAX_VERSION = 100
DIGITS = 4
"""Scores are rounded so that the same prediction read back from a server is the same."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Prediction:
    """What is predicted of an image.

    Attributes:
        chances: probability of each label, in the labels' order; they sum to 1. Empty where there are none.
    """

    label: str
    chances: tuple[float, ...] = ()

    @property
    def score(self) -> float | None:
        """Probability of the label, rounded; None where there is none."""
        return round(max(self.chances), DIGITS) if self.chances else None


@dataclass(frozen=True)
class Predictions:
    """Predictions of one model.

    Attributes:
        version: what the model is called on the server.
        by_image: by SHA-256 of the image.
    """

    version: str
    by_image: Mapping[str, Prediction]

    @property
    def have_probabilities(self) -> bool:
        """Whether a model gave them, rather than rules."""
        return any(p.chances for p in self.by_image.values())


def uncertainty(prediction: Prediction, measure: Uncertainty) -> float:
    """How uncertain a prediction is: 0 for certain, 1 for evenly torn (by margin: between the best two)."""
    chances = sorted(prediction.chances, reverse=True)
    if len(chances) < 2:
        return 0.0
    if measure == "margin":
        return 1 - (chances[0] - chances[1])
    return -sum(p * math.log(p) for p in chances if p > 0) / math.log(len(chances))


def read_predictions(source: Path, task: Task, version: str | None = None) -> Predictions:
    """Predictions of a Parquet file as ``polymodel predict`` writes it, or of a run's folder.

    Of a run only what was predicted for images that the part in question was not trained on counts; over several
    such parts logits are averaged.

    Args:
        version: name on the server; otherwise that of the file or folder.

    Raises:
        InputError: if it cannot be read, a row is not what it should be, or it names a label that the task lacks.
    """
    parts = [source]
    if source.is_dir():
        parts = sorted(source.glob("parts/*/predictions.parquet"))
        if not parts:
            raise InputError(
                f"{source} is not a run with predictions: it has no parts/*/predictions.parquet.",
                "Name a folder below runs/, or a file that polymodel predict wrote.",
            )
    frames = [_read_parquet(path) for path in parts]
    labels = _labels(source, frames, task)
    if source.is_dir():
        frames = [frame[frame["side"] == "test"] if "side" in frame else frame for frame in frames]
    named = (version or (source.resolve().name if source.is_dir() else source.stem)).strip()
    if not named or len(named) > MAX_VERSION or not named.isprintable():
        raise InputError(f"{named!r} cannot be the name of a model version.", "Name one with --model-version.")
    logits = _logits(source, frames, labels)
    return Predictions(named, {sha256: _prediction(values, labels) for sha256, values in logits.items()})


def suggested(by_image: Mapping[str, str]) -> Predictions:
    """What text rules suggest, as predictions without probabilities."""
    return Predictions(RULES, {sha256: Prediction(label) for sha256, label in by_image.items()})


def _read_parquet(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} is larger than {MAX_BYTES // 1_000_000} MB.")
        return pd.read_parquet(path)
    except FileNotFoundError:
        raise InputError(f"There is no {path}.") from None
    except (OSError, ValueError, TypeError) as error:  # what Arrow raises is a ValueError or OSError
        raise InputError(
            f"{path} cannot be read as Parquet: {str(error).splitlines()[0][:200]}",
            "Write it with: polymodel predict RUN IMAGES --output FILE.parquet",
        ) from None


def _labels(source: Path, frames: Sequence[pd.DataFrame], task: Task) -> tuple[str, ...]:
    columns = [tuple(c for c in f.columns if isinstance(c, str) and c.startswith(LOGIT)) for f in frames]
    if any(set(c) != set(columns[0]) for c in columns) or len(columns[0]) < 2:
        raise InputError(f"{source} lacks columns logit_LABEL, the same in each part.", "Train or predict again.")
    labels = tuple(c.removeprefix(LOGIT) for c in columns[0])
    unknown = [label for label in labels if label not in task.labels]
    if unknown:
        raise InputError(
            f"{source} predicts {', '.join(map(repr, unknown))[:200]}, which the task {task.name} does not know.",
            f"Its labels are: {', '.join(task.labels)}. Predict with a model of this task.",
        )
    return labels


def _logits(source: Path, frames: Iterable[pd.DataFrame], labels: Sequence[str]) -> dict[str, list[float]]:
    """Mean logits in the order of the labels, by image."""
    found: dict[str, list[list[float]]] = {}
    for frame in frames:
        if "image_sha256" not in frame:
            raise InputError(f"{source} lacks the column image_sha256.", "Write it with polymodel predict.")
        columns = [frame[LOGIT + label].tolist() for label in labels]
        for number, (sha256, *values) in enumerate(zip(frame["image_sha256"].tolist(), *columns, strict=True), 1):
            good = isinstance(sha256, str) and _SHA256.fullmatch(sha256)
            if not good or not all(isinstance(v, float | int) and math.isfinite(v) for v in values):
                raise InputError(f"Row {number} of {source} has no SHA-256 or no finite logits.", "Predict again.")
            found.setdefault(sha256, []).append([float(v) for v in values])
    return {sha256: [math.fsum(v) / len(v) for v in zip(*rows, strict=True)] for sha256, rows in found.items()}


def _prediction(logits: Sequence[float], labels: Sequence[str]) -> Prediction:
    top = max(logits)
    weights = [math.exp(v - top) for v in logits]
    total = math.fsum(weights)
    return Prediction(labels[logits.index(top)], tuple(w / total for w in weights))
