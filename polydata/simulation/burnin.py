"""What microscopes and authors print into micrographs: panel letters, scale bars, information strips.

Nothing here knows what the micrograph shows; every style is drawn at random, so that print tells nothing
about the blend.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

LETTER_STYLES = ("none", "white", "black", "parentheses", "white-box", "black-box", "capital")
LETTER_PLACES = ("top-left", "top-left", "top-right", "bottom-left")
BAR_STYLES = ("none", "text-above", "text-below", "ticks", "split", "boxed", "strip")
FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf")
NICE_UM = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0)
MARGIN = 0.03
"""Distance of print from the edge, as a share of the image's width."""


@dataclass(frozen=True)
class PrintStyle:
    """How a figure's panels are printed on.

    Attributes:
        letter: one of ``LETTER_STYLES``.
        place: corner of the letter.
        bar: one of ``BAR_STYLES``; ``strip`` is an information strip with the bar in it.
        font: file name of a font.
        size: height of letters as a share of the image's width.
        right: the bar stands at the right.
        kilovolt, distance_mm: what an information strip says.
    """

    letter: str
    place: str
    bar: str
    font: str
    size: float
    right: bool
    kilovolt: int
    distance_mm: float


@dataclass(frozen=True)
class BarPrint:
    """A printed scale bar.

    Attributes:
        value_um: the value that stands at the bar.
        length_px: length of the bar.
        box: ``x0, y0, x1, y1`` of the bar itself in pixels, the last ones included; None where none is printed.
    """

    value_um: float
    length_px: int
    box: tuple[int, int, int, int] | None


def draw_style(rng: np.random.Generator) -> PrintStyle:
    """A style at random."""
    bar = BAR_STYLES[int(rng.integers(len(BAR_STYLES)))]
    places = LETTER_PLACES[:3] if bar != "none" else LETTER_PLACES  # keeps letters off the bar
    return PrintStyle(
        letter=LETTER_STYLES[int(rng.integers(len(LETTER_STYLES)))],
        place=places[int(rng.integers(len(places)))],
        bar=bar,
        font=FONTS[int(rng.integers(len(FONTS)))],
        size=float(rng.uniform(0.045, 0.065)),
        right=bool(rng.random() < 0.6),
        kilovolt=int(rng.choice([3, 5, 10, 15, 20])),
        distance_mm=round(float(rng.uniform(5, 14)), 1),
    )


def bar_for(width: int, field_um: float) -> tuple[float, int]:
    """The round value whose bar takes about a quarter of the width, and its length in pixels.

    Args:
        width: of the image in pixels.
        field_um: roughly what the width shows; the bar fixes the exact scale, ``value / length``.
    """
    value = min(NICE_UM, key=lambda v: abs(np.log(v / (0.22 * field_um))))
    return value, int(np.clip(round(width * value / field_um), 0.1 * width, 0.42 * width))


def bar_text(value_um: float) -> str:
    """``500 nm`` or ``5 µm``."""
    return f"{value_um * 1000:g} nm" if value_um < 1 else f"{value_um:g} µm"


@cache
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name, size)


def burn_in(image: Image.Image, letter: str, style: PrintStyle, field_um: float) -> BarPrint:
    """Print on an image in place.

    Args:
        image: grey (``L``).
        letter: name of the panel; empty for none.
        style: what is printed and how.
        field_um: roughly what the width shows.

    Returns:
        The bar; its value and length give the exact scale even where no bar is printed.
    """
    draw = ImageDraw.Draw(image)
    size = max(10, round(style.size * image.width))
    if letter and style.letter != "none":
        _letter(draw, image, letter, style, size)
    value, length = bar_for(image.width, field_um)
    if style.bar == "none":
        return BarPrint(value, length, None)
    box = _strip(draw, image, style, value, length) if style.bar == "strip" else _bar(draw, image, style, value, length)
    return BarPrint(value, length, box)


