from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from polydata.errors import InputError
from polymodel.networks.linear import (
    LinearHead,
    balanced_weights,
    coordinates,
    fit_regressions,
    image_weights,
    loss_and_accuracy,
)
from polymodel.networks.solver import Problem
from polymodel.training.probe import _folds


def fit_head(
    features: NDArray[np.float64],
    labels: NDArray[np.int64],
    classes: int,
    c: float,
    weights: NDArray[np.float64] | None = None,
) -> LinearHead:
    """A regression on standardised features, folded into one layer."""
    place = coordinates(features)
    given = np.ones(len(labels)) if weights is None else weights
    return place.head(*fit_regressions(place.values, labels, classes, [Problem(c, given)])[0])


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("columns", [6, 150])
def test_the_folded_head_answers_as_scaler_and_regression_do(classes: int, columns: int) -> None:
    """Also where there are more features than images, and the regression runs in the span of the images."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, 90)
    features = rng.normal(size=(90, columns)) * 7 + 3 + labels[:, None]
    head = fit_head(features, labels, classes, 0.5, image_weights(labels, classes, ["one"] * 90, balanced=True))
    regression = LogisticRegression(C=0.5 / columns, class_weight="balanced", max_iter=5000, tol=1e-8)
    pipeline = make_pipeline(StandardScaler(), regression)
    wanted = pipeline.fit(features, labels).predict_proba(features)
    assert softmax(head.logits(features), axis=1) == pytest.approx(wanted, abs=1e-5)


def test_every_block_of_features_weighs_the_same() -> None:
    features = np.random.default_rng(0).normal(size=(30, 12)) * 5 + 2
    values = coordinates(features, [2, 10]).values
    assert (values[:, :2] ** 2).sum() == pytest.approx(30)
    assert (values[:, 2:] ** 2).sum() == pytest.approx(30)
    with pytest.raises(ValueError, match="12"):
        coordinates(features, [2, 9])


def test_turned_coordinates_keep_all_products_of_images() -> None:
    features = np.random.default_rng(0).normal(size=(20, 50))
    place = coordinates(features)
    scaled = (features - place.mean) / place.scale
    assert place.values.shape[1] < 20
    assert place.values @ place.values.T == pytest.approx(scaled @ scaled.T, abs=1e-9)


def test_papers_and_classes_can_weigh_the_same() -> None:
    labels = np.array([0, 0, 0, 1, 1])
    papers = ["a", "a", "b", "b", "c"]
    assert image_weights(labels, 2, papers).tolist() == [1] * 5
    by_paper = image_weights(labels, 2, papers, 1.0)
    assert by_paper.tolist() == pytest.approx([5 / 6, 5 / 6, 5 / 6, 5 / 6, 5 / 3])
    both = image_weights(labels, 2, papers, 0.5, balanced=True)
    assert both[:3].sum() == pytest.approx(both[3:].sum()) == pytest.approx(2.5)
    assert both[4] / both[3] == pytest.approx(2**0.5)


def test_a_class_without_training_images_is_never_answered() -> None:
    labels = np.array([0, 2] * 10)
    features = np.random.default_rng(0).normal(size=(20, 3))
    assert set(fit_head(features, labels, 3, 1.0).logits(features).argmax(1)) <= {0, 2}


def test_constant_features_do_no_harm() -> None:
    features = np.column_stack([np.ones(20), np.repeat([0.0, 1.0], 10)])
    logits = fit_head(features, np.repeat([0, 1], 10), 2, 1.0).logits(features)
    assert np.isfinite(logits).all()
    assert logits.argmax(1).tolist() == [0] * 10 + [1] * 10


def test_one_label_alone_is_an_error() -> None:
    with pytest.raises(InputError, match="same label"):
        fit_head(np.zeros((4, 2)), np.zeros(4, dtype=np.int64), 2, 1.0)


def test_loss_and_weights() -> None:
    labels = np.array([0, 0, 0, 1])
    assert balanced_weights(labels, 3).tolist() == pytest.approx([4 / 6, 2.0, 0.0])
    loss, accuracy = loss_and_accuracy(np.zeros((4, 2)), labels, balanced_weights(labels, 2)[labels])
    assert loss == pytest.approx(np.log(2))
    assert accuracy == 0.75


def test_papers_are_held_back_only_where_every_label_stays() -> None:
    """A label of one paper alone has no model that answers for it, so nothing is learned from that paper held back."""
    groups = [f"p{number // 3}" for number in range(24)]
    labels = np.array([2 if group == "p7" else number % 2 for number, group in enumerate(groups)])
    fold = SimpleNamespace(train=[SimpleNamespace(group=group) for group in groups])
    job = SimpleNamespace(targets=lambda: labels, places=lambda _: np.arange(24), fold=fold, seed=0)
    folds = _folds(job)
    assert folds and all(set(labels[kept]) == {0, 1, 2} for kept in folds)
