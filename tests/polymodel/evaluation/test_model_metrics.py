from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from polymodel.evaluation import intervals
from polymodel.evaluation.answered import METRICS
from polymodel.evaluation.calibration import recalibration
from polymodel.evaluation.intervals import differences, over_seeds, summarise, wilson, within_groups
from polymodel.evaluation.metrics import Outcome, against_rest, confusion, mcnemar, point, weighted

NONE = {"value": None, "low": None, "high": None}


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


def scikit_learns(made: Outcome) -> dict[str, float]:
    """The same metrics by scikit-learn; NaN where undefined."""
    truth, answers = made.truth, made.answers
    present = np.unique(truth)
    single, binary = len(present) < 2, {"zero_division": np.nan}
    each: dict[str, list[float]] = {}
    for k in made.judged:
        is_it, said_it, scores = truth == k, answers == k, made.probabilities[:, k]
        for name, value in (
            ("precision", sk.precision_score(is_it, said_it, **binary)),
            ("recall", sk.recall_score(is_it, said_it, **binary)),
            ("specificity", sk.recall_score(is_it, said_it, pos_label=False, **binary)),
            ("npv", sk.precision_score(is_it, said_it, pos_label=False, **binary)),
            ("f1", sk.f1_score(is_it, said_it, **binary)),
            ("auroc", sk.roc_auc_score(is_it, scores) if 0 < is_it.sum() < len(is_it) else np.nan),
            ("auprc", sk.average_precision_score(is_it, scores) if is_it.any() else np.nan),
            ("brier", sk.brier_score_loss(is_it, scores.clip(0, 1), pos_label=True)),
        ):
            each.setdefault(name, []).append(value)
    means = {name: np.nanmean(v) if not np.isnan(v).all() else np.nan for name, v in each.items()}
    return means | {
        "accuracy": sk.accuracy_score(truth, answers),
        "balanced_accuracy": np.nan if single else sk.recall_score(truth, answers, labels=present, average="macro"),
        "mcc": np.nan if single else sk.matthews_corrcoef(truth, answers),
    }


@given(outcomes())
@settings(max_examples=200, deadline=None)
def test_weighted_metrics_are_scikit_learns_on_the_repeated_items(case: tuple[Outcome, list[int]]) -> None:
    made, counts = case
    often = np.array([counts["abcd".index(g)] for g in made.groups])
    fast = weighted(made, often[None].astype(np.float64))
    take = np.repeat(np.arange(len(made.truth)), often)
    slow = scikit_learns(Outcome(made.truth[take], made.probabilities[take], made.groups[take], made.positive))
    for metric in fast:
        assert fast[metric][0] == pytest.approx(slow[metric], nan_ok=True, abs=1e-12), metric
    assert set(fast) == {*METRICS} - {"ece"}


def test_what_has_no_meaning_is_none_not_a_crash() -> None:
    found = summarise([outcome([1, 1, 0, 0], [0.2, 0.3, 0.4, 0.1])])
    assert found["precision"] == NONE
    assert found["accuracy"]["value"] == 0.5
    folds = summarise([outcome([0, 0], [0.2, 0.3]), outcome([0, 1], [0.2, 0.9])])
    assert folds["auroc"]["values"] == [None, 1.0]
    assert folds["auroc"]["mean"] == 1.0
    assert folds["auroc"]["sd"] is None


def test_a_side_of_one_label_is_not_scored() -> None:
    """Always naming that label would be right on all of it."""
    assert all(found == NONE for found in summarise([outcome([0, 0, 0], [0.2, 0.3, 0.4])]).values())


