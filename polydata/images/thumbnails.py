"""Small JPEG copies of pictures for pages that a browser shows."""

from __future__ import annotations

import io

from PIL import Image

MAX_STRETCH = 12
"""Strips that are longer than so many times their width are shown cut, for they would shrink to a line."""


def small_jpeg(image: Image.Image, side: int, quality: int = 72) -> bytes:
    """A JPEG of at most ``side`` pixels a side; the image itself may be changed.

    Args:
        image: RGB or grey.
        side: of the longer side, in pixels; smaller images keep their size.
        quality: of the JPEG, 1 to 95.
    """
    width, height = image.size
    if max(width, height) > MAX_STRETCH * min(width, height):
        short = min(width, height)
        image = image.crop((0, 0, min(width, MAX_STRETCH * short), min(height, MAX_STRETCH * short)))
    image.thumbnail((side, side))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()
