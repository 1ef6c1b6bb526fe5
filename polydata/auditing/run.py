"""The audit of a workspace or of one of its splits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from polydata.auditing.detectors import labels, pictures, shortcuts, sides
from polydata.auditing.subject import Detector, Item, Opinions, Severity, Subject
from polydata.catalogue.described import images_to_show
from polydata.catalogue.resolution import distinct_images
from polydata.catalogue.session import Session
from polydata.catalogue.splits import said_of, scales_of, shown_more_than_once
from polydata.errors import InputError, UsageError
from polydata.files.predictions import read_embeddings, read_predictions
from polydata.splits.evidence import group_images, read_evidence, with_copies
from polydata.splits.overview import show_split
from polydata.splits.stale import relabelled
from polydata.task import Task
from polydata.types import Progress, quiet

DETECTORS: tuple[Detector, ...] = (
    sides.thin_side,
    sides.shared_paper,
    sides.shared_figure,
    sides.near_duplicate,
    sides.same_view,
    sides.same_citation,
    shortcuts.paper_lookup,
    shortcuts.metadata_leak,
    labels.contradiction,
    labels.stale_label,
    labels.label_noise,
    pictures.technique,
    labels.class_imbalance,
    pictures.alpha_only,
    pictures.wrong_extension,
    pictures.tiny_image,
    pictures.empty_image,
    pictures.scale_outlier,
    pictures.image_quality,
)


@dataclass(frozen=True)
class Finding:
    """What a detector found, complete in itself.

    Attributes:
        detector: its name.
        count: how many things are wrong.
        items: the evidence, plain JSON values.
        message: one sentence with the numbers.
        fix: what to do about it.
    """

    detector: str
    severity: Severity
    count: int
    items: Sequence[Item]
    message: str
    fix: str


@dataclass(frozen=True)
class Report:
    """What an audit found.

    Attributes:
        findings: in the order of the detectors.
        clean: detectors that found nothing.
        skipped: detectors that could not look, each with what it lacks.
    """

    findings: tuple[Finding, ...]
    clean: tuple[str, ...]
    skipped: dict[str, str]

    def __repr__(self) -> str:
        counts = ", ".join(f"{f.detector} {f.count}" for f in self.findings) or "nothing"
        return f"<Report: found {counts}; {len(self.clean)} clean, {len(self.skipped)} skipped>"


def audit(
    session: Session,
    *,
    split: str | None = None,
    detectors: Sequence[str] = (),
    opinions: Opinions | None = None,
    crops: bool = True,
    pixels: bool = True,
    progress: Progress = quiet,
) -> Report:
    """Look for what is wrong with images, labels and, where one is named, a split.

    Args:
        split: its images under its labels are audited; otherwise all images that are labelled or that the screening
            does not reject, under their resolved labels.
        detectors: names of those to ask; all where none is named.
        opinions: what a model thinks of the labels, for ``label-noise``.
        crops: look for crops and other copies by keypoints, which reads every image.
        pixels: ask the detectors that read every image.
        progress: told of long work.

    Raises:
        UsageError: if a detector or the split is unknown.
        InputError: if there is nothing to audit, or an image cannot be read.
        RefusedError: if a file of the split was changed.
    """
    asked = _chosen(detectors)
    shown = None if split is None else show_split(session.workspace, split)
    folds = shown.folds if shown else ()
    label_of = {item.image_sha256: item.label for fold in folds for item in fold.everything}
    images = sorted(label_of or images_to_show(session.catalogue))
    if not images:
        raise InputError("There are no images to audit.", "Extract papers or import a data set first.")
    evidence = read_evidence(session.catalogue, images)
    if crops and not all(detector.alone for detector in asked):
        evidence = with_copies(evidence, session.images, progress)
    said = said_of(session.catalogue, images)
    subject = Subject(
        task=audited_task(session, split),
        evidence=evidence,
        groups=group_images(evidence).of_image,
        labels=label_of or {row["image_sha256"]: row["label"] for row in said if row["label"]},
        said={row["image_sha256"]: [(s["source"], s["label"]) for s in row["said"]] for row in said},
        scales=scales_of(session.catalogue, images),
        repeated=shown_more_than_once(session.catalogue, images),
        folds=folds,
        relabelled=(relabelled(session, shown) if shown else None) or {},
        path=lambda image: session.images.path(image, evidence.facts[image]["format"]),
        opinions=opinions,
        distinct=distinct_images(session.catalogue),
        spoken=shown.spoken if shown else str,
        pixels=pixels,
        progress=progress,
    )
    return _asked(subject, asked)


def spoken_in(session: Session, split: str | None) -> Callable[[str], str]:
    """How a label is shown to people: as a split says it where one is audited."""
    return show_split(session.workspace, split).spoken if split else str


def audited_task(session: Session, split: str | None) -> Task:
    """The workspace's task, under the positive label of a split where one is audited that has labels of it."""
    positive = show_split(session.workspace, split).positive if split else session.task.positive
    return replace(session.task, positive=positive) if positive in session.task.labels else session.task


