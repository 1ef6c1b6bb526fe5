"""Pictures that are made from one another, found among many without comparing all pairs.

Keypoints are filed under codes: the signs of ``CODE_BITS`` sums over their 128 numbers, in ``TABLES`` ways. Only
pictures whose keypoints share codes often are compared. Codes that many pictures share (the print of one
microscope) say nothing and are left out.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from polydata.files.atomic import write_text
from polydata.images.decode import READING
from polydata.images.keypoints import Keypoints, Match, compare, find_keypoints, mirrored_words
from polydata.images.picture import open_picture
from polydata.types import Progress, quiet, tracked

VERSION = 3
"""Raise it whenever another method would find other pairs: it stands in the recipe of a split."""
CODE_BITS = 24
TABLES = 8
CROWDED = 32
"""A code under which more keypoints are filed is left out."""
LIKE = 0.92
"""Cosine from which two keypoints are taken for one."""
VOTES = 8
"""Keypoints that two pictures must share to be compared."""
CANDIDATES = 8
"""Only so many partners of a picture are compared, those with most keypoints in common."""
BLOCK = 200_000

Index = NDArray[np.int64]


@dataclass(frozen=True)
class Copy:
    """Two images that show the same place.

    Attributes:
        a, b: their SHA-256, a < b.
        match: how well they agree.
    """

    a: str
    b: str
    match: Match


def find_copies(
    pictures: Mapping[str, Path], cache: Path | None = None, progress: Progress = quiet
) -> tuple[Copy, ...]:
    """All pairs of images that show the same place, in order.

    Args:
        pictures: where each image lies, by its SHA-256. Each is read once.
        cache: folder in which the answer for exactly these images is kept.

    Raises:
        InputError: if an image cannot be read.
    """
    names = sorted(pictures)
    key = hashlib.sha256("\n".join((f"copies {VERSION} {READING}", *names)).encode()).hexdigest()
    kept = cache / f"{key}.json" if cache else None
    if kept is not None and (answer := _read(kept, names)) is not None:
        return answer
    with _one_thread_each(), ThreadPoolExecutor(os.cpu_count()) as pool:
        found_in = pool.map(lambda name: find_keypoints(open_picture(pictures[name])), names)
        described = list(tracked(found_in, "Looking for copies", progress, len(names)))
        pairs = list(_candidates(described))
        matches = pool.map(lambda p: compare(described[p[0]], described[p[1]], p[2]), pairs)
        best: dict[tuple[int, int], Match] = {}
        for (a, b, _), match in zip(pairs, tracked(matches, "Comparing pictures", progress, len(pairs)), strict=True):
            if match and match.is_same_place and ((a, b) not in best or match.agreement > best[a, b].agreement):
                best[a, b] = match
    found = tuple(Copy(names[a], names[b], match) for (a, b), match in sorted(best.items()))
    if kept is not None:
        _write(kept, found)
    return found


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Libraries start no threads of their own beside ours: on such small arrays these wait more than they work."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with threadpool_limits(limits=1, user_api="blas"):
            yield
    finally:
        cv2.setNumThreads(threads)


def _candidates(described: Sequence[Keypoints]) -> Iterator[tuple[int, int, bool]]:
    """Pairs of pictures worth comparing, the smaller position first, and whether one is to be mirrored."""
    counts = [len(one.words) for one in described]
    words = np.concatenate([one.words for one in described] or [np.zeros((0, 128), np.uint8)])
    of = np.repeat(np.arange(len(described)), counts)
    for mirrored in (False, True):
        shared = _shared_codes(words, of, mirrored)
        pairs, votes = np.unique(shared, return_counts=True)
        first, second = pairs // len(described), pairs % len(described)
        for a, b in _most(first, second, votes, len(described)):
            yield a, b, mirrored


def _most(first: Index, second: Index, votes: Index, count: int) -> list[tuple[int, int]]:
    """Of pairs with enough votes those that are among the best of either picture."""
    enough = votes >= VOTES
    first, second, votes = first[enough], second[enough], votes[enough]
    places: NDArray[np.bool_] = np.zeros(len(votes), dtype=np.bool_)
    for side in (first, second):
        order = np.lexsort((second, first, -votes, side))
        starts = np.searchsorted(side[order], np.arange(count))
        places[order[np.arange(len(order)) - starts[side[order]] < CANDIDATES]] = True
    return list(zip(first[places].tolist(), second[places].tolist(), strict=True))


def _shared_codes(words: NDArray[np.uint8], of: Index, mirrored: bool) -> Index:
    """For each two like keypoints of different pictures, first x pictures + second; the smaller number first.

    Args:
        words: (n, 128).
        of: (n,), the picture of each.
        mirrored: compare keypoints with mirrored ones.
    """
    total = len(words)
    if not total:
        return np.zeros(0, np.int64)
    both = np.concatenate([words, mirrored_words(words)]) if mirrored else words
    pictures = int(of[-1]) + 1
    found = []
    for code in _codes(both):
        a, b = _same_code(code)
        if mirrored:  # one of each kind, whichever came first
            a, b = a[(a < total) & (b >= total)], b[(a < total) & (b >= total)]
            b = b - total
            a, b = np.minimum(a, b), np.maximum(a, b)
        different = of[a] != of[b]
        found.append(a[different] * total + b[different])
    keys = np.unique(np.concatenate(found))
    a, b = keys // total, keys % total
    second = mirrored_words(words) if mirrored else words
    like = np.concatenate(
        [_cosine(words[a[k : k + BLOCK]], second[b[k : k + BLOCK]]) >= LIKE for k in range(0, max(1, len(a)), BLOCK)]
    )
    shared: Index = of[a[like]] * pictures + of[b[like]]
    return shared


def _cosine(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.float32]:
    products = a.astype(np.float32) * b.astype(np.float32)
    return np.asarray(products.sum(axis=1) / (255 * 255), dtype=np.float32)


def _codes(words: NDArray[np.uint8]) -> Iterator[Index]:
    """For each table the code of every keypoint, (n,). The sums are balanced, so a common brightness says nothing."""
    half = np.repeat(np.array([1, -1], dtype=np.float32), 64)
    weights = 1 << np.arange(CODE_BITS, dtype=np.int64)
    random = np.random.RandomState(0)  # its numbers are the same in every version of numpy
    for _ in range(TABLES):
        plane = np.stack([random.permutation(half) for _ in range(CODE_BITS)], axis=1)
        yield np.concatenate(
            [(words[k : k + BLOCK].astype(np.float32) @ plane > 0) @ weights for k in range(0, len(words), BLOCK)]
        )


def _same_code(codes: Index) -> tuple[Index, Index]:
    """All pairs of positions under one code, the smaller first, but none of crowded codes."""
    order = np.argsort(codes, kind="stable")
    filed = codes[order]
    edges = np.flatnonzero(np.concatenate([[True], filed[1:] != filed[:-1], [True]]))
    sizes = np.diff(edges)
    first, second = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for size in range(2, CROWDED + 1):
        starts = edges[:-1][sizes == size]
        members = order[starts[:, None] + np.arange(size)]
        i, j = np.triu_indices(size, 1)
        first.append(members[:, i].ravel())
        second.append(members[:, j].ravel())
    return np.concatenate(first), np.concatenate(second)


def _read(path: Path, names: Sequence[str]) -> tuple[Copy, ...] | None:
    """A kept answer; None where there is none that can be used."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        found = tuple(Copy(row["a"], row["b"], Match(**row["match"])) for row in rows)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return found if {name for c in found for name in (c.a, c.b)} <= set(names) else None


def _write(path: Path, found: Sequence[Copy]) -> None:
    """Keep an answer; where nothing can be written it is worked out anew next time."""
    with contextlib.suppress(OSError):
        write_text(path, json.dumps([asdict(c) for c in found]))
