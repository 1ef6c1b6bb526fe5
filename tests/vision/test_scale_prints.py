"""What a line of print says of a micrograph's scale."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polydata.vision.scale_prints import Length, explains, how_usual, in_strip, measures, number_of, speaks_for


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
        ("2.0 mm", False),  # a working distance
        ("100 µm", False),
        ("x 138 µm", False),  # a sign before a length
        ("1 x500S", False),
        ("90 pm", False),
        ("1500", False),
        ("no number", False),
        ("x1.5.0k", False),
        ("x", False),
    ],
)
def test_a_magnification_or_a_field_contradicts_only_grossly(text: str, against: bool) -> None:
    """Ten micrometres are an eighth of the width: a field of 80 µm, 120 mm wide at a magnification of 1,500."""
    assert (speaks_for(text, Length(10, "µm"), 1 / 8) < 0) is against


@pytest.mark.parametrize("text", ["1 500 ×", "1,500 x", "x1500", "X 1.50k", "1.5 KX", "90 µm"])
def test_a_magnification_or_a_field_speaks_for_a_bar(text: str) -> None:
    assert speaks_for(text, Length(10, "µm"), 1 / 8) == 1
    assert speaks_for(text, Length(10, "nm"), 1 / 8) == -1
    assert speaks_for("15.00 kV", Length(10, "µm"), 1 / 8) == speaks_for("20 kV", Length(10, "nm"), 1 / 8) == 0


@pytest.mark.parametrize(
    ("value", "how"), [(1, 1), (0.5, 1), (2.5, 1), (15, 1), (60, 0.7), (0.8, 0.7), (17, 0), (0, 0)]
)
def test_bars_bear_round_numbers(value: float, how: float) -> None:
    assert how_usual(value) == how


@given(
    st.sampled_from([1, 2, 5, 10, 20, 50]),
    st.sampled_from(["20KU", "15kV", "25 kV"]),
    st.integers(5, 39),
    st.sampled_from(["04", "07PH0T95110035", " 04 PHOT 9507001C"]),
    st.booleans(),
    st.booleans(),
)
def test_strips_whose_fields_were_read_in_one(
    value: int, volts: str, away: int, rest: str, glued: bool, micro: bool
) -> None:
    """``10µm20KU WD15mmX3,00004``: the distance to the lens is no length of a bar, the number behind is none of it."""
    times, share = max(1000, 30_000 // value), 0.2
    gap = "" if glued else " "
    text = f"{value}{'µm' if micro else 'pm'}{gap}{volts}{gap}WD{away}mm{gap}X{times:,}{rest}"
    assert in_strip(text, share) == Length(value, "µm")


@given(st.one_of(st.text(max_size=60), st.text("0123456789., xkµnm-/?", max_size=60)))
def test_any_text_is_read_without_an_error(text: str) -> None:
    read = number_of(text)
    assert read is None or (read[0] >= 0 and 0 < read[1] <= 1)
    assert all(0 < share <= 1 for share in explains(text).values())
    speaks_for(text, Length(10, "µm"), 0.25)
    assert in_strip(text, 0.25) is None or "x" in text.lower() or "k" in text.lower()


@pytest.mark.parametrize("sign", ["1", "1.", "x1,", "?", "µ", "1 ", "k"])
def test_long_print_takes_no_long_time(sign: str) -> None:
    begin = time.process_time()
    number_of(sign * 10_000)
    speaks_for(sign * 10_000, Length(10, "µm"), 0.25)
    in_strip(sign * 10_000, 0.25)
    assert time.process_time() - begin < 1


@pytest.mark.parametrize(
    ("text", "share", "said"),
    [
        ("000310KVX800 10NM WD25", 0.048, Length(10, "µm")),  # the micro sign, as it is read
        ("KVX80010μm WN24", 0.052, Length(10, "µm")),
        ("10kV X15,000 1Pm", 0.12, Length(1, "µm")),
        ("X30.000 0.5MmCRL 00P", 0.126, Length(0.5, "µm")),
        ("20 kV x100k 200 nm", 0.15, Length(200, "nm")),
        ("15KV X25 1mm WD24", 0.21, Length(1, "mm")),
        ("X800 10Pm 5Pm", 0.048, None),  # two lengths that go with it
        ("X251mm WD24", 0.21, None),  # twenty-five times, or two hundred and fifty-one
        ("5.0kV 12.4mm SE 10.0um", 0.14, None),
        ("10KV X800 WD25", 0.048, None),
        ("X800 18Pm", 0.048, None),
    ],
)
def test_a_strip_tells_a_length_by_its_magnification(text: str, share: float, said: Length | None) -> None:
    assert in_strip(text, share) == said


@given(
    st.sampled_from((1, 2, 5, 10, 20, 50, 100, 200, 500)),
    st.sampled_from(("nm", "µm")),
    st.floats(0.04, 0.5),
    st.floats(80, 450),
    st.sampled_from(("{k}KV X{x} {v}{u} WD25", "X{x} {v}{u}", "{v} {u} x{x} {k}kV")),
    st.sampled_from(("Nm", "Pm", "Hm", "um", "wa")),
)
def test_whatever_the_unit_is_read_as_the_magnification_tells_it(
    value: float, unit: str, share: float, wide: float, form: str, read: str
) -> None:
    times = wide * 1000 * share / Length(value, unit).micrometres  # of a print that is so many millimetres wide
    text = form.format(x=f"{round(times):,}", v=f"{value:g}", u=read, k=15)
    assert times < 10 or in_strip(text, share) == Length(value, unit)


@given(st.text("xXkK0123456789., ×µunm", max_size=45), st.floats(1e-3, 1.0))
def test_whatever_stands_for_a_magnification_is_survived(text: str, share: float) -> None:
    assert speaks_for(text, Length(10, "µm"), share) in (-1, 0, 1)
    in_strip(text, share)


@pytest.mark.parametrize(
    ("text", "told"), [("D2 = 103.31 nm", True), ("Pa 1: 14 nm", False), ("L=5 µm", True), ("HFW = 149 µm", False)]
)
def test_lengths_that_somebody_measured_have_a_letter(text: str, told: bool) -> None:
    assert measures(text) is told
