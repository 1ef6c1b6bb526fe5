"""Labels in every language, qualifier, number style and misreading; and what is none."""

from __future__ import annotations

import pytest
from caption_words import LABEL_WORDS, MISREAD, NUMBERS, SIGNS, WORDS
from hypothesis import given
from hypothesis import strategies as st

from polydata.text.figure_labels import UNKNOWN, is_label_alone, read_label


@given(st.sampled_from(LABEL_WORDS), st.sampled_from(NUMBERS), st.sampled_from(SIGNS), st.sampled_from(WORDS))
def test_any_word_with_any_number(word: str, number: str, sign: str, words: str) -> None:
    printed = f"{word} {number}"
    label = read_label(printed + sign + words)
    assert label is not None
    assert label.text == printed
    assert label.end == len(printed)
    assert is_label_alone(printed + sign.rstrip())


@given(st.sampled_from(LABEL_WORDS), st.integers(1, 99), st.sampled_from(("", "-", "- ", ".", " ")))
def test_numbers_are_compared_without_their_style(word: str, number: int, joint: str) -> None:
    one, other = read_label(f"{word.rstrip('.')}{joint}{number}: SEM"), read_label(f"{word} ({number}). SEM")
    assert one is not None and other is not None
    assert (one.word, one.number) == (other.word, other.number)


@pytest.mark.parametrize(("text", "printed"), MISREAD)
def test_misread_labels_are_mended(text: str, printed: str) -> None:
    label = read_label(text + "SEM image of the blend")
    assert label is not None and label.text == printed


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Figure1SEMimageofPP/PA6", "1"),
        ("Fig.12TEMmicrographs", "12"),
        ("图1断面形貌", "1"),
        ("그림 2. 사진", "2"),
        ("figure 4. Micrographs", "4"),
        ("fig. 4: micrographs", "4"),
        ("Figs. 1 and 2. SEM", "1and2"),
        ("1. ábra. SEM", "1"),
        ("Supplementary Fig. 1 | SEM", "s1"),
        ("Figure S1. SEM", "s1"),
        ("Extended Data Fig. 2 | SEM", "e2"),
        ("Additional file 1: Figure S2. SEM", "s2"),
        ("Fig. 1. 1H NMR", "1"),
        ("Figure 1 X-ray patterns", "1"),
    ],
)
def test_numbers(text: str, number: str) -> None:
    label = read_label(text)
    assert label is not None and label.number == number


@pytest.mark.parametrize(
    "text",
    [
        "Figures show",
        "Sample 1. SEM",
        "Pig iron 3",
        "figure a.1",
        "In Fig. 3 the",
        "1.5 mm",
        "Imagine 3",
        "Barium 2. x",
        "fig. i",
        "",
    ],
)
def test_no_labels(text: str) -> None:
    assert read_label(text) is None


@given(st.text(max_size=120))
def test_any_text_is_read(text: str) -> None:
    label = read_label(text)
    assert label is None or 0 < label.end <= len(text)
    UNKNOWN.match(text)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Fig. 1_Pin-on-disk tester of", "Fig. 1"),
        ("Fig. l_Pin-on-disk tester of", "Fig. 1"),
        ("Rg. 4---Comparison of", "Fig. 4"),
        ("Hg. 3. SEM", "Fig. 3"),
        ("Fig, 3. SEM", "Fig. 3"),
        ("Flg. 4Comparlson of", "Fig. 4"),
        ("Flgure 10The blends", "Figure 10"),
        ("Fig. 3_1.tif", None),
        ("Fig. 12_Sample.png", None),
        ("Figure 3_final", None),
        ("Hg. 20 mm", None),
        ("Hg 3 SEM", None),
        ("Pg. 12. The", None),
        ("Kg. 5. The mass", None),
    ],
)
def test_labels_that_ocr_misread(text: str, label: str | None) -> None:
    found = read_label(text)
    assert (found and found.text) == label
