from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from polydata.errors import InputError, UsageError
from polydata.images.transforms import MAX_ASPECT
from polymodel.data.preparation import grey_resized
from polymodel.data.views import (
    centre,
    five_crops,
    mirrored,
    own_transform,
    random_view,
    standard_transform,
)


@given(width=st.integers(1, 300), height=st.integers(1, 300), short=st.one_of(st.none(), st.integers(8, 40)))
def test_a_resized_picture_holds_a_crop_and_stays_bounded(width: int, height: int, short: int | None) -> None:
    grey = grey_resized(Image.new("RGB", (width, height), "grey"), short, 24)
    assert grey.dtype == np.uint8
    assert min(grey.shape) == (24 if short is None else max(24, short))
    assert max(grey.shape) <= MAX_ASPECT * max(short or 0, 24) * 2
    assert centre(grey, 24).shape == (24, 24)
    assert five_crops(grey, 24).shape == (5, 24, 24)


def test_five_crops_are_the_corners_and_the_centre() -> None:
    image = np.arange(36, dtype=np.uint8).reshape(6, 6)
    crops = five_crops(image, 2)
    assert crops[:, 0, 0].tolist() == [0, 4, 24, 28, 14]


def test_a_random_view_follows_from_its_state_and_leaves_the_generator_alone() -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 60), dtype=np.uint8)
    transform = standard_transform(24)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    one, same, other = (random_view(image, 24, transform, state) for state in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert one.shape == (24, 24)


OWN = """
def raises(size):
    raise OSError("no such folder")

def wants(size, more):
    return None

def divides(size):
    return lambda image: image // 0.0 @ image
"""


def test_errors_of_ones_own_transform_name_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "transforms_that_fail.py").write_text(OWN)
    (tmp_path / "transforms_without_sense.py").write_text("def half(size:\n")
    (tmp_path / "transforms_that_divide.py").write_text("1 / 0")
    for path, said in (
        ("transforms_that_fail:raises", r"transforms_that_fail:raises\(24\) fails: OSError: no such folder"),
        ("transforms_that_fail:wants", "TypeError: wants.*more"),
        ("transforms_without_sense:half", "transforms_without_sense:half cannot be imported: SyntaxError"),
        ("transforms_that_divide:half", "cannot be imported: ZeroDivisionError: division by zero"),
    ):
        with pytest.raises(UsageError, match=said):
            own_transform(path, 24)
    with pytest.raises(InputError, match=r"transforms_that_fail:divides fails for an image of \(40, 60\) pixels: Run"):
        random_view(np.zeros((40, 60), dtype=np.uint8), 24, own_transform("transforms_that_fail:divides", 24), 0)


def test_four_mirror_images() -> None:
    image = np.arange(9, dtype=np.uint8).reshape(3, 3)
    views = mirrored(image)
    assert np.array_equal(views[3], np.rot90(image, 2))
    assert len({v.tobytes() for v in views}) == 4
