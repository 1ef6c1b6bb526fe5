"""Micrographs set into plots are found, masks are not, and stripes in a micrograph that is counted cut little."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_micrographs import micrograph, particles, scanning
from panel_layouts import hits

from polydata.extraction.panels.cutting import take_apart
from polydata.vision.measures import Rgb
from polydata.vision.panel_map import Window

pytestmark = pytest.mark.slow
SEEDS = range(8100, 8112)


def plot_with(inset: Rgb, rng: np.random.Generator) -> tuple[Rgb, Window]:
    """A bar chart within axes, and a picture in its upper right corner, away from the frame or at it."""
    rgb = np.full((560, 760, 3), 255, np.uint8)
    rgb[40:500, 80:84], rgb[496:500, 80:720] = 0, 0
    for number, height in enumerate(rng.integers(60, 240, 12)):
        rgb[500 - height : 496, 100 + 50 * number : 140 + 50 * number] = (200, 40, 40)
    side, gap = len(inset), int(rng.integers(0, 40))
    top, left = 10 + gap, 740 - gap - side
    rgb[top : top + side, left : left + side] = inset
    return rgb, (top, left, top + side, left + side)


def test_micrographs_set_into_plots() -> None:
    found = 0
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        side = int(rng.integers(190, 240))
        shown = np.repeat(
            (scanning(particles(side, rng), rng) * 255).clip(0, 255).astype(np.uint8)[..., None], 3, axis=2
        )
        rgb, window = plot_with(shown, rng)
        found += hits([window], [part.window for part in take_apart(rgb, None)])
    assert found >= 0.7 * len(SEEDS)


def test_masks_in_plots_are_no_micrographs() -> None:
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        field = particles(200, rng)
        mask = np.repeat(np.where(field > np.quantile(field, 0.7), 255, 0).astype(np.uint8)[..., None], 3, axis=2)
        rgb, _ = plot_with(mask, rng)
        assert not any(part.set_in for part in take_apart(rgb, None))


def test_stripes_in_a_micrograph_cut_nothing_that_is_counted() -> None:
    parts = 0
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        rgb = np.full((300, 630, 3), 255, np.uint8)
        for left in (5, 325):
            rgb[5:295, left : left + 300] = micrograph(300, rng)[:290, :300]
            for _ in range(3):
                at, width = left + int(rng.integers(60, 220)), int(rng.integers(20, 50))
                stripe = rgb[5:295, at : at + width].astype(np.int16) + int(rng.choice((-12, 12)))
                rgb[5:295, at : at + width] = stripe.clip(0, 255).astype(np.uint8)
        parts += len(take_apart(rgb, 2))
    assert parts <= 2.5 * len(SEEDS)
