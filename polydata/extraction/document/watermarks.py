"""Images that lie under the text of most pages of a document: watermarks, which are no figures."""

from __future__ import annotations

import math
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from polydata.extraction.document.page import PageContent, PlacedImage
from polydata.text.figure_labels import read_label
from polydata.types import Box

FEWEST, SHARE = 4, 0.75
"""Pages from which a document, or its odd or even pages, is looked at, and share of them that have the image."""

NEAR = 2.0
"""Points by which the edges of an image may differ from page to page."""

SAMPLE, ALIKE = 12, 8
"""Pages that tell how the image looks alone, and grey levels within which a page shows just it."""

MOST = 4
"""Times that a page has a watermark at most."""

BELOW = 30.0
"""Points under an image within which its caption begins."""


def without_watermarks(pages: Sequence[PageContent]) -> list[PageContent]:
    """Pages without the images that most of those of one scale, or of the odd or even ones, have in the same place.

    Their renderings are white where they are no darker than the image, which is known from the page that covers it
    least. Scanned pages stay as they are, and so does an image that has captions of its own.
    """
    out = list(pages)
    alternate = 2 if len(pages) >= 2 * FEWEST else 1
    groups: dict[tuple[int, float], list[int]] = defaultdict(list)
    for number, page in enumerate(pages):
        if not page.scanned:
            groups[number % alternate, page.scale].append(number)
    for members in groups.values():
        if len(members) < FEWEST:
            continue
        for place in list(_places(out, members)):
            where = [number for number in members if any(_is_at(image, place) for image in out[number].images)]
            captioned = sum(_has_caption(pages[number], place.box) for number in where)
            if len(where) >= SHARE * len(members) > 2 * captioned:
                _take_away(out, place, where)
    return out


def _places(pages: Sequence[PageContent], members: Sequence[int]) -> Iterator[PlacedImage]:
    """Images that may be in one place on enough of some pages, each once; tiles, of which a page has many, are none."""
    on: Counter[str] = Counter()
    for number in members:
        digests = Counter(image.digest for image in pages[number].images)
        on.update(digest for digest, count in digests.items() if count <= MOST)
    seen: list[PlacedImage] = []
    for number in members[: len(members) - math.ceil(SHARE * len(members)) + 1]:
        for image in pages[number].images:
            if on[image.digest] >= SHARE * len(members) and not any(_is_at(image, other) for other in seen):
                seen.append(image)
                yield image


def _is_at(image: PlacedImage, other: PlacedImage) -> bool:
    """Whether it is the same image in the same place."""
    edges = zip(image.box.as_list(), other.box.as_list(), strict=True)
    return image.digest == other.digest and all(abs(a - b) < NEAR for a, b in edges)


def _has_caption(page: PageContent, box: Box) -> bool:
    """Whether a label stands under an image, and within its width."""
    return any(
        0 < line.box.y1 - box.y1 < BELOW and line.box.x0 < box.x1 and line.box.x1 > box.x0 and read_label(line.text)
        for line in page.lines
    )


def _take_away(pages: list[PageContent], place: PlacedImage, where: Sequence[int]) -> None:
    """Take an image away from the pages on which it stands, all of one scale."""
    scale = pages[where[0]].scale
    window = tuple(
        slice(max(0, math.floor(low * scale)), math.ceil(high * scale))
        for low, high in ((place.box.y0, place.box.y1), (place.box.x0, place.box.x1))
    )
    shown = [pages[number].grey[window] for number in where[:: -(-len(where) // SAMPLE)]]
    rows, columns = (min(grey.shape[axis] for grey in shown) for axis in (0, 1))
    alone = np.maximum.reduce([grey[:rows, :columns] for grey in shown]).astype(np.int16)
    for number in where:
        page = pages[number]
        grey = page.grey.copy()
        part = grey[window][:rows, :columns]
        part[part >= alone[: part.shape[0], : part.shape[1]] - ALIKE] = 255
        pages[number] = replace(
            page,
            raster=zlib.compress(grey.data, 1) if isinstance(page.raster, bytes) else grey,
            images=tuple(image for image in page.images if not _is_at(image, place)),
        )
