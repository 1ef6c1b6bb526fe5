"""From labels to a split: which images, under which label, and on which side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from polydata.catalogue.session import Session
from polydata.choices import Protocol
from polydata.errors import InputError
from polydata.splits.choose import choose_images
from polydata.splits.evidence import group_images, read_evidence, with_copies
from polydata.splits.leaks import Sides
from polydata.splits.manifest import MANIFEST, Split, check_name, load_split
from polydata.splits.options import Options
from polydata.splits.partition import partition
from polydata.splits.write import make_items, write_split
from polydata.types import Progress, quiet


@dataclass(frozen=True)
class Built:
    """A split that was asked for, and how it came out.

    Attributes:
        excluded: reason -> number of images left out for it.
        contradictory: images left out because what was said of them cannot be one label, as ``Chosen`` has them.
        new: False if a split of this name and content was there already.
    """

    split: Split
    excluded: Mapping[str, int]
    contradictory: tuple[Mapping[str, Any], ...]
    new: bool


def build_split(
    session: Session,
    name: str,
    options: Options,
    leakage_reason: str | None = None,
    *,
    progress: Progress = quiet,
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
    items = make_items(session.workspace, evidence, groups, chosen.labels)
    folds = partition(list(items.values()), options)
    existed = (session.workspace.splits / name).exists()
    split = write_split(
        session,
        name=name,
        recipe=options.recipe(len(folds) // options.repeats if _has_folds(options) else 0, crops),
        folds=folds,
        classes=classes,
        leakage_reason=leakage_reason,
        excluded=chosen.excluded,
        notes={"contradictory": list(chosen.contradictory), "merged_papers": list(groups.merged)},
        evidence=evidence,
    )
    return Built(split, chosen.excluded, chosen.contradictory, new=not existed)


def _has_folds(options: Options) -> bool:
    return bool(options.folds) or options.protocol is Protocol.LEAVE_ONE_PAPER_OUT


def _as_published(session: Session, name: str, leakage_reason: str | None, progress: Progress) -> Built:
    """The split that an imported data set brought, once more under another name."""
    folder = session.workspace.splits / Protocol.PUBLISHED
    if not (folder / MANIFEST).is_file():
        raise InputError("No published split was imported.", "Import one with: polydata import-published DIR")
    source = load_split(folder)
    folds = [Sides(f.train, f.test, f.val) for f in source.folds]
    images = {item.image_sha256 for sides in folds for item in sides.everything}
    existed = (session.workspace.splits / name).exists()
    split = write_split(
        session,
        name=name,
        recipe=source.manifest["recipe"],
        folds=folds,
        classes=source.classes,
        leakage_reason=leakage_reason,
        evidence=with_copies(read_evidence(session.catalogue, images), session.images, progress),
    )
    return Built(split, {}, (), new=not existed)
