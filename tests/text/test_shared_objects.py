"""What the last of a list says of all: "(a) SEM and (b) TEM images of a blend"."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polydata.text.captions import split_caption

HEADS = ["SEM", "TEM", "AFM height", "Bright-field TEM", "Low-magnification SEM", "Tensile", "Top", "HAADF-STEM"]
THINGS = ["images", "micrographs", "photographs", "views", "surfaces"]
TAILS = [
    "of PLA/PCL 80/20 blends",
    "of the same sample after etching",
    "taken at 200 kV",
    "obtained from PP/EPDM (70/30)",
    "for annealed blends",
]


def listed(words: Sequence[str], between: str, opening: str) -> str:
    marks = [f"{opening}{letter}) {own}" for letter, own in zip("abcdef", words, strict=False)]
    return f"{', '.join(marks[:-1])}{between}{marks[-1]}"


@given(
    st.lists(st.sampled_from(HEADS), min_size=2, max_size=5, unique=True),
    st.sampled_from(THINGS),
    st.sampled_from(TAILS),
    st.sampled_from([" and ", ", and ", " & "]),
    st.sampled_from(["(", ""]),
    st.sampled_from(["", ". Scale bars: 5 µm", ". The arrows mark pores in them. All were etched"]),
)
def test_all_of_a_list_have_the_object_of_its_last(
    heads: list[str], things: str, tail: str, between: str, opening: str, after: str
) -> None:
    caption = f"Fig. 3. {listed([*heads[:-1], f'{heads[-1]} {things} {tail}'], between, opening)}{after}"
    assert [own for _, own in split_caption(caption).panels] == [f"{head} {things} {tail}" for head in heads]


@pytest.mark.parametrize(
    "words",
    [
        ["neat PLA", "blend of PLA with 20% PCL"],
        ["SEM image of PP", "TEM images of PA6"],
        ["PP/PA6 80/20", "micrographs of PP/PA6 70/30"],
        ["PP", "PP with 5% of compatibilizer"],
        ["Neat PLA", "SEM images of PLA/PBS 80/20"],
        ["PLA film", "AFM images of PBAT film"],
        ["EPDM", "PP", "micrographs for the PP/EPDM 60/40 blend"],
        ["uncompatibilized", "surfaces of PP/PS (70/30) with SEBS"],
        ["Sample A", "Sample B", "higher magnification images of Sample B"],
        ["SEM", "TEM images of PLA/PBS 90/10 and PLA/PBS 80/20, respectively"],
        ["control", "micrographs taken after etching"],
        ["Tensile strength", "SEM images of PLA/PCL blends"],
    ],
)
def test_what_is_complete_gets_nothing(words: list[str]) -> None:
    assert [own for _, own in split_caption(f"Fig. 3. {listed(words, ' and ', '(')}.").panels] == words


def test_a_picture_of_its_own_gets_what_it_shows() -> None:
    first, *_ = split_caption("Fig. 1. (a) Schematic, (b) SEM and (c) TEM images of PLA.").panels
    assert first == ("a", "Schematic of PLA")
    apart, *_ = split_caption("Fig. 1. (a) XRD; (b) SEM and (c) TEM images of PLA.").panels
    assert apart == ("a", "XRD")
