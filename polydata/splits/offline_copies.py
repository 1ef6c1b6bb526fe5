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

import dataclasses
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from polydata.errors import RefusedError, UsageError
from polydata.files.atomic import folder_name, mark_of, replacing, write_text, writing_to
from polydata.files.tables import csv_text
from polydata.ids import sha256_bytes, sha256_file
from polydata.images.picture import open_picture, read_image
from polydata.images.transforms import draw_transform
from polydata.resources import VERSION
from polydata.splits.manifest import Item, Split, fold_files
from polydata.types import Progress, quiet

PLAN, COPIES, IMAGES = "augment.json", "copies.csv", "images"
DIGITS = 16
"""Digits of a SHA-256 in a file's name."""
LISTED = ("file", "sha256", "label", "group")
"""Columns of a partition's list."""
RECIPES = {"paper": {"positive": 12, "other": 3, "size": 256}}
"""By name: copies of an image of the positive class, and of any other class; pixels a side of a copy."""
Row = dict[str, Any]


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
    split: Split, recipe: str, *, seed: int = 0, folder: Path | None = None, progress: Progress = quiet
) -> Augmented:
    """Make the copies of a split's training images, or complete and check those that are there.

    How a copy is made follows from seed, image and the copy's number alone. Its bytes also depend on the version of
    the imaging library.

    Args:
        split: read and checked.
        recipe: name of one of ``RECIPES``.
        seed: another one gives other copies.
        folder: where to write; ``NAME+RECIPE`` beside the split.

    Raises:
        UsageError: if there is no such recipe.
        RefusedError: if the folder holds something else, or an image of the split was changed.
        InputError: if an image cannot be read, or the folder cannot be written.
    """
    if recipe not in RECIPES:
        raise UsageError(f"There is no recipe {recipe!r}.", f"Known recipes: {', '.join(RECIPES)}.")
    size, place = RECIPES[recipe]["size"], folder or split.folder.with_name(f"{split.name}+{recipe}")
    plan = _plan(split, recipe, seed)
    parents = {item.image_sha256: item for fold in split.folds for item in fold.train}
    rows: list[Row] = []
    made = []
    total = sum(plan["copies"][item.label] for item in parents.values())
    with writing_to(place):
        finished = _take_place(place, plan)
        there = {path.stem.rpartition("_")[0]: path for path in (place / IMAGES).glob("*/*.png")}
        for image, item in sorted(parents.items()):
            picture = None
            for number in range(plan["copies"][item.label]):
                name, way = f"{image[:DIGITS]}_{number}", draw_transform(seed, image, number)
                path = there.get(name)
                if path is None or not sha256_file(path).startswith(path.stem.rpartition("_")[2]):
                    picture = picture or _picture(split, item)
                    path = _write(place / IMAGES / folder_name(item.label), name, way.apply(picture, size), path)
                    made.append(path.name)
                file = path.relative_to(place).as_posix()
                of = {"parent_sha256": image, "label": item.label, "group": item.group, "number": number}
                rows.append({"file": file, "sha256": sha256_file(path), **of, **dataclasses.asdict(way)})
                progress("Copying", len(rows), total)
        done = _finish(place, plan, split, rows)
    return Augmented(place, done["counts"], len(made), tuple(made) if finished else (), done["digest"])


def _plan(split: Split, name: str, seed: int) -> dict[str, Any]:
    recipe = RECIPES[name]
    return {
        "recipe": name,
        "seed": seed,
        "size": recipe["size"],
        "copies": {label: recipe["positive" if label == split.positive else "other"] for label in split.classes},
        "split": split.name,
        "split_digest": split.digest,
        "leakage": split.leakage,
    }


def _take_place(place: Path, plan: Mapping[str, Any]) -> bool:
    """Make the folder one of this plan; returns whether an earlier run finished there."""
    found = mark_of(place, PLAN, plan)
    if found is None:
        write_text(place / PLAN, json.dumps({**plan, "code_version": VERSION}, indent=2, ensure_ascii=False) + "\n")
    elif any(found[key] != value for key, value in plan.items()):
        raise RefusedError(
            f"{place} holds copies that were made otherwise, or of another split.", "Choose another --output."
        )
    return (place / COPIES).exists()


def _picture(split: Split, item: Item) -> Image.Image:
    path = split.image_path(item)
    data = read_image(path)
    if sha256_bytes(data) != item.image_sha256:
        raise RefusedError(f"{path} was changed since the split was built.", "Restore the image store.")
    return open_picture(data, str(path))


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


def _finish(place: Path, plan: Mapping[str, Any], split: Split, rows: Sequence[Row]) -> dict[str, Any]:
    """Write the lists, and last the plan with what came of it, which is returned."""
    text = csv_text(list(rows[0]), rows)
    for fold in split.folds:
        train = {item.image_sha256 for item in fold.train}
        own = [row for row in rows if row["parent_sha256"] in train]
        write_text(
            place / fold_files(split.manifest["recipe"], fold.number)["train"],
            csv_text(LISTED, [{key: row[key] for key in LISTED} for row in own]),
        )
    write_text(place / COPIES, text)
    counts = dict(sorted(Counter(str(row["label"]) for row in rows).items()))
    done = {**plan, "code_version": VERSION, "counts": counts, "digest": sha256_bytes(text.encode())}
    write_text(place / PLAN, json.dumps(done, indent=2, ensure_ascii=False) + "\n")
    return done
