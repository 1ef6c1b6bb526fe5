"""Where a workspace stands, and what comes next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from polydata.catalogue.session import Session
from polydata.catalogue.trace import funnel, list_runs
from polydata.splits.stale import list_with_labels
from polydata.upkeep.trace import open_with_runs
from polydata.workspace import Workspace


@dataclass(frozen=True)
class Step:
    """Something to do.

    Attributes:
        command: what to type; words in capitals are to be replaced.
        why: what is found that asks for it.
    """

    command: str
    why: str


@dataclass(frozen=True)
class Status:
    """Where a workspace stands.

    Attributes:
        workspace: its folder.
        fingerprint: of the catalogue.
        funnel: as of ``catalogue.trace.funnel``.
        steps: what comes next, the most pressing first.
    """

    workspace: Path
    fingerprint: str
    funnel: list[dict[str, Any]]
    steps: tuple[Step, ...]


def status(workspace: Workspace | Path | None = None) -> Status:
    """Where the workspace stands; raises as ``catalogue.session.open``."""
    with open_with_runs(workspace) as session:
        rows = funnel(session)
        counts = {row["step"].strip(): row["count"] for row in rows}
        steps = (*_to_the_split(counts), *_after_the_split(session, counts))
        return Status(session.workspace.root, session.catalogue.fingerprint(), rows, steps)


def _to_the_split(counts: dict[str, int]) -> Iterator[Step]:
    if not counts["papers"]:
        yield Step("polydata extract PAPERS", "no paper was read yet; PAPERS is a folder of PDFs")
    if waiting := counts["images"] - counts["screened"]:
        yield Step("polydata screen", f"images that were not screened yet: {waiting}")
    if counts["accepted"] and not counts["labelled"]:
        if not counts["records"]:
            yield Step("polydata records import FILE", "labels come from records of samples, and there are none")
        elif not counts["linked"]:
            yield Step("polydata join", f"records, and none is linked to an image: {counts['records']}")
        yield Step("polydata label push", "labels come from reviewers, too")
    if counts["papers failed"]:
        yield Step("polydata list failures", f"files that could not be read: {counts['papers failed']}")
    if counts["in conflict"]:
        yield Step("polydata conflicts", f"images whose sources of labels disagree: {counts['in conflict']}")
    if counts["labelled"] and not counts["in a split"]:
        yield Step("polydata build-split v1", f"images that have a label: {counts['labelled']}")


def _after_the_split(session: Session, counts: dict[str, int]) -> Iterator[Step]:
    place, runs = session.workspace, [run["name"] for run in list_runs(session.catalogue)]
    rows = [split for split in list_with_labels(session) if split["state"] == "clean"] if counts["in a split"] else []
    splits = [split["name"] for split in rows]
    if counts["in a split"] and not splits:
        yield Step("polydata split list", "no split of images without leaks can be read")
    elif counts["in a split"] and not runs:
        split = splits[-1]
        yield Step(f"polydata audit {split}", "before a model learns from it")
        yield Step(f"polymodel train {split}", "no model was trained yet")
    if rows and all(split["relabelled"] for split in rows):
        why = f"images of {rows[-1]['name']} with another label now, or none: {rows[-1]['relabelled']}"
        yield Step("polydata build-split NAME", why)
    for run in runs:
        if not (place.runs / run / "evaluation.json").is_file():
            yield Step(f"polymodel evaluate {run}", "it was not scored yet")
        elif not (place.exports / f"{run}-report.html").is_file():
            yield Step(f"polymodel report {run}", "it was scored, and has no report yet")
