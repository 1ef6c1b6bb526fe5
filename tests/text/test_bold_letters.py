"""Letters of panels that nothing but bold type sets apart, drawn at random."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polydata.text.caption_marks import bracketed
from polydata.text.captions import split_caption

WORDS = ["neat", "film", "before", "after", "blend", "SEM", "TEM", "image", "of", "the", "a", "with", "in", "NPS", "x"]
WRITTEN = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)


@st.composite
def captions(draw: st.DrawFn) -> tuple[str, list[tuple[int, int]], list[tuple[str, str]]]:
    """A caption without brackets, where its bold parts stand, and the words of each letter."""
    count = draw(st.integers(2, 6))
    letters = "ABCDEF" if draw(st.booleans()) else "abcdef"
    title, sign = draw(WRITTEN), draw(st.sampled_from(["", ".", ";", ","]))
    text, bold = f"Images of {title}{sign}", [(0, 9)] if draw(st.booleans()) else []
    panels = []
    for letter in letters[:count]:
        own = f"{draw(WRITTEN)} {letter}{letter.upper()}Z"
        start = len(text) + 1
        bold.append((start, start + 1))
        text += f" {letter} {own}{draw(st.sampled_from(['', ';', ',']))}"
        panels.append((letter, own))
    return text, bold, panels


@given(captions())
def test_each_panel_has_the_words_behind_its_bold_letter(
    drawn: tuple[str, list[tuple[int, int]], list[tuple[str, str]]],
) -> None:
    text, bold, panels = drawn
    told = bracketed(text, bold)
    assert re.findall(r"\w+", told) == re.findall(r"\w+", text)
    parts = split_caption(f"Fig. 1 {told}")
    assert parts.labels == tuple(letter for letter, _ in panels)
    for letter, own in panels:
        assert own.split()[-1] in (parts.own(letter) or "")
        foreign = [other for other in parts.labels if other != letter]
        assert not any(f" {other}{other.upper()}Z" in f" {parts.own(letter)}" for other in foreign)


@given(WRITTEN, st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)), max_size=5))
def test_bold_words_are_no_letters(text: str, places: list[tuple[int, int]]) -> None:
    """Whatever is bold: at most brackets are added, and none where fewer than two letters stand alone."""
    text = f"Fig. 2. {text} of P1 and P2 (b)"
    starts = sorted({min(start, len(text) - 1) for start, _ in places})
    bold = [
        (start, min([start + length, len(text), *(other for other in starts if other > start)]))
        for start, (_, length) in zip(starts, places, strict=False)
    ]
    told = bracketed(text, bold)
    assert told.replace("(", "").replace(")", "") == text.replace("(", "").replace(")", "")
    assert bracketed(text, [(8, 8 + 1)]) == text


def test_lists_whose_commas_are_not_bold_and_captions_that_tell_by_themselves() -> None:
    text = "a, c Growth on media b, d Reduction"
    assert bracketed(text, [(0, 1), (3, 4), (21, 22), (24, 25)]) == "(a, c) Growth on media (b, d) Reduction"
    for plain in ("a SEM. b TEM.", "Films (a) before and (b) after", "a, SEM image. b, TEM image."):
        letters = [match.span() for match in re.finditer(r"\b[ab]\b", plain)]
        assert bracketed(plain, letters) == plain
    assert bracketed("Title of it. a x b y", [(0, 14), (17, 18)]) == "Title of it. (a) x (b) y"
    assert bracketed("Blends a x b y at 20 c Scale bar", [(7, 8), (11, 12)]) == "Blends (a) x (b) y at 20 c Scale bar"


@pytest.mark.parametrize("last", "zZ")
def test_the_last_letter_of_the_alphabet_and_symbols(last: str) -> None:
    first = "a" if last == "z" else "A"
    text = f"Blends {first}-{last} x"
    assert bracketed(text, [(7, 10)]) == f"Blends ({first}-{last}) x"
    for plain in ("along the a axis and the b axis", "Lattice a = 5 of it b = 6", "Cut in a and b directions"):
        assert bracketed(plain, [match.span() for match in re.finditer(r"\b[ab]\b", plain)]) == plain


def test_many_bold_letters_are_read_at_once() -> None:
    text = ". a, b " * 6000
    start = time.process_time()
    bracketed(text, [match.span() for match in re.finditer(r"\ba\b", text)])
    assert time.process_time() - start < 1
