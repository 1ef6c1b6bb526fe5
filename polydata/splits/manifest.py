"""A split as files: split.json and its CSV lists, read back and checked.

A split folder is complete in itself: whoever trains reads it and the image store, never the catalogue.

    split.json                       the manifest, see schemas/split.schema.json
    train.csv, test.csv              one partition, or
    fold_1_train.csv, fold_1_test.csv, ...   folds 1 to K x repeats
    val.csv or fold_1_val.csv, ...   where images are held back for choices made in training

Columns of the lists: image_sha256, label, group, path (relative to the workspace) first, then what is
known of the image. The digest is the SHA-256 over the sorted names and SHA-256 of the lists and the
canonical JSON of the recipe, so it is the same wherever the same split is built. The seal is the SHA-256
over all of the manifest, so that a changed byte of any file of the folder is noticed.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from polydata.errors import InputError, RefusedError, UsageError
from polydata.files.cells import original
from polydata.files.tables import csv_line
from polydata.ids import sha256_bytes, sha256_file

MANIFEST = "split.json"
FIRST_COLUMNS = ("image_sha256", "label", "group", "path")
TARGET = "target"
"""Column of the value in the lists of a task of numbers; the label is there the bin that holds it."""
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
class Sides:
    """The sides of one partition.

    Attributes:
        val: images on neither side, for choices made in training; empty where none are held back.
    """

    train: Sequence[Item]
    test: Sequence[Item]
    val: Sequence[Item] = ()

    @property
    def trained(self) -> tuple[Item, ...]:
        """What may be looked at before the test: training and validation side."""
        return (*self.train, *self.val)

    @property
    def everything(self) -> tuple[Item, ...]:
        """All images of the partition, training side first."""
        return (*self.trained, *self.test)

    def named(self) -> dict[str, Sequence[Item]]:
        """The sides that there are, by name."""
        return {"train": self.train, **({"val": self.val} if self.val else {}), "test": self.test}


@dataclass(frozen=True, repr=False, kw_only=True)
class Fold(Sides):
    """A partition of a split.

    Attributes:
        number: 1-based; 1 for a split without folds.
        repeat: 1-based.
    """

    number: int
    repeat: int

    def __repr__(self) -> str:
        papers = len({item.extra.get("paper_id", item.group) for item in self.everything})
        return (
            f"<Fold {self.number}: {len(self.train)} train, {len(self.val)} val, {len(self.test)} test images, "
            f"{papers} papers>"
        )


def spoken_label(label: str, recipe: Mapping[str, Any]) -> str:
    """A label as people are shown it: one that partial images count as says so; others as they are.

    Args:
        recipe: of the split.
    """
    return f"{label} or partial" if recipe.get("partial") == f"as-{label}" else label


@dataclass(frozen=True, repr=False)
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

    def __repr__(self) -> str:
        partitions = f"{len(self.folds)} folds" if self.has_folds else "train and test"
        return f"<Split {self.name}: {len(self.items)} images, {partitions}, digest {self.digest[:16]}>"

    @cached_property
    def items(self) -> Mapping[str, Item]:
        """Every image of the split once, by its hash."""
        return {item.image_sha256: item for fold in self.folds for item in fold.everything}

    @property
    def leakage(self) -> Mapping[str, Any] | None:
        """Why this split leaks and who allowed it; None for a split that was found clean."""
        found: Mapping[str, Any] | None = self.manifest["leakage"]
        return found

    def spoken(self, label: str) -> str:
        """A label as people are shown it, see ``spoken_label``."""
        return spoken_label(label, self.manifest["recipe"])

    @property
    def asked(self) -> Mapping[str, str]:
        """What is asked of the images, as of ``Task.asked``: empty where it is one of several labels."""
        task = self.manifest.get("task", {})
        return {key: task[key] for key in ("kind", "column", "unit") if key in task}

    @property
    def has_folds(self) -> bool:
        """Whether the split is a cross-validation rather than one partition."""
        return bool(self.manifest["recipe"]["folds"])

    def image_path(self, item: Item) -> Path:
        """Where the image of an item lies."""
        return self.folder.parent.parent / item.path


def split_digest(recipe: Mapping[str, Any], files: Mapping[str, str]) -> str:
    """The digest of a split from its recipe and the SHA-256 of each of its lists."""
    return sha256_bytes(canonical_json({"recipe": recipe, "files": files}).encode())


def fold_count(recipe: Mapping[str, Any]) -> int:
    """How many partitions a split of this recipe has: folds times repeats, 1 without folds."""
    folds, repeats = recipe["folds"], recipe["repeats"]
    return int(folds * repeats) if folds else 1


def check_name(name: str) -> str:
    """The name of a split, if it can be one: a folder's name that means the same on every system.

    Raises:
        UsageError: if it cannot.
    """
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", name):
        raise UsageError(
            f"{name!r} cannot be the name of a split.",
            "Use up to 100 letters, digits, '.', '_' and '-', beginning with a letter, digit or '_'.",
        )
    return name


def canonical_json(value: object) -> str:
    """JSON text that depends on the value alone: sorted keys, ASCII, no spaces."""
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def sealed(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with its seal, which covers everything else in it."""
    body = {k: v for k, v in manifest.items() if k != "seal"}
    return {**body, "seal": sha256_bytes(canonical_json(body).encode())}


def manifest_text(manifest: Mapping[str, Any]) -> str:
    """The one way in which a manifest is written."""
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


