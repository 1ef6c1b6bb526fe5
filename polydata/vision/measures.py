"""What a picture's pixels say of it: white ground, texture, grey levels, colour, and how good the picture is."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
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

BLACK = 16
FLAT = 2.5
"""Grey levels of spread below which a block is one tone."""

BILEVEL = 0.9
"""Pictures with more black and white than this are drawings or halftones (scans in one bit a pixel)."""


@dataclass(frozen=True)
class PixelStats:
    """Measures of a picture, all shares from 0 to 1.

    Attributes:
        white: share of pixels that are near white.
        textured: share of 8 x 8 blocks with neither white ground in them nor a flat tone.
        levels: share of the 64 coarse grey levels that hold at least 0.1 % of the pixels.
        colour: mean spread between the largest and the smallest channel.
        saturation: that spread over the largest channel, both summed over what is not near white, so that black counts
            for nothing; 0 for grey, 1 for one colour on black.
        extremes: share of pixels that are near white or near black.
        modal: share of pixels in the fullest of 64 coarse grey levels.
    """

    white: float
    textured: float
    levels: float
    colour: float
    saturation: float
    extremes: float
    modal: float


def darkest(rgb: Rgb) -> npt.NDArray[np.uint8]:
    """The least of each pixel's channels, rows x columns, five times as fast as ``rgb.min(2)``."""
    return np.asarray(np.minimum(np.minimum(rgb[..., 0], rgb[..., 1]), rgb[..., 2]), np.uint8)


def shrink(rgb: Rgb) -> Rgb:
    """The picture with its longer side at most ``SIDE`` pixels."""
    factor = max(rgb.shape[:2]) / SIDE
    if factor <= 1:
        return rgb
    size = max(1, round(rgb.shape[1] / factor)), max(1, round(rgb.shape[0] / factor))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def block_texture(grey: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """Blocks of 8 x 8 pixels that hold the grey texture of a photograph.

    Args:
        grey: rows x columns, 0 to 255.

    Returns:
        Rows/8 x columns/8: true where the block is neither flat nor on white ground.
    """
    rows, columns = grey.shape[0] // BLOCK, grey.shape[1] // BLOCK
    if not rows or not columns:
        return np.zeros((rows, columns), np.bool_)
    whole = np.ascontiguousarray(grey[: rows * BLOCK, : columns * BLOCK], np.float32)
    white, mean, square = (_block_means(plane) for plane in ((whole >= WHITE).astype(np.float32), whole, whole * whole))
    return np.asarray((square - mean * mean > FLAT**2) & (white < 0.3), np.bool_)


def _block_means(plane: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    size = plane.shape[1] // BLOCK, plane.shape[0] // BLOCK
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def measure(rgb: Rgb) -> PixelStats:
    """Measure a picture.

    Args:
        rgb: rows x columns x 3, 0 to 255.
    """
    small = shrink(rgb)
    largest = np.maximum(np.maximum(small[..., 0], small[..., 1]), small[..., 2])
    spread = largest - darkest(small)
    grey = np.asarray(cv2.cvtColor(small.astype(np.float32), cv2.COLOR_RGB2GRAY), np.float32)
    drawn = grey < WHITE
    if ((grey >= WHITE) | (grey <= BLACK)).mean() > BILEVEL:
        # A halftone's tones are the mean over its dots. Lines on white stay lines on white.
        grey = np.asarray(ndimage.uniform_filter(grey, 5)[2::3, 2::3], np.float32)
    histogram = np.bincount((grey / 4).astype(np.uint8).ravel(), minlength=64) / grey.size
    texture = block_texture(grey)
    return PixelStats(
        white=float((grey >= WHITE).mean()),
        textured=float(texture.mean()) if texture.size else 0.0,
        levels=float((histogram >= 0.001).mean()),
        colour=float(spread.mean() / 255),
        saturation=float(spread[drawn].sum(dtype=np.int64) / max(1, largest[drawn].sum(dtype=np.int64))),
        extremes=float(((grey >= WHITE) | (grey <= BLACK)).mean()),
        modal=float(histogram.max()),
    )


@dataclass(frozen=True)
class Quality:
    """How good a picture is, told by its grey values; it is shrunk to ``SIDE`` pixels at most.

    Attributes:
        spread: standard deviation of grey values, 0 (plain) to 0.5.
        sharpness: standard deviation of the Laplacian, divided by the spread; small where the picture is blurred.
        clipped: share of pixels that are plain black or white, 0 to 1.
        blocks: how much stronger steps are on JPEG's 8 x 8 grid than beside it, 0 for not at all; of the picture as
            it is stored.
    """

    spread: float
    sharpness: float
    clipped: float
    blocks: float


def quality_of(picture: Image.Image) -> Quality:
    """Measure how good a picture is."""
    whole = picture.convert("L")
    factor = min(1.0, SIDE / max(whole.size))
    small = whole.resize((max(1, round(whole.width * factor)), max(1, round(whole.height * factor))))
    grey = np.asarray(small, dtype=np.float32) / 255
    spread = float(grey.std())
    edges = float(cv2.Laplacian(grey, cv2.CV_32F).std())
    return Quality(
        spread=spread,
        sharpness=edges / spread if spread > 1e-6 else 0.0,
        clipped=float(((grey <= 1 / 255) | (grey >= 254 / 255)).mean()),
        blocks=_blocks(np.asarray(whole, dtype=np.float32)),
    )


def _blocks(grey: npt.NDArray[np.float32]) -> float:
    steps = np.abs(np.diff(grey, axis=1)).mean(axis=0)
    if len(steps) < 32:
        return 0.0
    on = steps[7::8].mean()
    off = np.delete(steps, np.arange(7, len(steps), 8)).mean()
    return float(max(0.0, on / off - 1)) if off > 0 else 0.0
