"""Which frozen features a probe should read, chosen among a declared list by inner folds of papers.

    feature_choice.py WORKSPACE

WORKSPACE is one that benchmarks/training.py made. All sets of `SETS` come from the default network and five crops a
rendering: means and sds, and covariances of the channels of blocks 3, 4 and 5, over renderings of three short sides.
Every outer training side chooses by the mean of AUROC and balanced accuracy on papers held back from it in turn: first
the set of features at the default's numbers, then regularisation, weights of papers and intercepts of papers. The mean
of the logits of all sets is tried too, which chooses nothing. Features are kept in WORKSPACE/features.npz.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from published_models import (
    LESS,
    Array,
    Fold,
    Index,
    Published,
    auroc,
    balanced,
    coordinates_of,
    kernel,
    line,
    published,
    regress,
    weights_of,
)

from polydata.images.picture import open_picture
from polymodel.data.preparation import grey_resized
from polymodel.data.views import five_crops
from polymodel.networks.features import covariances
from polymodel.networks.network import Network, architecture
from polymodel.networks.solver import Problem
from polymodel.networks.weights import load_network
from polymodel.recipes import DEFAULT_ARCH, IMAGENET

SIZE = 224
RENDERINGS = {"280": (280, 0), "280 turned": (280, 1), "448": (448, 0), "640": (640, 0)}
USUAL, FINE = ("280", "280 turned", "448"), ("280", "280 turned", "448", "640")
MAPS = {"3": "blocks.3", "4": "blocks.4", "5": "blocks.5", "6": "blocks.6"}
COVARIED = ("3", "4", "5")
Values = NDArray[np.float32]
Block = tuple[str, tuple[str, ...]]
"""What is read, and the renderings over which it is averaged."""


def _usual(*names: str, over: tuple[str, ...] = USUAL) -> tuple[Block, ...]:
    return tuple((name, over) for name in names)


APART: tuple[tuple[str, ...], ...] = (("280", "280 turned"), ("448",))
SETS: dict[str, tuple[Block, ...]] = {
    "default": _usual("means 4 6", "roots 5", "roots 4"),
    "covariances alone": _usual("roots 5", "roots 4"),
    "block 5 at 448 px": _usual("roots 5", over=("448",)),
    "block 3 too": _usual("means 4 6", "roots 5", "roots 4", "roots 3"),
    "640 px too": _usual("means 4 6", "roots 5", "roots 4", over=FINE),
    "scales apart": (
        *_usual("means 4 6"),
        *((name, over) for name in ("roots 5", "roots 4") for over in APART),
    ),
    "scales apart, 640 px too": (
        *_usual("means 4 6", over=FINE),
        *((name, over) for name in ("roots 5", "roots 4") for over in (*APART, ("640",))),
    ),
    "means of four blocks": _usual("means 3 4 5 6", "roots 5", "roots 4"),
    "correlations": _usual("means 4 6", "correlations 5", "correlations 4"),
    "matrix roots": _usual("means 4 6", "matrix roots 5", "matrix roots 4"),
}
"""Sets of features, declared before any was scored. A set's blocks weigh the same, three together as of the default."""
STRENGTHS, LIKENESS, EFFECTS = (0.1, 0.3, 1.0, 3.0), (0.0, 0.5, 1.0), (0.0, 1.0, 3.0, 10.0)
Numbers = tuple[float, float, float]
"""Inverse regularisation, weights of papers, and the variance of their intercepts."""
USUAL_NUMBERS: Numbers = (0.3, 0.5, 0.0)
GRID = [(c, likeness, effect) for c in STRENGTHS for likeness in LIKENESS for effect in EFFECTS]


