"""The screening on pictures of known kind that it was not trained on, and the script that trains it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import drawn_pictures
import numpy as np
import pytest
import train_screening

from polydata.screening.rules import THRESHOLD, screen_by_model
from polydata.vision.micrograph import Quadratic

DATA = Path(__file__).resolve().parents[2] / "data"
UNSEEN = 50_000_000
"""Seeds from here on were never drawn for training."""


def accepted(family: str, score: Callable[[np.ndarray], float], count: int = 24) -> float:
    """Share of a family that a version of the rule accepts."""
    return float(np.mean([score(drawn_pictures.draw(family, UNSEEN + n)) >= THRESHOLD for n in range(count)]))


def by_model(rgb: np.ndarray) -> float:
    return screen_by_model(rgb).score


@pytest.mark.parametrize("family", sorted(drawn_pictures.MICROGRAPHS))
def test_micrographs_are_kept(family: str) -> None:
    assert accepted(family, by_model) >= 0.9


@pytest.mark.parametrize("family", sorted(drawn_pictures.REST))
def test_most_of_the_rest_is_not(family: str) -> None:
    assert accepted(family, by_model) <= min(0.6, accepted(family, train_screening.by_shares))


def test_a_seed_gives_one_picture() -> None:
    for family in (*drawn_pictures.MICROGRAPHS, *drawn_pictures.REST):
        first = drawn_pictures.draw(family, 3)
        assert np.array_equal(first, drawn_pictures.draw(family, 3)), family
        assert first.dtype == np.uint8 and first.shape[2] == 3


@pytest.mark.slow
def test_the_script_trains_a_model(tmp_path: Path) -> None:
    model = tmp_path / "model.json"
    command = [sys.executable, str(DATA / "train_screening.py"), "--count", "8", "--output", str(model)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout
    assert "all the rest" in said
    assert "8 drawn pictures" in Quadratic.load(model).trained
