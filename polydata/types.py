"""What each stage hands to the next: frozen, checked when made.

Boxes are in PDF points (1/72 inch), origin at the top left of the page as a reader sees it,
y growing downwards. Pages count from 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeVar

from polydata.choices import Kind

Decision = Literal["accepted", "rejected"]
T = TypeVar("T")


class Progress(Protocol):
    """Whoever is told how far long work is; every stage takes one."""

    def __call__(self, step: str, done: int, total: int | None, /) -> None:
        """Be told what is being done, how much of it is done, and of how much; None where that is not known yet."""


def quiet(step: str, done: int, total: int | None, /) -> None:
    """A progress that tells nobody."""


def tracked(items: Iterable[T], step: str, progress: Progress, total: int | None = None) -> Iterator[T]:
    """The items one by one; ``progress`` is told at the start and after each that was dealt with."""
    progress(step, 0, total)
    for done, item in enumerate(items, start=1):
        yield item
        progress(step, done, total)


@dataclass(frozen=True, order=True)
class Box:
    """A rectangle ``x0 < x1``, ``y0 < y1``.

    Raises:
        ValueError: if it is empty, turned inside out or not finite.
    """

    x0: float
    y0: float
    x1: float
    y1: float

    def __post_init__(self) -> None:
        if not (self.x0 < self.x1 and self.y0 < self.y1):  # false for NaN too
            raise ValueError(f"not a box: {self.x0}, {self.y0}, {self.x1}, {self.y1}")

    @property
    def width(self) -> float:
        """In points."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """In points."""
        return self.y1 - self.y0

    @property
    def area(self) -> float:
        """In square points."""
        return self.width * self.height

    def rounded(self) -> tuple[int, int, int, int]:
        """Corners in whole points, for ids."""
        return round(self.x0), round(self.y0), round(self.x1), round(self.y1)

    def as_list(self, digits: int = 1) -> list[float]:
        """``[x0, y0, x1, y1]`` rounded for export."""
        return [round(v, digits) for v in (self.x0, self.y0, self.x1, self.y1)]

    def overlap(self, other: Box) -> float:
        """Area that both share, 0 where they do not meet."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        return width * height if width > 0 and height > 0 else 0.0

    def iou(self, other: Box) -> float:
        """Intersection over union, 0 to 1."""
        shared = self.overlap(other)
        return shared / (self.area + other.area - shared)

    def share_inside(self, other: Box) -> float:
        """The share of this box's area that lies in ``other``, 0 to 1."""
        return self.overlap(other) / self.area

    def moved(self, x: float, y: float) -> Box:
        """The same box farther to the right and down."""
        return Box(self.x0 + x, self.y0 + y, self.x1 + x, self.y1 + y)

    def union(self, other: Box) -> Box:
        """The smallest box that holds both."""
        return Box(min(self.x0, other.x0), min(self.y0, other.y0), max(self.x1, other.x1), max(self.y1, other.y1))


@dataclass(frozen=True)
class ImageInfo:
    """What is known of an image from its bytes alone.

    Attributes:
        sha256: hex digest of the stored bytes.
        phash: 64-bit perceptual hash of the picture, 16 hex digits.
        width, height: in pixels.
        format: the true format by content (``PNG``, ``JPEG``, ``GIF``, ...), whatever the file was called.
        mode: Pillow's mode (``L``, ``RGB``, ``RGBA``, ``P``, ...).
        alpha_only: the picture stands in the alpha channel alone; dropping alpha would give plain black.
        size_bytes: length of the stored bytes.
    """

    sha256: str
    phash: str
    width: int
    height: int
    format: str
    mode: str
    alpha_only: bool
    size_bytes: int


@dataclass(frozen=True)
class Screening:
    """What an automatic rule thinks of an image: is it a candidate micrograph?

    Attributes:
        score: 0 (surely none) to 1 (surely one).
        reason: the measurement that decided, in words.
        technique: ``SEM``, ``TEM``, ``optical`` or ``AFM`` by the pixels; None where they do not tell.
        morphology: 0 to 1: does it show a blend's morphology? None where the rule does not judge it.
        scale_bar: printed in it; None where there is none, or the image was rejected.
    """

    score: float
    decision: Decision
    reason: str
    technique: str | None = None
    morphology: float | None = None
    scale_bar: ScaleBar | None = None


