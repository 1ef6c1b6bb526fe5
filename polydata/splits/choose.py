"""Which labelled images take part in a split, and why others do not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from polydata.catalogue.annotations import outside_words
from polydata.catalogue.session import Session
from polydata.catalogue.splits import images_where, label_choices
from polydata.choices import Protocol
from polydata.errors import RefusedError
from polydata.splits.options import AUTO, REVIEW, SplitOptions
from polydata.splits.where import read_where
from polydata.task import Task

DATED = "not year is null"
DROPPED = "{} (--partial own-class keeps them)"
"""Why images with the partial label are left out."""


@dataclass(frozen=True)
class Chosen:
    """Images that take part, and why others do not.

    Attributes:
        labels: label and label source of each image that takes part, by its hash.
        excluded: reason -> number of images left out for it.
        contradictory: images left out because what was said of them cannot be one label:
            ``image_sha256`` and ``said``.
        classes: the labels that occur, in the task's order.
        values: of a task of numbers that of each image, by its hash; its label is then the bin that holds it.
    """

    labels: Mapping[str, tuple[str, str]]
    excluded: Mapping[str, int]
    contradictory: tuple[Mapping[str, Any], ...]
    classes: tuple[str, ...]
    values: Mapping[str, float] = field(default_factory=dict)


def choose_images(session: Session, options: SplitOptions, task: Task | None = None) -> Chosen:
    """Decide for every image that a panel shows whether it takes part, and under which label.

    An image that reviewers called no micrograph, could not judge, or disagree about without a majority stays out
    whatever else was said of it.

    Args:
        task: another than the session's, with labels that the session's knows.
    """
    task = task or session.task
    strange = outside_words(session.catalogue, session.task.choices)
    if strange:
        words = ", ".join(f"{word!r} ({count})" for word, count in strange.items())
        raise RefusedError(
            f"Answers say words that the task does not know: {words}.",
            "Map each to a word of the task: polydata label rename OLD NEW, or put it back into the task file.",
        )
    source = None if options.label_source == AUTO else options.label_source
    partial = task.partial_policies()[options.partial_for(task)]
    labels: dict[str, tuple[str, str]] = {}
    contradictory = []
    excluded: Counter[str] = Counter()
    for row, outside in left_outside(session, options, label_choices(session.catalogue, source, source == REVIEW)):
        label = row["label"]
        if outside:
            excluded[outside] += 1
        elif row["answer"] == task.not_a_micrograph:
            excluded["reviewers: no micrograph"] += 1
        elif row["answer"] == task.unsure:
            excluded["reviewers: unsure"] += 1
        elif row["tied"] is not None:
            excluded["reviewers disagree"] += 1
            said = [f"{REVIEW}={word}" for word in row["tied"]]
            contradictory.append({"image_sha256": row["image_sha256"], "said": said})
        elif row["said"] is None:
            excluded["no label, rejected by screening" if row["rejected"] else "no label"] += 1
        elif label not in task.labels:
            excluded["contradictory labels"] += 1
            contradictory.append({"image_sha256": row["image_sha256"], "said": row["said"]})
        elif label == task.partial and partial is None:
            excluded[DROPPED.format(label)] += 1
        else:
            labels[row["image_sha256"]] = (str(partial) if label == task.partial else label, row["source"])
    found = {label for label, _ in labels.values()}
    classes = tuple(label for label in task.labels if label in found)
    return Chosen(labels, dict(sorted(excluded.items())), tuple(contradictory), classes)


def left_outside(
    session: Session, options: SplitOptions, rows: Iterable[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], str]]:
    """Each row about an image, and why it stays outside whatever was said of it; empty where it does not."""
    asked = {"outside the filter": options.where, "no year": DATED if options.protocol is Protocol.TEMPORAL else ""}
    within = {why: images_where(session.catalogue, read_where(where)) for why, where in asked.items() if where}
    for row in rows:
        yield row, next((why for why, images in within.items() if row["image_sha256"] not in images), "")
