"""``polymodel embed``: features of images as a table, for whoever wants to compare images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from polydata.errors import InputError
from polydata.files.atomic import check_output
from polydata.files.tables import refuse_other_table, write_frame
from polydata.ids import sha256_file
from polydata.images.picture import find_images
from polydata.splits.manifest import MANIFEST
from polydata.types import Progress, quiet
from polydata.workspace import Workspace
from polymodel.config import DeviceName, TrainConfig
from polymodel.data.split import check_images, load_split
from polymodel.networks.devices import choose_device, seeded
from polymodel.networks.features import FeatureCache, Features
from polymodel.networks.network import architecture
from polymodel.networks.weights import load_network
from polymodel.training.train import CACHE

IMAGES_AT_ONCE = 64
"""So many share the threads; where one of them cannot be read, they are read one by one."""


@dataclass(frozen=True)
class Embedded:
    """What ``embed`` wrote.

    Attributes:
        output: the file.
        images, features: its rows, and columns beside the SHA-256.
        digest: SHA-256 of the network's tensors.
        failed: files that could not be read, each with its reason.
    """

    output: Path
    images: int
    features: int
    digest: str
    failed: tuple[tuple[str, str], ...]


def embed(
    split: str,
    output: Path,
    config: TrainConfig,
    *,
    device: DeviceName = DeviceName.AUTO,
    workspace: Path | None = None,
    progress: Progress = quiet,
) -> Embedded:
    """Write mean and sd of every channel of the last two stages, a row for each image: image_sha256, f0, f1, ...

    Args:
        split: a split's name or folder, or a folder of image files; of equal files one row is written.
        output: a .parquet file.
        config: the network, and the views of its recipe ``probe``.
        device: where to compute.
        workspace: of the split; features are kept in its cache.
        progress: told of what is going on.

    Raises:
        InputError: if there is no such split or folder, or no image of it can be read.
        RefusedError: if an image of a split was changed, or another table is there.
        UsageError: if the file is no .parquet.
    """
    check_output(output, (".parquet",))
    refuse_other_table(output, ("image_sha256", "f0"))
    images = _images(split, workspace)
    used = choose_device(device)
    with seeded(config.seeds[0]):
        network = load_network(architecture(config.arch), config.weights, 2, config.input_scale)
    network.module.to(used).eval()
    cache = FeatureCache(Workspace.find(workspace).runs / CACHE / "features", network, config.recipe, used)
    rows: dict[str, Features] = {}
    failed: list[tuple[str, str]] = []
    listed = list(images.items())
    for begin in range(0, len(listed), IMAGES_AT_ONCE):
        told: Progress = lambda step, done, _, begin=begin: progress(step, begin + done, len(listed))  # noqa: E731
        rows |= _means(cache, listed[begin : begin + IMAGES_AT_ONCE], failed, told)
    if not rows:
        raise InputError(f"None of the {len(images)} images could be read.", failed[0][1])
    frame = pd.DataFrame(np.stack(list(rows.values()))).add_prefix("f")
    frame.insert(0, "image_sha256", list(rows))
    write_frame(output, frame)
    return Embedded(output, len(rows), len(next(iter(rows.values()))), cache.digest, tuple(failed))


def _means(
    cache: FeatureCache, images: Sequence[tuple[str, Path]], failed: list[tuple[str, str]], progress: Progress = quiet
) -> dict[str, Features]:
    """The first block of features of each image, by SHA-256; those that cannot be read are noted as failed."""
    try:
        means = cache.get(images, progress)[0]
    except InputError as error:
        if len(images) > 1:
            return {sha256: row for image in images for sha256, row in _means(cache, [image], failed).items()}
        failed.append((str(images[0][1]), error.message))
        return {}
    return {sha256: row for (sha256, _), row in zip(images, means, strict=True)}


def _images(name: str, workspace: Path | None) -> dict[str, Path]:
    """Path of each image by its SHA-256, in order."""
    folder = Path(name)
    if folder.is_dir() and not (folder / MANIFEST).is_file():
        return {sha256_file(path): path for path in find_images(folder)}
    split = load_split(name, workspace)
    check_images(split)
    return {sha256: split.image_path(item) for sha256, item in split.items.items()}
