"""Letters of panels as a sequence: what is printed at some of them and the caption's order tell those of the others.

Along a reading order of the panels letters go on one by one; now and then some are passed over, since their panels
were not found, a panel has none, or one letter stands for several panels. This is a hidden Markov model. Over
all reading orders a panel gets a letter that is nearly sure: where the numbers of panels and letters differ and nothing
is printed, order alone tells too little.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt
from scipy.sparse.csgraph import connected_components

from polydata.extraction.panels.orders import by_columns, by_rows, lanes, reading_orders
from polydata.types import Box

Shares = npt.NDArray[np.float64]

LIKELY = 0.85
"""Probability from which a panel has a letter: of six letters at five panels order alone gives none so much."""

BY_ROWS, BY_COLUMNS, IN_PARTS, IN_GROUPS = 0.7, 0.07, 0.01, 0.22
"""How likely panels are lettered one by one along rows or columns, or so in two parts of the figure one after the
other, or in groups of which each has one letter."""

READABLE = ((0.0, 0.25), (0.4, 0.25), (1.0, 0.5))
"""Shares of the usual chance with which letters are read in a figure, each with how likely a figure is such."""

FALSE, MANY = 0.005, 26
"""Probability that a letter is read where none is printed, and the letters for which one may be taken."""

PASSED, FURTHER = 0.06, 0.4
"""Probability that a letter of the caption is passed over, and that, if so, the next one is too."""

OPEN = 0.1
"""How likely letters are left over at the end of an order that went back."""

BACK, NONE = 0.02, 0.01
"""Probabilities that an earlier letter comes next, and that a panel has none."""

AGAIN = ((0.01, 0.85), (0.6, 0.15))
"""Probability that a letter stands for the next panel too: in most figures, and in those where letters stand for
several, each with how likely a figure is such."""

MOST_GAPS, SLACK = 12, 0.01
"""Gaps between blocks that are tried, the narrowest first, and the share of a figure by which those of one differ."""


@dataclass(frozen=True)
class Reading:
    """How well letters are read.

    Attributes:
        right, wrong: probabilities that a printed letter is read, and that another is in its place.
    """

    right: float
    wrong: float


@dataclass(frozen=True)
class _Order:
    """A way to read a figure.

    Attributes:
        groups: of panels by their numbers, in their order; those of one group have one letter.
        weight: its probability before anything was read.
    """

    groups: tuple[tuple[int, ...], ...]
    weight: float


def label_panels(boxes: Sequence[Box], labels: Sequence[str], shares: Shares, reading: Reading) -> list[str | None]:
    """The label of each panel, None where none is nearly sure.

    Args:
        boxes: of the panels.
        labels: of the caption, in its order; at least one.
        shares: how surely each label is printed at each panel, panels x labels, 0 to 1; rows add up to at most 1.
        reading: how well a figure's letters are read, where they can be read well.
    """
    total = 0.0
    chances: Shares = np.zeros((len(boxes), len(labels)))
    for order in _orders(boxes, len(labels), bool(shares.any())):
        for share, usual in READABLE:
            likely = _likelihoods(shares, share * reading.right, reading.wrong)
            seen = np.array([_of_group(likely[list(group)]) for group in order.groups])
            for again, often in AGAIN if len(order.groups) == len(boxes) else AGAIN[:1]:
                likelihood, posterior = _along(seen, again)
                weight = likelihood * order.weight * usual * often
                total += weight
                for group, row in zip(order.groups, posterior, strict=True):
                    chances[list(group)] += weight * row
    return [labels[at] if chances[n, at] > LIKELY * total else None for n, at in enumerate(chances.argmax(1))]


def _likelihoods(shares: Shares, right: float, wrong: float) -> Shares:
    """Of what was read at each panel, if each label, or in the last column none, is printed: panels x (labels + 1)."""
    some = shares.sum(1, keepdims=True)
    none = (1 - some) * (1 - FALSE) + some * FALSE
    if right == 0:
        return np.repeat(none, shares.shape[1] + 1, 1)
    return np.hstack([MANY * shares * right + (1 - some) * (1 - right - wrong) + (some - shares) * wrong, none])


def _of_group(likely: Shares) -> Shares:
    """Likelihoods of a group whose letter is printed at one of its panels, no matter at which."""
    nowhere = likely[:, -1]
    others = np.array([np.prod(np.delete(nowhere, n)) for n in range(len(likely))])
    return np.append((likely[:, :-1] * others[:, None]).mean(0), np.prod(nowhere))


def _orders(boxes: Sequence[Box], count: int, read: bool) -> Iterator[_Order]:
    """Reading orders: panel by panel, and of rows, columns and blocks where there are as many of them as labels.

    Args:
        boxes: of the panels.
        count: labels.
        read: some letters were, without which orders in parts are too seldom to matter.
    """
    rows, columns = tuple(by_rows(boxes)), tuple(by_columns(boxes))
    yield _Order(tuple((n,) for n in rows), BY_ROWS)
    yield _Order(tuple((n,) for n in columns), BY_COLUMNS)
    in_parts = [order for order in reading_orders(boxes) if order not in (rows, columns)] if read else []
    for order in in_parts:
        yield _Order(tuple((n,) for n in order), IN_PARTS / len(in_parts))
    groupings = {tuple(_groups(numbers)) for numbers in (lanes(boxes, 0), lanes(boxes, 1), *_blocks(boxes))}
    fitting = [groups for groups in sorted(groupings) if len(groups) == count < len(boxes)]
    for groups in fitting:
        around = [reduce(Box.union, [boxes[n] for n in group]) for group in groups]
        for order in {tuple(by_rows(around)), tuple(by_columns(around))}:
            yield _Order(tuple(groups[n] for n in order), IN_GROUPS / len(fitting))


def _groups(numbers: Sequence[int]) -> list[tuple[int, ...]]:
    """Panels by the number of their group."""
    return [tuple(n for n, one in enumerate(numbers) if one == group) for group in dict.fromkeys(numbers)]


def _blocks(boxes: Sequence[Box]) -> Iterator[list[int]]:
    """The block of each panel, for several gaps by which blocks stand apart."""
    edges = np.array([(box.x0, box.y0, box.x1, box.y1) for box in boxes])
    apart = np.maximum(edges[:, None, :2] - edges[None, :, 2:], edges[None, :, :2] - edges[:, None, 2:]).max(2)
    slack = SLACK * float((edges[:, 2:].max(0) - edges[:, :2].min(0)).max())
    for gap in np.unique(apart)[:MOST_GAPS]:
        yield [int(one) for one in connected_components(apart <= gap + slack)[1]]


def _along(seen: Shares, again: float) -> tuple[float, Shares]:
    """Likelihood of what was read along an order, and the probability of each label at each place: places x labels.

    A state is the label reached, none (0) before the first, once more for orders that went back in between, and whether
    the label is printed here, stands for this panel too, or does not: forward and backward over these (Rabiner, Proc.
    IEEE 77, 257, 1989).

    Args:
        seen: likelihoods of each label and, last, of none, places x (labels + 1).
        again: probability that a letter stands for the next panel too.
    """
    places, count = seen.shape[0], seen.shape[1] - 1
    ahead, back = _steps(count, again)
    moves = np.zeros((3, 2 * count + 2, 2 * count + 2))
    moves[0] = np.block([[ahead, back], [np.zeros_like(ahead), ahead + back]])
    moves[1] = again * np.diag(np.tile(np.arange(count + 1) > 0, 2))
    moves[2] = NONE * np.eye(2 * count + 2)
    emitted = np.repeat(seen[:, None, -1:], 3, 1).repeat(2 * count + 2, 2)
    emitted[:, 0] = np.tile(np.hstack([np.zeros((places, 1)), seen[:, :-1]]), 2)
    left = count - np.arange(count + 1)
    end = np.append(
        np.where(left == 0, 1 - PASSED, PASSED * FURTHER ** np.maximum(left - 1, 0)), np.where(left == 0, 1.0, OPEN)
    )
    forward, scale, reached = np.zeros((places, 3, 2 * count + 2)), np.zeros(places), np.eye(2 * count + 2)[0]
    for n in range(places):
        forward[n] = (reached @ moves) * emitted[n]
        scale[n] = forward[n].sum()
        forward[n] /= scale[n]
        reached = forward[n].sum(0)
    backward, posterior = end, np.zeros((places, count))
    for n in reversed(range(places)):
        both = forward[n] * backward
        posterior[n] = (both[:2] / both.sum()).sum(0).reshape(2, -1).sum(0)[1:]
        backward = np.einsum("kij,kj->i", moves, emitted[n] * backward) / scale[n]
    return float(reached @ end * np.exp(np.log(scale).sum())), posterior


def _steps(count: int, again: float) -> tuple[Shares, Shares]:
    """Probability that each label is printed next after each, or at first (row 0), going on and going back.

    Both are (labels + 1) x (labels + 1); none (column 0) never comes next.
    """
    ahead = np.arange(-1, count)[None] - np.arange(count + 1)[:, None]
    passing = PASSED * (1 - FURTHER) * FURTHER ** np.maximum(ahead - 1, 0)
    forward = np.where(ahead == 0, 1 - PASSED - BACK - NONE - again, np.where(ahead > 0, passing, 0.0))
    back = np.where(ahead < -1, BACK / count, 0.0)
    back[:, 0] = 0.0
    return forward, back
