"""What is drawn on a page beside its running text: boxes of placed images and of ink."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from polydata.extraction.document.lines import Line
from polydata.extraction.document.page import PageContent
from polydata.extraction.document.textlines import TextLayer
from polydata.types import Box

JOIN = 8.0
"""Drawn things nearer than this, in points, belong together."""

ORNAMENT = 24.0
"""Points of the shorter side below which an image that returns is a bullet or a sign."""

DEEPEST = 4
"""Frames within frames that are looked into."""

SPECK = 4.0
BAND = 8.0
"""Times its height that the ground of a running head is wide at least."""

THIN, SLANT = 2.6, 0.01
"""Points that a rule is thick at most, and of its length what it may be aslant."""


def _margin(box: Box, page: Box) -> bool:
    return box.y1 < 0.12 * page.height or box.y0 > 0.9 * page.height


def _steps(box: Box) -> tuple[int, ...]:
    return tuple(round(value / 4) for value in (box.x0, box.y0, box.x1, box.y1))


def repeated_images(pages: Sequence[PageContent], texts: Sequence[TextLayer]) -> frozenset[str]:
    """Digests of images that are furniture: in the margin of two pages, or on three and more and no figure.

    An image that returns is a figure's, such as the picture of a control, unless it is small and keeps its place, is
    tiny, or has running text over it.
    """
    placed: dict[str, dict[int, list[Box]]] = defaultdict(lambda: defaultdict(list))
    for page in pages:
        for image in page.images:
            placed[image.digest][page.number].append(image.box)
    boxes = {page.number: page.box for page in pages}
    prose = {page.number: text.prose for page, text in zip(pages, texts, strict=True)}
    out = set()
    for digest, where in placed.items():
        margin = sum(any(_margin(box, boxes[number]) for box in here) for number, here in where.items())
        furniture = sum(
            any(_is_ornament(box, boxes[number], prose[number]) for box in here) for number, here in where.items()
        )
        places = Counter(place for here in where.values() for place in {_steps(box) for box in here if box.height < 60})
        if margin >= 2 or (len(where) >= 3 and (2 * furniture >= len(where) or max(places.values(), default=0) >= 3)):
            out.add(digest)
    return frozenset(out)


def _is_ornament(box: Box, page: Box, prose: Sequence[Line]) -> bool:
    """Whether an image that returns is tiny, stands in the margin, or lies under running text."""
    if min(box.width, box.height) < ORNAMENT or _margin(box, page):
        return True
    return sum(line.box.share_inside(box) > 0.5 for line in prose) >= 2


def without_repeated(pages: Sequence[PageContent], boxes: Sequence[Sequence[Box]]) -> list[list[Box]]:
    """The boxes of each page without small or marginal ink that is there on three or more pages, and is no image."""
    seen: Counter[tuple[int, ...]] = Counter()
    for page, found in zip(pages, boxes, strict=True):
        seen.update({_steps(box) for box in found if box.height < 60 or _margin(box, page.box)})
    return [
        [
            box
            for box in found
            if seen[_steps(box)] < 3
            or (not _margin(box, page.box) and any(image.box.share_inside(box) > 0.9 for image in page.images))
        ]
        for page, found in zip(pages, boxes, strict=True)
    ]


def pixels_of(box: Box, scale: float, pad: float = 0.0) -> tuple[slice, slice]:
    """Rows and columns of a page's rendering that a box covers, with so many points around it."""
    rows = slice(max(0, int((box.y0 - pad) * scale)), max(0, int(np.ceil((box.y1 + pad) * scale))))
    return rows, slice(max(0, int((box.x0 - pad) * scale)), max(0, int(np.ceil((box.x1 + pad) * scale))))


def components(mask: npt.NDArray[np.bool_], scale: float, reach: float) -> list[Box]:
    """Boxes of connected ink; ink within twice ``reach`` points is connected."""
    steps = max(1, round(reach * scale))
    grown = cv2.dilate(mask.view(np.uint8), np.ones((2 * steps + 1, 2 * steps + 1), np.uint8))
    _, labels = cv2.connectedComponents(grown, connectivity=8)
    labels[~mask] = 0
    return [
        Box(columns.start / scale, rows.start / scale, columns.stop / scale, rows.stop / scale)
        for where in ndimage.find_objects(labels)
        if where is not None
        for rows, columns in (where,)
    ]


def _holds_text(box: Box, prose: Iterable[Line], captions: Iterable[Box]) -> bool:
    """Whether a box is a frame or ground laid under running text or a caption."""
    lines = [line.box for line in prose if line.box.share_inside(box) > 0.9]
    if len(lines) >= 3 and sum(line.area for line in lines) > 0.2 * box.area:
        return True
    return any(caption.share_inside(box) > 0.9 for caption in captions)


def ink_boxes(page: PageContent, text: TextLayer, captions: Sequence[Box], digests: frozenset[str]) -> list[Box]:
    """Boxes of everything drawn: placed images, and ink that is not writing.

    Args:
        page: with its rendering.
        text: its lines by what they are.
        captions: boxes of its captions, tables' included.
        digests: images to leave out.

    Returns:
        Boxes in points, without specks and lone rules.
    """
    mask = page.grey < page.ink
    written = [*text.prose, *text.furniture, *text.labels]
    apart = text.labels if page.scanned else ()
    for box in (*(line.box for line in written if line not in apart), *captions):
        mask[pixels_of(box, page.scale, 1.0)] = False
    _erase_print(mask, [line.box for line in apart], page.scale)
    kept = [
        image.box
        for image in page.images
        if image.digest not in digests and min(image.box.width, image.box.height) >= SPECK
    ]
    for image in page.images:
        if image.digest in digests:
            mask[pixels_of(image.box, page.scale, 0.5)] = False
    for box in kept:
        mask[pixels_of(box, page.scale)] = True
    boxes = []
    for box in components(mask, page.scale, 1.5):
        if _holds_text(box, text.prose, captions):
            boxes += _on_ground(page, box, (written, captions, kept))
        else:
            boxes.append(box)
    return [
        box
        for box in boxes
        if max(box.width, box.height) >= SPECK
        and not _is_rule(box, page)
        and not (page.scanned and _is_band(box, page))
    ]


