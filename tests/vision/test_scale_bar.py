"""Scale bars read from pictures: drawn ones of each style, pictures without any, and the published micrographs."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from bar_scene import STYLES, draw_bar, texture
from PIL import Image, ImageDraw, ImageFont

from polydata.images.picture import open_picture
from polydata.vision.scale_bar import Reading, _bar_of, _tells_another, read_scale_bar
from polydata.vision.scale_marks import Patch
from polydata.vision.scale_prints import Length


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("text", "value_um"), [("10 µm", 10.0), ("500 nm", 0.5)])
def test_value_and_length_of_a_drawn_bar(style: str, text: str, value_um: float) -> None:
    drawn = draw_bar(5, style, text, strip="15 kV  x2,000" if value_um > 1 else "15 kV  x40,000")
    bar = read_scale_bar(drawn.rgb)
    assert bar is not None
    assert bar.value_um == pytest.approx(value_um)
    assert bar.length_px == pytest.approx(drawn.x1 - drawn.x0 + 1, rel=0.05)
    assert bar.y == pytest.approx(drawn.y, abs=3)
    assert bar.value_um / bar.length_px == pytest.approx(value_um / (drawn.x1 - drawn.x0 + 1), rel=0.05)
    assert bar.method == "image"


@pytest.mark.parametrize(
    ("text", "value_um"),
    [("10 mm", 1e4), ("1 cm", 1e4), ("500 pm", 5e-4), ("300 nm", 0.3), ("100 µm", 100), ("5 1/nm", None),
     ("10 nm-1", None), ("2 hm", None), ("1 inch", None)],
)  # fmt: skip
def test_a_unit_is_never_read_as_another(text: str, value_um: float | None) -> None:
    bar = read_scale_bar(draw_bar(3, "over", text, width=800, height=600, length=200).rgb)
    assert bar is None or bar.value_um == pytest.approx(value_um)


@pytest.mark.parametrize(("times", "claimed"), [("x2,000", True), ("x200,000", False)])
def test_a_magnification_refuses_a_value_that_it_contradicts(times: str, claimed: bool) -> None:
    drawn = draw_bar(5, "strip", "10 µm", strip=f"15 kV  {times}")
    assert (read_scale_bar(drawn.rgb) is not None) is claimed


@pytest.mark.parametrize(("name", "claimed"), [("D2 =", 20), ("HFW =", 16)])
def test_what_was_measured_in_a_picture_is_no_field_that_contradicts_its_bar(name: str, claimed: int) -> None:
    """Lengths of 30 to 90 nm written near a bar of 200 nm; a field so wide could not hold it."""
    font = ImageFont.truetype(io.BytesIO(pymupdf.Font("helv").buffer), 15)
    found = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        picture = Image.fromarray(draw_bar(seed, "over", "200 nm", width=624, height=540, length=160).rgb)
        place = int(rng.integers(100, 380)), int(rng.integers(380, 500))
        text = f"{name} {rng.integers(3000, 9000) / 100:.2f} nm"
        ImageDraw.Draw(picture).text(place, text, fill="yellow" if seed % 2 else "white", font=font)
        found += read_scale_bar(np.asarray(picture)) is not None
    assert found == 20 if claimed == 20 else 10 <= found <= claimed


def test_lengths_are_in_pixels_of_the_picture_however_large() -> None:
    drawn = draw_bar(2, "over", "20 µm", width=1900, height=1400, length=400)
    bar = read_scale_bar(drawn.rgb)
    assert bar is not None
    assert bar.length_px == pytest.approx(401, rel=0.02)
    assert bar.x0 == pytest.approx(drawn.x0, abs=4)


def test_thick_bars_are_measured_to_their_ends() -> None:
    """Bars of up to 30 pixels' height, as authors draw them, under a value in Helvetica."""
    right = read = 0
    for seed in range(24):
        rng = np.random.default_rng(seed)
        picture = texture(seed, 600, 560).convert("RGB")
        draw, font = ImageDraw.Draw(picture), ImageFont.truetype(io.BytesIO(pymupdf.Font("helv").buffer), 24)
        length, thick = int(rng.integers(70, 260)), int(rng.integers(8, 31))
        x, y, fill = (
            int(rng.integers(15, 40)),
            560 - thick - int(rng.integers(15, 40)),
            "black" if seed % 2 else "white",
        )
        draw.rectangle((x, y, x + length - 1, y + thick - 1), fill=fill)
        draw.text((x + length // 2, y - 6), "10 nm", fill=fill, font=font, anchor="mb")
        bar = read_scale_bar(np.asarray(picture))
        if bar is not None and bar.length_px is not None:
            read += 1
            right += abs(bar.length_px - length) <= 0.05 * length
    assert read >= 16 and right >= 0.9 * read


def test_of_two_bars_of_one_value_that_in_larger_print_counts() -> None:
    """The smaller one is that of a picture set in, whatever its edges look like."""
    for seed in range(6):
        picture = Image.fromarray(draw_bar(seed, "over", "1 µm", width=800, height=760, length=260).rgb.copy())
        inner = draw_bar(seed + 50, "over", "1 µm", width=600, height=560, length=150).rgb
        picture.paste(Image.fromarray(inner).resize((300, 280)), (0, 0))
        bar = read_scale_bar(np.asarray(picture))
        assert bar is not None and bar.y is not None and bar.y > 300, seed


def test_of_two_values_in_print_of_one_size_that_of_a_picture_set_in_does_not_count() -> None:
    """One of them is that of a picture set in, whose edges may hardly show."""
    for seed in range(6):
        picture = Image.fromarray(draw_bar(seed, "over", "10 µm", width=800, height=760, length=200).rgb.copy())
        inner = draw_bar(seed + 50, "over", "1 µm", width=800, height=760, length=200).rgb[380:]
        picture.paste(Image.fromarray(inner), (0, 0))
        bar = read_scale_bar(np.asarray(picture))
        assert bar is None or bar.y is None or bar.y > 380, seed


@pytest.mark.parametrize("down", [-0.6, -0.44, 0.3, 0.44, 0.46, 0.6])
def test_a_bar_close_over_or_under_its_value_goes_with_it(down: float) -> None:
    """The finder sees print a little larger than it is, so that a bar that underlines it closely lies in its row."""
    value = Patch(69, 374, 145, 395, 0.99)
    middle = value.y + down * value.height
    bar = Patch(73, middle - 1, 137, middle + 1, 0.97)
    assert _bar_of(value, [bar])[1] > 0.9


def test_of_two_values_in_print_of_one_size_none_is_larger() -> None:
    one, ten = (Reading(Length(value, "µm"), Patch(0, 0, 50, 20, 1.0), 0.9) for value in (1, 10))
    small = Reading(Length(1, "µm"), Patch(0, 0, 50, 14, 1.0), 0.9)
    assert _tells_another((one, None, 0.0), (ten, None, 0.0))
    assert not _tells_another((small, None, 0.0), (ten, None, 0.0))
    assert not _tells_another((ten, None, 0.0), (ten, None, 0.0))


@pytest.mark.parametrize("seed", range(5))
def test_a_picture_without_a_bar_claims_none(seed: int) -> None:
    assert read_scale_bar(np.asarray(texture(seed, 480, 360).convert("RGB"))) is None


def test_a_bar_without_its_number_is_no_scale() -> None:
    drawn = draw_bar(1, "over", "")
    assert read_scale_bar(drawn.rgb) is None


@pytest.mark.parametrize("seed", range(6))
def test_the_bar_of_a_picture_that_is_set_in_is_not_that_of_the_whole(seed: int) -> None:
    rng = np.random.default_rng(seed)
    whole = draw_bar(seed, "over", "20 µm", width=900, height=700, length=180).rgb.copy()
    inner = draw_bar(seed + 100, "over", "2 µm", width=700, height=820, length=150).rgb[-280:, -360:]  # in larger type
    inner = np.asarray(np.clip(inner.astype(int) * 0.6 + 90 * (seed % 2), 0, 255), np.uint8)  # lighter or darker
    top, left = int(rng.integers(20, 150)), int(rng.integers(20, 400))
    whole[top - 3 : top + 283, left - 3 : left + 363] = 255 if seed % 3 else 0  # a frame
    whole[top : top + 280, left : left + 360] = inner
    bar = read_scale_bar(whole)
    assert bar is not None
    assert bar.value_um == 20


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("text", ["10 mm", "2 cm", "5 1/nm", "50 km"])
def test_another_unit_never_becomes_micrometres(style: str, text: str) -> None:
    for seed in (1, 2):
        bar = read_scale_bar(draw_bar(seed, style, text).rgb)
        assert bar is None or bar.unit == text.split()[1], (seed, bar)


@pytest.mark.parametrize("shape", [(10, 10, 3), (1, 400, 3), (400, 1, 3)])
def test_tiny_pictures_have_no_scale(shape: tuple[int, ...]) -> None:
    assert read_scale_bar(np.zeros(shape, np.uint8)) is None


def test_what_is_no_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="rows x columns x 3"):
        read_scale_bar(np.zeros((40, 40), np.uint8))


@pytest.mark.realdata
@pytest.mark.timeout(600)
def test_published_micrographs(shared_data: Path) -> None:
    """On a sample: at least four in five read exactly, hardly any wrongly, none claimed where there is none."""
    with (shared_data / "scale_bars/printed_values.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    chance = random.Random(7)
    readable = chance.sample([row for row in rows if row["status"] == "readable"], 50)
    without = chance.sample([row for row in rows if row["status"] == "none"], 40)
    exact = wrong = 0
    for row in readable:
        bar = read_scale_bar(np.asarray(open_picture(shared_data / "nims/images" / row["file"])))
        right = bar is not None and bar.value_um == pytest.approx(float(row["printed_um"]))
        exact += right
        wrong += bar is not None and not right
    claims = [
        row["file"]
        for row in without
        if read_scale_bar(np.asarray(open_picture(shared_data / "nims/images" / row["file"]))) is not None
    ]
    assert exact >= 40
    assert wrong <= 1
    assert not claims
