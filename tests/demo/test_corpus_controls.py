"""Nothing but the picture tells the label: controls that see only the rest stay near chance."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from polydata.demo.corpus import make_corpus
from polydata.demo.study import plan
from polydata.task import Task


def grouped_auroc(features: np.ndarray, positive: np.ndarray, groups: np.ndarray) -> float:
    """Of a logistic regression in five folds by paper, mean of three shuffles."""
    model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=2000))
    scores = []
    for seed in range(3):
        folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
        p = cross_val_predict(model, features, positive, groups=groups, cv=folds, method="predict_proba")[:, 1]
        scores.append(roc_auc_score(positive, p))
    return float(np.mean(scores))


def test_the_place_in_a_series_does_not_tell_the_label(task: Task) -> None:
    places, sizes, positive = [], [], []
    for study in plan(300, 0, task):
        for series in study.series:
            for place, sample in enumerate(series.samples):
                if sample.label != task.partial:
                    places.append(place)
                    sizes.append(len(series.samples))
                    positive.append(sample.label == task.positive)
    assert roc_auc_score(positive, places) == pytest.approx(0.5, abs=0.04)
    assert roc_auc_score(positive, sizes) == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_labels_are_balanced_and_mixed_within_papers(seed: int, task: Task) -> None:
    studies = plan(24, seed, task)
    labels = [[s.label for series in study.series for s in series.samples] for study in studies]
    counts = Counter(label for paper in labels for label in paper)
    total = sum(counts.values())
    assert 200 <= total <= 290
    assert 0.3 < counts[task.positive] / total < 0.6
    assert 0.3 < counts[task.negative] / total < 0.6
    assert 0.05 < counts[task.partial] / total < 0.25
    assert all({task.positive, task.negative} <= set(paper) for paper in labels)
    # A lookup of the paper's commoner label is little better than the commonest label of all.
    lookup = sum(max(Counter(paper).values()) for paper in labels) / total
    assert lookup < 0.7


def test_unlike_decides_the_label_but_for_a_small_error(task: Task) -> None:
    samples = [s for study in plan(200, 1, task) for series in study.series for s in series.samples]
    mean = {label: np.mean([s.unlike for s in samples if s.label == label]) for label in task.labels}
    assert mean[task.positive] < mean[task.partial] < mean[task.negative]
    depth = {label: np.array([s.quench.depth for s in samples if s.label == label]) for label in task.labels}
    # The morphologies overlap: no threshold on the contrast separates the classes.
    best = max(
        ((depth[task.negative] > t).mean() + (depth[task.positive] <= t).mean()) / 2 for t in np.linspace(0, 0.7, 200)
    )
    assert 0.8 < best < 0.97


@pytest.mark.slow
def test_controls_without_the_picture_stay_near_chance(tmp_path: Path, task: Task) -> None:
    corpus = make_corpus(tmp_path / "c", papers=24, seed=0, task=task, workers=2)
    with open(corpus.folder / "panels.csv", newline="", encoding="utf-8") as handle:
        rows = [r for r in csv.DictReader(handle) if r["label"] != task.partial]
    positive = np.array([r["label"] == task.positive for r in rows])
    groups = np.array([r["pdf_sha256"] for r in rows])

    def numbers(*names: str) -> np.ndarray:
        return np.array([[float(r[n] or 0) for n in names] for r in rows])

    def kinds(*names: str) -> np.ndarray:
        return np.hstack([[[float(r[n] == v) for v in sorted({q[n] for q in rows})] for r in rows] for n in names])

    width, height = numbers("width_px").T[0], numbers("height_px").T[0]
    size = np.column_stack([width, height, width / height])
    place = np.column_stack([numbers("page", "x0", "y0", "x1", "y1"), [ord(r["panel"] or "`") for r in rows]])
    printed = np.hstack([kinds("bar_style", "letter_style", "style"), numbers("um_per_px", "bar_um", "bar_px")])
    camera = numbers("texture", "noise", "blur", "gain", "level")
    for name, features in {"size": size, "place": place, "print": printed, "camera": camera}.items():
        assert 0.38 < grouped_auroc(features, positive, groups) < 0.62, name