def _is_band(box: Box, page: PageContent) -> bool:
    """Whether ink is the ground of a running head."""
    return _margin(box, page.box) and box.width > BAND * box.height


def _erase_print(mask: npt.NDArray[np.bool_], labels: Sequence[Box], scale: float) -> None:
    """Take labels out of a scan's ink: the pieces no higher than print, for their boxes reach over what is drawn."""
    _, pieces, stats, centres = cv2.connectedComponentsWithStats(mask.view(np.uint8))
    gone = np.zeros(len(stats), np.bool_)
    for box in labels:
        x, y = centres[:, 0] / scale, centres[:, 1] / scale
        inside = (x > box.x0 - 1) & (x < box.x1 + 1) & (y > box.y0 - 1) & (y < box.y1 + 1)
        small = (stats[:, cv2.CC_STAT_WIDTH] < box.width * scale + 2) & (
            stats[:, cv2.CC_STAT_HEIGHT] < box.height * scale + 2
        )
        gone |= inside & small
    mask[gone[pieces]] = False


def _is_rule(box: Box, page: PageContent) -> bool:
    thin, long = sorted((box.width, box.height))
    return thin < max(THIN * max(1.0, 1.0 / page.scale), SLANT * long) and long > SPECK


_Things = tuple[Sequence[Line], Sequence[Box], Sequence[Box]]
"""What stands on a ground: lines of text, captions, placed images."""


def _on_ground(page: PageContent, ground: Box, things: _Things, deep: int = 1) -> list[Box]:
    """What is drawn on a coloured ground or within a frame: placed images, and ink against the ground's own grey.

    That is the commonest grey along the frame's inner edge, where pictures reach least.
    """
    written, captions, images = things
    place = pixels_of(ground, page.scale)
    part = page.grey[place].astype(np.int16)
    edge = max(1, round(3 * page.scale))
    if min(part.shape) <= 4 * edge:
        return []
    mask = np.zeros(page.grey.shape, np.bool_)
    rim = np.concatenate([part[edge : 2 * edge].ravel(), part[-2 * edge : -edge].ravel()])
    rim = np.concatenate([rim, part[:, edge : 2 * edge].ravel(), part[:, -2 * edge : -edge].ravel()])
    inner = np.abs(part - np.argmax(np.bincount(rim, minlength=256))) > 14
    inner[:edge] = inner[-edge:] = False
    inner[:, :edge] = inner[:, -edge:] = False
    mask[place] = inner
    for box in (*(line.box for line in written), *captions):
        mask[pixels_of(box, page.scale, 1.0)] = False
    held = [box for box in images if box.share_inside(ground) > 0.9]
    for box in held:
        mask[pixels_of(box, page.scale)] = True
    boxes = []
    for box in components(mask, page.scale, 1.5):
        if not _holds_text(box, written, captions):
            if box.area < 0.9 * ground.area or any(image.overlap(box) > 0.5 * box.area for image in held):
                boxes.append(box)
        elif deep < DEEPEST:
            boxes += _on_ground(page, box, things, deep + 1)
    return boxes


def cluster(boxes: Sequence[Box], separators: Sequence[Box], walls: Sequence[Box]) -> list[Box]:
    """Join boxes nearer than ``JOIN`` points that no separator stands between.

    Args:
        boxes: of ink and images.
        separators: thin upright boxes between two captions that stand side by side.
        walls: lines of prose and captions; a join whose bridge would cross one is not made.

    Returns:
        Boxes of the clusters.
    """
    groups = sorted(boxes, key=lambda box: (box.y0, box.x0))
    changed = True
    while changed:
        changed = False
        merged: list[Box] = []
        for box in groups:
            for index, other in enumerate(merged):
                if max(distance(box, other)) < JOIN and not _parted(box, other, separators, walls):
                    merged[index] = other.union(box)
                    changed = True
                    break
            else:
                merged.append(box)
        groups = merged
    return groups


def distance(a: Box, b: Box) -> tuple[float, float]:
    """Horizontal and vertical gap between two boxes, 0 where they overlap."""
    return max(0.0, a.x0 - b.x1, b.x0 - a.x1), max(0.0, a.y0 - b.y1, b.y0 - a.y1)


def _parted(a: Box, b: Box, separators: Sequence[Box], walls: Sequence[Box]) -> bool:
    for wall in separators:
        middle = (wall.x0 + wall.x1) / 2
        crossing = any(box.x0 < middle - 4 and box.x1 > middle + 4 for box in (a, b))
        sides = (a.x0 + a.x1) / 2 < middle, (b.x0 + b.x1) / 2 < middle
        if not crossing and sides[0] != sides[1] and min(a.y0, b.y0) < wall.y1 and max(a.y1, b.y1) > wall.y0:
            return True
    together = a.union(b)
    return any(
        wall.overlap(together) > 0.5 * wall.area and wall.share_inside(a) < 0.5 and wall.share_inside(b) < 0.5
        for wall in walls
    )
