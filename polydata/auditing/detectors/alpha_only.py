"""Images whose picture stands in the alpha channel alone: plain black for most programs."""

from __future__ import annotations

from polydata.auditing.subject import Detector, Found, Severity, Subject, counted


def find(subject: Subject) -> Found | None:
    """Images that turn black when they are converted to RGB."""
    items = tuple(subject.named(i) for i in subject.images if subject.evidence.facts[i]["alpha_only"])
    if not items:
        return None
    return Found(
        Severity.WARNING, items, f"{counted(len(items), 'image')} with the picture in the alpha channel alone."
    )


DETECTOR = Detector(
    name="alpha-only",
    fix="Open them with polydata.images.picture.open_picture, or store them in grey; polymodel reads them rightly.",
    find=find,
    alone=True,
)
