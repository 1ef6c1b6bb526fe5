"""PDF file -> pages: text lines, placed images and drawn ink, all in points of the page as shown."""

from __future__ import annotations

import math
import re
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pymupdf

from polydata.errors import PolydataError
from polydata.ids import sha256_bytes
from polydata.images import MAX_PIXELS
from polydata.types import Box

pymupdf.TOOLS.mupdf_display_errors(False)
pymupdf.TOOLS.mupdf_display_warnings(False)

INK_PIXELS = 4_000_000
"""Pages are looked at with one pixel a point, larger ones with as many pixels as this allows."""

MAX_IMAGES = 3000
"""Pages with more placed images are not asked for image digests, which decode every image."""

GREY_WHITE = 245
"""Grey levels from here up are paper; photographs rarely reach it over an area."""

TAIL_BYTES = 2048
"""A PDF ends with its cross-reference's place; where these bytes lack it, the end is missing."""

LIGATURES = str.maketrans(
    {
        "ﬀ": "ff",
        "ﬁ": "fi",
        "ﬂ": "fl",
        "ﬃ": "ffi",
        "ﬄ": "ffl",
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
        "\u00ad": "-",
    }
)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\ufeff]")


class ExtractionFailure(PolydataError):
    """A PDF that cannot be extracted.

    Args:
        reason: ``broken``, ``encrypted``, ``too-large`` or ``unreadable``.
        sha256: of the file, where it was read.
    """

    def __init__(self, reason: str, message: str, hint: str = "", sha256: str | None = None) -> None:
        super().__init__(message, hint)
        self.reason = reason
        self.sha256 = sha256


@dataclass(frozen=True)
class Limits:
    """What one file may be: larger ones are refused before they are decoded.

    Attributes:
        max_bytes: size of the file.
        max_pages: number of pages.
    """

    max_bytes: int = 300_000_000
    max_pages: int = 1000


@dataclass(frozen=True)
class Line:
    """A line of text.

    Attributes:
        box: in points.
        text: ligatures written out, control characters dropped.
        size: font size of most of its letters, in points.
        bold: of its first word.
        font: of most of its letters.
        first_font: of its first word.
        block: number of the text block on the page.
        upright: reads from left to right on the page as shown.
        baseline: y of its baseline.
    """

    box: Box
    text: str
    size: float
    bold: bool
    font: str
    first_font: str
    block: int
    upright: bool
    baseline: float

    @property
    def words(self) -> int:
        """Words that are not numbers or single signs."""
        return len(re.findall(r"[^\W\d_]{2,}", self.text))


@dataclass(frozen=True)
class PlacedImage:
    """An image object where it stands on the page.

    Attributes:
        box: in points, cut to the page.
        digest: of its pixels, hex; equal for the same picture.
        width, height: in pixels.
        xref: of its object, 0 for an inline image.
        plain: it stands upright, without turn or mirror, and is neither a mask nor has one.
    """

    box: Box
    digest: str
    width: int
    height: int
    xref: int
    plain: bool


@dataclass(frozen=True)
class PageContent:
    """One page as its reader sees it.

    Attributes:
        number: 1-based.
        box: the whole page, from (0, 0).
        lines: of text.
        images: placed images, in drawing order, without the scan of a whole page.
        grey: rendering of the page, rows x columns, 0 black to 255 white.
        scale: pixels a point of ``grey``.
        scanned: one image covers the page.
    """

    number: int
    box: Box
    lines: tuple[Line, ...]
    images: tuple[PlacedImage, ...]
    grey: npt.NDArray[np.uint8]
    scale: float
    scanned: bool


