"""The network that reads letters on corners drawn at random that it was not trained on, others each week."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from drawn_letters import Corner, draw_corners
from picture_bank import fill_bank

from polydata.vision.corner_letters import LETTERS, SIDE, find_letters, read_corners

SEED = int(date.today().strftime("%G%V"))
CORNERS = 300
SURE = 0.55


@pytest.fixture(scope="module")
def corners() -> list[Corner]:
    return draw_corners(fill_bank(30, SEED), np.random.default_rng(SEED), CORNERS)


def test_letters_are_read(corners: list[Corner]) -> None:
    shares = read_corners([one.grey for one in corners]).max((2, 3))
    assert shares.shape == (CORNERS, len(LETTERS))
    best = shares.argmax(1) + 1
    lettered = np.array([one.letter for one in corners])
    sure, there = shares.max(1) >= SURE, lettered > 0
    assert (best == lettered)[there & sure].mean() >= 0.85, SEED
    assert (sure & (best == lettered))[there].mean() >= 0.5, SEED
    assert sure[~there].mean() <= 0.1, SEED


def test_letters_are_found_where_they_stand(corners: list[Corner]) -> None:
    """Corners side by side and one below the other, as if they were a figure."""
    rng, right, sure = np.random.default_rng(SEED), 0, 0
    for _ in range(12):
        chosen = [corners[n] for n in rng.permutation(CORNERS)[:12]]
        figure = np.vstack([np.hstack([one.grey for one in chosen[row : row + 4]]) for row in (0, 4, 8)])
        at = {(n // 4, n % 4): LETTERS[one.letter - 1] for n, one in enumerate(chosen) if one.letter}
        once = [place for place, letter in at.items() if list(at.values()).count(letter) == 1]
        found = find_letters(figure, [SIDE], LETTERS)
        shares = [share for share, *_ in found.values()]
        assert shares == sorted(shares, reverse=True)
        for place in once:
            share, row, column = found.get(at[place], (0, 0, 0))
            sure += share > SURE
            right += share > SURE and (row // SIDE, column // SIDE) == place
    assert right >= 0.7 * sure > 20, SEED


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (97, 8), (700, 500)])
def test_any_figure_is_looked_at(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(SEED).integers(0, 256, size, dtype=np.uint8)
    assert all(0 <= share <= 1 for share, *_ in find_letters(noise, [60.0, 30.0], "abc1").values())
    assert not any(share for share, *_ in find_letters(np.full(size, 255, np.uint8), [60.0], "a").values())
    assert find_letters(noise, [60.0], "") == {}


@pytest.mark.slow
def test_the_script_trains_a_network_and_goes_on(tmp_path: Path) -> None:
    script = Path(__file__).resolve().parents[2] / "data" / "train_letters.py"
    options = ["--pictures", "4", "--output", str(tmp_path / "letters.onnx"), "--kept", str(tmp_path / "kept.pt")]
    for minutes in ("0.02", "0.04"):
        subprocess.run([sys.executable, str(script), *options, "--minutes", minutes], check=True, timeout=300)
    assert (tmp_path / "letters.onnx").stat().st_size > 100_000


def test_places_without_a_trace_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Letters anywhere over any ground are found as they are when everything is looked at, with fewer looks."""
    squares, lost, sure = [0, 0], 0, 0
    counting = [0]

    def counted(some: list[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
        squares[counting[0]] += len(some)
        return read_corners(some)

    monkeypatch.setattr("polydata.vision.corner_letters.read_corners", counted)
    rng = np.random.default_rng(SEED)
    for _ in range(12):
        height, width = (int(side) for side in rng.integers(200, 420, 2))
        noise = cv2.GaussianBlur(
            rng.normal(0, 90, (height, width)).astype(np.float32), (0, 0), float(rng.uniform(1, 8))
        )
        figure = np.clip(128 + noise / (noise.std() + 1e-6) * rng.uniform(8, 50), 0, 255).astype(np.uint8)
        for letter in "abcdefgh"[: int(rng.integers(3, 9))]:
            place = int(rng.integers(2, width - 25)), int(rng.integers(25, height - 5))
            tone, scale = int(rng.choice([0, 255])), float(rng.uniform(0.6, 1.3))
            cv2.putText(figure, letter, place, 0, scale, tone, int(rng.integers(1, 4)), cv2.LINE_AA)
        window, found = float(rng.uniform(60, 140)), []
        for counting[0], thorough in enumerate((True, False)):
            places = find_letters(figure, [window], "abcdefgh", thorough=thorough)
            found.append({letter: place for letter, place in places.items() if place[0] > 0.6})
        sure += len(found[0])
        lost += len(found[0].keys() ^ found[1].keys())
        lost += sum(found[1][one] != pytest.approx(found[0][one]) for one in found[0].keys() & found[1].keys())
    assert sure > 20, SEED
    assert lost <= 0.02 * sure, (SEED, lost, sure)
    assert squares[1] < 0.9 * squares[0], (SEED, squares)