def extract(workspace: Path) -> dict[str, Values]:
    """Per image, rendering and map: means and sds, and covariances; of all published images, kept once made."""
    kept = workspace / "features.npz"
    if kept.exists():
        with np.load(kept) as found:
            return dict(found)
    torch.set_num_threads(1)
    data = published(workspace, "cv517")
    network = load_network(architecture(DEFAULT_ARCH), IMAGENET, 2, (None, None))
    network.module.eval().to(memory_format=torch.channels_last)
    rows: dict[str, list[Values]] = {}
    for path in data.paths:
        grey = open_picture(path).convert("L")
        for name, (short, turns) in RENDERINGS.items():
            crops = five_crops(np.rot90(grey_resized(grey, short, SIZE), turns), SIZE)
            for what, values in described(network, crops).items():
                rows.setdefault(f"{what}|{name}", []).append(values)
    made = {name: np.stack(values) for name, values in rows.items()} | {"sha256": np.array(data.sha256)}
    np.savez(kept, **made)
    return made


def described(network: Network, crops: NDArray[np.uint8]) -> dict[str, Values]:
    """Means and sds, and upper triangles of covariances, each the mean over crops (n, size, size)."""
    kept: dict[str, torch.Tensor] = {}
    hooks = [
        network.module.get_submodule(module).register_forward_hook(
            lambda _module, _inputs, out, name=name: kept.__setitem__(name, out)
        )
        for name, module in MAPS.items()
    ]
    with torch.inference_mode():
        images = network.normalise(torch.from_numpy(np.ascontiguousarray(crops)))
        for some in torch.split(images, 3):
            network.module(some.contiguous(memory_format=torch.channels_last))
            parts = {name: kept.pop(name).clone() for name in MAPS}
            for name, value in parts.items():
                flat = value.flatten(2)
                pooled = torch.cat([flat.mean(2), flat.std(2, correction=0)], 1).sum(0)
                kept[f"means {name}"] = kept.get(f"means {name}", torch.zeros(())) + pooled
                if name in COVARIED:
                    kept[f"cov {name}"] = kept.get(f"cov {name}", torch.zeros(())) + covariances(value).sum(0)
    for hook in hooks:
        hook.remove()
    found = {}
    for name, value in kept.items():
        whole = value.numpy() / len(crops)
        found[name] = whole[np.triu_indices(len(whole))] if name.startswith("cov") else whole
    return {name: value.astype(np.float32) for name, value in found.items()}


def block(stored: Mapping[str, Values], what: str, over: Sequence[str]) -> Values:
    """A block of features (n, columns): ``means 4 6``, or ``roots``, ``correlations`` or ``matrix roots`` of a map."""
    kind, *maps = what.rsplit(" ", 1) if not what.startswith("means") else what.split(" ")

    def mean(name: str) -> Values:
        whole = np.stack([stored[f"{name}|{one}"] for one in over])
        return np.asarray(whole.mean(0, dtype=np.float64), np.float32)

    if kind == "means":
        return np.concatenate([mean(f"means {one}") for one in maps], axis=1)
    upper = mean(f"cov {maps[0]}")
    if kind == "roots":
        return np.asarray(np.sign(upper) * np.sqrt(np.abs(upper)))
    side = int((np.sqrt(8 * upper.shape[1] + 1) - 1) / 2)
    rows, columns = np.triu_indices(side)
    whole = np.zeros((len(upper), side, side))
    whole[:, rows, columns] = whole[:, columns, rows] = upper
    if kind == "correlations":
        spread = np.sqrt(np.maximum(np.einsum("nii->ni", whole), 1e-12))
        found = whole / spread[:, :, None] / spread[:, None, :]
    else:  # the root of the matrix (Li, Xie, Wang and Zuo, ICCV 2017), not of its entries
        powers, turned = np.linalg.eigh(whole)
        found = np.einsum("nik,nk,njk->nij", turned, np.sqrt(np.maximum(powers, 0)), turned, optimize=True)
    return np.asarray(found[:, rows, columns], np.float32)


