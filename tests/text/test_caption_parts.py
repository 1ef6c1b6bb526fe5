"""Captions taken apart over every notation, alphabet and number of panels, and the scales they state."""

from __future__ import annotations

import random
import re
from string import ascii_lowercase

import pytest
from caption_words import ALPHABETS, NOTATIONS, PARTS, panel_words, ranged
from hypothesis import given
from hypothesis import strategies as st

from polydata.text.caption_marks import split_names
from polydata.text.caption_scales import panel_scale, scale_in_caption
from polydata.text.captions import split_caption

LISTS = ("SEM images of", "Curves for", "Sizes of drops after annealing of", "Patterns from", "Fracture of the")
"""What lists of panels within a caption begin with."""


def plain(text: str | None) -> list[str]:
    return re.findall(r"\w+", text or "")


@pytest.mark.parametrize("notation", NOTATIONS)
@given(data=st.data(), count=st.integers(2, 6), seed=st.integers(0, 10_000))
def test_every_notation(notation: str, data: st.DataObject, count: int, seed: int) -> None:
    alphabet = data.draw(st.sampled_from(NOTATIONS[notation][3]))
    true = panel_words(random.Random(seed), notation, alphabet, count)
    found = split_caption(true.caption)
    assert [label for label, _ in found.panels] == [label for label, _ in true.panels], true.caption
    for (_, words), (_, own) in zip(found.panels, true.panels, strict=True):
        assert plain(words) == plain(own), true.caption


@given(
    st.lists(st.tuples(st.sampled_from(LISTS), st.integers(1, 3)), min_size=2, max_size=4),
    st.sampled_from(("({})", "{})", "[{}]")),
    st.sampled_from((". ", ".\n")),
)
def test_lists_within_a_caption(lists: list[tuple[str, int]], form: str, end: str) -> None:
    """Each list has words of its own, which are said of all that it lists and of nothing else."""
    letters, words = (
        iter("abcdefghijkl"),
        iter(
            f"PA6/{name}" for name in ["PP", "PE", "PS", "PVC", "PET", "PLA", "PBS", "PCL", "PEO", "PAN", "PU", "EVA"]
        ),
    )
    sentences, true = [], []
    for lead, count in lists:
        own = [(next(letters), next(words)) for _ in range(count)]
        listed = [f"{form.format(letter)} {word}" for letter, word in own]
        sentences.append(f"{lead} {', '.join(listed[:-1])}{' and ' if count > 1 else ''}{listed[-1]}")
        true += [(letter, f"{lead} {word}") for letter, word in own]
    found = split_caption(f"Figure 3. {end.join(sentences)}.")
    assert list(found.panels) == true, sentences
    assert not found.stem


@given(
    st.sampled_from(("-", "–", "—", "~", "∼", " to ", " - ", "～")),
    st.integers(2, 4),
    st.sampled_from(("small", "capital", "cyrillic", "number")),
    st.sampled_from(("({r}) {w}; ({s}) {v}.", "({r}: {w}; {s}: {v}).", "[{r}] {w}; [{s}] {v}.", "{r}) {w}; {s}) {v}.")),
    st.booleans(),
)
def test_ranges(dash: str, first: int, alphabet: str, form: str, each: bool) -> None:
    letters = ALPHABETS[alphabet]
    if alphabet == "number":
        form = "({r}) {w}; ({s}) {v}."
    if each and ":" not in form:  # "(a)-(c)" for "(a-c)"
        sign = form[form.index("}") + 1]
        dash = f"{sign}{dash}{form[0] if form[0] != '{' else ''}"
    text = form.format(r=ranged(letters[:first], dash), s=ranged(letters[first:], dash), w=PARTS[0], v=PARTS[1])
    found = split_caption(f"Fig. 2. SEM images of the samples {text}")
    assert list(found.labels) == letters
    assert [words for _, words in found.panels] == [PARTS[0]] * first + [PARTS[1]] * (6 - first)


