"""Pairs of images that show one picture or one place, as the audit and the list of conflicts name them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice, pairwise, product

from polydata.images.copies import Copy
from polydata.splits.evidence import Evidence

MOST_PAIRED = 12
"""Of so many images under one perceptual hash each is paired with each."""


@dataclass(frozen=True)
class Pair:
    """Two images that look alike.

    Attributes:
        a, b: their SHA-256, a < b.
        bits: by how many bits their perceptual hashes differ; None where they are not near.
        copy: how well their keypoints agree; None where they do not, or were not looked for.
    """

    a: str
    b: str
    bits: int | None
    copy: Copy | None

    @property
    def is_view(self) -> bool:
        """Whether they show one place of a sample, but were taken separately."""
        return self.bits is None and self.copy is not None and not self.copy.match.is_copy

    def differs(self, labels: Mapping[str, str]) -> bool:
        """Whether they bear different labels."""
        one, other = labels.get(self.a), labels.get(self.b)
        return None not in (one, other) and one != other


def alike(evidence: Evidence, labels: Mapping[str, str], distinct: Collection[tuple[str, str]]) -> list[Pair]:
    """All pairs, by their hashes; of many images under one perceptual hash as many as tell what is wrong.

    Args:
        evidence: of the images.
        labels: of those that have one.
        distinct: pairs, in both directions, that somebody called two pictures.
    """
    bits = {(a, b): bits for a, b, bits in _near_hashes(evidence, labels, distinct)}
    copies = {(copy.a, copy.b): copy for copy in evidence.copies}
    return [Pair(*pair, bits.get(pair), copies.get(pair)) for pair in sorted({*bits, *copies})]


def _near_hashes(
    evidence: Evidence, labels: Mapping[str, str], distinct: Collection[tuple[str, str]]
) -> Iterator[tuple[str, str, int]]:
    """Images a < b whose perceptual hashes are the same or near, and by how many bits they differ.

    Of more than ``MOST_PAIRED`` images under one hash each is paired with the next alone, the first with those of near
    hashes: those of one label stand together and those without one last, so that different labels meet all the same.
    """
    under: dict[str, list[str]] = defaultdict(list)
    for image in sorted(evidence.phash, key=lambda image: (image not in labels, labels.get(image), image)):
        under[evidence.phash[image]].append(image)
    for images in under.values():
        some = combinations(images, 2) if len(images) <= MOST_PAIRED else pairwise(images)
        yield from ((min(pair), max(pair), 0) for pair in {*some, *_differing(labels, distinct, images)})
    for one, others in evidence.near.items():
        for other in others:
            if one < other:
                bits = (int(one, 16) ^ int(other, 16)).bit_count()
                these = (under[h] if len(under[h]) <= MOST_PAIRED else under[h][:1] for h in (one, other))
                yield from ((min(pair), max(pair), bits) for pair in product(*these))


def _differing(
    labels: Mapping[str, str], distinct: Collection[tuple[str, str]], images: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """The first two images of different labels, as those say whom nobody called two pictures; none where all agree."""
    pairs = (pair for pair in combinations(images, 2) if pair not in distinct)
    yield from islice(((a, b) for a, b in pairs if labels.get(a) and labels.get(b) not in (None, labels[a])), 1)
