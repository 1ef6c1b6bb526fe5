"""What a model said of images, whatever was asked, and what its metrics are called."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TITLES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "precision": "precision",
    "recall": "recall",
    "specificity": "specificity",
    "npv": "NPV",
    "f1": "F1",
    "mcc": "MCC",
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "brier": "Brier score",
    "ece": "ECE",
}
"""What each metric is called where people read it."""
METRICS = tuple(TITLES)
ORDER_TITLES = {"kappa": "weighted kappa", "rank_mae": "MAE in ranks", "rank_correlation": "rank correlation"}
"""Of labels in an order, before the others."""
VALUE_TITLES = {"mae": "MAE", "rmse": "RMSE", "r2": "R²", "spearman": "Spearman"}
"""Of numbers; the first two are in the unit."""
EVERY_TITLE = TITLES | ORDER_TITLES | VALUE_TITLES
LOWER_IS_BETTER = ("brier", "ece", "rank_mae", "mae", "rmse")
NO_FRACTIONS = ("rank_mae", "mae", "rmse")
"""Metrics from 0 upwards, which are no fractions and not shown in per cent."""
SIGNED = ("mcc", "kappa", "rank_correlation", "spearman")
"""Metrics from -1 to 1."""
UP_TO_ONE = ("r2",)
"""Metrics that may be as low as they like."""
SHOWN = {
    "mae": ("r2", "mae", "rmse", "spearman"),
    "kappa": ("kappa", "rank_mae", "balanced_accuracy", "f1"),
    "auroc": ("auroc", "balanced_accuracy", "accuracy", "f1"),
}
"""Metrics where there is little room, the first ranks runs; by a metric that this kind alone or those after it have."""
Either = TypeVar("Either", bound="Answered")


class Answered(ABC):
    """What a model said of one side of one part, whatever was asked.

    Attributes:
        truth: (n,) what is true.
        groups: (n,) names of the papers.
    """

    metrics: ClassVar[tuple[str, ...]] = ()
    shown: ClassVar[tuple[str, ...]] = ()
    """As of ``SHOWN``."""
    main: ClassVar[str] = ""
    """That which stands for the training side."""
    said: ClassVar[str] = ""
    """Name of the field that holds the answers, (n, ...)."""

    truth: NDArray[Any]
    groups: NDArray[np.str_]

    @property
    def strata(self) -> NDArray[np.int64]:
        """(n,) numbers of the strata whose papers vary by themselves."""
        return np.zeros(len(self.truth), dtype=np.int64)

    @property
    def is_scorable(self) -> bool:
        """Whether there are two different truths."""
        return len(np.unique(self.truth)) > 1

    @property
    def missing(self) -> list[int]:
        """Classes that no item has: of them nothing can be said."""
        return []

    @property
    @abstractmethod
    def wrong(self) -> NDArray[Any]:
        """(n,) how wrong each answer is."""

    def tally(self) -> dict[str, int]:
        """What is counted of a slice beside images and papers."""
        return {}

    def at(self: Either, places: NDArray[np.int64] | NDArray[np.bool_]) -> Either:
        """The same of some of the items, by their numbers or a mask."""
        return self.having(**{name: getattr(self, name)[places] for name in ("truth", "groups", self.said)})

    def having(self: Either, **fields: NDArray[Any]) -> Either:
        """The same with other fields."""
        changed: Any = replace(self, **fields)  # type: ignore[type-var]
        return changed  # type: ignore[no-any-return]

    @abstractmethod
    def averaged(self: Either, place: NDArray[np.int64], first: NDArray[np.int64]) -> Either:
        """Each image once, answered by all items of it together.

        Args:
            place: (n,) number of each item's image.
            first: an item of each image.
        """

    @abstractmethod
    def weighted(self, weights: Array) -> dict[str, Array]:
        """As the function of that name."""


def centre_of(summary: Mapping[str, Any]) -> float | None:
    """The value of a metric, or its mean over parts."""
    value: float | None = summary["value"] if "value" in summary else summary["mean"]
    return value


def titles_of(evaluation: Mapping[str, Any]) -> dict[str, str]:
    """The metrics that an evaluation holds, and what they are called."""
    order = (*ORDER_TITLES, *TITLES, *VALUE_TITLES)
    return {metric: EVERY_TITLE[metric] for metric in order if metric in evaluation}


def shown_of(found: Mapping[str, Any]) -> tuple[str, ...]:
    """Those that are shown of metrics where there is little room."""
    return next(shown for metric, shown in SHOWN.items() if metric in found)
