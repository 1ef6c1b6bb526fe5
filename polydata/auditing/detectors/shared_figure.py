"""Test images whose figure is also trained on."""

from __future__ import annotations

from polydata.auditing.sharing import shared
from polydata.auditing.subject import Detector, Found, Need, Subject


def find(subject: Subject) -> Found | None:
    """Held-out images that share a figure with the training side."""
    return shared(subject, "shared-figure", "a figure")


DETECTOR = Detector(
    name="shared-figure",
    fix="Build a split that keeps papers whole: polydata build-split NAME.",
    find=find,
    needs=frozenset((Need.SPLIT,)),
)
