"""Features of crops do not depend on how many a network is shown at once, or in which company."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from polymodel.networks import features
from polymodel.networks.devices import seeded
from polymodel.networks.features import MAX_CHANNELS, covariances, describe
from polymodel.networks.network import architecture
from polymodel.networks.weights import load_network


def blocks(views: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    with seeded(0):
        network = load_network(architecture("timm:test_resnet"), "none", 2)
    network.module.eval()
    with torch.inference_mode():
        return [block.numpy() for block in describe(network, torch.from_numpy(views))]


@pytest.mark.parametrize("pixels", [1, 5 * 40**2, 10**9])
def test_features_do_not_depend_on_how_many_crops_are_shown_at_once(
    monkeypatch: pytest.MonkeyPatch, pixels: int
) -> None:
    views = np.random.default_rng(0).integers(0, 256, (2, 5, 40, 40), dtype=np.uint8)
    wanted = blocks(views)
    monkeypatch.setattr(features, "PIXELS_AT_ONCE", pixels)
    for found in (blocks(views), [np.concatenate(b) for b in zip(blocks(views[:1]), blocks(views[1:]), strict=True)]):
        for one, other in zip(found, wanted, strict=True):
            assert one == pytest.approx(other, abs=1e-5)


def test_covariances_are_numpys_and_many_channels_are_mixed() -> None:
    values = np.random.default_rng(0).normal(size=(2, 6, 5, 4)).astype(np.float32)
    found = covariances(torch.from_numpy(values)).numpy()
    for one, other in zip(found, values, strict=True):
        assert one == pytest.approx(np.cov(other.reshape(6, 20), bias=True), abs=1e-5)
    assert covariances(torch.zeros(1, MAX_CHANNELS + 1, 2, 2)).shape == (1, MAX_CHANNELS, MAX_CHANNELS)
