"""Whether a picture is such as those that a model was trained on: how far its features are from theirs.

Means and sds of a network's channels are standardised and laid into the space of the training images' largest principal
components. A picture's distance is that to its nearest training images (Sun et al., ICML 2022) together with what of it
lies outside that space, which is where drawings, photographs and pages lie.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from polymodel.networks.solver import one_thread

Array = NDArray[np.float64]
RANK = 64
NEAREST = 5
"""The distance is the mean to so many training images."""
USUAL = 0.95
"""The share of training papers' images, each held against the others', that count as such as those seen."""
FEWEST = 6
"""Papers below which nothing is said."""
AT_ONCE = 256
"""So many pictures are held against all training images at once."""


@dataclass(frozen=True)
class Reference:
    """What training images look like.

    Attributes:
        mean, scale: (features,), of each feature.
        axes: (features, r), the components.
        places: (n, r), the training images along them.
        limit: the distance beyond which a picture is unlike them.
    """

    mean: Array
    scale: Array
    axes: Array
    places: Array
    limit: float

    def strangeness(self, features: NDArray[np.floating]) -> Array:
        """Distances (n,) of features (n, features), in terms of the limit: above 1 a picture is unlike those seen."""
        along, beside = self._laid(features)
        return _distances(along, beside, self.places) / self.limit

    def distances(self, features: NDArray[np.floating]) -> Array:
        """Distances (n, training images) of features (n, features), in terms of the limit."""
        along, beside = self._laid(features)
        squares = ((along[:, None] - self.places[None]) ** 2).sum(2)
        return np.asarray(np.sqrt(squares + beside[:, None]) / self.limit)

    def _laid(self, features: NDArray[np.floating]) -> tuple[Array, Array]:
        """Where features lie along the axes (n, r), and the square of what lies outside of them (n,)."""
        values = (features.astype(np.float64) - self.mean) / self.scale
        along = values @ self.axes
        return along, np.maximum((values**2).sum(1) - (along**2).sum(1), 0.0)

    def tensors(self) -> dict[str, Tensor]:
        """To be kept, in single precision."""
        return {name: torch.tensor(np.asarray(value, dtype=np.float32)) for name, value in vars(self).items()}


def reference_from(tensors: Mapping[str, Tensor]) -> Reference:
    """The inverse of ``Reference.tensors``.

    Raises:
        KeyError: if it lacks something.
    """
    arrays = {name: tensors[name].double().numpy() for name in ("mean", "scale", "axes", "places")}
    return Reference(**arrays, limit=float(tensors["limit"]))


def fit_reference(features: NDArray[np.floating], groups: Sequence[str]) -> Reference | None:
    """Learn what training images look like, and how far those of one paper are from all others'.

    Each paper weighs the same in the choice of the limit. What lies outside the axes is smaller for images that these
    were made of, so the axes of half of the papers measure the other half.

    Args:
        features: (n, features), means and sds.
        groups: n names of papers.

    Returns:
        None where there are fewer than ``FEWEST`` papers.
    """
    names, own, counts = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    if len(names) < FEWEST:
        return None
    distances = np.zeros(len(features))
    for half in (0, 1):
        kept, out = own % 2 != half, own % 2 == half
        part = _reference(features[kept])
        along, beside = part._laid(features[out])
        distances[out] = _distances(along, beside, part.places)
    order = np.argsort(distances)
    share = np.cumsum(1 / counts[own[order]]) / len(names)
    limit = float(distances[order[np.searchsorted(share, USUAL)]])
    whole = _reference(features)
    return Reference(whole.mean, whole.scale, whole.axes, whole.places, max(limit, 1e-12))


def _reference(features: NDArray[np.floating]) -> Reference:
    values = features.astype(np.float64)
    mean, scale = values.mean(0), values.std(0)
    scale[scale <= 1e-9 * np.maximum(1.0, np.abs(mean))] = np.inf  # what is constant up to rounding tells nothing
    values = (values - mean) / scale
    few = len(values) < values.shape[1]
    with one_thread():
        powers, turned = np.linalg.eigh(values @ values.T if few else values.T @ values)
    kept = np.flatnonzero(powers > 1e-10 * powers[-1])[-RANK:]
    axes = values.T @ turned[:, kept] / np.sqrt(powers[kept]) if few else turned[:, kept]
    return Reference(mean, scale, axes, values @ axes, 1.0)


def _distances(along: Array, beside: Array, places: Array) -> Array:
    """Root mean square distance of each picture to its nearest training images."""
    found = []
    lengths = (places**2).sum(1)
    for start in range(0, len(along), AT_ONCE):
        some = along[start : start + AT_ONCE]
        squares = (some**2).sum(1)[:, None] + lengths - 2 * some @ places.T
        nearest = np.partition(squares, min(NEAREST, squares.shape[1]) - 1, axis=1)[:, :NEAREST]
        found.append(np.maximum(nearest, 0.0).mean(1))
    return np.asarray(np.sqrt(np.concatenate(found) + beside))
