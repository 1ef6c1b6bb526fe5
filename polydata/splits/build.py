"""From labels to a split: which images, under which label, and on which side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from polydata.catalogue.annotations import outside_words
from polydata.catalogue.session import Session
from polydata.catalogue.splits import images_where, label_choices
from polydata.choices import Protocol
from polydata.errors import InputError, RefusedError
from polydata.splits.evidence import group_images, read_evidence, with_copies
from polydata.splits.manifest import MANIFEST, Split, check_name, load_split
from polydata.splits.options import AUTO, REVIEW, SplitOptions
from polydata.splits.partition import partition
from polydata.splits.where import read_where
from polydata.splits.write import make_items, write_split
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


def build_split(
    session: Session, name: str, options: SplitOptions, leakage_reason: str | None = None, *, progress: Progress = quiet
) -> Built:
    """Choose labelled images, group them, share the groups out, and write the split.

    The same catalogue content and options give the same digest in any folder and on any machine.

    Raises:
        UsageError: if the name or an option cannot be.
        InputError: if too few images are labelled, or no split was imported.
        RefusedError: if another split has this name, it leaks, or there are too few groups.
    """
    task = session.task
    check_name(name)
    options.check(task)
    if options.protocol is Protocol.PUBLISHED:
        return _as_published(session, name, leakage_reason, progress)
    chosen = choose_images(session, options)
    found = {label for label, _ in chosen.labels.values()}
    classes = [label for label in task.labels if label in found]
    if task.positive not in classes or len(classes) < 2:
        raise InputError(
            f"A split needs images labelled {task.positive} and images of another label; "
            f"found: {', '.join(classes) or 'none'}.",
            "Label images with polydata label push and pull, polydata records import and join, or choose another "
            "--label-source" + (" or --where." if options.where else "."),
        )
    evidence = read_evidence(session.catalogue, chosen.labels)
    crops = options.looks_for_crops(len(chosen.labels))
    if crops:
        evidence = with_copies(evidence, session.images, progress)
    groups = group_images(evidence)
    items = make_items(session, evidence, groups, chosen.labels)
    folds = partition(list(items.values()), options)
    has_folds = bool(options.folds) or options.protocol is Protocol.LEAVE_ONE_PAPER_OUT
    existed = (session.workspace.splits / name).exists()
    split = write_split(
        session,
        name=name,
        recipe=options.recipe(len(folds) // options.repeats if has_folds else 0, crops),
        folds=folds,
        classes=classes,
        leakage_reason=leakage_reason,
        excluded=chosen.excluded,
        notes={"contradictory": list(chosen.contradictory), "merged_papers": list(groups.merged)},
        evidence=evidence,
    )
    return Built(split, chosen.excluded, chosen.contradictory, new=not existed)


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


def choose_images(session: Session, options: SplitOptions) -> Chosen:
    """Decide for every image that a panel shows whether it takes part, and under which label.

    An image that reviewers called no micrograph, could not judge, or disagree about without a majority stays out
    whatever else was said of it.
    """
    outside = outside_words(session.catalogue, session.task.choices)
    if outside:
        words = ", ".join(f"{word!r} ({count})" for word, count in outside.items())
        raise RefusedError(
            f"Answers say words that the task does not know: {words}.",
            "Map each to a word of the task: polydata label rename OLD NEW, or put it back into the task file.",
        )
    source = None if options.label_source == AUTO else options.label_source
    task = session.task
    meant = (None, task.positive, task.negative, task.partial)  # by a partial label; None leaves the image out
    partial = dict(zip(task.partial_policies(), meant, strict=True))[options.partial]
    labels: dict[str, tuple[str, str]] = {}
    contradictory = []
    excluded: Counter[str] = Counter()
    wanted = images_where(session.catalogue, read_where(options.where)) if options.where else None
    for row in label_choices(session.catalogue, source, review=source == REVIEW):
        label = row["label"]
        if wanted is not None and row["image_sha256"] not in wanted:
            excluded["outside the filter"] += 1
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
            excluded["partial label"] += 1
        else:
            labels[row["image_sha256"]] = (str(partial) if label == task.partial else label, row["source"])
    return Chosen(labels, dict(sorted(excluded.items())), tuple(contradictory))
