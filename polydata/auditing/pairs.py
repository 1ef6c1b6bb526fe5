"""Pairs of images that show the same picture or the same place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from polydata.auditing.subject import Found, Severity, Subject, counted
from polydata.images.copies import Copy


def same_hash_pairs(subject: Subject) -> Iterator[tuple[str, str, int]]:
    """Images whose perceptual hashes are the same or near, and by how many bits they differ.

    Of many images under one hash each is paired with the next alone.
    """
    phash = subject.evidence.phash
    under: dict[str, list[str]] = defaultdict(list)
    for image in subject.images:
        under[phash[image]].append(image)
    for images in under.values():
        yield from ((a, b, 0) for a, b in pairwise(images))
    for one, others in subject.evidence.near.items():
        for other in others:
            if one < other and one in under and other in under:
                a, b = sorted((under[one][0], under[other][0]))
                yield a, b, (int(one, 16) ^ int(other, 16)).bit_count()


def pair_item(subject: Subject, a: str, b: str, by: str, **more: Any) -> dict[str, Any]:
    """A pair as an item: both images named, how they were found, and in which partitions they are torn apart."""
    return {
        **subject.named(a, "a_"),
        **subject.named(b, "b_"),
        "by": by,
        "crosses_folds": subject.crossed(a, b),
        **more,
    }


def copy_item(subject: Subject, copy: Copy) -> dict[str, Any]:
    """A pair that was found by keypoints as an item."""
    match = copy.match
    return pair_item(
        subject, copy.a, copy.b, f"{match.inliers} keypoints",
        agreement=round(match.agreement, 3), overlap=round(match.overlap, 3), scale=round(match.scale, 3),
        mirrored=match.mirrored,
    )  # fmt: skip


def pairs_found(items: Iterable[dict[str, Any]], what: str) -> Found | None:
    """A finding about pairs: an error where a pair is torn apart by a split or bears different labels."""
    found = tuple(items)
    if not found:
        return None
    crossing = sum(bool(i["crosses_folds"]) for i in found)
    differing = sum(i["a_label"] != i["b_label"] and None not in (i["a_label"], i["b_label"]) for i in found)
    return Found(
        Severity.ERROR if crossing or differing else Severity.WARNING,
        found,
        f"{counted(len(found), 'pair')} of images {what}; {crossing} on different sides, "
        f"{differing} with different labels.",
    )
