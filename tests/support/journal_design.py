"""Designs of journals, theses and manuscripts: page, columns, type, and where captions stand and how they look."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import pymupdf

Word = tuple[str, str]
"""A word and the name of the font it is set in."""

FOREIGN = ("Figura", "Abb.", "Abbildung", "Bild", "Rys.", "Figur", "Figuur", "Gambar", "Supplementary Fig.", "Figure S")
FAMILIES = (("tiro", "tibo", "tiit"), ("helv", "hebo", "heit"))


@cache
def get_font(name: str) -> pymupdf.Font:
    return pymupdf.Font(name)


@cache
def length_of(text: str, font: str, size: float) -> float:
    return float(get_font(font).text_length(text, size))


@dataclass(frozen=True)
class Type:
    """How a text is set: three fonts (plain, bold, italic), size, line distance and alignment."""

    family: tuple[str, str, str]
    size: float
    leading: float
    align: str

    def wrap(self, words: Sequence[Word], width: float) -> list[list[Word]]:
        lines: list[list[Word]] = [[]]
        room = width
        for text, font in words:
            need = length_of(text, font, self.size) + (length_of(" ", font, self.size) if lines[-1] else 0)
            if need > room and lines[-1]:
                lines.append([])
                room, need = width, length_of(text, font, self.size)
            lines[-1].append((text, font))
            room -= need
        return lines


@dataclass(frozen=True)
class Design:
    """What one paper keeps from page to page."""

    width: float
    height: float
    margin: float
    columns: int
    gutter: float
    body: Type
    caption: Type
    label_font: str
    caption_font: str
    words: tuple[str, str]
    separator: str
    side: str
    caption_gap: float
    after_gap: float
    indent: float
    paragraph_gap: float
    numbered_lines: bool
    head_rule: bool
    frames: bool
    strips: int
    tint: tuple[float, float, float] | None
    mixed_sides: bool


def draw_design(rng: random.Random) -> Design:
    kind = rng.choice(["journal"] * 6 + ["thesis"] * 2 + ["manuscript"])
    columns = 2 if kind == "journal" else 1
    body_family = rng.choice(FAMILIES)
    size = rng.choice([9.0, 9.5, 10.0]) if columns == 2 else rng.choice([10.0, 11.0, 12.0])
    stretch = rng.choice([1.15, 1.2, 1.3]) if kind != "manuscript" else rng.choice([1.6, 2.0])
    body = Type(body_family, size, stretch * size, rng.choice(["justify", "justify", "left"]))
    caption_family = rng.choice([body_family, rng.choice(FAMILIES)])
    caption_size = round(size * rng.choice([0.8, 0.85, 0.9, 1.0]), 1)
    align = rng.choice(["justify", "left", "left", "centre"])
    caption_leading = caption_size * (rng.choice([1.12, 1.2, 1.3]) if kind != "manuscript" else stretch)
    label = rng.choice([0, 1, 1, 2])
    caption_plain = rng.choice([0, 0, 0, 1, 2]) if label else 0
    separator = rng.choice([". ", ". ", ". ", ": ", " | ", " " if label or caption_size < size else ". "])
    word = rng.choice(["Figure", "Fig.", "FIGURE", "FIG.", "Fig", "Figure", "Fig."])
    scheme = {"FIGURE": "SCHEME", "FIG.": "SCHEME"}.get(word, "Scheme")
    side = rng.choice(["below"] * 7 + ["above"] + ((["left", "right"]) if kind != "manuscript" else ["above"]))
    loose = caption_leading if kind == "manuscript" else 0.0
    more = random.Random(rng.random())  # so that what was drawn from a seed before stays as it was
    if more.random() < 0.25:
        word = more.choice(FOREIGN)
    return Design(
        width=rng.choice([595.0, 612.0, 540.0]),
        height=rng.choice([842.0, 792.0, 780.0]),
        margin=rng.choice([45.0, 55.0, 70.0]) if kind == "journal" else rng.choice([80.0, 100.0]),
        columns=columns,
        gutter=rng.choice([14.0, 18.0, 24.0]),
        body=body,
        caption=Type(caption_family, caption_size, caption_leading, align),
        label_font=caption_family[label],
        caption_font=caption_family[caption_plain],
        words=(word, scheme),
        separator=separator,
        side=side,
        caption_gap=rng.choice([4.0, 8.0, 14.0, 22.0]),
        after_gap=rng.choice([8.0, 12.0, 18.0, 26.0]) + 0.6 * loose,
        indent=rng.choice([0.0, 10.0, 14.0]),
        paragraph_gap=rng.choice([0.0, 0.0, 5.0]),
        numbered_lines=kind == "manuscript",
        head_rule=rng.random() < 0.4,
        frames=rng.random() < 0.15,
        strips=more.choice([1, 1, 1, 2, 4, 7]),
        tint=(0.93, more.uniform(0.9, 0.97), more.uniform(0.85, 1.0)) if more.random() < 0.15 else None,
        mixed_sides=more.random() < 0.15,
    )
