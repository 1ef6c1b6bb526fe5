"""Papers with one way each to lay out figures and captions, drawn at random: frames, manuscripts, lying pages."""

from __future__ import annotations

import random
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pymupdf
from pdf_sheet import MARGIN, WIDTH, Expected, Rect, Sheet, jpeg, micrograph
from pdf_sheet import WORDS as STOCK
from PIL import Image

SUBJECTS = ("the PP/PA6 (70/30) blend", "neat PLA", "the PS/PMMA film", "the annealed sample", "the PLA/PBAT blend")
WORDS = (
    "Figure {n}. ",
    "Fig. {n}. ",
    "FIGURE {n} | ",
    "Figure {n}: ",
    "Abb. {n}: ",
    "Рис. {n}. ",
    "Figura {n}. ",
    "Şekil {n}. ",
)


def words(rng: random.Random, number: int, forms: tuple[str, ...] = WORDS[:4]) -> tuple[str, str]:
    """A label and a caption with it."""
    beginning = rng.choice(forms).format(n=number)
    return beginning.rstrip(" .:|"), f"{beginning}SEM image of {rng.choice(SUBJECTS)} fractured in liquid nitrogen."


def written(
    sheet: Sheet, text: str, x: float, y: float, size: float = 8.5, wide: int = 84, font: str = "tiro"
) -> float:
    """A caption in lines of so many letters; returns the last one's baseline."""
    if max(map(ord, text)) > 255:
        box = pymupdf.Rect(x, y - size, x + 4.6 * wide, y + 6 * size)
        left, _ = sheet.page.insert_htmlbox(box, f'<p style="font-size:{size}pt;font-family:serif">{text}</p>')
        return y + 5 * size - left
    for line in textwrap.wrap(text, wide):
        sheet.page.insert_text((x, y), line, fontsize=size, fontname=font)
        y += 1.2 * size
    return y - 1.2 * size


def first_page(sheet: Sheet) -> None:
    sheet.prose(MARGIN, 110, WIDTH - MARGIN, 760)
    sheet.new_page()


def strong(seed: int, contrast: float) -> bytes:
    """A micrograph of that contrast, with the grain of a real one."""
    grey = np.asarray(micrograph(seed, 600, 420).convert("L"), np.float32)
    grain = np.random.default_rng(seed).normal(0, 20, grey.shape)
    grey = np.clip((grey - grey.mean()) * contrast + 115 + grain, 0, 255)
    return jpeg(Image.fromarray(grey.astype(np.uint8)))


def framed(sheet: Sheet, rng: random.Random) -> None:
    """Picture and caption in a thin frame, or on a coloured box with or without one."""
    first_page(sheet)
    gap, foot = rng.uniform(2, 12), rng.uniform(24, 40)
    frame = pymupdf.Rect(45, 64, 550, rng.uniform(300, 420))
    rect: Rect = (frame.x0 + rng.uniform(2, 60), frame.y0 + gap, frame.x1 - rng.uniform(2, 60), frame.y1 - foot)
    fill = rng.choice((None, None, (0.9, 0.93, 0.97), (0.95, 0.9, 0.82)))
    edge = (0.13, 0.12, 0.12) if fill is None or rng.random() < 0.5 else None
    sheet.page.draw_rect(frame, color=edge, fill=fill, width=rng.choice((0.25, 0.5, 1.0)))
    sheet.picture(rect, strong(rng.randrange(999), rng.uniform(0.8, 2.6)))
    label, text = words(rng, 1)
    written(sheet, text, frame.x0 + 5, rect[3] + 14, 7.5, 120)
    sheet.expect(label, rect, text)
    sheet.prose(45, frame.y1 + 24, 290, 760)
    sheet.prose(305, frame.y1 + 24, 550, 760)


def languages(sheet: Sheet, rng: random.Random) -> None:
    """Captions in other languages than English."""
    first_page(sheet)
    y = 80.0
    for number in (1, 2):
        rect = (120.0, y, 120.0 + rng.uniform(240, 360), y + 220)
        sheet.picture(rect, micrograph(rng.randrange(999)))
        label, text = words(rng, number, WORDS[4:])
        y = written(sheet, text, 120, rect[3] + 14) + 30
        sheet.expect(label, rect, text)
        sheet.prose(MARGIN, y, WIDTH - MARGIN, y + 90)
        y += 100


def control(sheet: Sheet, rng: random.Random) -> None:
    """The same picture of a control in three figures and more."""
    first_page(sheet)
    same = jpeg(micrograph(rng.randrange(999)))
    high, places = rng.uniform(45, 160), [rng.uniform(160, 200) for _ in range(4)]
    steady = rng.random() < 0.5 and high > 70
    for number in range(1, rng.randint(4, 5)):
        sheet.prose(MARGIN, 60, WIDTH - MARGIN, 140)
        y = 170.0 if steady else places[number - 1]
        left, right = (60.0, y, 290.0, y + high), (305.0, y, 535.0, y + high)
        sheet.picture(left, same)
        sheet.picture(right, micrograph(rng.randrange(999)))
        text = f"Figure {number}. SEM images of (a) neat PP and (b) blend number {number}."
        written(sheet, text, 60, y + high + 16)
        sheet.expect(f"Figure {number}", (60, y, 535, y + high), text, [("a", left), ("b", right)])
        sheet.prose(MARGIN, y + high + 60, WIDTH - MARGIN, 760)
        sheet.new_page()


