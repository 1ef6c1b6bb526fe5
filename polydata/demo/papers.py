"""From a study to a PDF: title page, text, table, plot, scheme and micrographs, and what is true of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from polydata.choices import Kind
from polydata.demo import words
from polydata.demo.figures import (
    PLOT_HEIGHT,
    PLOTS,
    SCHEME_HEIGHT,
    Plate,
    Shot,
    draw_plot,
    draw_scheme,
    draw_table,
    make_plate,
    place,
)
from polydata.demo.layout import LEADING, Format, Typesetter, emblem
from polydata.demo.study import Sample, Series, Study
from polydata.types import Box

LABELS = (("Figure", "."), ("Fig.", "."), ("FIGURE", "."), ("Figure", ":"))
CAPTION_SIZE = 8.0
CAPTION_GAP = 6.0
Painter = Callable[[float, float], Box]


@dataclass(frozen=True)
class TruePanel:
    """A micrograph panel on a page: box in points, its own part of the caption, and how it was made."""

    letter: str
    box: Box
    caption: str
    shot: Shot


@dataclass(frozen=True)
class TrueFigure:
    """A figure on a page: box in points without the caption, label as printed, whole caption, panels."""

    label: str
    page: int
    box: Box
    caption: str
    kind: Kind
    panels: tuple[TruePanel, ...]


@dataclass(frozen=True)
class Composed:
    """A finished paper.

    Attributes:
        study: what it is about.
        pages: number of pages.
        doi_printed, doi_in_metadata: where the DOI can be found.
    """

    study: Study
    pages: int
    doi_printed: bool
    doi_in_metadata: bool
    figures: tuple[TrueFigure, ...]


class _Composer:
    """Sets one paper; keeps the answers while it goes."""

    def __init__(self, study: Study, seed: int) -> None:
        self.study, self.seed = study, seed
        self.rng = rng = np.random.default_rng([seed, 2, study.index])
        self.word, self.sign = LABELS[int(rng.integers(len(LABELS)))]
        self.above = bool(rng.random() < 0.2)
        self.figures: list[TrueFigure] = []
        self.setter = Typesetter(_format(study, rng), self._prose())

    def _prose(self) -> Iterator[str]:
        """Paragraphs without end, now and then with a mention of a figure."""
        rng, pair = self.rng, self.study.pair
        last = len(self.study.series) + 1
        while True:
            picks = [words.SENTENCES[int(i)] for i in rng.integers(len(words.SENTENCES), size=int(rng.integers(3, 7)))]
            if rng.random() < 0.5:
                figure = f"{self.word.capitalize()} {int(rng.integers(1, last + 1))}"
                mention = words.MENTIONS[int(rng.integers(len(words.MENTIONS)))].format(fig=figure)
                picks.insert(int(rng.integers(len(picks) + 1)), mention)
            yield " ".join(picks).format(a=pair.first, b=pair.second, agent=self.study.agent)

    def title_page(self, doi: bool) -> None:
        ref, s = self.study.reference, self.setter
        line = f"{ref.journal} {ref.volume} ({ref.year}) {ref.first_page}"
        s.paragraph(line + (f"  |  doi:{ref.doi}" if doi else ""), 8.5)
        s.paragraph(ref.title, 16, bold=True)
        s.paragraph(", ".join(_given_first(a) for a in ref.authors), 10)
        s.paragraph("Institute of Polymer Mixtures, Department of Materials", 8.5, after=14)

    def caption(self, text: str, x: float, y: float, width: float) -> float:
        """Write a caption from its top; returns its height."""
        lines = self.setter.broken(text, width, CAPTION_SIZE)
        self.setter.write(x, y + CAPTION_SIZE, lines, CAPTION_SIZE)
        return len(lines) * CAPTION_SIZE * LEADING

    def _height(self, text: str, width: float) -> float:
        return len(self.setter.broken(text, width, CAPTION_SIZE)) * CAPTION_SIZE * LEADING

    def micrographs(self, number: int, series: Series) -> None:
        f = self.setter.format
        plate = make_plate(
            series, self.study.style, (f.column_width, f.full_width), (self.seed, 3, self.study.index, number)
        )
        caption = self._caption(number, series, plate)
        wide = plate.width > f.column_width + 0.01
        width = f.full_width if wide else f.column_width
        high = self._height(caption, width)

        def draw(x: float, y: float) -> None:
            self._plate(plate, series, number, caption, (x, y, width, high))

        if wide:
            self.setter.wide_float(plate.height + CAPTION_GAP + high, draw, bool(self.rng.random() < 0.3))
        else:
            self.setter.column_float(plate.height + CAPTION_GAP + high, draw)

    def _plate(
        self, plate: Plate, series: Series, number: int, caption: str, room: tuple[float, float, float, float]
    ) -> None:
        x, y, width, high = room
        top = y + high + CAPTION_GAP if self.above else y
        place(self.setter.page, plate, x, top)
        self.caption(caption, x, y if self.above else y + plate.height + CAPTION_GAP, width)
        panels = tuple(
            TruePanel(shot.letter, _moved(shot.box, x, top), part if len(plate.shots) > 1 else "", shot)
            for shot, part in zip(plate.shots, series.parts, strict=True)
        )
        box = Box(x, top, x + plate.width, top + plate.height)
        self.figures.append(
            TrueFigure(self._label(number), self.setter.page_number, box, caption, Kind.MICROGRAPH, panels)
        )

    def _label(self, number: int) -> str:
        return f"{self.word} {number}"

    def _caption(self, number: int, series: Series, plate: Plate) -> str:
        text = f"{self._label(number)}{self.sign} {series.stem}"
        if len(series.parts) > 1:
            text += ": " + "; ".join(f"({s.letter}) {p}" for s, p in zip(plate.shots, series.parts, strict=True))
        else:
            text += f", {series.parts[0]}"
        bar = plate.shots[0].bar
        if bar.box and self.rng.random() < 0.3:
            text += f". The scale bar is {_micrometres(bar.value_um)}"
        return text + "."

    def _drawing(self, label: str, caption: str, height: float, kind: Kind, paint: Painter) -> None:
        """A plot or scheme in the column with its caption; ``paint`` draws at a left top corner."""
        width = self.setter.format.column_width
        high = self._height(caption, width)
        above = self.above and kind is Kind.PLOT

        def draw(x: float, y: float) -> None:
            box = paint(x, y + high + CAPTION_GAP if above else y)
            self.caption(caption, x, y if above else y + height + CAPTION_GAP, width)
            self.figures.append(TrueFigure(label, self.setter.page_number, box, caption, kind, ()))

        self.setter.column_float(height + CAPTION_GAP + high, draw)

    def plot(self, number: int) -> None:
        pair, font, kind = self.study.pair, self.setter.regular, int(self.rng.integers(len(PLOTS)))
        caption = f"{self._label(number)}{self.sign} {PLOTS[kind][0]} of {pair.first}, {pair.second} and their blends."

        def paint(x: float, y: float) -> Box:
            return draw_plot(self.setter.page, x, y, kind, font, rng=self.rng)

        self._drawing(self._label(number), caption, PLOT_HEIGHT, Kind.PLOT, paint)

    def scheme(self) -> None:
        caption = f"Scheme 1. Reaction of {self.study.agent} at the interface."

        def paint(x: float, y: float) -> Box:
            return draw_scheme(self.setter.page, x, y, self.setter.regular, rng=self.rng)

        self._drawing("Scheme 1", caption, SCHEME_HEIGHT, Kind.SCHEME, paint)

    def table(self) -> None:
        samples = [sample for series in self.study.series for sample in series.samples][:6]
        head: tuple[str, ...] = ("Sample", self.study.pair.first, self.study.pair.second, "Agent")
        rows = [head, *(_table_row(number, sample) for number, sample in enumerate(samples, start=1))]

        def draw(x: float, y: float) -> None:
            self.caption("Table 1. Compositions of some of the blends (wt%).", x, y, self.setter.format.column_width)
            draw_table(
                self.setter.page, x, y + 14, self.setter.format.column_width, font=self.setter.regular, rows=rows
            )

        self.setter.column_float(20.0 + 12 * len(rows), draw)


def compose(study: Study, seed: int, path: Path) -> Composed:
    """Set a paper and write its PDF; the same bytes for the same arguments."""
    composer = _Composer(study, seed)
    rng, setter, ref = composer.rng, composer.setter, study.reference
    place_of_doi = study.index % 4  # 0, 1: on the page and in the metadata; 2: page alone; 3: metadata alone
    printed, in_metadata = place_of_doi != 3, place_of_doi != 2
    composer.title_page(printed)
    setter.heading("1. Introduction")
    setter.text(int(rng.integers(16, 34)))
    setter.heading("2. Experimental")
    setter.text(int(rng.integers(8, 20)))
    composer.table()
    setter.text(int(rng.integers(6, 16)))
    composer.scheme()
    setter.heading("3. Results and discussion")
    plot_at = int(rng.integers(len(study.series) + 1))
    items: list[Series | None] = [*study.series[:plot_at], None, *study.series[plot_at:]]
    for number, series in enumerate(items, start=1):
        setter.text(int(rng.integers(8, 22)))
        if series is None:
            composer.plot(number)
        else:
            composer.micrographs(number, series)
    setter.heading("4. Conclusions")
    setter.text(int(rng.integers(14, 30)))
    document = setter.document
    metadata = {"title": ref.title, "author": "; ".join(ref.authors), "producer": "polydata demo corpus"}
    if in_metadata:
        metadata["subject"] = f"{ref.journal}, {ref.volume} ({ref.year}) {ref.first_page}. doi:{ref.doi}"
    document.set_metadata(metadata)
    pages = setter.page_number
    document.save(path, garbage=3, deflate=True, no_new_id=True)
    document.close()
    return Composed(study, pages, printed, in_metadata, tuple(composer.figures))


def _format(study: Study, rng: np.random.Generator) -> Format:
    ref = study.reference
    columns = 1 if rng.random() < 0.25 else 2
    width, height = ((595.0, 842.0), (612.0, 792.0), (540.0, 780.0))[int(rng.integers(3))]
    margin = float(rng.choice([42, 48, 54])) + (40 if columns == 1 else 0)
    surname = ref.authors[0].split(",")[0]
    return Format(
        width=width,
        height=height,
        margin=margin,
        gutter=float(rng.choice([16, 20, 24])),
        columns=columns,
        font=("serif", "sans")[int(rng.random() < 0.3)],
        size=float(rng.choice([9, 9.5, 10])),
        head=f"{surname} et al. / {ref.journal_short} {ref.volume} ({ref.year})",
        logo=emblem(int(rng.integers(0, 200))) if rng.random() < 0.6 else None,
        first_number=ref.first_page,
        foot=bool(rng.random() < 0.5),
    )


def _table_row(number: int, sample: Sample) -> tuple[str, ...]:
    return f"B{number}", str(sample.ratio[0]), str(sample.ratio[1]), f"{sample.agent:g}"


def _given_first(author: str) -> str:
    surname, given = author.split(", ")
    return f"{given} {surname}"


def _moved(box: Box, x: float, y: float) -> Box:
    return Box(box.x0 + x, box.y0 + y, box.x1 + x, box.y1 + y)


def _micrometres(value: float) -> str:
    return f"{value * 1000:g} nm" if value < 1 else f"{value:g} µm"
