from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from polymodel.data.views import MAX_ASPECT, centre, five_crops, fixed_copy, grey_resized


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


def test_the_twelve_fixed_copies_differ_and_the_first_three_are_the_image_and_its_mirrors() -> None:
    image = np.random.default_rng(0).integers(60, 190, (9, 9)).astype(np.uint8)
    copies = [fixed_copy(image, k) for k in range(12)]
    assert len({c.tobytes() for c in copies}) == 12
    assert np.array_equal(copies[0], image)
    assert np.array_equal(copies[1], np.fliplr(image))
    assert np.array_equal(copies[2], np.flipud(image))
    assert all(np.array_equal(np.sort(c, axis=None), np.sort(image, axis=None)) for c in copies[:8])
    assert copies[8].std() > image.std()
    with pytest.raises(ValueError, match="12"):
        fixed_copy(image, 12)
