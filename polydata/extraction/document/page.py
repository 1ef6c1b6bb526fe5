"""PDF document -> pages: text lines, placed images and drawn ink, all in points of the page as shown."""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from polydata.extraction.document.lines import FLAGS, Line, cut_to, take_lines
from polydata.extraction.document.open import ExtractionFailure, opened, pymupdf
from polydata.images.html import small_jpeg
from polydata.images.picture import MAX_PIXELS, ImageStore
from polydata.text.figure_labels import read_label
from polydata.types import Box
from polydata.workspace import ExtractSettings

T = TypeVar("T")

INK_PIXELS = 4_000_000
"""Pages are looked at with one pixel a point, larger ones with as many pixels as this allows."""

FEW_PAGES = 60
"""Documents with more pages than an article hold their renderings compressed; a page takes half a megabyte."""

MAX_IMAGES = 3000
"""Pages with more placed images are not asked for digests of pixels, which decode every image."""

UNPACKED = "unpacked"
"""Ends the digest of an image whose size in the file says nothing of its content."""

GREY_WHITE = 245
"""Grey levels from here up are paper; photographs rarely reach it over an area."""

COVERS, STRIP, SCAN_PIXELS = 0.85, 0.3, 500
"""Share of a page that its scan covers, in one image or in strips, which are no higher than the second share of it; and
pixels of a scan's side."""

SCAN_INK = 150
"""On pages that a scan covers, grey levels below this are ink; lighter ones are the paper's own."""


@dataclass(frozen=True, eq=False)
class PlacedImage:
    """An image object where it stands on the page.

    Attributes:
        box: in points, cut to the page.
        digest: equal for the same picture, within one document.
        width, height: in pixels.
        plain: it stands upright, without turn or mirror, and is neither a mask nor has one.
    """

    box: Box
    digest: str
    width: int
    height: int
    plain: bool


@dataclass(frozen=True, eq=False)
class PageContent:
    """One page as its reader sees it.

    Attributes:
        number: 1-based.
        box: the whole page, from (0, 0).
        lines: of text.
        images: placed images, in drawing order, without the scan of a whole page.
        scale: pixels a point of ``grey``.
        shape: rows and columns of ``grey``.
        raster: ``grey``, or its compressed bytes: a long document's pages do not fit into memory otherwise.
        scanned: an image covers the page, or strips of one do.
        numbers: of a manuscript's lines, which stand beside the text and are no part of it.
        turn: by how many degrees clockwise the page was turned to be read, its writing lying on it as shown.
        ink: grey levels below this are ink, others the paper's own.
        skew: degrees clockwise by which the page as shown is turned against this one, which lies straight.
    """

    number: int
    box: Box
    lines: tuple[Line, ...]
    images: tuple[PlacedImage, ...]
    scale: float
    shape: tuple[int, int]
    raster: npt.NDArray[np.uint8] | bytes
    scanned: bool
    numbers: tuple[Line, ...] = ()
    turn: int = 0
    ink: int = GREY_WHITE
    skew: float = 0.0

    def shown(self, box: Box) -> Box:
        """A box of this page on the page as its reader sees it."""
        return turned_box(askew(box, self.box, self.skew), self.box, -self.turn)

    def read(self, box: Box) -> Box:
        """A box on the page as its reader sees it, on this page."""
        lying = turned_box(self.box, self.box, -self.turn)
        return askew(turned_box(box, lying, self.turn), self.box, -self.skew)

    @property
    def grey(self) -> npt.NDArray[np.uint8]:
        """Rendering of the page, rows x columns, 0 black to 255 white."""
        if isinstance(self.raster, bytes):
            return np.frombuffer(zlib.decompress(self.raster), np.uint8).reshape(self.shape)
        return self.raster


