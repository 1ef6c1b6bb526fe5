"""Figures and whole captions over random designs of papers, and what finding them may cost."""

from __future__ import annotations

import random
import re
import time
from dataclasses import replace
from datetime import date
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from make_journal import make_paper
from pdf_sheet import COLUMN, MARGIN, RIGHT, WIDTH, WORDS, Expected, Sheet, micrograph

from polydata.extraction.document.lines import Line
from polydata.extraction.document.open import opened
from polydata.extraction.document.page import PageContent, read_pages
from polydata.extraction.document.textlines import furniture_prints, join_fragments
from polydata.extraction.figures.assign import LocatedFigure, find_figures
from polydata.extraction.figures.captions import Caption, find_captions
from polydata.types import Box
from polydata.workspace import ExtractSettings

PAPERS = 24
WEEK = 100 * int(date.today().strftime("%G%V"))
"""Papers that nobody has looked at, others each week."""


def find(pages: list[PageContent]) -> tuple[list[LocatedFigure], list[Caption]]:
    pages = [join_fragments(page) for page in pages]
    prints = furniture_prints(pages)
    captions, tables = find_captions(pages, prints)
    return find_figures(pages, captions, tables, prints)


def _right(found: list[LocatedFigure], true: Expected) -> LocatedFigure | None:
    best = [one for one in found if one.page == true.page and one.box.iou(Box(*true.box)) >= 0.5]
    label = true.label.rstrip(".")
    return next((one for one in best if one.caption and one.caption.label.rstrip(".") == label), None)


def _whole(found: str, true: str) -> bool:
    want, got = re.findall(r"\w+", true), re.findall(r"\w+", found)
    same = sum(block.size for block in SequenceMatcher(None, want, got, autojunk=False).get_matching_blocks())
    return same >= 0.95 * len(want) and len(got) - same <= 0.1 * len(want) + 1


