from __future__ import annotations

import contextlib
import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from polydata.errors import InputError
from polydata.images.picture import MAX_PIXELS, ImageStore, describe, open_picture


def encoded(image: Image.Image, true_format: str = "PNG") -> bytes:
    out = io.BytesIO()
    image.save(out, true_format)
    return out.getvalue()


def gradient(size: tuple[int, int] = (40, 30)) -> Image.Image:
    return Image.fromarray(np.tile(np.linspace(0, 255, size[0], dtype=np.uint8), (size[1], 1)))


def test_a_picture_in_the_alpha_channel_comes_out_as_a_picture() -> None:
    black = Image.new("RGB", (40, 30))
    black.putalpha(gradient())
    data = encoded(black)
    assert describe(data).alpha_only
    picture = np.asarray(open_picture(data))
    assert np.array_equal(picture[..., 0], np.asarray(gradient()))


def test_transparency_is_laid_on_white() -> None:
    image = Image.new("RGBA", (4, 4), (200, 0, 0, 0))
    image.putpixel((0, 0), (10, 20, 30, 255))
    picture = open_picture(encoded(image))
    assert picture.getpixel((0, 0)) == (10, 20, 30)
    assert picture.getpixel((3, 3)) == (255, 255, 255)
    assert not describe(encoded(image)).alpha_only


def test_sixteen_bit_images_are_scaled_not_clipped() -> None:
    deep = Image.fromarray(np.asarray(gradient()).astype(np.uint16) * 257)
    low, high = open_picture(encoded(deep)).getchannel(0).getextrema()
    assert (low, high) == (0, 255)


@pytest.mark.parametrize("true_format", ["PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP"])
def test_the_format_is_told_by_content(true_format: str, tmp_path: Path) -> None:
    path = tmp_path / "called.png"
    path.write_bytes(encoded(gradient().convert("RGB"), true_format))
    info = ImageStore(tmp_path / "store").put(path.read_bytes())
    assert info.format == true_format
    assert (info.width, info.height) == (40, 30)
    assert open_picture(path).mode == "RGB"


def test_the_store_keeps_bytes_once_and_unchanged(tmp_path: Path) -> None:
    store = ImageStore(tmp_path / "store")
    data = encoded(gradient())
    first, second = store.put(data), store.put(data)
    assert first == second
    path = store.path(first.sha256, first.format)
    assert path.read_bytes() == data
    assert [p for p in store.root.rglob("*") if p.is_file()] == [path]


@pytest.mark.parametrize("data", [b"", b"%PDF-1.4", b"\x89PNG\r\n\x1a\n", encoded(gradient())[:-40]])
def test_what_is_no_whole_image_is_refused(data: bytes, tmp_path: Path) -> None:
    store = ImageStore(tmp_path / "store")
    with pytest.raises(InputError):
        store.put(data, "x.png")
    assert not store.root.exists()


def test_a_huge_picture_is_refused_before_it_is_decoded() -> None:
    side = int(MAX_PIXELS**0.5) + 1
    with pytest.raises(InputError, match="the limit is"):
        open_picture(encoded(Image.new("1", (side, side))))


@given(st.binary(max_size=400), st.integers(0, 5))
def test_damaged_bytes_never_end_in_another_error(noise: bytes, cut: int) -> None:
    data = bytearray(encoded(gradient()))
    data[30 + cut : 30 + cut + len(noise)] = noise
    with contextlib.suppress(InputError):
        open_picture(bytes(data))


@pytest.mark.realdata
def test_the_published_images_are_read_by_content(shared_data: Path) -> None:
    infos = [describe(p.read_bytes(), p.name) for p in sorted((shared_data / "nims/images").iterdir())]
    assert len(infos) == 517
    assert sum(i.alpha_only for i in infos) == 4
    assert Counter(i.format for i in infos) == {"PNG": 404, "JPEG": 106, "GIF": 7}
