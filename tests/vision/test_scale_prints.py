"""Lengths in print, as recognisers give it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polydata.vision.ocr import Print
from polydata.vision.scale_prints import lengths_in, usual


def read(text: str) -> list[tuple[float, str, bool]]:
    return [(one.value, one.unit, one.strict) for one in lengths_in(Print(text, 0.9, 0, 0, 100, 20))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10 µm", [(10, "µm", True)]),
        ("10.0 μm", [(10, "µm", True)]),
        ("500nm", [(500, "nm", True)]),
        ("2,5 um", [(2.5, "µm", True)]),
        ("20KV 1,000X 10μm WD15", [(10, "µm", True)]),
        ("X2,00010μm WD15", [(10, "µm", True)]),
        ("1O µm", [(10, "µm", True)]),
        ("10 pm", [(10, "µm", False)]),
        ("10u", [(10, "µm", False)]),
        ("50mm", []),
        ("1 cm", []),
        ("300 hm", []),
        ("500 pm", []),
        ("5 1/nm", []),
        ("2 /nm", []),
        ("10 nm-1", []),
        ("10 nm\u207b\u00b9", []),
        ("5 µm^-1", []),
        ("1 mm", [(1, "mm", False)]),
        ("WD 9.6mm", []),
        ("13.0mm x20.0k", []),
        ("15.0 kV", []),
        ("x5.00k SE(U)", []),
        ("5349", []),
        ("137 µm", []),
        ("", []),
    ],
)
def test_lengths_are_told_from_other_print(text: str, expected: list[tuple[float, str, bool]]) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(("value", "plain"), [(1, True), (0.5, True), (2.5, True), (15, True), (17, False), (0, False)])
def test_bars_bear_round_numbers(value: float, plain: bool) -> None:
    assert usual(value) is plain


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert all(one.value_um > 0 for one in lengths_in(Print(text, 0.5, 0, 0, 10, 10)))


@pytest.mark.parametrize("sign", ["1", "1.", "x1,", "O", "µ", "1 ", "|l"])
def test_long_print_takes_no_long_time(sign: str) -> None:
    begin = time.process_time()
    lengths_in(Print(sign * 10_000, 0.5, 0, 0, 10, 10))
    assert time.process_time() - begin < 10
