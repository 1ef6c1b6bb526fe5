"""Runs side by side: one row a run, runs of one split together, for the terminal and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polydata.errors import InputError, PolydataError
from polymodel.evaluation.evaluate import centre_of, compare, evaluate
from polymodel.evaluation.metrics import METRICS
from polymodel.runs.run import Run, write_text

FACTS = (
    "split", "split_digest", "leaky", "run", "arch", "weights", "recipe", "seeds", "parts", "test_images",
    "test_groups", "seconds",
)  # fmt: skip
COLUMNS = (
    *FACTS,
    *(f"{metric}{part}" for metric in METRICS for part in ("", "_low", "_high", "_sd")),
    *(f"majority_{metric}" for metric in ("accuracy", "balanced_accuracy")),
)
"""Of the CSV. Metrics are fractions: the mean over parts, its 95 % interval over papers, and the sd over parts."""


Row = dict[str, Any]


@dataclass(frozen=True)
class Board:
    """Runs side by side.

    Attributes:
        rows: one a run, with all of ``COLUMNS``.
        differences: the first run against each other one, as ``evaluate.compare`` gives them.
        problems: runs that cannot be scored and pairs that cannot be compared, each with the reason.
    """

    rows: tuple[Row, ...]
    differences: tuple[Row, ...]
    problems: tuple[str, ...]


def leaderboard(
    runs: Sequence[Run], pairs: bool = False, advance: Callable[[str, int, int], None] = lambda *_: None
) -> Board:
    """Score runs and set them side by side; a run that was never evaluated is, without control models.

    Rows of one split stand together, clean splits first, in each the higher AUROC first. Only rows with the same
    split digest answer the same question, and who takes the first row has chosen on the test side.

    Args:
        runs: finished or not; what is wrong with one hides no other.
        pairs: also compare the first with each of the others.
        advance: told (what is going on, done, all).
    """
    rows, differences, problems = [], [], []
    for done, run in enumerate(runs):
        advance("evaluating", done, len(runs))
        try:
            rows.append(_row(run, evaluate(run, controls=False)))
            if pairs and done:
                differences.append(compare(runs[0], run))
        except PolydataError as error:
            problems.append(error.message)
    rows.sort(key=lambda r: (r["leaky"], r["split"], r["split_digest"], -(r["auroc"] or 0), r["run"]))
    return Board(tuple(rows), tuple(differences), tuple(problems))


def _row(run: Run, evaluation: Mapping[str, Any]) -> Row:
    config = run.config
    row: Row = {
        "split": run.split["name"],
        "split_digest": run.split["digest"],
        "leaky": run.leakage is not None,
        "run": run.name,
        "arch": config.arch,
        "weights": config.weights,
        "recipe": config.recipe.name,
        "seeds": len(config.seeds),
        "parts": len(run.planned),
        "test_images": evaluation["test_images"],
        "test_groups": evaluation["test_groups"],
        "seconds": run.record["seconds"],
    }
    for metric in METRICS:
        found = evaluation[metric]
        row[metric] = centre_of(found)
        row |= {f"{metric}_{part}": found.get(part) for part in ("low", "high", "sd")}
    for metric in ("accuracy", "balanced_accuracy"):
        row[f"majority_{metric}"] = centre_of(evaluation["majority"][metric])
    return row


def write_leaderboard(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the rows as CSV with the columns ``COLUMNS``; a metric without meaning is an empty cell.

    Raises:
        InputError: if the file cannot be written.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    try:
        write_text(path, out.getvalue())
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}", "Name another file with --output.") from error