@pytest.mark.parametrize(
    ("caption", "panels"),
    [
        (
            "PP (top left), PA6 (top right), 70/30 (bottom left) and 60/40 (bottom right)",
            [("Top left", "PP"), ("Top right", "PA6"), ("Bottom left", "70/30"), ("Bottom right", "60/40")],
        ),
        ("Blends: left: neat PP; right: PP/PA6.", [("Left", "neat PP"), ("Right", "PP/PA6")]),
        (
            "SEM images of a neat PP, b PP with SEBS and c the blend.",
            [("a", "neat PP"), ("b", "PP with SEBS"), ("c", "the blend")],
        ),
        (
            "(a) Curves of the blends and SEM images of (b) PP and (c) PA6; (d) sizes of drops.",
            [
                ("a", "Curves of the blends"),
                ("b", "SEM images of PP"),
                ("c", "SEM images of PA6"),
                ("d", "sizes of drops"),
            ],
        ),
        (
            "a Scheme of the device and b structure of each layer. TEM images of (c, e) PP and (d, f) PA6 films.",
            [
                ("a", "Scheme of the device"),
                ("b", "structure of each layer"),
                ("c", "TEM images of PP"),
                ("d", "TEM images of PA6 films"),
                ("e", "TEM images of PP"),
                ("f", "TEM images of PA6 films"),
            ],
        ),
        (
            "SEM images of (a) PP; (b) PA6; (c) the blend; (d) a fracture of it.",
            [("a", "PP"), ("b", "PA6"), ("c", "the blend"), ("d", "a fracture of it")],
        ),
        ("(a, a') PP; (b, b') PA6.", [("a", "PP"), ("a'", "PP"), ("b", "PA6"), ("b'", "PA6")]),
        (
            "a, b SEM images of PP. c TEM image. d–f Plots.",
            [*((x, "SEM images of PP") for x in "ab"), ("c", "TEM image"), *((x, "Plots") for x in "def")],
        ),
        (
            "SEM images of neat PP (A) and the blend (B, C); TEM images of the film (D).",
            [
                ("A", "SEM images of neat PP"),
                *((x, "SEM images of the blend") for x in "BC"),
                ("D", "TEM images of the film"),
            ],
        ),
        (
            "(a) SEM image and (b, c) TEM images of PP. Circles in (b) mark pores.",
            [("a", "SEM image of PP"), ("b", "TEM images of PP. Circles in (b) mark pores"), ("c", "TEM images of PP")],
        ),
        (
            "Blends (awc: at 8 K/s; dwf: at 10 K/s)",
            [*((x, "at 8 K/s") for x in "abc"), *((x, "at 10 K/s") for x in "def")],
        ),
        (
            "(a1-c1) SEM images of powders; (a2-c2) boxed zones in a1-c1. (d) XRD patterns",
            [
                *((f"{x}1", "SEM images of powders") for x in "abc"),
                *((f"{x}2", "boxed zones in a1-c1") for x in "abc"),
                ("d", "XRD patterns"),
            ],
        ),
        (
            "(a) SEM image of PP (the bar in (a-c) is 5 µm), (b) TEM image of PLA, (c) EDX map of Si.",
            [("a", "SEM image of PP (the bar in (a-c) is 5 µm)"), ("b", "TEM image of PLA"), ("c", "EDX map of Si")],
        ),
        (
            "SEM of (A, C) PP and (B, C) PA6 cells",
            [("A", "PP"), ("B", "PA6 cells"), ("C", "PP")],
        ),
        ("PLA (a) for 5 min, PCL (b) for 10 min.", [("a", "PLA for 5 min"), ("b", "PCL for 10 min")]),
        ("PLA (a), PCL (b) and their blend (c) of 70/30", [("a", "PLA"), ("b", "PCL"), ("c", "their blend of 70/30")]),
        ("Modulus of PP (P) and of PA6 as in eq. (1) and eq. (2)", []),
        (
            "TEM image (a), EFTEM image (b) with an inset, and HRTEM image (c) for annealed PP. (d) FFT of (c).",
            [
                ("a", "TEM image"),
                ("b", "EFTEM image with an inset"),
                ("c", "HRTEM image for annealed PP"),
                ("d", "FFT of (c)"),
            ],
        ),
        (
            "(a) Yield of PP and the spectrum of annealed PP at (b) 65 °C and (c) 70 °C",
            [("a", "Yield of PP"), *((x, f"the spectrum of annealed PP at {t} °C") for x, t in (("b", 65), ("c", 70)))],
        ),
        (
            "(a) SEM image of x. (b) TEM image of y. (c) z",
            [("a", "SEM image of x"), ("b", "TEM image of y"), ("c", "z")],
        ),
    ],
)
def test_special_captions(caption: str, panels: list[tuple[str, str]]) -> None:
    assert list(split_caption("Figure 3. " + caption).panels) == panels


