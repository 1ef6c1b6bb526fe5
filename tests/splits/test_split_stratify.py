from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polydata.errors import RefusedError
from polydata.splits.partition import share_out

COUNTS = st.dictionaries(
    st.integers(0, 999).map(lambda n: f"paper {n}"),
    st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(any),
    min_size=5,
    max_size=40,
)
SHARES = st.sampled_from([[0.2, 0.8], [0.5, 0.5], [0.05, 0.95], [1 / 3] * 3, [0.2] * 5])


@given(COUNTS, SHARES, st.integers(0, 5), st.randoms())
@settings(deadline=None)
def test_every_group_gets_one_part_whatever_the_order(groups, shares, seed, random) -> None:  # type: ignore[no-untyped-def]
    parts = share_out(groups, shares, str(seed))
    assert set(parts) == set(groups)
    assert set(parts.values()) == set(range(len(shares)))  # no part is empty
    shuffled = list(groups)
    random.shuffle(shuffled)
    assert share_out({g: groups[g] for g in shuffled}, shares, str(seed)) == parts


@given(COUNTS, SHARES, st.integers(0, 3))
@settings(deadline=None)
def test_no_single_move_brings_it_closer(groups, shares, seed) -> None:  # type: ignore[no-untyped-def]
    def cost(parts: dict[str, int]) -> float:
        held = np.zeros((len(shares), 3))
        for group, part in parts.items():
            held[part] += (*groups[group], sum(groups[group]))
        total = held.sum(axis=0)
        return float(((held - np.outer(shares, total)) ** 2 / np.maximum(total, 1)).sum())

    parts = share_out(groups, shares, str(seed))
    reached = cost(parts)
    for group in groups:
        for part in range(len(shares)):
            moved = {**parts, group: part}
            if set(moved.values()) == set(parts.values()):
                assert cost(moved) > reached - 1e-6


def corpus(seed: int) -> dict[str, tuple[int, int]]:
    """124 papers with 1 to 20 images, most of them of one label alone: about what literature gives."""
    random = np.random.default_rng(seed)
    groups = {}
    for n in range(124):
        size = min(int(random.geometric(0.24)), 20)
        positive = int(random.binomial(size, random.choice([0.02, 0.9], p=[0.8, 0.2])))
        groups[f"p{n}"] = (positive, size - positive)
    return groups


@pytest.mark.parametrize("shares", [[0.2, 0.8], [0.1, 0.9], [0.2] * 5])
def test_shares_and_labels_come_out_as_asked(shares: list[float]) -> None:
    for seed in range(10):
        groups = corpus(seed)
        total = np.array(list(groups.values())).sum(axis=0)
        parts = share_out(groups, shares, "0")
        for part, share in enumerate(shares):
            held = np.array([groups[g] for g in groups if parts[g] == part]).sum(axis=0)
            assert abs(held.sum() / total.sum() - share) < 0.01
            assert abs(held[0] / held.sum() - total[0] / total.sum()) < 0.02


def test_seeds_differ_and_large_papers_are_tested_too() -> None:
    groups = corpus(0)
    largest = max(groups, key=lambda g: sum(groups[g]))
    tests = [share_out(groups, [0.2, 0.8], str(seed)) for seed in range(60)]
    assert len({tuple(sorted(g for g in t if t[g] == 0)) for t in tests}) == 60
    assert 3 <= sum(t[largest] == 0 for t in tests) <= 25  # 12 expected


def test_one_more_paper_moves_few_others() -> None:
    groups = corpus(0)
    before = share_out(groups, [0.2, 0.8], "0")
    after = share_out({**groups, "new": (1, 2)}, [0.2, 0.8], "0")
    assert sum(before[g] != after[g] for g in groups) < len(groups) / 4


def test_too_few_groups_are_refused() -> None:
    with pytest.raises(RefusedError, match="1 groups"):
        share_out({"a": (1, 1)}, [0.2, 0.8], "0")


def test_string_hashing_has_no_influence() -> None:
    program = (
        "from polydata.splits.partition import share_out;"
        "print(share_out({f'p{n}': (n % 3, n % 4 + 1) for n in range(40)}, [.2] * 5, '0'))"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": s}, capture_output=True, text=True, check=True
        ).stdout
        for s in ("0", "1", "2")
    }
    assert len(printed) == 1
