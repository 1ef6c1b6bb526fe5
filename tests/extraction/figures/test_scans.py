"""Pages that are pictures: which are read by OCR, what is found on them, and where reading stops."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path

import pymupdf
import pytest
from make_pdf import LAYOUTS
from make_scan import Look, scan
from pdf_sheet import Expected

from polydata.extraction.document.open import opened
from polydata.extraction.document.page import PageContent, Sheet, read_pages, turned_box
from polydata.extraction.document.textlines import furniture_prints, join_fragments
from polydata.extraction.figures.assign import LocatedFigure, find_figures
from polydata.extraction.figures.captions import Caption, find_captions
from polydata.extraction.figures.scans import _run_below, pages_to_read, read_scans, was_read
from polydata.extraction.paper import extract_paper
from polydata.images.picture import ImageStore
from polydata.types import Box, Figure, Paper
from polydata.workspace import ExtractSettings

LOOKS = {
    "grey": Look(),
    "edge": Look(edge=True),
    "dithered": Look(dithered=True),
    "tiles": Look(skew=0.0, tiles=4),
    "words": Look(wrong=0.02),
    "lines": Look(wrong=0.06, lines=True, dithered=True),
}


def find(pages: list[PageContent]) -> tuple[list[LocatedFigure], list[Caption]]:
    pages = [join_fragments(page) for page in pages]
    prints = furniture_prints(pages)
    captions, tables = find_captions(pages, prints)
    return find_figures(pages, captions, tables, prints)


def extracted(path: Path, settings: ExtractSettings | None = None) -> Paper:
    return extract_paper(path, ImageStore(path.parent / "store"), settings or ExtractSettings())


def assert_found(figures: tuple[Figure, ...], expected: list[Expected], skew: float) -> None:
    """All that is expected was found, with its words; boxes grow by what the skew moves a corner."""
    captioned = sorted((one for one in figures if one.caption is not None), key=lambda one: one.label or "")
    assert [one.label for one in captioned] == [one.label for one in expected]
    for one, true in zip(captioned, expected, strict=True):
        assert one.box.iou(Box(*true.box)) > (0.7 if skew else 0.8)
        assert one.confidence < 0.7
        assert one.caption is not None
        words = true.caption.split()
        assert sum(word in one.caption for word in words) > 0.8 * len(words)


@pytest.mark.parametrize(("seed", "look"), enumerate(LOOKS.values()), ids=LOOKS)
def test_figures_and_captions_of_a_scan(tmp_path: Path, look: Look, seed: int) -> None:
    layout = ("below", "level_captions")[seed % 2]
    expected = LAYOUTS[layout](tmp_path / "plain.pdf")
    scan(tmp_path / "plain.pdf", tmp_path / "scan.pdf", look, seed)
    paper = extracted(tmp_path / "scan.pdf")
    assert_found(paper.figures, expected, look.skew)
    assert {one.method for one in paper.figures if one.caption} == {"scan-ocr"}
    assert all(one.what == "figure-without-caption" for one in paper.leftovers)


def test_a_page_is_laid_straight(tmp_path: Path) -> None:
    LAYOUTS["below"](tmp_path / "plain.pdf")
    with pymupdf.open(tmp_path / "plain.pdf") as document:
        sheet, aslant = Sheet(document[0]), Sheet(document[0], 0.8)
        part = Box(60.0, 200.0, 320.0, 380.0)
        assert aslant.pixmap(2.0, pymupdf.csGRAY, part).shape == sheet.pixmap(2.0, pymupdf.csGRAY, part).shape
    scan(tmp_path / "plain.pdf", tmp_path / "scan.pdf", Look(skew=3.0), seed=5)
    with opened(tmp_path / "scan.pdf", ExtractSettings()) as (document, _):
        raw = read_pages(document)
        pages, _ = read_scans(document, raw, [1], lambda: True)
    assert 0.3 < abs(pages[0].skew) <= 3.1
    straight = [line for line in pages[0].lines if line.box.width > 150]
    assert len(straight) > 20 and all(line.box.height < 18 for line in straight)


def test_pages_with_text_are_not_read(tmp_path: Path) -> None:
    LAYOUTS["below"](tmp_path / "plain.pdf")
    with opened(tmp_path / "plain.pdf", ExtractSettings()) as (document, _):
        pages = read_pages(document)
        assert pages_to_read(pages, find(pages)[0]) == []


def test_a_scan_whose_words_are_seen_is_read_where_a_caption_is_lacking(tmp_path: Path) -> None:
    LAYOUTS["below"](tmp_path / "plain.pdf")
    scan(tmp_path / "plain.pdf", tmp_path / "scan.pdf", Look(skew=0.0))
    with opened(tmp_path / "plain.pdf", ExtractSettings()) as (document, _):
        lines = read_pages(document)[0].lines
    with opened(tmp_path / "scan.pdf", ExtractSettings()) as (document, _):
        page = read_pages(document)[0]
    whole = replace(page, lines=lines)
    lacking = replace(page, lines=tuple(line for line in lines if "Figure 1" not in line.text))
    assert pages_to_read([whole], find([whole])[0]) == []
    assert pages_to_read([lacking], find([lacking])[0]) == [1]


def test_words_are_taken_from_a_layer_that_agrees_with_the_picture_and_read_from_the_picture_else(
    tmp_path: Path,
) -> None:
    LAYOUTS["below"](tmp_path / "plain.pdf")
    for wrong, taken in ((0.0, True), (0.08, False)):
        path = tmp_path / f"{wrong}.pdf"
        scan(tmp_path / "plain.pdf", path, Look(skew=0.0, wrong=wrong), seed=3)
        with opened(path, ExtractSettings()) as (document, _):
            raw = read_pages(document)
            assert was_read(raw[0])
            said = {line.text for line in join_fragments(raw[0]).lines}
            pages, _ = read_scans(document, raw, [1], lambda: True)
        figure = next(one for one in find(pages)[0] if one.caption and one.caption.label == "Figure 1")
        assert figure.caption is not None
        assert (figure.caption.lines[0].text in said) == taken


def test_a_caption_that_a_good_layer_lost_is_read_where_a_figure_lacks_one(tmp_path: Path) -> None:
    LAYOUTS["below"](tmp_path / "plain.pdf")
    scan(tmp_path / "plain.pdf", tmp_path / "scan.pdf", Look(skew=0.0, wrong=0.0), seed=3)
    with opened(tmp_path / "scan.pdf", ExtractSettings()) as (document, _):
        page = read_pages(document)[0]
        lines = tuple(replace(line, text=line.text.replace("Figure 1", "TOUBE 7")) for line in page.lines)
        for lacking in ([], [1]):
            pages, _ = read_scans(document, [replace(page, lines=lines)], [1], lambda: True, lacking)
            labels = {one.caption.label for one in find(pages)[0] if one.caption}
            assert ("Figure 1" in labels) == bool(lacking)


def test_pages_for_which_there_is_no_time_are_left_unread(tmp_path: Path) -> None:
    with pymupdf.open() as document:
        for _ in range(4):
            document.new_page(width=200, height=200)
        document.save(tmp_path / "blank.pdf")
    asked = count(1)
    with opened(tmp_path / "blank.pdf", ExtractSettings()) as (document, _):
        pages = read_pages(document)
        _, unread = read_scans(document, pages, [1, 2, 3, 4], lambda: next(asked) < 3)
    assert unread == [3, 4]


def test_what_was_read_is_kept_and_what_was_not_is_listed(tmp_path: Path) -> None:
    LAYOUTS["above"](tmp_path / "plain.pdf")
    scan(tmp_path / "plain.pdf", tmp_path / "scan.pdf", Look())
    paper = extracted(tmp_path / "scan.pdf", ExtractSettings(seconds_per_file=1e-6))
    assert [(one.what, one.page) for one in paper.leftovers if one.what == "page-not-read"] == [
        ("page-not-read", 1),
        ("page-not-read", 2),
    ]


def test_a_caption_is_read_on_past_what_stands_in_the_other_column() -> None:
    """Three lines in the right column, and signs of a drawing in the left one between them, high and low."""
    lines = [Box(320.0, 100.0 + 12 * n, 550.0, 112.0 + 12 * n) for n in range(3)]
    signs = [Box(90.0 + 20 * n, 60.0 + 9 * n, 97.0 + 20 * n, 140.0 + 9 * n) for n in range(4)]
    text = Box(320.0, 190.0, 550.0, 202.0)
    places = sorted([*lines, *signs, text], key=lambda one: one.y0)
    assert [places[n] for n in _run_below(places.index(lines[0]), places)] == lines


@pytest.mark.parametrize("turn", [90, 270])
def test_a_page_that_lies_on_its_side_is_turned(tmp_path: Path, turn: int) -> None:
    expected = LAYOUTS["below"](tmp_path / "plain.pdf")
    with pymupdf.open(tmp_path / "plain.pdf") as document:
        page = document[0]
        box = Box(0, 0, *page.rect.br)
        page.set_rotation(turn)
        document.save(tmp_path / "lying.pdf")
    scan(tmp_path / "lying.pdf", tmp_path / "scan.pdf", Look(), seed=turn)
    figures = extracted(tmp_path / "scan.pdf").figures
    found = {one.label: one for one in figures if one.caption}
    assert found.keys() == {one.label for one in expected}
    for true in expected:
        assert found[true.label].box.iou(turned_box(Box(*true.box), box, turn)) > 0.7
