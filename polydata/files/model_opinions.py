"""What a model thinks of labels, read from Parquet files that ``polymodel predict``, ``train`` or ``embed`` wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from polydata.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
MAX_BYTES = 2_000_000_000
LOGIT = "logit_"


@dataclass(frozen=True)
class Opinions:
    """What is known of images beside their labels: one of both.

    Attributes:
        chances: probability of the positive label, by image; out of fold.
        features: (features,) of each image, by image.
        origin: where it was read.
    """

    chances: Mapping[str, float]
    features: Mapping[str, Array]
    origin: str


def read_predictions(path: Path) -> Opinions:
    """Predictions of a Parquet file, or of all ``predictions.parquet`` below a run's folder, averaged for each image.

    Where a table says on which side an image was (``polymodel train`` writes so), only test sides count, and where it
    says that a model was trained on an image (``predict``), that does not: there it only repeats the label.

    Raises:
        InputError: if there are none, or columns are missing.
    """
    files = sorted(path.rglob("predictions.parquet")) if path.is_dir() else [path]
    if not files:
        raise InputError(f"There is no predictions.parquet in {path}.", "Name a run's folder or a Parquet file.")
    sums: dict[str, list[float]] = {}
    for file in files:
        frame = _read(file, ("image_sha256", "p_positive"))
        if "side" in frame.columns:
            frame = frame[frame["side"] == "test"]
        if "trained_on" in frame.columns:
            frame = frame[frame["trained_on"].ne(True)]
        try:
            chances = frame["p_positive"].to_numpy(dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"{file} holds probabilities that are no numbers: {error}") from error
        for image, chance in zip(frame["image_sha256"], chances, strict=True):
            sums.setdefault(str(image), []).append(float(chance))
    bad = [image for image, found in sums.items() if not all(0 <= c <= 1 for c in found)]
    if bad or not sums:
        raise InputError(
            f"{path} holds no probability for {bad[0]}." if bad else f"{path} predicts no image.",
            "Write predictions with: polymodel predict RUN IMAGES --output FILE.parquet",
        )
    return Opinions({image: float(np.mean(found)) for image, found in sums.items()}, {}, str(path))


def read_embeddings(path: Path) -> Opinions:
    """Features of a Parquet file with the columns ``image_sha256``, ``f0``, ``f1``, ...

    Raises:
        InputError: if columns are missing or hold no numbers.
    """
    frame = _read(path, ("image_sha256", "f0"))
    names = [name for name in map(str, frame.columns) if name[:1] == "f" and name[1:].isdigit()]
    columns: list[str] = sorted(names, key=lambda name: int(name[1:]))
    try:
        values = frame[columns].to_numpy(dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{path} holds features that are no numbers: {error}") from error
    if not np.isfinite(values).all():
        raise InputError(f"{path} holds features that are no finite numbers.")
    return Opinions({}, dict(zip(frame["image_sha256"].astype(str), values, strict=True)), str(path))


def _read(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} is larger than {MAX_BYTES // 1_000_000} MB.")
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:  # pyarrow's errors are ValueErrors
        raise InputError(f"{path} cannot be read as Parquet: {str(error).splitlines()[0]}") from error
    missing = [c for c in columns if c not in frame.columns]
    if missing:
        raise InputError(
            f"{path} lacks the columns {', '.join(missing)}.", "polymodel predict, train and embed write them."
        )
    return frame
