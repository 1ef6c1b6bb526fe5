"""Calibrated probabilities and sets hold on papers of which nothing was seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_runs import FAST, call, parsed
from scipy.special import softmax
from small_split import CLASSES, POSITIVE, Small

import polymodel
from polydata.errors import UsageError
from polymodel.config import Members
from polymodel.evaluation.calibrated import COVERAGE, Calibration, calibration_from, fit_calibration
from polymodel.evaluation.metrics import Outcome, calibration_of
from polymodel.prediction.predict import predict
from polymodel.runs.run import HELD_OUT, REFERENCE, PartKey, open_run


@pytest.fixture(scope="module")
def run(small: Small) -> polymodel.Run:
    """Three folds of a probe, and a run of one part."""
    call(small, "train", "--split", "one", "--name", "calibrated-one", *FAST)
    call(small, "train", "--split", "cv", "--name", "calibrated", *FAST)
    return polymodel.open_run("calibrated", small.root)


def papers_of(rng: np.random.Generator, papers: int, classes: int = 2) -> tuple[np.ndarray, ...]:
    """Logits that are too sure and lean to a class, labels that are alike within a paper, and papers of uneven size."""
    groups = np.repeat(np.arange(papers), rng.integers(1, 9, papers))
    lean = rng.normal(size=(papers, classes))[groups]
    scores = rng.normal(size=(len(groups), classes)) + lean
    chances = softmax(scores, axis=1)
    truth = (chances.cumsum(1) < rng.random((len(groups), 1))).sum(1)
    wrong = 2.5 * scores + np.linspace(-2, 2, classes)
    return wrong, truth.astype(np.int64), groups.astype(np.str_)


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_come_to_hold_and_sets_cover(classes: int) -> None:
    rng = np.random.default_rng(classes)
    held, before, after = [], [], []
    for _ in range(30):
        found = fit_calibration(*papers_of(rng, 100, classes), 0)
        assert found is not None and found.papers == 100
        logits, truth, groups = papers_of(rng, 100, classes)
        covered = found.sets(logits)[np.arange(len(truth)), truth]
        held.append(np.mean([covered[groups == g].mean() for g in np.unique(groups)]))
        before.append(calibration_of(Outcome(truth, softmax(logits, axis=1), groups, 0)).value)
        after.append(calibration_of(Outcome(truth, found.chances(logits), groups, 0)).value)
    assert COVERAGE - 0.01 < np.mean(held) < COVERAGE + 0.04  # labels that fill empty sets come on top
    assert np.mean(after) < 0.03 < np.mean(before)


@given(st.integers(0, 2**32 - 1))
def test_the_order_of_images_stays_and_no_set_is_empty(seed: int) -> None:
    logits, truth, groups = papers_of(np.random.default_rng(seed), 12)
    found = fit_calibration(logits, truth, groups, 1)
    if found is None:
        assert len(np.unique(truth)) < 2
        return
    order = np.argsort(logits[:, 1] - logits[:, 0])
    assert (np.diff(found.chances(logits)[order, 1]) >= 0).all()
    assert found.sets(logits).any(1).all()
    assert calibration_from(vars(found), 2) == found


def test_too_little_teaches_nothing() -> None:
    logits, groups = np.zeros((20, 2)), np.arange(20).astype(np.str_)
    assert fit_calibration(logits, np.zeros(20, dtype=np.int64), groups, 0) is None
    assert fit_calibration(logits, np.arange(20) % 2, np.repeat(["a", "b"], 10), 0) is None
    assert calibration_from(None, 2) is None
    with pytest.raises(ValueError, match="does not fit"):
        calibration_from(vars(Calibration(1.0, (0.0, 0.0), (0.5, 0.5), 0.5, 9)), 3)


def test_held_back_answers_are_of_models_that_saw_no_image_of_the_paper(run: polymodel.Run) -> None:
    for key in run.planned:
        held, frame = run.held_out([key]), run.predictions(key)
        train = frame[frame["side"] == "train"].set_index("image_sha256")
        assert held is not None and set(held["image_sha256"]) == set(train.index)
        own = train.loc[held["image_sha256"]]
        assert (held["label"].to_numpy() == own["label"].to_numpy()).all()
        assert (held["logit_fine"].to_numpy() != own["logit_fine"].to_numpy()).all()


def test_a_prediction_is_calibrated_with_a_set_and_a_flag(small: Small, run: polymodel.Run) -> None:
    said = parsed(small, "predict", "calibrated", small.root / small.items[0].path)["predictions"][0]
    assert said["members"] == 3 and set(said["prediction_set"].split("|")) <= set(CLASSES)
    assert 0 < said["p_fine_calibrated"] < 1 and said["out_of_distribution"] is False
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    flat = np.full((64, 64), 255, dtype=np.uint8)
    found = run.predict([noise, flat])
    assert any(one.out_of_distribution for one in found.done)
    shown = call(small, "evaluate", "calibrated", "--no-controls")
    assert "Calibrated on papers held back" in shown and "Sets for 90 %" in shown


def test_papers_that_a_run_knows_are_answered_by_members_that_had_not_seen_them(
    small: Small, run: polymodel.Run
) -> None:
    paths = [small.root / item.path for item in small.items]
    found = predict(run, paths, members=Members.UNSEEN).table.set_index("image_sha256")
    tests = pd.concat([run.predictions(key) for key in run.planned]).query("side == 'test'").set_index("image_sha256")
    assert (found["members"] == 1).all() and not found["trained_on"].any()
    wanted = tests.loc[found.index, f"logit_{POSITIVE}"]
    assert found[f"logit_{POSITIVE}"].to_numpy() == pytest.approx(wanted.to_numpy(), abs=1e-9)
    one = parsed(small, "predict", "calibrated-one", paths[0], "--members", "unseen")["predictions"][0]
    assert one["trained_on"] and one["members"] == 1
    assert "known to every member" in call(small, "predict", "calibrated-one", paths[0], "--members", "unseen")


def test_a_run_from_before_still_predicts_and_says_what_it_lacks(own: Small) -> None:
    call(own, "train", "--split", "cv", "--name", "before", *FAST)
    run = open_run("before", own.root)
    for key in run.planned:
        for name in (HELD_OUT, REFERENCE):
            (run.part_folder(key) / name).unlink(missing_ok=True)
    path = own.root / own.items[0].path
    said = parsed(own, "predict", "before", path)["predictions"][0]
    assert said["p_fine_calibrated"] is said["prediction_set"] is said["out_of_distribution"] is None
    shown = call(own, "predict", "before", path)
    assert "not calibrated" in shown and "not known for this run: a probe alone learns it, from 6 papers" in shown
    assert parsed(own, "evaluate", "before", "--no-controls")["calibrated"] is None
    assert run.held_out([PartKey(1, 0)]) is None


def test_an_exported_file_is_calibrated_as_its_run(small: Small, run: polymodel.Run, tmp_path: Path) -> None:
    output, path = run.export(tmp_path / "run.onnx").output, small.root / small.items[1].path
    one, other = polymodel.predict(str(output), path).done[0], run.predict(path).done[0]
    assert one.p_calibrated == pytest.approx(other.p_calibrated, abs=1e-4)
    assert one.prediction_set == other.prediction_set and one.out_of_distribution is None
    with pytest.raises(UsageError, match="all members as one"):
        polymodel.predict(str(output), path, members="unseen")
