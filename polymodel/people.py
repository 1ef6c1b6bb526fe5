"""What people answered, as rows beside a model's: each rater, the vote of all, and the mean of the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

from polydata.errors import InputError
from polydata.labels.agreement import fleiss_kappa
from polydata.records.tables import read_table
from polydata.task import Task
from polymodel.metrics import METRICS, Outcome, summarise

SCORED = ("auroc", "auprc", "brier", "ece")
"""Metrics of probabilities, which a single yes or no does not have."""
PICKED_BY = "picked by accuracy on these same images, so better than what they would reach on others"


def people(path: Path, truth: str, raters: Sequence[str], positive: str, top: int = 10) -> dict[str, Any]:
    """Score the answers of people in a table.

    A row on which an answer or the truth is missing is left out of every figure and counted. Intervals are over
    images, since such a table names no papers.

    Args:
        path: CSV, XLSX, JSON or JSON Lines; a row an image, a column a rater.
        truth: column with the true answers.
        raters: shell patterns of the raters' columns, such as ``R*``.
        positive: the positive label; the table may write it as the task spells it, or as 1 in file names.
        top: how many of the best raters are averaged.

    Returns:
        ``images``, ``left_out``, ``fleiss_kappa``, ``majority_accuracy``, ``each``, ``vote`` and ``top``.

    Raises:
        InputError: if the file cannot be read, lacks a column, or has no complete row.
    """
    rows = [row.values for row in read_table(path) if not row.problem]
    header = list(dict.fromkeys(name for row in rows for name in row))
    names = [n for n in header if n != truth and any(fnmatchcase(n, pattern) for pattern in raters)]
    if truth not in header or not names:
        wrong = f"column {truth!r}" if truth not in header else f"column of raters {', '.join(raters)}"
        raise InputError(f"{path} has no {wrong}.", f"Its columns: {', '.join(header)}.")
    complete = [row for row in rows if all(_text(row.get(n)) for n in (truth, *names))]
    if not complete:
        raise InputError(f"{path} has no row with the truth and all {len(names)} answers.")
    task = Task.load()
    said = np.array([[_is_positive(task, row[n], positive) for n in (truth, *names)] for row in complete])
    real, given = said[:, 0], said[:, 1:]
    each = {name: _hard(real, given[:, k]) for k, name in enumerate(names)}
    right = dict(zip(names, (given == real[:, None]).mean(axis=0).tolist(), strict=True))
    best = sorted(names, key=lambda name: -right[name])[:top]
    return {
        "images": len(complete),
        "left_out": len(rows) - len(complete),
        "fleiss_kappa": fleiss_kappa([[str(v) for v in row] for row in given]),
        "majority_accuracy": float(max(real.mean(), 1 - real.mean())),
        "mean": _mean(list(each.values())),
        "each": each,
        "vote": summarise([_outcome(real, given.mean(axis=1))]),
        "top": {"raters": best, "picked_by": PICKED_BY, "metrics": _mean([each[n] for n in best])},
    }


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else " ".join(str(value).split())


def _is_positive(task: Task, value: Any, positive: str) -> bool:
    word = _text(value)
    return positive in (word, task.file_suffixes.get(word), task.label_of(word))


def _outcome(real: Any, chance: Any) -> Outcome:
    """Two classes, the second positive; every image is a group of its own."""
    groups = np.array([str(k) for k in range(len(real))])
    return Outcome(real.astype(np.int64), np.column_stack([1 - chance, chance]), groups, 1)


def _hard(real: Any, answers: Any) -> dict[str, dict[str, object]]:
    found = summarise([_outcome(real, answers.astype(np.float64))])
    nothing: dict[str, object] = {"value": None, "low": None, "high": None}
    return found | dict.fromkeys(SCORED, nothing)


def _mean(several: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Mean and sd of each metric over raters for whom it has a meaning."""
    found = {}
    for metric in METRICS:
        values = [one[metric]["value"] for one in several if one[metric]["value"] is not None]
        found[metric] = {
            "mean": float(np.mean(values)) if values else None,
            "sd": float(np.std(values, ddof=1)) if len(values) > 1 else None,
            "low": None,
            "high": None,
            "values": values,
        }
    return found
