"""Metrics of numbers that models say; as in ``metrics``, for many weightings at once, held to scikit-learn's by tests.

The coefficient of determination compares with the mean of the very items that are scored, as scikit-learn does. It has
no meaning where all of them have the same value, nor has Spearman's correlation there or where all answers are equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from polymodel.evaluation.answered import SHOWN, VALUE_TITLES, Answered
from polymodel.evaluation.metrics import Array

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Values(Answered):
    """Which numbers a model said.

    Attributes:
        truth: (n,) true numbers.
        values: (n,) those that were said.
        groups: (n,) names of the papers.
    """

    metrics: ClassVar[tuple[str, ...]] = tuple(VALUE_TITLES)
    shown: ClassVar[tuple[str, ...]] = SHOWN["mae"]
    main: ClassVar[str] = "mae"
    said: ClassVar[str] = "values"

    truth: Array
    values: Array
    groups: NDArray[np.str_]

    @property
    def wrong(self) -> NDArray[Any]:
        """(n,) errors without their sign."""
        return np.abs(self.values - self.truth)

    def averaged(self, place: Index, first: Index) -> Values:
        """As ``Answered``: the mean."""
        means = np.bincount(place, weights=self.values) / np.bincount(place)
        return Values(self.truth[first], means, self.groups[first])

    def weighted(self, weights: Array) -> dict[str, Array]:
        """As ``metrics.weighted``."""
        total = weights.sum(1)
        away = self.values - self.truth
        mae, squared = weights @ np.abs(away) / total, weights @ away**2 / total
        mean = weights @ self.truth / total
        spread = weights @ self.truth**2 / total - mean**2
        enough = spread > 1e-12 * np.maximum(mean**2, 1e-300)
        r2 = np.where(enough, 1 - squared / np.where(enough, spread, 1.0), np.nan)
        return {"mae": mae, "rmse": np.sqrt(squared), "r2": r2, "spearman": self._spearman(weights)}

    def _spearman(self, weights: Array) -> Array:
        """Spearman's correlation where items count once or not at all, (b,); NaN where one side does not vary."""
        found = np.full(len(weights), np.nan)
        for k, kept in enumerate(weights > 0):
            ranks = [rankdata(side[kept]) for side in (self.values, self.truth)]
            if min(np.ptp(side) if len(side) else 0 for side in ranks) > 0:
                found[k] = np.corrcoef(*ranks)[0, 1]
        return found
