"""Parts of the maps that tell where bars and print are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polydata.vision.scale_marks import Patch, joined, patches

SCALE = (3.0, 5.0)


def covered(x0: float, x1: float, y0: float, y1: float) -> np.ndarray:
    """The map of a box, given in places: what of each place it covers."""
    down, across = np.arange(40)[:, None], np.arange(60)[None, :]
    rows = np.clip(np.minimum(y1, down + 1) - np.maximum(y0, down), 0, 1)
    columns = np.clip(np.minimum(x1, across + 1) - np.maximum(x0, across), 0, 1)
    return (rows * columns).astype(np.float32)


@pytest.mark.parametrize(("x0", "x1"), [(10, 30), (10.25, 30.5), (9.9, 30.1), (0, 12.5), (40.6, 60)])
def test_ends_are_told_to_a_share_of_a_place(x0: float, x1: float) -> None:
    (found,) = patches(covered(x0, x1, 20, 23), SCALE)
    assert found.x0 == pytest.approx(5 * x0, abs=1)
    assert found.x1 == pytest.approx(5 * x1, abs=1)
    assert found.y == pytest.approx(3 * 21.5, abs=1)
    assert found.score == pytest.approx(1, abs=0.01)


def test_the_surest_comes_first_and_a_faint_one_is_none() -> None:
    share = 0.6 * covered(5, 20, 5, 8) + covered(30, 50, 5, 8) + 0.2 * covered(5, 50, 30, 34)
    first, second = patches(share, SCALE)
    assert first.x0 == pytest.approx(150, abs=1) and second.x0 == pytest.approx(25, abs=1)
    assert second.score == pytest.approx(0.6, abs=0.01)


def test_a_number_and_its_unit_are_one_line_and_other_rows_are_not() -> None:
    number, unit = Patch(10, 50, 30, 60, 0.9), Patch(35, 51, 60, 62, 0.8)
    below, far = Patch(12, 80, 30, 90, 0.7), Patch(200, 50, 240, 60, 0.6)
    assert joined([far, unit, below, number], lambda one: 0.7 * one.height) == [Patch(10, 50, 60, 62, 0.9), below, far]


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_any_map_gives_boxes_within_it(rows: int, columns: int, seed: int) -> None:
    share = np.random.default_rng(seed).random((rows, columns), dtype=np.float32)
    for one in patches(share, SCALE):
        assert 0 <= one.x0 < one.x1 <= 5 * columns
        assert 0 <= one.y0 < one.y1 <= 3 * rows
        assert 0 <= one.score <= 1
