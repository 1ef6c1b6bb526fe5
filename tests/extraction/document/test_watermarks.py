"""Watermarks and grounds under figures, and what returns on a document's pages and is neither."""

from __future__ import annotations

import random
import time
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from pdf_sheet import micrograph, png
from PIL import Image

from polydata.extraction.document.open import opened
from polydata.extraction.document.page import PageContent, PlacedImage, read_pages
from polydata.extraction.document.watermarks import without_watermarks
from polydata.extraction.paper import extract_paper
from polydata.images.picture import ImageStore
from polydata.types import Box
from polydata.workspace import ExtractSettings

TEXT = "The blend was dried, pressed into films, broken in liquid nitrogen and looked at in a microscope. " * 14


def document_of(mark: str | None, seed: int, places: list[pymupdf.Rect]) -> pymupdf.Document:
    """A figure a page under what all pages show: a placed image, drawn letters, or a ground of colour."""
    document = pymupdf.open()
    faint = np.full((200, 300), 255, np.uint8)
    faint[20:180:9], faint[:, 10:290:14] = 236, 236
    for number, place in enumerate(places, 1):
        page = document.new_page(width=440, height=620)
        if mark == "image":
            page.insert_image(pymupdf.Rect(60, 150, 380, 470), stream=png(Image.fromarray(faint)))
        if mark == "letters":
            page.insert_text((70, 400), "DRAFT", fontsize=90, color=(0.88, 0.88, 0.9), fontname="hebo", render_mode=1)
        if mark == "ground":
            page.draw_rect(pymupdf.Rect(0, 0, 440, 620), color=None, fill=(0.93, 0.95, 0.9))
        page.insert_image(place, stream=png(micrograph(seed + number, 240, 180)), keep_proportion=False)
        page.insert_text((place.x0, place.y1 + 14), f"Figure {number}. SEM image of a blend.", fontsize=8)
        rest = pymupdf.Rect(50, place.y1 + 40, 390, 600)
        page.insert_textbox(rest, TEXT, fontsize=9)
    return document


@pytest.mark.parametrize("mark", [None, "image", "letters", "ground"])
@pytest.mark.parametrize("seed", [1, 2])
def test_figures_over_what_all_pages_show(mark: str | None, seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    places = []
    for _ in range(rng.choice([4, 9])):
        x, y = rng.uniform(50, 150), rng.uniform(40, 200)
        places.append(pymupdf.Rect(x, y, x + rng.uniform(140, 230), y + rng.uniform(110, 170)))
    with document_of(mark, seed, places) as document:
        document.save(tmp_path / "one.pdf")
    figures = extract_paper(tmp_path / "one.pdf", ImageStore(tmp_path / "images"), ExtractSettings()).figures
    assert [one.label for one in figures] == [f"Figure {number}" for number in range(1, len(places) + 1)]
    assert all(one.box.iou(Box(*place)) > 0.9 for one, place in zip(figures, places, strict=True))


@pytest.mark.parametrize(("pages", "shown"), [(3, 3), (6, 3), (9, 4)])
def test_a_picture_that_returns_on_a_few_pages_stays(pages: int, shown: int, tmp_path: Path) -> None:
    """The picture of a control, where it stands in one place on half of the pages, or in a document of three."""
    with pymupdf.open() as document:
        for number in range(pages):
            page = document.new_page(width=440, height=620)
            if number < shown:
                page.insert_image(pymupdf.Rect(60, 80, 380, 300), stream=png(micrograph(1, 320, 220)))
        document.save(tmp_path / "one.pdf")
    with opened(tmp_path / "one.pdf", ExtractSettings()) as (read, _):
        after = without_watermarks(read_pages(read))
    assert [len(page.images) for page in after] == [1] * shown + [0] * (pages - shown)


def test_a_picture_that_returns_with_captions_of_its_own_stays(tmp_path: Path) -> None:
    with pymupdf.open() as document:
        for number in range(5):
            page = document.new_page(width=440, height=620)
            page.insert_image(pymupdf.Rect(60, 80, 380, 300), stream=png(micrograph(1, 320, 220)))
            page.insert_text((60, 315), f"Figure {number + 1}. SEM image of a blend.", fontsize=8)
        document.save(tmp_path / "one.pdf")
    found = extract_paper(tmp_path / "one.pdf", ImageStore(tmp_path / "images"), ExtractSettings()).figures
    assert [one.label for one in found] == [f"Figure {number}" for number in range(1, 6)]


@pytest.mark.parametrize("sizes", [[(440.0, 620.0), (440.4, 620.0), (439.6, 619.7)], [(440, 620), (3000, 4000)]])
def test_pages_of_other_sizes(sizes: list[tuple[float, float]], tmp_path: Path) -> None:
    """Pages a fraction of a point smaller, at whose edge the image is cut off, and large ones, drawn more coarsely."""
    faint = np.full((200, 300), 255, np.uint8)
    faint[20:180:9], faint[:, 10:290:14] = 236, 236
    with pymupdf.open() as document:
        for number in range(7):
            width, height = sizes[number % len(sizes)] if number in (1, 4, 5) else sizes[0]
            page = document.new_page(width=width, height=height)
            page.insert_image(pymupdf.Rect(40, 50, 440, 400), stream=png(Image.fromarray(faint)))
            page.insert_image(pymupdf.Rect(80, 100, 300, 250), stream=png(micrograph(number, 240, 180)))
            page.insert_text((80, 264), f"Figure {number + 1}. SEM image of a blend.", fontsize=8)
            page.insert_textbox(pymupdf.Rect(50, 290, 390, 600), TEXT, fontsize=9)
        document.save(tmp_path / "one.pdf")
    found = extract_paper(tmp_path / "one.pdf", ImageStore(tmp_path / "images"), ExtractSettings()).figures
    usual = [one.label for one in found if one.page not in (2, 5, 6)]
    assert usual == ["Figure 1", "Figure 3", "Figure 4", "Figure 7"]
    assert len(found) == 7 or sizes[-1] == (3000, 4000)


def test_pages_of_many_tiles_are_looked_through_at_once() -> None:
    blank = np.full((842, 595), 255, np.uint8)
    tiles = tuple(
        PlacedImage(Box(9.0 * x, 9.0 * y, 9.0 * x + 9, 9.0 * y + 9), "9x9", 9, 9, True)
        for x in range(60)
        for y in range(60)
    )
    pages = [PageContent(n, Box(0, 0, 595, 842), (), tiles, 1.0, (842, 595), blank, False) for n in range(1, 9)]
    start = time.process_time()
    assert [len(page.images) for page in without_watermarks(pages)] == [3600] * 8
    assert time.process_time() - start < 1
