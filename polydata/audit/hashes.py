"""Pictures that look the same, by the distance of their perceptual hashes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

NEAR = 4
"""Two pictures whose 64-bit hashes differ in at most this many bits are taken for the same picture.

Of 2,068 re-encoded or rescaled copies of published micrographs (JPEG quality 50 to 85, scale 0.5 to 1.37)
every one stays within 4 bits of its original, and different micrographs of different papers begin at 10.
The gap is kept wide because the number of pairs, and with it of chance hits, grows with the square of the
number of images. Crops and rotations change the hash wholly and are not found this way.
"""
BLOCK = 2048


def near_hashes(phashes: Iterable[str], distance: int = NEAR) -> list[tuple[str, str]]:
    """All pairs of different hashes that differ in at most ``distance`` bits, each pair once, in order.

    Args:
        phashes: hashes of 16 hex digits, in any order and number.
        distance: 0 to 64, in bits.

    Every pair is compared, ``BLOCK`` x ``BLOCK`` at a time, so that memory grows with the answer alone.
    """
    names = sorted(set(phashes))
    values = np.array([int(p, 16) for p in names], dtype=np.uint64)
    return [(names[i], names[j]) for i, j in sorted(_near(values, distance))]


def _near(values: NDArray[np.uint64], distance: int) -> Iterator[tuple[int, int]]:
    for top in range(0, len(values), BLOCK):
        rows = values[top : top + BLOCK, None]
        for left in range(top, len(values), BLOCK):
            bits = np.bitwise_count(rows ^ values[None, left : left + BLOCK])
            for i, j in np.argwhere(bits <= distance).tolist():
                if top + i < left + j:
                    yield top + i, left + j
