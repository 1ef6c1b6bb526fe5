"""A small trained model: a logistic regression over measures, their squares and products, kept as readable JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

LIMIT = 3.0
"""Standard deviations at which a measure is cut, for products of outliers would run away."""


@dataclass(frozen=True)
class Quadratic:
    """Log-odds = bias + linear · z + z · products · z, with z the standardised measures.

    Attributes:
        names: of the measures, in their order.
        mean, scale: of each measure in the training pictures.
        products: upper triangle by rows, squares included.
        trained: what it was trained on, in words.
    """

    names: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    bias: float
    linear: tuple[float, ...]
    products: tuple[float, ...]
    trained: str = ""

    def __post_init__(self) -> None:
        n = len(self.names)
        if {len(self.mean), len(self.scale), len(self.linear)} != {n} or len(self.products) != n * (n + 1) // 2:
            raise ValueError("the model's lists do not fit its measures")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a model that ``save`` wrote."""
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
        return cls(**values)

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    def log_odds(self, measures: npt.NDArray[np.float64]) -> float:
        """Log-odds of the trained class.

        Args:
            measures: one number a name.
        """
        z = standardised(measures, np.array(self.mean), np.array(self.scale))
        return float(self.bias + np.dot(self.linear, z) + np.dot(self.products, pairs(z)))


def standardised(
    measures: npt.NDArray[np.float64], mean: npt.NDArray[np.float64], scale: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Measures in standard deviations from the mean, cut at ``LIMIT``; one row a picture, or one picture."""
    return np.clip((measures - mean) / scale, -LIMIT, LIMIT)


def pairs(z: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Products of all pairs along the last axis, squares included, the upper triangle by rows."""
    first, second = np.triu_indices(z.shape[-1])
    return np.asarray(z[..., first] * z[..., second], np.float64)
