"""The honest part of a split that leaks: the same training sides, and those held-out images that share nothing."""

from __future__ import annotations

from dataclasses import replace

from polydata.catalogue.session import Session
from polydata.errors import RefusedError
from polydata.splits.evidence import find_leaks, read_evidence, with_copies
from polydata.splits.manifest import Sides, Split, check_name, load_split
from polydata.splits.options import SplitOptions
from polydata.splits.write import write_split
from polydata.task import Task, TaskKind
from polydata.types import Progress, quiet


def honest_part(session: Session, source: str, name: str, progress: Progress = quiet) -> Split:
    """Write a split of those held-out images of another that share nothing with its training side.

    Its figures are honest, but of fewer images, which need not be like the others.

    Args:
        session: open for writing.
        source: name of the split that leaks.
        name: of the new one.
        progress: told of the search for crops.

    Raises:
        UsageError: if a name cannot be one.
        InputError: if there is no such split.
        RefusedError: if it does not leak, a side of it would be empty, or another split has the name.
    """
    check_name(name)
    whole = load_split(session.workspace.splits / check_name(source))
    evidence = read_evidence(session.catalogue, whole.items)
    if SplitOptions().looks_for_crops(len(whole.items)):
        evidence = with_copies(evidence, session.images, progress)
    leaking = {(one["fold"], one["test"]) for leak in find_leaks(whole.folds, evidence) for one in leak.items}
    if not leaking:
        hint = f"Train on it: polymodel train {source}"
        raise RefusedError(f"No leak was found in {source}: all of it is honest.", hint)
    folds = []
    for fold in whole.folds:
        kept = {side: [i for i in getattr(fold, side) if (fold.number, i.image_sha256) not in leaking]
                for side in ("val", "test")}  # fmt: skip
        if not kept["test"] or (fold.val and not kept["val"]):
            raise RefusedError(
                f"Nothing of partition {fold.number} of {source} would be left to test: all of it leaks.",
                "Build a split of the same images by papers: polydata build-split NAME",
            )
        folds.append(Sides(train=fold.train, **kept))
    return write_split(
        session,
        name=name,
        recipe={**whole.manifest["recipe"], "honest_part_of": whole.digest},
        folds=folds,
        classes=whole.classes,
        excluded={"leaks from training": len({image for _, image in leaking})},
        evidence=evidence,
        task=_task_of(session, whole),
    )


def _task_of(session: Session, split: Split) -> Task:
    """What is asked of the images of a split."""
    told = split.manifest["task"]
    return replace(
        session.task,
        name=told["name"],
        labels=tuple(told["labels"]),
        positive=told["positive"],
        kind=TaskKind(told.get("kind", TaskKind.NOMINAL)),
        column=told.get("column", ""),
        unit=told.get("unit", ""),
    )