def trials(
    data: Published, fold: Fold, products: Array, grid: Sequence[Numbers] = (USUAL_NUMBERS,)
) -> dict[Numbers, tuple[Array, Array]]:
    """Logits of the training side, each by a model of the other papers, and of the test side, for each of some numbers.

    Papers may have intercepts of their own, a random effect of the given variance beside the features' 3: then what
    differs between pictures of a paper counts for more than what differs between papers. A new paper's is 0.
    """
    values, labels = coordinates_of(products, fold.train), data.labels[fold.train]
    groups = data.groups[fold.train]
    masks = [np.ones(len(labels), bool), *(np.isin(np.arange(len(labels)), kept) for kept, _ in fold.inner)]
    found: dict[Numbers, tuple[Array, Array]] = {}
    for effect in sorted({numbers[2] for numbers in grid}):
        own = np.unique(groups)[None] == groups[:, None]
        known = np.hstack([values[fold.train], np.sqrt(effect) * own]) if effect else values[fold.train]
        some = [numbers for numbers in grid if numbers[2] == effect]
        weights = {likeness: weights_of(labels, groups, likeness) for likeness in LIKENESS}
        problems = [Problem(c, weights[likeness] * mask) for c, likeness, _ in some for mask in masks]
        heads = regress(known, labels, problems)
        for k, numbers in enumerate(some):
            mine = [(weight[: values.shape[1]], bias) for weight, bias in heads[k * len(masks) : (k + 1) * len(masks)]]
            held = np.zeros(len(labels))
            for (_, out), (weight, bias) in zip(fold.inner, mine[1:], strict=True):
                held[out] = values[fold.train[out]] @ weight + bias
            found[numbers] = held, values[fold.test] @ mine[0][0] + mine[0][1]
    return found


def radial(products: Array, known: Index) -> Array:
    """A Gaussian kernel on the same features, as wide as the median distance of known images; its diagonal is 3."""
    squares = np.diag(products)
    distances = np.maximum(squares[:, None] + squares[None] - 2 * products, 0)
    width = np.median(distances[np.ix_(known, known)])
    return np.asarray(3 * np.exp(-distances / width))


def worth(logits: Array, labels: Index) -> float:
    """By what is chosen."""
    return (auroc(logits, labels) + balanced(logits, labels)) / 2


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    asked = parser.parse_args(words)
    workspace = asked.workspace.resolve()
    stored = extract(workspace)
    data = published(workspace)
    place = {sha256: k for k, sha256 in enumerate(stored["sha256"].tolist())}
    own = [place[sha256] for sha256 in data.sha256]
    stored = {name: values[own] for name, values in stored.items() if name != "sha256"}
    blocks = {one: block(stored, *one) for one in {one for some in SETS.values() for one in some}}
    said: dict[str, list[Array]] = defaultdict(list)
    for number, fold in enumerate(data.folds, start=1):
        labels = data.labels[fold.train]
        single = {one: kernel([values], fold.train) for one, values in blocks.items()}
        products = {
            name: np.asarray(sum(single[one] for one in some)) * 3 / len(some) for name, some in SETS.items()
        } | {"default, radial": np.zeros(0)}
        products["default, radial"] = radial(products["default"], fold.train)
        tried = {name: trials(data, fold, own)[USUAL_NUMBERS] for name, own in products.items()}
        for name, (_, test) in tried.items():
            said[name].append(test)
        said["mean of all"].append(np.mean([test for _, test in tried.values()], axis=0))
        best = max(tried, key=lambda name: worth(tried[name][0], labels))
        said["chosen set"].append(tried[best][1])
        for title, name in (("default, numbers chosen", "default"), ("chosen set, numbers chosen", best)):
            finer = trials(data, fold, products[name], GRID)
            finest = max(finer, key=lambda key: worth(finer[key][0], labels))
            said[title].append(finer[finest][1])
            print(f"fold {number}, {title}: {name}, C, weights, intercepts {finest}", flush=True)
            if name == "default":
                for effect in EFFECTS[1:]:
                    said[f"default, intercepts {effect:g}"].append(finer[0.3, 0.5, effect][1])
            if best == "default":
                said["chosen set, numbers chosen"].append(finer[finest][1])
                break
    usual = data.outcomes(said["default"])
    print(f"\n| features {LESS}")
    for name, logits in said.items():
        print(line(name, data.outcomes(logits), None if name == "default" else usual), flush=True)


if __name__ == "__main__":
    main()
