"""Splits of a workspace listed, described and checked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from polydata.catalogue.session import Session
from polydata.catalogue.splits import registered
from polydata.errors import PolydataError
from polydata.images.picture import SUFFIXES, image_store
from polydata.splits.manifest import (
    MANIFEST,
    Split,
    changed_files,
    changed_images,
    check_name,
    load_split,
    read_manifest,
)
from polydata.workspace import Workspace


def list_splits(workspace: Workspace) -> list[dict[str, Any]]:
    """One row a split of the workspace, by name; one that cannot be read says why in ``state``."""
    rows = []
    for path in sorted(workspace.splits.glob(f"*/{MANIFEST}")):
        try:
            manifest, state = read_manifest(path.parent), ""
        except PolydataError as error:
            manifest, state = {"recipe": {}, "counts": {}}, error.message
        recipe, counts = manifest["recipe"], manifest["counts"]
        folds = f"{recipe['folds']} folds x {recipe['repeats']}" if recipe.get("folds") else "train and test"
        rows.append(
            {
                "name": path.parent.name,
                **{key: counts.get(key) for key in ("images", "groups")},
                "partitions": None if state else folds,
                **{key: recipe.get(key) for key in ("protocol", "label_source", "partial")},
                "state": state or ("leaks" if manifest["leakage"] else "clean"),
                "digest": manifest.get("digest"),
            }
        )
    return rows


def show_split(workspace: Workspace, name: str) -> Split:
    """A split of the workspace by name, its lists checked.

    Raises:
        UsageError, InputError: if there is none of this name.
        RefusedError: if a file of it was changed.
    """
    return load_split(workspace.splits / check_name(name))


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def side_rows(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row a side of each partition: images, groups, and images of each class with their share in percent."""
    rows = []
    for side in manifest["counts"]["sides"]:
        row = {key: side[key] for key in ("fold", "side", "images", "groups")}
        for label, count in side["by_class"].items():
            row[label] = f"{count['images']} ({100 * count['images'] / side['images']:.1f} %)"
        rows.append(row)
    return rows


def describe_split(split: Split) -> dict[str, Any]:
    """The recipe of a split and what became of it, as names and values for a person."""
    manifest = split.manifest
    facts = {key: value for key, value in manifest["recipe"].items() if value is not None}
    facts = {k: ", ".join(v) if isinstance(v, list) else v for k, v in facts.items()}
    facts |= {f"left out: {reason}": n for reason, n in manifest["counts"]["excluded"].items()}
    facts |= {"images": manifest["counts"]["images"], "groups": manifest["counts"]["groups"]}
    for merged in manifest["notes"].get("merged_papers", ()):
        facts[f"one group: {', '.join(merged['papers'])}"] = ", ".join(_short(b) for b in merged["by"])
    if split.leakage:
        facts["leaks, allowed because"] = split.leakage["reason"]
        facts |= {f"leak: {f['detector']}": f"{f['count']} held-out images" for f in split.leakage["findings"]}
    return facts | {
        "positive class": split.positive,
        "code version": manifest["code_version"],
        "catalogue": manifest["catalogue_fingerprint"],
        "digest": split.digest,
    }


def fetch_images(workspace: Workspace, split: Split) -> None:
    """Bring images of a split that lie only behind the store's address to this machine.

    Raises:
        InputError: if the address cannot be read, or gives other bytes than were put.
    """
    store = image_store(workspace)
    if store.remote is None:
        return
    formats = {suffix: name for name, suffix in SUFFIXES.items()}
    for image, item in sorted(split.items.items()):
        if name := formats.get(Path(item.path).suffix.removeprefix(".")):
            store.path(image, name)


def verify_split(session: Session, name: str) -> list[str]:
    """What of a split is not as it was built: manifest, lists, image files, and what the catalogue knows of it.

    Images that lie only behind the store's address are fetched first.

    Returns:
        One line a fault, naming the file; empty when all is well.

    Raises:
        UsageError, InputError: if there is no split of this name.
    """
    folder = session.workspace.splits / check_name(name)
    faults = changed_files(folder)
    if faults:
        return faults
    split = load_split(folder)
    fetch_images(session.workspace, split)
    faults = changed_images(split)
    if split.name != name:
        faults.append(f"{MANIFEST} is that of the split {split.name}")
    recorded = registered(session.catalogue, name)
    if recorded is None:
        faults.append("the catalogue does not know it; build it again with the same options to register it")
    elif recorded != split.digest:
        faults.append(f"the catalogue knows another split of this name, digest {recorded}")
    return faults
