"""The network that reads letters on corners drawn at random that it was not trained on, others each week."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from drawn_letters import Corner, draw_corners
from picture_bank import fill_bank

from polydata.vision.corner_letters import LETTERS, read_corners

SEED = int(date.today().strftime("%G%V"))
CORNERS = 300
SURE = 0.55


@pytest.fixture(scope="module")
def corners() -> list[Corner]:
    return draw_corners(fill_bank(30, SEED), np.random.default_rng(SEED), CORNERS)


def test_letters_are_read(corners: list[Corner]) -> None:
    shares = read_corners([one.grey for one in corners])
    assert shares.shape == (CORNERS, len(LETTERS))
    best = shares.argmax(1) + 1
    lettered = np.array([one.letter for one in corners])
    sure, there = shares.max(1) >= SURE, lettered > 0
    assert (best == lettered)[there & sure].mean() >= 0.85, SEED
    assert (sure & (best == lettered))[there].mean() >= 0.5, SEED
    assert sure[~there].mean() <= 0.1, SEED


def test_any_square_is_taken(corners: list[Corner]) -> None:
    assert read_corners([]).shape == (0, len(LETTERS))
    rng = np.random.default_rng(SEED)
    shares = read_corners([rng.integers(0, 256, (side, side), dtype=np.uint8) for side in (1, 8, 97, 700)])
    assert shares.shape == (4, len(LETTERS))
    assert ((shares >= 0) & (shares <= 1)).all()


@pytest.mark.slow
def test_the_script_trains_a_network_and_goes_on(tmp_path: Path) -> None:
    script = Path(__file__).resolve().parents[2] / "data" / "train_letters.py"
    options = ["--pictures", "4", "--output", str(tmp_path / "letters.onnx"), "--kept", str(tmp_path / "kept.pt")]
    for minutes in ("0.02", "0.04"):
        subprocess.run([sys.executable, str(script), *options, "--minutes", minutes], check=True, timeout=300)
    assert (tmp_path / "letters.onnx").stat().st_size > 100_000