def read_bytes(path: Path, limits: Limits) -> bytes:
    """The bytes of a regular file within the limits.

    Raises:
        ExtractionFailure: ``unreadable``, ``too-large``, or ``broken`` where it is no PDF at all.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ExtractionFailure("unreadable", f"{path} is not a file")
        if status.st_size > limits.max_bytes:
            raise ExtractionFailure(
                "too-large",
                f"{path} has {status.st_size} bytes; the limit is {limits.max_bytes}",
                "Raise the limit in the settings if the file is what you expect.",
            )
        data = path.read_bytes()
    except OSError as error:
        raise ExtractionFailure("unreadable", f"{path} cannot be read: {error.strerror}") from error
    if b"%PDF-" not in data[:1024]:
        raise ExtractionFailure("broken", f"{path} is not a PDF file", "Check how it was saved.", sha256_bytes(data))
    return data


@contextmanager
def opened(path: Path, limits: Limits) -> Iterator[tuple[pymupdf.Document, str]]:
    """Open a PDF; yields the document and the SHA-256 of its bytes.

    Raises:
        ExtractionFailure: see there. Also for errors of the PDF library while the document is in use.
        MemoryError: where the library ran out of memory.
    """
    data = read_bytes(path, limits)
    digest = sha256_bytes(data)
    document = None
    try:
        document = pymupdf.open(stream=data, filetype="pdf")
        if document.needs_pass and not document.authenticate(""):
            raise ExtractionFailure("encrypted", f"{path} needs a password", "Save a copy without a password.", digest)
        if document.is_repaired and b"startxref" not in data[-TAIL_BYTES:]:
            # A repaired stump still counts its pages, but what stood on them is gone.
            raise ExtractionFailure("broken", f"{path} is cut short", "Fetch the file again.", digest)
        pages = document.page_count
        if pages < 1:
            raise ExtractionFailure("broken", f"{path} has no pages", "Fetch the file again.", digest)
        if pages > limits.max_pages:
            raise ExtractionFailure(
                "too-large", f"{path} has {pages} pages; the limit is {limits.max_pages}", "", digest
            )
        yield document, digest
    except (RuntimeError, ValueError, pymupdf.mupdf.FzErrorBase) as error:
        if isinstance(error, PolydataError):
            raise
        text = " ".join(str(error).split())
        if "malloc" in text or "memory" in text.lower():
            raise MemoryError(text) from error
        raise ExtractionFailure(
            "broken", f"{path} is damaged: {text[:200]}", "Fetch the file again.", digest
        ) from error
    finally:
        if document is not None:
            document.close()


def clean_text(text: str) -> str:
    """Ligatures written out, odd spaces made plain, control characters (signs without a code) made spaces."""
    return CONTROL.sub(" ", text.translate(LIGATURES))


def _box(rect: Any, matrix: Any, page: Box) -> Box | None:
    """A library's rectangle as a box on the shown page, None where nothing of it is on the page."""
    shown = pymupdf.Rect(rect) * matrix
    x0, y0 = max(page.x0, float(shown.x0)), max(page.y0, float(shown.y0))
    x1, y1 = min(page.x1, float(shown.x1)), min(page.y1, float(shown.y1))
    return Box(x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def _lines(page: pymupdf.Page, frame: Box) -> Iterator[Line]:
    flags = pymupdf.TEXT_PRESERVE_WHITESPACE | pymupdf.TEXT_MEDIABOX_CLIP | pymupdf.TEXT_CID_FOR_UNKNOWN_UNICODE
    matrix = page.rotation_matrix
    for number, block in enumerate(page.get_text("dict", flags=flags)["blocks"]):
        for line in block.get("lines", ()):
            spans = [span for span in line["spans"] if span["text"].strip()]
            text = clean_text("".join(span["text"] for span in line["spans"])).strip()
            box = _box(line["bbox"], matrix, frame)
            if not spans or not text or box is None:
                continue
            sizes: Counter[float] = Counter()
            fonts: Counter[str] = Counter()
            for span in spans:
                sizes[round(span["size"], 1)] += len(span["text"])
                fonts[span["font"]] += len(span["text"])
            turned = pymupdf.Point(line["dir"]) * pymupdf.Matrix(matrix.a, matrix.b, matrix.c, matrix.d, 0, 0)
            origin = pymupdf.Point(spans[0]["origin"]) * matrix
            first = spans[0]
            yield Line(
                box=box,
                text=" ".join(text.split()),
                size=sizes.most_common(1)[0][0],
                bold=bool(first["flags"] & pymupdf.TEXT_FONT_BOLD) or "bold" in first["font"].lower(),
                font=fonts.most_common(1)[0][0],
                first_font=first["font"],
                block=number,
                upright=turned.x > 0.98,
                baseline=float(origin.y),
            )


def _images(page: pymupdf.Page, frame: Box) -> Iterator[PlacedImage]:
    matrix = page.rotation_matrix
    entries = page.get_image_info()
    for entry in entries:
        if entry["width"] * entry["height"] > MAX_PIXELS:
            raise ExtractionFailure(
                "too-large",
                f"page {page.number + 1} holds an image of {entry['width']} x {entry['height']} pixels; "
                f"the limit is {MAX_PIXELS}",
            )
    if len(entries) <= MAX_IMAGES:
        entries = page.get_image_info(hashes=True, xrefs=True)
    masks = {entry[0]: entry[1] for entry in page.get_images(full=True)}
    for entry in entries:
        box = _box(entry["bbox"], matrix, frame)
        if box is None:
            continue
        turned = pymupdf.Matrix(entry["transform"]) * matrix
        xref = int(entry.get("xref", 0))
        upright = turned.a > 0 and turned.d > 0 and abs(turned.b) + abs(turned.c) < 0.01 * (turned.a + turned.d)
        yield PlacedImage(
            box=box,
            digest=entry["digest"].hex() if "digest" in entry else f"{xref}-{entry['width']}-{entry['height']}",
            width=entry["width"],
            height=entry["height"],
            xref=xref,
            plain=upright
            and xref > 0
            and entry["bpc"] == 8
            and not entry["has-mask"]
            and not masks.get(xref, 0)
            and entry["colorspace"] in (1, 3),
        )


def read_page(page: pymupdf.Page) -> PageContent:
    """Everything that the other stages need of a page.

    Raises:
        ExtractionFailure: ``broken`` for a page without an area, ``too-large`` for an image over the limit.
    """
    rect = page.rect
    if not (0 < rect.width < math.inf and 0 < rect.height < math.inf):
        raise ExtractionFailure("broken", f"page {page.number + 1} has no area")
    frame = Box(0.0, 0.0, float(rect.width), float(rect.height))
    placed = list(_images(page, frame))
    scale = min(1.0, math.sqrt(INK_PIXELS / frame.area))
    pixmap = page.get_pixmap(matrix=pymupdf.Matrix(scale, scale), colorspace=pymupdf.csGRAY, alpha=False)
    grey = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.stride)[:, : pixmap.width].copy()
    whole = [image for image in placed if image.box.area > 0.85 * frame.area and min(image.width, image.height) > 500]
    return PageContent(
        number=page.number + 1,
        box=frame,
        lines=tuple(_lines(page, frame)),
        images=tuple(image for image in placed if image not in whole),
        grey=grey,
        scale=scale,
        scanned=bool(whole),
    )


def body_size(pages: Sequence[PageContent]) -> float:
    """Font size of most of the text, in points; 10 where there is no text."""
    sizes: Counter[float] = Counter()
    for page in pages:
        for line in page.lines:
            sizes[line.size] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 10.0
