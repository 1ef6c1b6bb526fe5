"""Which images take part in a split, and under which label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from polydata.catalogue.filters import images_where
from polydata.catalogue.session import Session
from polydata.catalogue.splits import label_choices
from polydata.splits.options import AUTO, REVIEW, Options
from polydata.splits.where import read_where
from polydata.task import Task


@dataclass(frozen=True)
class Chosen:
    """Images that take part, and why others do not.

    Attributes:
        labels: label and label source of each image that takes part, by its hash.
        excluded: reason -> number of images left out for it.
        contradictory: images left out because what was said of them cannot be one label:
            ``image_sha256`` and ``said``.
    """

    labels: Mapping[str, tuple[str, str]]
    excluded: Mapping[str, int]
    contradictory: tuple[Mapping[str, Any], ...]


def choose_images(session: Session, options: Options) -> Chosen:
    """Decide for every image that a panel shows whether it takes part, and under which label.

    An image that reviewers called no micrograph, could not judge, or disagree about without a majority stays out
    whatever else was said of it.
    """
    source = None if options.label_source == AUTO else options.label_source
    partial = _partial_label(session.task, options.partial)
    labels: dict[str, tuple[str, str]] = {}
    contradictory = []
    excluded: Counter[str] = Counter()
    wanted = images_where(session.catalogue, read_where(options.where)) if options.where else None
    for row in label_choices(session.catalogue, source, review=source == REVIEW):
        label = row["label"]
        if wanted is not None and row["image_sha256"] not in wanted:
            excluded["outside the filter"] += 1
        elif row["answer"] == session.task.not_a_micrograph:
            excluded["reviewers: no micrograph"] += 1
        elif row["answer"] == session.task.unsure:
            excluded["reviewers: unsure"] += 1
        elif row["tied"] is not None:
            excluded["reviewers disagree"] += 1
            said = [f"{REVIEW}={word}" for word in row["tied"]]
            contradictory.append({"image_sha256": row["image_sha256"], "said": said})
        elif row["said"] is None:
            excluded["no label, rejected by screening" if row["rejected"] else "no label"] += 1
        elif label not in session.task.labels:
            excluded["contradictory labels"] += 1
            contradictory.append({"image_sha256": row["image_sha256"], "said": row["said"]})
        elif label == session.task.partial and partial is None:
            excluded["partial label"] += 1
        else:
            labels[row["image_sha256"]] = (str(partial) if label == session.task.partial else label, row["source"])
    return Chosen(labels, dict(sorted(excluded.items())), tuple(contradictory))


def _partial_label(task: Task, policy: str) -> str | None:
    """What a partial label becomes under a policy; None where the image is left out."""
    drop, as_positive, as_negative, own = task.partial_policies()
    return {drop: None, as_positive: task.positive, as_negative: task.negative, own: task.partial}[policy]
