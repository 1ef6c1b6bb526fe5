"""How a picture becomes the grey views that a network sees: print on it, its scale, renderings, and what is cut out.

Training, prediction and explanation all go through ``Preparation``. Arrays are uint8, 0 black to 255 white.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from polydata.images.transforms import scaled
from polymodel.data.views import Grey, centre, five_crops, mirrored
from polymodel.recipes import BurnedIn, Recipe

GREY_WEIGHTS = (0.299, 0.587, 0.114)
"""Of red, green and blue in grey: ITU-R 601, as pillow's ``convert("L")`` has them."""
CROPS: dict[str, Callable[[Grey, int], Grey]] = {
    "corners and centre": five_crops,
    "centre": lambda image, size: centre(image, size)[None],
    "centre and its mirror images": lambda image, size: mirrored(centre(image, size)),
}
"""What is cut from a rendering of a picture, (crops, size, size)."""
CELLS = 96
"""Places a side among which the largest rectangle without print is looked for."""
SMALLEST = 40
"""Pixels of the shorter side below which nothing is looked for in a picture."""

Map = NDArray[np.bool_]


@dataclass(frozen=True)
class Prepared:
    """A picture as a network sees it.

    Attributes:
        renderings: each grey (height, width), before anything is cut out.
        views: (views, size, size), all that is cut out.
        um_per_px: the scale that its bar says, micrometres a pixel of the picture; None where none can be read or
            nothing depends on it.
    """

    renderings: tuple[Grey, ...]
    views: Grey
    um_per_px: float | None


@dataclass(frozen=True)
class Preparation:
    """How a picture becomes the views that a network is asked about.

    Attributes:
        size: side of a view in pixels.
        renderings: (short side, quarter turns to the left) of each; a short side of None squashes the picture.
        crops: a key of ``CROPS``: what is cut from each rendering.
        burned_in: what becomes of print on the picture, see ``Recipe``.
        um_per_px: scale of the first rendering, to which the others keep their proportion, see ``Recipe``.
    """

    size: int
    renderings: tuple[tuple[int | None, int], ...]
    crops: str
    burned_in: str = BurnedIn.KEPT.value
    um_per_px: float = 0.0

    @property
    def looks(self) -> bool:
        """Whether print or a scale bar is looked for in the picture, which takes networks of its own."""
        return self.burned_in != BurnedIn.KEPT or self.um_per_px > 0

    @property
    def key(self) -> tuple[object, ...]:
        """What tells these pictures from others of the same renderings where something is kept of them."""
        if not self.looks:
            return ()
        from polydata.vision import burned_in, scale_bar

        return self.burned_in, self.um_per_px, burned_in.VERSION, scale_bar.VERSION

    def unscaled(self, prepared: Prepared) -> bool:
        """Whether a picture was to be brought to a scale and has no bar that can be read."""
        return self.um_per_px > 0 and prepared.um_per_px is None

    def cut(self, rendering: Grey) -> Grey:
        """(crops, size, size) of a rendering."""
        return CROPS[self.crops](rendering, self.size)

    def prepare(self, picture: Image.Image) -> Prepared:
        """An RGB picture as a network sees it."""
        um_per_px = printed_scale(picture) if self.um_per_px else None
        return self.render(without_print(picture, self.burned_in), um_per_px)

    def render(self, grey: Image.Image, um_per_px: float | None) -> Prepared:
        """A grey picture as a network sees it, nothing of it masked or cropped any more, at its scale."""
        first = self.renderings[0][0]
        rendered = []
        for short, turns in self.renderings:
            zoom = um_per_px / self.um_per_px * short / first if um_per_px and short and first else None
            rendered.append(np.rot90(grey_resized(grey, short, self.size, zoom), turns))
        return Prepared(tuple(rendered), np.concatenate([self.cut(one) for one in rendered]), um_per_px)

    def views(self, picture: Image.Image) -> Grey:
        """(views, size, size) of an RGB picture: the crops of all renderings."""
        return self.prepare(picture).views


def preparation(recipe: Recipe) -> Preparation:
    """How a recipe's models see a picture."""
    crops = "centre and its mirror images" if recipe.flips else "centre"
    renderings: tuple[tuple[int | None, int], ...] = ((recipe.short_side, 0),)
    if recipe.kind == "probe":
        renderings, crops = recipe.views, "corners and centre"
    return Preparation(recipe.image_size, renderings, crops, recipe.burned_in, recipe.um_per_px)


