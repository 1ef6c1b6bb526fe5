"""Where a workspace stands, and what comes next."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from glob import has_magic
from pathlib import Path
from typing import Any

from polydata.catalogue.papers import begun_extractions
from polydata.catalogue.session import Session
from polydata.catalogue.trace import funnel, list_runs
from polydata.splits.overview import free_name, list_splits
from polydata.splits.stale import all_relabelled
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
        name = free_name(session.workspace)
        steps = (*_interrupted(session), *_to_the_split(counts, name), *_after_the_split(session, counts, name))
        return Status(session.workspace.root, session.catalogue.fingerprint(), rows, steps)


def _interrupted(session: Session) -> Iterator[Step]:
    """Extractions that did not come to their end, of files that are still there."""
    for words in begun_extractions(session.catalogue):
        paths = [word for word in words if Path(word).is_absolute()]
        if not paths or any(Path(word).exists() or has_magic(word) for word in paths):
            yield Step(shlex.join(["polydata", "extract", *words]), "it was stopped; what it had read is kept")


def _to_the_split(counts: dict[str, int], name: str) -> Iterator[Step]:
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
        yield Step(f"polydata build-split {name}", f"images that have a label: {counts['labelled']}")


def _after_the_split(session: Session, counts: dict[str, int], name: str) -> Iterator[Step]:
    place, runs = session.workspace, list_runs(session.catalogue)
    rows = list_splits(place) if counts["in a split"] else []
    splits = [split["name"] for split in rows if split["state"] == "clean"]
    if counts["in a split"] and not splits:
        yield Step("polydata split list", "no split of images without leaks can be read")
    elif counts["in a split"] and not runs:
        split = splits[-1]
        yield Step(f"polydata audit {split}", "before a model learns from it")
        yield Step(f"polymodel train {split}", "no model was trained yet")
    if changed := all_relabelled(session, splits):
        why = f"images of {splits[-1]} with another label now, or none: {changed}"
        yield Step(f"polydata build-split {name}", why)
    for run in runs:
        yield from _of_run(place, run["name"], json.loads(run["manifest"]))


def _of_run(place: Workspace, run: str, manifest: dict[str, Any]) -> Iterator[Step]:
    """What a run waits for: its remaining parts, a score, a page about it alone or beside others."""
    planned, there = len(manifest.get("parts", ())), sum(1 for _ in place.runs.glob(f"{run}/parts/[!.]*/part.json"))
    if there < planned:
        command = manifest.get("command") or f"polymodel runs show {run}"
        yield Step(command, f"of the {planned} parts of {run} {there} are trained; the same command goes on")
    elif not (place.runs / run / "evaluation.json").is_file():
        yield Step(f"polymodel evaluate {run}", "it was not scored yet")
    elif not (place.runs / run / "report.json").is_file():
        yield Step(f"polymodel report {run}", "it was scored, and has no report yet")