def _chosen(names: Iterable[str]) -> tuple[Detector, ...]:
    """Detectors by name, all where none is named."""
    wanted = set(names)
    unknown = sorted(wanted - {d.name for d in DETECTORS})
    if unknown:
        raise UsageError(
            f"There is no detector {unknown[0]!r}.", f"Choose from: {', '.join(d.name for d in DETECTORS)}."
        )
    return tuple(d for d in DETECTORS if not wanted or d.name in wanted)


def _asked(subject: Subject, detectors: Iterable[Detector]) -> Report:
    """What detectors say of the subject."""
    findings, clean, skipped = [], [], {}
    for detector in detectors:
        if lacking := detector.needs & subject.lacking:
            skipped[detector.name] = "; ".join(sorted(lacking))
            continue
        seen = detector.find(subject)
        if seen.items:
            count = len(seen.items) if seen.count is None else seen.count
            fix = seen.fix or detector.fix
            findings.append(Finding(detector.name, seen.severity, count, seen.items, seen.message, fix))
        else:
            clean.append(detector.name)
    return Report(tuple(findings), tuple(clean), skipped)


def read_opinions(task: Task, predictions: Path | None, embeddings: Path | None) -> Opinions | None:
    """What a model thinks of the labels, from one of two files.

    Raises:
        UsageError: if both are named.
        InputError: if a file is not what it should be.
    """
    if predictions is not None and embeddings is not None:
        raise UsageError("Predictions and embeddings cannot both be used.", "Name one of them.")
    if predictions is not None:
        found = read_predictions(predictions, task.labels)
        chances = found.chances_of(task.positive)
        if not chances:
            raise InputError(f"{predictions} does not predict {task.positive}.", "Predict with a model of this task.")
        return Opinions(chances, {}, str(predictions), found.learned)
    return None if embeddings is None else Opinions({}, read_embeddings(embeddings), str(embeddings))


def finding_rows(report: Report) -> list[dict[str, Any]]:
    """One row a finding for a person, the worst first."""
    order = list(Severity)
    return [
        {"detector": f.detector, "severity": str(f.severity), "count": f.count, "what": f.message, "fix": f.fix}
        for f in sorted(report.findings, key=lambda f: order.index(f.severity))
    ]


def what_next(report: Report, split: str | None, name: str) -> str:
    """What to type after an audit: labels are set right where they are errors, then another split; else a training.

    Args:
        report: of the audit.
        split: that was audited; None for all images.
        name: that a new split may have.
    """
    errors = [finding for finding in report.findings if finding.severity is Severity.ERROR]
    if any(finding.detector == "contradiction" or any(map(sides.differs, finding.items)) for finding in errors):
        return (
            f"polydata conflicts --html conflicts.html, whose ticks make one command; then polydata build-split {name}"
        )
    return f"polydata build-split {name}" if errors or split is None else f"polymodel train {split}"


NAMED = 5
"""Pieces of evidence that are named for each error; ``not_named`` says how many others there are."""
DIGITS = 12
"""Digits of an image's hash by which commands know it."""


def error_rows(report: Report, spoken: Callable[[str], str] = str) -> list[dict[str, Any]]:
    """The images of each error for a person, the first few: which they are, and what is said of them.

    Args:
        report: of the audit.
        spoken: a label as people are shown it.
    """
    return [
        {"detector": finding.detector, **_named(item, spoken)}
        for finding in report.findings
        if finding.severity is Severity.ERROR
        for item in finding.items[:NAMED]
    ]


def not_named(report: Report) -> list[str]:
    """Of each error that has more evidence than ``error_rows`` names: how much."""
    errors = [finding for finding in report.findings if finding.severity is Severity.ERROR]
    left = {finding.detector: len(finding.items) - NAMED for finding in errors}
    return [f"{detector}: and {count} more: --json lists all" for detector, count in left.items() if count > 0]


def _named(item: Item, spoken: Callable[[str], str]) -> dict[str, str]:
    images = [str(item[key])[:DIGITS] for key in ("image", "a_image", "b_image", "test", "train") if item.get(key)]
    labels = [spoken(item[key]) if item[key] else "no label" for key in ("label", "a_label", "b_label") if key in item]
    papers = dict.fromkeys(str(item[key]) for key in ("paper", "a_paper", "b_paper") if item.get(key))
    said = item.get("said") or labels
    both = {"image": images[0] if images else "", "beside": " ".join(images[1:])}
    return both | {"labels": " / ".join(map(str, said)), "paper": ", ".join(papers)}
