"""What a line of print says of a micrograph's scale."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polydata.vision.scale_prints import Length, disagrees, explains, number_of, usual


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("10 µm", 10),
        ("10.0 um", 10),
        ("500nm", 500),
        ("2,5 pm", 2.5),
        ("1,000 nm", 1000),
        (".5 hm", 0.5),
        ("1O µm", 10),
        ("lum", 1),
        ("Sum", 5),
        ("10F", 10),
        ("10", 10),
        ("- 50PA", 50),
    ],
)
def test_the_number_is_told_whatever_its_unit_was_taken_for(text: str, number: float) -> None:
    read = number_of(text)
    assert read is not None
    assert read[0] == pytest.approx(number)


@pytest.mark.parametrize(
    ("text", "unit"),
    [("10 um", "µm"), ("500 nm", "nm"), ("10 mm", "mm"), ("1 cm", "cm"), ("SE 15.0kV 50um x1.0k", "µm"),
     ("5 1/nm", "1/nm"), ("10 nm-1", "1/nm"), ("10", ""), ("20 kV", ""), ("300 hm", "")],
)  # fmt: skip
def test_a_unit_explains_what_is_made_of_it(text: str, unit: str) -> None:
    shares = explains(text)
    assert shares[unit] == max(shares.values())


def test_what_is_no_unit_speaks_for_none() -> None:
    assert len(set(explains("300 rm").values())) == 1
    assert max(explains("300 hm"), key=explains("300 hm").__getitem__) == ""  # nanometres as well as micrometres
    assert explains("50 pm")["pm"] == explains("50 pm")["µm"]


@pytest.mark.parametrize(("plain", "poor"), [("10 µm", "10"), ("10 µm", "1O"), ("5 µm", "S µm")])
def test_what_is_plain_weighs_more(plain: str, poor: str) -> None:
    first, second = number_of(plain), number_of(poor)
    assert first and second and first[1] > second[1]


@pytest.mark.parametrize("text", ["µm", "53495", "x5.00k", "1 µm 5 µm", "SEI 10.0kV", "WD 9.6mm", "100:3:1", ""])
def test_what_begins_with_no_number_is_none(text: str) -> None:
    assert number_of(text) is None


@pytest.mark.parametrize(
    ("text", "against"),
    [
        ("x1,500", False),
        ("x 1 500", False),
        ("1.50 K X", False),
        ("1500×", False),
        ("X1.500", False),
        ("x15", True),
        ("x150,000", True),
        ("x15.0k", True),
        ("90 µm", False),
        ("90 nm", True),
        ("5.0 mm", True),
        ("90 pm", False),
        ("1500", False),
        ("no number", False),
        ("x1.5.0k", False),
        ("x", False),
    ],
)
def test_a_magnification_or_a_field_contradicts_only_grossly(text: str, against: bool) -> None:
    """Ten micrometres are an eighth of the width: a field of 80 µm, 120 mm wide at a magnification of 1,500."""
    assert disagrees(text, Length(10, "µm"), 1 / 8) is against


@pytest.mark.parametrize(("value", "plain"), [(1, True), (0.5, True), (2.5, True), (15, True), (17, False), (0, False)])
def test_bars_bear_round_numbers(value: float, plain: bool) -> None:
    assert usual(value) is plain


@given(st.one_of(st.text(max_size=60), st.text("0123456789., xkµnm-/?", max_size=60)))
def test_any_text_is_read_without_an_error(text: str) -> None:
    read = number_of(text)
    assert read is None or (read[0] >= 0 and 0 < read[1] <= 1)
    assert all(0 < share <= 1 for share in explains(text).values())
    disagrees(text, Length(10, "µm"), 0.25)


@pytest.mark.parametrize("sign", ["1", "1.", "x1,", "?", "µ", "1 ", "k"])
def test_long_print_takes_no_long_time(sign: str) -> None:
    begin = time.process_time()
    number_of(sign * 10_000)
    disagrees(sign * 10_000, Length(10, "µm"), 0.25)
    assert time.process_time() - begin < 1


@given(st.text("xXkK0123456789., ×µunm", max_size=45), st.floats(1e-3, 1.0))
def test_whatever_stands_for_a_magnification_is_survived(text: str, share: float) -> None:
    assert disagrees(text, Length(10, "µm"), share) in (True, False)
