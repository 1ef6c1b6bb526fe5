"""Figures of several panels drawn at random: how many panels come out right, with and without the caption's count."""

from __future__ import annotations

import numpy as np
import pytest
from panel_layouts import Drawing, draw, hits, texture
from PIL import Image, ImageDraw

from polydata.extraction.panels.cutting import take_apart

pytestmark = pytest.mark.slow
FIGURES = 120


@pytest.fixture(scope="module")
def drawings() -> list[Drawing]:
    return [draw(seed) for seed in range(5000, 5000 + FIGURES)]


def _f1(drawings: list[Drawing], more: int | None) -> float:
    """F1 at an overlap of one half; ``more``: panels that the caption names beside those shown, None for no count."""
    true = found = hit = 0
    for one in drawings:
        parts = take_apart(one.rgb, None if more is None else len(one.windows) + more)
        windows = [part.window for part in parts]
        true, found, hit = true + len(one.windows), found + len(windows), hit + hits(one.windows, windows)
    return 2 * hit / (true + found)


def test_panels_that_the_caption_counts(drawings: list[Drawing]) -> None:
    assert _f1(drawings, 0) >= 0.97
    assert _f1([one for one in drawings if "touching" in one.features], 0) >= 0.95


def test_panels_that_nobody_counts(drawings: list[Drawing]) -> None:
    assert _f1(drawings, None) >= 0.92


def test_a_caption_that_names_more_panels_than_are_shown(drawings: list[Drawing]) -> None:
    assert _f1(drawings, 1) >= 0.9


def grid_with_holes(rng: np.random.Generator) -> Drawing:
    """A grid of which cells are left empty, so that panels stand alone in their rows or columns."""
    rows, columns, gap = int(rng.integers(2, 4)), int(rng.integers(2, 5)), int(rng.integers(4, 20))
    tall = rng.integers(90, 240, rows)
    broad = rng.integers(90, 240, columns)
    filled = rng.random((rows, columns)) < 0.6
    filled[int(rng.integers(rows))] |= True
    tops, lefts = np.cumsum([gap, *tall + gap]), np.cumsum([gap, *broad + gap])
    rgb = np.full((int(tops[-1]), int(lefts[-1]), 3), 255, np.uint8)
    windows = []
    for row, column in zip(*np.nonzero(filled), strict=True):
        top, left = int(tops[row]), int(lefts[column])
        window = (top, left, top + int(tall[row]), left + int(broad[column]))
        rgb[window[0] : window[2], window[1] : window[3]] = texture(rng, int(tall[row]), int(broad[column]))[..., None]
        windows.append(window)
    return Drawing(rgb, tuple(windows), frozenset({"holes"}))


def test_panels_that_stand_alone_in_their_rows_and_columns() -> None:
    drawings = [grid_with_holes(np.random.default_rng(seed)) for seed in range(40)]
    assert _f1(drawings, 0) >= 0.95
    assert _f1(drawings, None) >= 0.95


@pytest.mark.parametrize("gap", [2, 6])
def test_the_empty_rest_of_a_row_is_no_panel(gap: int) -> None:
    """Grids on black ground whose last row is not full."""
    for seed in range(8):
        rng = np.random.default_rng([gap, seed])
        rows, columns = (int(rng.integers(2, 4)) for _ in range(2))
        height, width = int(rng.integers(110, 170)), int(rng.integers(130, 200))
        grey = np.zeros((rows * (height + gap) - gap, columns * (width + gap) - gap), np.uint8)
        for number in range(rows * columns - 1):
            row, column = divmod(number, columns)
            top, left = row * (height + gap), column * (width + gap)
            grey[top : top + height, left : left + width] = texture(rng, height, width)
        parts = take_apart(np.repeat(grey[..., None], 3, 2), rows * columns - 1)
        assert len(parts) == rows * columns - 1, seed


