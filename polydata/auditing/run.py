"""The audit of a workspace or of one of its splits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from polydata.auditing.detectors import (
    alpha_only,
    class_imbalance,
    contradiction,
    empty_image,
    image_quality,
    label_noise,
    metadata_leak,
    near_duplicate,
    paper_lookup,
    same_citation,
    same_view,
    scale_outlier,
    shared_figure,
    shared_paper,
    technique,
    tiny_image,
    wrong_extension,
)
from polydata.auditing.subject import Detector, Finding, Opinions, Severity, Subject
from polydata.catalogue.described import images_to_show
from polydata.catalogue.session import Session
from polydata.catalogue.splits import said_of, scales_of, shown_more_than_once
from polydata.errors import InputError, UsageError
from polydata.files.predictions import read_embeddings, read_predictions
from polydata.splits.evidence import Evidence, group_images, read_evidence, with_copies
from polydata.splits.leaks import Sides
from polydata.splits.overview import show_split
from polydata.task import Task
from polydata.types import Progress, quiet

DETECTORS: tuple[Detector, ...] = tuple(
    module.DETECTOR
    for module in (
        shared_paper,
        shared_figure,
        near_duplicate,
        same_view,
        same_citation,
        paper_lookup,
        metadata_leak,
        contradiction,
        label_noise,
        technique,
        class_imbalance,
        alpha_only,
        wrong_extension,
        tiny_image,
        empty_image,
        scale_outlier,
        image_quality,
    )
)


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


def chosen(names: Iterable[str]) -> tuple[Detector, ...]:
    """Detectors by name, all where none is named.

    Raises:
        UsageError: if there is none of a name.
    """
    wanted = set(names)
    unknown = sorted(wanted - {d.name for d in DETECTORS})
    if unknown:
        raise UsageError(
            f"There is no detector {unknown[0]!r}.", f"Choose from: {', '.join(d.name for d in DETECTORS)}."
        )
    return tuple(d for d in DETECTORS if not wanted or d.name in wanted)


def audit(subject: Subject, detectors: Iterable[Detector] = DETECTORS) -> Report:
    """Ask detectors about images."""
    findings, clean, skipped = [], [], {}
    for detector in detectors:
        lacking = sorted(need.value for need in detector.needs & subject.lacking)
        if lacking:
            skipped[detector.name] = "; ".join(lacking)
            continue
        found = detector.find(subject)
        if found is None:
            clean.append(detector.name)
        else:
            findings.append(Finding.of(detector, found))
    return Report(tuple(findings), tuple(clean), skipped)


def audit_workspace(
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
    asked = chosen(detectors)
    folds: tuple[Sides, ...] = ()
    labels: dict[str, str] = {}
    if split is not None:
        folds = tuple(Sides(f.train, f.test, f.val) for f in show_split(session.workspace, split).folds)
        labels = {item.image_sha256: item.label for sides in folds for item in sides.everything}
    images = sorted(labels) if folds else images_to_show(session.catalogue)
    if not images:
        raise InputError("There are no images to audit.", "Extract papers or import a data set first.")
    evidence = read_evidence(session.catalogue, images)
    if crops and not all(detector.alone for detector in asked):
        evidence = with_copies(evidence, session.images, progress)
    subject = _subject(session, evidence, labels, folds)
    return audit(replace(subject, opinions=opinions, pixels=pixels, progress=progress), asked)


def _subject(
    session: Session,
    evidence: Evidence,
    labels: Mapping[str, str],
    folds: tuple[Sides, ...],
) -> Subject:
    images = sorted(evidence.facts)
    said = said_of(session.catalogue, images)
    store = session.images
    return Subject(
        task=session.task,
        evidence=evidence,
        groups=group_images(evidence).of_image,
        labels=labels or {row["image_sha256"]: row["label"] for row in said if row["label"]},
        said={row["image_sha256"]: [(s["source"], s["label"]) for s in row["said"]] for row in said},
        scales=scales_of(session.catalogue, images),
        repeated=shown_more_than_once(session.catalogue, images),
        folds=folds,
        path=lambda image: store.path(image, evidence.facts[image]["format"]),
    )


def read_opinions(task: Task, predictions: Path | None, embeddings: Path | None) -> Opinions | None:
    """What a model thinks of the labels, from one of two files.

    Raises:
        UsageError: if both are named.
        InputError: if a file is not what it should be.
    """
    if predictions is not None and embeddings is not None:
        raise UsageError("Predictions and embeddings cannot both be used.", "Name one of them.")
    if predictions is not None:
        chances = read_predictions(predictions, task.labels).chances_of(task.positive)
        if not chances:
            raise InputError(f"{predictions} does not predict {task.positive}.", "Predict with a model of this task.")
        return Opinions(chances, {}, str(predictions))
    return None if embeddings is None else Opinions({}, read_embeddings(embeddings), str(embeddings))


def report_json(report: Report, split: str | None) -> dict[str, Any]:
    """A report as plain values: ``split``, ``findings``, ``clean`` and ``skipped``."""
    return {
        "split": split,
        "findings": [finding.as_dict() for finding in report.findings],
        "clean": list(report.clean),
        "skipped": report.skipped,
    }


def finding_rows(report: Report) -> list[dict[str, Any]]:
    """One row a finding for a person, the worst first."""
    order = list(Severity)
    return [
        {"detector": f.detector, "severity": str(f.severity), "count": f.count, "what": f.message, "fix": f.fix}
        for f in sorted(report.findings, key=lambda f: order.index(f.severity))
    ]
