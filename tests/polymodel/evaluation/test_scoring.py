"""Three ways of scoring several models, told apart."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from polymodel.config import Scoring
from polymodel.evaluation.aggregate import Answers, ensemble, scored, usual_scoring
from polymodel.evaluation.metrics import Outcome


def answers(seed: int, images: str, logits: np.ndarray, repeat: int = 0) -> Answers:
    truth = np.array([ord(image) % 2 for image in images])
    outcome = Outcome(truth, softmax(logits, axis=1), np.array(list(images)), 1)
    return Answers(repeat, seed, np.array(list(images)), outcome)


def test_the_ensemble_averages_logits_as_predict_does() -> None:
    logits = np.array([[[5.0, 0.0], [1.0, 0.0], [0.0, 2.0]], [[0.0, 1.0], [0.0, 3.0], [1.0, 0.0]]])
    parts = [answers(0, "abc", logits[0]), answers(1, "cab", logits[1][[2, 0, 1]])]
    together = ensemble(parts)
    assert together.images.tolist() == ["a", "b", "c"]
    assert together.outcome.probabilities == pytest.approx(softmax(logits.mean(0), axis=1))
    apart = np.mean([softmax(one, axis=1) for one in logits], axis=0)
    assert np.abs(together.outcome.probabilities - apart).max() > 0.01  # the mean of probabilities is another model


def test_sets_that_are_scored() -> None:
    logits = np.zeros((2, 2))
    parts = [answers(seed, fold, logits, repeat) for seed in (0, 1) for repeat in (0, 1) for fold in ("ab", "cd")]
    assert [s.images.tolist() for s in scored(parts, Scoring.PER_PART)] == [list("ab"), list("cd")] * 4
    pooled = scored(parts, Scoring.POOLED)
    assert [s.images.tolist() for s in pooled] == [list("abcd")] * 4
    assert [(s.seed, s.repeat) for s in pooled] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert [s.images.tolist() for s in scored(parts, Scoring.ENSEMBLE)] == [list("abcd")]


def test_what_is_usual_for_a_split() -> None:
    assert usual_scoring({"protocol": "leave-one-paper-out"}) is Scoring.POOLED
    assert usual_scoring({"protocol": "grouped"}) is usual_scoring({}) is Scoring.PER_PART
