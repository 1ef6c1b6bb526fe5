"""Scale bars in the layouts of microscopes that the networks were not trained on, and the script that trains them."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import cv2
import drawn_scale_bars as scenes
import numpy as np
import pytest
from drawn_print import Face, bank
from train_scale_bars import shares_of

from polydata.vision.scale_bar import read_scale_bar
from polydata.vision.scale_nets import UNITS, find, read

DATA = Path(__file__).resolve().parents[2] / "data"
UNSEEN = 100_000
"""Seeds from here on were never drawn for training."""


@cache
def textures() -> list[np.ndarray]:
    return bank(12, UNSEEN)


def test_bars_in_the_layouts_of_microscopes_are_read_and_few_wrongly() -> None:
    """Letters of five pixels among them, and magnifications that have nothing to do with the bar."""
    shares = [shares_of(style, 16, textures()) for style in scenes.STYLES if style != "nothing"]
    assert np.mean([one.right for one in shares]) >= 0.3
    assert np.mean([one.wrong for one in shares]) <= 0.12


def test_a_strip_of_dots_under_a_picture_is_read_as_a_whole() -> None:
    """As old JEOLs print it: letters of dots that stand apart, a short bar over the length, any magnification."""
    rng, right, wrong = np.random.default_rng(UNSEEN), 0, 0
    for number in range(16):
        um, wide = float(rng.choice((1, 10, 100))), int(rng.integers(560, 900))
        bar = int(wide * rng.uniform(0.05, 0.2))
        times = round(120_000 * bar / wide / um, -2 if um < 100 else -1)
        strip, face = np.full((52, wide), rng.integers(5, 40), np.float32), Face("dots", apart=True)
        ink = face.ink(f"{number:04d} 15KV  X{times:,.0f} {um:g}µm WD{rng.integers(8, 40)}", 20)[:, : wide - 30]
        strip[24 : 24 + ink.shape[0], 12 : 12 + ink.shape[1]] += ink * rng.uniform(0.6, 0.8)
        at = int(0.62 * ink.shape[1])
        strip[8:12, at : at + bar] = 220
        picture = cv2.resize(textures()[number % 12], (wide, int(0.7 * wide)))
        whole = np.vstack([picture.astype(np.float32), cv2.GaussianBlur(strip, (0, 0), 0.7)])
        rgb = np.repeat(whole.clip(0, 255).astype(np.uint8)[..., None], 3, 2)
        said = read_scale_bar(rgb)
        right += said is not None and said.value_um == um
        wrong += said is not None and said.value_um != um
    assert (right >= 10, wrong <= 1) == (True, True), (right, wrong)


def test_nothing_is_claimed_where_no_bar_stands() -> None:
    assert shares_of("nothing", 24, textures()).claimed == 0


def test_a_seed_gives_one_picture() -> None:
    for style in scenes.STYLES:
        first, second = (scenes.draw_scene(textures(), np.random.default_rng(3), 192, 512, style) for _ in range(2))
        assert np.array_equal(first.grey, second.grey), style
        assert (first.um, first.values, first.bars) == (second.um, second.values, second.bars)


@pytest.mark.parametrize("shape", [(40, 40), (41, 1300), (900, 60), (333, 777)])
def test_pictures_of_any_size_are_mapped(shape: tuple[int, int]) -> None:
    found = find(np.full(shape, 90, np.uint8))
    assert found.value.shape == found.size.shape == found.bar.shape
    assert found.value.shape[0] * found.scale[0] == pytest.approx(shape[0])
    assert found.value.shape[1] * found.scale[1] == pytest.approx(shape[1])
    assert max(found.value.max(), found.bar.max()) < 0.5


def test_nothing_is_read_on_a_plain_ground() -> None:
    assert read([]) == []
    for line in read([np.full((20, 90), 30, np.uint8), np.full((2, 2), 0, np.uint8)]):
        assert line.units.sum() == pytest.approx(1) and line.units.argmax() == 0


def test_units_are_told_and_lines_spelled() -> None:
    """What people write by hand into a picture's corner, in a face that the networks know, without any texture."""
    face = Face("helv")
    texts = ["10 µm", "200 nm", "5 mm", "1 cm", "500 pm", "5 1/nm", "20 kV"]
    lines = read([np.pad(face.ink(text, 24), 5) for text in texts])
    assert [UNITS[line.units.argmax()] for line in lines] == ["µm", "nm", "mm", "cm", "pm", "1/nm", ""]
    assert [line.text.rstrip("nµm ") for line in lines[:2]] == ["10", "200"]


@pytest.mark.slow
@pytest.mark.parametrize("part", ["finder", "reader"])
def test_the_script_trains_a_network(part: str, tmp_path: Path) -> None:
    options = ["--part", part, "--minutes", "0.05", "--textures", "4", "--output", str(tmp_path)]
    subprocess.run([sys.executable, str(DATA / "train_scale_bars.py"), *options], check=True, timeout=300)
    assert (tmp_path / f"scale_{part}_1.onnx").stat().st_size > 100_000
