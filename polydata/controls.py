"""Control models: what can be said of a label without looking at the micrograph.

A model is worth something where it beats these. Each learns on the training side alone and answers for the
test side; none is tuned.

    majority       the training side's most frequent label, for every image
    metadata       width, height, shape, file size, format and colour mode of the file
    print_only     bottom strip and corners, averaged so coarsely that burned-in print remains and texture does not
    paper_lookup   the most frequent label of the same paper on the training side, else the majority

A control that does well says that the data leaks or that something beside the picture gives the label away.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from polydata.errors import InputError
from polydata.images import describe, open_picture

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
    """

    labels: Index
    groups: NDArray[np.str_]
    metadata: Array
    prints: Array
    classes: int


def read_table(
    images: Sequence[Path],
    labels: Sequence[int],
    groups: Sequence[str],
    classes: int,
    advance: Callable[[int, int], None] = lambda *_: None,
) -> ControlTable:
    """Read what the controls need of each image, once.

    Args:
        images: n files.
        labels: n indices, each below ``classes``.
        groups: n names.
        classes: how many classes there are.
        advance: told (done, all) after each image.

    Raises:
        InputError: if an image cannot be read, or the lists differ in length.
    """
    if not len(images) == len(labels) == len(groups):
        raise InputError(f"{len(images)} images, {len(labels)} labels and {len(groups)} groups do not belong together.")
    metadata, prints = [], []
    for done, path in enumerate(images, start=1):
        metadata.append(_metadata(path))
        prints.append(print_features(open_picture(path)))
        advance(done, len(images))
    return ControlTable(
        labels=np.asarray(labels, dtype=np.int64),
        groups=np.asarray(groups, dtype=np.str_),
        metadata=np.stack(metadata),
        prints=np.stack(prints),
        classes=classes,
    )


FORMATS = ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP")
MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16")


def _metadata(path: Path) -> Array:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    info = describe(data, str(path))
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


def majority(table: ControlTable, train: Index, test: Index) -> Array:
    """The training side's label frequencies for every test item."""
    return np.tile(_shares(table.labels[train], table.classes), (len(test), 1))


def paper_lookup(table: ControlTable, train: Index, test: Index) -> Array:
    """Label frequencies of the same paper on the training side; the majority settles ties and unknown papers."""
    overall = _shares(table.labels[train], table.classes)
    scores = np.empty((len(test), table.classes))
    for row, item in enumerate(test):
        same = table.labels[train[table.groups[train] == table.groups[item]]]
        scores[row] = (np.bincount(same, minlength=table.classes) + overall) / (len(same) + 1)
    return scores


def metadata(table: ControlTable, train: Index, test: Index) -> Array:
    """A forest on what is known of the file without its pixels."""
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(TREES, min_samples_leaf=3, class_weight="balanced", random_state=0)
    return _fitted(model, table.metadata, table, train, test)


def print_only(table: ControlTable, train: Index, test: Index) -> Array:
    """A logistic regression on coarse cells of the bottom strip and the corners."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=PRINT_C, class_weight="balanced", max_iter=5000))
    return _fitted(model, table.prints, table, train, test)


def _fitted(model: object, features: Array, table: ControlTable, train: Index, test: Index) -> Array:
    """Probabilities of a classifier, with a column for each class; the majority where there is one label alone."""
    labels = table.labels[train]
    if len(np.unique(labels)) < 2:
        return majority(table, train, test)
    model.fit(features[train], labels)  # type: ignore[attr-defined]
    scores = np.zeros((len(test), table.classes))
    scores[:, np.unique(labels)] = model.predict_proba(features[test])  # type: ignore[attr-defined]
    return scores


Control = Callable[[ControlTable, Index, Index], Array]

CONTROLS: dict[str, Control] = {
    "majority": majority,
    "metadata": metadata,
    "print_only": print_only,
    "paper_lookup": paper_lookup,
}
"""By name. Each takes a table and the indices (n,) of the training and the test items, and gives scores
(test items, classes) that sum to 1 in each row."""
