"""What stands on both sides of a split and must not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from polydata.splits.groups import Evidence
from polydata.splits.manifest import Item

Sides = tuple[Sequence[Item], Sequence[Item]]
"""Training and test side of one partition."""


@dataclass(frozen=True)
class Finding:
    """What one detector found.

    Attributes:
        detector: its name.
        count: how many test images (in all partitions) share something with their training side.
        items: one a test image: ``fold``, ``test`` and ``train`` (hashes of a pair), ``shared`` (what they share).
    """

    detector: str
    count: int
    items: tuple[Mapping[str, Any], ...]

    def describe(self, shown: int = 3) -> str:
        """One line for a person, with the first pairs."""
        pairs = "; ".join(
            f"{i['test'][:12]} (test) and {i['train'][:12]} (train): {i['shared']}" for i in self.items[:shown]
        )
        more = f"; and {self.count - shown} more" if self.count > shown else ""
        return f"{self.detector}: {self.count} test images: {pairs}{more}"


def _groups(_: Evidence, item: Item) -> Iterable[str]:
    return (item.group,)


def _papers(evidence: Evidence, item: Item) -> Iterable[str]:
    return evidence.papers[item.image_sha256]


def _figures(evidence: Evidence, item: Item) -> Iterable[str]:
    return evidence.figures[item.image_sha256]


def _references(evidence: Evidence, item: Item) -> Iterable[str]:
    return sorted(k for paper in evidence.papers[item.image_sha256] for k in evidence.references.get(paper, ()))


def _picture(evidence: Evidence, item: Item) -> Iterable[str]:
    return (evidence.phash[item.image_sha256],)


def _like_pictures(evidence: Evidence, item: Item) -> Iterable[str]:
    own = evidence.phash[item.image_sha256]
    return (own, *evidence.near.get(own, ()))


Keys = Callable[[Evidence, Item], Iterable[str]]
DETECTORS: Mapping[str, tuple[Keys, Keys]] = {
    "shared-group": (_groups, _groups),
    "shared-paper": (_papers, _papers),
    "shared-figure": (_figures, _figures),
    "same-citation": (_references, _references),
    "near-duplicate": (_picture, _like_pictures),
}
"""What a training image has, and what of it a test image must not meet."""


def audit(folds: Sequence[Sides], evidence: Evidence) -> tuple[Finding, ...]:
    """Look for what partitions share between their sides; empty for a clean split.

    Every detector looks at every partition; a test image counts once for each partition it leaks in.
    """
    found = []
    for detector, (has, meets) in DETECTORS.items():
        items = [
            {"fold": number, **pair}
            for number, sides in enumerate(folds, start=1)
            for pair in _crossing(sides, evidence, has, meets)
        ]
        if items:
            found.append(Finding(detector, len(items), tuple(items)))
    return tuple(found)


def _crossing(sides: Sides, evidence: Evidence, has: Keys, meets: Keys) -> list[dict[str, str]]:
    """For each test image that meets what a training image has the first such pair, by hash."""
    train, test = sides
    first: dict[str, str] = {}
    for item in sorted(train, key=lambda i: i.image_sha256):
        for key in has(evidence, item):
            first.setdefault(key, item.image_sha256)
    pairs = []
    for item in sorted(test, key=lambda i: i.image_sha256):
        shared = next((key for key in meets(evidence, item) if key in first), None)
        if shared is not None:
            pairs.append({"test": item.image_sha256, "train": first[shared], "shared": shared})
    return pairs
