"""Pictures of figures and panels: rendered at the resolution they have, or taken from the file unchanged."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from polydata.errors import InputError
from polydata.extraction.document.open import pymupdf
from polydata.extraction.document.page import PlacedImage, Sheet
from polydata.images.picture import open_picture
from polydata.types import Box
from polydata.vision.measures import Rgb

MIN_DPI, VECTOR_DPI, MAX_DPI = 150, 300, 600
MAX_CLIP = 25_000_000
"""Pixels of a rendering; larger ones are rendered more coarsely."""

ANALYSIS_DPI, ANALYSIS_PIXELS = 150, 4_000_000

RUN_LENGTHS = 3
"""zlib's strategy for PNG: as small as its best effort on micrographs, at a third of the time."""

ALIKE = 6.0
"""Mean difference in grey levels below which an image object is what the page shows."""


def clamp_dpi(box: Box, dpi: float, most: int) -> float:
    """Lower a resolution until the box has at most ``most`` pixels."""
    return min(dpi, 72 * math.sqrt(most / box.area))


def native_dpi(images: Sequence[PlacedImage], box: Box) -> int:
    """Resolution of the largest image in a box, within 150 and 600; 300 where no image covers a tenth of it."""
    inside = [image for image in images if image.box.overlap(box) > 0.1 * box.area]
    if not inside:
        return VECTOR_DPI
    largest = max(inside, key=lambda image: image.box.overlap(box))
    return round(min(MAX_DPI, max(MIN_DPI, _own_dpi(largest))))


def _own_dpi(image: PlacedImage) -> float:
    return 72 * max(image.width / image.box.width, image.height / image.box.height)


def analysis_dpi(box: Box) -> float:
    """Resolution at which a figure is looked at: 150, or as fine as ``ANALYSIS_PIXELS`` allow."""
    return clamp_dpi(box, ANALYSIS_DPI, ANALYSIS_PIXELS)


@dataclass(frozen=True)
class Drawn:
    """A part of a page, rendered.

    Attributes:
        rgb: rows x columns x 3, 0 to 255.
        box: in points.
        dpi: of the rendering.
    """

    rgb: Rgb
    box: Box
    dpi: float

    def crop(self, box: Box) -> Rgb:
        """The pixels of a box within this one; at least one."""
        scale = self.dpi / 72
        left, top = math.floor(self.box.x0 * scale), math.floor(self.box.y0 * scale)
        rows, columns = self.rgb.shape[:2]
        x0 = min(columns - 1, max(0, round(box.x0 * scale) - left))
        y0 = min(rows - 1, max(0, round(box.y0 * scale) - top))
        x1, y1 = max(x0 + 1, round(box.x1 * scale) - left), max(y0 + 1, round(box.y1 * scale) - top)
        return np.ascontiguousarray(self.rgb[y0:y1, x0:x1])

    def at(self, dpi: float) -> Rgb:
        """The whole at a lower resolution, each pixel the mean of those it covers; as it is where it has no more."""
        factor = dpi / self.dpi
        if factor >= 1:
            return self.rgb
        rows, columns = self.rgb.shape[:2]
        size = max(1, round(columns * factor)), max(1, round(rows * factor))
        return np.asarray(Image.fromarray(self.rgb).resize(size, Image.Resampling.BOX))


def render(sheet: Sheet, box: Box, dpi: float) -> Drawn:
    """The page as shown within a box, at ``dpi`` or as fine as ``MAX_CLIP`` allows."""
    dpi = clamp_dpi(box, dpi, MAX_CLIP)
    return Drawn(sheet.pixmap(dpi / 72, pymupdf.csRGB, box), box, dpi)


def encode_png(rgb: Rgb) -> bytes:
    """PNG bytes, grey where all channels are equal."""
    grey = np.array_equal(rgb[..., 0], rgb[..., 1]) and np.array_equal(rgb[..., 0], rgb[..., 2])
    image = Image.fromarray(np.ascontiguousarray(rgb[..., 0] if grey else rgb))
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1, compress_type=RUN_LENGTHS)
    return out.getvalue()


def _small(rgb: Rgb) -> npt.NDArray[np.float64]:
    return cv2.resize(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (32, 32), interpolation=cv2.INTER_AREA).astype(np.float64)


def _covered_later(page: pymupdf.Page, box: Box) -> bool:
    """Whether something is drawn over an image after it: an arrow, a letter, a scale bar."""
    log = page.get_bboxlog()
    around, inner = _grown(box, 1, 1), _grown(box, -0.02 * box.width, -0.02 * box.height)
    for kind, where in reversed(log):
        drawn = _log_box(where)
        if "image" in kind and around.overlap(drawn or box) > 0.9 * box.area:
            return False
        if not kind.startswith(("ignore", "clip")) and drawn is not None and drawn.overlap(inner) > 0:
            return True
    return True


def _grown(box: Box, across: float, down: float) -> Box:
    return Box(box.x0 - across, box.y0 - down, box.x1 + across, box.y1 + down)


def _log_box(where: Sequence[float]) -> Box | None:
    x0, y0, x1, y1 = where
    return Box(x0, y0, max(x1, x0 + 0.1), max(y1, y0 + 0.1)) if all(map(math.isfinite, where)) else None


def picture_of(sheet: Sheet, images: Sequence[PlacedImage], box: Box, drawn: Rgb) -> tuple[bytes, Rgb]:
    """The picture in a box: bytes of an image file, and its pixels.

    The image object's own bytes (JPEG) or pixels (PNG) where one plain image fills the box, nothing is drawn
    over it and it looks like the page; otherwise the rendering.

    Args:
        sheet: the page.
        images: placed on it.
        box: in points.
        drawn: the rendering of the box.
    """
    here = [image for image in images if image.box.overlap(box) > 0.01 * box.area]
    if len(here) == 1 and here[0].plain and here[0].box.iou(box) > 0.93 and not _covered_later(sheet.page, here[0].box):
        own = _own_picture(sheet.page, here[0], drawn)
        if own is not None:
            return own
    return encode_png(drawn), drawn


def _own_picture(page: pymupdf.Page, image: PlacedImage, drawn: Rgb) -> tuple[bytes, Rgb] | None:
    """Bytes and pixels of the image object that looks like the rendering, None where none does."""
    for xref, mask, width, height, *_ in page.get_images(full=True):
        if mask or (width, height) != (image.width, image.height):
            continue
        raw = page.parent.extract_image(xref)
        try:
            picture = np.asarray(open_picture(raw["image"]))
        except (InputError, KeyError, TypeError):
            continue
        if np.abs(_small(picture) - _small(drawn)).mean() < ALIKE:
            return (bytes(raw["image"]) if raw["ext"] == "jpeg" else encode_png(picture)), picture
    return None
