"""Metrics of labels in an order and of numbers, held to scikit-learn's and SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn import metrics as sk

from polymodel.evaluation.answered import VALUE_TITLES
from polymodel.evaluation.intervals import differences, summarise
from polymodel.evaluation.judged_values import reliability
from polymodel.evaluation.metrics import Ordered, joined, point, weighted
from polymodel.evaluation.values import Values


def drawn(seed: int, noise: float, papers: int = 12) -> Values:
    """Numbers of several papers, said with this error."""
    rng = np.random.default_rng(seed)
    truth = rng.gamma(3, 2, 10 * papers)
    said = truth + noise * rng.normal(size=len(truth))
    return Values(truth, said, np.repeat([f"p{k}" for k in range(papers)], 10))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=30))
@settings(max_examples=100, deadline=None)
def test_metrics_of_an_order_are_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    truth, answers = (np.array(side) for side in zip(*pairs, strict=True))
    made = Ordered(truth, np.eye(4)[answers], np.array([str(k) for k in range(len(truth))]), 0)
    found = point(made)
    assert found["rank_mae"] == pytest.approx(np.abs(truth - answers).mean())
    varies = len(set(truth.tolist())) > 1 and len(set(answers.tolist())) > 1
    if varies:
        assert found["kappa"] == pytest.approx(
            sk.cohen_kappa_score(truth, answers, weights="quadratic", labels=range(4))
        )
        assert found["rank_correlation"] == pytest.approx(spearmanr(truth, answers).statistic)
    elif len({*truth.tolist(), *answers.tolist()}) == 1:
        assert np.isnan(found["kappa"]) and np.isnan(found["rank_correlation"])


@pytest.mark.parametrize("noise", [0.1, 1.0, 10.0])
def test_metrics_of_numbers_are_scikit_learns(noise: float) -> None:
    made = drawn(1, noise)
    for kept in (np.ones(120), np.arange(120) % 3 > 0):
        found = {name: float(values[0]) for name, values in weighted(made, kept[None].astype(np.float64)).items()}
        truth, said = made.truth[kept > 0], made.values[kept > 0]
        assert found["mae"] == pytest.approx(sk.mean_absolute_error(truth, said))
        assert found["rmse"] == pytest.approx(sk.root_mean_squared_error(truth, said))
        assert found["r2"] == pytest.approx(sk.r2_score(truth, said))
        assert found["spearman"] == pytest.approx(spearmanr(truth, said).statistic)


def test_numbers_that_are_all_the_same_have_no_share_that_is_explained() -> None:
    same = Values(np.full(6, 2.0), np.arange(6.0), np.array(list("aabbcc")))
    assert all(found == {"value": None, "low": None, "high": None} for found in summarise([same]).values())
    constant = Values(np.arange(6.0), np.full(6, 2.5), np.array(list("aabbcc")))
    assert np.isnan(point(constant)["spearman"]) and point(constant)["r2"] == pytest.approx(0)


def test_intervals_of_numbers_hold_the_value_and_keep_to_their_ends() -> None:
    found = summarise([drawn(2, 2.0)])
    assert set(found) == set(VALUE_TITLES)
    for metric, one in found.items():
        low, value, high = (float(str(one[key])) for key in ("low", "value", "high"))
        assert low < value < high, metric
        assert high <= 1 or metric in ("mae", "rmse")
        assert low > 0 or metric in ("r2", "spearman")


def test_intervals_of_an_error_hold_as_often_as_they_say() -> None:
    """Errors of a paper resemble each other: the true mean error is that of endless papers."""
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(25), 6)
        error = np.repeat(np.abs(rng.normal(1, 0.4, 25)), 6) * rng.choice([-1, 1], 150)
        truth = rng.normal(5, 2, 150)
        found = summarise([Values(truth, truth + error, groups.astype(np.str_))])["mae"]
        held += float(str(found["low"])) <= 1.0014 <= float(str(found["high"]))
    assert held / 200 >= 0.9


def test_two_models_of_numbers_are_compared_paper_by_paper() -> None:
    good, bad = drawn(3, 0.5), drawn(3, 3.0)
    found = differences([good], [bad])["mae"]
    assert float(str(found["high"])) < 0
    assert differences([good], [good])["mae"]["low"] is None


def test_the_truth_over_the_prediction_says_whether_values_hold() -> None:
    made = drawn(4, 0.3)
    right = reliability(made)
    assert right["slope"]["low"] is not None and right["slope"]["high"] is not None
    assert right["slope"]["low"] < 1 < right["slope"]["high"]
    halved = reliability(Values(made.truth, made.values / 2, made.groups))
    assert halved["slope"]["value"] == pytest.approx(2 * (right["slope"]["value"] or 0))


def test_an_ensemble_of_numbers_is_their_mean() -> None:
    one, other = drawn(5, 1.0), drawn(6, 1.0)
    twice = joined([one, Values(one.truth, other.values, one.groups)])
    place = np.tile(np.arange(120), 2)
    assert twice.averaged(place, np.arange(120)).values == pytest.approx((one.values + other.values) / 2)
