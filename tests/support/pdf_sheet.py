"""What the drawn test PDFs are made of: a sheet to write and draw on, pictures, and what a figure is expected to be."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pymupdf
from PIL import Image
from scipy import ndimage

WIDTH, HEIGHT, MARGIN, GUTTER = 595.0, 842.0, 50.0, 20.0
COLUMN = (WIDTH - 2 * MARGIN - GUTTER) / 2
RIGHT = MARGIN + COLUMN + GUTTER
TEXT = (
    "the blends were dried under vacuum before processing and mixing time was kept constant thermal analysis was "
    "carried out under nitrogen at a heating rate of ten degrees per minute results are compared with those of neat "
    "components in following section torque reached a plateau after few minutes interfacial tension was estimated"
)
WORDS = TEXT.split()

Rect = tuple[float, float, float, float]


@dataclass
class Expected:
    """One figure as drawn: page (1-based), box in points of the page as shown, label, caption, panel boxes."""

    page: int
    box: Rect
    label: str
    caption: str
    panels: list[tuple[str | None, Rect]] = field(default_factory=list)


def micrograph(seed: int, width: int = 300, height: int = 220) -> Image.Image:
    """A grey picture with the texture of a blend: smoothed noise, droplets darker than their matrix, fine grain."""
    rng = np.random.default_rng(seed)
    coarse = ndimage.gaussian_filter(rng.normal(size=(height, width)), 5)
    coarse = coarse / coarse.std()
    grey = 120 + 40 * np.tanh(2 * coarse) + 10 * rng.normal(size=(height, width)) + rng.uniform(-25, 25)
    return Image.fromarray(grey.clip(5, 225).astype(np.uint8)).convert("RGB")


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()


def grid(images: list[Image.Image], columns: int, gap: int = 0) -> Image.Image:
    """Equal pictures in rows, ``gap`` white pixels between them."""
    width, height = images[0].size
    rows = -(-len(images) // columns)
    canvas = Image.new("RGB", (columns * width + gap * (columns - 1), rows * height + gap * (rows - 1)), "white")
    for index, image in enumerate(images):
        canvas.paste(image, ((index % columns) * (width + gap), (index // columns) * (height + gap)))
    return canvas


class Sheet:
    """A PDF under construction."""

    def __init__(self, seed: int = 0) -> None:
        self.doc = pymupdf.open()
        self.rng = random.Random(seed)
        self.expected: list[Expected] = []
        self.new_page()

    def new_page(self, width: float = WIDTH, height: float = HEIGHT) -> None:
        self.page = self.doc.new_page(width=width, height=height)

    @property
    def number(self) -> int:
        return int(self.doc.page_count)

    def prose(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Running text of 9 points; capitals and full stops where sentences would have them."""
        count = int((x1 - x0) / 4.6 * int((y1 - y0) / 12.6) / 6)
        sentences = []
        while count > 0:
            size = min(count, self.rng.randint(8, 14))
            sentence = " ".join(self.rng.choice(WORDS) for _ in range(max(4, size)))
            sentences.append(sentence.capitalize() + ".")
            count -= size
        self.page.insert_textbox(pymupdf.Rect(x0, y0, x1, y1), " ".join(sentences), fontsize=9)

    def caption(self, text: str, x0: float, y0: float, x1: float, size: float = 8) -> float:
        """Write a caption from ``y0`` down; returns where it ends."""
        left = self.page.insert_textbox(pymupdf.Rect(x0, y0, x1, y0 + 120), text, fontsize=size)
        assert left >= 0, text
        return y0 + 120 - left

    def picture(self, rect: Rect, image: Image.Image | bytes, **more: object) -> None:
        data = image if isinstance(image, bytes) else png(image)
        self.page.insert_image(pymupdf.Rect(*rect), stream=data, keep_proportion=False, **more)

    def plot(self, rect: Rect) -> None:
        """Axes with ticks, tick labels, a title under the x axis and three curves, all as vectors within ``rect``."""
        x0, y0, x1, y1 = rect[0] + 24, rect[1], rect[2], rect[3] - 26
        shape = self.page.new_shape()
        shape.draw_rect(pymupdf.Rect(x0, y0, x1, y1))
        shape.finish(color=(0, 0, 0), width=0.8)
        for series in range(3):
            value = self.rng.uniform(0.3, 0.7)
            points = []
            for step in range(21):
                value = min(0.95, max(0.05, value + self.rng.uniform(-0.07, 0.07)))
                points.append(pymupdf.Point(x0 + (x1 - x0) * step / 20, y1 - (y1 - y0) * value))
            shape.draw_polyline(points)
            shape.finish(color=[(0, 0, 0), (0.8, 0, 0), (0, 0, 0.8)][series], width=1, closePath=False)
        shape.commit()
        for tick in range(5):
            self.page.insert_text((x0 + (x1 - x0) * tick / 4.2, y1 + 10), str(tick * 50), fontsize=7)
            self.page.insert_text((rect[0], y1 - (y1 - y0) * tick / 4.5), f"{tick * 0.5:.1f}", fontsize=7)
        self.page.insert_text(((x0 + x1) / 2 - 30, y1 + 22), "Temperature (°C)", fontsize=8)

    def expect(self, label: str, rect: Rect, caption: str, panels: list[tuple[str | None, Rect]] | None = None) -> None:
        self.expected.append(Expected(self.number, rect, label, caption, panels or []))

    def save(self, path: Path, **more: object) -> list[Expected]:
        self.doc.save(path, deflate=True, no_new_id=True, **more)
        return self.expected
