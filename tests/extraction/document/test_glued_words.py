"""Words of a line that stand closer together than the PDF library takes for a gap."""

from __future__ import annotations

import random

import pymupdf
import pytest

from polydata.extraction.document.lines import FLAGS, take_lines
from polydata.types import Box

WORDS = [
    *("optical", "micrograph", "of", "aligned", "carbon", "nanotubes", "in", "the"),
    *("matrix", "after", "annealing", "with", "and", "without", "filler"),
]


def written(words: list[str], gap: float, size: float, font: str) -> str:
    """A line of words with gaps of so many times the type's size, as it is read."""
    document = pymupdf.open()
    page, x = document.new_page(width=900, height=100), 20.0
    for word in words:
        page.insert_text((x, 50), word, fontsize=size, fontname=font)
        x += pymupdf.get_text_length(word, fontname=font, fontsize=size) + gap * size
    return " ".join(line.text for line in take_lines(page.get_textpage(FLAGS), Box(0, 0, 900, 100), page))


@pytest.mark.parametrize("font", ["helv", "tiro", "cour"])
@pytest.mark.parametrize("gap", [0.09, 0.11, 0.13, 0.3])
def test_words_that_stand_close_are_words(gap: float, font: str) -> None:
    rng = random.Random(f"{gap}{font}")
    for _ in range(10):
        words = rng.sample(WORDS, rng.randint(7, 9))
        assert written(words, gap, rng.choice([7.0, 8.5, 10.0]), font) == " ".join(words)


@pytest.mark.parametrize("word", ["eicosamethylcyclodecasiloxane", "pentamethyldiethylenetriamine"])
def test_one_long_word_stays_one(word: str) -> None:
    assert written([word], 0.1, 9.0, "tiro") == word
    assert written([word, "in", "toluene"], 0.12, 9.0, "helv") == f"{word} in toluene"


@pytest.mark.parametrize(
    "text", ["polytetrafluoroethylene with emphasis", "polytetrafluoroethylene at 1.50 and 12.25 mol"]
)
@pytest.mark.parametrize("apart", [0.0, 0.09])
def test_letters_and_digits_that_stand_apart_are_no_words(text: str, apart: float) -> None:
    """The last word of a line is set with space between its signs; numbers have gaps of their own."""
    *first, last = text.split()
    document = pymupdf.open()
    page, x = document.new_page(width=900, height=100), 20.0
    for piece in [*(f"{word} " for word in first), *last]:
        page.insert_text((x, 50), piece, fontsize=10, fontname="helv")
        x += pymupdf.get_text_length(piece, fontname="helv", fontsize=10) + (apart * 10 if len(piece) == 1 else 0)
    assert [line.text for line in take_lines(page.get_textpage(FLAGS), Box(0, 0, 900, 100), page)] == [text]
