"""Pictures that look like micrographs and are like no other."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter


def texture(number: int, size: tuple[int, int] = (300, 260)) -> Image.Image:
    """Blobs of two sizes under noise; no other number gives them."""
    random = np.random.default_rng(number)
    shape = (size[1], size[0])
    coarse, fine = (gaussian_filter(random.normal(size=shape), s) for s in (6, 2))
    grey = 120 + 45 * np.tanh(2 * coarse / coarse.std()) + 18 * fine / fine.std() + random.normal(0, 4, shape)
    return Image.fromarray(grey.clip(20, 235).astype(np.uint8))


def with_print(picture: Image.Image) -> Image.Image:
    """The same under a microscope's strip of print, which is always the same one."""
    out = picture.copy()
    draw = ImageDraw.Draw(out)
    top = out.height - 40
    draw.rectangle((0, top, out.width, out.height), fill=0)
    for row, words in enumerate(("ACME-7 15.0kV 12.5mm x1.00k SE", "2009/04/01 11:32 Laboratory 50.0um")):
        draw.text((6, top + 4 + 16 * row), words, fill=255)
    for tick in range(11):
        draw.line((180 + 8 * tick, top + 30, 180 + 8 * tick, top + 38), fill=255)
    return out


def png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def jpeg(picture: Image.Image, quality: int = 70) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()
