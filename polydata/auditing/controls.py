"""Control models: what can be said of a label without looking at the micrograph.

A model is worth something where it beats these. Each learns on the training side alone and answers for the
test side; none is tuned.

    majority       the training side's most frequent label, for every image
    metadata       width, height, shape, file size, format and colour mode of the file
    print_only     bottom strip and corners, averaged so coarsely that burned-in print remains and texture does not
    paper_lookup   the most frequent label of the same paper on the training side, else the majority

The audit also asks narrower questions: what do size, panel letter or the bottom strip alone say?

    size_aspect    width, height and shape
    panel_letter   the letter of the panel
    vendor_strip   the bottom strip of ``print_only`` alone

A control that does well says that the data leaks or that something beside the picture gives the label away. Whether it
does better than chance is a test of its own (``tell_tales``), for the best of several seldom has an AUROC of 0.5.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from polydata.errors import InputError
from polydata.images.picture import describe, open_picture, read_image
from polydata.types import ImageInfo, Progress, quiet, tracked

Array = NDArray[np.float64]
Index = NDArray[np.int64]

STRIP_SHARE = 0.1
"""The bottom strip's share of the height."""
CORNER_SHARE = 0.15
"""A corner's share of each side."""
STRIP_CELLS = (4, 32)
CORNER_CELLS = (6, 6)
BLACK, WHITE = 12, 243
"""Burned-in print is at one end of the scale or the other; micrographs seldom are."""
TREES = 200
PRINT_C = 1e-3


@dataclass(frozen=True)
class ControlTable:
    """Items as the controls see them.

    Attributes:
        labels: (n,) indices into the classes.
        groups: (n,) names of the papers.
        metadata: (n, features).
        prints: (n, features).
        classes: how many classes there are.
        letters: (n,) panel letters, empty where there is none or none was asked for.
    """

    labels: Index
    groups: NDArray[np.str_]
    metadata: Array
    prints: Array
    classes: int
    letters: NDArray[np.str_] = field(default_factory=lambda: np.array([], dtype=np.str_))


def read_table(
    images: Sequence[Path],
    labels: Sequence[int],
    groups: Sequence[str],
    classes: int,
    progress: Progress = quiet,
    *,
    letters: Sequence[str] = (),
) -> ControlTable:
    """Read what the controls need of each image, once.

    Args:
        images: n files.
        labels: n indices, each below ``classes``.
        groups: n names.
        classes: how many classes there are.
        letters: n panel letters; none for ``panel_letter`` to stay silent.

    Raises:
        InputError: if an image cannot be read, or the lists differ in length.
    """
    letters = letters or [""] * len(images)
    if not len(images) == len(labels) == len(groups) == len(letters):
        raise InputError(f"{len(images)} images, {len(labels)} labels and {len(groups)} groups do not belong together.")
    metadata, prints = [], []
    for path in tracked(images, "Reading for the controls", progress, len(images)):
        data = read_image(path)
        picture = open_picture(data, str(path))
        metadata.append(_metadata(describe(data, str(path), picture)))
        prints.append(print_features(picture))
    return ControlTable(
        labels=np.asarray(labels, dtype=np.int64),
        groups=np.asarray(groups, dtype=np.str_),
        metadata=np.stack(metadata),
        prints=np.stack(prints),
        classes=classes,
        letters=np.asarray(letters, dtype=np.str_),
    )


SIZES = 3
"""The first columns of the metadata: logarithms of width, height and their ratio."""
FORMATS = ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP")
MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16")


def _metadata(info: ImageInfo) -> Array:
    pixels = info.width * info.height
    numbers = [
        math.log(info.width),
        math.log(info.height),
        math.log(info.width / info.height),
        math.log(info.size_bytes),
        math.log(info.size_bytes / pixels),
    ]
    kinds = [float(info.format == name) for name in FORMATS] + [float(info.mode == name) for name in MODES]
    return np.array(numbers + kinds)


def print_features(picture: Image.Image) -> Array:
    """Mean grey (0 to 1) and share of near-black and near-white pixels in coarse cells of the strip and corners.

    Args:
        picture: RGB, any size.

    Returns:
        (features,): 2 x (4 x 32 cells of the bottom strip + 4 corners of 6 x 6 cells).
    """
    grey = np.asarray(picture.convert("L"))
    height, width = grey.shape
    strip = max(1, round(height * STRIP_SHARE))
    rows, columns = max(1, round(height * CORNER_SHARE)), max(1, round(width * CORNER_SHARE))
    places = [(grey[-strip:], STRIP_CELLS)]
    for down in (slice(None, rows), slice(-rows, None)):
        places += [(grey[down, across], CORNER_CELLS) for across in (slice(None, columns), slice(-columns, None))]
    cells = []
    for piece, shape in places:
        extreme = ((piece <= BLACK) | (piece >= WHITE)).astype(np.float32)
        cells += [_averaged((piece / 255).astype(np.float32), shape), _averaged(extreme, shape)]
    return np.concatenate(cells).astype(np.float64)


