"""The published images with clear labels as the benchmarks of models share them: features, folds, regressions, figures.

A workspace is one that benchmarks/training.py made; its split cv475 gives five folds by paper three times. Everything
that is chosen is chosen on inner folds: papers of an outer training side, held back in turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit

import polymodel
from polydata.files.tables import write_csv
from polymodel.data.split import group_folds, targets
from polymodel.evaluation.intervals import differences, summarise
from polymodel.evaluation.metrics import Outcome
from polymodel.networks.features import FeatureCache
from polymodel.networks.linear import fit_regressions, image_weights
from polymodel.networks.network import architecture
from polymodel.networks.solver import Problem, one_thread
from polymodel.networks.weights import load_network
from polymodel.recipes import DEFAULT_ARCH, IMAGENET, RECIPES, Recipe, RecipeName

DATA = Path(__file__).resolve().parents[2] / "shared/data/nims"
INNER = 5
Array = NDArray[np.float64]
Index = NDArray[np.int64]
Blocks = Sequence[NDArray[np.floating]]


@dataclass(frozen=True)
class Fold:
    """An outer partition.

    Attributes:
        repeat: 1-based.
        train, test: places of images.
        inner: of the training side, (kept, held back) as places within it.
    """

    repeat: int
    train: Index
    test: Index
    inner: tuple[tuple[Index, Index], ...]


@dataclass(frozen=True)
class Published:
    """Images, labels and folds.

    Attributes:
        sha256: of each image, in the order of all arrays.
        paths: of each image.
        labels: (n,) 1 for compatible.
        groups: (n,) merged papers.
        folds: outer partitions.
    """

    sha256: tuple[str, ...]
    paths: tuple[Path, ...]
    labels: Index
    groups: NDArray[np.str_]
    folds: tuple[Fold, ...]

    def outcomes(self, logits: Sequence[Array]) -> list[Outcome]:
        """What each fold's model said of its test side, (test,) logits of compatible, as one outcome a repeat."""
        found = []
        for repeat in sorted({fold.repeat for fold in self.folds}):
            own = [(fold, said) for fold, said in zip(self.folds, logits, strict=True) if fold.repeat == repeat]
            places = np.concatenate([fold.test for fold, _ in own])
            chances = expit(np.concatenate([said for _, said in own]))
            both = np.column_stack([1 - chances, chances])
            found.append(Outcome(self.labels[places], both, self.groups[places], 1))
        return found


def published(workspace: Path, name: str = "cv475") -> Published:
    """The images of a split of two labels, with its folds."""
    split = polymodel.load_split(name, workspace)
    items = sorted(split.items.values(), key=lambda item: item.image_sha256)
    place = {item.image_sha256: k for k, item in enumerate(items)}
    labels = (targets(items, split.classes) == split.classes.index(split.positive)).astype(np.int64)
    groups = np.array([item.group for item in items])
    folds = []
    for number, fold in enumerate(split.folds):
        train, test = (np.array([place[i.image_sha256] for i in side]) for side in (fold.train, fold.test))
        parts = group_folds(labels[train], list(groups[train]), INNER, number)
        folds.append(Fold(fold.repeat, train, test, tuple(parts)))
    sha256, paths = tuple(i.image_sha256 for i in items), tuple(split.image_path(i) for i in items)
    return Published(sha256, paths, labels, groups, tuple(folds))


def features(workspace: Path, images: Sequence[tuple[str, Path]], recipe: Recipe | None = None) -> Blocks:
    """Blocks of features of images (SHA-256, path), each (n, columns), kept in the workspace."""
    torch.set_num_threads(1)
    network = load_network(architecture(DEFAULT_ARCH), IMAGENET, 2, (None, None))
    network.module.eval()
    cache = FeatureCache(workspace / "runs/.cache/features", network, recipe or RECIPES[RecipeName.PROBE], "cpu")
    return cache.get(images)


