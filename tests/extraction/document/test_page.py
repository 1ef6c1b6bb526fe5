"""A page taken apart: places as shown, images told apart, renderings packed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pymupdf
import pytest
from pdf_sheet import micrograph, png
from PIL import Image

from polydata.extraction.document.open import opened
from polydata.extraction.document.page import PageContent, Sheet, read_page, read_pages
from polydata.workspace import ExtractSettings

SIDE = 40


def pages_of(document: pymupdf.Document, folder: Path) -> list[PageContent]:
    document.save(folder / "one.pdf")
    with opened(folder / "one.pdf", ExtractSettings()) as (read, _):
        return read_pages(read)


def place_unpacked(page: pymupdf.Page, pixels: bytes) -> None:
    """An image that lies in the file as plain grey levels."""
    document = page.parent
    picture, contents = document.get_new_xref(), document.get_new_xref()
    document.update_object(
        picture,
        f"<</Type/XObject/Subtype/Image/Width {SIDE}/Height {SIDE}/ColorSpace/DeviceGray/BitsPerComponent 8>>",
    )
    document.update_stream(picture, pixels, compress=False)
    document.xref_set_key(page.xref, "Resources", f"<</XObject<</P {picture} 0 R>>>>")
    document.update_object(contents, "<<>>")
    document.update_stream(contents, b"q 200 0 0 200 100 300 cm /P Do Q")
    document.xref_set_key(page.xref, "Contents", f"{contents} 0 R")


@pytest.mark.parametrize("pack", [False, True])
@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_text_and_images_lie_where_a_reader_sees_them(turn: int, pack: bool) -> None:
    with pymupdf.open() as document:
        page = document.new_page(width=400, height=600)
        page.insert_text((60, 90), "Figure 1. Blend", fontsize=10)
        page.insert_image(pymupdf.Rect(100, 200, 220, 290), stream=png(micrograph(1, 240, 180)))
        page.set_cropbox(pymupdf.Rect(20, 30, 390, 580))
        page.set_rotation(turn)
        content = read_page(Sheet(page), pack=pack)
        pixmap = page.get_pixmap(colorspace=pymupdf.csGRAY)
    assert (content.box.width, content.box.height) == ((370, 550) if turn % 180 == 0 else (550, 370))
    (image,) = content.images
    dark = np.argwhere(content.grey < 200)
    top, left = dark.min(0)
    bottom, right = dark.max(0)
    boxes = [image.box, content.lines[0].box]
    assert min(b.x0 for b in boxes) == pytest.approx(left, abs=3)
    assert max(b.y1 for b in boxes) == pytest.approx(bottom, abs=4)
    assert max(b.x1 for b in boxes) == pytest.approx(right, abs=4)
    assert min(b.y0 for b in boxes) == pytest.approx(top, abs=4)
    assert content.lines[0].upright == (turn == 0)
    assert image.plain == (turn == 0)
    assert np.array_equal(content.grey, np.frombuffer(pixmap.samples, np.uint8).reshape(content.shape))


@pytest.mark.parametrize("same", [True, False])
def test_unpacked_images_of_one_size_are_told_apart_by_their_pixels(same: bool, tmp_path: Path) -> None:
    with pymupdf.open() as document:
        for number in range(3):
            level = 90 if same else 60 + 40 * number
            place_unpacked(document.new_page(), bytes([level, 200]) * (SIDE * SIDE // 2))
        pages = pages_of(document, tmp_path)
    assert len({image.digest for page in pages for image in page.images}) == (1 if same else 3)


def test_one_picture_on_many_pages_has_one_digest(tmp_path: Path) -> None:
    logo, other = png(micrograph(1, 60, 40)), png(micrograph(2, 60, 40))
    with pymupdf.open() as document:
        for number in range(3):
            page = document.new_page()
            page.insert_image(pymupdf.Rect(20, 20, 80, 60), stream=logo)
            if number == 1:
                page.insert_image(pymupdf.Rect(200, 200, 260, 240), stream=other)
        pages = pages_of(document, tmp_path)
    assert [len(page.images) for page in pages] == [1, 2, 1]
    assert len({image.digest for page in pages for image in page.images}) == 2


def test_signs_of_ligatures_and_controls_are_written_out(tmp_path: Path) -> None:
    with pymupdf.open() as document:
        document.new_page().insert_text((60, 90), "mor\u00adphol\u00a0ogy", fontsize=10)
        (page,) = pages_of(document, tmp_path)
    assert page.lines[0].text == "mor-phol ogy"
    assert page.lines[0].words == 3


@pytest.mark.parametrize("upright", [False, True])
@pytest.mark.parametrize("count", [4, 9, 28])
def test_strips_from_side_to_side_are_the_scan_of_a_page(tmp_path: Path, count: int, upright: bool) -> None:
    """Publishers' old volumes lie in their files as strips, with photographs placed over them."""
    with pymupdf.open() as document:
        for covered in (count, count // 2):
            page = document.new_page(width=400, height=600)
            for number in range(covered):
                ends = (number / count, (number + 1) / count)
                rect = (400 * ends[0], 0, 400 * ends[1], 600) if upright else (0, 600 * ends[0], 400, 600 * ends[1])
                shape = (800, 40) if upright else (40, 800)
                page.insert_image(
                    pymupdf.Rect(rect),
                    stream=png(Image.fromarray(np.full(shape, 255 - number, np.uint8))),
                    keep_proportion=False,
                )
            page.insert_image(pymupdf.Rect(100, 120, 300, 270), stream=png(micrograph(1, 240, 180)))
        whole, part = pages_of(document, tmp_path)
    assert (whole.scanned, part.scanned) == (True, False)
    assert [round(one.box.x0) for one in whole.images] == [100]
    assert len(part.images) == count // 2 + 1


def test_two_large_pictures_are_no_strips(tmp_path: Path) -> None:
    with pymupdf.open() as document:
        page = document.new_page(width=400, height=600)
        for top in (0, 300):
            page.insert_image(
                pymupdf.Rect(0, top, 400, top + 290), stream=png(micrograph(top, 800, 580)), keep_proportion=False
            )
        (content,) = pages_of(document, tmp_path)
    assert not content.scanned
    assert len(content.images) == 2
