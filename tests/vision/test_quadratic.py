"""The small trained model and the measures that it takes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pdf_sheet import micrograph

from polydata.vision.micrograph import LIMIT, MODEL, NAMES, Quadratic, features, pairs, standardised


def test_log_odds_are_what_the_formula_says(tmp_path: Path) -> None:
    model = Quadratic(("a", "b"), (1.0, 0.0), (2.0, 1.0), 0.5, (1.0, -1.0), (0.1, 0.2, 0.3), "by hand")
    (tmp_path / "model.json").write_text(json.dumps(vars(model)))
    again = Quadratic.load(tmp_path / "model.json")
    assert again == model
    z = (2.0, -0.5)  # of the measures 5 and -0.5
    expected = 0.5 + z[0] - z[1] + 0.1 * z[0] ** 2 + 0.2 * z[0] * z[1] + 0.3 * z[1] ** 2
    assert again.log_odds(np.array([5.0, -0.5])) == pytest.approx(expected)
    assert again.log_odds(np.array([1e9, 0.0])) == again.log_odds(np.array([1 + 2 * LIMIT, 0.0]))


def test_lists_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        Quadratic(("a", "b"), (1.0,), (2.0, 1.0), 0.5, (1.0, -1.0), (0.1, 0.2, 0.3))


@given(arrays(np.float64, (4, 5), elements=st.floats(-1e6, 1e6)))
def test_pairs_of_rows_are_the_rows_pairs(z: np.ndarray) -> None:
    assert np.array_equal(pairs(z)[2], pairs(z[2]))
    assert np.abs(standardised(z, np.zeros(5), np.ones(5))).max() <= LIMIT


def test_the_shipped_model_takes_these_measures() -> None:
    assert Quadratic.load(MODEL).names == NAMES
    assert json.loads(MODEL.read_text())["trained"]


@settings(max_examples=40, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(16, 90), st.integers(16, 90), st.just(3))))
def test_measures_are_finite(rgb: np.ndarray) -> None:
    found = features(rgb)
    assert found.shape == (len(NAMES),)
    assert np.isfinite(found).all()


def test_measures_stand_yellowed_paper() -> None:
    white = np.full((200, 300, 3), 255, np.uint8)
    white[50:52, 20:280] = 0
    yellow = (white * np.array([0.85, 0.8, 0.7])).astype(np.uint8)
    for name in ("ground", "empty_rows", "dark", "block_50"):
        index = NAMES.index(name)
        assert features(yellow)[index] == pytest.approx(features(white)[index], abs=0.02), name
    assert features(np.asarray(micrograph(1)))[NAMES.index("ground")] < 0.5