def kernel(blocks: Blocks, known: Index, weights: Sequence[float] = ()) -> Array:
    """Inner products (n, n) of standardised features, every block with a mean square of 1 an image times its weight.

    Args:
        blocks: each (n, columns).
        known: places of the images by which is standardised.
        weights: of the blocks; 1 each where none are given.
    """
    total = np.zeros((len(blocks[0]), len(blocks[0])))
    with one_thread():
        for block, weight in zip(blocks, weights or [1.0] * len(blocks), strict=True):
            scaled = standardised(block, known)
            total += weight * (scaled @ scaled.T) / scaled.shape[1]
    return total


def standardised(block: NDArray[np.floating], known: Index) -> NDArray[np.float32]:
    """A block (n, columns) with mean 0 and sd 1 over the known images; what is constant there is 0."""
    mean, spread = block[known].mean(0, dtype=np.float64), block[known].std(0, dtype=np.float64)
    spread[spread <= 1e-9 * np.maximum(1.0, np.abs(mean))] = np.inf
    found: NDArray[np.float32] = ((block - mean) / spread).astype(np.float32)
    return found


def coordinates_of(products: Array, known: Index) -> Array:
    """Coordinates (n, r) of all images in the span of the known ones."""
    with one_thread():
        powers, turned = np.linalg.eigh(products[np.ix_(known, known)])
        kept = powers > 1e-9 * powers[-1]
        found: Array = products[:, known] @ (turned[:, kept] / np.sqrt(powers[kept]))
    return found


def regress(values: Array, labels: Index, problems: Sequence[Problem]) -> list[tuple[Array, float]]:
    """Coefficients and intercept of the logit of compatible, for each problem over the same images."""
    found = fit_regressions(values, labels, 2, problems)
    return [(weight[1] - weight[0], float(bias[1] - bias[0])) for weight, bias in found]


def weights_of(labels: Index, groups: NDArray[np.str_], likeness: float = 0.5) -> Array:
    """What an image weighs in training, as the default recipe has it."""
    return image_weights(labels, 2, list(groups), likeness, balanced=True)


def auroc(logits: Array, labels: Index) -> float:
    """Area under the curve of one set of answers (n,)."""
    from scipy.stats import rankdata

    ranks, positive = rankdata(logits), int(labels.sum())
    return float((ranks[labels == 1].sum() - positive * (positive + 1) / 2) / (positive * (len(labels) - positive)))


def balanced(logits: Array, labels: Index) -> float:
    """Balanced accuracy of one set of answers at a logit of 0."""
    return float(((logits > 0)[labels == 1].mean() + (logits <= 0)[labels == 0].mean()) / 2)


def line(name: str, own: Sequence[Outcome], against: Sequence[Outcome] | None = None) -> str:
    """A row of a table: AUROC and balanced accuracy with 95 % intervals over papers, and less those of another."""
    cells = [name, *(_cell(summarise(own)[metric]) for metric in ("auroc", "balanced_accuracy"))]
    if against is not None:
        less = differences(own, against)
        cells += [_cell(less[metric], sign=True) for metric in ("auroc", "balanced_accuracy")]
    return f"| {' | '.join(cells)} |"


def _cell(summary: Any, sign: bool = False) -> str:
    value = summary.get("mean", summary.get("value"))
    low, high = summary["low"], summary["high"]
    form = "+.3f" if sign else ".3f"
    between = "" if low is None or high is None else f" [{low:{form}}, {high:{form}}]"
    return f"{value:{form}}{between}"


def write_trials(path: Path, trials: Mapping[str, Sequence[Outcome]]) -> None:
    """A table of trials with 95 % intervals over papers, as ``polymodel report --trials`` reads it."""
    rows = []
    for name, outcomes in trials.items():
        found = summarise(list(outcomes))
        for metric in ("auroc", "balanced_accuracy"):
            own = found[metric]
            ends = {"low": own["low"], "high": own["high"]}
            rows.append({"trial": name, "metric": metric, "value": own.get("mean", own.get("value")), **ends})
    write_csv(path, ["trial", "metric", "value", "low", "high"], rows)


LESS = "| AUROC | balanced accuracy | AUROC less the default's | balanced accuracy less |\n|---|---|---|---|---|"
"""Rest of a table's head, for rows of ``line``."""
