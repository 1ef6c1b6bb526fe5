"""Pictures of one place of a sample that were taken separately, such as at another magnification."""

from __future__ import annotations

from polydata.auditing.pairs import copy_item, pairs_found, same_hash_pairs
from polydata.auditing.subject import Detector, Found, Need, Subject


def find(subject: Subject) -> Found | None:
    """Pairs of images that overlap but are no copies of one another."""
    known = {(a, b) for a, b, _ in same_hash_pairs(subject)}
    views = [c for c in subject.evidence.copies if not c.match.is_copy and (c.a, c.b) not in known]
    return pairs_found((copy_item(subject, c) for c in views), "show one place of a sample")


DETECTOR = Detector(
    name="same-view",
    fix="Count both as one observation; build-split keeps them on one side.",
    find=find,
    needs=frozenset((Need.COPIES,)),
)
