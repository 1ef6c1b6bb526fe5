"""Images of splits whose label is not what a split built today would give them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from polydata.catalogue.session import Session
from polydata.catalogue.splits import labels_there
from polydata.catalogue.successors import successors_of
from polydata.errors import PolydataError
from polydata.splits.choose import Chosen, choose_images
from polydata.splits.manifest import TARGET, Split, load_split, read_manifest
from polydata.splits.measured import choose_values
from polydata.splits.options import SplitOptions
from polydata.splits.overview import list_splits
from polydata.task import Task, TaskKind

UNTOLD: dict[str, int | None] = {"relabelled": None, "cut_anew": None}
Choices = dict[tuple[Any, ...], Chosen | None]
"""What was chosen for a task, a label source and a policy for partial labels; None where nothing can be."""


def relabelled(session: Session, split: Split) -> dict[str, tuple[Any, Any]] | None:
    """Images of a split with another label now, or none, by hash: the label there and now.

    Filters are left aside: what was said of an image counts, not whether it would be chosen again. Of a task of
    numbers values are compared.

    Returns:
        None where it cannot be told: the task is gone, or answers say words that it does not know.
    """
    chosen = _chosen(session, split.manifest, {})
    return None if chosen is None else _differing(chosen, _said_there(split, chosen))


def _differing(chosen: Chosen, then: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Images with another label, or value, than they had: both, by hash."""
    now: Mapping[str, Any] = chosen.values or {image: label for image, (label, _) in chosen.labels.items()}
    return {image: (label, now.get(image)) for image, label in then.items() if now.get(image) != label}


def _said_there(split: Split, chosen: Chosen) -> dict[str, Any]:
    """What a split says of each image: its label, or of a task of numbers its value."""
    return {i: float(one.extra[TARGET]) if chosen.values else one.label for i, one in split.items.items()}


def _chosen(session: Session, manifest: Mapping[str, Any], known: Choices) -> Chosen | None:
    """What would be chosen today for a split of this manifest; ``known`` is filled on the way."""
    recipe = manifest["recipe"]
    key = (manifest["task"]["name"], recipe["label_source"], recipe["partial"])
    if key not in known:
        known[key] = _choose(session, *key)
    return known[key]


def _choose(session: Session, name: str, source: str, partial: str) -> Chosen | None:
    try:
        task = session.task if name == session.task.name else session.workspace.named_task(name)
        if task.kind is TaskKind.REGRESSION:
            return choose_values(session, SplitOptions(), task)
        return choose_images(session, SplitOptions(label_source=source, partial=_policy(task, partial)), task)
    except PolydataError:
        return None


def _policy(task: Task, partial: str) -> str | None:
    """What is done with partial labels; a data set that was imported with its split has no such policy."""
    return partial if partial in task.partial_policies() else None


def _counts(session: Session, name: str, known: Choices) -> dict[str, int | None]:
    """Images of a split with another label now, or none, and those that were only cut anew; None if it cannot be told.

    Labels are those that the catalogue noted when this very split was built; its lists are read where it has none, or
    where values are asked.
    """
    folder = session.workspace.splits / name
    try:
        manifest = read_manifest(folder)
        if (chosen := _chosen(session, manifest, known)) is None:
            return UNTOLD
        noted = {} if chosen.values else labels_there(session.catalogue, name, manifest["digest"])
        changed = _differing(chosen, noted or _said_there(load_split(folder), chosen))
        now: Mapping[str, Any] = chosen.values or {image: label for image, (label, _) in chosen.labels.items()}
        heirs = successors_of(session.catalogue, [image for image, (_, label) in changed.items() if label is None])
        cut = sum(now.get(heir) == changed[image][0] for image, heir in heirs.items())
        return {"relabelled": len(changed) - cut, "cut_anew": cut}
    except PolydataError:  # what is wrong with it stands in its state, or polydata split verify says it
        return UNTOLD


def list_with_labels(session: Session) -> list[dict[str, Any]]:
    """The rows of ``list_splits``, each with ``relabelled`` and ``cut_anew``.

    They are how many of its images have another label now, or none, and in the place of how many another picture of the
    same label stands; None where that cannot be told.
    """
    known: Choices = {}
    return [row | _counts(session, row["name"], known) for row in list_splits(session.workspace)]


def all_relabelled(session: Session, names: Sequence[str]) -> int:
    """Images of the last of these splits that are relabelled or cut anew, where every one has such images; else 0."""
    known: Choices = {}
    found = 0
    for name in reversed(names):  # one that is up to date is mostly among the last: the others need not be asked
        if not (count := sum(filter(None, _counts(session, name, known).values()))):
            return 0
        found = found or count
    return found
