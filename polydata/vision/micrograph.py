"""How much a picture looks like a micrograph, by a small model trained on pictures of known kind."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from polydata.vision.quadratic import Quadratic
from polydata.vision.texture_measures import NAMES, looks

Rgb = npt.NDArray[np.uint8]

MODEL = Path(__file__).with_name("micrograph_2.json")
"""Written by data/train_screening.py."""


@cache
def _model() -> Quadratic:
    model = Quadratic.load(MODEL)
    if model.names != NAMES:
        raise ValueError(f"{MODEL.name} was trained on other measures: run data/train_screening.py again")
    return model


def likeness(rgb: Rgb) -> tuple[float, dict[str, float]]:
    """Log-odds that a picture is a micrograph, 0 being even, and the measures behind them by name.

    Args:
        rgb: rows x columns x 3, 0 to 255; at least 16 pixels a side.
    """
    measures = looks(rgb)
    return _model().log_odds(measures), dict(zip(NAMES, (float(v) for v in measures), strict=True))
