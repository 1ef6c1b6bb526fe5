"""What people answered, as rows beside a model's: each rater, the vote of all, and the mean of the best."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polydata.errors import InputError
from polydata.files.tables import AnswerTable, meaning, read_answers
from polydata.labels.consensus import fleiss_kappa
from polydata.splits.manifest import Item
from polydata.task import Task
from polymodel.evaluation.answered import METRICS
from polymodel.evaluation.intervals import spread, summarise
from polymodel.evaluation.metrics import Outcome

LABELLED = re.compile(r"(.+)_[^_]+")
"""A file name without its suffix that ends in a label, as published images' names do."""
SCORED = ("auroc", "auprc", "brier", "ece")
"""Metrics of probabilities, which a single yes or no does not have."""
SHOWN_WORDS = 10
PICKED_BY = "picked by accuracy on these same images, so better than what they would reach on others"


@dataclass(frozen=True)
class Votes:
    """What people said of images.

    Attributes:
        raters: their names.
        shares: by an image's name in the table, the share of people who gave it the positive label.
    """

    raters: tuple[str, ...]
    shares: Mapping[str, float]

    def of_items(self, items: Sequence[Item]) -> NDArray[np.float64]:
        """The share for each image (n,), NaN where nobody judged it.

        A name of the table means an image by its SHA-256, its panel's id, or the name of the file that was imported,
        with or without suffix and label.
        """
        return np.array(
            [next((self.shares[n] for n in item_names(i) if n and n in self.shares), np.nan) for i in items]
        )


def item_names(item: Item) -> Iterator[str]:
    """What a table may call an image."""
    yield item.image_sha256
    yield item.extra.get("panel_id", "")
    name = item.extra.get("file_name", "")
    yield name
    yield (stem := Path(name).stem)
    if labelled := LABELLED.fullmatch(stem):
        yield labelled[1]


@dataclass(frozen=True)
class HumanTable:
    """A table of what people answered: a row an image, a column a rater.

    A row on which somebody's answer is missing is left out.

    Attributes:
        path: CSV, XLSX, JSON or JSON Lines.
        raters: shell patterns of the raters' columns, such as ``R*``.
        labels: of the split; the table may write them as the task spells them, or as 0 and 1 in file names.
        positive: the positive label.
        task: of the workspace.
    """

    path: Path
    raters: Sequence[str]
    labels: Sequence[str]
    positive: str
    task: Task

    def votes(self, images: str) -> Votes:
        """What people said of images, whose names stand in the column ``images``.

        Raises:
            InputError: if the file cannot be read, lacks a column, has no complete row, or holds a word that is no
                label.
        """
        table = read_answers(self.path, images, self.raters)
        given = self._said_positive(table, table.raters)
        shares = {row[images]: float(share) for row, share in zip(table.rows, given.mean(axis=1), strict=True)}
        return Votes(table.raters, shares)

    def scores(self, truth: str, top: int = 10) -> dict[str, Any]:
        """Score the answers; intervals are over images, since such a table names no papers.

        Args:
            truth: column with the true answers, without which a row is left out too.
            top: how many of the best raters are averaged.

        Returns:
            ``images``, ``left_out``, ``fleiss_kappa``, ``majority_accuracy``, ``each``, ``vote`` and ``top``.

        Raises:
            InputError: as ``votes``.
        """
        table = read_answers(self.path, truth, self.raters)
        names = table.raters
        said = self._said_positive(table, (truth, *names))
        real, given = said[:, 0], said[:, 1:]
        each = {name: _hard(real, given[:, k]) for k, name in enumerate(names)}
        right = dict(zip(names, (given == real[:, None]).mean(axis=0).tolist(), strict=True))
        best = sorted(names, key=lambda name: -right[name])[:top]
        return {
            "images": len(table.rows),
            "left_out": len(table.left_out),
            "fleiss_kappa": fleiss_kappa([[str(v) for v in row] for row in given]),
            "majority_accuracy": float(max(real.mean(), 1 - real.mean())),
            "mean": _mean(list(each.values())),
            "each": each,
            "vote": summarise([_outcome(real, given.mean(axis=1))]),
            "top": {"raters": best, "picked_by": PICKED_BY, "metrics": _mean([each[n] for n in best])},
        }

    def _said_positive(self, table: AnswerTable, columns: Sequence[str]) -> NDArray[np.bool_]:
        """Which answers are the positive label, (rows, columns).

        Raises:
            InputError: naming the words that are no label.
        """
        words = {row[name] for row in table.rows for name in columns}
        meant = {word: word if word in self.labels else meaning(self.task, word) for word in words}
        if unknown := sorted(word for word in words if meant[word] is None):
            more = f" and {len(unknown) - SHOWN_WORDS} more" if len(unknown) > SHOWN_WORDS else ""
            raise InputError(
                f"{self.path} holds answers that are no label: {', '.join(unknown[:SHOWN_WORDS])}{more}.",
                f"Known: {', '.join((*self.labels, *self.task.file_suffixes))}.",
            )
        yes = {word for word in words if self.positive in (word, meaning(self.task, word))}
        return np.array([[row[name] in yes for name in columns] for row in table.rows])


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
    known = {m: [one[m]["value"] for one in several if one[m]["value"] is not None] for m in METRICS}
    return {m: {**spread(np.array(values, dtype=np.float64)), "low": None, "high": None} for m, values in known.items()}