def numbered(sheet: Sheet, rng: random.Random) -> None:
    """A manuscript whose lines are numbered, in a column of their own or as part of the line."""
    inline, size, number = rng.random() < 0.5, rng.choice((11.0, 12.0)), rng.choice((1, 57, 101, 388))
    step = rng.choice((1.9, 2.1)) * size
    for page in range(3):
        if page:
            sheet.new_page()
        y, texts = 80.0, textwrap.wrap(sheet_text(rng, 60 if page == 1 else 130), 72)
        if page == 1:
            rect = (120.0, 60.0, 470.0, 300.0)
            sheet.picture(rect, micrograph(rng.randrange(999)))
            label, text = words(rng, 1)
            text = (
                text[:-1] + ", and etched with formic acid for two hours, by which the dispersed phase was dissolved."
            )
            sheet.expect(label, rect, text)
            texts, y = [*textwrap.wrap(text, 72), "", *texts], 330.0
        for line in texts[: int((790 - y) / step)]:
            if line and inline:
                sheet.page.insert_text((56, y), f"{number}  {line}", fontsize=size, fontname="tiro")
            elif line:
                sheet.page.insert_text((44, y), str(number), fontsize=size - 2, fontname="tiro")
                sheet.page.insert_text((76, y), line, fontsize=size, fontname="tiro")
            number, y = number + bool(line), y + step


def sheet_text(rng: random.Random, count: int) -> str:
    return " ".join(rng.choice(STOCK) for _ in range(count)).capitalize() + "."


def titled(sheet: Sheet, rng: random.Random) -> None:
    """Titles under the panels, set like the caption right under them, whose label has no sign after it."""
    first_page(sheet)
    sheet.prose(MARGIN, 60, WIDTH - MARGIN, 150)
    titles, boxes = rng.sample(("Original", "2.5 min", "5 min", "10 min", "untreated"), 3), []
    for column, title in enumerate(titles):
        rect = (78 + 160.0 * column, 170.0, 228 + 160.0 * column, 277.0)
        sheet.picture(rect, micrograph(rng.randrange(999)))
        sheet.page.insert_text((rect[0] + rng.uniform(50, 62), 290), title, fontsize=10, fontname="tiro")
        boxes.append(rect)
    sheet.page.insert_text((130, 304), "Fig. 1", fontsize=10, fontname="tibo")
    text = "Application of the dye to the blend exposed to cold plasma."
    sheet.page.insert_text((160, 304), text, fontsize=10, fontname="tiro")
    sheet.expect("Fig. 1", (78, 170, 548, 290), f"Fig. 1 {text}")
    sheet.prose(MARGIN, 330, WIDTH - MARGIN, 760)


def one_line(sheet: Sheet, rng: random.Random) -> None:
    """Two captions side by side, written as one line with blanks between."""
    first_page(sheet)
    sheet.prose(MARGIN, 60, WIDTH - MARGIN, 190)
    texts = []
    for number, x in ((1, 60.0), (2, 305.0)):
        sheet.picture((x, 220, x + 230, 384), micrograph(rng.randrange(999)))
        texts.append(f"Fig. {number}. SEM image of blend number {number}.")
        sheet.expect(f"Fig. {number}", (x, 220, x + 230, 384), texts[-1])
    blank, size = pymupdf.Font("tiro").text_length(" ", 8.5), pymupdf.Font("tiro").text_length(texts[0], 8.5)
    sheet.page.insert_text(
        (60, 400), texts[0] + " " * round((245 - size) / blank) + texts[1], fontsize=8.5, fontname="tiro"
    )
    sheet.prose(MARGIN, 430, WIDTH - MARGIN, 760)


def lying(sheet: Sheet, rng: random.Random) -> None:
    """Figure and caption turned on an upright page."""
    first_page(sheet)
    turn = rng.choice((90, 270))
    rect = (100.0, 120.0, 420.0, 700.0)
    sheet.page.insert_image(
        pymupdf.Rect(*rect), stream=jpeg(micrograph(rng.randrange(999), 580, 320)), rotate=turn, keep_proportion=False
    )
    label, text = words(rng, 1)
    place = (445, 690) if turn == 90 else (75, 130)
    sheet.page.insert_text(place, text, fontsize=9, rotate=turn, fontname="tiro")
    sheet.expect(label, rect, text)
    sheet.new_page()
    sheet.prose(MARGIN, 60, WIDTH - MARGIN, 760)


