"""Random papers in the designs that journals, theses and manuscripts use, with every figure and caption known.

``make_paper(path, seed)`` draws a design (page, columns, type, where captions stand and how they look) and fills it
with running text, figures, schemes, tables, running heads and mentions of figures in the text.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pymupdf
from journal_design import Type, Word, draw_design, get_font, length_of
from pdf_sheet import TEXT, Expected, Rect, jpeg, micrograph

SUBJECTS = ("the blend", "the PLA/PBAT sample", "polymer 3b", "the copolymer", "the annealed film", "each specimen")
VERBS = ("was studied by", "is compared with", "was obtained after", "shows", "depends on", "was measured with")
OBJECTS = ("SEM", "the neat matrix", "etching in 2 M NaOH", "DSC at 10 °C/min", "its composition", "1H NMR in CDCl3")
PARTS = ("neat PLA", "PLA/PBAT 80/20", "PLA/PBAT 60/40", "the matrix", "after 10 min", "after 3 h at 120 °C", "PC-4")


class Paper:
    """A paper under construction; ``figures`` says what was drawn."""

    def __init__(self, seed: int, pages: int) -> None:
        self.rng = random.Random(seed)
        self.design = draw_design(self.rng)
        self.doc = pymupdf.open()
        self.figures: list[Expected] = []
        self.counts = {"figure": 0, "scheme": 0, "table": 0}
        self.seed = seed
        for _ in range(pages):
            self._page()

    # --- words ---------------------------------------------------------------------------------
    def sentence(self) -> str:
        rng = self.rng
        text = f"{rng.choice(SUBJECTS)} {rng.choice(VERBS)} {rng.choice(OBJECTS)}"
        for _ in range(rng.randint(0, 2)):
            start = rng.randrange(len(TEXT.split()) - 8)
            text += " and " + " ".join(TEXT.split()[start : start + rng.randint(3, 8)])
        return text[0].upper() + text[1:] + "."

    def mention(self) -> str:
        number, word = self.rng.randint(1, 9), self.rng.choice(self.design.words)
        return self.rng.choice(
            [
                f"{word} {number} shows the surface of {self.rng.choice(SUBJECTS)}.",
                f"As seen in {word} {number}, {self.rng.choice(SUBJECTS)} {self.rng.choice(VERBS)} it.",
                f"The droplets are small ({word} {number}a and b).",
                f"{word} {number}(a) depicts {self.rng.choice(SUBJECTS)} before the test.",
            ]
        )

    def paragraph(self) -> str:
        return " ".join(
            self.mention() if self.rng.random() < 0.25 else self.sentence() for _ in range(self.rng.randint(3, 7))
        )

    def caption_text(self, panels: int) -> str:
        rng = self.rng
        stem = rng.choice(["SEM micrographs of ", "TEM images of ", "Storage modulus of ", "Synthesis of ", "DSC of "])
        text = stem + rng.choice(SUBJECTS)
        if panels > 1 and rng.random() < 0.7:
            text += ": " + "; ".join(f"({'abcdef'[index]}) {rng.choice(PARTS)}" for index in range(panels))
        text += "." if rng.random() < 0.85 else ""
        if text.endswith("."):
            for _ in range(rng.choice([0, 0, 0, 1, 2, 6])):
                text += " " + self.sentence()
        return text

    # --- setting text --------------------------------------------------------------------------
    def lines(
        self, rows: Sequence[Sequence[Word]], kind: Type, x0: float, y: float, width: float, *, indent: float = 0.0
    ) -> float:
        """Set wrapped lines from ``y`` down; returns where the next line would begin."""
        for number, row in enumerate(rows):
            used = sum(length_of(text, font, kind.size) for text, font in row)
            blanks = max(1, len(row) - 1)
            blank = length_of(" ", row[0][1], kind.size)
            x = x0 + (indent if number == 0 else 0.0)
            if kind.align == "justify" and number < len(rows) - 1:
                blank = (width - used - (x - x0)) / blanks
            elif kind.align == "centre":
                x = x0 + (width - used - blank * (len(row) - 1)) / 2
            y += kind.leading
            for text, font in row:
                self.writer.append((x, y - 0.25 * kind.size), text, font=get_font(font), fontsize=kind.size)
                x += length_of(text, font, kind.size) + blank
            self.baselines.add(round(y - 0.25 * kind.size, 1))
        return y

    def prose(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Fill a box with paragraphs; the last one breaks off where the box is full."""
        body, y = self.design.body, y0
        while y + body.leading <= y1:
            words = [(word, body.family[0]) for word in self.paragraph().split()]
            if self.rng.random() < 0.1:
                words = [(word, body.family[1]) for word in self.rng.choice(["2.1. Morphology", "Results"]).split()]
            indent = self.design.indent
            first = body.wrap(words, x1 - x0 - indent)[0]
            rows = [first, *body.wrap(words[len(first) :], x1 - x0)] if len(words) > len(first) else [first]
            room = max(1, int((y1 - y) // body.leading))
            y = self.lines(rows[:room], body, x0, y, x1 - x0, indent=indent)
            y += self.design.paragraph_gap

    # --- figures -------------------------------------------------------------------------------
    def raster(self, rect: Rect) -> None:
        image = micrograph(
            self.rng.randrange(10**6), 120, max(20, int(120 * (rect[3] - rect[1]) / (rect[2] - rect[0])))
        )
        strips = min(self.design.strips, image.height)
        for n in range(strips):  # as some programs write one picture
            rows = [round(image.height * edge / strips) for edge in (n, n + 1)]
            high = (rect[3] - rect[1]) / image.height
            place = pymupdf.Rect(rect[0], rect[1] + high * rows[0], rect[2], rect[1] + high * rows[1])
            piece = image.crop((0, rows[0], image.width, rows[1]))
            self.page.insert_image(place, stream=jpeg(piece), keep_proportion=False)

    def plot(self, rect: Rect) -> None:
        x0, y0, x1, y1 = rect[0] + 26, rect[1], rect[2], rect[3] - 28
        shape = self.page.new_shape()
        if self.rng.random() < 0.6:
            shape.draw_rect(pymupdf.Rect(x0, y0, x1, y1))
        else:
            shape.draw_polyline([(x0, y0), (x0, y1), (x1, y1)])
        shape.finish(color=(0, 0, 0), width=0.8, closePath=False)
        for series in range(self.rng.randint(1, 4)):
            value, points = self.rng.uniform(0.2, 0.8), []
            for step in range(30):
                value = min(0.97, max(0.03, value + self.rng.uniform(-0.08, 0.08)))
                points.append((x0 + (x1 - x0) * step / 29, y1 - (y1 - y0) * value))
            if self.rng.random() < 0.5:
                shape.draw_polyline(points)
                shape.finish(color=[(0, 0, 0), (0.8, 0, 0), (0, 0, 0.8), (0, 0.5, 0)][series], closePath=False)
            else:
                for point in points[::2]:
                    shape.draw_circle(point, 2)
                shape.finish(color=(0, 0, 0), fill=(0, 0, 0) if series % 2 else None)
        shape.commit()
        for tick in range(5):
            self._print(str(tick * 50), x0 + (x1 - x0) * tick / 4.2, y1 + 10, 7)
            self._print(f"{tick * 0.5:.1f}", rect[0] + 11, y1 - (y1 - y0) * tick / 4.5, 7)
        self._print("Temperature (°C)", (x0 + x1) / 2 - 30, y1 + 24, 8)
        self.page.insert_text((rect[0] + 7, (y0 + y1) / 2 + 30), "Modulus (MPa)", fontsize=7, rotate=90)
        for index in range(self.rng.randint(0, 3)):
            self._print(
                self.rng.choice(["PLA", "PBAT 20 wt%", "1.0 M NaCl"]), x0 + 0.55 * (x1 - x0), y0 + 12 + 9 * index, 7
            )

    def drawing(self, rect: Rect) -> None:
        """A reaction scheme: rings, bonds, arrows and short words with free space between."""
        x0, y0, x1, y1 = rect
        shape = self.page.new_shape()
        ring = [(0.0, -16.0), (14.0, -8.0), (14.0, 8.0), (0.0, 16.0), (-14.0, 8.0), (-14.0, -8.0), (0.0, -16.0)]
        rows, count = max(2, round((y1 - y0 - 32) / 52) + 1), max(2, round((x1 - x0 - 42) / 62) + 1)
        step = (x1 - x0 - 42) / (count - 1)
        for row in range(rows):
            y = y0 + 16 + row * (y1 - y0 - 32) / (rows - 1)
            for index in range(count):
                x = x0 + 14 + index * step
                shape.draw_polyline([(x + dx, y + dy) for dx, dy in ring])
                self._print(self.rng.choice(["OH", "NH", "CH3", "OR"]), x + 16, y + 3, 7)
                if index < count - 1:
                    shape.draw_line((x + 34, y), (x + step - 20, y))
        shape.finish(color=(0, 0, 0), width=0.8, closePath=False)
        shape.commit()

    def _print(self, text: str, x: float, y: float, size: float) -> None:
        self.writer.append((x, y), text, font=get_font("helv"), fontsize=size)

    def content(self, rect: Rect) -> tuple[str, int]:
        """Draw something into ``rect``; returns its kind of caption and how many panels it has."""
        rng = self.rng
        x0, y0, x1, y1 = rect
        draw: Callable[[Rect], None] = rng.choice([self.raster, self.raster, self.plot, self.plot])
        if rng.random() < 0.15:
            self.drawing(rect)
            return ("scheme" if rng.random() < 0.7 else "figure"), 1
        across = rng.choice([1, 1, 2, 3]) if x1 - x0 > 200 else 1
        down = rng.choice([1, 1, 2]) if y1 - y0 > 200 else 1
        gap = rng.choice([0.0, 3.0, 12.0]) if draw == self.raster else rng.choice([8.0, 16.0])
        lettered = rng.random() < 0.5 and across * down > 1
        foot = 14.0 if lettered and gap > 10 else 0.0
        width, height = (x1 - x0 - gap * (across - 1)) / across, (y1 - y0 - gap * (down - 1)) / down
        mixed = rng.random() < 0.2
        for index in range(across * down):
            left, top = x0 + (index % across) * (width + gap), y0 + (index // across) * (height + gap)
            cell = (left, top, left + width, top + height - foot)
            (draw if not mixed else rng.choice([self.raster, self.plot]))(cell)
            if foot:
                self._print(f"({'abcdef'[index]})", left + width / 2 - 5, top + height - 2, 9)
        if self.design.frames:
            self.page.draw_rect(pymupdf.Rect(*rect), color=(0.3, 0.3, 0.3), width=0.6)
        return "figure", across * down

    def caption_rows(self, kind: str, panels: int, width: float) -> tuple[str, str, list[list[Word]]]:
        design = self.design
        self.counts[kind] += 1
        label = f"{design.words[kind == 'scheme']} {self.counts[kind]}"
        text = self.caption_text(panels)
        head = f"{label}{design.separator}".split()
        words = [(word, design.label_font) for word in head] + [(word, design.caption_font) for word in text.split()]
        return label, " ".join(word for word, _ in words), design.caption.wrap(words, width)

    def figure(self, x0: float, y0: float, x1: float, height: float) -> float:
        """A figure with its caption from ``y0`` down; returns where both end."""
        design, number = self.design, self.doc.page_count
        side, leading = design.side, design.caption.leading
        if design.mixed_sides and side in ("above", "below"):
            side = ("above", "below")[self.counts["figure"] % 3 == 0]
        if side in ("left", "right"):
            room = 0.3 * (x1 - x0)
            if room < 90 or (design.columns == 2 and x1 - x0 < 0.6 * design.width):
                side = "below"
        if side in ("left", "right"):
            x_figure = (x0 + room + 14, x1) if side == "left" else (x0, x1 - room - 14)
            x_caption = x0 if side == "left" else x1 - room
            rect = (x_figure[0], y0, x_figure[1], y0 + height)
            kind, panels = self.content(rect)
            label, text, rows = self.caption_rows(kind, panels, room)
            end = self.lines(rows, design.caption, x_caption, y0 - 0.2 * leading, room)
            self.figures.append(Expected(number, rect, label, text))
            return max(end, rect[3])
        share = 1.0 if self.rng.random() < 0.7 else self.rng.uniform(0.6, 0.95)
        left = x0 + (x1 - x0) * (1 - share) / 2
        right = x1 - (x1 - x0) * (1 - share) / 2
        if side == "above":  # the caption's words depend on what is drawn: draw first on room left free for them
            kind, panels = ("figure", 1)
            label, text, rows = self.caption_rows(kind, panels, x1 - x0)
            end = self.lines(rows, design.caption, x0, y0, x1 - x0)
            top = end + design.caption_gap
            rect = (left, top, right, top + height)
            (self.plot if self.rng.random() < 0.5 else self.raster)(rect)
            self.figures.append(Expected(number, rect, label, text))
            return rect[3]
        rect = (left, y0, right, y0 + height)
        if design.tint:
            self.page.draw_rect(pymupdf.Rect(x0 - 3, y0 - 3, x1 + 3, y0 + height + 3), color=None, fill=design.tint)
        kind, panels = self.content(rect)
        narrow = design.columns == 2 and x1 - x0 > 0.6 * design.width and self.rng.random() < 0.15
        room = 0.47 * (x1 - x0) if narrow else x1 - x0
        label, text, rows = self.caption_rows(kind, panels, room)
        end = self.lines(rows, design.caption, x0, rect[3] + design.caption_gap - 0.2 * leading, room)
        self.figures.append(Expected(number, rect, label, text))
        return end

    def table(self, x0: float, y0: float, x1: float) -> float:
        design = self.design
        self.counts["table"] += 1
        words = [(word, design.label_font) for word in f"Table {self.counts['table']}.".split()]
        title = "Formulations and properties of the blends."
        words += [(word, design.caption_font) for word in title.split()]
        y = self.lines(design.caption.wrap(words, x1 - x0), design.caption, x0, y0, x1 - x0) + 6
        rows = self.rng.randint(3, 9)
        self.page.draw_line((x0, y), (x1, y), width=0.7)
        for row in range(rows):
            for column in range(4):
                self._print(f"{self.rng.uniform(0, 99):.1f}", x0 + column * (x1 - x0) / 4, y + 11 + 12 * row, 8)
        self.page.draw_line((x0, y + 15), (x1, y + 15), width=0.5)
        y += 12 * rows + 6
        self.page.draw_line((x0, y), (x1, y), width=0.7)
        return y

    # --- pages ---------------------------------------------------------------------------------
    def _page(self) -> None:
        design, rng = self.design, self.rng
        self.page = self.doc.new_page(width=design.width, height=design.height)
        self.writer = pymupdf.TextWriter(self.page.rect)
        self.baselines: set[float] = set()
        number = self.doc.page_count
        self._print(f"Polymer Studies {self.seed % 90 + 10} (2009) 100-{number + 100}", design.margin, 34, 8)
        self._print(str(100 + number), design.width / 2, design.height - 24, 8)
        if design.head_rule:
            self.page.draw_line((design.margin, 40), (design.width - design.margin, 40), width=0.5)
        x0, x1, top, bottom = design.margin, design.width - design.margin, 54.0, design.height - 46
        if design.columns == 2 and rng.random() < 0.35:
            height = rng.uniform(130, 250)
            top = self.figure(x0, top, x1, height) + design.after_gap
        width = (x1 - x0 - design.gutter * (design.columns - 1)) / design.columns
        for column in range(design.columns):
            self._column(x0 + column * (width + design.gutter), top, width, bottom)
        self.writer.write_text(self.page)
        if design.numbered_lines:
            for index, y in enumerate(sorted(self.baselines), 1):
                self.page.insert_text((design.margin - 34, y), str(index), fontsize=9)

    def _column(self, x0: float, y: float, width: float, bottom: float) -> None:
        design, rng = self.design, self.rng
        body = design.body.leading
        while bottom - y > 3 * body:
            room, roll = bottom - y, rng.random()
            height = rng.uniform(100, 210) * (1.2 if design.columns == 1 else 1.0)
            spare = height + 14 * design.caption.leading + design.caption_gap + design.after_gap
            if roll < 0.55 and room > spare + 60:
                y = self.figure(x0, y, x0 + width, height) + design.after_gap
            elif roll < 0.65 and room > 200:
                y = self.table(x0, y + 4, x0 + width) + design.after_gap
            else:
                lines = min(int(room // body), rng.randint(5, 30))
                if room - lines * body < 60:
                    lines = int(room // body)
                self.prose(x0, y, x0 + width, y + lines * body)
                y += lines * body + design.after_gap


def make_paper(path: Path, seed: int, pages: int = 4) -> list[Expected]:
    """Draw a paper; the same seed gives the same paper."""
    paper = Paper(seed, pages)
    paper.doc.save(path, deflate=True, no_new_id=True)
    paper.doc.close()
    return paper.figures
