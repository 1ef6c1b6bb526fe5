"""What two splits have in common, and what not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from polydata.catalogue.session import Session
from polydata.catalogue.trace import papers_of, runs_on
from polydata.splits.manifest import Fold, Item, Split
from polydata.splits.overview import show_split


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
    def members(items: Mapping[str, Item]) -> dict[str, set[str]]:
        groups: dict[str, set[str]] = {}
        for image in images:
            groups.setdefault(items[image].group, set()).add(image)
        return groups

    first, second = members(one), members(other)
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
