"""Images of which sources say labels that exclude each other."""

from __future__ import annotations

from polydata.auditing.subject import Detector, Found, Severity, Subject, counted

SUGGESTS = "rule"
"""The text rules only suggest a label: they contradict nobody."""


def find(subject: Subject) -> Found | None:
    """Images whose sources disagree although each could have said what the other says."""
    coarse = {s.name: s.vocabulary for s in subject.task.sources if s.vocabulary}
    finer = {s.name for s in subject.task.sources if s.refines}
    items = []
    for image in subject.images:
        said = [(source, label) for source, label in subject.said.get(image, ()) if source != SUGGESTS]
        refined = {label for source, label in said if source in finer}
        heard = {label for source, label in said if refined <= set(coarse.get(source, refined))}
        if len(heard) > 1:
            items.append({**subject.named(image), "said": [f"{source}={label}" for source, label in said]})
    if not items:
        return None
    return Found(Severity.ERROR, tuple(items), f"{counted(len(items), 'image')} with labels that exclude each other.")


DETECTOR = Detector(
    name="contradiction",
    fix="Look at them with polydata conflicts and set the right ones: polydata label set.",
    find=find,
    alone=True,
)
