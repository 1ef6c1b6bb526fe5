"""Polymers, techniques and magnifications in captions of many styles."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polydata.text.mentions import find_mentions, panel_mentions
from polydata.text.polymers import vocabulary


def values(text: str, field: str) -> list[str]:
    return [one.value for one in find_mentions(text) if one.field == field]


@pytest.mark.parametrize(
    ("text", "polymers"),
    [
        ("blends of PP and PA6", ["PP", "PA6"]),
        ("PA 6,6, PA-66 and PA 6.6", ["PA66", "PA66", "PA66"]),
        ("nylon 6, Nylon-6,6 and nylon 12 fibres", ["PA6", "PA66", "PA12"]),
        ("PA 12 wt% is no polyamide twelve", ["PA", "PA"]),
        ("poly(lactic acid)/poly(ε-caprolactone)", ["PLA", "PCL"]),
        ("polylactide, poly(L-lactide) and poly-L-lactide", ["PLA", "PLLA", "PLLA"]),
        ("Poly (ethylene terephthalate) with polyethylene", ["PET", "PE"]),
        ("natural rubber and styrene-butadiene rubber (SBR)", ["NR", "SBR", "SBR"]),
        ("high density polyethylene/isotactic polypropylene", ["HDPE", "PP"]),
        ("SEBS-g-MA, PP-g-MA and PS-b-PMMA", ["SEBS-g-MA", "PP-g-MA", "PS-b-PMMA"]),
        ("poly(styrene-co-acrylonitrile)", ["SAN"]),
        ("poly(vinyltriazole-co-sulfone) films", ["poly(vinyltriazole-co-sulfone)"]),
        ("PLA80PBAT20 and 35PS, PLA/10PBS", ["PLA", "PBAT", "PS", "PLA", "PBS"]),
        ("iPP, m-iPP, rPET and PHAs", ["PP", "PP", "PET", "PHA"]),
        ("polycarbonates and polyamides", ["PC", "PA"]),
        ("thermoplastic starch (TPS), starch", ["TPS", "TPS", "starch"]),
        ("isotactic polypropylene/high‐density polyethylene", ["PP", "HDPE"]),
        ("polyurethaneurea", ["polyurethaneurea"]),
        ("SEM, TEM, DSC, FTIR, XRD, WAXD, SAXS, EDX, TGA, DMA, NMR of 5 CNT", []),
        ("polymer blends, polydispersity, polymerization, polycrystalline", []),
        ("styrene/butadiene", []),
        ("NR profiles of a PI of the COP", []),
        ("NR/SBR and pure NR with 5 phr CR", ["NR", "SBR", "NR", "CR"]),
        ("as a function of composition; P6E4C2, PN0, S3A7", []),
        ("(a) PSF (b) A/B", ["PSU"]),
    ],
)
def test_polymers(text: str, polymers: list[str]) -> None:
    assert values(text, "polymer") == polymers


@pytest.mark.parametrize(
    ("text", "techniques"),
    [
        ("Scanning electron micrographs of PP", ["SEM"]),
        ("FE-SEM, FESEM, ESEM, SEMs, cryo-SEM images", ["SEM"] * 5),
        ("TEM micrographs", ["TEM"]),
        ("scanning transmission electron microscopy (STEM)", ["TEM", "TEM"]),
        ("Transmission electron photomicrographs", ["TEM"]),
        ("optical micrographs", ["optical"]),
        ("Polarized optical microscopy (POM) images", ["optical", "optical"]),
        ("polarised light micrographs", ["optical"]),
        ("Phase-contrast micrographs", ["optical"]),
        ("confocal laser scanning microscopy", ["optical"]),
        ("POM/PLA blends by SEM", ["SEM"]),
        ("Blends of POM with 5 wt% TPU", []),
        ("POM micrographs of spherulites", ["optical"]),
        ("Tapping mode AFM phase images", ["AFM", "AFM"]),
        ("Atomic force microscopy", ["AFM"]),
        ("mean ± SEM of five", []),
        ("Tensile strength of the system", []),
    ],
)
def test_techniques(text: str, techniques: list[str]) -> None:
    assert values(text, "technique") == techniques


@pytest.mark.parametrize(
    ("text", "magnifications"),
    [
        ("SEM (×2000)", ["2000"]),
        ("SEM at 2,000×", ["2000"]),
        ("(magnification 500x)", ["500"]),
        ("x 1.0k", ["1000"]),
        ("Magnification: × 10 000.", ["10000"]),
        ("at three magnifications (500, 1000, and 1500×)", ["500", "1000", "1500"]),
        ("Original magnification of 20k×", ["20000"]),
        ("(1000X)", ["1000"]),
        ("A1: 2000 magnifying power", ["2000"]),
        ("a film of 10 × 10 mm", []),
        ("3 × 10−3 mol", []),
        ("x = 0, 10, 20 wt%", []),
        ("P(x) 20", []),
        ("at higher magnifications. 5 wt%", []),
        ("box 500 and 2000 rpm", []),
    ],
)
def test_magnifications(text: str, magnifications: list[str]) -> None:
    assert values(text, "magnification") == magnifications


def test_positions_count_in_the_caption() -> None:
    text = "Fig. 1. SEM of PLA/poly(butylene succinate) at ×500"
    found = find_mentions(text)
    assert [text[one.start : one.end] for one in found] == ["SEM", "PLA", "poly(butylene succinate)", "×500"]
    assert all(text[one.start : one.end] == one.text for one in found)


@settings(deadline=None)
@given(st.one_of(st.text(max_size=300), st.text(st.sampled_from("PALSEMpoly()-–/ 0123,.x×%wt"), max_size=300)))
def test_no_text_breaks_it(text: str) -> None:
    end = 0
    for one in find_mentions(text):
        assert one.start >= end
        assert text[one.start : one.end] == one.text
        assert one.value
        end = one.end


@pytest.mark.parametrize(
    "piece", ["PP/", "poly(", "1,", "x 1 ", "scanning ", "PP-g-", "magnification 1, ", "POM ", "- "]
)
def test_long_texts_take_no_time(piece: str) -> None:
    vocabulary()
    text = piece * (20_000 // len(piece))
    start = time.process_time()
    find_mentions(text)
    assert time.process_time() - start < 5


def test_a_panel_has_its_own_mentions_and_the_shared_ones() -> None:
    caption = "Figure 2. SEM of blends: (a) PP; (b) PA6; (c) PP/PA6. Scale bars: 5 µm, ×500"
    said = {
        label: [one.value for one in panel_mentions(caption, "SEM of blends. Scale bars: 5 µm, ×500", own, label)]
        for label, own in (("a", "PP"), ("b", "PA6"), ("c", "PP/PA6"))
    }
    assert said == {"a": ["SEM", "PP", "500"], "b": ["SEM", "PA6", "500"], "c": ["SEM", "PP", "PA6", "500"]}
    third = panel_mentions(caption, None, "PP/PA6", "c")
    assert third[0].start == caption.index("PP/PA6")


def test_a_panel_whose_words_are_not_found_has_the_shared_mentions() -> None:
    assert [one.value for one in panel_mentions("SEM of (a) PP", "SEM of", "PE", "a")] == ["SEM"]
    assert panel_mentions("SEM of (a) PP", "TEM", "PE", "a") == ()
    assert panel_mentions(None, None, None) == ()
    assert [one.value for one in panel_mentions("SEM of PP", None, None)] == ["SEM", "PP"]


def test_the_vocabulary_is_sound() -> None:
    known = vocabulary()
    assert len(known.abbreviations) > 120
    assert not {"SEM", "TEM", "AFM", "DSC", "FTIR", "XRD", "TGA", "IR", "CA", "MA"} & set(known.abbreviations)
    assert all(name for name in known.names.values())


def test_words_led_by_those_of_a_list_say_what_both_say() -> None:
    caption = "Fig. 1. SEM images of neat PP (a) and PLA (b); TEM images of PBAT (c)."
    for own, values in (("SEM images of PLA", ["SEM", "PLA"]), ("TEM images of PBAT", ["TEM", "PBAT"])):
        assert [one.value for one in panel_mentions(caption, None, own, None)] == values
