"""Whole pages of a PDF as pictures, to show where on a page something stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from polydata.extraction.document.open import Limits, opened, pymupdf
from polydata.extraction.document.page import Sheet
from polydata.images.html import small_jpeg
from polydata.images.picture import ImageStore

SIDE = 1000
"""Pixels of a page's longer side."""


@dataclass(frozen=True)
class PagePicture:
    """A page as shown.

    Attributes:
        page: 1-based.
        jpeg: the picture.
        width, height: of the page, in points.
    """

    page: int
    jpeg: bytes
    width: float
    height: float


def draw_pages(
    path: Path, _store: ImageStore, limits: Limits, sha256: str, pages: Sequence[int]
) -> tuple[PagePicture, ...]:
    """Draw some pages of a PDF; what a worker runs. Pages that the file lacks are left out.

    Args:
        path: of the PDF.
        limits: what the file may be.
        sha256: of the PDF when it was read.
        pages: 1-based.

    Raises:
        ExtractionFailure: as ``document.open.opened``.
    """
    drawn = []
    with opened(path, limits, sha256) as (document, _):
        for page in pages:
            if not 1 <= page <= document.page_count:
                continue
            sheet = Sheet(document[page - 1])
            pixels = sheet.pixmap(SIDE / max(sheet.box.width, sheet.box.height), pymupdf.csRGB)
            jpeg = small_jpeg(Image.fromarray(pixels), SIDE)
            drawn.append(PagePicture(page, jpeg, sheet.box.width, sheet.box.height))
    return tuple(drawn)
