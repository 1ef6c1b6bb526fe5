"""Augmented copies of a split's training images, laid out before training as the seed article did.

    splits/NAME+paper/
        augment.json                     recipe, seed, split and its digest, leakage, counts
        copies.csv                       one row a copy: file, sha256, its parent image, label, group, how it was made
        train.csv or fold_K_train.csv    the files that a partition may learn from
        images/LABEL/PARENT_NUMBER_DIGEST.png

Every copy is made of a training image. With folds an image is on the training side of some of them; the list of a
fold names the copies of its own training side alone. A file's name ends with digits of its own SHA-256, so a run that
was cut off knows which files are whole.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from polydata.errors import InputError, RefusedError, UsageError
from polydata.files.atomic import folder_name, mark_of, replacing, writing_to
from polydata.ids import sha256_bytes, sha256_file
from polydata.images.picture import open_picture
from polydata.images.transforms import Transform, draw_transform
from polydata.resources import VERSION
from polydata.splits.manifest import Item, Split, fold_files

PLAN, COPIES, IMAGES = "augment.json", "copies.csv", "images"
DIGITS = 16
"""Digits of a SHA-256 in a file's name."""
LISTED = ("file", "sha256", "label", "group")
"""Columns of a partition's list."""
Row = dict[str, Any]
Advance = Callable[[int], None]


@dataclass(frozen=True)
class Recipe:
    """How many copies of each image there are to be.

    Attributes:
        positive, other: copies of an image of the positive class, and of any other class.
        size: pixels a side of a copy.
    """

    positive: int
    other: int
    size: int


RECIPES = {"paper": Recipe(positive=12, other=3, size=256)}


@dataclass(frozen=True)
class Augmented:
    """What there is now.

    Attributes:
        folder: where it lies.
        counts: number of copies by label.
        made: how many copies were made this time; the others were there, unchanged.
        repaired: copies of an earlier, finished run that were missing or changed and were made again.
        digest: SHA-256 of the list of copies.
    """

    folder: Path
    counts: dict[str, int]
    made: int
    repaired: tuple[str, ...]
    digest: str


def augment(
    split: Split, recipe: str, *, seed: int = 0, folder: Path | None = None, advance: Advance = lambda _: None
) -> Augmented:
    """Make the copies of a split's training images, or complete and check those that are there.

    How a copy is made follows from seed, image and the copy's number alone. Its bytes also depend on the version of
    the imaging library.

    Args:
        split: read and checked.
        recipe: name of one of ``RECIPES``.
        seed: another one gives other copies.
        folder: where to write; ``NAME+RECIPE`` beside the split.
        advance: called with 1 for each copy.

    Raises:
        UsageError: if there is no such recipe.
        RefusedError: if the folder holds something else, or an image of the split was changed.
        InputError: if an image cannot be read, or the folder cannot be written.
    """
    if recipe not in RECIPES:
        raise UsageError(f"There is no recipe {recipe!r}.", f"Known recipes: {', '.join(RECIPES)}.")
    size, place = RECIPES[recipe].size, folder or split.folder.with_name(f"{split.name}+{recipe}")
    plan = _plan(split, recipe, seed)
    parents = {item.image_sha256: item for fold in split.folds for item in fold.train}
    rows: list[Row] = []
    made = []
    with writing_to(place):
        finished = _take_place(place, plan)
        there = {path.stem.rpartition("_")[0]: path for path in (place / IMAGES).glob("*/*.png")}
        for image, item in sorted(parents.items()):
            picture = None
            for number in range(plan["copies"][item.label]):
                name, way = f"{image[:DIGITS]}_{number}", draw_transform(seed, image, number)
                path = there.get(name)
                if path is None or not _is_whole(path):
                    picture = picture or _picture(split, item)
                    path = _write(place / IMAGES / folder_name(item.label), name, way.apply(picture, size), path)
                    made.append(path.name)
                file = path.relative_to(place).as_posix()
                rows.append(_row(file, sha256_file(path), item, number, way))
                advance(1)
        digest = _finish(place, plan, split, rows)
    counts = Counter(str(row["label"]) for row in rows)
    return Augmented(place, dict(sorted(counts.items())), len(made), tuple(made) if finished else (), digest)


