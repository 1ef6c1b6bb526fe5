"""The one way in which a split comes to be, whether it was built here or brought by its authors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.session import Session
from polydata.catalogue.splits import register, registered
from polydata.errors import InputError, RefusedError, UsageError
from polydata.files.atomic import put_back, replacing_folder, writing_to
from polydata.ids import is_text, sha256_bytes
from polydata.resources import VERSION
from polydata.splits.evidence import Evidence, Groups, find_leaks, read_evidence
from polydata.splits.manifest import (
    FORMAT,
    MANIFEST,
    TARGET,
    Item,
    Sides,
    Split,
    check_name,
    fold_count,
    fold_files,
    list_text,
    load_split,
    manifest_text,
    sealed,
    split_digest,
)
from polydata.task import Task

MAX_TEXT = 1000
"""Longer texts are cut: a list is read by spreadsheets, the catalogue holds the whole text."""
RECIPE_KEYS = frozenset(("protocol", "folds", "repeats", "seed", "label_source", "partial"))
"""What every recipe says; more may stand in it, and all of it goes into the digest."""
MAX_LISTED = 200
"""So many pairs of a finding stand in the manifest; the count is always complete."""


def make_items(
    session: Session,
    evidence: Evidence,
    groups: Groups,
    labels: Mapping[str, tuple[str, str]],
    values: Mapping[str, float] | None = None,
) -> dict[str, Item]:
    """The line of each labelled image, by its hash.

    Args:
        values: of a task of numbers, by the hash of the image.
        labels: label and label source of each image; the evidence must cover all of them.
    """
    above = f"{session.workspace.root.as_posix()}/"
    items = {}
    for image, (label, source) in sorted(labels.items()):
        facts = evidence.facts[image]
        items[image] = Item(
            image_sha256=image,
            label=label,
            group=groups.of_image[image],
            path=session.images.path(image, facts["format"]).as_posix().removeprefix(above),
            extra={
                "paper_id": facts["paper_id"],
                "figure_id": facts["figure_id"],
                "panel_id": facts["panel_id"],
                "label_source": source,
                "width": str(facts["width"]),
                "height": str(facts["height"]),
                "doi": facts["doi"] or "",
                "journal": _one_line(facts["journal"]),
                "year": _number(facts["year"]),
                "page": _number(facts["page"]),
                "panel": facts["panel"] or "",
                "file_name": _one_line(facts["file_name"]),
                "technique": facts["technique"] or "",
                "scale_um": _number(facts["scale_um"]),
                "caption": _one_line(facts["caption"]),
                **({TARGET: f"{values[image]:.9g}"} if values else {}),
            },
        )
    return items


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())[:MAX_TEXT]


@cache
def _number(value: float | None) -> str:
    """A number in the one way in which lists write it, at most six digits; empty for none."""
    return "" if value is None else f"{value:.6g}"


def write_split(
    session: Session,
    *,
    name: str,
    recipe: Mapping[str, Any],
    folds: Sequence[Sides],
    classes: Sequence[str],
    leakage_reason: str | None = None,
    excluded: Mapping[str, int] | None = None,
    notes: Mapping[str, Any] | None = None,
    evidence: Evidence | None = None,
    task: Task | None = None,
) -> Split:
    """Check, audit, write and register a split.

    The folder appears whole or not at all; then the catalogue learns of it. If the process ends in between,
    the same call again finds the folder as it would write it and registers it. Content that is the same as
    that of an existing split of this name changes nothing.

    Args:
        recipe: how the split came about: at least ``RECIPE_KEYS``, plain JSON values that are the same on
            every machine. ``folds`` is 0 for one partition, whose ``repeats`` is 1.
        folds: the sides of each partition, as many as the recipe says, with items as
            ``make_items`` gives them. The catalogue must know every image.
        classes: the labels that occur, in the task's order.
        leakage_reason: why a split that leaks is wanted all the same; written into the manifest.
        excluded: reason -> how many images were left out for it.
        notes: what else the manifest is to say (``merged`` papers, ``contradictory`` images).
        evidence: what the audit goes by; otherwise all that the catalogue knows of the images.
        task: what is asked of the images; otherwise the session's.

    Raises:
        UsageError: if the name cannot be one.
        InputError: if the partitions are no partitions: an image twice, an empty side, an unknown label.
        RefusedError: if it leaks and no reason is given, or another split has this name, or the same one for another
            reason.
    """
    check_name(name)
    _check(recipe, folds, classes)
    images = {item.image_sha256 for sides in folds for item in sides.everything}
    evidence = evidence or read_evidence(session.catalogue, images)
    findings = find_leaks(folds, evidence)
    reason = " ".join((leakage_reason or "").split())
    if not is_text(reason):
        raise UsageError("The reason for leakage holds bytes that are no text.", "Write it in UTF-8.")
    if findings and not reason:
        raise RefusedError(
            f"The split {name} leaks from training to test. " + " ".join(f"{f.describe()}." for f in findings),
            "Group by paper, or give your reason with --allow-leakage REASON: it will stand in the split and its runs.",
        )
    lists = {
        file: list_text(getattr(sides, side))
        for number, sides in enumerate(folds, start=1)
        for side, file in fold_files(recipe, number).items()
    }
    listed = [{"detector": f.detector, "count": f.count, "items": list(f.items[:MAX_LISTED])} for f in findings]
    files = {file: sha256_bytes(text.encode()) for file, text in sorted(lists.items())}
    task = task or session.task
    manifest = sealed(
        {
            "format": FORMAT,
            "name": name,
            "task": {"name": task.name, "labels": list(task.labels), "positive": task.positive, **task.asked},
            "classes": list(classes),
            "positive": task.positive_among(classes),
            "recipe": dict(recipe),
            "code_version": VERSION,
            "catalogue_fingerprint": session.catalogue.fingerprint(),
            "counts": {**_counts(folds, classes), "excluded": dict(excluded or {})},
            "notes": dict(notes or {}),
            "leakage": {"reason": reason, "findings": listed} if findings else None,
            "images_digest": sha256_bytes("\n".join(sorted(images)).encode()),
            "files": files,
            "digest": split_digest(recipe, files),
        }
    )
    folder = session.workspace.splits / name
    _refuse_other(session.catalogue, folder, name, manifest["digest"])
    if not folder.exists():
        with writing_to(folder, "Make room or check the permissions."):
            put_back(folder)  # what a killed process left
            with replacing_folder(folder) as new:
                for file, text in {**lists, MANIFEST: manifest_text(manifest)}.items():
                    (new / file).write_text(text, encoding="utf-8", newline="")
    split = load_split(folder)
    if findings and split.leakage and split.leakage["reason"] != reason:
        raise RefusedError(
            f"The split {name} is there already, and it says that leakage is allowed for another reason: "
            f"{split.leakage['reason']}.",
            "A split is never changed. Give the same reason, or build it under another name.",
        )
    if registered(session.catalogue, name) is None:
        rows = [
            (fold.number, side, item.image_sha256, item.label, item.group)
            for fold in split.folds
            for side, items in fold.named().items()
            for item in items
        ]
        register(session.catalogue, name, split.manifest, rows)
    return split


def _check(recipe: Mapping[str, Any], folds: Sequence[Sides], classes: Sequence[str]) -> None:
    missing = RECIPE_KEYS - set(recipe)
    if missing:
        raise UsageError(f"The recipe of the split does not say: {', '.join(sorted(missing))}.")
    if len(folds) != fold_count(recipe):
        raise InputError(f"The recipe asks for {fold_count(recipe)} partitions, but there are {len(folds)}.")
    for number, sides in enumerate(folds, start=1):
        if not sides.train or not sides.test:
            raise InputError(f"The {'test' if sides.train else 'training'} side of partition {number} is empty.")
        if set(sides.named()) != set(fold_files(recipe, number)):
            raise InputError(f"The validation side of partition {number} is not as the recipe says.")
        times = Counter(item.image_sha256 for item in sides.everything)
        twice = sorted(image for image, n in times.items() if n > 1)
        if twice:
            raise InputError(
                f"{len(twice)} images stand more than once in partition {number}, first {twice[0]}.",
                "Every image has one place in a partition; equal files are one image.",
            )
        unknown = sorted({item.label for item in sides.everything} - set(classes))
        if unknown:
            raise InputError(f"Partition {number} holds labels that are no classes of it: {', '.join(unknown)}.")


def _counts(folds: Sequence[Sides], classes: Sequence[str]) -> dict[str, Any]:
    everything = {i.image_sha256: i for sides in folds for i in sides.everything}
    return {
        **_tally(list(everything.values()), classes),
        "sides": [
            {"fold": number, "side": side, **_tally(items, classes)}
            for number, sides in enumerate(folds, start=1)
            for side, items in sides.named().items()
        ],
    }


def _tally(items: Sequence[Item], classes: Sequence[str]) -> dict[str, Any]:
    techniques = Counter(item.extra.get("technique") or "not told" for item in items)
    return {
        **_sizes(items),
        "by_class": {label: _sizes([item for item in items if item.label == label]) for label in classes},
        "by_technique": dict(sorted(techniques.items())),
    }


def _sizes(items: Sequence[Item]) -> dict[str, int]:
    return {
        "images": len(items),
        "groups": len({item.group for item in items}),
        "papers": len({item.extra["paper_id"] for item in items}),
    }


def _refuse_other(catalogue: Catalogue, folder: Path, name: str, digest: str) -> None:
    """Make sure that what exists under this name, on disk and in the catalogue, is the same."""
    found = {registered(catalogue, name)}
    if folder.exists():
        found.add(load_split(folder).digest)
    others = found - {digest, None}
    if others:
        raise RefusedError(
            f"There is another split {name} (digest {str(others.pop())[:16]}; this one would be {digest[:16]}).",
            "A split is never changed. Build this one under another name.",
        )
