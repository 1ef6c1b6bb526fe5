"""What held-out images share with the training side, as a finding."""

from __future__ import annotations

from polydata.auditing.subject import Found, Severity, Subject
from polydata.splits.leaks import leak


def shared(subject: Subject, detector: str, what: str) -> Found | None:
    """Held-out images that share something with the training side, one item each."""
    found = leak(detector, subject.folds, subject.evidence)
    if not found.count:
        return None
    items = tuple(
        {**pair, "test_file": _file(subject, pair["test"]), "train_file": _file(subject, pair["train"])}
        for pair in found.items
    )
    held_out = sum(len(sides.test) + len(sides.val) for sides in subject.folds)
    return Found(Severity.ERROR, items, f"{found.count} of {held_out} held-out images share {what} with training.")


def _file(subject: Subject, image: str) -> str | None:
    name: str | None = subject.evidence.facts[image]["file_name"]
    return name