def test_intervals_speak_of_papers() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 200)
    p = np.clip(truth * 0.2 + rng.random(200) * 0.8, 0, 1).tolist()
    many = summarise([outcome(truth.tolist(), p)])["auroc"]
    few = summarise([outcome(truth.tolist(), p, [str(k // 25) for k in range(200)])])["auroc"]
    assert many["low"] < many["value"] < many["high"]
    assert many == summarise([outcome(truth.tolist(), p)])["auroc"]
    assert many["value"] == few["value"]
    # One paper, or two of a label, say nothing of others.
    for papers in (["x"] * 200, [str(k % 2) for k in range(200)]):
        alone = summarise([outcome(truth.tolist(), p, papers)])
        assert alone["auroc"] == {"value": many["value"], "low": None, "high": None}


def test_the_variance_is_obuchowskis_where_each_paper_has_images_of_both_labels() -> None:
    """Clustered placement values (Biometrics 1997, 53:567, equations 3 to 6), worked out here by themselves."""
    made = noisy(1200, 200)
    x, y = made.probabilities[made.truth == 1, 1], made.probabilities[made.truth == 0, 1]
    of_x, of_y = made.groups[made.truth == 1], made.groups[made.truth == 0]
    wins = (x[:, None] > y).astype(float) + 0.5 * (x[:, None] == y)
    area, m, n, papers = wins.mean(), len(x), len(y), np.unique(made.groups)
    tens = np.array([(wins.mean(1)[of_x == g] - area).sum() for g in papers])
    ones = np.array([(wins.mean(0)[of_y == g] - area).sum() for g in papers])
    s10 = len(papers) / ((len(papers) - 1) * m) * (tens**2).sum()
    s01 = len(papers) / ((len(papers) - 1) * n) * (ones**2).sum()
    s11 = len(papers) / (len(papers) - 1) * (tens * ones).sum()
    variance = s10 / m + s01 / n + 2 * s11 / (m * n)
    found = intervals._varied([[made]])["auroc"]
    assert found.variance == pytest.approx(variance, rel=0.03)
    assert 150 < found.freedom < 2 * 199


def test_all_right_leaves_room_for_doubt() -> None:
    """Not [100, 100]: of six papers with each label, all right, little is known of others."""
    made = outcome([1, 1, 0, 0] * 6, [0.9, 0.8, 0.1, 0.2] * 6, [str(k // 4) for k in range(24)])
    found = summarise([made])
    for metric in ("accuracy", "auroc", "recall", "balanced_accuracy", "f1"):
        assert found[metric]["value"] == found[metric]["high"] == 1.0
        assert 0.3 < found[metric]["low"] < 0.7, metric
    wrong = summarise([outcome([1, 1, 0, 0] * 6, [0.1, 0.2, 0.1, 0.2] * 6, [str(k // 4) for k in range(24)])])
    assert wrong["recall"]["value"] == wrong["recall"]["low"] == 0.0 < wrong["recall"]["high"]


@given(outcomes())
@settings(max_examples=100, deadline=None)
def test_intervals_hold_their_value_and_stay_where_metrics_are(case: tuple[Outcome, list[int]]) -> None:
    for metric, found in summarise([case[0]]).items():
        if found["low"] is not None:
            assert -1 - 1e-9 <= found["low"] <= found["value"] + 1e-9 <= found["high"] + 2e-9 <= 1 + 3e-9, metric


def test_intervals_hold_with_few_papers() -> None:
    """What ``benchmarks/intervals.py`` measures, in small: the old bootstrap held 0.74 of the areas at 12 papers."""
    from intervals import coverage

    found = coverage(12, 120, before=120)
    now, before = found["auroc"]
    assert before.held < 0.87 < 0.9 < now.held
    for metric in ("accuracy", "balanced_accuracy", "recall", "f1", "mcc", "brier"):
        assert found[metric][0].held > 0.86, metric


def test_differences_hold_with_few_papers() -> None:
    from intervals import paired

    for changed in (0.5, 0.02):
        found = paired(12, 100, changed)
        for metric, (now, _) in found.items():
            assert now.held > 0.89, (metric, changed)
            assert min(now.widths) > 0, (metric, changed)


def test_calibrated_answers_have_a_small_ece_and_intervals_that_hold_it() -> None:
    from intervals import calibration

    bins, now, _, held = calibration(120, images=83, papers=24)
    assert bins > 0.08
    assert now <= 0.03
    assert held.held > 0.92


def noisy(images: int, papers: int) -> Outcome:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, images)
    p = np.clip(truth * 0.2 + rng.random(images) * 0.8, 0, 1)
    return outcome(truth.tolist(), p.tolist(), [str(k % papers) for k in range(images)])


def test_what_is_left_out_at_once_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    first = noisy(90, 20)
    second = Outcome(first.truth, first.probabilities[:, ::-1].copy(), first.groups, 1)
    before = summarise([first, second]), differences([first], [second])
    monkeypatch.setattr(intervals, "AT_ONCE", 7)
    after = summarise([first, second]), differences([first], [second])
    for one, other in zip(before, after, strict=True):
        for metric in METRICS:
            assert one[metric] == {k: pytest.approx(v, abs=1e-12) for k, v in other[metric].items()}, metric


def test_many_papers_are_put_together() -> None:
    """Every item its own paper: the same interval but for the chance of the blocks."""
    found = summarise([noisy(3000, 3000)])["accuracy"]
    low, high = wilson(found["value"], 3000)
    assert (found["low"], found["high"]) == (pytest.approx(low, abs=0.004), pytest.approx(high, abs=0.004))


def test_memory_grows_with_the_images_alone() -> None:
    made = noisy(4000, 400)
    tracemalloc.start()
    summarise([made])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 8 * 200 * 4000  # some arrays of 200 cases, (200, images) each


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
    assert np.isnan(found["ece"])  # four papers
    # A hundred items that all say 0.3, thirty of them positive: right on the whole.
    assert point(outcome([1] * 30 + [0] * 70, [0.3] * 100))["ece"] == pytest.approx(0.0)
    # Sixty positive: wrong by 0.3, less what chance alone would give.
    assert point(outcome([1] * 60 + [0] * 40, [0.3] * 100))["ece"] == pytest.approx(0.3, abs=0.01)


def test_the_recalibration_is_statsmodels_like_and_never_endless() -> None:
    rng = np.random.default_rng(0)
    logit = rng.normal(size=4000)
    happened = rng.random(4000) < 1 / (1 + np.exp(-(0.5 + 0.7 * logit)))
    papers = np.repeat(np.arange(400), 10).astype(str)
    chance = 1 / (1 + np.exp(-logit))
    found = recalibration(chance, happened, papers)
    assert found["slope"].low < 0.7 < found["slope"].high < 0.9
    assert found["intercept"].low < 0.5 < found["intercept"].high < 0.65
    for odd in (happened.astype(float), np.full(4000, 0.3), np.where(happened, 0.6, 0.4)):
        assert np.isnan(recalibration(odd, happened, papers)["slope"].value)


def test_several_classes_are_held_against_the_rest_one_by_one() -> None:
    """Perfect for one class and mixed up between the other two: the area of the first alone would be 1."""
    truth = np.array([0, 0, 1, 1, 2, 2] * 4)
    chances = np.tile([[0.8, 0.1, 0.1], [0.8, 0.1, 0.1], [0.1, 0.5, 0.4], [0.1, 0.4, 0.5], [0.1, 0.4, 0.5],
                       [0.1, 0.5, 0.4]], (4, 1))  # fmt: skip
    made = Outcome(truth, chances, np.repeat(list("abcd"), 6), 0)
    found = point(made)
    each = [against_rest(made, k) for k in range(3)]
    assert each[0]["auroc"] == each[0]["f1"] == 1.0 > each[1]["auroc"]
    for metric in ("auroc", "f1", "precision", "brier"):
        assert found[metric] == pytest.approx(np.mean([one[metric] for one in each]))
    assert found["auroc"] < 0.9


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
    assert (found["low"], found["high"]) == (None, None)  # two papers
    assert within_groups([outcome([1, 1], [0.2, 0.1])])["value"] is None


def test_pairs_of_models() -> None:
    truth = [1, 0] * 20
    good, bad = outcome(truth, [0.9, 0.1] * 20), outcome(truth, [0.9, 0.1] * 10 + [0.4, 0.1] * 10)
    assert mcnemar(good, bad) == {"first_only_right": 10, "second_only_right": 0, "p": pytest.approx(2 / 2**10)}
    row = differences([good], [bad])["accuracy"]
    assert row["value"] == pytest.approx(0.25)
    assert 0 < row["low"] < row["value"] < row["high"]
    assert mcnemar(good, good)["p"] == 1.0
    # The same answers tell nothing of where models differ; nearly the same ones leave room for it.
    assert differences([good], [good])["accuracy"] == {"value": 0.0, "low": None, "high": None}
    near = outcome(truth, [0.91, 0.1] * 20)
    assert differences([good], [near])["accuracy"]["low"] < 0 < differences([good], [near])["accuracy"]["high"]


def test_models_of_several_parts_differ_by_their_means_as_the_tables_give_them() -> None:
    """Averaging the probabilities of several seeds makes a better model than any of them, which is another question."""
    truth = [1, 0, 1, 0] * 5
    seeds = [outcome(truth, [0.9, 0.1, 0.3, 0.1] * 5), outcome(truth, [0.3, 0.1, 0.9, 0.1] * 5)]
    one = outcome(truth, [0.9, 0.1, 0.9, 0.8] * 5)
    row = differences(seeds, [one])["accuracy"]
    assert row["value"] == pytest.approx(0.75 - 0.75)
    assert differences([one], seeds)["recall"]["value"] == pytest.approx(1.0 - 0.5)
