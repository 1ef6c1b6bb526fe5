"""Whether what stands beside the micrograph tells the label better than chance: permutation tests of several things."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from polydata.auditing.controls import FOLDS, REPEATS, SIZES, STRIP_CELLS, Array, ControlTable, Index

Features = Callable[[ControlTable], Array]
ASKED: dict[str, Features] = {
    "metadata": lambda table: _binned(table.metadata),
    "print_only": lambda table: table.prints,
    "size_aspect": lambda table: _binned(table.metadata[:, :SIZES]),
    "panel_letter": lambda table: (table.letters[:, None] == np.unique(table.letters)).astype(np.float64),
    "vendor_strip": lambda table: table.prints[:, : 2 * STRIP_CELLS[0] * STRIP_CELLS[1]],
}
"""What the audit asks whether it tells the label: for each thing beside the micrograph its features (n, features)."""
BINS = 10


def _binned(values: Array) -> Array:
    """Each column (n,) as indicators of the bins of equal mass that its values fall into, so that a line can bend."""
    columns = []
    for column in values.T:
        edges = np.unique(np.quantile(column, np.linspace(0, 1, BINS + 1)[1:-1]))
        columns.append(np.eye(len(edges) + 1)[np.searchsorted(edges, column, side="left")])
    return np.concatenate(columns, axis=1)


LEVEL = 0.05
"""Of all things that are asked together: so often one is said to tell the label where none does."""
PERMUTATIONS = 199


NEAREST = 5


@dataclass(frozen=True)
class TellTale:
    """How far something beside the micrograph tells the label; an AUROC of 0.5 says nothing.

    Attributes:
        auroc: of ridge regressions on folds of whole papers, mean; what it says of papers that it has not seen.
        p: how often labels dealt out anew among papers give one of the things such an area or a larger one.
        on_split: of the nearest training images on the test sides of a split that tears papers apart, mean, where
            knowing the paper again is enough; None for any other split.
        p_on_split: how often labels dealt out anew among images give that.
    """

    auroc: float
    p: float
    on_split: float | None = None
    p_on_split: float | None = None

    @property
    def tells(self) -> bool:
        """Whether that is more than chance, at ``LEVEL`` over all that was asked."""
        tests = [p for p in (self.p, self.p_on_split) if p is not None]
        return min(tests) * len(tests) <= LEVEL


def tell_tales(
    table: ControlTable, asked: Mapping[str, Features], sides: Sequence[tuple[Index, Index]] = ()
) -> dict[str, TellTale]:
    """Test whether things beside the micrograph tell the label, of two classes.

    Labels resemble each other within papers, and so do sizes and print; so papers stay whole in the folds, and labels
    are dealt out anew by papers: each gets a random draw from the labels of another (Good, Permutation Tests, 2000,
    section 3.7). Folds know no label. Where a split tears papers apart, a thing by which a paper is known again tells
    the label there, and labels are dealt out among images. Of several things asked at once the largest deviation
    counts (Westfall and Young, Resampling-Based Multiple Testing, 1993, section 2.3), so that ``LEVEL`` is that of all
    of them together.

    Args:
        table: (n,) images; labels 0 and 1 must both occur, in at least two papers.
        asked: such as ``ASKED``.
        sides: indices of training and test items of each partition of a split that tears papers apart.

    Returns:
        By name; without those that say nothing on any fold.
    """
    rng = np.random.default_rng(0)
    names, place = np.unique(table.groups, return_inverse=True)
    by_paper = np.stack([table.labels, *(_dealt(table.labels, place, rng) for _ in range(PERMUTATIONS))], axis=1)
    by_image = np.stack([table.labels, *(rng.permutation(table.labels) for _ in range(PERMUTATIONS))], axis=1)
    count = min(FOLDS, len(names))
    parts = [rng.permutation(len(names))[place] % count for _ in range(REPEATS)]
    folds = [(np.flatnonzero(part != k), np.flatnonzero(part == k)) for part in parts for k in range(count)]
    values = {name: features(table) for name, features in asked.items()}
    whole = _tested({name: [_areas(_ridge, v, by_paper, *fold) for fold in folds] for name, v in values.items()})
    torn = _tested({name: [_areas(_neighbours, v, by_image, *pair) for pair in sides] for name, v in values.items()})
    return {name: TellTale(*found, *torn.get(name, (None, None))) for name, found in whole.items()}


def _tested(areas: Mapping[str, Sequence[Array]]) -> dict[str, tuple[float, float]]:
    """AUROC, the mean over folds, and p by name; areas (1 + PERMUTATIONS,) of each fold, the first of the true labels.

    Things whose areas are not known or always the same are left out.
    """
    means: dict[str, Array] = {}
    for name, folds in areas.items():
        if folds and not all(np.isnan(fold[0]) for fold in folds):
            rows = np.stack(folds)
            known = ~np.isnan(rows)
            means[name] = np.where(known, rows, 0.0).sum(axis=0) / np.where(
                known.any(axis=0), known.sum(axis=0), np.nan
            )
    apart = {}
    for name, own in means.items():
        chance = own[1:][~np.isnan(own[1:])]
        if len(chance) and chance.std() > 0:
            apart[name] = np.nan_to_num((own - chance.mean()) / chance.std(), nan=-np.inf)
    if not apart:
        return {}
    largest = np.max([own[1:] for own in apart.values()], axis=0)
    return {
        name: (float(means[name][0]), (1 + int((largest >= own[0]).sum())) / (1 + PERMUTATIONS))
        for name, own in apart.items()
    }


def _dealt(labels: Index, place: Index, rng: np.random.Generator) -> Index:
    """Labels (n,) dealt out anew: each paper gets a draw, without replacement while it lasts, of another's."""
    count = int(place.max()) + 1
    own = [labels[place == k] for k in range(count)]
    new = np.empty_like(labels)
    for k, giver in enumerate(rng.permutation(count)):
        size, given = len(own[k]), own[giver]
        new[place == k] = np.concatenate([rng.permutation(given) for _ in range(-(-size // len(given)))])[:size]
    return new


Told = Callable[[Array, Array, Array], Array]
"""Answers (test, b) from features of training and test items, standardised, and labels (train, b) of b dealings."""


def _ridge(inside: Array, outside: Array, labels: Array) -> Array:
    """Ridge regression, as strong as a unit of each feature in each image."""
    count, features = inside.shape
    centred = labels - labels.mean(axis=0)
    if features > count:  # the same by the images' products, of which there are fewer
        told: Array = outside @ (inside.T @ np.linalg.solve(inside @ inside.T + count * np.eye(count), centred))
    else:
        told = outside @ np.linalg.solve(inside.T @ inside + count * np.eye(features), inside.T @ centred)
    return told


def _neighbours(inside: Array, outside: Array, labels: Array) -> Array:
    """The mean label of the ``NEAREST`` training items."""
    from sklearn.neighbors import NearestNeighbors

    near = NearestNeighbors(n_neighbors=min(NEAREST, len(inside))).fit(inside).kneighbors(outside)[1]
    told: Array = labels[near].mean(axis=1)
    return told


def _areas(tell: Told, values: Array, labels: Index, train: Index, test: Index) -> Array:
    """AUROC (b,) on the test items, of b dealings of labels (n, b); NaN where a side has one label."""
    from scipy.stats import rankdata

    mean, sd = values[train].mean(axis=0), values[train].std(axis=0)
    kept = sd > 1e-9
    if not kept.any():
        return np.full(labels.shape[1], np.nan)
    inside, outside = ((values[side][:, kept] - mean[kept]) / sd[kept] for side in (train, test))
    told = tell(inside, outside, labels[train].astype(np.float64))
    positive, truth = labels[test].sum(axis=0), labels[test] == 1
    ranks = rankdata(np.round(told, 9), axis=0)
    pairs = (positive * (len(truth) - positive)).astype(np.float64)
    wins = (ranks * truth).sum(axis=0) - positive * (positive + 1) / 2
    both = (pairs > 0) & (np.ptp(labels[train], axis=0) > 0)
    areas: Array = np.divide(wins, pairs, out=np.full(len(pairs), np.nan), where=both)
    return areas
