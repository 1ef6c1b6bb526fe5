"""Pictures as arrays: grey, cropped, turned. What a network sees is always grey, for micrographs are.

Arrays are uint8, 0 black to 255 white.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from polydata.images.transforms import scaled
from polymodel.recipes import Recipe

Grey = NDArray[np.uint8]


def grey_resized(picture: Image.Image, short_side: int | None, size: int) -> Grey:
    """The picture in grey with its short side brought to ``short_side``; a very long one is cut to its middle.

    Args:
        picture: RGB.
        short_side: in pixels; None squashes the whole picture to ``size`` squared.
        size: at least this large comes out, in both directions.

    Returns:
        (height, width) with both at least ``size``.
    """
    grey = picture.convert("L")
    if short_side is None:
        return np.asarray(grey.resize((size, size), Image.Resampling.BICUBIC))
    return np.asarray(scaled(grey, max(short_side, size)))


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


GREY_WEIGHTS = (0.299, 0.587, 0.114)
"""Of red, green and blue in grey: ITU-R 601, as pillow's ``convert("L")`` has them."""

CROPS: dict[str, Callable[[Grey, int], Grey]] = {
    "corners and centre": five_crops,
    "centre": lambda image, size: centre(image, size)[None],
    "centre and its mirror images": lambda image, size: mirrored(centre(image, size)),
}
"""What is cut from a rendering of a picture, (crops, size, size)."""


@dataclass(frozen=True)
class Preparation:
    """How a picture becomes the views that a network is asked about.

    Attributes:
        size: side of a view in pixels.
        renderings: (short side, quarter turns to the left) of each; a short side of None squashes the picture.
        crops: a key of ``CROPS``: what is cut from each rendering.
    """

    size: int
    renderings: tuple[tuple[int | None, int], ...]
    crops: str

    def cut(self, rendering: Grey) -> Grey:
        """(crops, size, size) of a rendering."""
        return CROPS[self.crops](rendering, self.size)

    def views(self, picture: Image.Image) -> Grey:
        """(views, size, size) of an RGB picture: the crops of all renderings."""
        greys = (np.rot90(grey_resized(picture, short, self.size), turns) for short, turns in self.renderings)
        return np.concatenate([self.cut(grey) for grey in greys])


def preparation(recipe: Recipe) -> Preparation:
    """How a recipe's models see a picture when they predict."""
    if recipe.kind == "probe":
        return Preparation(recipe.image_size, recipe.views, "corners and centre")
    crops = "centre and its mirror images" if recipe.flips else "centre"
    return Preparation(recipe.image_size, ((recipe.short_side, 0),), crops)