def _averaged(piece: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Area means in a grid of ``shape``, flattened."""
    small = Image.fromarray(piece).resize((shape[1], shape[0]), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32).ravel()


def _shares(labels: Index, classes: int) -> Array:
    return np.bincount(labels, minlength=classes) / len(labels)


Control = Callable[[ControlTable, Index, Index], Array]


def majority(table: ControlTable, train: Index, test: Index) -> Array:
    """The training side's label frequencies for every test item."""
    return np.tile(_shares(table.labels[train], table.classes), (len(test), 1))


def _looked_up(keys: Callable[[ControlTable], NDArray[np.str_]]) -> Control:
    """Label frequencies of items with the same key on the training side, smoothed by those of all."""

    def control(table: ControlTable, train: Index, test: Index) -> Array:
        overall = _shares(table.labels[train], table.classes)
        names, key = np.unique(keys(table), return_inverse=True)
        counts = np.zeros((len(names), table.classes))
        np.add.at(counts, (key[train], table.labels[train]), 1)
        same = counts[key[test]]
        return np.asarray((same + overall) / (same.sum(axis=1, keepdims=True) + 1))

    return control


def fitted(model: Any, features: Array, table: ControlTable, train: Index, test: Index) -> Array:
    """Answers of a model that learns from features (n, features); the majority's where there is one label to learn."""
    labels = table.labels[train]
    if len(np.unique(labels)) < 2:
        return majority(table, train, test)
    scores = np.zeros((len(test), table.classes))
    scores[:, np.unique(labels)] = model.fit(features[train], labels).predict_proba(features[test])
    return scores


def _learned(make: Callable[[], Any], features: Callable[[ControlTable], Array]) -> Control:
    return lambda table, train, test: fitted(make(), features(table), table, train, test)


def forest(trees: int = TREES) -> Any:
    """A random forest in which classes weigh the same."""
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(trees, min_samples_leaf=3, class_weight="balanced", random_state=0)


def _logistic() -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=PRINT_C, class_weight="balanced", max_iter=5000))


CONTROLS: dict[str, Control] = {
    "majority": majority,
    "metadata": _learned(forest, lambda table: table.metadata),
    "print_only": _learned(_logistic, lambda table: table.prints),
    "paper_lookup": _looked_up(lambda table: table.groups),
}
"""By name. Each takes a table and the indices (n,) of the training and the test items, and gives scores
(test items, classes) that sum to 1 in each row."""

FOLDS = 5
REPEATS = 2


@dataclass(frozen=True)
class Validated:
    """How well a control answers for test sides.

    Attributes:
        auroc: of the class with index 1, mean over the folds; 0.5 says nothing.
        sd: over the folds.
        accuracy, majority: shares of right answers of the control, and of always naming the most frequent label.
    """

    auroc: float
    sd: float
    accuracy: float
    majority: float


def measure(control: Control, table: ControlTable, folds: Iterable[tuple[Index, Index]]) -> Validated | None:
    """Measure a control of two classes on folds, each the indices of the training and the test items.

    Returns:
        None where no test side holds both labels.
    """
    from sklearn.metrics import roc_auc_score

    areas, right, frequent = [], [], []
    for train, test in folds:
        truth = table.labels[test]
        if len(np.unique(truth)) == 2:
            scores = control(table, train, test)
            areas.append(float(roc_auc_score(truth, scores[:, 1])))
            right.append(float((scores.argmax(axis=1) == truth).mean()))
            frequent.append(float((truth == _shares(table.labels[train], 2).argmax()).mean()))
    if not areas:
        return None
    return Validated(float(np.mean(areas)), float(np.std(areas)), float(np.mean(right)), float(np.mean(frequent)))


def cross_validate(control: Control, table: ControlTable, grouped: bool) -> Validated | None:
    """Measure a control of two classes by cross-validation, ``FOLDS`` folds ``REPEATS`` times, stratified by label.

    Args:
        grouped: keep each group on one side; otherwise rows are shared out at random.

    Returns:
        None where no fold can be made that holds both labels on both sides.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    count = min(FOLDS, *np.bincount(table.labels, minlength=2).tolist(), len(set(table.groups.tolist())))
    if count < 2:
        return None
    kind = StratifiedGroupKFold if grouped else StratifiedKFold
    folds = (
        (train, test)
        for seed in range(REPEATS)
        for train, test in kind(n_splits=count, shuffle=True, random_state=seed).split(
            table.labels, table.labels, table.groups if grouped else None
        )
        if len(np.unique(table.labels[train])) == 2
    )
    return measure(control, table, folds)
