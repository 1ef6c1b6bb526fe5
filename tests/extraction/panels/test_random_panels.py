"""Figures of several panels drawn at random: how many panels come out right, with and without the caption's count."""

from __future__ import annotations

import pytest
from panel_layouts import Drawing, draw, hits

from polydata.extraction.panels.gutters import cut_pixels

pytestmark = pytest.mark.slow
FIGURES = 120


@pytest.fixture(scope="module")
def drawings() -> list[Drawing]:
    return [draw(seed) for seed in range(5000, 5000 + FIGURES)]


def _f1(drawings: list[Drawing], more: int | None) -> float:
    """F1 at an overlap of one half; ``more``: panels that the caption names beside those shown, None for no count."""
    true = found = hit = 0
    for one in drawings:
        windows = cut_pixels(one.rgb, None if more is None else len(one.windows) + more)
        true, found, hit = true + len(one.windows), found + len(windows), hit + hits(one.windows, windows)
    return 2 * hit / (true + found)


def test_panels_that_the_caption_counts(drawings: list[Drawing]) -> None:
    assert _f1(drawings, 0) >= 0.97
    assert _f1([one for one in drawings if "touching" in one.features], 0) >= 0.95


def test_panels_that_nobody_counts(drawings: list[Drawing]) -> None:
    assert _f1(drawings, None) >= 0.92


def test_a_caption_that_names_more_panels_than_are_shown(drawings: list[Drawing]) -> None:
    assert _f1(drawings, 1) >= 0.9
