"""Frozen features of images, computed once and kept by the image's SHA-256.

A cached vector depends on the image's bytes, the network's weights and the views alone, so folds, seeds
and later runs share it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from polydata.files import replacing
from polydata.ids import content_id
from polydata.images import open_picture
from polymodel.config import Recipe
from polymodel.models import Network
from polymodel.views import five_crops, grey_resized

VIEWS = "grey; bicubic; four corners and centre; population mean and sd of the last two stages; mean over crops"
"""What a feature vector is; part of the cache's key, so a change here computes anew."""

Features = NDArray[np.float32]


def pooled(maps: Sequence[Tensor]) -> Tensor:
    """Mean and sd over space of each map, side by side.

    Args:
        maps: each (n, channels, height, width) or, from some transformers, (n, tokens, channels).

    Returns:
        (n, 2 x the sum of the channels).
    """
    columns = []
    for values in maps:
        flat = values.flatten(2) if values.ndim == 4 else values.transpose(1, 2)
        columns += [flat.mean(2), flat.std(2, correction=0)]
    return torch.cat(columns, dim=1)


def describe_picture(network: Network, picture: Image.Image, recipe: Recipe, device: str) -> Features:
    """The feature vector of one picture, (features,); the network must be in eval mode and on ``device``."""
    crops = five_crops(grey_resized(picture, recipe.short_side, recipe.image_size), recipe.image_size)
    with torch.inference_mode():
        vectors = pooled(network.maps(network.normalise(torch.from_numpy(crops).to(device))))
    mean: Features = vectors.mean(0).float().cpu().numpy()
    return mean


class FeatureCache:
    """Feature vectors of one network and one kind of view, kept below a folder.

    Args:
        folder: where vectors are kept.
        network: in eval mode, on ``device``.
        recipe: gives the size of the views.
        device: ``cpu``, ``cuda`` or ``mps``.
    """

    def __init__(self, folder: Path, network: Network, recipe: Recipe, device: str) -> None:
        # Devices round differently, so a vector is never shared between kinds of device.
        key = content_id("features", network.backbone_digest(), VIEWS, recipe.short_side, recipe.image_size, device)
        self.folder = folder / key
        self.network, self.recipe, self.device = network, recipe, device

    def get(self, images: Sequence[tuple[str, Path]], advance: Callable[[int, int], None] | None = None) -> Features:
        """Feature vectors of images given as (SHA-256, path), in their order: (n, features).

        Args:
            images: their bytes are trusted to have that SHA-256.
            advance: told (done, all) after each image.

        Raises:
            InputError: if an image cannot be read.
        """
        rows = []
        for done, (sha256, path) in enumerate(images, start=1):
            rows.append(self._one(sha256, path))
            if advance:
                advance(done, len(images))
        return np.stack(rows)

    def _one(self, sha256: str, path: Path) -> Features:
        kept = self.folder / sha256[:2] / f"{sha256}.npy"
        if kept.is_file():
            found: Features = np.load(kept, allow_pickle=False)
            return found
        vector = describe_picture(self.network, open_picture(path), self.recipe, self.device)
        with replacing(kept) as out:
            np.save(out, vector, allow_pickle=False)
        return vector
