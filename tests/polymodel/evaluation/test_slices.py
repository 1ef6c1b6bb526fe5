"""Slices of a run's test images by what the split's files tell."""

from __future__ import annotations

import pytest

from polydata.splits.manifest import Item
from polymodel.evaluation.slices import NOT_TOLD, _value


@pytest.mark.parametrize(
    ("kind", "told", "value"),
    [
        ("year", {"year": "2012"}, "2010s"),
        ("year", {"year": "in press"}, NOT_TOLD),
        ("image_size", {"width": "400", "height": "500"}, "up to 0.2 megapixels"),
        ("image_size", {"width": "2000", "height": "1000"}, "over 0.5 megapixels"),
        ("image_size", {"width": "wide", "height": "1"}, NOT_TOLD),
        ("scale", {"scale_um": "10"}, "over 1 to 10 µm"),
        ("scale", {"scale": "nan"}, NOT_TOLD),
        ("technique", {"technique": "TEM"}, "TEM"),
        ("journal", {}, NOT_TOLD),
    ],
)
def test_the_slice_of_an_image(kind: str, told: dict[str, str], value: str) -> None:
    assert _value(kind, Item("0" * 64, "fine", "paper", "a.png", told)) == value
