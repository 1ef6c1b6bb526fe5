"""Pages that are pictures: which are read by OCR, what is found on them, and where reading stops."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path

import pymupdf
import pytest
from make_pdf import LAYOUTS

from polydata.extraction.document.open import opened
from polydata.extraction.document.page import PageContent, read_pages
from polydata.extraction.document.textlines import furniture_prints, join_fragments
from polydata.extraction.figures import scans
from polydata.extraction.figures.assign import LocatedFigure, find_figures
from polydata.extraction.figures.captions import Caption, find_captions
from polydata.extraction.figures.scans import pages_to_read, read_scans, was_read
from polydata.types import Box
from polydata.workspace import ExtractSettings


def scan(source: Path, path: Path, tiles: int = 1) -> None:
    """The pages of a PDF as pictures of 200 dpi, each in so many strips."""
    with pymupdf.open(source) as document, pymupdf.open() as out:
        for page in document:
            copy = out.new_page(width=page.rect.width, height=page.rect.height)
            step = page.rect.height / tiles
            for strip in range(tiles):
                part = pymupdf.Rect(0, strip * step, page.rect.width, (strip + 1) * step)
                picture = page.get_pixmap(dpi=200, colorspace=pymupdf.csGRAY, clip=part)
                copy.insert_image(part, stream=picture.tobytes("png"))
        out.save(path)


def find(pages: list[PageContent]) -> tuple[list[LocatedFigure], list[Caption]]:
    pages = [join_fragments(page) for page in pages]
    prints = furniture_prints(pages)
    captions, tables = find_captions(pages, prints)
    return find_figures(pages, captions, tables, prints)


@pytest.mark.parametrize("tiles", [1, 4])
@pytest.mark.parametrize("layout", ["below", "level_captions"])
def test_figures_and_captions_of_a_scan(tmp_path: Path, layout: str, tiles: int) -> None:
    expected = LAYOUTS[layout](tmp_path / "plain.pdf")
    scan(tmp_path / "plain.pdf", tmp_path / "scan.pdf", tiles)
    with opened(tmp_path / "scan.pdf", ExtractSettings()) as (document, _):
        pages = read_pages(document)
        numbers = pages_to_read(pages, find(pages)[0])
        assert numbers == [1]
        pages, unread = read_scans(document, pages, numbers)
    assert unread == []
    assert was_read(pages[0]) and pages[0].scanned
    found, _ = find(pages)
    captioned = [one for one in found if one.caption is not None]
    assert [one.caption.label for one in captioned if one.caption] == [one.label for one in expected]
    for one, true in zip(captioned, expected, strict=True):
        assert one.box.iou(Box(*true.box)) > 0.8
        assert one.confidence < 0.7
        assert one.caption is not None
        words = true.caption.split()
        assert sum(word in one.caption.text for word in words) > 0.8 * len(words)


def test_pages_with_text_are_not_read(tmp_path: Path) -> None:
    LAYOUTS["below"](tmp_path / "plain.pdf")
    with opened(tmp_path / "plain.pdf", ExtractSettings()) as (document, _):
        pages = read_pages(document)
        assert pages_to_read(pages, find(pages)[0]) == []


def test_a_scan_whose_text_layer_lacks_the_caption_is_read(tmp_path: Path) -> None:
    LAYOUTS["below"](tmp_path / "plain.pdf")
    scan(tmp_path / "plain.pdf", tmp_path / "scan.pdf")
    with opened(tmp_path / "plain.pdf", ExtractSettings()) as (document, _):
        lines = read_pages(document)[0].lines
    with opened(tmp_path / "scan.pdf", ExtractSettings()) as (document, _):
        page = read_pages(document)[0]
    whole = replace(page, lines=lines)
    lacking = replace(page, lines=tuple(line for line in lines if "Figure 1" not in line.text))
    assert pages_to_read([whole], find([whole])[0]) == []
    assert pages_to_read([lacking], find([lacking])[0]) == [1]


@pytest.mark.parametrize(("limit", "most", "read"), [("MOST_PAGES", 1, 1), ("MOST_SECONDS", 1.5, 2)])
def test_reading_stops_at_the_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, most: float, read: int
) -> None:
    with pymupdf.open() as document:
        for _ in range(4):
            document.new_page(width=200, height=200)
        document.save(tmp_path / "blank.pdf")
    ticks = count()
    monkeypatch.setattr(scans, limit, most)
    monkeypatch.setattr(scans, "process_time", lambda: float(next(ticks)))
    with opened(tmp_path / "blank.pdf", ExtractSettings()) as (document, _):
        pages = read_pages(document)
        _, unread = read_scans(document, pages, [1, 2, 3, 4])
    assert unread == [1, 2, 3, 4][read if limit == "MOST_PAGES" else 1 :]
