"""Views of grey pictures: cropped, turned, and at random by the standard transform or the user's own.

What a network sees is always grey, for micrographs are. Arrays are uint8, 0 black to 255 white.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from polydata.errors import InputError, UsageError, first_line
from polymodel.recipes import Recipe

Grey = NDArray[np.uint8]
Transform = Callable[[Tensor], Tensor]
"""Makes of grey uint8 (1, height, width) a random view, uint8 (1, size, size)."""
HINT = "Write --transforms MODULE:NAME; NAME(size) must give a function from a grey uint8 tensor to another."


def centre(image: Grey, size: int) -> Grey:
    """The middle ``size`` x ``size`` of an image at least that large."""
    top, left = (image.shape[0] - size) // 2, (image.shape[1] - size) // 2
    return image[top : top + size, left : left + size]


def five_crops(image: Grey, size: int) -> Grey:
    """Four corners and the centre: (5, size, size) of an image (height, width) at least that large."""
    bottom, right = image.shape[0] - size, image.shape[1] - size
    corners = [image[y : y + size, x : x + size] for y in (0, bottom) for x in (0, right)]
    return np.stack([*corners, centre(image, size)])


def mirrored(image: Grey) -> Grey:
    """An image, its left-right and top-bottom mirror images and both together: (4, height, width)."""
    return np.stack([image, image[:, ::-1], image[::-1], image[::-1, ::-1]])


def standard_key(recipe: Recipe) -> str:
    """What names the standard transform of a recipe where views are kept."""
    usual = (Recipe.crop_area, Recipe.jitter)
    return "standard" if (recipe.crop_area, recipe.jitter) == usual else f"standard {recipe.crop_area} {recipe.jitter}"


def standard_transform(size: int, crop_area: float = Recipe.crop_area, jitter: float = Recipe.jitter) -> Transform:
    """A crop, flips, quarter turns, brightness and contrast at random.

    Args:
        size: side in pixels of what comes out.
        crop_area: least share of the area that is shown.
        jitter: by how much brightness and contrast vary, as shares.
    """
    from torchvision.transforms import v2

    transform: Transform = v2.Compose(
        [
            v2.RandomResizedCrop(size, scale=(crop_area, 1.0), ratio=(0.8, 1.25), antialias=True),
            v2.RandomHorizontalFlip(),
            v2.RandomVerticalFlip(),
            v2.ColorJitter(brightness=jitter, contrast=jitter),
            v2.Lambda(lambda view: torch.rot90(view, int(torch.randint(4, ())), (1, 2))),
        ]
    )
    return transform


def own_transform(path: str, size: int) -> Transform:
    """The user's transform named ``module:name``; a module in the current folder is found.

    Args:
        path: what ``name`` names is called with ``size`` and gives the transform, for instance a function that
            returns a torchvision ``Compose``.
        size: side in pixels of what it must put out.

    Returns:
        The transform, which raises InputError where the user's own raises anything.

    Raises:
        UsageError: if there is no such thing.
    """
    make = _named(path)
    try:
        built = make(size)
    except Exception as error:  # the user's code may raise anything
        raise UsageError(f"{path}({size}) fails: {_cause(error)}", HINT) from error
    if not callable(built):
        raise UsageError(f"{path} gives no transform but {type(built).__name__}.", "It must return a callable.")

    def transform(image: Tensor) -> Tensor:
        try:
            view: Tensor = built(image)
        except Exception as error:  # the user's code may raise anything
            raise InputError(
                f"The transform {path} fails for an image of {tuple(image.shape[1:])} pixels: {_cause(error)}",
                f"It is given a uint8 tensor (1, height, width) and must give one of shape (1, {size}, {size}).",
            ) from error
        return view

    return transform


def transform_sha256(path: str) -> str:
    """SHA-256 of the file that defines the user's transform.

    Raises:
        UsageError: if there is no such thing.
    """
    found = _named(path)
    try:
        source = Path(inspect.getfile(found)).read_bytes()
    except (TypeError, OSError) as error:
        raise UsageError(f"{path} is defined in no file: {error}", "Name a function of a module of yours.") from error
    return hashlib.sha256(source).hexdigest()


def _named(path: str) -> Callable[[int], Any]:
    module, colon, name = path.partition(":")
    if not (module and colon and name):
        raise UsageError(f"{path!r} names no transform.", HINT)
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found = getattr(importlib.import_module(module), name)
    except Exception as error:  # the user's module may raise anything
        raise UsageError(f"{path} cannot be imported: {_cause(error)}", HINT) from error
    if not callable(found):
        raise UsageError(f"{path} is no function.", HINT)
    named: Callable[[int], Any] = found
    return named


def _cause(error: Exception) -> str:
    """The kind of an error and the first line of what it says."""
    return f"{type(error).__name__}: {first_line(error)}"


def random_view(image: Grey, size: int, transform: Transform, state: int) -> Tensor:
    """One random view (size, size) uint8 of a grey image (height, width), the same for the same state.

    Raises:
        InputError: if a transform of the user's own gives something else.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(state)
        random.seed(state)
        np.random.seed(state % 2**32)
        view = transform(torch.from_numpy(image.copy()).unsqueeze(0))
    if not isinstance(view, Tensor) or view.dtype != torch.uint8 or view.shape != (1, size, size):
        given = f"{view.dtype} {tuple(view.shape)}" if isinstance(view, Tensor) else type(view).__name__
        raise InputError(
            f"The transform gave {given} for an image of {tuple(image.shape)} pixels.",
            f"It must give a uint8 tensor of shape (1, {size}, {size}).",
        )
    return view[0]
