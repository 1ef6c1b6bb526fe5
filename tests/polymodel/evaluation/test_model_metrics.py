from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polymodel.evaluation import metrics
from polymodel.evaluation.metrics import (
    METRICS,
    Outcome,
    confusion,
    differences,
    mcnemar,
    over_seeds,
    point,
    summarise,
    weighted,
    wilson,
    within_groups,
)


def outcome(truth: list[int], p: list[float], groups: list[str] | None = None) -> Outcome:
    """A binary outcome with class 1 positive."""
    chances = np.column_stack([1 - np.array(p), np.array(p)])
    names = np.array(groups or [str(k) for k in range(len(truth))])
    return Outcome(np.array(truth), chances, names, 1)


def test_a_worked_example() -> None:
    found = point(outcome([1, 1, 1, 0, 0, 0, 0, 0], [0.9, 0.8, 0.2, 0.7, 0.1, 0.1, 0.3, 0.4]))
    assert found["accuracy"] == pytest.approx(6 / 8)
    assert found["precision"] == pytest.approx(2 / 3)
    assert found["recall"] == pytest.approx(2 / 3)
    assert found["specificity"] == pytest.approx(4 / 5)
    assert found["npv"] == pytest.approx(4 / 5)
    assert found["f1"] == pytest.approx(2 / 3)
    assert found["balanced_accuracy"] == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert found["mcc"] == pytest.approx(7 / 15)
    assert found["auroc"] == pytest.approx((5 + 5 + 2) / 15)


@st.composite
def outcomes(draw: st.DrawFn) -> tuple[Outcome, list[int]]:
    """Two or three classes, few groups, ties in the scores, and how often each group is drawn."""
    size, classes = draw(st.integers(1, 25)), draw(st.integers(2, 3))
    truth = draw(st.lists(st.integers(0, classes - 1), min_size=size, max_size=size))
    raw = draw(st.lists(st.lists(st.integers(1, 4), min_size=classes, max_size=classes), min_size=size, max_size=size))
    groups = draw(st.lists(st.sampled_from("abcd"), min_size=size, max_size=size))
    chances = np.array(raw, dtype=np.float64)
    chances /= chances.sum(1, keepdims=True)
    made = Outcome(np.array(truth), chances, np.array(groups), draw(st.integers(0, classes - 1)))
    counts = draw(
        st.lists(st.integers(0, 3), min_size=4, max_size=4).filter(lambda c: any(c["abcd".index(g)] for g in groups))
    )
    return made, counts


@given(outcomes())
@settings(max_examples=200, deadline=None)
def test_weighted_metrics_are_scikit_learns_on_the_repeated_items(case: tuple[Outcome, list[int]]) -> None:
    made, counts = case
    names = np.array(list("abcd"))
    fast = weighted(made, names, np.array([counts], dtype=np.float64))
    take = np.repeat(np.arange(len(made.truth)), [counts["abcd".index(g)] for g in made.groups])
    slow = point(Outcome(made.truth[take], made.probabilities[take], made.groups[take], made.positive))
    for metric in METRICS:
        assert fast[metric][0] == pytest.approx(slow[metric], nan_ok=True, abs=1e-12), metric