@dataclass(frozen=True)
class ScaleBar:
    """A scale read for a panel.

    Attributes:
        value, unit: as printed, for example 10 and ``µm``.
        value_um: the same in micrometres.
        length_px: length of the bar in pixels of the stored image; None where only the value is known.
        method: how it was read (``caption``, ``image``), or ``hand``; of ``hand`` a value of 0 says that there is none.
        confidence: 0 to 1.
        x0, x1: left and right end of the bar in pixels of the stored image, None without a length.
        y: its height in the image, in pixels from the top.
        said: when somebody said it (UTC), of ``hand``.
    """

    value: float
    unit: str
    value_um: float
    length_px: float | None
    method: str
    confidence: float
    x0: float | None = None
    x1: float | None = None
    y: float | None = None
    said: str | None = None


@dataclass(frozen=True)
class Composition:
    """A blend's components and their ratio, read from a caption.

    Attributes:
        components: polymers or abbreviations as written, in their order.
        ratio: one number a component, in the same order; empty where none is given.
        unit: ``wt%``, ``vol%``, ``phr``, ...; None where none is given.
        text: the words it was read from.
        start, end: where these words stand in the text that was read.
    """

    components: tuple[str, ...]
    ratio: tuple[float, ...]
    unit: str | None
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Mention:
    """One thing that a caption says.

    Attributes:
        field: ``polymer``, ``technique`` or ``magnification``.
        value: in its normal form: the polymer's abbreviation, ``SEM``, ``2000``.
        text: the words it was read from.
        start, end: where these words stand in the figure's whole caption.
    """

    field: Literal["polymer", "technique", "magnification"]
    value: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Panel:
    """One part of a figure, with its stored image.

    Attributes:
        box: in points on the figure's page.
        label: the letter or word that names it (``a``), None for a figure of one panel.
        caption: the words of the caption that speak of this panel alone; None where there are none.
        caption_stem: the words that all panels of the figure share.
        image: the stored image.
        kind: what it shows.
        scale: what the caption says of it.
        composition: the blend, where the caption names it.
        mentions: polymers, technique and magnification that the caption names for this panel.
    """

    box: Box
    label: str | None
    caption: str | None
    caption_stem: str | None
    image: ImageInfo
    kind: Kind | None = None
    scale: ScaleBar | None = None
    composition: Composition | None = None
    mentions: tuple[Mention, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A figure of a paper.

    Attributes:
        page: 1-based.
        box: in points.
        label: as printed (``Figure 3``, ``Fig. 3``, ``Scheme 1``), None without a caption.
        caption: the whole caption, label included; None where none was found.
        kind: what it shows, None where that could not be told.
        method: how the box was found (``caption-anchored``, ``caption-anchored-scan``, ``scan-ocr``, ``uncaptioned``,
            ``by-hand``).
        confidence: 0 to 1.
        dpi: resolution at which its panels were rendered or stand in the file.
        panels: in reading order, at least one.
    """

    page: int
    box: Box
    label: str | None
    caption: str | None
    kind: Kind | None
    method: str
    confidence: float
    dpi: int
    panels: tuple[Panel, ...]

    def __post_init__(self) -> None:
        if self.page < 1:
            raise ValueError(f"pages count from 1, not {self.page}")
        if not 0 <= self.confidence <= 1:
            raise ValueError(f"confidence {self.confidence} is not within 0 and 1")


@dataclass(frozen=True)
class Leftover:
    """Something extraction saw and could not place: a caption without a figure, the reverse, a scan left unread."""

    what: Literal["caption-without-figure", "figure-without-caption", "page-not-read"]
    page: int
    label: str | None
    text: str | None
    box: Box


@dataclass(frozen=True)
class PaperMeta:
    """What a PDF says of itself; every field may be missing.

    Attributes:
        authors: separated by ``; ``.
        volume, first_page: the paper's place in its journal, as printed.
        reference: the line in which the paper cites itself, as printed.
    """

    title: str | None = None
    doi: str | None = None
    journal: str | None = None
    year: int | None = None
    authors: str | None = None
    volume: str | None = None
    first_page: str | None = None
    reference: str | None = None
    first_page_text: str | None = None


@dataclass(frozen=True)
class Paper:
    """All that was read from one PDF.

    Attributes:
        sha256: of the PDF file.
        file_name: its name without a folder, control characters replaced.
        pages: number of pages.
    """

    sha256: str
    file_name: str
    pages: int
    meta: PaperMeta
    figures: tuple[Figure, ...]
    leftovers: tuple[Leftover, ...] = field(default=())


@dataclass(frozen=True)
class Failure:
    """A file that could not be read, and why.

    Attributes:
        sha256: of the file, None where it could not even be read or was too large to read.
        path: as the user gave it.
        reason: one of ``broken``, ``encrypted``, ``too-large``, ``too-slow``, ``out-of-memory``, ``unreadable``.
        detail: the sentence for the user.
    """

    sha256: str | None
    path: str
    reason: str
    detail: str