@pytest.mark.parametrize("name", [*ascii_lowercase, "а", "и", "я"])
def test_every_letter_is_a_name(name: str) -> None:
    """Also those that join names in some language."""
    assert split_names(name) == (name,)
    assert split_names(f"{name}, a") == (name, "a") and split_names(f"a and {name}") == ("a", name)


LENGTHS = st.tuples(st.integers(1, 900), st.sampled_from(("nm", "µm", "μm", "um", "mm")))


@given(
    LENGTHS,
    LENGTHS,
    st.sampled_from(
        (
            "Scale bars: {0} (a), {1} (b).",
            "Bar = {0} in (a) and {1} in (b).",
            "Scale bars: a, {0}; b, {1}.",
            "Scale bars, {0} (a); {1} (b).",
            "Scale bars: (a) {0}, (b) {1}.",
            "The scale bars are {0} in a and {1} in b.",
        )
    ),
)
def test_two_scales_go_each_to_its_panel(one: tuple[int, str], other: tuple[int, str], form: str) -> None:
    texts = [f"{value} {unit}" for value, unit in (one, other)]
    caption = "Fig. 1. SEM images: (a) PP/PA6 90/10; (b) PP/PA6 80/20. " + form.format(*texts)
    parts = split_caption(caption)
    for label, (value, unit) in (("a", one), ("b", other)):
        scale = panel_scale(parts.own(label), parts.stem, caption, label)
        assert scale is not None and scale.value == value, caption
        assert scale.unit == {"um": "µm", "μm": "µm"}.get(unit, unit)
    assert panel_scale(None, parts.stem, caption, "c") is None


@pytest.mark.parametrize(
    "text",
    [
        "field of view 50 µm",
        "scale 5 µm × 5 µm",
        "Scale bar 10 nm-1",
        "Scale bar 10 nm⁻¹",
        "scale bar 5 1/nm",
        "Scale bar 10 lm",
        "Error bars 5 µm",
        "height scale 50 nm",
        "z-scale: 20 nm",
        "Scale bars, 10 and 2 µm, respectively",
        "scale: 50 µm wide",
        "scale: 20 µm across",
        "scales are 20 µm in width",
        "the scale is 20 µm for the width of the image",
        "scale 20 µm (field width)",
        "scale bar 10 pixels",
        "10 µm/div bar",
        "scale bars 3 µm2",
    ],
)
def test_what_is_no_length_of_a_bar(text: str) -> None:
    assert scale_in_caption(text) is None


def test_a_scale_within_the_words_of_another_panel_is_not_a_panels_own() -> None:
    caption = "Fig. 1. SEM: (a) PP, scale bar 5 µm; (b) PA6. "
    parts = split_caption(caption)
    scale = panel_scale(parts.own("a"), parts.stem, caption, "a")
    assert scale is not None and scale.value == 5
    assert panel_scale(parts.own("b"), parts.stem, caption, "b") is None


@given(st.text(max_size=300), st.sampled_from(("a", "b", None)))
def test_any_text_is_survived(text: str, label: str | None) -> None:
    split_caption("Figure 1. (a) " + text + " (b) " + text)
    scale_in_caption("Scale bars: " + text, label)