def list_text(items: Sequence[Item]) -> str:
    """The one way in which a list is written: CSV with a header, fields quoted where needed, lines ending in LF.

    Texts that a spreadsheet would work out are made harmless, see ``files.cells.harmless``.

    Items come out by the hash of their image. All must have the same extra columns.
    """
    extras = list(items[0].extra) if items else []
    lines = [csv_line([*FIRST_COLUMNS, *extras])]
    for item in sorted(items, key=lambda i: i.image_sha256):
        row = [item.image_sha256, item.label, item.group, item.path, *(item.extra[c] for c in extras)]
        lines.append(csv_line(re.sub(r"\r\n?", "\n", field) if "\r" in field else field for field in row))
    return "".join(lines)


def fold_files(recipe: Mapping[str, Any], number: int) -> dict[str, str]:
    """Names of the lists of a partition of a split of this recipe, by side."""
    sides = ("train", "val", "test") if recipe.get("val_fraction") else ("train", "test")
    return {side: f"fold_{number}_{side}.csv" if recipe["folds"] else f"{side}.csv" for side in sides}


def read_manifest(folder: Path) -> dict[str, Any]:
    """split.json as it was written.

    Raises:
        InputError: if there is no split there, or one of another format.
        RefusedError: if split.json was changed since it was written.
    """
    path = folder / MANIFEST
    try:
        text = path.read_bytes().decode("utf-8")
        manifest = json.loads(text)
    except (FileNotFoundError, NotADirectoryError):
        others = next(folder.parent.glob(f"*/{MANIFEST}"), None)
        hint = "List the splits with: polydata split list" if others else "Build one: polydata build-split NAME"
        raise InputError(f"There is no split at {folder}.", hint) from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "Check the permissions of the file.") from error
    except (ValueError, RecursionError) as error:
        raise _changed(folder, [f"{MANIFEST} was changed (it is no JSON any more: {error})"]) from error
    if isinstance(manifest, dict) and manifest.get("format") != FORMAT and sealed(manifest) == manifest:
        raise InputError(f"{path} is not a split of format {FORMAT}.", "It may be from a newer version of polydata.")
    if not isinstance(manifest, dict) or sealed(manifest) != manifest or manifest_text(manifest) != text:
        raise _changed(folder, [f"{MANIFEST} was changed"])
    return manifest


def _changed(folder: Path, faults: Sequence[str]) -> RefusedError:
    return RefusedError(
        f"The split at {folder} is not what was built: {'; '.join(faults)}.",
        "Restore it, or build a split under a new name with: polydata build-split NAME",
    )


def _read_items(path: Path) -> tuple[Item, ...]:
    kept: dict[str, str] = {}  # labels, papers and so on come back: each is kept once
    items = []
    with open(path, newline="", encoding="utf-8") as handle:
        lines = ([original(cell) for cell in line] for line in csv.reader(handle))
        extras = next(lines)[len(FIRST_COLUMNS) :]
        for image, label, group, where, *rest in lines:
            same = [kept.setdefault(value, value) for value in (label, group, *rest)]
            items.append(Item(image, same[0], same[1], where, dict(zip(extras, same[2:], strict=True))))
    return tuple(items)


def changed_files(folder: Path) -> list[str]:
    """What no longer is as it was when the split was made, each named with its fault; empty when all is well.

    The lists are compared with the manifest, the manifest with its seal and digest; images are not read here.

    Raises:
        InputError: if there is no split there.
    """
    try:
        manifest = read_manifest(folder)
    except RefusedError:
        return [f"{MANIFEST} was changed"]
    faults = []
    recipe, files = manifest["recipe"], manifest["files"]
    wanted = {name for n in range(1, fold_count(recipe) + 1) for name in fold_files(recipe, n).values()}
    if split_digest(recipe, files) != manifest["digest"] or wanted != set(files):
        faults.append(f"{MANIFEST} was changed")
    for name in sorted(wanted & set(files)):
        if fault := _fault(folder / name, files[name]):
            faults.append(f"{name} {fault}")
    return faults


def _fault(path: Path, sha256: str) -> str | None:
    """What is wrong with a file that was these bytes."""
    try:
        return None if sha256_file(path) == sha256 else "was changed"
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return "is missing"
    except OSError as error:
        return f"cannot be read ({error.strerror})"


def changed_images(split: Split) -> list[str]:
    """Images of the split that are missing, cannot be read or whose bytes changed, each named with its fault."""
    images = sorted((split.image_path(item), image) for image, item in split.items.items())
    return [f"{path} {fault}" for path, want in images if (fault := _fault(path, want))]


def load_split(folder: Path) -> Split:
    """Read a split and check its lists against the manifest.

    Raises:
        InputError: if there is no split there.
        RefusedError: if a file of it was changed since it was built, naming it.
    """
    faults = changed_files(folder)
    if faults:
        raise _changed(folder, faults)
    manifest = read_manifest(folder)
    recipe = manifest["recipe"]
    folds = []
    for number in range(1, fold_count(recipe) + 1):
        lists = {side: _read_items(folder / name) for side, name in fold_files(recipe, number).items()}
        folds.append(Fold(number=number, repeat=(number - 1) // (recipe["folds"] or 1) + 1, **lists))
    return Split(
        folder=folder,
        name=manifest["name"],
        classes=tuple(manifest["classes"]),
        positive=manifest["positive"],
        folds=tuple(folds),
        digest=manifest["digest"],
        manifest=manifest,
    )