def goes_on(sheet: Sheet, rng: random.Random) -> None:
    """A caption that goes on on the next page."""
    first_page(sheet)
    rects = [(60.0, 60.0, 535.0, 400.0), (60.0, 410.0, 535.0, 750.0)]
    for rect in rects:
        sheet.picture(rect, micrograph(rng.randrange(999)))
    begun = "Figure 1. SEM images of the blend: (a) 70/30, quenched in ice water after"
    rest = "compression moulding; (b) 60/40, annealed at 150 °C for two hours. The scale bars are 10 µm."
    written(sheet, begun, 60, 765, wide=120)
    sheet.expect("Figure 1", (60, 60, 535, 750), f"{begun} {rest}", list(zip("ab", rects, strict=True)))
    sheet.new_page()
    written(sheet, rest, 60, 70, wide=120)
    sheet.prose(MARGIN, 110, WIDTH - MARGIN, 760)


def listed(sheet: Sheet, rng: random.Random) -> None:
    """A manuscript's list of captions, then its figures without labels."""
    first_page(sheet)
    sheet.page.insert_text((72, 80), "Figure captions", fontsize=13, fontname="tibo")
    texts = [words(rng, number, ("Figure {n}. ",)) for number in range(1, rng.randint(3, 5))]
    for index, (_, text) in enumerate(texts):
        written(sheet, text, 72, 120 + 44 * index, 12, 90)
    for label, text in texts:
        sheet.new_page()
        rect = (100.0, 150.0, 100 + rng.uniform(280, 390), 430.0)
        sheet.picture(rect, micrograph(rng.randrange(999)))
        sheet.expect(label, rect, text)


def glued(sheet: Sheet, rng: random.Random) -> None:
    """A caption without a blank."""
    first_page(sheet)
    rect = (120.0, 60.0, 475.0, 310.0)
    sheet.picture(rect, micrograph(rng.randrange(999)))
    text = f"Figure{rng.randint(1, 12)}SEMimageofthe{rng.choice(('PP/PA6', 'PLA/PBAT'))}blendfracturedinliquidnitrogen"
    written(sheet, text, 120, 326, wide=120)
    sheet.expect(text[: text.index("SEM")], rect, text)
    sheet.prose(MARGIN, 350, WIDTH - MARGIN, 760)


def scales(sheet: Sheet, rng: random.Random) -> None:
    """Micrographs each with a scale of colours beside it, which the caption does not count."""
    first_page(sheet)
    sheet.prose(MARGIN, 60, WIDTH - MARGIN, 150)
    columns, wide = rng.choice(((2, 130.0), (3, 120.0)))
    broad = rng.uniform(12, 30)
    tall = rng.uniform(0.75, 1.0) * wide
    ramp = np.linspace(255, 0, 200)[:, None, None] * np.array([1.0, rng.random(), rng.random()])
    scale = Image.fromarray(np.repeat(ramp.astype(np.uint8), 20, 1))
    panels, right = [], 0.0
    for column in range(columns):
        left = 70 + column * (wide + broad + 16)
        rect: Rect = (left, 170, left + wide, 170 + tall)
        sheet.picture(rect, strong(rng.randrange(999), 1.5))
        right = left + wide + 4 + broad
        sheet.picture((left + wide + 4, 170 + 0.1 * tall, right, 170 + 0.9 * tall), scale)
        panels.append(("abc"[column], rect))
    told = "; ".join(f"({letter}) {rng.choice(SUBJECTS)}" for letter, _ in panels)
    text = f"Figure 1. Height images: {told}."
    written(sheet, text, 70, 170 + tall + 18)
    sheet.expect("Figure 1", (70, 170, right, 170 + tall), text, list(panels))
    sheet.prose(MARGIN, 170 + tall + 60, WIDTH - MARGIN, 760)


KINDS: dict[str, Callable[[Sheet, random.Random], None]] = {
    kind.__name__: kind
    for kind in (framed, languages, control, numbered, titled, one_line, lying, goes_on, listed, glued, scales)
}


def make_kind(path: Path, kind: str, seed: int) -> list[Expected]:
    """Draw a paper of a kind; the same seed gives the same paper."""
    sheet = Sheet(seed)
    KINDS[kind](sheet, random.Random(seed))
    return sheet.save(path)


def outlined(path: Path, seed: int) -> list[Expected]:
    """A paper whose letters are drawn as outlines, so that it holds no text at all."""
    sheet, rng = Sheet(seed), random.Random(seed)
    first_page(sheet)
    rect = (120.0, 170.0, 475.0, 420.0)
    sheet.prose(MARGIN, 60, WIDTH - MARGIN, 150)
    sheet.picture(rect, jpeg(micrograph(rng.randrange(999))))
    text = "Figure 1. SEM image of the PP/PA6 (70/30) blend."
    written(sheet, text, 120, 440)
    sheet.expect("Figure 1", rect, text)
    sheet.prose(MARGIN, 470, WIDTH - MARGIN, 760)
    out = pymupdf.open()
    for page in sheet.doc:
        drawing = pymupdf.open("svg", page.get_svg_image(text_as_path=True).encode())
        out.insert_pdf(pymupdf.open("pdf", drawing.convert_to_pdf()))
    out.save(path)
    return sheet.expected
