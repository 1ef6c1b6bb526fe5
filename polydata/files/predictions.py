"""What a model, or the text rules, say of images: the one reader of the Parquet files that polymodel writes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polydata.choices import Uncertainty
from polydata.errors import InputError, first_line

if TYPE_CHECKING:
    import pandas as pd

RULES = "rules"
"""Stands for the task's text rules where a file is asked for, and is their model version."""
LOGIT = "logit_"
_FEATURE = re.compile(r"f\d+")
_SIDES = ("side", "trained_on", "group")
"""Columns that tell whether a model learned from an image or from another of its paper; a table may lack them."""
MAX_BYTES = 2_000_000_000
MAX_ROWS = 10_000_000
"""Larger files, and files that unpack to more, are refused."""
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
        version: what the model is called.
        by_image: by SHA-256 of the image.
        labels: in the order of the chances; empty where there are none.
        learned: images that a table says its model learned from, by any of its rows.
    """

    version: str
    by_image: Mapping[str, Prediction]
    labels: tuple[str, ...] = ()
    learned: frozenset[str] = frozenset()

    @property
    def have_probabilities(self) -> bool:
        """Whether a model gave them, rather than rules."""
        return any(p.chances for p in self.by_image.values())

    def chances_of(self, label: str) -> dict[str, float]:
        """Probability of a label by image, 0 to 1; none for a label that the model does not know."""
        if label not in self.labels:
            return {}
        place = self.labels.index(label)
        return {image: found.chances[place] for image, found in self.by_image.items()}


def uncertainty(prediction: Prediction, measure: Uncertainty) -> float:
    """How uncertain a prediction is: 0 for certain, 1 for evenly torn (by margin: between the best two)."""
    chances = sorted(prediction.chances, reverse=True)
    if len(chances) < 2:
        return 0.0
    if measure == "margin":
        return 1 - (chances[0] - chances[1])
    return -sum(p * math.log(p) for p in chances if p > 0) / math.log(len(chances))


def read_predictions(source: Path, labels: Sequence[str], version: str | None = None) -> Predictions:
    """What a model says of images that it did not learn from: of a Parquet file, or of all parts of a run.

    Everybody who takes predictions reads them by this one rule:

    - A table has ``image_sha256`` and ``logit_LABEL`` for two labels or more, as ``polymodel predict`` and ``train``
      write it. The probability ``p_LABEL``, in older tables ``p_positive``, is not read: it follows from the logits.
    - Rows whose ``side`` is given and is not ``test`` are left out, and those whose ``trained_on`` is true: there a
      model only repeats the label. Unknown (null, or no such column) counts as not trained on.
    - So are rows of a part whose ``group`` is one of those that the part learned from: another image of a paper.
    - A run's folder means its ``parts/*/predictions.parquet``; hidden folders are parts that are being written.
    - Several rows on an image, of one part or of several, count by the mean of their logits, and the probabilities
      are the softmax of that mean, as ``polymodel predict`` answers for all parts together.

    Args:
        labels: those that the task knows; a model may know fewer of them.
        version: what to call the model; otherwise the name of the file or folder.

    Raises:
        InputError: if it cannot be read, is too large, a row is not what it should be, it names another label, or no
            row is left.
    """
    files = sorted(source.glob("parts/[!.]*/predictions.parquet")) if source.is_dir() else [source]
    if not files:
        raise InputError(
            f"{source} is not a run with predictions: it has no parts/*/predictions.parquet.",
            "Name a folder below runs/, or a file that polymodel predict wrote.",
        )
    frames = [
        _read_parquet(path, lambda name: name.startswith(LOGIT) or name in ("image_sha256", *_SIDES)) for path in files
    ]
    known = _labels(source, frames, labels)
    found: dict[str, list[tuple[float, ...]]] = {}
    learned: set[str] = set()
    for path, frame in zip(files, frames, strict=True):
        if "trained_on" in frame and "image_sha256" in frame:
            learned |= {str(sha) for sha in frame.loc[frame["trained_on"].eq(True), "image_sha256"]}
        for sha256, logits in _rows(path, frame, known):
            found.setdefault(sha256, []).append(logits)
    if not found:
        raise InputError(
            f"{source} predicts no image that its model did not learn from.",
            "Name a run on a split that keeps papers whole: there parts answer that had not seen an image.",
        )
    means = {image: [math.fsum(v) / len(v) for v in zip(*rows, strict=True)] for image, rows in found.items()}
    named = (version or (source.resolve().name if source.is_dir() else source.stem)).strip()
    return Predictions(named, {image: _prediction(logits, known) for image, logits in means.items()}, known,
                       frozenset(learned))  # fmt: skip


def read_embeddings(path: Path) -> dict[str, NDArray[np.float64]]:
    """Features (features,) by image, of a Parquet file with the columns ``image_sha256``, ``f0``, ``f1``, ...

    Raises:
        InputError: if it cannot be read, is too large, lacks columns, or holds what are no finite numbers.
    """
    frame = _read_parquet(path, lambda name: name == "image_sha256" or bool(_FEATURE.fullmatch(name)))
    if "image_sha256" not in frame or "f0" not in frame:
        raise InputError(f"{path} lacks the columns image_sha256 and f0, f1, ...", "Write it with polymodel embed.")
    columns = sorted(frame.columns.drop("image_sha256"), key=lambda name: int(name[1:]))
    values: NDArray[np.float64] = np.array(np.nan)
    with suppress(TypeError, ValueError):
        values = frame[columns].to_numpy(dtype=np.float64)
    if not np.isfinite(values).all():
        raise InputError(f"{path} holds features that are no finite numbers.", "Write it with polymodel embed.")
    return dict(zip(frame["image_sha256"].astype(str), values, strict=True))


def _read_parquet(path: Path, wanted: Callable[[str], bool]) -> pd.DataFrame:
    """The wanted columns, their rows numbered from 0."""
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        size, rows = path.stat().st_size, 0
        if size <= MAX_BYTES:
            with ParquetFile(path) as file:
                about = file.metadata
                rows = about.num_rows
                size = sum(about.row_group(k).total_byte_size for k in range(about.num_row_groups))
                if size <= MAX_BYTES and rows <= MAX_ROWS:
                    names = [name for name in file.schema_arrow.names if wanted(name)]
                    table = file.read(columns=names)
                    table.validate(full=True)  # bytes that are no text are found here, not where they are used
                    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
                    return frame[names]
    except FileNotFoundError:
        hint = "Name a Parquet file of polymodel predict, or a run: polymodel runs list"
        raise InputError(f"There is no file and no run {path}.", hint) from None
    except (OSError, ValueError, TypeError, KeyError, NotImplementedError, ArrowException) as error:
        raise InputError(
            f"{path} cannot be read as Parquet: {first_line(error)[:200]}",
            "Write it with: polymodel predict RUN IMAGES --output FILE.parquet",
        ) from None
    raise InputError(f"{path} is larger than {MAX_BYTES // 1_000_000} MB or {MAX_ROWS} rows.")


def _labels(source: Path, frames: Sequence[pd.DataFrame], known: Sequence[str]) -> tuple[str, ...]:
    columns = [[str(c) for c in frame.columns if c.startswith(LOGIT)] for frame in frames]
    if any(set(c) != set(columns[0]) for c in columns) or len(columns[0]) < 2:
        raise InputError(f"{source} lacks columns logit_LABEL, the same in each part.", "Train or predict again.")
    labels = tuple(c.removeprefix(LOGIT) for c in columns[0])
    if unknown := [label for label in labels if label not in known]:
        raise InputError(
            f"{source} predicts {', '.join(map(repr, unknown))[:200]}, which the task does not know.",
            f"Its labels are: {', '.join(known)}. Predict with a model of this task.",
        )
    return labels


def _rows(path: Path, frame: pd.DataFrame, labels: Sequence[str]) -> Iterator[tuple[str, tuple[float, ...]]]:
    """Image and logits, in the order of the labels, of each row that counts."""
    if "image_sha256" not in frame:
        raise InputError(f"{path} lacks the column image_sha256.", "Write it with polymodel predict.")
    if "side" in frame:
        others = set(frame.loc[frame["side"] != "test", "group"]) if "group" in frame else set()
        frame = frame[frame["side"] == "test"]
        frame = frame[~frame["group"].isin(others)] if others else frame
    if "trained_on" in frame:
        frame = frame[frame["trained_on"].ne(True)]
    columns = (frame[LOGIT + label].tolist() for label in labels)
    for number, sha256, *logits in zip(frame.index + 1, frame["image_sha256"].tolist(), *columns, strict=True):
        good = isinstance(sha256, str) and _SHA256.fullmatch(sha256)
        if not good or not all(isinstance(v, float | int) and math.isfinite(v) for v in logits):
            raise InputError(f"Row {number} of {path} has no SHA-256 or no finite logits.", "Predict again.")
        yield sha256, tuple(logits)


def _prediction(logits: Sequence[float], labels: Sequence[str]) -> Prediction:
    top = max(logits)
    weights = [math.exp(v - top) for v in logits]
    total = math.fsum(weights)
    return Prediction(labels[logits.index(top)], tuple(w / total for w in weights))
