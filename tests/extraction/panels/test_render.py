"""Pictures of panels: the file's own bytes where they are what the page shows, a rendering elsewhere."""

from __future__ import annotations

import io

import numpy as np
import pymupdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pdf_sheet import jpeg, micrograph, png
from PIL import Image

from polydata.extraction.document.page import Sheet, read_page
from polydata.extraction.panels.render import encode_png, native_dpi, picture_of, render
from polydata.types import Box

PLACE = Box(100.0, 200.0, 244.0, 308.0)


def sheet_with(picture: bytes, words: str | None = None) -> Sheet:
    document = pymupdf.open()
    page = document.new_page(width=400, height=500)
    page.insert_image(pymupdf.Rect(PLACE.x0, PLACE.y0, PLACE.x1, PLACE.y1), stream=picture, keep_proportion=False)
    if words:
        page.insert_text((120, 260), words, fontsize=14, color=(1, 1, 1))
    return Sheet(page)


def picture_on(sheet: Sheet) -> bytes:
    images = read_page(sheet).images
    return picture_of(sheet, images, PLACE, render(sheet, PLACE, native_dpi(images, PLACE)).rgb)[0]


def test_a_jpeg_that_fills_its_box_is_taken_byte_for_byte() -> None:
    own = jpeg(micrograph(3, 288, 216))
    assert picture_on(sheet_with(own)) == own


def test_an_image_with_something_drawn_over_it_is_rendered() -> None:
    own = jpeg(micrograph(3, 288, 216))
    shown = picture_on(sheet_with(own, words="(a)"))
    assert shown != own
    plain = np.asarray(Image.open(io.BytesIO(own)).convert("L"), np.int16)
    with_letter = np.asarray(Image.open(io.BytesIO(shown)).convert("L").resize((288, 216)), np.int16)
    assert (with_letter - plain).max() > 60


def test_pixels_of_an_image_that_is_no_jpeg_are_kept_exactly() -> None:
    own = micrograph(4, 288, 216).convert("L")
    stored = Image.open(io.BytesIO(picture_on(sheet_with(png(own)))))
    assert np.array_equal(np.asarray(stored.convert("L")), np.asarray(own))


def test_a_panel_cut_from_its_figure_is_what_rendering_it_alone_gives() -> None:
    sheet = sheet_with(jpeg(micrograph(5, 600, 450)))
    whole = render(sheet, PLACE, 300)
    part = Box(129.6, 220.8, 199.2, 280.8)  # whole pixels at 300 dpi
    alone = render(sheet, part, 300).rgb
    cut = whole.crop(part)
    rows, columns = min(alone.shape[0], cut.shape[0]), min(alone.shape[1], cut.shape[1])
    assert abs(alone.shape[0] - cut.shape[0]) <= 1
    assert abs(alone.shape[1] - cut.shape[1]) <= 1
    assert np.abs(alone[:rows, :columns].astype(int) - cut[:rows, :columns]).mean() < 2


@given(st.tuples(st.floats(-50, 450), st.floats(-50, 550)), st.tuples(st.floats(0.01, 300), st.floats(0.01, 300)))
def test_a_crop_is_never_empty(corner: tuple[float, float], size: tuple[float, float]) -> None:
    drawn = render(BLANK, Box(50, 50, 150, 120), 72)
    box = Box(corner[0], corner[1], corner[0] + size[0], corner[1] + size[1])
    assert min(drawn.crop(box).shape) >= 1


BLANK = Sheet(pymupdf.open().new_page(width=400, height=500))


def test_a_coarser_view_is_the_mean_and_a_finer_one_is_not_made_up() -> None:
    drawn = render(sheet_with(jpeg(micrograph(5, 600, 450))), PLACE, 300)
    half = drawn.at(150)
    assert half.shape[0] == pytest.approx(drawn.rgb.shape[0] / 2, abs=1)
    assert half.mean() == pytest.approx(drawn.rgb.mean(), abs=0.5)
    assert drawn.at(600) is drawn.rgb


@pytest.mark.parametrize("grey", [True, False])
def test_png_keeps_every_pixel_and_drops_channels_that_say_nothing(grey: bool) -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    if grey:
        rgb[..., 1] = rgb[..., 2] = rgb[..., 0]
    image = Image.open(io.BytesIO(encode_png(rgb)))
    assert image.mode == ("L" if grey else "RGB")
    assert np.array_equal(np.asarray(image.convert("RGB")), rgb)