def halved(seed: int, height: int = 200, width: int = 260) -> np.ndarray:
    """A micrograph of a bright layer on a dark one, as cross sections show them."""
    rng = np.random.default_rng(seed)
    grey = texture(rng, height, width).astype(float)
    grey[int(height * rng.uniform(0.35, 0.65)) :] *= 0.25
    return np.repeat(grey.clip(0, 255).astype(np.uint8)[..., None], 3, 2)


@pytest.mark.parametrize("images", [2, 3])
def test_layers_within_a_placed_image_are_no_panels(images: int) -> None:
    """Three beside each other are parted evenly, which makes none of them a montage."""
    gap, height, width = 24, 200, 260
    whole = [0, 0]
    for seed in range(24 // images):
        rgb = np.full((height + 2 * gap, images * (width + gap) + gap, 3), 255, np.uint8)
        windows = [(gap, left, gap + height, left + width) for left in range(gap, rgb.shape[1] - gap, width + gap)]
        for number, (top, left, bottom, right) in enumerate(windows):
            rgb[top:bottom, left:right] = halved(images * seed + number)
        for told, placed in enumerate(((), windows)):
            whole[told] += hits(tuple(windows), [part.window for part in take_apart(rgb, None, placed)])
    assert whole[1] >= 23 and whole[1] >= whole[0], whole


def test_a_caption_of_one_image_leaves_it_whole() -> None:
    left = sum(len(take_apart(halved(seed, 300, 400), 1)) == 1 for seed in range(12))
    assert left >= 10, left


def test_a_stitch_beyond_the_count_is_taken_back() -> None:
    """A tall panel beside a grid is cut in line with the grid by the network, not by its caption."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        rgb = np.full((430, 620, 3), 255, np.uint8)
        windows = [(10, 10, 420, 120), *((t, x, t + 195, x + 220) for t in (10, 225) for x in (150, 390))]
        for top, left, bottom, right in windows:
            rgb[top:bottom, left:right] = texture(rng, bottom - top, right - left)[..., None]
        rgb[215:420, 10:120] = (rgb[215:420, 10:120] * 0.6).astype(np.uint8)
        assert hits(tuple(windows), [part.window for part in take_apart(rgb, 5)]) == 5, seed


@pytest.mark.parametrize("count", [1, 2, 3])
def test_letters_in_dark_gutters_end(count: int) -> None:
    """Parts that hold several letters are cut on where there are as many as the caption names already."""
    rng = np.random.default_rng(count)
    rgb = np.zeros((420, 640, 3), np.uint8)
    windows = [(t, x, t + 195, x + 300) for t in (10, 215) for x in (10, 325)]
    for top, left, bottom, right in windows:
        rgb[top:bottom, left:right] = texture(rng, bottom - top, right - left)[..., None]
    letters = [(top + 8.0, left + 8.0) for top, left, _, _ in windows]
    parts = take_apart(rgb, count, (), letters)
    assert hits(tuple(windows), [part.window for part in parts]) == 4


def smooth_grid(seed: int) -> tuple[Drawing, list[tuple[float, float]]]:
    """Panels of one size that touch, two beside each other of one even tone, with the place of each one's letter."""
    rng = np.random.default_rng(seed)
    rows, columns = 2, int(rng.integers(2, 5))
    height, width = (int(rng.integers(150, 210)) for _ in range(2))
    windows = tuple(
        (row * height, column * width, (row + 1) * height, (column + 1) * width)
        for row in range(rows)
        for column in range(columns)
    )
    rgb = np.empty((rows * height, columns * width, 3), np.uint8)
    even = int(rng.integers(len(windows) - 1))
    even -= even % columns == columns - 1
    for number, (top, left, bottom, right) in enumerate(windows):
        grey = rng.normal(150, 2, (height, width)) if number in (even, even + 1) else texture(rng, height, width)
        rgb[top:bottom, left:right] = np.clip(grey, 0, 255).astype(np.uint8)[..., None]
    return Drawing(rgb, windows, frozenset()), [(top + 12.0, left + 12.0) for top, left, _, _ in windows]


@pytest.mark.parametrize("counted", [True, False])
def test_letters_part_panels_that_touch_where_nothing_else_does(counted: bool) -> None:
    drawings = [smooth_grid(seed) for seed in range(24)]
    panels, told, alone = 0, 0, 0
    for one, letters in drawings:
        count = len(one.windows) if counted else None
        panels += len(one.windows)
        told += hits(one.windows, [part.window for part in take_apart(one.rgb, count, (), letters)])
        alone += hits(one.windows, [part.window for part in take_apart(one.rgb, count)])
    assert told >= 0.95 * panels and told > alone, (told, alone, panels)


def test_a_letter_across_a_white_gutter_leaves_it_one() -> None:
    """Rows of two pictures that share a letter, which stands in a box across the gutter between them."""
    for seed in range(12):
        rng = np.random.default_rng(seed)
        rows, gap = int(rng.integers(2, 5)), int(rng.integers(3, 8))
        height, width = int(rng.integers(140, 200)), int(rng.integers(180, 260))
        rgb = np.full((rows * (height + gap) - gap, 2 * width + gap, 3), 255, np.uint8)
        windows = [(y * (height + gap), x * (width + gap)) for y in range(rows) for x in range(2)]
        for top, left in windows:
            rgb[top : top + height, left : left + width] = texture(rng, height, width)[..., None]
        picture = Image.fromarray(rgb)
        draw, side = ImageDraw.Draw(picture), int(rng.integers(18, 28))
        for row in range(rows):
            left, top = (
                width + gap // 2 - int(rng.integers(4, side - 4)),
                row * (height + gap) + int(rng.integers(2, 20)),
            )
            draw.rectangle((left, top, left + side, top + side + 6), fill="white")
            draw.text((left + side // 2, top + side // 2 + 3), "abcd"[row], fill="black", font_size=side, anchor="mm")
        true = tuple((top, left, top + height, left + width) for top, left in windows)
        parts = take_apart(np.asarray(picture), rows)
        assert hits(true, [part.window for part in parts]) == len(true) == len(parts), seed


def test_letters_that_no_line_can_part_leave_their_part_whole() -> None:
    rgb = np.repeat(texture(np.random.default_rng(3), 240, 320)[..., None], 3, 2).astype(np.uint8)
    for count in (1, 2, 3):
        assert take_apart(rgb, count, (), [(5.0, 5.0), (9.0, 9.0)])


def montage(seed: int) -> Drawing:
    """A micrograph beside a row or grid of small ones of one size that touch, which have a letter together."""
    rng = np.random.default_rng(seed)
    rows, columns = [(1, 3), (1, 4), (2, 3), (3, 3), (3, 4), (3, 1)][seed % 6]
    height, width, gap = int(rng.integers(90, 140)), int(rng.integers(90, 140)), int(rng.integers(6, 20))
    left, tall = int(rng.integers(150, 300)), rows * height
    rgb = np.full((tall, left + gap + columns * width, 3), 255, np.uint8)
    tiles = [(y * height, left + gap + x * width) for y in range(rows) for x in range(columns)]
    windows = ((0, 0, tall, left), *((y, x, y + height, x + width) for y, x in tiles))
    for top, first, bottom, last in windows:
        rgb[top:bottom, first:last] = texture(rng, bottom - top, last - first)[..., None]
    return Drawing(rgb, windows, frozenset())


def test_pictures_of_a_montage_that_has_one_letter() -> None:
    """Nearly as many come out where the caption counts the montage as one as where it counts nothing."""
    drawings = [montage(seed) for seed in range(48)]
    counted, free = (
        sum(hits(one.windows, [part.window for part in take_apart(one.rgb, count)]) for one in drawings)
        for count in (2, None)
    )
    assert counted >= 0.8 * free >= 0.65 * sum(len(one.windows) for one in drawings), (counted, free)
