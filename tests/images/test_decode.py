"""The same scene reads as the same picture, however it was stored."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

import polydata
from polydata.images.decode import UPRIGHT
from polydata.images.picture import describe, is_plain_file, open_picture, portable

Scene = NDArray[np.uint8]
WHITE_IS_ZERO = {262: 0}
CLEAR = 7
"""A grey that no scene holds, for what is transparent."""


def scene_of(seed: int, width: int = 48, height: int = 36) -> Scene:
    """A texture from nearly black to nearly white, as micrographs are."""
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=(height, width)), 2, mode="wrap")
    spread = (noise - noise.min()) / np.ptp(noise)
    return np.asarray(np.rint(12 + 235 * spread), dtype=np.uint8)


def saved(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)  # type: ignore[arg-type]
    return out.getvalue()


def deep(scene: Scene, kind: str, white: float) -> Image.Image:
    return Image.fromarray((scene * (white / 255)).astype(kind))


def on_white(scene: Scene, where: slice) -> Scene:
    laid = scene.copy()
    laid[where] = 255
    return laid


def clear_rows(scene: Scene) -> Image.Image:
    """Grey whose first rows bear the value that stands for transparency."""
    marked = scene.copy()
    marked[:4] = CLEAR
    return Image.fromarray(marked)


def rgba(scene: Scene) -> Image.Image:
    image = Image.fromarray(scene).convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, scene.shape[1], 4))
    return image


def palette(scene: Scene) -> Image.Image:
    image = clear_rows(scene).convert("P")  # grey levels become places in a palette of greys
    colours = [value for k in range(256) for value in (k, k, k)]
    image.putpalette(colours)
    image.frombytes(clear_rows(scene).tobytes())
    return image


PLAIN: dict[str, Callable[[Scene], bytes]] = {
    "L": lambda s: saved(Image.fromarray(s)),
    "RGB": lambda s: saved(Image.fromarray(s).convert("RGB")),
    "CMYK": lambda s: saved(Image.fromarray(s).convert("RGB").convert("CMYK"), "TIFF"),
    "I;16": lambda s: saved(deep(s, "<u2", 65535)),
    "I;16 of 12 bits": lambda s: saved(deep(s, "<u2", 4095), "TIFF"),
    "I;16B": lambda s: saved(deep(s, ">u2", 65535), "TIFF"),
    "I;16B of 14 bits": lambda s: saved(deep(s, ">u2", 16383), "TIFF"),
    "I": lambda s: saved(deep(s, "<i4", 65535), "TIFF"),
    "I of 10 bits": lambda s: saved(deep(s, "<i4", 1023), "TIFF"),
    "F to 1": lambda s: saved(deep(s, "<f4", 1), "TIFF"),
    "F to 255": lambda s: saved(deep(s, "<f4", 255), "TIFF"),
    "MinIsWhite": lambda s: saved(Image.fromarray(s), "TIFF", tiffinfo=WHITE_IS_ZERO),
    "MinIsWhite I;16": lambda s: saved(deep(255 - s, "<u2", 65535), "TIFF", tiffinfo=WHITE_IS_ZERO),
    "BMP": lambda s: saved(Image.fromarray(s), "BMP"),
    "WEBP": lambda s: saved(Image.fromarray(s).convert("RGB"), "WEBP", lossless=True),
}
LAID: dict[str, Callable[[Scene], bytes]] = {
    "L with tRNS": lambda s: saved(clear_rows(s), transparency=CLEAR),
    "I;16 with tRNS": lambda s: saved(deep(np.asarray(clear_rows(s)), "<u2", 65535), transparency=CLEAR * 257),
    "RGB with tRNS": lambda s: saved(clear_rows(s).convert("RGB"), transparency=(CLEAR, CLEAR, CLEAR)),
    "P with tRNS": lambda s: saved(palette(s), transparency=CLEAR),
    "GIF": lambda s: saved(palette(s), "GIF", transparency=CLEAR),
    "LA": lambda s: saved(rgba(s).convert("LA")),
    "RGBA": lambda s: saved(rgba(s)),
    "RGBA WEBP": lambda s: saved(rgba(s), "WEBP", lossless=True, exact=True),
}


def read(data: bytes) -> NDArray[np.int16]:
    picture = open_picture(data)
    assert picture.mode == "RGB" and picture.size == (describe(data).width, describe(data).height)
    return np.asarray(picture.convert("L"), dtype=np.int16)


@pytest.mark.parametrize("way", [*PLAIN, *LAID])
@given(seed=st.integers(0, 2**32 - 1))
def test_a_scene_reads_the_same_however_it_is_stored(way: str, seed: int) -> None:
    scene = scene_of(seed)
    wanted = scene if way in PLAIN else on_white(scene, slice(0, 4))
    assert np.abs(read((PLAIN | LAID)[way](scene)) - wanted).max() <= 1


@given(seed=st.integers(0, 2**32 - 1), inverted=st.booleans())
def test_one_bit_reads_as_black_and_white(seed: int, inverted: bool) -> None:
    scene = scene_of(seed) > 128
    options = {"tiffinfo": WHITE_IS_ZERO} if inverted else {}
    assert np.array_equal(read(saved(Image.fromarray(scene), "TIFF", **options)), scene * 255)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "WEBP"])
@given(seed=st.integers(0, 2**32 - 1), orientation=st.integers(1, 8), mode=st.sampled_from(["L", "I;16"]))
def test_a_picture_is_laid_upright(form: str, seed: int, orientation: int, mode: str) -> None:
    scene = scene_of(seed)
    exif = Image.Exif()
    exif[0x0112] = orientation
    turn = UPRIGHT.get(orientation)
    quarters = Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270
    back = dict(zip(quarters, reversed(quarters), strict=True))
    image = Image.fromarray(scene)
    image = image if turn is None else image.transpose(back.get(turn, turn))
    if mode == "I;16" and form in ("PNG", "TIFF"):
        image = deep(np.asarray(image), "<u2", 65535)
    if form == "WEBP":
        image = image.convert("RGB")
    options = {"JPEG": {"quality": 100}, "WEBP": {"lossless": True}}.get(form, {})
    data = saved(image, form, exif=exif, **options)
    assert np.abs(read(data) - scene).max() <= (3 if form == "JPEG" else 1)
    again, _ = portable(data)
    assert np.abs(np.asarray(Image.open(io.BytesIO(again)).convert("L"), dtype=np.int16) - scene).max() <= 3


@given(seed=st.integers(0, 2**32 - 1), bits=st.sampled_from([10, 12, 14]), share=st.floats(0.001, 0.08))
def test_marks_burned_into_a_deep_picture_leave_it_as_it_is(seed: int, bits: int, share: float) -> None:
    scene = scene_of(seed, 160, 120)
    values = np.rint(scene * ((2**bits - 1) / 255)).astype(np.uint16)
    rows = max(1, round(share * len(values)))
    values[-rows:] = 65535
    assert np.abs(read(saved(Image.fromarray(values)))[:-rows] - scene[:-rows]).max() <= 1
    values[-rows:] = 0
    assert np.abs(read(saved(Image.fromarray(values)))[:-rows] - scene[:-rows]).max() <= 1


def test_values_of_no_depth_and_narrow_ones_are_stretched() -> None:
    scene = scene_of(3).astype(np.float32)
    for values in (scene * 1e-9 - 5e-8, scene * 1e7, 30000 + scene):
        grey = read(saved(Image.fromarray(values.astype(np.float32)), "TIFF"))
        assert grey.min() == 0 and grey.max() == 255
        assert np.corrcoef(grey.ravel(), scene.ravel())[0, 1] > 0.999
    holes = scene.copy()
    holes[0, 0], holes[0, 1] = np.nan, np.inf
    assert np.abs(read(saved(Image.fromarray(holes), "TIFF"))[1:] - scene[1:]).max() <= 1
    assert read(saved(Image.fromarray(np.full((9, 9), np.nan, np.float32)), "TIFF")).max() == 0
    assert read(saved(Image.fromarray(np.full((9, 9), 65535, np.uint16)))).min() == 255


@given(st.binary(max_size=80))
def test_damaged_orientation_says_nothing(noise: bytes) -> None:
    scene = scene_of(4)
    assert read(saved(Image.fromarray(scene), exif=b"Exif\0\0" + noise)).shape == scene.shape


def test_what_is_plain_is_shown_alike_by_all(tmp_path: Path) -> None:
    for way, store in (PLAIN | LAID).items():
        path = tmp_path / way
        path.write_bytes(store(scene_of(5)))
        assert is_plain_file(path) is (way in ("L", "RGB", "MinIsWhite", "BMP", "WEBP")), way


def test_pictures_are_opened_in_one_place() -> None:
    """Everybody sees the same picture; the seed's Sobel values alone are worked out as its authors' program did."""
    packages = Path(polydata.__file__).parents[1]
    found = {p.relative_to(packages).as_posix() for name in ("polydata", "polymodel")
             for p in (packages / name).rglob("*.py") if "Image.open(" in p.read_text()}  # fmt: skip
    assert found == {"polydata/images/picture.py", "polymodel/evaluation/baselines.py"}
