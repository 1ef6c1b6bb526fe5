"""What was measured beside the runs and stands in files: series, learning curves and trials, as figures of the report.

Nothing is trained or asked again here. Series are tables of ``polymodel series``, learning curves folders of
``polymodel curve``, which are found by their split, and trials a table of any origin: a row a trial and metric.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from polydata.errors import InputError
from polydata.files.cells import Row
from polydata.files.tables import read_table
from polymodel.curves.curve import FOLDER
from polymodel.evaluation.answered import EVERY_TITLE, LOWER_IS_BETTER, NO_FRACTIONS, VALUE_TITLES
from polymodel.evaluation.figures import as_svg, learning_figure
from polymodel.prediction.series import correlation
from polymodel.report.study_figures import Place, Trial, series_figure, trials_figure
from polymodel.runs.run import Run, read_json

NEEDED = ("order", "place", "index", "logit", "lowest", "highest", "trained_on", "image", "run", "label", "by")
"""Columns of a series that are read, as ``polymodel series`` writes them."""
TRIAL = ("trial", "metric", "value", "low", "high")
"""Columns of a table of trials; ``low`` and ``high`` may be empty."""
MOST_SERIES, MOST_TRIALS = 60, 40


@dataclass(frozen=True)
class ShownSeries:
    """A table of series as the report has it.

    Attributes:
        run: name of the run that answered; ``label`` whose index it is, ``by`` what orders the images.
        said: what the index is, in words that begin a sentence.
        figure: its address.
        rows: (name of the series, images, Spearman's correlation and its p value, None where there is none).
        several: whether ranges over several models are drawn.
        known: how many images are of papers that the models had learned from.
    """

    run: str
    label: str
    by: str
    said: str
    figure: str
    rows: tuple[tuple[str, int, float | None, float | None], ...]
    several: bool
    known: int


@dataclass(frozen=True)
class ShownCurve:
    """A learning curve as the report has it.

    Attributes:
        split: name of the split; ``recipe`` and ``arch`` what learned.
        leakage: why the split leaks, None for a clean one.
        figure: its address.
        rows: as of ``curves.curve.Curve``; ``metrics`` those that are drawn, by key and title.
    """

    split: str
    recipe: str
    arch: str
    leakage: str | None
    figure: str
    rows: tuple[Mapping[str, Any], ...]
    metrics: tuple[tuple[str, str], ...]


def read_series(path: Path) -> ShownSeries:
    """A file that ``polymodel series --output`` wrote.

    Raises:
        InputError: if it cannot be read, lacks a column, or holds more series than can be drawn.
    """
    rows = _rows(path, NEEDED, "Write it with: polymodel series TABLE --run RUN --by COLUMN --output FILE")
    found: dict[str, list[Place]] = {}
    for row in rows:
        index = _number(path, row, "index")
        ends = [_number(path, row, key, index) for key in ("lowest", "highest")]
        told = str(row.values["trained_on"]).strip().lower() in ("true", "1")
        place = Place(str(row.values["order"]), _number(path, row, "place"), index, ends[0], ends[1], told)
        found.setdefault(_text(row.values.get("series")), []).append(place)
    if len(found) > MOST_SERIES:
        raise InputError(f"{path} holds {len(found)} series; {MOST_SERIES} can be drawn.", "Leave some out.")
    label, by, run = (_text(rows[0].values[key]).replace("_", " ") for key in ("label", "by", "run"))
    ranked = {name: correlation([(one.place, one.index) for one in places]) for name, places in found.items()}
    # Of a run of numbers the table has the number itself in both columns.
    bounded = any(_number(path, row, "logit") != _number(path, row, "index") for row in rows)
    figure = series_figure(found, by, f"index of {label}" if bounded else f"answer, {label}", bounded=bounded)
    told_of = tuple((name, len(found[name]), one["spearman"], one["p"]) for name, one in ranked.items())
    every = [one for places in found.values() for one in places]
    several = any(one.lowest < one.highest for one in every)
    said = f"Index of {run}, the calibrated probability of {label}," if bounded else f"Answers of {run} in {label}"
    return ShownSeries(run, label, by, said, as_svg(figure), told_of, several, sum(one.known for one in every))


def find_curves(runs: Sequence[Run]) -> list[ShownCurve]:
    """Learning curves of the splits of these runs, from the workspaces in which the runs lie."""
    digests = {str(run.split["digest"]) for run in runs}
    places = dict.fromkeys(run.folder.parent.parent / FOLDER for run in runs)
    found = []
    for path in (path for place in places for path in sorted(place.glob("*/curve.json"))):
        try:
            made = read_json(path)
            if made["split_digest"] in digests and len(made["rows"]) > 1:
                found.append(_curve(made))
        except (InputError, KeyError, TypeError):  # one that is being written, or of another version
            continue
    return found


def _curve(made: Mapping[str, Any]) -> ShownCurve:
    rows, config = tuple(made["rows"]), made["config"]
    metrics = tuple(key for key in rows[0] if key in EVERY_TITLE)[:2]
    figure = as_svg(learning_figure(rows, metrics, made["unit"]))
    titles = tuple((key, EVERY_TITLE[key]) for key in metrics)
    return ShownCurve(made["split"], config["recipe"]["name"], config["arch"], made["leakage"], figure, rows, titles)


def read_trials(path: Path) -> tuple[str, list[tuple[str, bool]]]:
    """A figure of trials, and its metrics by title, each with whether less of it is better.

    Args:
        path: a table with the columns ``TRIAL``; the first trial is what the others are held against. Metrics are of
            those that the report knows, as fractions.

    Raises:
        InputError: if it cannot be read, lacks a column, or holds what is no number or more than can be drawn.
    """
    trials: dict[str, dict[str, Trial]] = {}
    for row in _rows(path, TRIAL, "Its columns are trial, metric, value, low and high."):
        name, metric = _text(row.values["trial"]), _text(row.values["metric"])
        if metric not in EVERY_TITLE or not name:
            known = ", ".join(EVERY_TITLE)
            raise InputError(f"{path}, row {row.number}: {metric or 'nothing'} is no metric.", f"Known: {known}.")
        value = _number(path, row, "value")
        ends = [_number(path, row, key, value) for key in ("low", "high")]
        factor = 1 if metric in (*NO_FRACTIONS, *VALUE_TITLES) else 100
        trials.setdefault(metric, {})[name] = Trial(*(factor * number for number in (value, *ends)))
    if (most := max(map(len, trials.values()))) > MOST_TRIALS:
        raise InputError(f"{path} holds {most} trials; {MOST_TRIALS} can be drawn.", "Leave some out.")
    fractions = [metric for metric in trials if metric not in (*NO_FRACTIONS, *VALUE_TITLES)]
    titled = {EVERY_TITLE[m] + (", %" if m in fractions else ""): found for m, found in trials.items()}
    return as_svg(trials_figure(titled)), [(EVERY_TITLE[metric], metric in LOWER_IS_BETTER) for metric in trials]


def _rows(path: Path, needed: Sequence[str], hint: str) -> list[Row]:
    """The rows of a table that has these columns.

    Raises:
        InputError: if there are none.
    """
    if path.suffix.lower() == ".parquet":
        raise InputError(f"{path} is no table that the report reads.", "Write a .csv or .json file.")
    rows = [row for row in read_table(path) if not row.problem]
    if missing := [name for name in needed if not rows or name not in rows[0].values]:
        raise InputError(f"{path} lacks the columns {', '.join(missing)}.", hint)
    return rows


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _number(path: Path, row: Row, column: str, otherwise: float | None = None) -> float:
    """A cell as a number; one that is empty stands for ``otherwise``, where that is given.

    Raises:
        InputError: if it is none.
    """
    text = _text(row.values.get(column))
    if not text and otherwise is not None:
        return otherwise
    try:
        number = float(text)
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise InputError(f"{path}, row {row.number}: {column} is no number: {text or 'empty'}.", "Correct the table.")
    return number