def test_capitals_may_begin_with_another_than_the_first() -> None:
    found = split_caption("Fig. 6 Blends with rubber (B) and clay (D). Untreated ones are controls (A and C).")
    assert found.labels == ("A", "B", "C", "D")
    assert dict(found.panels)["D"] == "clay"
    assert split_caption("Fig. 6 Blends with rubber (B) and clay (D).").labels == ()


def test_capitals_that_leave_a_gap_and_fill_it_later() -> None:
    """Pictures first, then the plots beside them; what is an abbreviation leaves its gap open."""
    said = split_caption("Fig. 1 Images. (A and B) cubes; (D and E) rods. Histograms of (C) 24 nm and (F) 45 nm.")
    assert dict(said.panels)["E"] == "rods" and list(said.labels) == list("ABCDEF")
    assert split_caption("Fig. 2 SEM of (A) polystyrene (PS), (B) type (I) and (C) glass (G)").labels == ("A", "B", "C")
    assert split_caption("Fig. 3 Image of blends of nylon (B) and the rubber (C) after annealing").labels == ()


@pytest.mark.parametrize(("words", "y"), [("(a, B) x and (A, C) y", "AC"), ("(b-D) x, (A, B) y", "AB")])
def test_letters_of_two_alphabets_fail_no_paper(words: str, y: str) -> None:
    found = dict(split_caption(f"Figure 1. Blends of {words}.").panels)
    assert "".join(letter for letter, said in found.items() if said == "y") == y


@pytest.mark.parametrize(
    ("caption", "own"),
    [
        ("Fig. 1 Particles a with K added, b with G added, and c without any", "with K added|with G added|without any"),
        ("Fig. 2 Surfaces polished at a pH 4, b pH 7, and c pH 10", "pH 4|pH 7|pH 10"),
        ("Fig. 3 Scratches on a -silica and b -nitride after polishing", "silica|nitride after polishing"),
        ("Fig. 4 SEM image of a blend with a minor phase in a matrix of PE", ""),
        ("Fig. 4 Lattice constants a and b with temperature", ""),
        ("Fig. 4 Dependence of a on b at 20 C", ""),
        ("Fig. 4 PLA blends, with a in-situ fibrillated PET and in b after heating", ""),
        ("Fig. 4 PLA as a by-product and b for blends of PE", ""),
        ("Fig. 4 TEM images from a single batch, b after etching", ""),
        ("Fig. 5 (A) gels. (B, top) UV light; (bottom) stained. (C) TEM", "gels|UV light; (bottom) stained|TEM"),
    ],
)
def test_letters_that_type_alone_sets_apart_and_places_beside_letters(caption: str, own: str) -> None:
    assert "|".join(words or "" for _, words in split_caption(caption).panels) == own


SAMPLES = ("PP", "PA6", "PP/PA6", "neat PLA", "PLA with 2 wt% SMA", "Co3O4-Bi2O3")
WAYS = ("TEM", "HR-TEM", "EDX", "STEM", "EELS")


def listed(words: list[str], names: list[str]) -> str:
    """Words each before its mark: "x (a), y (b) and z (c)"."""
    marked = [f"{word} ({name})" for word, name in zip(words, names, strict=True)]
    return " and ".join(filter(None, (", ".join(marked[:-1]), marked[-1])))


