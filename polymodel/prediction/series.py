"""``polymodel series``: images of one system ordered by a ratio, a size or a treatment, and what a run says of each.

The index is the calibrated probability of one label, by the models that had not seen an image's paper; of a run of
numbers it is the number. Beside it stand the raw logit, and the index of the lowest and the highest model. How well the
order and the index go together is said by Spearman's rank correlation, whose p value comes from all orders of up to
``EXACT`` images.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import softmax
from scipy.stats import rankdata, spearmanr

from polydata.errors import InputError, UsageError
from polydata.files.cells import Odd, Row
from polydata.files.tables import read_table
from polydata.task import TaskKind
from polydata.types import Progress, quiet
from polymodel.config import DeviceName, Members
from polymodel.evaluation.people import item_names
from polymodel.evaluation.slices import split_items
from polymodel.kinds.asked import kind_name
from polymodel.networks.linear import Array
from polymodel.prediction.predict import ask
from polymodel.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

NAMES = ("image_sha256", "image", "path", "file_name")
"""Columns by which a table names an image: its SHA-256 or name in the run's split, or a file beside the table."""
RATIO = re.compile(r"\s*(\d+(?:\.\d+)?)\s*[/:]\s*(\d+(?:\.\d+)?)\s*")
EXACT = 8
"""So many images at most have their p value worked out over all orders."""
COLUMNS = (
    "series", "order", "place", "image", "index", "lowest", "highest", "logit", "members", "trained_on",
    "out_of_distribution", "image_sha256", "run", "label", "by",
)  # fmt: skip


@dataclass(frozen=True)
class Placed:
    """An image in its series.

    Attributes:
        series: name of the series.
        order: as the table says it.
        place: as a number by which images are ordered.
        name: of the image, as the table has it.
        path: of its file.
    """

    series: str
    order: str
    place: float
    name: str
    path: Path


@dataclass(frozen=True)
class Series:
    """What a run says of images in their order.

    Attributes:
        label: whose calibrated probability the index is; the unit of a run of numbers.
        rows: by series and place, with ``COLUMNS``; ``lowest`` and ``highest`` are of single models, None of one alone.
            The last ones are the same in all rows: the run's name, the label (or unit), the column of the order.
        correlations: of order and index by series: ``images``, ``spearman`` (None where all are equal), ``p``.
        failed: images that could not be read, each with its reason.
        notes: what holds of the run's answers, as of ``Predictions``.
    """

    label: str
    rows: tuple[dict[str, Any], ...]
    correlations: Mapping[str, Mapping[str, Any]]
    failed: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]

    @property
    def table(self) -> pd.DataFrame:
        """The rows as a data frame."""
        import pandas as pd

        return pd.DataFrame(self.rows, columns=COLUMNS)


def series(
    run: Run,
    table: Path,
    by: str,
    named: str | None = None,
    label: str | None = None,
    *,
    device: DeviceName = DeviceName.AUTO,
    members: Members = Members.UNSEEN,
    progress: Progress = quiet,
) -> Series:
    """What a run says of images in their order.

    Args:
        run: a finished one.
        table: a row an image, named in one of the columns ``NAMES``; a list of a split is one.
        by: its column of the order: numbers, ratios such as 70/30 (by the share of the first), or words, which stand in
            the order in which they first occur.
        named: its column of the series; all rows are one where None.
        label: whose probability is the index; of two labels that which is not positive where None.
        device, members, progress: as of ``predict``.

    Raises:
        InputError: if the table lacks a column, an order is missing, or an image is neither in the split nor a file.
        UsageError: if the run knows no such label, or has several and none is named.
        RefusedError: if the run is not finished.
    """
    shown = _label(run, label)
    placed = sorted(_placed(run, table, by, named), key=lambda one: (one.series, one.place))
    asked = ask(run, [one.path for one in placed], device, progress, members=members)
    told = dict(zip(sorted(asked.answered), asked.result.done, strict=True))
    rows: list[dict[str, Any]] = []
    for k, answered in sorted(asked.answered.items()):
        own = asked.judge.asked(answered.sha256)[0]
        outputs = answered.logits[own]
        index, logit = _indices(run, shown, np.vstack([outputs.mean(0), outputs]), asked.judge.taught(own))
        several = len(own) > 1
        rows.append(
            {
                **{"series": placed[k].series, "order": placed[k].order, "place": placed[k].place},
                "image": placed[k].name,
                "index": float(index[0]),
                "lowest": float(index[1:].min()) if several else None,
                "highest": float(index[1:].max()) if several else None,
                "logit": float(logit[0]),
                "members": len(own),
                "trained_on": told[k].trained_on,
                "out_of_distribution": told[k].out_of_distribution,
                "image_sha256": answered.sha256,
                **{"run": run.name, "label": shown, "by": by},
            }
        )
    found = {name: [row for row in rows if row["series"] == name] for name in dict.fromkeys(r["series"] for r in rows)}
    correlations = {name: correlation([(r["place"], r["index"]) for r in own]) for name, own in found.items()}
    return Series(shown, tuple(rows), correlations, asked.result.failed, asked.result.notes)


