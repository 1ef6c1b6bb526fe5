"""The screening on pictures of known kind that it was not trained on, and the script that trains it."""

from __future__ import annotations

from collections.abc import Callable

import drawn_pictures
import numpy as np
import pytest
import train_screening

from polydata.screening.rules import THRESHOLD, screen_by_model
from polydata.vision.micrograph import MODEL, SHOWN, SURELY, picture_odds, prepared
from polydata.vision.small_networks import network

UNSEEN = 50_000_000
"""Seeds from here on were never drawn for training."""


def accepted(family: str, score: Callable[[np.ndarray], float], count: int = 24) -> float:
    """Share of a family that a version of the rule accepts."""
    return float(np.mean([score(drawn_pictures.draw(family, UNSEEN + n)) >= THRESHOLD for n in range(count)]))


def by_model(rgb: np.ndarray) -> float:
    return screen_by_model(rgb).score


@pytest.mark.parametrize("family", sorted(drawn_pictures.MICROGRAPHS))
def test_micrographs_are_kept(family: str) -> None:
    assert accepted(family, by_model) >= 0.9


@pytest.mark.parametrize("family", sorted(drawn_pictures.REST))
def test_most_of_the_rest_is_not(family: str) -> None:
    assert accepted(family, by_model) <= 0.2


@pytest.mark.parametrize("family", [*drawn_pictures.MICROGRAPHS, *drawn_pictures.REST])
def test_a_first_look_that_is_sure_says_what_both_would(family: str) -> None:
    for n in range(12):
        rgb = drawn_pictures.draw(family, UNSEEN + 100 + n)
        both = np.mean([network(MODEL).run(None, {"picture": look})[0][0] for look in prepared(rgb)], axis=0)
        odds = picture_odds(rgb)[0]
        assert abs(odds) <= SURELY or (both.argmax() == 0) == (odds > 0)


def test_a_seed_gives_one_picture() -> None:
    for family in (*drawn_pictures.MICROGRAPHS, *drawn_pictures.REST):
        first = drawn_pictures.draw(family, 3)
        assert np.array_equal(first, drawn_pictures.draw(family, 3)), family
        assert first.dtype == np.uint8 and first.shape[2] == 3


def test_the_fit_tells_kinds_apart_and_folds_keep_articles_together() -> None:
    """The linear layer on made-up features, two looks a picture."""
    rng = np.random.default_rng(0)
    shows = rng.integers(0, len(SHOWN), 240)
    centres = 3 * rng.normal(size=(len(SHOWN), 6))
    picture = np.repeat(np.arange(240), 2)
    features = centres[shows[picture]] + rng.normal(size=(480, 6))
    article = np.array([f"article{n // 3}" for n in range(240)])
    pictures = train_screening.Pictures(features, picture, shows, article)
    scores = train_screening.unseen(pictures)
    assert scores[shows == 0].min() > 0 > np.quantile(scores[shows != 0], 0.95)
    weights, biases = train_screening.fit(pictures, shows != 5)  # a kind that is not there is never said
    assert (features @ weights.T + biases).argmax(1).tolist().count(5) == 0
