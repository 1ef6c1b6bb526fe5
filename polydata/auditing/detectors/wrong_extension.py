"""Files that are called something else than what they are."""

from __future__ import annotations

from pathlib import PurePath

from polydata.auditing.subject import Detector, Found, Severity, Subject, counted
from polydata.images.picture import SUFFIXES

SAME = {"jpeg": "jpg", "jpe": "jpg", "tiff": "tif"}


def is_wrong(name: str | None, true_format: str) -> bool:
    """Whether a file's name ends in the suffix of another format than its content has."""
    suffix = PurePath(name or "").suffix.lower().lstrip(".")
    return bool(name) and SAME.get(suffix, suffix) != SUFFIXES[true_format]


def find(subject: Subject) -> Found | None:
    """Imported images whose name does not say what they are."""
    items = tuple(
        {**subject.named(i), "format": facts["format"]}
        for i in subject.images
        if is_wrong((facts := subject.evidence.facts[i])["file_name"], facts["format"])
    )
    if not items:
        return None
    return Found(Severity.WARNING, items, f"{counted(len(items), 'file')} named for another format than they have.")


DETECTOR = Detector(
    name="wrong-extension",
    fix="Tell formats by content; the image store names files rightly.",
    find=find,
    alone=True,
)
