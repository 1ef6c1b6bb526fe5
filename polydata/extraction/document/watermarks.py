"""Images that lie under the text of most pages of a document: watermarks, which are no figures."""

from __future__ import annotations

import math
import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from polydata.extraction.document.page import PageContent, PlacedImage

FEWEST, SHARE = 4, 0.75
"""Pages from which a document, or its odd or even pages, is looked at, and share of them that have the image."""

SAMPLE, ALIKE = 12, 8
"""Pages that tell how the image looks alone, and grey levels within which a page shows just it."""


def without_watermarks(pages: Sequence[PageContent]) -> list[PageContent]:
    """Pages without the images that most of them, or of the odd or even ones, have in the same place.

    Their renderings are white where they are no darker than the image, which is known from the page that covers it
    least. Scanned pages stay as they are.
    """
    out = list(pages)
    alternate = 2 if len(pages) >= 2 * FEWEST else 1
    for first in range(alternate):
        members = [number for number in range(first, len(pages), alternate) if not pages[number].scanned]
        placed: dict[tuple[str, tuple[int, ...]], list[int]] = defaultdict(list)
        for number in members:
            for place in {_place(image) for image in pages[number].images}:
                placed[place].append(number)
        for place, where in placed.items():
            if len(members) >= FEWEST and len(where) >= SHARE * len(members):
                _take_away(out, place, where)
    return out


def _place(image: PlacedImage) -> tuple[str, tuple[int, ...]]:
    """What image it is and where it stands, to two points."""
    return image.digest, tuple(round(edge / 2) for edge in image.box.as_list())


def _take_away(pages: list[PageContent], place: tuple[str, tuple[int, ...]], where: Sequence[int]) -> None:
    """Take an image away from the pages on which it stands."""
    page = pages[where[0]]
    box = next(image.box for image in page.images if _place(image) == place)
    window = tuple(
        slice(math.floor(low * page.scale), math.ceil(high * page.scale))
        for low, high in ((box.y0, box.y1), (box.x0, box.x1))
    )
    some = where[:: -(-len(where) // SAMPLE)]
    alone = np.maximum.reduce([pages[number].grey[window] for number in some]).astype(np.int16)
    for number in where:
        page = pages[number]
        grey = page.grey.copy()
        part = grey[window]
        part[part >= alone - ALIKE] = 255
        pages[number] = replace(
            page,
            raster=zlib.compress(grey.data, 1) if isinstance(page.raster, bytes) else grey,
            images=tuple(image for image in page.images if _place(image) != place),
        )
