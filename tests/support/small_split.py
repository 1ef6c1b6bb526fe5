"""A small workspace whose images and splits are made here."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from polydata.ids import sha256_bytes
from polydata.images.picture import ImageStore
from polydata.splits.manifest import (
    MANIFEST,
    Item,
    fold_files,
    list_text,
    manifest_text,
    sealed,
    split_digest,
)
from polydata.workspace import Workspace

CLASSES = ("fine", "coarse")
POSITIVE = "fine"


def texture(seed: int, width: float, size: int = 64) -> bytes:
    """A PNG of filtered noise; ``width`` is the length of its grain in pixels."""
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=(size, size)), width, mode="wrap")
    grey = np.clip(128 + 40 * noise / noise.std(), 0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(grey).save(out, "PNG")
    return out.getvalue()


def write_split(
    folder: Path,
    parts: Sequence[tuple[Sequence[Item], ...]],
    folds: int = 0,
    leakage: Mapping[str, Any] | None = None,
    classes: Sequence[str] = CLASSES,
    protocol: str = "grouped",
) -> Path:
    """Write a split folder in the manifest's format; parts are (train, test) or (train, val, test)."""
    folder.mkdir(parents=True)
    recipe = {"folds": folds, "repeats": len(parts) // folds if folds else 1, "seed": 0, "partial": "drop"}
    recipe["protocol"] = protocol
    if len(parts[0]) == 3:
        recipe["val_fraction"] = 0.1
    files = write_lists(folder, recipe, parts)
    manifest = {
        "format": 1,
        "name": folder.name,
        "classes": list(classes),
        "positive": classes[0],
        "recipe": recipe,
        "files": files,
        "digest": split_digest(recipe, files),
        "leakage": leakage,
    }
    (folder / MANIFEST).write_text(manifest_text(sealed(manifest)), encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Small:
    """The workspace, and its 40 items in 10 groups of 4, classes alternating within each group."""

    workspace: Workspace
    items: tuple[Item, ...]

    @property
    def root(self) -> Path:
        return self.workspace.root


def make_small(root: Path, groups: int = 10) -> Small:
    """Textures with a fine and a coarse grain, and the splits ``one``, ``leaky`` and ``cv``."""
    workspace = Workspace.init(root)
    store = ImageStore(workspace.store)
    items = []
    for group in range(groups):
        for k in range(4):
            label = CLASSES[k % 2]
            info = store.put(texture(10 * group + k, 1.0 if label == POSITIVE else 2.5))
            path = store.path(info.sha256, info.format).relative_to(workspace.root)
            items.append(Item(info.sha256, label, f"paper {group}", path.as_posix(), {}))
    half = 4 * (groups * 7 // 10)
    write_split(workspace.splits / "one", [(items[:half], items[half:])])
    leak = {"reason": "papers on both sides", "allowed_by": "a test"}
    write_split(workspace.splits / "leaky", [(items[::2] + items[1::4], items[3::4])], leakage=leak)
    third = 4 * (groups // 3)
    cuts = [items[:third], items[third : 2 * third], items[2 * third :]]
    folds = [([i for i in items if i not in cut], cut) for cut in cuts]
    write_split(workspace.splits / "cv", folds, folds=3)
    return Small(workspace, tuple(items))


def write_lists(folder: Path, recipe: dict[str, Any], parts: Sequence[Sequence[Sequence[Item]]]) -> dict[str, str]:
    """Write the lists of a split's partitions; the digest of each by its name."""
    files = {}
    for number, sides in enumerate(parts, start=1):
        for name, items in zip(fold_files(recipe, number).values(), sides, strict=True):
            data = list_text(items).encode()
            (folder / name).write_bytes(data)
            files[name] = sha256_bytes(data)
    return files
