from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from split_corpus import picture

from polydata.images import describe
from polydata.splits import pictures
from polydata.splits.pictures import NEAR, near_hashes

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


def test_pairs_across_blocks_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = [f"{n:016x}" for n in (0, 1, 0xFF00, 0xFF0000FF, 3, 0xFF01)]
    whole = near_hashes(hashes)
    monkeypatch.setattr(pictures, "BLOCK", 2)
    assert near_hashes(hashes) == whole
    assert (hashes[0], hashes[1]) in whole


def test_copies_are_near_and_other_pictures_are_not() -> None:
    original = describe(picture(1)).phash
    smaller = io.BytesIO()
    Image.open(io.BytesIO(picture(1))).resize((36, 30)).save(smaller, "PNG")
    copies = {describe(picture(1, quality=60)).phash, describe(smaller.getvalue()).phash}
    found = {other for pair in near_hashes({original} | copies) for other in pair} - {original}
    assert copies - {original} == found
    assert near_hashes(describe(picture(n)).phash for n in range(200)) == []