def turned_box(box: Box, page: Box, degrees: int) -> Box:
    """Where a box lies when its page is turned clockwise by quarters."""
    for _ in range(degrees % 360 // 90):
        box, page = Box(page.y1 - box.y1, box.x0, page.y1 - box.y0, box.x1), Box(0.0, 0.0, page.y1, page.x1)
    return box


def askew(box: Box, page: Box, degrees: float) -> Box:
    """The upright box around a box that is turned clockwise about the page's middle, cut to the page."""
    if not degrees:
        return box
    corners = np.array([[box.x0, box.y0, 1], [box.x1, box.y0, 1], [box.x1, box.y1, 1], [box.x0, box.y1, 1]])
    at = corners @ turning(page, degrees).T
    (x0, y0), (x1, y1) = at.min(0).clip(0), at.max(0)
    return Box(float(x0), float(y0), float(min(x1, page.x1)), float(min(y1, page.y1)))


def turning(page: Box, degrees: float) -> npt.NDArray[np.float64]:
    """The 2 x 3 matrix of a turn by some degrees clockwise about the page's middle."""
    return np.asarray(cv2.getRotationMatrix2D((page.width / 2, page.height / 2), -degrees, 1.0), np.float64)


class Sheet:
    """A page as shown, taken apart once: text, images and renderings all come from the same drawing list.

    Boxes are in points of the page as shown, turned and cropped as its reader sees it.

    Args:
        page: of an open document.
        skew: degrees by which it is turned clockwise and which renderings take back; boxes lie on the straight page.
    """

    def __init__(self, page: pymupdf.Page, skew: float = 0.0) -> None:
        rect = page.rect
        if not (0 < rect.width < math.inf and 0 < rect.height < math.inf):
            raise ExtractionFailure("broken", f"page {page.number + 1} has no area")
        self.page, self._skew = page, skew
        self.box = Box(0.0, 0.0, float(rect.width), float(rect.height))
        self._drawn = page.get_displaylist()

    def text(self, flags: int) -> pymupdf.TextPage:
        """What the library reads of the page."""
        return pymupdf.TextPage(self._drawn.get_textpage(flags))

    def pixmap(self, scale: float, colours: pymupdf.Colorspace, clip: Box | None = None) -> npt.NDArray[np.uint8]:
        """Render the page or a part of it.

        Args:
            scale: pixels a point.
            colours: grey or RGB.
            clip: in points; the whole page without one.

        Returns:
            Rows x columns x channels, 0 to 255, in memory of its own.
        """
        window = self.box if clip is None else clip
        if self._skew:
            return self._straight(scale, colours, window)
        return self._rendered(scale, colours, window)

    def _straight(self, scale: float, colours: pymupdf.Colorspace, window: Box) -> npt.NDArray[np.uint8]:
        around = askew(window, self.box, self._skew)
        pixels = self._rendered(scale, colours, around)
        left, top = math.floor(window.x0 * scale), math.floor(window.y0 * scale)
        size = max(1, math.ceil(window.x1 * scale) - left), max(1, math.ceil(window.y1 * scale) - top)
        matrix = turning(self.box, self._skew)
        matrix[:, 2] = scale * matrix[:, 2] + matrix[:, :2] @ (left, top)
        matrix[:, 2] -= math.floor(around.x0 * scale), math.floor(around.y0 * scale)
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        border = cv2.BORDER_REPLICATE
        straight = cv2.warpAffine(pixels, matrix, size, flags=flags, borderMode=border)
        return np.asarray(straight, np.uint8).reshape(size[1], size[0], -1)

    def _rendered(self, scale: float, colours: pymupdf.Colorspace, window: Box) -> npt.NDArray[np.uint8]:
        area = pymupdf.Rect(window.x0, window.y0, window.x1, window.y1)
        pixmap = self._drawn.get_pixmap(matrix=pymupdf.Matrix(scale, scale), colorspace=colours, alpha=0, clip=area)
        rows = np.frombuffer(pixmap.samples_mv, np.uint8).reshape(pixmap.height, pixmap.stride)
        return rows[:, : pixmap.n * pixmap.width].reshape(pixmap.height, pixmap.width, pixmap.n).copy()


def _images(sheet: Sheet) -> Iterator[PlacedImage]:
    for entry in sheet.text(pymupdf.TEXT_PRESERVE_IMAGES).extractIMGINFO(hashes=False):
        width, height, depth = entry["width"], entry["height"], entry["bpc"]
        if width * height > MAX_PIXELS:
            raise ExtractionFailure(
                "too-large",
                f"page {sheet.page.number + 1} holds an image of {width} x {height} pixels; the limit is {MAX_PIXELS}",
            )
        box = cut_to(entry["bbox"], sheet.box)
        if box is None:
            continue
        a, b, c, d = entry["transform"][:4]
        upright = a > 0 and d > 0 and abs(b) + abs(c) < 0.01 * (a + d)
        raw = width * height * max(1, entry["colorspace"]) * depth / 8
        same = f"{width}x{height}x{depth} {entry['cs-name']} {entry['size']}"
        yield PlacedImage(
            box=box,
            digest=same if entry["size"] < raw else f"{same} {UNPACKED}",
            width=width,
            height=height,
            plain=upright and depth == 8 and not entry["has-mask"] and entry["colorspace"] in (1, 3),
        )


def _scan_of(placed: Sequence[PlacedImage], page: Box) -> set[PlacedImage]:
    """The image that covers a page, or the strips from side to side that cover it together; none where none do."""
    fine = [one for one in placed if max(one.width, one.height) > SCAN_PIXELS]
    whole = {one for one in fine if one.box.area > COVERS * page.area and min(one.width, one.height) > SCAN_PIXELS}
    lying = {one for one in fine if one.box.width > COVERS * page.width and one.box.height < STRIP * page.height}
    upright = {one for one in fine if one.box.height > COVERS * page.height and one.box.width < STRIP * page.width}
    if not whole and _length([(one.box.y0, one.box.y1) for one in lying]) > COVERS * page.height:
        return lying
    if not whole and _length([(one.box.x0, one.box.x1) for one in upright]) > COVERS * page.width:
        return upright
    return whole


def _length(spans: Sequence[tuple[float, float]]) -> float:
    """How much of a line spans cover together."""
    covered, end = 0.0, -math.inf
    for first, last in sorted(spans):
        covered += max(0.0, last - max(first, end))
        end = max(end, last)
    return covered


def read_page(sheet: Sheet, *, pack: bool = False) -> PageContent:
    """Everything that the other stages need of a page.

    Args:
        sheet: the page.
        pack: keep its rendering compressed.

    Raises:
        ExtractionFailure: ``too-large`` for an image over the limit.
    """
    placed = list(_images(sheet))
    scale = min(1.0, math.sqrt(INK_PIXELS / sheet.box.area))
    grey = sheet.pixmap(scale, pymupdf.csGRAY)[..., 0]
    whole = _scan_of(placed, sheet.box)
    return PageContent(
        number=sheet.page.number + 1,
        box=sheet.box,
        lines=tuple(take_lines(sheet.text(FLAGS), sheet.box, sheet.page)),
        images=tuple(image for image in placed if image not in whole),
        scale=scale,
        shape=(grey.shape[0], grey.shape[1]),
        raster=zlib.compress(np.ascontiguousarray(grey).data, 1) if pack else grey,
        scanned=bool(whole),
        ink=SCAN_INK if whole else GREY_WHITE,
    )


LYING_WORDS, LABEL_WORDS = 8, 3
"""Words that lie on a page which is turned to be read; fewer where they begin with a label."""


def _lies(lines: Sequence[Line]) -> int:
    """By how many degrees a page must be turned since nearly all of its writing lies, 0 where it stands."""
    words: Counter[int] = Counter()
    for line in lines:
        words[line.turn] += line.words
    turn = max((90, 270, 180), key=lambda one: words[one])
    enough = any(read_label(line.text) for line in lines if line.turn == turn and line.words >= LABEL_WORDS)
    return turn if words[turn] >= (LABEL_WORDS if enough else LYING_WORDS) and words[turn] > 1.5 * words[0] else 0


def read_upright(page: pymupdf.Page, *, pack: bool = False) -> tuple[Sheet, PageContent]:
    """A page with everything that the other stages need; one whose writing lies is turned first, for good.

    Args:
        page: of an open document.
        pack: keep its rendering compressed.

    Raises:
        ExtractionFailure: as ``Sheet`` and ``read_page``.
    """
    sheet = Sheet(page)
    content = read_page(sheet, pack=pack)
    turn = _lies(content.lines)
    return turned(page, turn, pack=pack) if turn else (sheet, content)


def turned(page: pymupdf.Page, degrees: int, before: int = 0, *, pack: bool = False) -> tuple[Sheet, PageContent]:
    """A page turned clockwise by quarters, for good, and what is on it; it was turned by ``before`` already."""
    page.set_rotation((page.rotation + degrees) % 360)
    sheet = Sheet(page)
    return sheet, replace(read_page(sheet, pack=pack), turn=(before + degrees) % 360)


def read_pages(document: pymupdf.Document) -> list[PageContent]:
    """All pages of a document, each image with a digest that tells it from the others.

    An image's size in the file tells compressed pictures apart. Those that lie there unpacked are told apart
    by their pixels, where several pages have one of the same measures.

    Raises:
        ExtractionFailure: as ``Sheet`` and ``read_page``.
    """
    pack = document.page_count > FEW_PAGES
    pages = [read_upright(page, pack=pack)[1] for page in document.pages()]
    seen = Counter(digest for page in pages for digest in {image.digest for image in page.images})
    doubtful = {digest for digest, count in seen.items() if count > 1 and digest.endswith(UNPACKED)}
    return [
        _told_apart(document[page.number - 1], page, doubtful)
        if any(image.digest in doubtful for image in page.images) and len(page.images) <= MAX_IMAGES
        else page
        for page in pages
    ]


def _told_apart(page: pymupdf.Page, content: PageContent, doubtful: set[str]) -> PageContent:
    """The page with digests of the pixels of doubtful images."""
    sheet = Sheet(page)
    found = sheet.text(pymupdf.TEXT_PRESERVE_IMAGES).extractIMGINFO(hashes=True)
    boxes = ((cut_to(entry["bbox"], sheet.box), entry["digest"].hex()) for entry in found)
    pixels = {box.rounded(): digest for box, digest in boxes if box is not None}
    images = tuple(
        replace(image, digest=pixels[image.box.rounded()]) if image.digest in doubtful else image
        for image in content.images
    )
    return replace(content, images=images)


def usual(pages: Sequence[PageContent], trait: Callable[[Line], T], without: T) -> T:
    """What most letters of the text have, such as their font or size; ``without`` where there is no text."""
    letters: Counter[T] = Counter()
    for page in pages:
        for line in page.lines:
            letters[trait(line)] += len(line.text)
    return letters.most_common(1)[0][0] if letters else without


SHOWN_SIDE = 1000
"""Pixels of the longer side of a page that is shown to the user."""


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
    path: Path, _store: ImageStore, limits: ExtractSettings, sha256: str, pages: Sequence[int]
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
            pixels = sheet.pixmap(SHOWN_SIDE / max(sheet.box.width, sheet.box.height), pymupdf.csRGB)
            jpeg = small_jpeg(Image.fromarray(pixels), SHOWN_SIDE)
            drawn.append(PagePicture(page, jpeg, sheet.box.width, sheet.box.height))
    return tuple(drawn)
