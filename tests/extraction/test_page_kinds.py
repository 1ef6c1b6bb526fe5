"""Figures, captions, panels and their words over kinds of page, each drawn with several seeds."""

from __future__ import annotations

import re
from pathlib import Path

import pymupdf
import pytest
from page_kinds import KINDS, make_kind, outlined
from pdf_sheet import Expected, Sheet, micrograph

from polydata.extraction.paper import extract_paper
from polydata.images.picture import ImageStore
from polydata.types import Box, Paper
from polydata.workspace import ExtractSettings

SEEDS = (1, 2, 3)


def read(path: Path) -> Paper:
    return extract_paper(path, ImageStore(path.parent / "store"), ExtractSettings())


def words(text: str | None) -> list[str]:
    return re.findall(r"\w+", text or "")


def check(paper: Paper, expected: list[Expected]) -> None:
    assert [one.label for one in paper.figures] == [one.label for one in expected]
    for figure, true in zip(paper.figures, expected, strict=True):
        assert figure.page == true.page
        assert figure.box.iou(Box(*true.box)) > 0.9, (figure.box, true.box)
        assert words(figure.caption) == words(true.caption)
        if true.panels:
            assert [panel.label for panel in figure.panels] == [label for label, _ in true.panels]
            for panel, (_, rect) in zip(figure.panels, true.panels, strict=True):
                assert panel.box.iou(Box(*rect)) > 0.9
                assert panel.caption
    assert paper.leftovers == ()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", SEEDS)
def test_kinds_of_page(tmp_path: Path, kind: str, seed: int) -> None:
    path = tmp_path / "paper.pdf"
    expected = make_kind(path, kind, seed)
    check(read(path), expected)


def test_letters_drawn_as_outlines_are_read(tmp_path: Path) -> None:
    path = tmp_path / "paper.pdf"
    expected = outlined(path, 1)
    check(read(path), expected)


def test_a_lying_picture_comes_out_upright(tmp_path: Path) -> None:
    path = tmp_path / "paper.pdf"
    make_kind(path, "lying", 2)
    image = read(path).figures[0].panels[0].image
    assert image.width > 1.5 * image.height


@pytest.mark.parametrize(
    ("word", "sign"), [("Kuvio", "."), ("Fotografie", ":"), ("Ilustracja", "."), ("Plansza", " |")]
)
def test_a_caption_with_an_unknown_word_is_left_over(tmp_path: Path, word: str, sign: str) -> None:
    sheet = Sheet(3)
    sheet.prose(50, 60, 545, 200)
    sheet.picture((120, 220, 470, 440), micrograph(5))
    sheet.page.insert_text((120, 456), f"{word}x 1{sign} Pinta murtuman jälkeen", fontsize=8)
    sheet.prose(50, 480, 545, 760)
    path = tmp_path / "paper.pdf"
    sheet.save(path)
    assert [one.label for one in read(path).leftovers] == [f"{word}x 1"]


def test_a_logo_in_the_text_is_furniture_and_a_control_is_not(tmp_path: Path) -> None:
    sheet = Sheet(4)
    logo = micrograph(9, 90, 60)
    for number in (1, 2, 3):
        sheet.picture((50, 300, 130, 350), logo)
        sheet.prose(140, 60, 545, 400)
        sheet.picture((120, 420, 420, 600), micrograph(number))
        sheet.page.insert_text((120, 616), f"Figure {number}. SEM image of blend {number}.", fontsize=8)
        sheet.prose(50, 640, 545, 760)
        if number < 3:
            sheet.new_page()
    path = tmp_path / "paper.pdf"
    sheet.save(path)
    paper = read(path)
    assert [one.box.iou(Box(120, 420, 420, 600)) > 0.95 for one in paper.figures] == [True] * 3
    assert paper.leftovers == ()


def test_boxes_of_a_lying_page_are_those_of_the_page_as_shown(tmp_path: Path) -> None:
    path = tmp_path / "paper.pdf"
    expected = make_kind(path, "lying", 1)
    figure = read(path).figures[0]
    with pymupdf.open(path) as document:
        assert figure.box.share_inside(Box(*document[1].rect)) == 1
    assert figure.panels[0].box.iou(Box(*expected[0].box)) > 0.9