def _label(run: Run, label: str | None) -> str:
    """The label whose probability the index is; of a run of numbers their unit."""
    if kind_name(run.split) is TaskKind.REGRESSION:
        if label is not None:
            raise UsageError(f"{run.name} says numbers, so there is no --label.", "Leave it out.")
        return str(run.split["unit"])
    others = [one for one in run.classes if one != run.positive]
    if label is None and len(others) == 1:
        return others[0]
    if label not in run.classes:
        given = f"has no label {label!r}" if label else "has several labels"
        raise UsageError(f"{run.name} {given}.", f"Name one with --label: {', '.join(run.classes)}.")
    return label


def _placed(run: Run, table: Path, by: str, named: str | None) -> list[Placed]:
    """The images of a table, in no order yet."""
    rows = read_table(table)
    if broken := [f"row {row.number}: {row.problem}" for row in rows if row.problem]:
        raise InputError(f"{table}, {broken[0]}.", "Correct the table.")
    columns = list(rows[0].values) if rows else []
    column = next((name for name in NAMES if name in columns), None)
    missing = [name for name in (by, named) if name and name not in columns]
    if column is None or missing:
        lacks = f"the column {missing[0]}" if missing else f"a column of images ({', '.join(NAMES)})"
        raise InputError(f"{table} lacks {lacks}.", f"It has: {', '.join(columns) or 'no rows'}.")
    orders = [_text(table, row, by) for row in rows]
    known: dict[str, set[str]] = {}
    for item in split_items(run).values():
        for name in filter(None, item_names(item)):
            known.setdefault(name, set()).add(item.path)
    found = []
    for row, order, place in zip(rows, orders, _places(table, orders), strict=True):
        name = _text(table, row, column)
        several = sorted(known.get(name, ()))
        if len(several) > 1:
            raise InputError(
                f"{table}, row {row.number}: {name} is {len(several)} images of the run's split.",
                f"Name one of them: {', '.join(PurePosixPath(one).stem for one in several[:8])}",
            )
        path = run.image_root / several[0] if several else table.parent / name
        if not path.is_file():
            raise InputError(
                f"{table}, row {row.number}: {name} is no image of the run's split, and no file.",
                "Name images by their SHA-256, by their names in the split, or by paths from the table's folder.",
            )
        found.append(Placed(_text(table, row, named) if named else "", order, place, name, path))
    return found


def _text(table: Path, row: Row, column: str) -> str:
    """A cell that must say something.

    Raises:
        InputError: if it is empty or holds what nobody typed.
    """
    value = row.values.get(column)
    if value is None or not str(value).strip():
        raise InputError(f"{table}, row {row.number}: {column} is empty.", "Fill it in, or leave the row out.")
    if isinstance(value, Odd):
        raise InputError(f"{table}, row {row.number}: {column} {value.why}.", "Correct the cell; ratios are texts.")
    return str(value).strip()


def _places(table: Path, orders: Sequence[str]) -> list[float]:
    """Where each stands: by number, by the share of the first of a ratio, else by when a word first occurs.

    Raises:
        InputError: if some are numbers or ratios and others are not.
    """
    orders = [order.replace("\N{MINUS SIGN}", "-") for order in orders]
    ratios = [RATIO.fullmatch(order) for order in orders]
    if all(ratios):
        pairs = [(float(found[1]), float(found[2])) for found in ratios if found]
        return [first / (first + second) if first + second else 0.0 for first, second in pairs]
    numbers = [_number(order) for order in orders]
    known = [number for number in numbers if number is not None]
    if len(known) == len(orders):
        return known
    if known or any(re.match(r"[-+.]?\d", order) for order in orders):
        odd = next(order for order, number in zip(orders, numbers, strict=True) if number is None)
        raise InputError(
            f"{table}: {odd!r} is no number, and others are ones or begin with one.",
            "Write numbers alone (1.5), ratios alone (70/30), or words in the order of the rows.",
        )
    return [float(list(dict.fromkeys(orders)).index(order)) for order in orders]


def _number(order: str) -> float | None:
    """What a cell says, None where it is no finite number."""
    try:
        number = float(order)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def _indices(run: Run, label: str, outputs: Array, taught: Any) -> tuple[Array, Array]:
    """The index and the raw logit for each of some outputs (n, classes): of numbers the number itself."""
    if label not in run.classes or kind_name(run.split) is TaskKind.REGRESSION:
        return outputs[:, 0], outputs[:, 0]
    own = run.classes.index(label)
    chances = taught.chances(outputs) if taught else softmax(outputs, axis=1)
    return chances[:, own], outputs[:, own] - np.delete(outputs, own, axis=1).mean(1)


def correlation(pairs: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Spearman's rank correlation of pairs, and its two-sided p value; None where all of one are equal.

    Args:
        pairs: of numbers.

    Returns:
        ``images`` (how many), ``spearman`` (-1 to 1), ``p`` (0 to 1).
    """
    places, indices = (rankdata(values) for values in zip(*pairs, strict=True))
    nothing = {"images": len(pairs), "spearman": None, "p": None}
    if len(pairs) < 2 or np.ptp(places) == 0 or np.ptp(indices) == 0:
        return nothing
    found = spearmanr(places, indices)
    p = float(found.pvalue)
    if len(pairs) <= EXACT:
        orders = np.array(list(permutations(indices - indices.mean())))
        sums = orders @ (places - places.mean())
        p = float((np.abs(sums) >= np.abs(sums[0]) - 1e-9).mean())
    return {**nothing, "spearman": float(found.statistic), "p": p}
