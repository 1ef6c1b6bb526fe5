"""Pictures of figures and panels: rendered at the resolution they have, or taken from the file unchanged."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pymupdf
from PIL import Image

from polydata.errors import InputError
from polydata.extract.pdf import PageContent, PlacedImage
from polydata.images import open_picture
from polydata.types import Box

Rgb = npt.NDArray[np.uint8]

MIN_DPI, VECTOR_DPI, MAX_DPI = 150, 300, 600
MAX_CLIP = 25_000_000
"""Pixels of a rendering; larger ones are rendered more coarsely."""

MIN_ANALYSIS_DPI, ANALYSIS_DPI = 36, 150
ANALYSIS_PIXELS = 4_000_000


def clamp_dpi(box: Box, dpi: float, most: int) -> float:
    """Lower a resolution until the box has at most ``most`` pixels."""
    return min(dpi, 72 * math.sqrt(most / box.area))


def native_dpi(images: Sequence[PlacedImage], box: Box) -> int:
    """Resolution of the largest image in a box, within 150 and 600; 300 where no image covers a tenth of it."""
    inside = [image for image in images if image.box.overlap(box) > 0.1 * box.area]
    if not inside:
        return VECTOR_DPI
    largest = max(inside, key=lambda image: image.box.overlap(box))
    across = largest.width / largest.box.width
    down = largest.height / largest.box.height
    return round(min(MAX_DPI, max(MIN_DPI, 72 * max(across, down))))


def analysis_dpi(images: Sequence[PlacedImage], box: Box) -> float:
    """Resolution at which a figure is looked at: 150, or its image's own where that is coarser.

    An image enlarged by rendering has steps at even distances that look like seams.
    """
    inside = [image for image in images if image.box.overlap(box) > 0.5 * box.area]
    own = [72 * max(image.width / image.box.width, image.height / image.box.height) for image in inside]
    return clamp_dpi(box, min([ANALYSIS_DPI, *(max(dpi, MIN_ANALYSIS_DPI) for dpi in own)]), ANALYSIS_PIXELS)


def render(page: pymupdf.Page, box: Box, dpi: float) -> Rgb:
    """The page as shown within a box.

    Returns:
        Rows x columns x 3, 0 to 255, at ``dpi`` or as fine as ``MAX_CLIP`` allows.
    """
    dpi = clamp_dpi(box, dpi, MAX_CLIP)
    pixmap = page.get_pixmap(
        matrix=pymupdf.Matrix(dpi / 72, dpi / 72),
        clip=pymupdf.Rect(box.x0, box.y0, box.x1, box.y1),
        colorspace=pymupdf.csRGB,
        alpha=False,
    )
    rows = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.stride)
    return rows[:, : 3 * pixmap.width].reshape(pixmap.height, pixmap.width, 3).copy()


def encode_png(rgb: Rgb) -> bytes:
    """PNG bytes, the same for the same pixels; one channel where all three are equal."""
    grey = np.array_equal(rgb[..., 0], rgb[..., 1]) and np.array_equal(rgb[..., 0], rgb[..., 2])
    image = Image.fromarray(np.ascontiguousarray(rgb[..., 0]) if grey else rgb)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=6)
    return out.getvalue()


def _small(rgb: Rgb) -> npt.NDArray[np.float64]:
    image = Image.fromarray(rgb).convert("L").resize((32, 32), Image.Resampling.BOX)
    return np.asarray(image, np.float64)


def _covered_later(page: pymupdf.Page, box: Box) -> bool:
    """Whether something is drawn over an image after it: an arrow, a letter, a scale bar."""
    log = page.get_bboxlog()
    place = None
    for index, (kind, where) in enumerate(log):
        if (
            "image" in kind
            and Box(box.x0 - 1, box.y0 - 1, box.x1 + 1, box.y1 + 1).overlap(_log_box(where) or box) > 0.9 * box.area
        ):
            place = index
    if place is None:
        return True
    inner = Box(
        box.x0 + 0.02 * box.width, box.y0 + 0.02 * box.height, box.x1 - 0.02 * box.width, box.y1 - 0.02 * box.height
    )
    for kind, where in log[place + 1 :]:
        later = _log_box(where)
        if not kind.startswith(("ignore", "clip")) and later is not None and later.overlap(inner) > 0:
            return True
    return False


def _log_box(where: Sequence[float]) -> Box | None:
    x0, y0, x1, y1 = where
    return Box(x0, y0, max(x1, x0 + 0.1), max(y1, y0 + 0.1)) if all(map(math.isfinite, where)) else None


def picture_of(page: pymupdf.Page, content: PageContent, box: Box, dpi: int) -> bytes:
    """Bytes of the picture in a box.

    The image object's own bytes (JPEG) or pixels (PNG) where one plain image fills the box, nothing is drawn
    over it and it looks like the page; otherwise a rendering.
    """
    drawn = render(page, box, dpi)
    for image in content.images:
        if not image.plain or image.box.iou(box) < 0.93:
            continue
        if sum(other.box.overlap(box) > 0.01 * box.area for other in content.images) > 1 or _covered_later(
            page, image.box
        ):
            break
        raw = page.parent.extract_image(image.xref)
        try:
            picture = np.asarray(open_picture(raw["image"]))
        except (InputError, KeyError, TypeError):
            break
        if np.abs(_small(picture) - _small(drawn)).mean() < 6:
            return bytes(raw["image"]) if raw["ext"] == "jpeg" else encode_png(picture)
        break
    return encode_png(drawn)
