"""Results that were printed elsewhere, to stand beside a run's in a report, and what is to be known of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polydata.errors import InputError
from polydata.files.cells import Row
from polydata.files.tables import read_table

LAST = 10
MAX_CURVES = 24
METRICS = ("train_accuracy", "accuracy", "precision", "recall", "specificity", "f1")
COLUMNS = {m: f"{m}_pct" for m in METRICS} | {"accuracy": "test_accuracy_pct"}
"""Metric -> column of the table, in per cent."""

SWAPPED = "precision and recall stand swapped: its own counts (TP 13, FP 4, FN 3, TN 97) give 76.47 and 81.25"
BEST = "the best of 100 epochs of the best of 20 trainings, both chosen on the test set"
PEOPLE = "the mean of the ten best of 21 people, chosen by accuracy on the test set; all 21 reach 72.0"
MEANINGS = {
    ("Pre-VGG", 94.02): f"{BEST}; {SWAPPED}",
    ("Pre-Dense", 91.45): BEST,
    ("Pre-Res", 90.6): BEST,
    ("Nopre-VGG", 87.18): BEST,
    ("Nopre-Dense", 88.89): BEST,
    ("Nopre-Res", 91.45): BEST,
    ("Sobel", 80.2): "510 images, training ones too (7 GIF files left out); the threshold was set on these same images",
    ("Researcher", 83.88): PEOPLE,
}
"""What a row of the seed's Tables 2 and 3 is, by its model and printed accuracy; other tables' rows are not judged."""
SIZES = {"training": (400, 0.788), "training, copies included": (1965, 0.519), "test": (117, 0.863)}
"""The seed's Table 1: images of each side, and the share of them that it calls incompatible."""
COPIES = (12, 85), (3, 315)
"""(copies, training images) of the compatible ones and of the others, by its text and its published split."""


def _size_note() -> str:
    """What does not fit in Table 1."""
    (often, compatible), (seldom, others) = COPIES
    copied, rest = often * compatible, seldom * others
    share = copied / (copied + rest)
    return (
        f"The seed's published split has {compatible} compatible and {others} other training images. With {often} and "
        f"{seldom} copies of each that is {copied:,} + {rest:,} = {copied + rest:,}, as printed, of which "
        f"{100 * share:.1f} % are compatible: what is printed as the share of incompatible ones is that of the "
        f"compatible; theirs is {100 - 100 * share:.1f} %. The shares without copies are as printed."
    )


SIZE_NOTE = _size_note()
NOTES = (
    "114 of the 117 published test images come from a paper of the training set, 99 from the same figure.",
    "Always answering incompatible scores 86.32; the label of the same paper, without a picture, 85.47.",
    "Equation 5 of the paper, TN / (TN + FN), is not what its tables hold: they hold TN / (TN + FP).",
    "The authors' code differs from the text: 128 px, learning rate 5e-5, batch 64, no ImageNet normalisation.",
)


@dataclass(frozen=True)
class Printed:
    """A printed row.

    Attributes:
        table, model: as printed.
        pretrained: ``yes``, ``no`` or empty.
        values: each of ``METRICS`` as a fraction, None where nothing is printed.
        meaning: what the number is, where it is known.
    """

    table: str
    model: str
    pretrained: str
    values: dict[str, float | None]
    meaning: str


def read_printed(path: Path) -> list[Printed]:
    """Rows of a table of printed results: table, model, pretrained, test_accuracy_pct, precision_pct and so on.

    Raises:
        InputError: if the file cannot be read, lacks the model or the accuracy, or holds what is no percentage.
    """
    found = []
    for row in _rows(path, "model", COLUMNS["accuracy"]):
        model = _text(row.values["model"])
        values = {m: _share(row.values.get(COLUMNS[m]), path, row.number) for m in METRICS}
        printed = (model, round(100 * (values["accuracy"] or 0), 2))
        table, pretrained = (_text(row.values.get(name)) for name in ("table", "pretrained"))
        found.append(Printed(table or "Printed", model, pretrained, values, MEANINGS.get(printed, "")))
    return found


@dataclass(frozen=True)
class PrintedCurve:
    """Accuracy of a printed training after each epoch, as fractions.

    Attributes:
        model: as printed.
        epochs, train, test: equally long, by epoch; train is None where it is not told.
        peak: the highest test accuracy, and its epoch; what is reported when the epoch is chosen on the test set.
        end: mean test accuracy of the last ``LAST`` epochs.
    """

    model: str
    epochs: tuple[int, ...]
    train: tuple[float | None, ...]
    test: tuple[float, ...]

    @property
    def peak(self) -> tuple[float, int]:
        """See the class."""
        best = max(self.test)
        return best, self.epochs[self.test.index(best)]

    @property
    def end(self) -> float:
        """See the class."""
        return sum(self.test[-LAST:]) / len(self.test[-LAST:])


def read_curves(path: Path) -> list[PrintedCurve]:
    """A training log of several models: model, epoch, test_accuracy_pct and, where told, train_accuracy_pct.

    Raises:
        InputError: if the file cannot be read, lacks a column, or holds what is no percentage or no epoch.
    """
    test, train = COLUMNS["accuracy"], COLUMNS["train_accuracy"]
    points: dict[str, list[tuple[int, float | None, float]]] = {}
    for row in _rows(path, "model", "epoch", test):
        epoch, share = _text(row.values["epoch"]).removesuffix(".0"), _share(row.values[test], path, row.number)
        if not epoch.isascii() or not epoch.isdigit() or len(epoch) > 9 or share is None:
            raise InputError(f"{path}, row {row.number}: it needs a whole epoch and a test accuracy.")
        known = _share(row.values.get(train), path, row.number)
        points.setdefault(_text(row.values["model"]), []).append((int(epoch), known, share))
    if len(points) > MAX_CURVES:
        raise InputError(f"{path} holds {len(points)} models; {MAX_CURVES} can be drawn.", "Leave some out.")
    curves = []
    for model, found in points.items():
        epochs, trained, tested = zip(*sorted(found, key=lambda point: point[0]), strict=True)
        curves.append(PrintedCurve(model, epochs, trained, tested))
    return curves


def _rows(path: Path, *needed: str) -> list[Row]:
    """The rows of a table that has these columns."""
    rows = [row for row in read_table(path) if not row.problem]
    if not rows or any(name not in rows[0].values for name in needed):
        *first, last = needed
        raise InputError(f"{path} has no columns {', '.join(first)} and {last}.", "See docs: evaluate.")
    return rows


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _share(value: Any, path: Path, number: int) -> float | None:
    text = _text(value)
    if not text:
        return None
    try:
        share = float(text) / 100
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise InputError(f"{path}, row {number}: {text!r} is no percentage.", "Write numbers from 0 to 100.")
    return share
