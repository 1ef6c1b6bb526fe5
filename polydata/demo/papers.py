"""From a study to a PDF: title page, text, table, plot, scheme and micrographs, and what is true of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from polydata.choices import Kind
from polydata.demo import figures
from polydata.demo.layout import LEADING, Format, Typesetter, emblem
from polydata.demo.study import WORDS, Series, Study, pick
from polydata.simulation.burnin import bar_text
from polydata.types import Box

LABELS = (("Figure", "."), ("Fig.", "."), ("FIGURE", "."), ("Figure", ":"))
CAPTION_SIZE = 8.0
CAPTION_GAP = 6.0


@dataclass(frozen=True)
class TrueFigure:
    """A figure on a page: box in points without the caption, label as printed, whole caption, panels on the page."""

    label: str
    page: int
    box: Box
    caption: str
    kind: Kind
    panels: tuple[figures.Shot, ...]


@dataclass(frozen=True)
class Composed:
    """A finished paper.

    Attributes:
        study: what it is about.
        pages: number of pages.
    """

    study: Study
    pages: int
    figures: tuple[TrueFigure, ...]


class _Composer:
    """Sets one paper; keeps the answers while it goes."""

    def __init__(self, study: Study, seed: int) -> None:
        self.study, self.seed = study, seed
        self.rng = rng = np.random.default_rng([seed, 2, study.index])
        self.word, self.sign = pick(LABELS, rng)
        self.above = bool(rng.random() < 0.2)
        self.figures: list[TrueFigure] = []
        self.setter = Typesetter(_format(study, rng), self._prose())

    def _prose(self) -> Iterator[str]:
        """Paragraphs without end, now and then with a mention of a figure."""
        rng, pair, sentences = self.rng, self.study.pair, WORDS["sentences"]
        last = len(self.study.series) + 1
        while True:
            picks = [sentences[int(i)] for i in rng.integers(len(sentences), size=int(rng.integers(3, 7)))]
            if rng.random() < 0.5:
                figure = f"{self.word.capitalize()} {int(rng.integers(1, last + 1))}"
                mention = pick(WORDS["mentions"], rng).format(fig=figure)
                picks.insert(int(rng.integers(len(picks) + 1)), mention)
            yield " ".join(picks).format(a=pair.first, b=pair.second, agent=self.study.agent)

    def title_page(self, doi: bool) -> None:
        ref, s = self.study.reference, self.setter
        line = f"{ref.journal} {ref.volume} ({ref.year}) {ref.first_page}"
        s.paragraph(line + (f"  |  doi:{ref.doi}" if doi else ""), 8.5)
        s.paragraph(ref.title, 16, bold=True)
        s.paragraph(", ".join(" ".join(reversed(author.split(", "))) for author in ref.authors), 10)
        s.paragraph("Institute of Polymer Mixtures, Department of Materials", 8.5, after=14)

    def _figure(
        self,
        label: str,
        caption: str,
        height: float,
        kind: Kind,
        paint: Callable[[float, float], Box],
        *,
        shots: tuple[figures.Shot, ...] = (),
        wide: bool = False,
    ) -> None:
        """A float with its caption; ``paint`` draws at a left top corner, from which the panels' boxes count."""
        page_format = self.setter.format
        lines = self.setter.broken(caption, page_format.full_width if wide else page_format.column_width, CAPTION_SIZE)
        high = len(lines) * CAPTION_SIZE * LEADING
        above = self.above and kind is not Kind.SCHEME

        def draw(x: float, y: float) -> None:
            top = y + high + CAPTION_GAP if above else y
            box = paint(x, top)
            panels = tuple(replace(shot, box=shot.box.moved(x, top)) for shot in shots)
            self.setter.write(x, (y if above else y + height + CAPTION_GAP) + CAPTION_SIZE, lines, CAPTION_SIZE)
            self.figures.append(TrueFigure(label, self.setter.page_number, box, caption, kind, panels))

        if wide:
            self.setter.wide_float(height + CAPTION_GAP + high, draw, bool(self.rng.random() < 0.3))
        else:
            self.setter.column_float(height + CAPTION_GAP + high, draw)

    def micrographs(self, number: int, series: Series) -> None:
        f = self.setter.format
        plate = figures.make_plate(
            series, self.study.style, (f.column_width, f.full_width), (self.seed, 3, self.study.index, number)
        )

        def paint(x: float, y: float) -> Box:
            figures.place(self.setter.page, plate, x, y)
            return Box(x, y, x + plate.width, y + plate.height)

        wide = plate.width > f.column_width + 0.01
        caption = self._caption(number, series, plate)
        label = f"{self.word} {number}"
        self._figure(label, caption, plate.height, Kind.MICROGRAPH, paint, shots=plate.shots, wide=wide)

    def _caption(self, number: int, series: Series, plate: figures.Plate) -> str:
        text = f"{self.word} {number}{self.sign} {series.stem}"
        if len(plate.shots) > 1:
            text += ": " + "; ".join(f"({shot.letter}) {shot.caption}" for shot in plate.shots)
        else:
            text += f", {series.parts[0]}"
        bar = plate.shots[0].bar
        if bar.box and self.rng.random() < 0.3:
            text += f". The scale bar is {bar_text(bar.value_um)}"
        return text + "."

    def plot(self, number: int) -> None:
        pair, kind = self.study.pair, int(self.rng.integers(len(figures.PLOTS)))
        caption = (
            f"{self.word} {number}{self.sign} {figures.PLOTS[kind][0]} of {pair.first}, {pair.second} and their blends."
        )

        def paint(x: float, y: float) -> Box:
            return figures.draw_plot(self.setter.page, x, y, kind, self.setter.regular, rng=self.rng)

        self._figure(f"{self.word} {number}", caption, figures.PLOT_HEIGHT, Kind.PLOT, paint)

    def scheme(self) -> None:
        caption = f"Scheme 1. Reaction of {self.study.agent} at the interface."

        def paint(x: float, y: float) -> Box:
            return figures.draw_scheme(self.setter.page, x, y, self.setter.regular, rng=self.rng)

        self._figure("Scheme 1", caption, figures.SCHEME_HEIGHT, Kind.SCHEME, paint)

    def table(self) -> None:
        samples = [sample for series in self.study.series for sample in series.samples][:6]
        head: tuple[str, ...] = ("Sample", self.study.pair.first, self.study.pair.second, "Agent")
        rows = [head]
        rows += [(f"B{n}", *map(str, one.ratio), f"{one.agent:g}") for n, one in enumerate(samples, start=1)]

        def draw(x: float, y: float) -> None:
            width = self.setter.format.column_width
            lines = self.setter.broken("Table 1. Compositions of some of the blends (wt%).", width, CAPTION_SIZE)
            self.setter.write(x, y + CAPTION_SIZE, lines, CAPTION_SIZE)
            figures.draw_table(self.setter.page, x, y + 14, width, font=self.setter.regular, rows=rows)

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
    return Composed(study, pages, tuple(composer.figures))


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
        logo=figures.encode(emblem(int(rng.integers(0, 200))), None) if rng.random() < 0.6 else None,
        first_number=ref.first_page,
        foot=bool(rng.random() < 0.5),
    )
