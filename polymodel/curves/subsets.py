"""Splits with fewer training papers and the same test sides, as folders that can be trained on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from polydata.files.atomic import put_back, replacing_folder
from polydata.ids import sha256_bytes
from polydata.splits.manifest import (
    MANIFEST,
    Fold,
    Item,
    Split,
    fold_files,
    list_text,
    load_split,
    manifest_text,
    sealed,
    split_digest,
)


def drawn_order(items: Sequence[Item], draw: int) -> list[str]:
    """The papers of a training side in an order that depends on their names and the draw alone.

    First come, for each label in turn, the first paper that has it, so that few papers show every label; the first n of
    the order are the n papers of a subset, so that subsets are nested.

    Args:
        items: of the training side.
        draw: another number gives another order.
    """
    groups = {item.group for item in items}
    order = sorted(groups, key=lambda group: hashlib.sha256(f"{draw}\x1f{group}".encode()).digest())
    labels = {group: {item.label for item in items if item.group == group} for group in groups}
    first: list[str] = []
    for label in sorted({item.label for item in items}):
        if not any(label in labels[group] for group in first):
            first.append(next(group for group in order if label in labels[group]))
    return first + [group for group in order if group not in first]


def fewest_papers(split: Split) -> tuple[int, int]:
    """The fewest papers that show every label in each fold, whatever is drawn, and the most that every fold has."""
    most = min(len({item.group for item in fold.train}) for fold in split.folds)
    return min(most, max(2, len(split.classes))), most


def subset(split: Split, folder: Path, papers: int, draw: int) -> Split:
    """A split whose training sides keep so many papers; test and validation sides stay.

    Args:
        split: the whole one.
        folder: where it is to lie, two folders below the workspace; where it is there already it is read and checked.
        papers: of each training side.
        draw: which ones, see ``drawn_order``.

    Raises:
        RefusedError: if a file of it was changed since.
    """
    if not (folder / MANIFEST).is_file():
        recipe = {**split.manifest["recipe"], "of": split.digest, "papers": papers, "draw": draw}
        texts = {
            name: list_text(getattr(fold, side))
            for fold in (_fewer(fold, papers, draw) for fold in split.folds)
            for side, name in fold_files(recipe, fold.number).items()
        }
        files = {name: sha256_bytes(text.encode()) for name, text in sorted(texts.items())}
        digest = split_digest(recipe, files)
        known = {key: value for key, value in split.manifest.items() if key not in ("counts", "seal")}
        manifest = sealed({**known, "name": folder.name, "recipe": recipe, "files": files, "digest": digest})
        folder.parent.mkdir(parents=True, exist_ok=True)
        put_back(folder)  # what a killed process left
        with replacing_folder(folder) as new:
            for name, text in {**texts, MANIFEST: manifest_text(manifest)}.items():
                (new / name).write_text(text, encoding="utf-8", newline="")
    return load_split(folder)


def _fewer(fold: Fold, papers: int, draw: int) -> Fold:
    kept = set(drawn_order(fold.train, draw)[:papers])
    return replace(fold, train=tuple(item for item in fold.train if item.group in kept))
