"""Pictures with scale bars of many styles, drawn with known ends."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pymupdf
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

Rgb = npt.NDArray[np.uint8]
STYLES = ("over", "under", "ticks", "split", "box", "strip")


@dataclass(frozen=True)
class Drawn:
    """A picture and what was drawn into it: ends and height of the bar in pixels."""

    rgb: Rgb
    x0: int
    x1: int
    y: int


def texture(seed: int, width: int, height: int) -> Image.Image:
    """Blurred noise with round domains, as a blend's fracture surface has; no straight lines."""
    rng = np.random.default_rng(seed)
    coarse = ndimage.gaussian_filter(rng.normal(size=(height, width)), 6)
    grey = 115 + 45 * np.tanh(2.5 * coarse / coarse.std()) + 9 * rng.normal(size=(height, width))
    return Image.fromarray(grey.clip(0, 235).astype(np.uint8))


def draw_bar(
    seed: int,
    style: str,
    text: str,
    *,
    width: int = 480,
    height: int = 360,
    length: int = 96,
    strip: str = "15 kV  x2,000",
) -> Drawn:
    """A micrograph with a bar in its lower right; ``strip`` is what the data strip of that style says."""
    image = texture(seed, width, height)
    draw = ImageDraw.Draw(image)
    # The default font has no micro sign.
    font = ImageFont.truetype(io.BytesIO(pymupdf.Font("helv").buffer), max(14, height // 18))
    tall = draw.textbbox((0, 0), text, font=font)[3]
    wide = int(draw.textlength(text, font=font))
    x1, y = width - 30, height - 2 * tall - 8
    x0 = x1 - length
    ink = 255
    middle = (x0 + x1) // 2
    if style == "box":
        draw.rectangle((x0 - 22, y - tall // 2, x1 + 22, y + 2 * tall), fill=255)
        ink = 0
    if style == "strip":
        draw.rectangle((0, height - 2 * tall, width, height), fill=0)
        draw.text((8, height - 2 * tall + tall // 3), strip, fill=255, font=font)
        y = height - tall + 2
        x1 = x1 - wide - 12
        x0 = x1 - length
        draw.line((x0, y, x1, y), fill=255, width=2)
        draw.text((x1 + 8, y - tall // 2 - 3), text, fill=255, font=font)
        return Drawn(np.asarray(image.convert("RGB")), x0, x1, y)
    if style == "split":
        gap = wide + 16
        x0 = x1 - gap - 2 * (length // 2)
        for start, end in ((x0, x0 + length // 2), (x1 - length // 2, x1)):
            draw.line((start, y, end, y), fill=ink, width=3)
        draw.text((x0 + length // 2 + 8, y - tall // 2 - 2), text, fill=ink, font=font)
        return Drawn(np.asarray(image.convert("RGB")), x0, x1, y)
    draw.line((x0, y, x1, y), fill=ink, width=4 if style != "ticks" else 2)
    if style == "ticks":
        for end in (x0, x1):
            draw.line((end, y - 6, end, y + 6), fill=ink, width=2)
    place = y - tall - 8 if style == "under" else y + 7
    draw.text((middle - wide // 2, place), text, fill=ink, font=font)
    return Drawn(np.asarray(image.convert("RGB")), x0, x1, y)
