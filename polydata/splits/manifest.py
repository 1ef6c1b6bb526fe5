"""A split as files: split.json and its CSV lists, read back and checked.

A split folder is complete in itself: whoever trains reads it and the image store, never the catalogue.

    split.json                       the manifest, see schemas/split.schema.json
    train.csv, test.csv              one partition, or
    fold_1_train.csv, fold_1_test.csv, ...   folds 1 to K x repeats

Columns of the lists: image_sha256, label, group, path (relative to the workspace) first, then what is
known of the image. The digest is the SHA-256 over the sorted names and SHA-256 of the lists and the
canonical JSON of the recipe, so it is the same wherever the same split is built.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polydata.errors import InputError, RefusedError
from polydata.ids import sha256_bytes, sha256_file

MANIFEST = "split.json"
FIRST_COLUMNS = ("image_sha256", "label", "group", "path")
FORMAT = 1


@dataclass(frozen=True)
class Item:
    """One image of a split.

    Attributes:
        image_sha256: hex digest of the image's bytes.
        label: the task's word.
        group: what may not stand on both sides (a paper, or papers merged).
        path: of the image file, relative to the workspace.
        extra: the other columns as text.
    """

    image_sha256: str
    label: str
    group: str
    path: str
    extra: Mapping[str, str]


@dataclass(frozen=True)
class Fold:
    """A partition into a training and a test side.

    Attributes:
        number: 1-based; 1 for a split without folds.
        repeat: 1-based.
    """

    number: int
    repeat: int
    train: tuple[Item, ...]
    test: tuple[Item, ...]


@dataclass(frozen=True)
class Split:
    """A split read from its folder.

    Attributes:
        folder: where it lies; its images are below ``folder.parent.parent``, the workspace.
        classes: labels that occur, in the task's order.
        positive: the label that counts as positive.
        folds: at least one partition.
        manifest: all of split.json.
    """

    folder: Path
    name: str
    classes: tuple[str, ...]
    positive: str
    folds: tuple[Fold, ...]
    digest: str
    manifest: Mapping[str, Any]

    @property
    def leakage(self) -> Mapping[str, Any] | None:
        """Why this split leaks and who allowed it; None for a split that was found clean."""
        found: Mapping[str, Any] | None = self.manifest["leakage"]
        return found

    @property
    def has_folds(self) -> bool:
        """Whether the split is a cross-validation rather than one partition."""
        return bool(self.manifest["recipe"]["folds"])

    def image_path(self, item: Item) -> Path:
        """Where the image of an item lies."""
        return self.folder.parent.parent / item.path


def split_digest(recipe: Mapping[str, Any], files: Mapping[str, str]) -> str:
    """The digest of a split from its recipe and the SHA-256 of each of its lists."""
    text = json.dumps({"recipe": recipe, "files": files}, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def fold_files(number: int, folds: int) -> tuple[str, str]:
    """Names of the training and the test list of a fold."""
    return (f"fold_{number}_train.csv", f"fold_{number}_test.csv") if folds else ("train.csv", "test.csv")


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"There is no split at {folder}.", "List the splits with: polydata split list") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}", "Build the split again under another name.") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise InputError(f"{path} is not a split of format {FORMAT}.", "It may be from a newer version of polydata.")
    return manifest


def _read_items(path: Path) -> tuple[Item, ...]:
    with open(path, newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    return tuple(
        Item(*(row[c] for c in FIRST_COLUMNS), extra={k: v for k, v in row.items() if k not in FIRST_COLUMNS})
        for row in rows
    )


def changed_files(folder: Path) -> list[str]:
    """What no longer is as it was when the split was made, each named with its fault; empty when all is well.

    The lists are compared with the manifest, the manifest with its own digest; images are not read here.
    """
    manifest = _read_manifest(folder)
    faults = []
    for name, want in sorted(manifest["files"].items()):
        path = folder / name
        if not path.is_file():
            faults.append(f"{name} is missing")
        elif sha256_file(path) != want:
            faults.append(f"{name} was changed")
    if split_digest(manifest["recipe"], manifest["files"]) != manifest["digest"]:
        faults.append(f"{MANIFEST} was changed")
    return faults


def changed_images(split: Split) -> list[str]:
    """Images of the split that are missing or whose bytes changed, each named with its fault."""
    faults = []
    for path, want in sorted({(split.image_path(i), i.image_sha256) for f in split.folds for i in (*f.train, *f.test)}):
        if not path.is_file():
            faults.append(f"{path} is missing")
        elif sha256_bytes(path.read_bytes()) != want:
            faults.append(f"{path} was changed")
    return faults


def load_split(folder: Path) -> Split:
    """Read a split and check its lists against the manifest.

    Raises:
        InputError: if there is no split there.
        RefusedError: if a file of it was changed since it was built, naming it.
    """
    faults = changed_files(folder)
    if faults:
        raise RefusedError(
            f"The split at {folder} is not what was built: {'; '.join(faults)}.",
            "Restore it, or build a split under a new name with: polydata build-split NAME",
        )
    manifest = _read_manifest(folder)
    count = manifest["recipe"]["folds"]
    repeats = manifest["recipe"]["repeats"]
    folds = []
    for number in range(1, (count * repeats if count else 1) + 1):
        train, test = (_read_items(folder / name) for name in fold_files(number, count))
        folds.append(Fold(number, (number - 1) // count + 1 if count else 1, train, test))
    return Split(
        folder=folder,
        name=manifest["name"],
        classes=tuple(manifest["classes"]),
        positive=manifest["positive"],
        folds=tuple(folds),
        digest=manifest["digest"],
        manifest=manifest,
    )
