"""Sharing images out among the sides of partitions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from polydata.errors import RefusedError
from polydata.splits.leaks import Sides
from polydata.splits.manifest import Item
from polydata.splits.options import Options
from polydata.splits.protocol import Protocol
from polydata.splits.stratify import share_out

MAX_PAPERS = 1000
"""Leaving out one paper at a time makes a partition of each; more would fill a disk with lists."""


def partition(items: Sequence[Item], options: Options) -> list[Sides]:
    """The sides of every partition.

    Without folds the test side gets ``test_fraction`` of the images; with folds each repeat makes as many parts as
    there are folds, and every part is the test side once. The validation side is taken from the training side in
    the same way.

    Raises:
        RefusedError: if there are too few groups for the parts, or too many to leave each out once.
    """
    whole = {item.image_sha256: _whole(item, options) for item in items}
    counts = _counts(items, whole, options)
    folds: list[Sides] = []
    for repeat in range(1, options.repeats + 1):
        for tested in _tested(counts, options, repeat):
            rest = {name: count for name, count in counts.items() if name not in tested}
            held = _held_back(rest, options, f"{options.seed}/{repeat}/{len(folds) + 1}/validation")
            sides: dict[str, list[Item]] = {"train": [], "val": [], "test": []}
            for item in items:
                name = whole[item.image_sha256]
                sides["test" if name in tested else "val" if name in held else "train"].append(item)
            folds.append(Sides(**sides))
    return folds


def _whole(item: Item, options: Options) -> str:
    """What an image may not be torn from; by chance, nothing."""
    return item.image_sha256 if options.protocol is Protocol.RANDOM else item.group


def _counts(items: Sequence[Item], whole: Mapping[str, str], options: Options) -> dict[str, list[int]]:
    """For each group how many images of each stratum it holds."""
    strata = {item.image_sha256: _stratum(item, options) for item in items}
    column = {stratum: k for k, stratum in enumerate(sorted(set(strata.values())))}
    counts: dict[str, list[int]] = defaultdict(lambda: [0] * len(column))
    for item in items:
        counts[whole[item.image_sha256]][column[strata[item.image_sha256]]] += 1
    return dict(counts)


def _stratum(item: Item, options: Options) -> tuple[str, ...]:
    return (item.label,) if options.stratify == "label" else (item.label, item.extra[options.stratify])


def _tested(counts: Mapping[str, Sequence[int]], options: Options, repeat: int) -> list[set[str]]:
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


def _held_back(counts: Mapping[str, Sequence[int]], options: Options, seed: str) -> set[str]:
    """The groups on the validation side."""
    if not options.val_fraction:
        return set()
    share = options.val_fraction / (1 - options.test_share)
    return {name for name, part in share_out(counts, [share, 1 - share], seed).items() if part == 0}
