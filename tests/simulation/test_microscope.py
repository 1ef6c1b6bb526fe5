"""Print agrees with what is said about it, and nothing of the picture's making depends on the blend."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from polydata.simulation.burnin import BAR_STYLES, LETTER_STYLES, PrintStyle, bar_for, bar_text, burn_in, draw_style
from polydata.simulation.microscope import draw_exposure, photograph
from polydata.simulation.phasefield import Quench, simulate

STYLE = PrintStyle("white", "top-left", "text-above", "DejaVuSans.ttf", 0.055, True, 5, 8.1)


@pytest.mark.parametrize("bar", [style for style in BAR_STYLES if style != "none"])
@pytest.mark.parametrize("width", [230, 401])
@pytest.mark.parametrize("right", [True, False])
def test_the_bar_is_as_long_as_is_said(bar: str, width: int, right: bool) -> None:
    image = Image.new("L", (width, 200), 110)
    field_um = 37.0
    printed = burn_in(image, "", replace(STYLE, bar=bar, right=right), field_um)
    assert printed.box is not None
    x0, y0, x1, y1 = printed.box
    assert x1 - x0 + 1 == printed.length_px
    assert 0 <= x0 < x1 < width
    assert 0 <= y0 <= y1 < 200
    row = np.asarray(image)[(y0 + y1) // 2]
    assert row[x0] == row[x1] == 255
    assert row[x0 - 1] < 255
    assert row[x1 + 1] < 255
    if bar != "split":
        assert (row[x0 : x1 + 1] == 255).all()
    # A pixel is value / length wide; the width of the field is then what was asked for, but for rounding.
    assert width * printed.value_um / printed.length_px == pytest.approx(field_um, rel=0.02)


@pytest.mark.parametrize("field_um", [0.5, 4, 11, 120, 900])
def test_bars_are_round_and_of_a_sensible_length(field_um: float) -> None:
    value, length = bar_for(360, field_um)
    assert str(value).strip("0.")[0] in "125"
    assert 0.1 <= length / 360 <= 0.42


def test_values_are_written_as_on_microscopes() -> None:
    assert bar_text(0.5) == "500 nm"
    assert bar_text(1.0) == "1 µm"
    assert bar_text(20.0) == "20 µm"


@pytest.mark.parametrize("letter", LETTER_STYLES)
def test_letters_change_their_corner_alone(letter: str) -> None:
    image = Image.new("L", (300, 220), 110)
    burn_in(image, "b", replace(STYLE, letter=letter, bar="none"), 20.0)
    changed = np.asarray(image) != 110
    assert changed.any() == (letter != "none")
    assert not changed[60:].any()
    assert not changed[:, 75:].any()


def test_a_panel_without_a_name_gets_no_letter() -> None:
    image = Image.new("L", (300, 220), 110)
    burn_in(image, "", replace(STYLE, bar="none"), 20.0)
    assert np.asarray(image).min() == np.asarray(image).max() == 110


def test_all_styles_are_drawn() -> None:
    rng = np.random.default_rng(0)
    drawn = [draw_style(rng) for _ in range(300)]
    assert {s.letter for s in drawn} == set(LETTER_STYLES)
    assert {s.bar for s in drawn} == set(BAR_STYLES)
    assert all(s.bar == "none" for s in drawn if s.place == "bottom-left")  # a letter never lies on a bar


def test_phase_contrast_shows_and_texture_does_not_depend_on_it() -> None:
    exposure = replace(draw_exposure(np.random.default_rng(4), 20.0), noise=0.0, texture=0.3, streaks=0, specks=0)
    strong, weak, none = (
        np.asarray(
            photograph(
                simulate(Quench(depth, 0.4, 300), 96, np.random.default_rng(1)),
                240, 180, exposure, np.random.default_rng(2),
            ),
            dtype=float,
        )
        for depth in (0.8, 0.001, 1e-9)
    )  # fmt: skip
    assert np.abs(strong - none).mean() > 8 * np.abs(weak - none).mean()


def test_the_same_seed_gives_the_same_picture() -> None:
    phi = simulate(Quench(0.5, 0.4, 60), 64, np.random.default_rng(3))
    pictures = []
    for _ in range(2):
        rng = np.random.default_rng(11)
        exposure, style = draw_exposure(rng, 15.0), draw_style(rng)
        image = photograph(phi, 200, 150, exposure, rng)
        burn_in(image, "a", style, exposure.field_um)
        pictures.append(image.tobytes())
    assert pictures[0] == pictures[1]
    assert len(set(pictures[0])) > 30
