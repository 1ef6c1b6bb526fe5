from __future__ import annotations

import io
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from split_corpus import picture

from polydata.images.hashes import NEAR, near_hashes
from polydata.images.picture import describe

HASHES = st.integers(0, 2**64 - 1).map(lambda n: f"{n:016x}")


@given(st.lists(HASHES, max_size=8), st.lists(st.tuples(st.integers(0, 7), st.integers(0, 63)), max_size=12))
def test_finds_exactly_the_near_pairs(hashes: list[str], flips: list[tuple[int, int]]) -> None:
    for which, bit in flips:  # hashes that differ in few bits do not come by chance
        if hashes:
            hashes.append(f"{int(hashes[which % len(hashes)], 16) ^ (1 << bit):016x}")
    different = sorted(set(hashes))
    expected = [
        (a, b)
        for i, a in enumerate(different)
        for b in different[i + 1 :]
        if (int(a, 16) ^ int(b, 16)).bit_count() <= NEAR
    ]
    assert near_hashes(reversed(hashes)) == expected


@pytest.mark.parametrize("distance", [0, 1, 7, 30, 31, 64])
def test_every_distance_is_exact(distance: int) -> None:
    numbers = [0, 1, 3, 0xFF, 0xFF00, 0xFFFF, 2**64 - 1, 2**63, 2**32 - 1, 0x5555555555555555]
    hashes = [f"{n:016x}" for n in numbers]
    pairs = {tuple(sorted((a, b))) for a in hashes for b in hashes if a < b}
    expected = {(a, b) for a, b in pairs if (int(a, 16) ^ int(b, 16)).bit_count() <= distance}
    assert set(near_hashes(hashes, distance)) == expected


def test_a_hundred_thousand_hashes_take_seconds() -> None:
    numbers = np.random.default_rng(0).integers(0, 2**64, 100_000, dtype=np.uint64)
    numbers[:1000] &= np.uint64(0xFF)  # many that agree in nearly all stretches, as blank pictures do
    numbers[1000] = numbers[2000] ^ np.uint64(0b1111)
    start = time.perf_counter()
    found = near_hashes(f"{n:016x}" for n in numbers.tolist())
    assert time.perf_counter() - start < 60
    assert tuple(sorted(f"{n:016x}" for n in numbers[[1000, 2000]].tolist())) in found


def test_copies_are_near_and_other_pictures_are_not() -> None:
    original = describe(picture(1)).phash
    smaller = io.BytesIO()
    Image.open(io.BytesIO(picture(1))).resize((36, 30)).save(smaller, "PNG")
    copies = {describe(picture(1, quality=60)).phash, describe(smaller.getvalue()).phash}
    found = {other for pair in near_hashes({original} | copies) for other in pair} - {original}
    assert copies - {original} == found
    assert near_hashes(describe(picture(n)).phash for n in range(200)) == []
