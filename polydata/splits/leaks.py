"""What stands on both sides of a split and must not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from polydata.splits.evidence import Evidence
from polydata.splits.manifest import Item, Sides


@dataclass(frozen=True)
class Leak:
    """What one kind of leak found.

    Attributes:
        detector: its name.
        count: how many held-out images (in all partitions) share something with what is trained on.
        items: one such image each: ``fold``, ``side`` (where it is ``val``), ``test`` and ``train`` (hashes of a pair),
            ``shared`` (what they share).
    """

    detector: str
    count: int
    items: tuple[Mapping[str, Any], ...]

    def describe(self, shown: int = 3) -> str:
        """One line for a person, with the first pairs."""
        pairs = "; ".join(
            f"{i['test'][:12]} ({i.get('side', 'test')}) and {i['train'][:12]} (train): {i['shared']}"
            for i in self.items[:shown]
        )
        more = f"; and {self.count - shown} more" if self.count > shown else ""
        partitions = len({i["fold"] for i in self.items})
        where = f" in {partitions} partitions" if partitions > 1 else ""
        return f"{self.detector}: {self.count} held-out images{where}: {pairs}{more}"


def _references(evidence: Evidence, item: Item) -> Iterable[str]:
    return sorted(key for paper in evidence.papers[item.image_sha256] for key in evidence.references.get(paper, ()))


def _like_pictures(evidence: Evidence, item: Item) -> Iterable[str]:
    own = evidence.phash[item.image_sha256]
    return (own, *evidence.near.get(own, ()), *evidence.copied.get(item.image_sha256, ()))


Keys = Callable[[Evidence, Item], Iterable[str]]
LEAKS: Mapping[str, tuple[Keys, Keys]] = {
    "shared-group": (lambda _, item: (item.group,),) * 2,
    "shared-paper": (lambda evidence, item: evidence.papers[item.image_sha256],) * 2,
    "shared-figure": (lambda evidence, item: evidence.figures[item.image_sha256],) * 2,
    "same-citation": (_references, _references),
    "near-duplicate": (
        lambda evidence, item: (evidence.phash[item.image_sha256], item.image_sha256),
        _like_pictures,
    ),
}
"""What a training image has, and what of it a held-out image must not meet."""


def find_leaks(folds: Sequence[Sides], evidence: Evidence) -> tuple[Leak, ...]:
    """Look for what partitions share between their sides; empty for a clean split.

    Every kind looks at every partition; a held-out image counts once for each partition it leaks in.
    """
    found = (leak(name, folds, evidence) for name in LEAKS)
    return tuple(one for one in found if one.count)


def leak(name: str, folds: Sequence[Sides], evidence: Evidence) -> Leak:
    """Look for one kind of leak.

    Args:
        name: one of ``LEAKS``.
    """
    items = tuple(
        {"fold": number, **pair}
        for number, sides in enumerate(folds, start=1)
        for pair in _crossing(sides, evidence, *LEAKS[name])
    )
    return Leak(name, len(items), items)


def _crossing(sides: Sides, evidence: Evidence, has: Keys, meets: Keys) -> Iterator[dict[str, str]]:
    """For each held-out image that meets what a training image has the first such pair, by hash."""
    for side, held_out, trained in (("test", sides.test, sides.trained), ("val", sides.val, sides.train)):
        first: dict[str, str] = {}
        for item in sorted(trained if held_out else (), key=lambda i: i.image_sha256):
            for key in has(evidence, item):
                first.setdefault(key, item.image_sha256)
        for item in sorted(held_out, key=lambda i: i.image_sha256):
            shared = next((key for key in meets(evidence, item) if key in first), None)
            if shared is not None:
                pair = {"test": item.image_sha256, "train": first[shared], "shared": shared}
                yield pair if side == "test" else {"side": side, **pair}
