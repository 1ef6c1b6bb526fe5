"""Splits and their images as a model wants them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from polydata.errors import InputError, RefusedError, UsageError
from polydata.images.picture import open_picture
from polydata.splits import manifest
from polydata.splits.manifest import MANIFEST, Item, Split, changed_images
from polydata.workspace import Workspace

VALIDATION_PARTS = 5
"""One part in five of the training groups is held back for early stopping."""

SHOWN_FAULTS = 5


def load_split(name_or_path: str | Path, workspace: Path | None = None) -> Split:
    """Read a split by its name in the workspace, or from its folder, checked against its manifest.

    Args:
        name_or_path: a name below the workspace's splits/, or a folder that holds split.json.
        workspace: the workspace's folder; otherwise POLYDATA_WORKSPACE, or the first found from here upwards.

    Raises:
        InputError: if there is no such split.
        RefusedError: if a list of it was changed since it was built.
        WorkspaceError: if a name was given and no workspace is found.
    """
    path = Path(name_or_path)
    if (path / MANIFEST).is_file():
        return manifest.load_split(path.resolve())
    if path.name != str(name_or_path):
        raise InputError(f"There is no split at {path}.", "Name a split of the workspace, or a folder with split.json.")
    return manifest.load_split(Workspace.find(workspace).splits / path.name)


def check_images(split: Split) -> None:
    """Make sure that every image of the split is there and unchanged.

    Raises:
        RefusedError: naming the first images that are not.
    """
    faults = changed_images(split)
    if faults:
        more = f"; and {len(faults) - SHOWN_FAULTS} more" if len(faults) > SHOWN_FAULTS else ""
        raise RefusedError(
            f"Images of the split {split.name} are not what they were: {'; '.join(faults[:SHOWN_FAULTS])}{more}.",
            f"Images behind an address come back with: polydata split verify {split.name}. Otherwise restore the image "
            "store, or build a split under a new name with: polydata build-split NAME",
        )


class SplitDataset:
    """A map-style data set of one side of a split, for a training loop of one's own.

    Args:
        split: from ``polymodel.load_split``.
        items: ``fold.train`` or ``fold.test`` of one of ``split.folds``.
        transform: makes of a PIL image in RGB what the model eats; None hands out the image itself.

    Each entry is ``(transform(picture), target)``, ``target`` being the index of the label in ``split.classes``. A
    transform that gives a picture again is a UsageError, since a ``DataLoader`` makes no batches of pictures.
    """

    def __init__(self, split: Split, items: Sequence[Item], transform: Callable[[Any], Any] | None = None) -> None:
        self.split = split
        self.items = tuple(items)
        self.transform = transform
        self.targets = targets(items, split.classes)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        seen: Any = open_picture(self.split.image_path(self.items[index]))
        if self.transform:
            seen = self.transform(seen)
            if isinstance(seen, Image.Image):
                raise UsageError(
                    "The transform gives a picture, of which no batch can be made.",
                    "End it with torchvision.transforms.v2.ToImage() and ToDtype(torch.float32, scale=True).",
                )
        return seen, int(self.targets[index])

    def __repr__(self) -> str:
        return f"<SplitDataset of {self.split.name}: {len(self)} images, {', '.join(self.split.classes)}>"


def targets(items: Sequence[Item], classes: Sequence[str]) -> NDArray[np.int64]:
    """Index of each item's label in ``classes``, shape (n,).

    Raises:
        InputError: if an item has a label that the split does not list.
    """
    return class_indices([item.label for item in items], classes, "The split holds labels that its manifest")


def class_indices(labels: Collection[str], classes: Sequence[str], whose: str) -> NDArray[np.int64]:
    """Index of each label in ``classes``, shape (n,).

    Raises:
        InputError: beginning with ``whose``, if a label is none of the classes.
    """
    position = {label: k for k, label in enumerate(classes)}
    if unknown := sorted({*labels} - position.keys()):
        raise InputError(f"{whose} does not list: {', '.join(unknown)}.")
    return np.array([position[label] for label in labels], dtype=np.int64)


def group_folds(
    labels: NDArray[np.int64], groups: Sequence[str], parts: int, seed: int
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Partitions into (kept, held back) that never part a group, stratified by label.

    Args:
        labels: (n,) class indices.
        groups: n names.
        parts: how many partitions; fewer where there are fewer groups, or fewer images of the largest class.
        seed: of the shuffling.

    Raises:
        InputError: where not two partitions can be made.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    count = min(parts, len(set(groups)), int(np.bincount(labels).max(initial=0)))
    if count < 2:
        raise InputError(
            "The training side is too small to hold a group back for validation.",
            "Build a split with more papers, or train with --recipe probe or paper.",
        )
    splitter = StratifiedGroupKFold(n_splits=count, shuffle=True, random_state=seed)
    return list(splitter.split(np.zeros(len(labels)), labels, np.asarray(groups)))
