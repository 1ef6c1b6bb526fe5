"""Copies are found however they were made, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from audit_pictures import jpeg, png, texture, with_print
from PIL import Image, ImageOps

from polydata.errors import InputError
from polydata.images import copies
from polydata.images.copies import find_copies
from polydata.images.keypoints import compare, find_keypoints, mirror

CHANGES: dict[str, Callable[[Image.Image], bytes]] = {
    "encoded anew": lambda p: jpeg(p, 60),
    "shrunk": lambda p: jpeg(p.resize((p.width * 3 // 5, p.height * 3 // 5))),
    "enlarged": lambda p: png(p.resize((p.width * 7 // 5, p.height * 7 // 5))),
    "cropped": lambda p: jpeg(p.crop((60, 40, 260, 220))),
    "turned": lambda p: png(p.rotate(90, expand=True)),
    "mirrored": lambda p: png(ImageOps.mirror(p)),
    "upside down and cropped": lambda p: png(ImageOps.flip(p).crop((10, 10, 220, 220))),
    "darker": lambda p: jpeg(p.point(lambda v: v * 0.7 + 10)),
}


@pytest.fixture
def others(tmp_path: Path) -> dict[str, Path]:
    """A dozen pictures without a copy, all with the same print."""
    found = {}
    for number in range(12):
        found[f"{number:02d}"] = tmp_path / f"{number}.png"
        found[f"{number:02d}"].write_bytes(png(with_print(texture(number))))
    return found


@pytest.mark.parametrize("change", CHANGES)
def test_a_copy_is_found(change: str, others: dict[str, Path], tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.write_bytes(CHANGES[change](texture(3)))
    (found,) = find_copies({**others, "copy": copy})
    assert (found.a, found.b) == ("03", "copy")
    assert found.match.is_copy and found.match.inliers >= 6
    assert found.match.mirrored == (change in ("mirrored", "upside down and cropped"))


def test_common_print_is_no_copy(others: dict[str, Path]) -> None:
    assert find_copies(others) == ()


def test_the_order_of_images_has_no_influence(others: dict[str, Path], tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.write_bytes(CHANGES["cropped"](texture(5)))
    pictures = {**others, "copy": copy}
    assert find_copies(pictures) == find_copies(dict(reversed(pictures.items())))


def test_a_place_imaged_anew_is_no_copy() -> None:
    def view(number: int) -> Image.Image:
        noise = texture(number).resize((300, 260))
        return Image.blend(texture(3), noise, 0.25)

    match = compare(find_keypoints(view(100)), find_keypoints(view(101)))
    assert match is not None and match.is_same_place and not match.is_copy


def test_plain_pictures_have_nothing_to_compare(tmp_path: Path) -> None:
    pictures = {}
    for name, grey in (("a", 0), ("b", 0), ("c", 255)):
        pictures[name] = tmp_path / f"{name}.png"
        pictures[name].write_bytes(png(Image.new("L", (200, 100), grey)))
    assert find_copies(pictures) == ()
    assert find_copies({}) == ()
    assert compare(find_keypoints(Image.new("L", (1, 1))), find_keypoints(Image.new("L", (5000, 3)))) is None


def test_a_mirrored_picture_is_known_without_looking() -> None:
    looked = find_keypoints(ImageOps.mirror(texture(1)))
    match = compare(mirror(find_keypoints(texture(1))), looked)
    assert match is not None and match.inliers > 100 and match.agreement > 0.99


def test_the_answer_is_kept(others: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy, cache = tmp_path / "copy", tmp_path / "kept"
    copy.write_bytes(CHANGES["shrunk"](texture(7)))
    first = find_copies({**others, "copy": copy}, cache)
    (kept,) = cache.iterdir()
    with monkeypatch.context() as patched:
        patched.setattr(copies, "find_keypoints", None)  # nothing is looked at again
        assert find_copies({**others, "copy": copy}, cache) == first
    kept.write_text('[{"a": "someone", "b": "else"}]')
    assert find_copies({**others, "copy": copy}, cache) == first
    assert find_copies(others, cache) == ()


def test_an_image_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    with pytest.raises(InputError, match="image"):
        find_copies({"a": broken})
