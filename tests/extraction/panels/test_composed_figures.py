"""The network on figures composed at random that it was not trained on: a handful of its own for each week."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from composed_figures import MICROGRAPH, Figure, compose
from panel_layouts import hits
from picture_bank import Bank, fill_bank

from polydata.extraction.panels.cutting import Part, take_apart

pytestmark = pytest.mark.slow
SEED = int(date.today().strftime("%G%V"))
FIGURES = 40


@pytest.fixture(scope="module")
def bank() -> Bank:
    return fill_bank(60, SEED)


@pytest.fixture(scope="module")
def figures(bank: Bank) -> list[Figure]:
    return [compose(bank, np.random.default_rng([SEED, n]), 300 + 8 * n) for n in range(FIGURES)]


@pytest.fixture(scope="module")
def parts(figures: list[Figure]) -> list[list[Part]]:
    return [take_apart(one.rgb, None) for one in figures]


def test_micrographs_come_out_alone(figures: list[Figure], parts: list[list[Part]]) -> None:
    true = [[window for window, kind in one.panels if kind == MICROGRAPH] for one in figures]
    cut = sum(hits(windows, [part.window for part in some]) for windows, some in zip(true, parts, strict=True))
    assert cut / sum(map(len, true)) >= 0.75, SEED


def test_little_else_is_taken_for_one(figures: list[Figure], parts: list[list[Part]]) -> None:
    taken = [(one, part) for one, some in zip(figures, parts, strict=True) for part in some if part.micrograph > 0.5]
    false = [
        part
        for one, part in taken
        if (one.classes[part.window[0] : part.window[2], part.window[1] : part.window[3]] == MICROGRAPH).mean() < 0.3
    ]
    assert len(false) / len(taken) <= 0.2, SEED


def test_the_same_figure_is_cut_in_the_same_way(figures: list[Figure], parts: list[list[Part]]) -> None:
    assert take_apart(figures[0].rgb, None) == parts[0]


def test_strips_of_one_picture_are_no_panels(bank: Bank) -> None:
    rng = np.random.default_rng(SEED)
    for _ in range(20):
        picture = bank.micrograph(rng)
        height, width = picture.shape[:2]
        strips = [(height * n // 4, 0, height * (n + 1) // 4, width) for n in range(4)]
        assert len(take_apart(picture, None, strips)) == len(take_apart(picture, None)), SEED


def test_a_picture_of_any_shape_is_taken(bank: Bank) -> None:
    rng = np.random.default_rng(SEED)
    for shape in ((1, 1), (1, 400), (900, 2), (16, 16), (33, 700)):
        parts = take_apart(rng.integers(0, 256, (*shape, 3), dtype=np.uint8), 3, [(0, 0, *shape)], [(0.0, 0.0)])
        assert parts
        for part in parts:
            top, left, bottom, right = part.window
            assert 0 <= top < bottom <= shape[0] and 0 <= left < right <= shape[1]
            assert 0 <= part.micrograph <= 1


def test_pictures_that_are_placed_apart_are_panels(bank: Bank) -> None:
    """One texture goes on over what lies between them, a few pixels, a little darker."""
    rng = np.random.default_rng(SEED)
    for _ in range(16):
        fig = bank.micrograph(rng).copy()
        height, width = fig.shape[:2]
        half, gap = height // 2 - 4, int(rng.integers(5, 9))
        fig[half : half + gap] = np.clip(fig[half : half + gap].astype(int) - 20, 0, 255)
        placed = [(0, 0, half, width), (half + gap, 0, height, width)]
        assert len(take_apart(fig, None, placed)) == 2, SEED