@given(
    st.lists(st.sampled_from(SAMPLES), min_size=2, max_size=4, unique=True),
    st.lists(st.sampled_from(WAYS), min_size=2, max_size=4, unique=True),
    st.sampled_from(["of", "images of", "micrographs of"]),
    st.sampled_from([". ", " "]),
    st.booleans(),
)
def test_lists_that_share_their_first_words_or_their_last(
    samples: list[str], ways: list[str], shared: str, between: str, before: bool
) -> None:
    """ "SEM of x (a), y (b). TEM (c) and EDX (d) images of z", or the first list with its marks before its words."""
    names = list("abcdefgh"[: len(samples) + len(ways)])
    first, second = names[: len(samples)], names[len(samples) :]
    text = f"SEM of {listed(samples, first)}"
    if before:
        between = ". "
        text = f"SEM of {', '.join(f'({name}) {one}' for name, one in zip(first, samples, strict=True))}"
    found = split_caption(f"Fig. 2. {text}{between}{listed(ways, second)} {shared} a blend.")
    assert found.labels == tuple(names) and found.stem in ("", "SEM")
    own = dict(found.panels)
    for name, one in zip(first, samples, strict=True):
        assert own[name] in (one, f"SEM of {one}") and (own[name] != one or found.stem)
    for name, one in zip(second, ways, strict=True):
        assert own[name] == f"{one} {shared} a blend"


@given(
    st.integers(2, 6),
    st.integers(0, 10_000),
    st.sampled_from(("small", "capital")),
    st.sampled_from(("shows", "represents", "corresponds to", "are presenting", "is shown for")),
    st.booleans(),
)
def test_sentences_about_letters(count: int, seed: int, alphabet: str, verb: str, paired: bool) -> None:
    """ "A and B are presenting x, C and D are presenting y": the panels that a sentence begins with have its words."""
    letters, words = iter("abcdefghijkl" if alphabet == "small" else "ABCDEFGHIJKL"), random.Random(seed)
    said, true = [], []
    for part in words.sample(PARTS, count):
        own = [next(letters) for _ in range(2 if paired else 1)]
        said.append(f"{' and '.join(own)} {verb} {part}")
        true += [(letter, plain(f"{verb} {part}")) for letter in own]
    caption = f"Figure 5. Morphology of the samples. {', '.join(said[:-1])}, and {said[-1]}."
    assert [(letter, plain(own)) for letter, own in split_caption(caption).panels] == true, caption


@pytest.mark.parametrize(
    ("caption", "letters"),
    [
        ("SEM of (a) PLA and (b) PCL. A, B, C and D are the phases.", "ab"),
        ("(1) PLA; (2) PCL. A shows the melt, and B shows the crystal.", "12"),
        ("(i) PLA and (ii) PCL. A and B represent constants.", "iii"),
        ("Arrhenius plot. A is the prefactor while B is the activation energy.", ""),
        ("TEM of ABC triblock terpolymer, A is polystyrene, B is polybutadiene and C is P2VP.", ""),
        ("SEM image of the fracture surface: A shows the mirror zone, B shows mist.", ""),
        ("SEM of blend (A is PLA; B is PCL).", ""),
    ],
)
def test_sentences_about_symbols_and_zones_name_no_panels(caption: str, letters: str) -> None:
    assert "".join(label for label, _ in split_caption(caption).panels) == letters


@pytest.mark.parametrize(
    ("caption", "own"),
    [
        ("SEM images of anatase (a) and rutile (b) grains.", "anatase|rutile"),
        (
            "(a), (d) topography and (b), (e) out-of-plane and (c), (f) in-plane.",
            "topography|out-of-plane|in-plane" * 2,
        ),
        ("TEM of p-TiO2 (a) and m-TiO2 (c); HRTEM of p-TiO2 (b) and m-TiO2 (d).", "p-TiO2|p-TiO2|m-TiO2|m-TiO2"),
        ("Figure 1 e Images of (a) PLA and (b) PBS.", "PLA|PBS"),
        (
            "(a) Boutons as in the images (c). (b) A region. (c) Magnified images. (d) Pores.",
            "Boutons|region|Magnified|Pores",
        ),
        ("(a) Boutons as in (c, d). (c, d) Magnified images. (b) A region.", "Boutons|region|Magnified|Magnified"),
    ],
)
def test_letters_in_any_order_and_words_around_them(caption: str, own: str) -> None:
    found = split_caption(caption)
    assert [label for label, _ in found.panels] == list("abcdef"[: len(found.panels)])
    assert all(
        word in (words or "")
        for (_, words), word in zip(found.panels, re.split(r"\||(?<=plane)(?=top)", own), strict=True)
    )
