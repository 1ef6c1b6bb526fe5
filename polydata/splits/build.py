"""From labels to a split: which images, under which label, and on which side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from polydata.catalogue.session import Session
from polydata.choices import Protocol
from polydata.errors import InputError, PolydataError, RefusedError, UsageError
from polydata.splits.choose import DROPPED, Chosen, choose_images
from polydata.splits.evidence import group_images, read_evidence, thin_sides, with_copies, with_ties
from polydata.splits.manifest import MANIFEST, Sides, Split, check_name, load_split
from polydata.splits.measured import choose_values
from polydata.splits.options import SplitOptions
from polydata.splits.partition import partition
from polydata.splits.write import make_items, write_split
from polydata.task import Task, TaskKind, task_names
from polydata.types import Progress, quiet


@dataclass(frozen=True)
class Built:
    """A split that was asked for, and how it came out.

    Attributes:
        excluded, contradictory: images left out, as ``Chosen`` has them.
        new: False if a split of this name and content was there already.
    """

    split: Split
    excluded: Mapping[str, int]
    contradictory: tuple[Mapping[str, Any], ...]
    new: bool

    @property
    def notes(self) -> list[str]:
        """What is unusual about its labels, a line each."""
        usual = self.split.manifest.get("task", {}).get("positive", "")
        if usual in ("", self.split.positive):
            return []
        return [f"{self.split.positive} counts as positive, since no image is labelled {usual}"]


CHOOSERS = {TaskKind.NOMINAL: choose_images, TaskKind.ORDINAL: choose_images, TaskKind.REGRESSION: choose_values}
"""Which images take part, by what is asked of them."""


def build_split(
    session: Session,
    name: str,
    options: SplitOptions,
    leakage_reason: str | None = None,
    *,
    task: Task | None = None,
    progress: Progress = quiet,
) -> Built:
    """Choose labelled images, group them, share the groups out, and write the split.

    The same catalogue content and options give the same digest in any folder and on any machine.

    Args:
        session: open for writing.
        name: of the split.
        options: how it is to be made.
        leakage_reason: why a split that leaks is wanted all the same.
        task: another than the workspace's: the same labels in an order, or a number that records have.
        progress: told of what is going on.

    Raises:
        UsageError: if the name or an option cannot be, or the task has labels that the workspace's has not.
        InputError: if too few images are labelled, or no split was imported.
        RefusedError: if another split has this name, it leaks, or there are too few groups.
    """
    task = task or session.task
    check_name(name)
    options.check(task)
    if strange := sorted(set(task.labels) - set(session.task.labels)):
        raise UsageError(
            f"The task {task.name} has labels that the workspace's has not: {', '.join(strange)}.",
            "Name that task in polydata.toml: its labels are then those that people and records give.",
        )
    if options.protocol is Protocol.PUBLISHED:
        return _as_published(session, name, leakage_reason, progress)
    chosen = CHOOSERS[task.kind](session, options, task)
    if len(chosen.classes) < 2:
        raise _too_few_labels(session, chosen, options, task)
    evidence = read_evidence(session.catalogue, chosen.labels)
    crops = options.looks_for_crops(len(chosen.labels))
    if crops:
        evidence = with_copies(evidence, session.images, progress)
    evidence = with_ties(evidence, session.catalogue, options.group_by)
    groups = group_images(evidence)
    items = make_items(session, evidence, groups, chosen.labels, chosen.values)
    folds = partition(list(items.values()), options)
    has_folds = bool(options.folds) or options.protocol is Protocol.LEAVE_ONE_PAPER_OUT
    existed = (session.workspace.splits / name).exists()
    split = write_split(
        session,
        name=name,
        recipe=options.recipe(task, len(folds) // options.repeats if has_folds else 0, crops),
        folds=folds,
        classes=chosen.classes,
        task=task,
        leakage_reason=leakage_reason,
        excluded=chosen.excluded,
        notes={
            "contradictory": list(chosen.contradictory),
            "merged_papers": list(groups.merged),
            **({} if options.group_by == "paper" else {"untied": len(items) - len(evidence.ties)}),
            **({"tested_from": _cut(folds[0])} if options.protocol is Protocol.TEMPORAL else {}),
        },
        evidence=evidence,
    )
    return Built(split, chosen.excluded, chosen.contradictory, new=not existed)


def _too_few_labels(session: Session, chosen: Chosen, options: SplitOptions, task: Task) -> InputError:
    """That images of one label make no split: what was found, left out and missing, and the options that would do."""
    count = Counter(label for label, _ in chosen.labels.values())
    found = ", ".join(f"{count[label]} {label}" for label in chosen.classes)
    left_out = "; ".join(f"{number} {why}" for why, number in chosen.excluded.items())
    kept = [
        f"--partial {policy}"
        for policy, label in task.partial_policies().items()
        if DROPPED.format(task.partial) in chosen.excluded and label and {label} | count.keys() > count.keys()
    ]
    others = [f"--task {name} ({', '.join(classes)})" for name, classes in _other_tasks(session, options, task)]
    partial = task.partial_policies()[options.partial_for(task)]
    asked = [label for label in task.labels if label != task.partial or label == partial]
    missing = ", ".join(label for label in asked if label not in count)
    also = "Label images with polydata label push and pull, polydata records import and join, or choose another "
    return InputError(
        f"A split needs images of two labels; found: {found or 'none'}."
        + f" Left out: {left_out}." * bool(left_out)
        + f" Missing: {missing}." * bool(missing and not others),
        f"Take the partial label in: {' or '.join(kept)}. " * bool(kept and count)
        + f"Ask for other labels: {' or '.join(others)}. " * bool(others)
        + also
        + ("--label-source or --where." if options.where else "--label-source."),
    )


def _other_tasks(session: Session, options: SplitOptions, task: Task) -> Iterator[tuple[str, Sequence[str]]]:
    """Other tasks of labels, as --task names them, with which the same options find two labels or more: these labels.

    They are those that polydata comes with.
    """
    for name in task_names():
        with suppress(PolydataError):  # a task that these options do not fit
            other = session.workspace.named_task(name)
            options.check(other)
            if other.name != task.name and other.labels and set(other.labels) <= set(session.task.labels):
                classes = CHOOSERS[other.kind](session, options, other).classes
                if len(classes) > 1:
                    yield name, classes


def _cut(sides: Sides) -> int:
    """The year from which on papers are tested: all that is trained on is older."""
    return 1 + max(int(item.extra["year"]) for item in sides.trained)


def _as_published(session: Session, name: str, leakage_reason: str | None, progress: Progress) -> Built:
    """The split that an imported data set brought, once more under another name."""
    folder = session.workspace.splits / Protocol.PUBLISHED
    if not (folder / MANIFEST).is_file():
        raise InputError("No published split was imported.", "Import one with: polydata import-published DIR")
    source = load_split(folder)
    existed = (session.workspace.splits / name).exists()
    split = write_split(
        session,
        name=name,
        recipe=source.manifest["recipe"],
        folds=source.folds,
        classes=source.classes,
        leakage_reason=leakage_reason,
        evidence=with_copies(read_evidence(session.catalogue, source.items), session.images, progress),
    )
    return Built(split, {}, (), new=not existed)


def most_folds(split: Split, options: SplitOptions) -> int | None:
    """The largest number of folds, fewer than were asked for, of which no side is thin; None where there is none."""
    for folds in range(options.folds - 1, 1, -1):
        with suppress(RefusedError):
            if not thin_sides(partition(list(split.items.values()), replace(options, folds=folds)), split.classes):
                return folds
    return None
