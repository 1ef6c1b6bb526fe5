from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from polydata.images.transforms import MAX_ASPECT
from polymodel.data.views import centre, five_crops, grey_resized


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
