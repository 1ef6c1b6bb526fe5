"""What is unlike the training images is flagged, and seldom what is like them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polymodel.networks.novelty import USUAL, fit_reference, reference_from

MIXING = np.random.default_rng(0).normal(size=(8, 60))


def images(rng: np.random.Generator, papers: int) -> tuple[np.ndarray, list[str]]:
    """Features that vary in a few directions, alike within a paper."""
    own = np.repeat(np.arange(papers), rng.integers(1, 6, papers))
    hidden = rng.normal(size=(papers, 8))[own] + 0.3 * rng.normal(size=(len(own), 8))
    return hidden @ MIXING + 0.2 * rng.normal(size=(len(own), 60)), own.astype(str).tolist()


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_new_papers_pass_and_others_are_flagged(seed: int) -> None:
    rng = np.random.default_rng(seed)
    reference = fit_reference(*images(rng, 80))
    assert reference is not None
    assert np.mean(reference.strangeness(images(rng, 200)[0]) > 1) < 2.5 * (1 - USUAL)
    assert (reference.strangeness(2 * rng.normal(size=(50, 60)) * images(rng, 80)[0].std()) > 1).all()
    kept = reference_from(reference.tensors())
    some = images(rng, 5)[0]
    assert kept.strangeness(some) == pytest.approx(reference.strangeness(some), rel=1e-4)


def test_few_papers_and_plain_features() -> None:
    rng = np.random.default_rng(1)
    assert fit_reference(*images(rng, 5)) is None
    reference = fit_reference(np.ones((9, 4)), [str(k) for k in range(9)])
    assert reference is not None and reference.strangeness(np.ones((1, 4))) <= 1
    with pytest.raises(KeyError):
        reference_from({})