def count_copies(split: Split, recipe: str) -> int:
    """How many copies a recipe makes of a split's training images, for a progress bar."""
    labels = {item.image_sha256: item.label for fold in split.folds for item in fold.train}
    return sum(_times(split, recipe, label) for label in labels.values()) if recipe in RECIPES else 0


def _times(split: Split, recipe: str, label: str) -> int:
    return RECIPES[recipe].positive if label == split.positive else RECIPES[recipe].other


def _plan(split: Split, recipe: str, seed: int) -> dict[str, Any]:
    return {
        "recipe": recipe,
        "seed": seed,
        "size": RECIPES[recipe].size,
        "copies": {label: _times(split, recipe, label) for label in split.classes},
        "split": split.name,
        "split_digest": split.digest,
        "leakage": split.leakage,
    }


def _take_place(place: Path, plan: Mapping[str, Any]) -> bool:
    """Make the folder one of this plan; returns whether an earlier run finished there."""
    found = mark_of(place, PLAN, plan)
    if found is None:
        _save(place / PLAN, json.dumps({**plan, "code_version": VERSION}, indent=2, ensure_ascii=False) + "\n")
    elif any(found[key] != value for key, value in plan.items()):
        raise RefusedError(
            f"{place} holds copies that were made otherwise, or of another split.", "Choose another --output."
        )
    return (place / COPIES).exists()


def _is_whole(path: Path) -> bool:
    return sha256_file(path).startswith(path.stem.rpartition("_")[2])


def _picture(split: Split, item: Item) -> Image.Image:
    path = split.image_path(item)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", "Restore the image store.") from error
    if sha256_bytes(data) != item.image_sha256:
        raise RefusedError(f"{path} was changed since the split was built.", "Restore the image store.")
    return open_picture(data)


def _write(folder: Path, name: str, copy: Image.Image, old: Path | None) -> Path:
    """Write a copy under its name and digest; a damaged one of that name goes."""
    red, green, blue = copy.split()
    if red.tobytes() == green.tobytes() == blue.tobytes():
        copy = red
    out = io.BytesIO()
    copy.save(out, "PNG")
    path = folder / f"{name}_{sha256_bytes(out.getvalue())[:DIGITS]}.png"
    if old is not None:
        old.unlink(missing_ok=True)
    with replacing(path) as file:
        file.write(out.getvalue())
    return path


def _row(file: str, sha256: str, item: Item, number: int, way: Transform) -> Row:
    return {
        "file": file,
        "sha256": sha256,
        "parent_sha256": item.image_sha256,
        "label": item.label,
        "group": item.group,
        "number": number,
        **dataclasses.asdict(way),
    }


def _finish(place: Path, plan: Mapping[str, Any], split: Split, rows: Sequence[Row]) -> str:
    """Write the lists; returns the digest of the list of copies."""
    text = _csv(rows)
    for fold in split.folds:
        train = {item.image_sha256 for item in fold.train}
        name, *_ = fold_files(fold.number, split.manifest["recipe"]["folds"])
        own = [row for row in rows if row["parent_sha256"] in train]
        _save(place / name, _csv([{key: row[key] for key in LISTED} for row in own]))
    _save(place / COPIES, text)
    digest = sha256_bytes(text.encode())
    counts = dict(sorted(Counter(str(row["label"]) for row in rows).items()))
    done = {**plan, "code_version": VERSION, "counts": counts, "digest": digest}
    _save(place / PLAN, json.dumps(done, indent=2, ensure_ascii=False) + "\n")
    return digest


def _csv(rows: Sequence[Row]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _save(path: Path, text: str) -> None:
    with replacing(path) as out:
        out.write(text.encode())
