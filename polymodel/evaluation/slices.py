"""How a run does on parts of its test images: by what the split's files and the images tell of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from polydata.errors import PolydataError
from polydata.splits.manifest import MANIFEST, Item, load_split
from polymodel.evaluation.aggregate import averaged
from polymodel.evaluation.metrics import Outcome, point
from polymodel.runs.run import Run

SLICES = ("technique", "year", "journal", "scale", "image_size", "label_source")
SHOWN = ("accuracy", "balanced_accuracy", "auroc")
SIZES = ((200_000, "up to 0.2 megapixels"), (500_000, "0.2 to 0.5 megapixels"))
LARGER = "over 0.5 megapixels"
SCALES = ((1.0, "up to 1 µm"), (10.0, "over 1 to 10 µm"), (50.0, "over 10 to 50 µm"))
LARGER_SCALE = "over 50 µm"
MOST = 12
"""Values of one kind that are shown, the most frequent ones; the others are put together."""
NOT_TOLD = "not told"


def slices(run: Run) -> list[dict[str, Any]]:
    """Metrics of each slice of the test images; empty where the split's folder is gone or tells nothing.

    Returns:
        {by, value, images, groups, and the metrics ``SHOWN``}, kinds in the order of ``SLICES``, values by their
        number of images; a metric is None where it has no meaning.
    """
    items = split_items(run)
    facts, outcome = averaged(run)
    rows = []
    for kind in SLICES:
        values = np.array([_value(kind, items[str(sha)]) if str(sha) in items else NOT_TOLD for sha in facts.index])
        if set(values.tolist()) <= {NOT_TOLD}:
            continue
        names, counts = np.unique(values, return_counts=True)
        frequent = names[np.argsort(-counts, kind="stable")]
        rows += [_row(kind, str(name), values == name, outcome) for name in frequent[:MOST]]
        if len(frequent) > MOST:
            words = f"{len(frequent) - MOST} others"
            rows.append(_row(kind, words, np.isin(values, frequent[MOST:]), outcome))
    return rows


def _row(kind: str, value: str, own: Any, outcome: Outcome) -> dict[str, Any]:
    part = outcome.at(own)
    found = point(part)
    shown = {metric: None if np.isnan(found[metric]) else found[metric] for metric in SHOWN}
    counts = {"images": len(part.truth), "groups": len(set(part.groups.tolist()))}
    return {"by": kind, "value": value, **counts, "positive": int((part.truth == part.positive).sum()), **shown}


def split_items(run: Run) -> dict[str, Item]:
    """The images of the run's split, where its very folder still lies in the workspace."""
    folder = run.image_root / "splits" / str(run.split["name"])
    if not (folder / MANIFEST).is_file():
        return {}
    try:
        split = load_split(folder)
    except PolydataError:
        return {}  # damaged since; the run does not depend on it
    if split.digest != run.split["digest"]:
        return {}
    return {item.image_sha256: item for fold in split.folds for item in fold.everything}


def _value(kind: str, item: Item) -> str:
    """The slice to which an image belongs."""
    told: Mapping[str, str] = item.extra
    if kind == "image_size":
        return _band(_number(told.get("width")) * _number(told.get("height")), SIZES, LARGER)
    if kind == "scale":
        return _band(_number(told.get("scale_um") or told.get("scale")), SCALES, LARGER_SCALE)
    if kind == "year":
        found = re.search(r"\b(?:19|20)\d\d\b", told.get("year") or "")
        return f"{found[0][:3]}0s" if found else NOT_TOLD
    return told.get(kind) or NOT_TOLD


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0


def _band(value: float, bands: tuple[tuple[float, str], ...], larger: str) -> str:
    if not value > 0:
        return NOT_TOLD
    return next((words for limit, words in bands if value <= limit), larger)
