"""Scale bars on the ground beneath micrographs, drawn at random: found with their values, and nothing else is."""

from __future__ import annotations

import io

import numpy as np
import pymupdf
import pytest
from bar_scene import texture
from PIL import Image, ImageDraw, ImageFont

from polydata.extraction.panels.beneath import DEEPEST, _has_bar, with_scale
from polydata.extraction.panels.render import Drawn
from polydata.types import Box
from polydata.vision.scale_bar import read_scale_bar

DPI = 216
FONT = pymupdf.Font("helv").buffer


def figure(seed: int, *, scaled: bool) -> tuple[Drawn, list[Box], list[float]]:
    """Two rows of micrographs with print beneath each; boxes in points, and where the print ends."""
    rng = np.random.default_rng(seed)
    wide, tall, under = int(rng.integers(420, 620)), int(rng.integers(330, 480)), int(rng.integers(50, 70))
    rows, columns = 2, int(rng.integers(1, 3))
    picture = Image.new("RGB", (columns * (wide + 20), rows * (tall + under + 40)), "white")
    draw, boxes, ends = ImageDraw.Draw(picture), [], []
    font = ImageFont.truetype(io.BytesIO(FONT), int(rng.integers(22, 30)))
    for n in range(rows * columns):
        x, y = n % columns * (wide + 20), n // columns * (tall + under + 40)
        picture.paste(texture(seed * 10 + n, wide, tall).convert("RGB"), (x, y))
        end = y + tall
        if scaled:
            length, thick = int(wide * rng.uniform(0.12, 0.5)), int(rng.integers(2, 6))
            left, top = x + int(rng.integers(2, wide - length)), end + int(rng.integers(3, 9))
            draw.rectangle((left, top, left + length, top + thick), fill="black")
            draw.text((left + length // 2, top + thick + 6), "5 µm", fill="black", font=font, anchor="ma")
            ends.append((top + thick + 6 + font.size) * 72 / DPI)
        else:
            draw.text(
                (x + wide // 2, end + 8), rng.choice(["(a)", "PP/PA6 70/30", "annealed, 5 µm"]), "black", font, "ma"
            )
        boxes.append(Box(x * 72 / DPI, y * 72 / DPI, (x + wide) * 72 / DPI, end * 72 / DPI))
    whole = Box(0, 0, picture.width * 72 / DPI, picture.height * 72 / DPI)
    return Drawn(np.asarray(picture), whole, DPI), boxes, ends


@pytest.mark.slow
def test_bars_beneath_micrographs_belong_to_them() -> None:
    panels = found = 0
    for seed in range(12):
        drawn, boxes, ends = figure(seed, scaled=True)
        for n, (box, end) in enumerate(zip(boxes, ends, strict=True)):
            others = [*boxes[:n], *boxes[n + 1 :]]
            longer = with_scale(drawn, box, others)
            assert (longer.x0, longer.y0, longer.x1) == (box.x0, box.y0, box.x1)
            assert box.y1 <= longer.y1 <= box.y1 + DEEPEST and not any(longer.overlap(one) > 0 for one in others)
            panels += 1
            if longer.y1 > end - 5:
                bar = read_scale_bar(drawn.crop(longer))
                found += bar is not None and bar.value_um == 5
    assert found >= 0.9 * panels, (found, panels)


def test_other_print_beneath_micrographs_stays_where_it_is() -> None:
    for seed in range(8):
        drawn, boxes, _ = figure(seed, scaled=False)
        for n, box in enumerate(boxes):
            assert with_scale(drawn, box, [*boxes[:n], *boxes[n + 1 :]]) == box


def test_signs_are_no_bars() -> None:
    """What is read costs time: signs beneath a picture are not, however large they are."""
    for seed in range(40):
        rng = np.random.default_rng(seed)
        wide, size = int(rng.integers(240, 900)), int(rng.integers(14, 60))
        strip = Image.new("L", (wide, 2 * size), 255)
        draw, font = ImageDraw.Draw(strip), ImageFont.truetype(io.BytesIO(FONT), size)
        draw.text((5, 5), str(rng.choice(["A", "(b)", "4 s", "Z", "7 s (x)"])), "black", font)
        rows = np.flatnonzero((np.asarray(strip) < 140).any(1))
        signs = np.asarray(strip)[rows[0] : rows[-1] + 1] < 140
        assert not _has_bar(signs)
        length, thick = int(rng.uniform(0.06, 0.5) * wide), int(rng.integers(2, 5))
        if length > 2 * thick:  # with a line of print under it, and another
            draw.rectangle((wide // 4, 0, wide // 4 + length, thick), fill="black")
            assert _has_bar(np.asarray(strip)[: rows[-1] + 1] < 140)
