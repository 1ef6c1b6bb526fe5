"""Splits of a workspace listed, described, compared and checked."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polydata.catalogue.session import Session
from polydata.catalogue.splits import registered
from polydata.catalogue.trace import papers_of, runs_on
from polydata.errors import PolydataError
from polydata.images.picture import SUFFIXES, image_store
from polydata.splits.manifest import (
    MANIFEST,
    Fold,
    Item,
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


def free_name(workspace: Workspace) -> str:
    """A name that no split of the workspace has: v1, else v2, and so on."""
    return next(name for number in itertools.count(1) if not (workspace.splits / (name := f"v{number}")).exists())


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
    if "tested_from" in manifest["notes"]:
        facts["tested from the year"] = manifest["notes"]["tested_from"]
    if "untied" in manifest["notes"]:
        facts[f"images without a {manifest['recipe']['group_by'][-1]}"] = manifest["notes"]["untied"]
    for merged in manifest["notes"].get("merged_papers", ()):
        facts[f"one group: {', '.join(merged['papers'])}"] = ", ".join(_short(b) for b in merged["by"])
    if split.leakage:
        facts["leaks, allowed because"] = split.leakage["reason"]
        facts |= {f"leak: {f['detector']}": f"{f['count']} held-out images" for f in split.leakage["findings"]}
    return facts | {
        **({} if "unit" in split.asked else {"positive class": split.spoken(split.positive)}),
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


@dataclass(frozen=True)
class Difference:
    """How a second split differs from a first.

    Attributes:
        recipe: keys of the recipe that differ, each with both values.
        only_first, only_second: images of one split alone.
        relabelled: images with another label, each with both.
        regrouped: images whose group holds other images of both splits.
        folds: for each side of a partition of the first split, how many of its images stand on each side of a
            partition of the second (``of``): of the one with the same number, or of each where one split has a
            single one.
        uncompared: partitions that the other split has no counterpart for.
        same: whether both have one digest.
    """

    recipe: Mapping[str, tuple[Any, Any]]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    relabelled: Mapping[str, tuple[str, str]]
    regrouped: tuple[str, ...]
    folds: tuple[Mapping[str, Any], ...]
    uncompared: int
    same: bool


def compare_splits(first: Split, second: Split) -> Difference:
    """Compare two splits image by image."""
    one, other = first.items, second.items
    both = sorted(set(one) & set(other))
    recipes = first.manifest["recipe"], second.manifest["recipe"]
    keys = sorted(set(recipes[0]) | set(recipes[1]))
    return Difference(
        recipe={k: (recipes[0].get(k), recipes[1].get(k)) for k in keys if recipes[0].get(k) != recipes[1].get(k)},
        only_first=tuple(sorted(set(one) - set(other))),
        only_second=tuple(sorted(set(other) - set(one))),
        relabelled={i: (one[i].label, other[i].label) for i in both if one[i].label != other[i].label},
        regrouped=_regrouped(both, one, other),
        folds=tuple(row for a, b in _partitions(first.folds, second.folds) for row in _moved(a, b)),
        uncompared=abs(len(first.folds) - len(second.folds)) if min(len(first.folds), len(second.folds)) > 1 else 0,
        same=first.digest == second.digest,
    )


def _partitions(first: Sequence[Fold], second: Sequence[Fold]) -> list[tuple[Fold, Fold]]:
    """Pairs of partitions to compare: a single one with each of the other split, else those of equal number."""
    if 1 in (len(first), len(second)):
        return [(a, b) for a in first for b in second]
    return list(zip(first, second, strict=False))


def _regrouped(images: Sequence[str], one: Mapping[str, Item], other: Mapping[str, Item]) -> tuple[str, ...]:
    first: dict[str, set[str]] = defaultdict(set)
    second: dict[str, set[str]] = defaultdict(set)
    for image in images:
        first[one[image].group].add(image)
        second[other[image].group].add(image)
    return tuple(i for i in images if first[one[i].group] != second[other[i].group])


def _moved(first: Fold, second: Fold) -> list[dict[str, Any]]:
    """For each side of a partition of the first split, where its images stand in that of the second."""
    place = {item.image_sha256: side for side, items in second.named().items() for item in items}
    rows = []
    for side, items in first.named().items():
        now = Counter(place.get(item.image_sha256, "absent") for item in items)
        counts = {to: now[to] for to in ("train", "val", "test", "absent")}
        rows.append({"fold": first.number, "side": side, "of": second.number, **counts})
    return rows


def described(found: Difference) -> dict[str, Any]:
    """A difference as names and values for a person."""
    return {
        "the same": "yes" if found.same else "no",
        **{f"recipe: {key}": f"{a} -> {b}" for key, (a, b) in found.recipe.items()},
        "images of the first alone": len(found.only_first),
        "images of the second alone": len(found.only_second),
        "with another label": len(found.relabelled),
        "in another group": len(found.regrouped),
        "partitions not compared": found.uncompared,
    }


def lineage(session: Session, name: str) -> dict[str, Any]:
    """The way of a split's images from their papers to the runs that were trained on it.

    Returns:
        ``papers`` (rows ``source``, ``extractor``, ``papers``, ``images``), ``labels`` (images by label source),
        ``split`` (``name``, ``digest``, ``recipe``, ``code_version``, ``catalogue_fingerprint``, ``excluded``,
        ``leakage``),
        ``catalogue_unchanged`` (whether the catalogue's content is still what the split was built from) and ``runs``
        (rows ``name``, ``digest``, ``same``: whether the run was trained on this very split).

    Raises:
        UsageError, InputError: if there is none of this name.
        RefusedError: if a file of it was changed.
    """
    split = show_split(session.workspace, name)
    manifest = split.manifest
    return {
        "papers": papers_of(session.catalogue, sorted(split.items)),
        "labels": dict(sorted(Counter(item.extra.get("label_source", "") for item in split.items.values()).items())),
        "split": {
            "name": split.name,
            "digest": split.digest,
            **{key: manifest[key] for key in ("recipe", "code_version", "catalogue_fingerprint")},
            "excluded": manifest["counts"]["excluded"],
            "leakage": split.leakage and split.leakage["reason"],
        },
        "catalogue_unchanged": session.catalogue.fingerprint() == manifest["catalogue_fingerprint"],
        "runs": [{**run, "same": run["digest"] == split.digest} for run in runs_on(session.catalogue, name)],
    }


def lineage_facts(found: dict[str, Any]) -> dict[str, Any]:
    """A lineage as names and values for a person."""
    split = found["split"]
    return {
        **{
            f"papers of {row['source']}, read by {row['extractor']}": f"{row['papers']} with {row['images']} images"
            for row in found["papers"]
        },
        **{f"labels by {source or 'nobody known'}": count for source, count in found["labels"].items()},
        **{f"recipe: {key}": value for key, value in split["recipe"].items() if value is not None},
        **{f"left out: {reason}": count for reason, count in split["excluded"].items()},
        **({"leaks, allowed because": split["leakage"]} if split["leakage"] else {}),
        "digest": split["digest"],
        "code version": split["code_version"],
        "catalogue since then": "unchanged" if found["catalogue_unchanged"] else "changed",
        **{
            f"run {run['name']}": "on this split" if run["same"] else "on another of this name" for run in found["runs"]
        },
    }
