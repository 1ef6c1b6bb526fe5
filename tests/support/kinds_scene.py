"""Small splits of labels in an order, and of numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from small_split import Small, texture, write_lists

from polydata.images.picture import ImageStore
from polydata.splits.manifest import MANIFEST, TARGET, Item, manifest_text, sealed, split_digest
from polydata.workspace import Workspace

ORDER = ("fine", "middle", "coarse")
UNIT = "um"
BINS = ("up to 1.6 um", "1.6 to 2.4 um", "over 2.4 um")

ASKED = {"kind": "regression", "column": "grain", "unit": UNIT}


def numbered(items: Sequence[Item]) -> list[Item]:
    """The same under the bins of their values."""
    return [dataclasses.replace(item, label=BINS[ORDER.index(item.label)]) for item in items]


def make_kinds(root: Path, groups: int = 10) -> Small:
    """Textures whose grain is 1 to 3.2 pixels wide; the splits ``ordinal``, ``regression`` and ``regression-cv``."""
    workspace = Workspace.init(root)
    store = ImageStore(workspace.store)
    items = []
    for group in range(groups):
        for k in range(6):
            width = 1.0 + 0.4 * k + 0.02 * group
            info = store.put(texture(10 * group + k, width))
            path = store.path(info.sha256, info.format).relative_to(workspace.root)
            items.append(Item(info.sha256, ORDER[k // 2], f"paper {group}", path.as_posix(), {TARGET: f"{width:.9g}"}))
    half = 6 * (groups * 7 // 10)
    write_kind(workspace.splits / "ordinal", [(items[:half], items[half:])], ORDER, {"kind": "ordinal"})
    first, rest = numbered(items)[:half], numbered(items)[half:]
    write_kind(workspace.splits / "regression", [(first, rest)], BINS, ASKED)
    write_kind(workspace.splits / "regression-cv", [(rest, first), (first, rest)], BINS, ASKED, folds=2)
    return Small(workspace, tuple(items))


def write_kind(
    folder: Path,
    parts: Sequence[tuple[Sequence[Item], Sequence[Item]]],
    classes: Sequence[str],
    asked: dict[str, str],
    folds: int = 0,
) -> None:
    """Write a split folder of a task of this kind."""
    folder.mkdir(parents=True)
    recipe = {"protocol": "grouped", "folds": folds, "repeats": 1, "seed": 0, "partial": "drop", **asked}
    files = write_lists(folder, recipe, parts)
    manifest = {
        "format": 1,
        "name": folder.name,
        "task": {"name": "grain", "labels": [], "positive": "", **asked},
        "classes": list(classes),
        "positive": classes[0],
        "recipe": recipe,
        "files": files,
        "digest": split_digest(recipe, files),
        "leakage": None,
    }
    (folder / MANIFEST).write_text(manifest_text(sealed(manifest)), encoding="utf-8")