def grey_resized(picture: Image.Image, short_side: int | None, size: int, zoom: float | None = None) -> Grey:
    """The picture in grey with its short side brought to ``short_side``; a very long one is cut to its middle.

    Args:
        picture: RGB or grey.
        short_side: in pixels; None squashes the whole picture to ``size`` squared.
        size: at least this large comes out, in both directions.
        zoom: pixels that a pixel of the picture is to take, above 0, instead of what brings the short side there:
            what comes out has the same size as without, the picture cut to its middle or mirrored at its edges.

    Returns:
        (height, width) with both at least ``size``.
    """
    grey = picture.convert("L")
    if short_side is None:
        return np.asarray(grey.resize((size, size), Image.Resampling.BICUBIC))
    usual = scaled(grey, max(short_side, size))
    return np.asarray(usual) if zoom is None else _zoomed(grey, zoom, usual.size)


def _zoomed(grey: Image.Image, zoom: float, frame: tuple[int, int]) -> Grey:
    """The middle of a picture at a zoom in a frame (width, height), mirrored where it does not fill it."""
    sides = list(zip(grey.size, frame, strict=True))
    shown = [min(side, max(1.0, wanted / zoom)) for side, wanted in sides]
    left, top = ((side - part) / 2 for side, part in zip(grey.size, shown, strict=True))
    width, height = (min(wanted, max(1, round(part * zoom))) for part, wanted in zip(shown, frame, strict=True))
    box = (left, top, left + shown[0], top + shown[1])
    found = np.asarray(grey.resize((width, height), Image.Resampling.BICUBIC, box=box))
    rows, columns = frame[1] - height, frame[0] - width
    around = ((rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2))
    return np.asarray(np.pad(found, around, mode="symmetric"))


def printed_scale(picture: Image.Image) -> float | None:
    """Micrometres a pixel of an RGB picture by the scale bar in it; None where none can be read with its length."""
    from polydata.vision.scale_bar import read_scale_bar

    bar = read_scale_bar(np.asarray(picture))
    return bar.value_um / bar.length_px if bar is not None and bar.length_px else None


def sample_pixels(picture: Image.Image) -> Map:
    """Which pixels (height, width) of an RGB picture show the sample, and no print; all of a tiny one."""
    from polydata.vision.burned_in import unprinted

    if min(picture.size) < SMALLEST:
        return np.ones(picture.size[::-1], np.bool_)
    return unprinted(np.asarray(picture))


def without_print(picture: Image.Image, burned_in: str, known: Map | None = None) -> Image.Image:
    """An RGB picture in grey, with the print on it kept, masked or cut away.

    Args:
        picture: where nothing but print is found on it, it stays as it is.
        burned_in: a word of ``BurnedIn``.
        known: what ``sample_pixels`` found, if that is known.
    """
    grey = picture.convert("L")
    if burned_in == BurnedIn.KEPT:
        return grey
    known = sample_pixels(picture) if known is None else known
    if known.all() or not known.any():
        return grey
    if burned_in == BurnedIn.MASKED:
        pixels = np.asarray(grey).copy()
        pixels[~known] = np.median(pixels[known])
        return Image.fromarray(pixels)
    return grey.crop(largest_box(known) or (0, 0, *grey.size))


def largest_box(known: Map) -> tuple[int, int, int, int] | None:
    """The largest rectangle of a map without a false place, to the nearest of ``CELLS`` cells a side.

    Args:
        known: (height, width).

    Returns:
        First column and row, last column and row, the last not included; None where each cell holds something false.
    """
    rows, columns = (np.linspace(0, side, min(CELLS, side) + 1).astype(int) for side in known.shape)
    free = np.logical_and.reduceat(np.logical_and.reduceat(known, rows[:-1], 0), columns[:-1], 1)
    heights = np.zeros(free.shape[1], int)
    best: tuple[int, tuple[int, int, int, int]] = (0, (0, 0, 0, 0))
    for row, line in enumerate(free, start=1):
        heights = (heights + 1) * line
        for start in np.flatnonzero(heights):
            lowest = np.minimum.accumulate(heights[start:])
            deep = rows[row] - rows[row - lowest]
            areas = deep * (columns[start + 1 :] - columns[start])
            end = int(areas.argmax())
            box = (columns[start], rows[row - lowest[end]], columns[start + end + 1], rows[row])
            best = max(best, (int(areas[end]), box))
    left, top, right, bottom = best[1]
    return (int(left), int(top), int(right), int(bottom)) if best[0] else None
