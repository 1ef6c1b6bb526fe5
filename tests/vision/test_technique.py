"""The microscope by the pixels: said where they tell, and only there."""

from __future__ import annotations

import io

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pdf_sheet import micrograph
from PIL import Image, ImageDraw

from polydata.vision.technique import has_strip, technique_of


def coloured(table: str, quality: int) -> np.ndarray:
    grey = np.asarray(micrograph(4))[..., 0].astype(float)
    grey = (grey - grey.min()) / np.ptp(grey)
    out = io.BytesIO()
    Image.fromarray((mpl.colormaps[table](grey)[..., :3] * 255).astype(np.uint8)).save(out, "JPEG", quality=quality)
    return np.asarray(Image.open(out))


@pytest.mark.parametrize("quality", [60, 90])
@pytest.mark.parametrize("table", ["afmhot", "copper"])
def test_a_brown_table_of_colours_is_afm(table: str, quality: int) -> None:
    assert technique_of(coloured(table, quality)) == "AFM"


def test_colours_of_their_own_are_optical() -> None:
    rng = np.random.default_rng(0)
    tints = np.asarray(Image.fromarray(rng.integers(60, 255, (5, 7, 3), np.uint8)).resize((300, 220)), np.float32)
    picture = np.asarray(micrograph(2), np.float32) / 255 * tints
    assert technique_of(picture.astype(np.uint8)) == "optical"


def with_strip(width: int = 300, height: int = 220) -> Image.Image:
    image = micrograph(7, width, height)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, height - 24, width, height), fill="black")
    pen.text((8, height - 19), "15.0kV  x2,000  10um  WD 9.8mm", fill="white")
    return image


def test_a_strip_of_print_is_sem_and_grey_alone_is_nothing() -> None:
    assert technique_of(np.asarray(with_strip())) == "SEM"
    assert technique_of(np.asarray(micrograph(7))) is None
    dark = np.asarray(micrograph(7)) // 6  # nothing to tell a strip from
    assert technique_of(dark) is None


@settings(max_examples=40, deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(1, 80), st.integers(1, 80), st.just(3))))
def test_any_picture_gets_an_answer(rgb: np.ndarray) -> None:
    assert technique_of(rgb) in (None, "SEM", "optical", "AFM")
    assert has_strip(rgb.mean(2).astype(np.float32)) in (True, False)
