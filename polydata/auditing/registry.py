"""All detectors, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

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
from polydata.auditing.findings import Detector, Finding
from polydata.auditing.subject import Subject
from polydata.errors import UsageError

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
