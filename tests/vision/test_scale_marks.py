"""Lines that may be scale bars, found by their grey levels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from bar_scene import STYLES, draw_bar
from hypothesis import given
from hypothesis import strategies as st

from polydata.vision.scale_marks import MOST, find_marks


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("seed", range(4))
def test_the_bar_is_among_the_lines_with_both_its_ends(style: str, seed: int) -> None:
    drawn = draw_bar(seed, style, "10 µm", length=70 + 20 * seed)
    marks = find_marks(cv2.cvtColor(drawn.rgb, cv2.COLOR_RGB2GRAY))
    best = min(marks, key=lambda mark: abs(mark.x0 - drawn.x0) + abs(mark.x1 - drawn.x1) + abs(mark.y - drawn.y))
    assert best.x0 == pytest.approx(drawn.x0, abs=2)
    assert best.x1 == pytest.approx(drawn.x1 + 1, abs=2)
    assert best.y == pytest.approx(drawn.y, abs=2)
    assert (best.gap is not None) == (style == "split")


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1), st.sampled_from(["noise", "plain", "steps"]))
def test_any_picture_gives_at_most_a_handful_of_lines_within_it(rows: int, columns: int, seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    grey = rng.integers(0, 256, (rows, columns), dtype=np.uint8)
    if kind == "plain":
        grey[:] = 90
    elif kind == "steps":
        grey[:] = (np.arange(rows, dtype=np.uint8)[:, None] % 7) * 36
    marks = find_marks(grey)
    assert len(marks) <= MOST
    assert all(-1 <= mark.x0 < mark.x1 <= columns + 1 and 0 <= mark.y < rows and 0 <= mark.score <= 1 for mark in marks)
