"""What a picture's pixels say of it: white ground, texture, grey levels, colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

Rgb = npt.NDArray[np.uint8]

SIDE = 512
"""Pictures are looked at with at most this many pixels a side."""

BLOCK = 8
WHITE = 238
"""From this grey level up a pixel counts as white ground."""


BILEVEL = 0.9
"""Pictures with more black and white than this are drawings or halftones (scans in one bit a pixel)."""


@dataclass(frozen=True)
class PixelStats:
    """Measures of a picture, all shares from 0 to 1.

    Attributes:
        width, height: in pixels, as given.
        white: share of pixels that are near white.
        textured: share of 8 x 8 blocks with neither white ground in them nor a flat tone.
        levels: share of the 64 coarse grey levels that hold at least 0.1 % of the pixels.
        colour: mean spread between the largest and the smallest channel.
        extremes: share of pixels that are near white or near black.
        modal: share of pixels in the fullest of 64 coarse grey levels.
    """

    width: int
    height: int
    white: float
    textured: float
    levels: float
    colour: float
    extremes: float
    modal: float


def shrink(rgb: Rgb) -> Rgb:
    """The picture with its longer side at most ``SIDE`` pixels."""
    factor = max(rgb.shape[:2]) / SIDE
    if factor <= 1:
        return rgb
    size = max(1, round(rgb.shape[1] / factor)), max(1, round(rgb.shape[0] / factor))
    return np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BOX))


def block_texture(grey: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Blocks of 8 x 8 pixels that hold the grey texture of a photograph.

    Args:
        grey: rows x columns, 0 to 255.

    Returns:
        Rows/8 x columns/8: true where the block is neither flat nor on white ground.
    """
    rows, columns = grey.shape[0] // BLOCK, grey.shape[1] // BLOCK
    blocks = grey[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK).swapaxes(1, 2)
    flat = blocks.reshape(rows, columns, BLOCK * BLOCK)
    white = (flat >= WHITE).mean(2)
    return np.asarray((flat.std(2) > 2.5) & (white < 0.3), np.bool_)


def _descreened(grey: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Tones of a halftone picture: the mean over its dots. Lines on white stay lines on white."""
    return np.asarray(ndimage.uniform_filter(grey, 5)[2::3, 2::3], np.float32)


def measure(rgb: Rgb) -> PixelStats:
    """Measure a picture.

    Args:
        rgb: rows x columns x 3, 0 to 255.
    """
    small = shrink(rgb).astype(np.float32)
    grey = small @ np.array([0.299, 0.587, 0.114], np.float32)
    if ((grey >= WHITE) | (grey <= 16)).mean() > BILEVEL:
        grey = _descreened(grey)
    histogram = np.bincount((grey.ravel() / 4).astype(np.int64).clip(0, 63), minlength=64) / grey.size
    texture = block_texture(grey)
    return PixelStats(
        width=rgb.shape[1],
        height=rgb.shape[0],
        white=float((grey >= WHITE).mean()),
        textured=float(texture.mean()) if texture.size else 0.0,
        levels=float((histogram >= 0.001).mean()),
        colour=float((small.max(2) - small.min(2)).mean() / 255),
        extremes=float(((grey >= WHITE) | (grey <= 16)).mean()),
        modal=float(histogram.max()),
    )