def test_what_has_no_meaning_is_none_not_a_crash() -> None:
    found = summarise([outcome([0, 0, 0], [0.2, 0.3, 0.4])])
    for metric in ("recall", "precision", "auroc", "balanced_accuracy", "mcc", "f1"):
        assert found[metric] == {"value": None, "low": None, "high": None}, metric
    assert found["accuracy"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    folds = summarise([outcome([0, 0], [0.2, 0.3]), outcome([0, 1], [0.2, 0.9])])
    assert folds["auroc"]["values"] == [None, 1.0]
    assert folds["auroc"]["mean"] == 1.0
    assert folds["auroc"]["sd"] is None


def test_intervals_speak_of_papers() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 200)
    p = np.clip(truth * 0.2 + rng.random(200) * 0.8, 0, 1).tolist()
    many = summarise([outcome(truth.tolist(), p)])["auroc"]
    few = summarise([outcome(truth.tolist(), p, [str(k // 25) for k in range(200)])])["auroc"]
    assert many["low"] < many["value"] < many["high"]
    assert many == summarise([outcome(truth.tolist(), p)])["auroc"]
    assert many["value"] == few["value"]
    # One paper is one draw: a single paper leaves nothing to vary.
    alone = summarise([outcome(truth.tolist(), p, ["x"] * 200)])["auroc"]
    assert alone["low"] == pytest.approx(alone["high"])


def noisy(images: int, papers: int) -> Outcome:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, images)
    p = np.clip(truth * 0.2 + rng.random(images) * 0.8, 0, 1)
    return outcome(truth.tolist(), p.tolist(), [str(k % papers) for k in range(images)])


@pytest.mark.parametrize("block", [7, 150, 10_000])
def test_resamples_in_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    first = noisy(90, 20)
    second = Outcome(first.truth, first.probabilities[:, ::-1].copy(), first.groups, 1)
    before = summarise([first, second], resamples=301), differences([first], [second], resamples=301)
    monkeypatch.setattr(metrics, "RESAMPLES_AT_ONCE", block)
    after = summarise([first, second], resamples=301), differences([first], [second], resamples=301)
    for one, other in zip(before, after, strict=True):
        for metric in METRICS:
            assert one[metric] == {k: pytest.approx(v, abs=1e-12) for k, v in other[metric].items()}, metric


def test_memory_grows_neither_with_the_resamples_nor_with_pairs_of_images() -> None:
    made = noisy(4000, 50)
    peaks = []
    for resamples in (200, 1000):
        tracemalloc.start()
        summarise([made], resamples=resamples)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
    assert peaks[1] < 20 * 8 * 200 * 4000  # some arrays of 200 resamples, (200, images) each


def test_over_parts_the_mean_and_its_interval_are_given() -> None:
    parts = [outcome([1, 1, 0, 0], [0.9, 0.4, 0.1, 0.6], list("abab")), outcome([1, 0], [0.8, 0.1], list("cd"))]
    found = summarise(parts)["accuracy"]
    assert set(found) == {"mean", "sd", "low", "high", "values"}
    assert found["values"] == [0.5, 1.0]
    assert found["mean"] == 0.75
    assert found["sd"] == pytest.approx(np.std([0.5, 1.0], ddof=1))


def test_the_confusion_matrix_has_the_truth_in_rows() -> None:
    assert confusion(outcome([1, 1, 1, 0], [0.9, 0.2, 0.1, 0.9])).tolist() == [[0, 1], [2, 1]]


def test_calibration_and_precision_recall() -> None:
    found = point(outcome([1, 0, 1, 0], [0.9, 0.8, 0.4, 0.1]))
    assert found["auprc"] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert found["brier"] == pytest.approx((0.01 + 0.64 + 0.36 + 0.01) / 4)
    assert found["ece"] == pytest.approx((0.1 + 0.8 + 0.6 + 0.1) / 4)
    # A hundred items that all say 0.3, thirty of them positive: one bin, and right on the whole.
    assert point(outcome([1] * 30 + [0] * 70, [0.3] * 100))["ece"] == pytest.approx(0.0)


def test_wilsons_interval() -> None:
    assert wilson(0.9, 100) == pytest.approx((0.8256, 0.9448), abs=1e-4)


def test_seeds_are_told_apart_from_folds() -> None:
    right, wrong = outcome([1, 0], [0.9, 0.1]), outcome([1, 0], [0.9, 0.8])
    found = over_seeds([right, wrong, right, right], [0, 0, 1, 1])["accuracy"]
    assert found["values"] == [0.75, 1.0]
    assert found["best"] == 1.0
    assert over_seeds([right, wrong], [0, 1])["brier"]["best"] == pytest.approx(0.01)


def test_auroc_within_papers() -> None:
    # Paper a is ranked rightly and b the wrong way round; c holds one label alone.
    found = within_groups([outcome([1, 0, 1, 0, 1], [0.2, 0.1, 0.7, 0.9, 0.0], list("aabbc"))])
    assert (found["value"], found["groups"], found["images"]) == (0.5, 2, 4)
    assert (found["low"], found["high"]) == (0.0, 1.0)
    assert within_groups([outcome([1, 1], [0.2, 0.1])])["value"] is None


def test_pairs_of_models() -> None:
    truth = [1, 0] * 20
    good, bad = outcome(truth, [0.9, 0.1] * 20), outcome(truth, [0.9, 0.1] * 10 + [0.4, 0.1] * 10)
    assert mcnemar(good, bad) == {"first_only_right": 10, "second_only_right": 0, "p": pytest.approx(2 / 2**10)}
    row = differences([good], [bad])["accuracy"]
    assert row["value"] == pytest.approx(0.25)
    assert 0 < row["low"] < row["value"] < row["high"]
    assert mcnemar(good, good)["p"] == 1.0
    assert differences([good], [good])["accuracy"] == {"value": 0.0, "low": 0.0, "high": 0.0}


def test_models_of_several_parts_differ_by_their_means_as_the_tables_give_them() -> None:
    """Averaging the probabilities of several seeds makes a better model than any of them, which is another question."""
    truth = [1, 0, 1, 0] * 5
    seeds = [outcome(truth, [0.9, 0.1, 0.3, 0.1] * 5), outcome(truth, [0.3, 0.1, 0.9, 0.1] * 5)]
    one = outcome(truth, [0.9, 0.1, 0.9, 0.8] * 5)
    row = differences(seeds, [one])["accuracy"]
    assert row["value"] == pytest.approx(0.75 - 0.75)
    assert differences([one], seeds)["recall"]["value"] == pytest.approx(1.0 - 0.5)
