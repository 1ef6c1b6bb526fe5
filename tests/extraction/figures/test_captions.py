"""Where captions begin and end, what their parts are, and what they say of scale and composition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polydata.extraction.figures.caption_evidence import MENTION
from polydata.extraction.figures.caption_lines import join_lines
from polydata.text.caption_scales import scale_in_caption
from polydata.text.captions import split_caption
from polydata.text.composition import panel_composition, parse_composition
from polydata.text.figure_labels import read_label


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Figure 3. SEM", "3"),
        ("Fig. 3 SEM", "3"),
        ("FIG. 12: SEM", "12"),
        ("FIGURE 1 | SEM", "1"),
        ("Scheme I Synthesis", "I"),
        ("Figure A.1. The", "A.1"),
        ("Figure S3. The", "S3"),
        ("Figure 7-26 The", "7-26"),
        ("Fig. 1. 1H NMR", "1"),
        ("図3 写真", "3"),
        ("图 2. 断面", "2"),
    ],
)
def test_labels_are_read(text: str, number: str) -> None:
    label = read_label(text)
    assert label is not None
    assert label.number == number.lower()


@pytest.mark.parametrize(
    "text",
    [
        "Figure 2 shows the surface",
        "Figure 4(a) and (b) present the",
        "Figure 4(A) shows UV spectra",
        "Fig. 3, the modulus",
        "Fig. 2)41. Subthreshold",
        "Figure 9のような構造",
        "図 3 に示す",
        "Scheme 1 and Table 2",
    ],
)
def test_mentions_are_refused(text: str) -> None:
    label = read_label(text)
    assert label is None or MENTION.match(text[label.end :])


@pytest.mark.parametrize(
    ("caption", "stem", "parts"),
    [
        ("Figure 1. SEM of: (a) PP; (b) PA6.", "SEM of", [("a", "PP"), ("b", "PA6")]),
        ("Fig. 3. SEM micrographs of (a) one and (b) two.", "SEM micrographs of", [("a", "one"), ("b", "two")]),
        (
            "Figure 2. Images (a) and (b) before, (c) after etching.",
            "Images",
            [("a", "before"), ("b", "before"), ("c", "after etching")],
        ),
        (
            "Figure 2. Images: (a-c) at 10 °C; (d) at 20 °C.",
            "Images",
            [(x, "at 10 °C") for x in "abc"] + [("d", "at 20 °C")],
        ),
        ("Fig. 4. Surfaces: a) raw, b) etched.", "Surfaces", [("a", "raw"), ("b", "etched")]),
        ("Fig. 1. A: first wave. B: second wave.", "", [("A", "first wave"), ("B", "second wave")]),
        ("Figure 3. Left: spectra. Right: photographs.", "", [("Left", "spectra"), ("Right", "photographs")]),
        (
            "Figure 2. Friction of poly(MPC) (a) and brushes (b) in air.",
            "Friction. in air",
            [("a", "poly(MPC)"), ("b", "brushes")],
        ),
        (
            "Figure 5. SEM of (a) X; (b) Y. Scale bars are 2 µm.",
            "SEM of. Scale bars are 2 µm",
            [("a", "X"), ("b", "Y")],
        ),
        (
            "Figure 1. (a) Way of making; (b) SEM image of a film; TEM (c) and HR-TEM images (d,e) of particles.",
            "",
            [
                ("a", "Way of making"),
                ("b", "SEM image of a film"),
                ("c", "TEM of particles"),
                ("d", "HR-TEM images of particles"),
                ("e", "HR-TEM images of particles"),
            ],
        ),
        ("Figure 5. Blends: (a1) X; (a2) Y; (b1) Z.", "Blends", [("a1", "X"), ("a2", "Y"), ("b1", "Z")]),
        ("Figure 5. SEM micrograph of poly(L-lactide) (P) blend.", "SEM micrograph of poly(L-lactide) (P) blend", []),
    ],
)
def test_captions_are_taken_apart(caption: str, stem: str, parts: list[tuple[str, str]]) -> None:
    found = split_caption(caption)
    assert found.stem == stem
    assert list(found.panels) == parts


@given(st.text(max_size=400))
def test_no_text_breaks_the_readers(text: str) -> None:
    for number, _ in enumerate(split_caption(text).panels):
        assert number < 26
    found = parse_composition(text)
    if found is not None:
        assert text[found.start : found.end] == found.text
        assert len(found.components) == len(found.ratio)
    scale = scale_in_caption(text)
    assert scale is None or scale.value_um > 0


NAMES = st.sampled_from(["PP", "PA6", "PLA", "PBAT", "HDPE", "PP-g-MA", "EPDM", "PS", "nylon 6", "SEBS"])


@given(
    st.lists(NAMES, min_size=2, max_size=4, unique=True),
    st.data(),
    st.sampled_from(["{n} ({r})", "{n} {r}", "{r} {n} blends", "{n} blends (w/w = {r})", "{n} = {r}"]),
    st.sampled_from(["/", ":"]),
)
def test_compositions_are_read_as_written(names: list[str], data: st.DataObject, form: str, sign: str) -> None:
    ratio = data.draw(st.lists(st.integers(1, 99), min_size=len(names), max_size=len(names)))
    text = "SEM of " + form.format(n="/".join(names), r=sign.join(map(str, ratio)))
    found = parse_composition(text)
    assert found is not None, text
    assert found.components == tuple(names)
    assert found.ratio == tuple(map(float, ratio))


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("PLA/PBAT 80:20 wt%", "wt%"),
        ("PET/HDPE (20:80 wt.-%) blend", "wt%"),
        ("LDPE/PS 80/20 w/w", "wt%"),
        ("PS/PB (30/70 vol%)", "vol%"),
        ("PP/PA6 (70/30)", None),
    ],
)
def test_units(text: str, unit: str | None) -> None:
    found = parse_composition(text)
    assert found is not None
    assert found.unit == unit


@pytest.mark.parametrize(
    "text", ["", None, "at 1/2 speed", "PP/PA6/SEBS (70/30)", "see Fig/Table 70/30", "SEM/TEM images"]
)
def test_no_composition(text: str | None) -> None:
    assert parse_composition(text) is None


def test_the_stem_names_what_a_panel_only_numbers() -> None:
    found = panel_composition("...", "SEM micrographs of the PPDO/PLGA blends", "70/30")
    assert found is not None
    assert (found.components, found.ratio) == (("PPDO", "PLGA"), (70.0, 30.0))
    own = panel_composition("...", "SEM micrographs of PP/PS (50/50)", "PP/PS (90/10)")
    assert own is not None
    assert own.ratio == (90.0, 10.0)


@pytest.mark.parametrize(
    ("text", "micrometres"),
    [
        ("Scale bar = 10 µm.", 10.0),
        ("The scale bars are 200 nm", 0.2),
        ("scale bar: 5 μm", 5.0),
        ("Bars represent 50 um", 50.0),
        ("with a 10-µm bar", 10.0),
        ("Scale bar of 1 mm", 1000.0),
        ("scale bar in (a) 5 µm, scale bar in (b) 10 µm: bar = 5 µm; bar = 10 µm", None),
        ("droplets of 10 µm", None),
        ("pressure of 3 bar and 5 µm films", None),
        (None, None),
        ("Scale bar: 1 µm for (A1, B2), 2 µm for C3 and 200 nm for all others", None),
        ("Scale bars are 5 µm for the blends and 200 nm for the films", None),
        ("Scale bars: 10 µm in the images of films with 50 nm thickness", 10.0),
        ("Scale bar 10 µm in all images, films cast on glass and 50 nm in thickness", 10.0),
        ("Bars 1 µm in panels of PS films, 100 nm in thickness", 1.0),
    ],
)
def test_scales_in_words(text: str | None, micrometres: float | None) -> None:
    found = scale_in_caption(text)
    assert (found.value_um if found else None) == micrometres


def test_words_broken_at_a_line_end() -> None:
    known = frozenset({"polymerization", "oxygen-rich"})
    assert join_lines(["the polymeriz-", "ation of an oxygen-", "rich un-", "seen word"], known) == (
        "the polymerization of an oxygen-rich un- seen word"
    )


@pytest.mark.parametrize(
    ("caption", "count"),
    [
        ("Fig. 1 SEM image of the copper pattern", 1),
        ("Fig. 1 Micrograph of a blend", 1),
        ("Fig. 1 SEM images of the copper pattern", None),
        ("Fig. 1 SEM image of the pattern (left) and of the film (right)", 2),
        ("Fig. 1 Image of the film and enlarged view", None),
        ("Fig. 1 SEM image of the blend before and after annealing", None),
        ("Fig. 1 Image of blends of 10, 20, 30 % clay", None),
        ("Fig. 1 Sizes by image analysis", None),
        ("Fig. 1 Blends of PP and PE", None),
        ("Fig. 1 (a) Image of one, (b) of the other", 2),
    ],
)
def test_how_many_panels_a_caption_names(caption: str, count: int | None) -> None:
    assert split_caption(caption).count == count
