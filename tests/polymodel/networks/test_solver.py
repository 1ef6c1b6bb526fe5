"""The regressions are those of scikit-learn, and nothing is left of the gradient at their answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from polydata.errors import InputError
from polymodel.networks import linear
from polymodel.networks.linear import coordinates, fit_regressions
from polymodel.networks.solver import Problem


def scene(seed: int, classes: int, images: int, columns: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(images, columns)) * rng.uniform(0.2, 5, columns) + rng.normal(size=columns)
    labels = np.concatenate([np.arange(classes), rng.integers(0, classes, images - classes)])
    features[:, : columns // 2] += rng.normal(size=(classes, columns // 2))[labels]
    return features, labels, rng.uniform(0.1, 3, images)


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 2**32 - 1),
    classes=st.integers(2, 4),
    images=st.integers(8, 60),
    columns=st.integers(1, 40),
    c=st.sampled_from([0.003, 0.3, 30.0]),
)
def test_nothing_is_left_of_the_gradient_and_sklearn_agrees(
    seed: int, classes: int, images: int, columns: int, c: float
) -> None:
    features, labels, weights = scene(seed, classes, images, columns)
    [(weight, bias)] = fit_regressions(features, labels, classes, [Problem(c, weights)])
    wrong = weights[:, None] * (softmax(features @ weight.T + bias, axis=1) - np.eye(classes)[labels])
    penalty = weight / c * (2 if classes == 2 else 1)  # of two classes one row says both
    assert np.abs(wrong.T @ features + penalty).max() / weights.sum() < 1e-6
    assert np.abs(wrong.sum(0)).max() / weights.sum() < 1e-6
    known = LogisticRegression(C=c, max_iter=20000, tol=1e-9).fit(features, labels, weights)
    found = softmax(features @ weight.T + bias, axis=1)
    assert found == pytest.approx(known.predict_proba(features), abs=1e-3)


@pytest.mark.parametrize("classes", [2, 3])
def test_many_problems_are_solved_as_each_alone_and_without_a_turn(
    classes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    features, labels, weights = scene(1, classes, 120, 300)
    masks = [np.ones(120, dtype=bool), np.arange(120) % 5 != 0, labels != classes - 1]
    problems = [Problem(c, weights * mask) for c in (0.03, 3.0) for mask in masks if classes > 2 or mask.all()]
    turned = coordinates(features, [100, 200])
    assert turned.values.shape[1] <= 120 and turned.values.dtype == np.float64
    monkeypatch.setattr(linear, "TURNED", 100)
    plain = coordinates(features, [100, 200])
    assert plain.values.shape == features.shape and plain.values.dtype == np.float32
    for place in (turned, plain):
        together = fit_regressions(place.values, labels, classes, problems)
        for problem, (weight, bias) in zip(problems, together, strict=True):
            alone = turned.head(*fit_regressions(turned.values, labels, classes, [problem])[0]).logits(features)
            assert place.head(weight, bias).logits(features) == pytest.approx(alone, abs=2e-4)


def test_what_cannot_be_solved_is_an_error_of_ours() -> None:
    features, labels, weights = scene(2, 2, 20, 3)
    with pytest.raises(InputError, match="same label"):
        fit_regressions(features, labels, 2, [Problem(1.0, weights * (labels == 0))])
    with pytest.raises(InputError, match="did not converge"):
        fit_regressions(np.full((20, 3), np.nan), labels, 2, [Problem(1.0, weights)])
