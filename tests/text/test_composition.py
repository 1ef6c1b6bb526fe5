"""Blends in captions of many styles."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polydata.text.composition import panel_composition, parse_composition


@pytest.mark.parametrize(
    ("text", "components", "ratio", "unit"),
    [
        ("PLA/PBAT (80/20 w/w) blends", ("PLA", "PBAT"), (80, 20), "wt%"),
        ("PP–EPDM (50 –50) blend", ("PP", "EPDM"), (50, 50), None),
        ("PLA–PCL 70–30 blends", ("PLA", "PCL"), (70, 30), None),
        ("PPDO//PLGA 80/20", ("PPDO", "PLGA"), (80, 20), None),
        ("PLLA/ABS - 70/30 blend", ("PLLA", "ABS"), (70, 30), None),
        ("PLA80PBAT20", ("PLA", "PBAT"), (80, 20), None),
        ("80PLA/20PBAT", ("PLA", "PBAT"), (80, 20), None),
        ("PLA/10PBS", ("PLA", "PBS"), (90, 10), None),
        ("PP with 5 phr of SEBS-g-MA", ("PP", "SEBS-g-MA"), (100, 5), "phr"),
        ("PVC/PMMA (15 phr)", ("PVC", "PMMA"), (100, 15), "phr"),
        ("PLA/PCL blends containing 20 wt % PCL", ("PLA", "PCL"), (80, 20), "wt%"),
        ("films containing 20 wt % PCL", ("PCL",), (20,), "wt%"),
        ("blends of PLA with PBAT (80/20)", ("PLA", "PBAT"), (80, 20), None),
        ("PP and PA6 (70:30)", ("PP", "PA6"), (70, 30), None),
        ("50/50 PA 6/m-iPP fibres", ("PA 6", "m-iPP"), (50, 50), None),
        ("PMMA/PS blend containing 20% PS", ("PMMA", "PS"), (80, 20), "%"),
        ("nylon 6/CE-96/POE-g-MA (80/0.3/20)", ("nylon 6", "CE-96", "POE-g-MA"), (80, 0.3, 20), None),
        ("PTT/PC blends", ("PTT", "PC"), (), None),
        ("PP/PETG 70/30 blends with 5 wt% SIS", ("PP", "PETG"), (70, 30), None),
    ],
)
def test_styles(text: str, components: tuple[str, ...], ratio: tuple[float, ...], unit: str | None) -> None:
    found = parse_composition(f"SEM of {text}")
    assert found is not None
    assert (found.components, found.ratio, found.unit) == (components, tuple(map(float, ratio)), unit)
    assert f"SEM of {text}"[found.start : found.end] == found.text


@pytest.mark.parametrize(
    "text",
    ["SEM and TEM (50/50)", "5 wt% CNT", "at 10-20 °C", "A-B 10-20", "5 mm of PP", "PP at 30 °C", "x = 0, 10, 20"],
)
def test_none(text: str) -> None:
    assert parse_composition(text) is None


@pytest.mark.parametrize(
    ("stem", "own", "components", "ratio"),
    [
        ("Surfaces of the PLA/PBAT blends with several contents", "80/20", ("PLA", "PBAT"), (80, 20)),
        ("PPDO//PLGA blends", "80/20", ("PPDO", "PLGA"), (80, 20)),
        ("PS/HDPE blends as a function of composition", "35PS", ("PS", "HDPE"), (35, 65)),
        ("HDPE/EVA blends", "20 wt% EVA", ("HDPE", "EVA"), (80, 20)),
        ("PP/PETG 70/30 blends", "compatibilized by 5 wt% SIS", ("PP", "PETG"), (70, 30)),
        ("PP/PS (50/50)", "PP/PS (90/10)", ("PP", "PS"), (90, 10)),
        ("PLLA/PBS weight ratio", "100/0", ("PLLA", "PBS"), (100, 0)),
        (None, "PLA/PBS (80/20)", ("PLA", "PBS"), (80, 20)),
    ],
)
def test_panels(stem: str | None, own: str, components: tuple[str, ...], ratio: tuple[float, ...]) -> None:
    found = panel_composition("...", stem, own)
    assert found is not None
    assert (found.components, found.ratio) == (components, tuple(map(float, ratio)))


def test_a_figure_that_shows_several_ratios_has_none() -> None:
    several = panel_composition("PLA/PBS (80/20), PLA/PBS (90/10)", None, None)
    assert several is not None
    assert (several.components, several.ratio) == (("PLA", "PBS"), ())
    shares = panel_composition("PMMA/PC blends: 20% of PMMA, 30% of PMMA", None, None)
    assert shares is not None
    assert (shares.components, shares.ratio) == (("PMMA", "PC"), ())
    assert panel_composition("ABS/PC (70/30); PP/PS (10/90)", None, None) is None
    bare = panel_composition("PTT/PC 70/30 and 50/50 (a) unannealed", None, None)
    assert bare is not None
    assert bare.ratio == ()
    lone = panel_composition("PLA/PBS (80/20) and again PLA/PBS (80/20)", None, None)
    assert lone is not None
    assert lone.ratio == (80.0, 20.0)


@settings(deadline=None)
@given(
    st.text(st.sampled_from("PLASEB-/:()–‐ 0123456789.%wtphr,ofand"), max_size=200),
    st.none() | st.text(st.sampled_from("PLASEB/: 0123%wt"), max_size=60),
    st.none() | st.text(st.sampled_from("PLASEB/: 0123%wt"), max_size=60),
)
def test_no_text_breaks_it(caption: str, stem: str | None, own: str | None) -> None:
    found = parse_composition(caption)
    if found is not None:
        assert caption[found.start : found.end] == found.text
        assert len(found.ratio) in (0, len(found.components))
    panel_composition(caption, stem, own)
