"""Sharing images out among the sides of partitions."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from polydata.choices import Protocol
from polydata.errors import RefusedError
from polydata.splits.manifest import Item, Sides
from polydata.splits.options import SplitOptions

SWAPPED = 256
"""Only so many kinds of group, the smallest, are tried in swaps; larger ones are moved alone."""
ENOUGH = 1e-9
"""A change must bring at least so much, or rounding could make it go on for ever."""
MAX_PAPERS = 1000
"""Leaving out one paper at a time makes a partition of each; more would fill a disk with lists."""


def partition(items: Sequence[Item], options: SplitOptions) -> list[Sides]:
    """The sides of every partition.

    Without folds the test side gets ``test_fraction`` of the images; with folds each repeat makes as many parts as
    there are folds, and every part is the test side once. The validation side is taken from the training side in
    the same way.

    Raises:
        RefusedError: if there are too few groups for the parts, or too many to leave each out once.
    """
    by_chance = options.protocol is Protocol.RANDOM
    whole = {item.image_sha256: item.image_sha256 if by_chance else item.group for item in items}  # is never torn apart
    counts = _counts(items, whole, options)
    folds: list[Sides] = []
    for repeat in range(1, options.repeats + 1):
        newer = [newest(items, options.test_share)] if options.protocol is Protocol.TEMPORAL else None
        for tested in newer or _tested(counts, options, repeat):
            rest = {name: count for name, count in counts.items() if name not in tested}
            held = _held_back(rest, options, f"{options.seed}/{repeat}/{len(folds) + 1}/validation")
            sides: dict[str, list[Item]] = {"train": [], "val": [], "test": []}
            for item in items:
                name = whole[item.image_sha256]
                sides["test" if name in tested else "val" if name in held else "train"].append(item)
            folds.append(Sides(**sides))
    return folds


def _counts(items: Sequence[Item], whole: Mapping[str, str], options: SplitOptions) -> dict[str, list[int]]:
    """For each group how many images of each stratum it holds."""
    also = [] if options.stratify == "label" else [options.stratify]
    stratum = {item.image_sha256: (item.label, *(item.extra[column] for column in also)) for item in items}
    strata = sorted(set(stratum.values()))
    counts: dict[str, list[int]] = defaultdict(lambda: [0] * len(strata))
    for item in items:
        counts[whole[item.image_sha256]][strata.index(stratum[item.image_sha256])] += 1
    return dict(counts)


def newest(items: Sequence[Item], share: float) -> set[str]:
    """The groups that hold a paper from the year on from which papers are tested: all of the others are older.

    Args:
        items: each with a year.
        share: of the images that are tested at least; it is as little more as whole years allow.

    Raises:
        RefusedError: if no year parts the groups into two sides.
    """
    years: dict[str, int] = {}
    for item in items:
        years[item.group] = max(years.get(item.group, 0), int(item.extra["year"]))
    for year in sorted(set(years.values()), reverse=True)[:-1]:
        tested = {group for group, latest in years.items() if latest >= year}
        if sum(item.group in tested for item in items) >= share * len(items):
            return tested
    raise RefusedError(
        f"No year parts {len(years)} groups of papers so that at least {share:.0%} of the images are newer.",
        "Ask for a smaller --test-fraction, or add papers of other years.",
    )


def _tested(counts: Mapping[str, Sequence[int]], options: SplitOptions, repeat: int) -> list[set[str]]:
    """The groups on each test side of one repeat."""
    if options.protocol is Protocol.LEAVE_ONE_PAPER_OUT:
        if not 2 <= len(counts) <= MAX_PAPERS:
            raise RefusedError(
                f"Each of {len(counts)} papers cannot be left out once.",
                f"It needs 2 to {MAX_PAPERS}; use --folds instead.",
            )
        return [{name} for name in sorted(counts)]
    shares = [1 / options.folds] * options.folds if options.folds else [options.test_share, 1 - options.test_share]
    part_of = share_out(counts, shares, f"{options.seed}/{repeat}")
    return [{name for name, part in part_of.items() if part == tested} for tested in range(options.folds or 1)]


def _held_back(counts: Mapping[str, Sequence[int]], options: SplitOptions, seed: str) -> set[str]:
    """The groups on the validation side."""
    if not options.val_fraction:
        return set()
    share = options.val_fraction / (1 - options.test_share)
    return {name for name, part in share_out(counts, [share, 1 - share], seed).items() if part == 0}


def share_out(groups: Mapping[str, Sequence[int]], shares: Sequence[float], seed: str) -> dict[str, int]:
    """Assign each group to a part.

    Args:
        groups: for each group how many images of each label it holds (the same labels in the same order).
        shares: the share of all images that each part is to get; they add up to 1.
        seed: any text; another one gives other parts.

    Returns:
        The number of its part (from 0) for each group. No part is empty.

    Raises:
        RefusedError: if there are fewer groups than parts.
    """
    if len(groups) < len(shares):
        raise RefusedError(
            f"{len(groups)} groups of papers cannot be shared out among {len(shares)} parts.",
            "Label images of more papers, or ask for fewer folds.",
        )
    ranked = sorted((_fate(seed, name), name) for name in groups)
    edges = list(accumulate(shares))[:-1]
    part_of = {name: sum(fate >= edge for edge in edges) for fate, name in ranked}
    _fill_empty_parts(part_of, [name for _, name in ranked], groups, len(shares))
    _improve(part_of, [name for _, name in ranked], groups, shares)
    return part_of


def _fate(seed: str, name: str) -> float:
    """A number from 0 to below 1 that depends on seed and name alone."""
    digest = hashlib.sha256(f"{seed}\x1f{name}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _fill_empty_parts(
    part_of: dict[str, int], names: Sequence[str], groups: Mapping[str, Sequence[int]], parts: int
) -> None:
    """Give each empty part the smallest group of the part with most groups."""
    members: dict[int, list[str]] = {p: [] for p in range(parts)}
    for name in names:
        members[part_of[name]].append(name)
    for part in range(parts):
        if not members[part]:
            giver = max(members, key=lambda p: len(members[p]))
            given = min(members[giver], key=lambda n: sum(groups[n]))
            members[giver].remove(given)
            members[part].append(given)
            part_of[given] = part


def _improve(
    part_of: dict[str, int], names: Sequence[str], groups: Mapping[str, Sequence[int]], shares: Sequence[float]
) -> None:
    """Move and swap groups while that helps; ``part_of`` is changed in place.

    Groups with the same counts are of one kind and can stand for each other, so that the number of kinds,
    not of groups, decides how long this takes. The cost of parts is the sum over parts, and over labels and
    the number of images, of the squared distance from the share, divided by the total: rare labels count more.
    """
    counts = {name: (*groups[name], sum(groups[name])) for name in names}
    kinds = sorted(set(counts.values()), key=lambda k: (k[-1], k))
    kind_of = {kind: k for k, kind in enumerate(kinds)}
    sizes = np.array(kinds, dtype=np.float64)
    total = np.array([sum(column) for column in zip(*counts.values(), strict=True)], dtype=np.float64)
    weight = [1 / t if t else 0.0 for t in total.tolist()]
    held: dict[tuple[int, int], list[str]] = defaultdict(list)  # (part, kind) -> groups, the first to go last
    off = -np.outer(shares, total)
    for name in reversed(names):
        held[part_of[name], kind_of[counts[name]]].append(name)
        off[part_of[name]] += counts[name]
    small = min(len(kinds), SWAPPED)
    while True:
        best = (-ENOUGH, 0, 0, -1, -1)  # what it brings, from, to, kind that goes, kind that comes back (-1: none)
        for a in range(len(shares)):
            for b in range(len(shares)):
                if a == b:
                    continue
                going = _present(held, a, len(kinds))
                pull = (off[b] - off[a]).tolist()
                if sum(len(held[a, k]) for k in np.flatnonzero(going)) > 1:
                    cost = _cost(sizes, pull, weight)
                    cost[~going] = np.inf
                    k = int(np.argmin(cost))
                    best = min(best, (float(cost[k]), a, b, k, -1))
                if a < b:
                    coming = _present(held, b, len(kinds))[:small]
                    change = sizes[:small, None, :] - sizes[None, :small, :]
                    cost = _cost(change, pull, weight)
                    cost[~going[:small], :] = np.inf
                    cost[:, ~coming] = np.inf
                    k, m = divmod(int(np.argmin(cost)), small)
                    best = min(best, (float(cost[k, m]), a, b, k, m))
        gain, a, b, k, m = best
        if gain >= -ENOUGH:
            return
        for giver, taker, kind in ((a, b, k), (b, a, m)):
            if kind >= 0:
                name = held[giver, kind].pop()
                held[taker, kind].append(name)
                part_of[name] = taker
                off[giver] -= sizes[kind]
                off[taker] += sizes[kind]


def _present(held: Mapping[tuple[int, int], Sequence[str]], part: int, kinds: int) -> NDArray[np.bool_]:
    """Which kinds of group a part holds, (kinds,)."""
    return np.array([bool(held.get((part, k))) for k in range(kinds)], dtype=np.bool_)


def _cost(change: NDArray[np.float64], pull: Sequence[float], weight: Sequence[float]) -> NDArray[np.float64]:
    """What moving ``change`` (..., labels + 1) from one part to another adds to the cost, (...).

    Added up label by label, so that the last bit is the same on every machine.
    """
    cost = np.zeros(change.shape[:-1])
    for c, (p, w) in enumerate(zip(pull, weight, strict=True)):
        cost += w * (2 * change[..., c] * p + 2 * change[..., c] ** 2)
    return cost
