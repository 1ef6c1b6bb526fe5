"""A small typesetter: text that flows through columns and pages around figures, set in the standard PDF fonts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pymupdf
from PIL import Image

FONTS = {"sans": ("helv", "hebo"), "serif": ("tiro", "tibo")}
"""Regular and bold, as PyMuPDF names the standard fonts; they are not embedded."""
LEADING = 1.25
TOP, FOOT = 54.0, 50.0
"""Heights of a page's head and foot, in points."""


@dataclass(frozen=True)
class Format:
    """How a journal sets its pages; lengths in points.

    Attributes:
        columns: 1 or 2.
        font: a key of ``FONTS``.
        size: of body text; captions and heads are smaller.
        head: the running head.
        logo: PNG at the head of every page; None for none.
        foot: the page number stands at the foot, else at the head.
    """

    width: float
    height: float
    margin: float
    gutter: float
    columns: int
    font: str
    size: float
    head: str
    logo: bytes | None
    first_number: int
    foot: bool

    @property
    def column_width(self) -> float:
        """Width of a column."""
        return (self.width - 2 * self.margin - (self.columns - 1) * self.gutter) / self.columns

    @property
    def full_width(self) -> float:
        """Width between the margins."""
        return self.width - 2 * self.margin


def emblem(hue: int) -> Image.Image:
    """A publisher's logo."""
    image = Image.new("RGB", (96, 48), (hue, 70, 150 - hue // 2))
    image.paste((240, 200 - hue, 60), (12, 12, 44, 36))
    image.paste((255, 255, 255), (56, 20, 88, 28))
    return image


_new_document: Any = pymupdf.Document  # without types of its own


@cache
def _width(word: str, font: str) -> float:
    """Of a word set at one point."""
    return float(pymupdf.get_text_length(word, fontname=font, fontsize=1))


class Typesetter:
    """Sets one document. Floats go where there is room, and text fills what they leave."""

    def __init__(self, page_format: Format, prose: Iterator[str]) -> None:
        self.format = page_format
        self.prose = prose
        self.document: Any = _new_document()
        self.regular, self.bold = FONTS[page_format.font]
        self._waiting: list[str] = []
        self.new_page()

    @property
    def page_number(self) -> int:
        """Of the page that is being set, from 1."""
        return int(self.document.page_count)

    def new_page(self) -> None:
        """Start a page with its furniture."""
        f = self.format
        self.page = self.document.new_page(width=f.width, height=f.height)
        number = str(f.first_number + self.document.page_count - 1)
        self.write(f.margin, 34, [f.head], size=8)
        if f.logo:
            self.page.insert_image((f.width - f.margin - 40, 18, f.width - f.margin, 38), stream=f.logo)
        if f.foot:
            self.write(f.width / 2 - 8, f.height - 24, [number], size=8)
        else:
            self.write(f.width - f.margin - 70, 34, [number], size=8)
        self.top, self.bottom = TOP, f.height - FOOT
        self.column, self.y = 0, self.top

    def x(self) -> float:
        """Left edge of the current column."""
        return self.format.margin + self.column * (self.format.column_width + self.format.gutter)

    def write(self, x: float, baseline: float, lines: list[str], size: float, bold: bool = False) -> None:
        """Lines from a baseline downwards."""
        if lines:
            font = self.bold if bold else self.regular
            self.page.insert_text((x, baseline), lines, fontsize=size, fontname=font, lineheight=LEADING)

    def broken(self, text: str, width: float, size: float, bold: bool = False) -> list[str]:
        """A text broken into lines of a width."""
        font = self.bold if bold else self.regular
        lines: list[str] = []
        line, used, space = "", 0.0, _width(" ", font) * size
        for word in text.split():
            wide = _width(word, font) * size
            if line and used + space + wide > width:
                lines.append(line)
                line = ""
            line, used = (f"{line} {word}", used + space + wide) if line else (word, wide)
        return [*lines, line] if line else lines

    def _next_column(self) -> None:
        if self.column + 1 < self.format.columns:
            self.column, self.y = self.column + 1, self.top
        else:
            self.new_page()

    def heading(self, text: str) -> None:
        """A bold line in the column, with at least three lines of text under it."""
        step = self.format.size * LEADING
        if self.y + 6 * step > self.bottom:
            self.fill_column()
            self._next_column()
        self.y += step
        self.write(self.x(), self.y + self.format.size, [text], self.format.size + 0.5, bold=True)
        self.y += 1.5 * step
        self._waiting = []  # what follows a heading begins a paragraph
        self.text(3)

    def text(self, count: int) -> None:
        """That many lines of prose, through columns and pages."""
        step = self.format.size * LEADING
        while count > 0:
            room = int((self.bottom - self.y) // step)
            if room < 1:
                self._next_column()
                continue
            take = min(room, count)
            while len(self._waiting) < take:
                self._waiting += self.broken(next(self.prose), self.format.column_width, self.format.size)
            lines, self._waiting = self._waiting[:take], self._waiting[take:]
            self.write(self.x(), self.y + self.format.size, lines, self.format.size)
            self.y += take * step
            count -= take

    def fill_column(self) -> None:
        """Prose down to the end of the column."""
        self.text(int((self.bottom - self.y) // (self.format.size * LEADING)))

    def column_float(self, height: float, draw: Callable[[float, float], None]) -> None:
        """Something a column wide, here or at the top of the next column; ``draw`` gets its left and top.

        Raises:
            ValueError: if it is higher than a page.
        """
        gap = self.format.size * LEADING
        if height > self.format.height - TOP - FOOT:
            raise ValueError(f"a float of {height:.0f} points does not fit a page")
        while self.y + (gap if self.y > self.top else 0) + height > self.bottom:
            self.fill_column()
            self._next_column()
        if self.y > self.top:
            self.y += gap
        draw(self.x(), self.y)
        self.y += height + gap

    def wide_float(self, height: float, draw: Callable[[float, float], None], at_foot: bool) -> None:
        """Something as wide as the text, at the head or foot of the next page; ``draw`` gets its left and top."""
        if self.format.columns == 1:
            self.column_float(height, draw)
            return
        gap = self.format.size * LEADING
        if not (self.column == 0 and self.y == self.top):
            page = self.page_number
            while self.page_number == page:
                self.fill_column()
                self._next_column()
        if at_foot:
            draw(self.x(), self.bottom - height)
            self.bottom -= height + gap
        else:
            draw(self.x(), self.top)
            self.top += height + gap
            self.y = self.top

    def paragraph(self, text: str, size: float, bold: bool = False, after: float = 6.0) -> None:
        """A text across all columns at the head of the first page; columns begin below it."""
        lines = self.broken(text, self.format.full_width, size, bold)
        self.write(self.format.margin, self.top + size, lines, size, bold)
        self.top += len(lines) * size * LEADING + after
        self.y = self.top