@pytest.mark.slow
@pytest.mark.parametrize(("first", "least"), [(1000, 0.95), (WEEK, 0.9)])
def test_random_designs(first: int, least: float, tmp_path: Path) -> None:
    figures = hits = extra = whole = 0
    for seed in range(first, first + PAPERS // 2):
        path = tmp_path / f"{seed}.pdf"
        expected = make_paper(path, seed)
        with opened(path, ExtractSettings()) as (document, _):
            found, _ = find(read_pages(document))
        captioned = [one for one in found if one.caption is not None]
        matched = [_right(captioned, true) for true in expected]
        figures += len(expected)
        hits += sum(one is not None for one in matched)
        extra += len(captioned) - sum(one is not None for one in matched)
        whole += sum(
            one is not None and one.caption is not None and _whole(one.caption.text, true.caption)
            for one, true in zip(matched, expected, strict=True)
        )
    assert figures > 50
    assert hits >= (least + 0.01) * figures, first
    assert extra <= (0.99 - least) * figures, first
    assert whole >= least * figures, first


def _page(lines: list[Line], grey: np.ndarray[tuple[int, ...], np.dtype[np.uint8]] | None = None) -> PageContent:
    blank = np.full((842, 595), 255, np.uint8) if grey is None else grey
    return PageContent(1, Box(0, 0, 595, 842), tuple(lines), (), 1.0, (842, 595), blank, False)


def _line(text: str, x0: float, y: float, size: float = 9.0, block: int = 0, **more: object) -> Line:
    box = Box(x0, y - size, x0 + 0.5 * size * len(text), y + 0.25 * size)
    plain = Line(box, text, size, False, "Serif", "Serif", block, True, y)
    return replace(plain, **more)  # type: ignore[arg-type]


def test_thousands_of_lines_cost_little() -> None:
    rng = np.random.default_rng(0)
    lines = [
        _line(f"{rng.integers(99)}", float(rng.uniform(20, 560)), float(rng.uniform(20, 820)), block=index)
        for index in range(5000)
    ]
    lines += [_line(f"Figure {index}. SEM", 40, 30.0 + 12 * index, block=6000 + index) for index in range(60)]
    start = time.process_time()
    find([_page(lines)])
    assert time.process_time() - start < 20


def test_thousands_of_marks_cost_little() -> None:
    rng = np.random.default_rng(1)
    grey = np.full((842, 595), 255, np.uint8)
    rows, columns = rng.integers(30, 700, 20_000), rng.integers(30, 560, 20_000)
    for offset in range(3):
        grey[rows + offset, columns + offset] = 0
    start = time.process_time()
    find([_page([_line("Figure 1. A scatter of marks.", 40, 720)], grey)])
    assert time.process_time() - start < 20


def test_many_small_drawings_cost_little() -> None:
    grey = np.full((842, 595), 255, np.uint8)
    for row in range(80, 740, 26):
        for column in range(20, 570, 26):
            grey[row : row + 8, column : column + 8] = 0
    start = time.process_time()
    found, _ = find([_page([_line("Figure 1. A raster of squares.", 40, 750)], grey)])
    assert time.process_time() - start < 20
    assert len(found) == 1


def test_a_caption_over_two_pages_of_one_figure() -> None:
    grey = np.full((842, 595), 255, np.uint8)
    grey[100:400, 60:400] = 90
    first = _page([_line("Figure 2. Micrographs of all blends.", 60, 420)], grey)
    second = replace(_page([_line("Figure 2 (continued). The rest of them.", 60, 420)], grey), number=2)
    found, lonely = find([first, second])
    assert [one.caption.label for one in found if one.caption] == ["Figure 2", "Figure 2"]
    assert lonely == []


def test_a_page_number_is_no_part_of_the_figure_below_it(tmp_path: Path) -> None:
    path = tmp_path / "numbered.pdf"
    with pymupdf.open() as document:
        for number in range(3):
            page = document.new_page(width=612, height=792)
            page.insert_text((540, 68), str(39 + number), fontsize=9)
            page.insert_textbox((60, 400, 550, 700), "The blends were mixed in the melt. " * 40, fontsize=9)
            if number == 1:
                page.draw_rect((60, 76, 550, 340), fill=(0.5, 0.5, 0.5))
                page.insert_text((60, 360), "Figure 1. The morphology of the blend.", fontsize=9)
        document.save(path)
    with opened(path, ExtractSettings()) as (document, _):
        found, _ = find(read_pages(document))
    assert [74 < one.box.y0 < 77 for one in found] == [True]


def _rows_of_pictures(path: Path, seed: int) -> list[Expected]:
    """A page of figures one under the other, each a row of pictures farther apart than the figures, letters beneath."""
    rng, sheet = random.Random(seed), Sheet(seed)
    y, rows, across = 60.0, rng.randint(2, 3), rng.choice((2, 2, 3))
    height = min(rng.uniform(110, 150), 640 / rows - 60)
    wide = rng.uniform(130, 160) if across == 2 else rng.uniform(95, 110)
    gap = rng.uniform(75, 89) if across == 2 else rng.uniform(45, 70)
    left = MARGIN + rng.uniform(0, WIDTH - 2 * MARGIN - across * wide - (across - 1) * gap)
    for row in range(rows):
        boxes = [(left + k * (wide + gap), y, left + k * (wide + gap) + wide, y + height) for k in range(across)]
        for k, box in enumerate(boxes):
            sheet.picture(box, micrograph(10 * seed + 3 * row + k, 240, 180))
            sheet.page.insert_text(((box[0] + box[2]) / 2 - 5, y + height + 12), f"({'abc'[k]})", fontsize=9)
        parts = ", ".join(f"({'abc'[k]}) {days} days" for k, days in enumerate((0, 30, 90)[:across]))
        words, reach = f"Figure {row + 1}. Blend {70 - 20 * row}:{30 + 20 * row} {parts}", rng.uniform(-20, 80)
        while pymupdf.get_text_length(words, fontsize=8) < boxes[-1][0] + reach - MARGIN:
            words += " " + rng.choice(WORDS)
        end = sheet.caption(words, MARGIN, y + height + 17, WIDTH - MARGIN)
        sheet.expect(f"Figure {row + 1}", (boxes[0][0], y, boxes[-1][2], y + height), words)
        y = end + rng.uniform(1, 8)
    for x in (MARGIN, RIGHT):
        sheet.prose(x, y + 20, x + COLUMN, max(y + 60, 790))
    sheet.new_page()
    for x in (MARGIN, RIGHT):
        sheet.prose(x, 60, x + COLUMN, 780)
    return sheet.save(path)


def test_rows_of_pictures_one_under_the_other_stay_rows(tmp_path: Path) -> None:
    for seed in range(12):
        expected = _rows_of_pictures(tmp_path / f"{seed}.pdf", seed)
        with opened(tmp_path / f"{seed}.pdf", ExtractSettings()) as (document, _):
            found, _ = find(read_pages(document))
        assert [one.caption.label for one in found if one.caption] == [one.label for one in expected], seed
        for one, true in zip(found, expected, strict=True):
            assert one.box.iou(Box(*true.box)) > 0.8, (seed, true.label)


def test_a_figure_does_not_take_a_formula_over_the_text_beside_it(tmp_path: Path) -> None:
    """A plot as wide as both columns' middle; over it, in one column, a formula, and in the other running text."""
    for seed in range(12):
        rng, sheet = random.Random(seed), Sheet(seed)
        left, height = rng.random() < 0.5, rng.uniform(45, 110)
        text, drawn = (MARGIN, RIGHT) if left else (RIGHT, MARGIN)
        top = rng.uniform(330, 450)
        for y in range(60, int(top - 10), 12):
            words = "the modulus of each blend was taken from five bars at one speed"
            sheet.page.insert_text((text, y), words, fontsize=rng.uniform(8.2, 8.6))
        sheet.prose(drawn, 60, drawn + COLUMN, top - height - 20)
        formula = drawn + rng.uniform(5, 40), top - height - rng.uniform(4, 8), drawn + rng.uniform(150, 220), top - 16
        sheet.plot(formula)
        plot = (rng.uniform(120, 170), top, rng.uniform(410, 460), top + rng.uniform(160, 230))
        sheet.plot(plot)
        end = sheet.caption("Figure 1. IR spectra of the copolymers.", plot[0], plot[3] + 20, WIDTH - MARGIN)
        for x in (MARGIN, RIGHT):
            sheet.prose(x, end + 20, x + COLUMN, 790)
        sheet.save(tmp_path / f"{seed}.pdf")
        with opened(tmp_path / f"{seed}.pdf", ExtractSettings()) as (document, _):
            found, _ = find(read_pages(document))
        (figure,) = [one for one in found if one.caption]
        assert figure.box.y0 > top - 16, (seed, figure.box, formula, plot)


def test_a_title_that_reaches_beyond_its_figure_parts_no_two_plots(tmp_path: Path) -> None:
    for seed in range(12):
        rng, sheet = random.Random(seed), Sheet(seed)
        top, low = rng.uniform(150, 220), rng.uniform(20, 50)
        left, right = (128.0, top + low, 270.0, 332.0), (318.0, top, 470.0, 332.0)
        sheet.plot(left)
        sheet.plot(right)
        for line in range(rng.randint(1, 2)):
            words = "Strength of all the blends that were made"
            sheet.page.insert_text((left[0] - rng.uniform(5, 20), left[1] - 20 + 11 * line), words, fontsize=9)
        end = sheet.caption(
            "Figure 1. Strength and strain of the blends, both of five bars at a time, at room "
            "temperature and after a year.",
            128,
            340,
            470,
        )
        for x in (MARGIN, RIGHT):
            sheet.prose(x, end + 20, x + COLUMN, 790)
        sheet.save(tmp_path / f"{seed}.pdf")
        with opened(tmp_path / f"{seed}.pdf", ExtractSettings()) as (document, _):
            found, _ = find(read_pages(document))
        (figure,) = found
        assert figure.box.x0 < 155 and figure.box.x1 > 460, (seed, figure.box)
