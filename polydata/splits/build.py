"""From labels to a split: which images, under which label, and on which side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.splits import label_choices
from polydata.errors import InputError, UsageError
from polydata.splits.audit import Sides
from polydata.splits.groups import GROUP_BY, Groups, group_images, read_evidence
from polydata.splits.items import make_items
from polydata.splits.manifest import Item, Split, check_name
from polydata.splits.pictures import NEAR
from polydata.splits.stratify import share_out
from polydata.splits.write import write_split
from polydata.task import Task
from polydata.workspace import Workspace

AUTO = "auto"
REVIEW = "review"
MAX_FOLDS = 100


@dataclass(frozen=True)
class Options:
    """How a split is to be made.

    Attributes:
        seed: decides which groups go where.
        test_fraction: share of the images on the test side, between 0 and 1; without folds.
        folds: 0 for one partition, else how many parts take turns as the test side.
        repeats: how often the images are shared out anew; with folds.
        label_source: ``auto`` (resolved over all sources) or one source of the task, which is then heard alone.
        partial: one of ``task.partial_policies()``.
    """

    seed: int = 0
    test_fraction: float = 0.2
    folds: int = 0
    repeats: int = 1
    label_source: str = AUTO
    partial: str = "drop"

    def check(self, task: Task) -> None:
        """Make sure that this can be done for the task.

        Raises:
            UsageError: naming what cannot be and what could.
        """
        sources = (AUTO, *(s.name for s in task.sources))
        if self.label_source not in sources:
            raise UsageError(
                f"There is no label source {self.label_source!r}.", f"Choose one of: {', '.join(sources)}."
            )
        if self.partial not in task.partial_policies():
            raise UsageError(
                f"There is no policy {self.partial!r} for partial labels.",
                f"Choose one of: {', '.join(task.partial_policies())}.",
            )
        if not 0 < self.test_fraction < 1:
            raise UsageError(f"The test fraction must lie between 0 and 1, not {self.test_fraction}.")
        if not (self.folds == 0 or 2 <= self.folds <= MAX_FOLDS):
            raise UsageError(f"There can be 2 to {MAX_FOLDS} folds (0 for one partition), not {self.folds}.")
        if not 1 <= self.repeats <= MAX_FOLDS:
            raise UsageError(f"There can be 1 to {MAX_FOLDS} repeats, not {self.repeats}.")
        if self.repeats > 1 and not self.folds:
            raise UsageError("Only folds can be repeated.", "Add --folds K, or build splits with several seeds.")

    def recipe(self) -> dict[str, Any]:
        """What the manifest says of how the split was made."""
        return {
            "protocol": "grouped",
            "seed": self.seed,
            "test_fraction": None if self.folds else self.test_fraction,
            "folds": self.folds,
            "repeats": self.repeats,
            "label_source": self.label_source,
            "partial": self.partial,
            "group_by": list(GROUP_BY),
            "picture_distance": NEAR,
            "stratify_by": ["label"],
        }


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


@dataclass(frozen=True)
class Built:
    """A split that was asked for, and how it came out.

    Attributes:
        new: False if a split of this name and content was there already.
    """

    split: Split
    chosen: Chosen
    groups: Groups
    new: bool


def choose_images(catalogue: Catalogue, task: Task, options: Options) -> Chosen:
    """Decide for every image that a panel shows whether it takes part, and under which label.

    An image that reviewers called no micrograph, could not judge, or disagree about without a majority stays out
    whatever else was said of it.
    """
    source = None if options.label_source == AUTO else options.label_source
    partial = _partial_label(task, options.partial)
    labels: dict[str, tuple[str, str]] = {}
    contradictory = []
    excluded: Counter[str] = Counter()
    for row in label_choices(catalogue, source, review=source == REVIEW):
        label = row["label"]
        if row["answer"] == task.not_a_micrograph:
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
            excluded["partial label"] += 1
        else:
            labels[row["image_sha256"]] = (str(partial) if label == task.partial else label, row["source"])
    return Chosen(labels, dict(sorted(excluded.items())), tuple(contradictory))


def _partial_label(task: Task, policy: str) -> str | None:
    """What a partial label becomes under a policy; None where the image is left out."""
    drop, as_positive, as_negative, own = task.partial_policies()
    return {drop: None, as_positive: task.positive, as_negative: task.negative, own: task.partial}[policy]


def build_split(
    workspace: Workspace, catalogue: Catalogue, name: str, options: Options, leakage_reason: str | None = None
) -> Built:
    """Choose labelled images, group them, share the groups out, and write the split.

    The same catalogue content and options give the same digest in any folder and on any machine.

    Raises:
        UsageError: if the name or an option cannot be.
        InputError: if too few images are labelled.
        RefusedError: if another split has this name, or there are too few groups.
    """
    task = workspace.task()
    check_name(name)
    options.check(task)
    chosen = choose_images(catalogue, task, options)
    found = {label for label, _ in chosen.labels.values()}
    classes = [label for label in task.labels if label in found]
    if task.positive not in classes or len(classes) < 2:
        raise InputError(
            f"A split needs images labelled {task.positive} and images of another label; "
            f"found: {', '.join(classes) or 'none'}.",
            "Label images with polydata label push and pull, polydata records import and join, or choose another "
            "--label-source.",
        )
    evidence = read_evidence(catalogue, chosen.labels)
    groups = group_images(evidence)
    items = make_items(workspace, evidence, groups, chosen.labels)
    existed = (workspace.splits / name).exists()
    split = write_split(
        workspace,
        catalogue,
        name=name,
        recipe=options.recipe(),
        folds=partition(list(items.values()), classes, options),
        classes=classes,
        leakage_reason=leakage_reason,
        excluded=chosen.excluded,
        notes={"contradictory": list(chosen.contradictory), "merged_papers": list(groups.merged)},
    )
    return Built(split, chosen, groups, new=not existed)


def partition(items: Sequence[Item], classes: Sequence[str], options: Options) -> list[Sides]:
    """Share items out by their groups: training and test side of each partition.

    Without folds the test side gets ``test_fraction`` of the images; with folds each repeat makes as many parts
    as there are folds, and every part is the test side once.
    """
    column = {label: k for k, label in enumerate(classes)}
    counts: dict[str, list[int]] = {}
    for item in items:
        counts.setdefault(item.group, [0] * len(classes))[column[item.label]] += 1
    shares = (
        [1 / options.folds] * options.folds if options.folds else [options.test_fraction, 1 - options.test_fraction]
    )
    folds: list[Sides] = []
    for repeat in range(1, options.repeats + 1):
        part_of = share_out(counts, shares, f"{options.seed}/{repeat}")
        for part in range(options.folds or 1):
            folds.append(
                (
                    [item for item in items if part_of[item.group] != part],
                    [item for item in items if part_of[item.group] == part],
                )
            )
    return folds
