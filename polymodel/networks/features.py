"""Frozen features of images, computed once and kept by the image's SHA-256.

A cached vector depends on the image's bytes, the network's weights and the views alone, so folds, seeds
and later runs share it.

Blocks of features describe an image. Means: the mean and standard deviation of every channel of the last two
stages. Covariances: how strongly the channels of the middle, and of the last stage but one, vary together over the
picture, as signed square roots (bilinear pooling: Lin et al., ICCV 2015), which tells textures apart that have the
same means.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from polydata.files.atomic import replacing
from polydata.ids import content_id
from polydata.images.decode import READING
from polydata.images.picture import open_picture
from polydata.types import Progress, quiet
from polymodel.data.preparation import preparation
from polymodel.networks.devices import each
from polymodel.networks.network import Network
from polymodel.recipes import Recipe

METHOD = "grey; bicubic; four corners and centre; means and sds; signed roots of two mean covariances; 2"
"""What a feature vector is; part of the cache's key, so a change here computes anew."""

MAX_CHANNELS = 192
"""The covariance of more channels is taken after a fixed random projection to so many."""

PIXELS_AT_ONCE = 3 * 224**2
"""Crops of so many pixels are shown to a network at once on a processor. The memory of larger maps goes back to the
system after every layer and is fetched again page by page, which takes longer than some of the layers."""

Features = NDArray[np.float32]


def covariances(values: Tensor) -> Tensor:
    """Covariance over space of the channels of each map.

    Args:
        values: (n, channels, height, width) or (n, tokens, channels); of more than ``MAX_CHANNELS`` channels
            a fixed random projection is taken.

    Returns:
        (n, channels, channels).
    """
    flat = _flat(values).float()
    channels = flat.shape[1]
    if channels > MAX_CHANNELS:
        flat = torch.from_numpy(_mixing(channels)).to(flat.device) @ flat
    centred = flat - flat.mean(2, keepdim=True)
    return centred @ centred.transpose(1, 2) / flat.shape[2]


@lru_cache
def _mixing(channels: int) -> Features:
    """The random projection, (``MAX_CHANNELS``, channels); kept, so that an export finds numbers there."""
    generator = torch.Generator().manual_seed(0)
    mixing: Features = (torch.randn(MAX_CHANNELS, channels, generator=generator) / MAX_CHANNELS**0.5).numpy()
    return mixing


def _flat(values: Tensor) -> Tensor:
    """(n, channels, places) of a map (n, channels, height, width) or, of some transformers, (n, tokens, channels)."""
    return values.flatten(2) if values.ndim == 4 else values.transpose(1, 2)


def describe(network: Network, views: Tensor) -> list[Tensor]:
    """The blocks of features of n pictures, each (n, features); the network must be in eval mode.

    Args:
        network: on the device of the views.
        views: (n, views, size, size) uint8, as a ``Preparation`` makes them.
    """
    n, count, size, _ = views.shape
    in_turn = views.device.type == "cpu" and not torch.compiler.is_compiling()
    some = max(1, PIXELS_AT_ONCE // (n * size**2)) if in_turn else count
    sums = [_sums(network, part) for part in torch.split(views, some, dim=1)]
    means, *joints = (torch.stack(parts).sum(0) / count for parts in zip(*sums, strict=True))
    blocks = [means]
    for joint in joints:
        upper_triangle = np.ravel_multi_index(np.triu_indices(joint.shape[1]), joint.shape[1:])
        upper = joint.flatten(1).index_select(1, torch.from_numpy(upper_triangle).to(joint.device))
        blocks.append(upper.sign() * upper.abs().sqrt())
    return blocks


def _pooled(maps: Sequence[Tensor]) -> Tensor:
    """Mean and sd over space of each map, side by side: (n, 2 x the sum of the channels)."""
    flat = [_flat(values) for values in maps]
    return torch.cat([column for values in flat for column in (values.mean(2), values.std(2, correction=0))], dim=1)


def _sums(network: Network, views: Tensor) -> list[Tensor]:
    """Sums over the views: of means and sds (n, features), and of covariances (n, channels, channels)."""
    images = network.normalise(views.flatten(0, 1))
    middle, *stages = network.maps(images.contiguous(memory_format=torch.channels_last))
    maps = [stages[0]] if middle is stages[0] else [middle, stages[0]]
    found = [_pooled(stages).float(), *map(covariances, maps)]
    return [values.reshape(-1, views.shape[1], *values.shape[1:]).sum(1) for values in found]


class FeatureCache:
    """Feature vectors of one network and one kind of view, kept below a folder.

    Args:
        folder: where vectors are kept.
        network: in eval mode, on ``device``.
        recipe: gives the views.
        device: ``cpu``, ``cuda`` or ``mps``.
    """

    def __init__(self, folder: Path, network: Network, recipe: Recipe, device: str) -> None:
        # Devices round differently, so a vector is never shared between kinds of device.
        self.digest = network.backbone_digest()
        self.preparation = preparation(recipe)
        views = (repr(recipe.views), recipe.image_size, device, *self.preparation.key)
        key = content_id("features", READING, self.digest, METHOD, *views)
        self.folder = folder / key
        self.network, self.device = network, device
        if device == "cpu":
            network.module.to(memory_format=torch.channels_last)

    def get(self, images: Sequence[tuple[str, Path]], progress: Progress = quiet) -> list[Features]:
        """Blocks of features of images given as (SHA-256, path), in their order, each (n, features).

        Args:
            images: their bytes are trusted to have that SHA-256.
            progress: told after each image.

        Raises:
            InputError: if an image cannot be read.
        """
        missing = [(sha256, path) for sha256, path in dict(images).items() if not self._kept(sha256).is_file()]
        known = len(images) - len(missing)
        for done, _ in enumerate(each(self.network, self.device, missing, self._compute), start=1):
            progress("features", known + done, len(images))
        return [np.stack(block) for block in zip(*(self._found(*image) for image in images), strict=True)]

    def _kept(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / f"{sha256}.npz"

    def _compute(self, network: Network, image: tuple[str, Path]) -> None:
        sha256, path = image
        views = torch.from_numpy(self.preparation.views(open_picture(path)))[None].to(self.device)
        with torch.inference_mode():
            blocks = [block[0].cpu().numpy() for block in describe(network, views)]
        with replacing(self._kept(sha256)) as out:
            np.savez(out, *blocks, allow_pickle=False)

    def _found(self, sha256: str, path: Path) -> list[Features]:
        """What is kept of an image; half a file, as a power cut leaves one, is made anew."""
        try:
            return self._read(sha256)
        except (OSError, EOFError, KeyError, ValueError, BadZipFile):
            self._compute(self.network, (sha256, path))
            return self._read(sha256)

    def _read(self, sha256: str) -> list[Features]:
        with np.load(self._kept(sha256), allow_pickle=False) as found:
            return [found[f"arr_{k}"] for k in range(len(found.files))]
