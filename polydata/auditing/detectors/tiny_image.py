"""Images too small to show a morphology."""

from __future__ import annotations

from polydata.auditing.subject import Detector, Found, Severity, Subject, counted

SMALLEST = 100
"""Pixels of the shorter side."""


def find(subject: Subject) -> Found | None:
    """Images whose shorter side is below ``SMALLEST`` pixels."""
    facts = subject.evidence.facts
    items = tuple(
        {**subject.named(i), "width": facts[i]["width"], "height": facts[i]["height"]}
        for i in subject.images
        if min(facts[i]["width"], facts[i]["height"]) < SMALLEST
    )
    if not items:
        return None
    return Found(Severity.WARNING, items, f"{counted(len(items), 'image')} below {SMALLEST} pixels.")


DETECTOR = Detector(
    name="tiny-image",
    fix=f"Leave them out with --where 'size >= {SMALLEST}'.",
    find=find,
    alone=True,
)
