"""Runs side by side: two on the images that both tested, and a leaderboard of one row a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from polydata.errors import PolydataError, UsageError
from polydata.types import Progress, quiet
from polymodel.config import Scoring
from polymodel.evaluation.aggregate import answers_of, ensemble, scored, usual_scoring
from polymodel.evaluation.answered import EVERY_TITLE, centre_of
from polymodel.evaluation.evaluate import evaluate
from polymodel.evaluation.intervals import differences
from polymodel.evaluation.metrics import Outcome, mcnemar
from polymodel.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

FACTS = (
    "split", "split_digest", "leaky", "run", "arch", "weights", "recipe", "seeds", "parts", "scoring", "test_images",
    "test_groups", "seconds",
)  # fmt: skip
COLUMNS = (
    *FACTS,
    *(f"{metric}{part}" for metric in EVERY_TITLE for part in ("", "_low", "_high", "_sd")),
    *(f"majority_{metric}" for metric in ("accuracy", "balanced_accuracy")),
    "unit",
)
"""Of the CSV. Metrics are fractions, or of numbers in the unit: the mean over parts, its 95 % interval over papers, and
the sd over parts."""


Row = dict[str, Any]


@dataclass(frozen=True, repr=False)
class Board:
    """Runs side by side.

    Attributes:
        rows: one a run, with all of ``COLUMNS``.
        differences: the first run against each other one, as ``compare_pair`` gives them.
        problems: runs that cannot be scored and pairs that cannot be compared, each with the reason.
    """

    rows: tuple[Row, ...]
    differences: tuple[Row, ...]
    problems: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<Board of {len(self.rows)} runs, {len(self.problems)} problems; as a data frame: .table>"

    @property
    def table(self) -> pd.DataFrame:
        """The rows with the columns ``COLUMNS``; a metric without meaning is missing."""
        import pandas as pd

        return pd.DataFrame(self.rows, columns=COLUMNS)


def compare_pair(run: Run, other: Run, scoring: Scoring | None = None) -> dict[str, Any]:
    """Two finished runs on the test images that both have.

    Args:
        run, other: the difference is of the first less the second.
        scoring: of both; by default the one that is usual for their splits.

    Returns:
        ``difference`` {metric: {value, low, high}} by ``scoring``, and the counts and p value of ``mcnemar``, for which
        the ensembles answer (None of numbers); the ``runs``, the ``images`` in common, those ``left_out`` for being of
        one run alone, and ``leaky`` runs.

    Raises:
        RefusedError: if a run is not finished.
        UsageError: if they name classes differently, have no test image in common, label one differently, or would be
            scored on other sets of these images.
    """
    for one in (run, other):
        one.require_finished()
    if _question(run) != _question(other):
        raise UsageError(f"{run.name} and {other.name} answer different questions.", "Name a run of the same classes.")
    usual = [usual_scoring(one.split["recipe"]) for one in (run, other)]
    used = scoring or usual[0]
    hint = f"Score each on all common images at once: --scoring {Scoring.POOLED} or --scoring {Scoring.ENSEMBLE}."
    if scoring is None and usual[0] is not usual[1]:
        raise UsageError(
            f"{run.name} is scored {usual[0]} and {other.name} {usual[1]}: such figures cannot be subtracted.",
            hint,
        )
    parts = [answers_of(one, [one.predictions(key) for key in one.planned]) for one in (run, other)]
    mine, theirs = (ensemble(own) for own in parts)
    common, place, place_other = np.intersect1d(mine.images, theirs.images, return_indices=True)
    if not len(common):
        raise UsageError(f"{run.name} and {other.name} have no test image in common.", "Name a run of the same split.")
    together = mine.outcome.at(place), theirs.outcome.at(place_other)
    if (together[0].truth != together[1].truth).any():
        raise UsageError(f"{run.name} and {other.name} label some images differently.", "Name a run of the same split.")
    groups = dict(zip(common.tolist(), together[0].groups.tolist(), strict=True))  # another split may merge otherwise
    sets = [scored([part for part in (p.at(groups) for p in own) if len(part.images)], used) for own in parts]
    if len({frozenset(frozenset(s.images.tolist()) for s in own) for own in sets}) > 1:
        raise UsageError(
            f"{run.name} and {other.name} were tested in other sets of images, so that scored {used} the same answers "
            "would differ.",
            hint,
        )
    return {
        "runs": [run.name, other.name],
        "scoring": used.value,
        "images": len(common),
        "left_out": {run.name: len(mine.images) - len(common), other.name: len(theirs.images) - len(common)},
        "leaky": [one.name for one in (run, other) if one.leakage],
        "difference": differences(*([s.outcome for s in own] for own in sets)),
        "mcnemar": mcnemar(*together) if isinstance(together[0], Outcome) else None,
    }


def _question(run: Run) -> tuple[Any, ...]:
    """What two runs must have alike to be compared: of numbers not the bins, which are those of a split."""
    asked = tuple(run.split.get(key) for key in ("kind", "column", "unit"))
    return asked if "unit" in run.split else (*asked, run.classes, run.positive)


def leaderboard(runs: Sequence[Run], pairs: bool = False, progress: Progress = quiet) -> Board:
    """Score runs and set them side by side; a run that was never evaluated is, without control models.

    Rows of one split stand together, clean splits first, in each the higher AUROC or R² first. Only rows with the same
    split digest answer the same question, and who takes the first row has chosen on the test side.

    Args:
        runs: finished or not; what is wrong with one hides no other.
        pairs: also compare the first with each of the others.
        progress: told of what is going on.
    """
    rows, differences, problems = [], [], []
    for done, run in enumerate(runs):
        progress("evaluating", done, len(runs))
        try:
            rows.append(_row(run, evaluate(run, controls=False)))
            if pairs and done:
                differences.append(compare_pair(runs[0], run))
        except PolydataError as error:
            problems.append(error.message)
    rows.sort(key=lambda r: (r["leaky"], r["split"], r["split_digest"], -(r["auroc"] or r["r2"] or 0), r["run"]))
    return Board(tuple(rows), tuple(differences), tuple(problems))


def _row(run: Run, evaluation: Mapping[str, Any]) -> Row:
    config = run.config
    facts = (
        run.split["name"], run.split["digest"], run.leakage is not None, run.name, config.arch, config.weights,
        config.recipe.name, len(config.seeds), len(run.planned), evaluation["scoring"], evaluation["test_images"],
        evaluation["test_groups"], run.record["seconds"],
    )  # fmt: skip
    row: Row = dict(zip(FACTS, facts, strict=True))
    for metric in EVERY_TITLE:
        found = evaluation.get(metric, {"value": None})
        row[metric] = centre_of(found)
        row |= {f"{metric}_{part}": found.get(part) for part in ("low", "high", "sd")}
    for metric in ("accuracy", "balanced_accuracy"):
        row[f"majority_{metric}"] = centre_of(evaluation["majority"][metric]) if "majority" in evaluation else None
    return row | {"unit": evaluation.get("unit")}
