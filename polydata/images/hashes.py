"""Pictures that look the same, by the distance of their perceptual hashes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Index = NDArray[np.int64]

BITS = 64
NEAR = 4
"""Two pictures whose 64-bit hashes differ in at most this many bits are taken for the same picture.

Of 2,068 re-encoded or rescaled copies of published micrographs (JPEG quality 50 to 85, scale 0.5 to 1.37)
every one stays within 4 bits of its original, and different micrographs of different papers begin at 10.
The gap is kept wide because the number of pairs, and with it of chance hits, grows with the square of the
number of images. Crops and rotations change the hash wholly: ``images.copies`` finds those.
"""


def near_hashes(phashes: Iterable[str], distance: int = NEAR) -> list[tuple[str, str]]:
    """All pairs of different hashes that differ in at most ``distance`` bits, each pair once, in order.

    Args:
        phashes: hashes of 16 hex digits, in any order and number.
        distance: 0 to 64, in bits.

    Not all pairs are compared. Of ``distance + 2`` stretches of the hash at least two are untouched by ``distance``
    changes, so only hashes are compared that agree in some two stretches: ``masks``.
    """
    names = sorted(set(phashes))
    values = np.array([int(p, 16) for p in names], dtype=np.uint64)
    found = {pair for mask in masks(distance) for pair in _near(values, mask, distance)}
    return [(names[i], names[j]) for i, j in sorted(found)]


def masks(distance: int) -> list[int]:
    """Of hashes that differ in at most ``distance`` bits the bits under one of these masks are the same.

    The bits of each two stretches; none at all where the stretches would be too short to tell anything.
    """
    count = distance + 2
    if 2 * count > BITS:
        return [0]
    edges = [BITS * k // count for k in range(count + 1)]
    stretches = [(1 << end) - (1 << start) for start, end in pairwise(edges)]
    return [a | b for a, b in combinations(stretches, 2)]


def _near(values: Words, mask: int, distance: int) -> Iterator[tuple[int, int]]:
    """Pairs of positions, the smaller first, that agree under the mask and differ in few bits."""
    keys = values & np.uint64(mask)
    order = np.argsort(keys, kind="stable")
    keys, sorted_values = keys[order], values[order]
    at: Index = np.arange(len(values))
    step = 0
    while len(at):
        step += 1
        at = at[: np.searchsorted(at, len(values) - step)]
        at = at[keys[at] == keys[at + step]]
        near = at[np.bitwise_count(sorted_values[at] ^ sorted_values[at + step]) <= distance]
        for a, b in zip(order[near].tolist(), order[near + step].tolist(), strict=True):
            yield min(a, b), max(a, b)
