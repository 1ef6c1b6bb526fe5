"""Images of splits whose label is not what a split built today would give them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from polydata.catalogue.session import Session
from polydata.errors import PolydataError
from polydata.splits.choose import Chosen, choose_images
from polydata.splits.manifest import TARGET, Split, load_split
from polydata.splits.measured import choose_values
from polydata.splits.options import SplitOptions
from polydata.splits.overview import list_splits
from polydata.task import Task, TaskKind

Choices = dict[tuple[Any, ...], Chosen | None]
"""What was chosen for a task, a label source and a policy for partial labels; None where nothing can be."""


def relabelled(session: Session, split: Split, known: Choices | None = None) -> dict[str, tuple[Any, Any]] | None:
    """Images of a split with another label now, or none, by hash: the label there and now.

    Filters are left aside: what was said of an image counts, not whether it would be chosen again. Of a task of
    numbers values are compared.

    Args:
        known: what was chosen for other splits, filled on the way.

    Returns:
        None where it cannot be told: the task is gone, or answers say words that it does not know.
    """
    recipe, known = split.manifest["recipe"], {} if known is None else known
    key = (split.manifest["task"]["name"], recipe["label_source"], recipe["partial"])
    if key not in known:
        known[key] = _chosen(session, *key)
    chosen = known[key]
    if chosen is None:
        return None
    now: Mapping[str, Any] = chosen.values or {image: label for image, (label, _) in chosen.labels.items()}
    then = {i: float(one.extra[TARGET]) if chosen.values else one.label for i, one in split.items.items()}
    return {image: (label, now.get(image)) for image, label in then.items() if now.get(image) != label}


def _chosen(session: Session, name: str, source: str, partial: str) -> Chosen | None:
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


def list_with_labels(session: Session) -> list[dict[str, Any]]:
    """The rows of ``list_splits``, each with ``relabelled``: how many of its images have another label now, or none.

    It is None where that cannot be told.
    """
    known: Choices = {}
    rows = []
    for row in list_splits(session.workspace):
        try:
            found = relabelled(session, load_split(session.workspace.splits / row["name"]), known)
        except PolydataError:  # what is wrong with it stands in its state, or polydata split verify says it
            found = None
        rows.append({**row, "relabelled": None if found is None else len(found)})
    return rows