def _letter(draw: ImageDraw.ImageDraw, image: Image.Image, letter: str, style: PrintStyle, size: int) -> None:
    text = f"({letter})" if style.letter == "parentheses" else letter
    text = text.upper() if style.letter == "capital" else text
    font = _font(style.font, round(1.25 * size))
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    wide, high = right - left, bottom - top
    margin = round(MARGIN * image.width)
    x = image.width - margin - wide if style.place == "top-right" else margin
    y = image.height - margin - high if style.place == "bottom-left" else margin
    ink = {"black": 0, "white-box": 0}.get(style.letter, 255)
    if style.letter.endswith("box"):
        pad = size // 4
        draw.rectangle((x - pad, y - pad, x + wide + pad, y + high + pad), fill=255 - ink)
    edge = 0 if style.letter.endswith("box") else max(1, size // 12)
    draw.text((x - left, y - top), text, font=font, fill=ink, stroke_width=edge, stroke_fill=255 - ink)


def _bar(
    draw: ImageDraw.ImageDraw, image: Image.Image, style: PrintStyle, value: float, length: int
) -> tuple[int, int, int, int]:
    """A bar in a lower corner with its text; returns the bar's box."""
    size = max(10, round(style.size * image.width))
    font, text = _font(style.font, size), bar_text(value)
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    wide, high = int(right - left), int(bottom - top)
    margin, thick = round(MARGIN * image.width), max(2, size // 6)
    block = max(length, wide)
    x = image.width - margin - block if style.right else margin
    base = image.height - margin - thick
    gap, pad = max(2, size // 5), max(3, size // 3)
    if style.bar == "boxed":
        draw.rectangle((x - pad, base - gap - high - pad, x + block + pad, image.height), fill=0)
    split = style.bar == "split" and length > wide + 6 * gap
    y = base - gap - high if style.bar == "text-below" else base
    start = x + (block - length) // 2
    box = (start, y, start + length - 1, y + thick - 1)
    text_x = x + (block - wide) // 2
    text_y = base - high + thick if style.bar == "text-below" else base - gap - high
    shadow = 0 if style.bar == "boxed" else 1
    middle = y + thick // 2
    if split:
        text_y = middle - high // 2
        parts = [(box[0], y, text_x - gap, box[3]), (text_x + wide + gap, y, box[2], box[3])]
    else:
        parts = [box]
    for part in parts:
        if shadow:
            draw.rectangle((part[0] - 1, part[1] - 1, part[2] + 1, part[3] + 1), fill=0)
    if style.bar in ("ticks", "split"):
        for end in (box[0], box[2]):
            draw.line((end, middle - size // 3, end, middle + size // 3), fill=255, width=1)
    for part in parts:
        draw.rectangle(part, fill=255)
    draw.text((text_x - left, text_y - top), text, font=font, fill=255, stroke_width=shadow, stroke_fill=0)
    return box


def _strip(
    draw: ImageDraw.ImageDraw, image: Image.Image, style: PrintStyle, value: float, length: int
) -> tuple[int, int, int, int]:
    """A black strip along the bottom with the bar and the settings; returns the bar's box."""
    size = max(9, round(0.04 * image.width))
    high = round(2.3 * size)
    top = image.height - high
    draw.rectangle((0, top, image.width, image.height), fill=0)
    font, thick = _font(style.font, size), max(2, size // 6)
    label = bar_text(value)
    margin = round(MARGIN * image.width)
    x = image.width - margin - length if style.right else margin
    y = top + round(1.75 * size)
    box = (x, y, x + length - 1, y + thick - 1)
    draw.rectangle(box, fill=255)
    for end in (box[0], box[2]):
        draw.line((end, y - thick, end, y + 2 * thick - 1), fill=255, width=1)
    draw.text((x + length / 2, top + round(0.85 * size)), label, font=font, fill=255, anchor="mm")
    magnification = 127_000 * length / (image.width * value)  # a print 127 mm wide, as microscopes reckon
    words = [f"x{float(f'{magnification:.2g}'):,.0f}", f"{style.kilovolt} kV", f"WD {style.distance_mm} mm"]
    cursor = float(margin if style.right else image.width - margin)
    for word in words if style.right else reversed(words):
        wide = draw.textlength(word, font=font)
        if (cursor + wide > box[0] - margin) if style.right else (cursor - wide < box[2] + margin):
            break
        draw.text((cursor, top + high / 2), word, font=font, fill=235, anchor="lm" if style.right else "rm")
        cursor += (wide + size) if style.right else -(wide + size)
    return box
