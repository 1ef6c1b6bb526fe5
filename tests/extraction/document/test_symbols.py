"""Signs of symbol fonts whose glyphs the PDF library does not know by name."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest

from polydata.extraction.document.open import pymupdf
from polydata.extraction.document.page import Sheet, read_page
from polydata.extraction.document.symbols import CATALOGUE, GREEK, STRAY, SYMBOL, TEX

Piece = tuple[str, bytes]
"""The name of a font on the page, and what is written in it."""


def read(fonts: Mapping[str, tuple[str, str]], pieces: Sequence[Piece]) -> str:
    """What is read of a line written in several fonts, each with its name and the differences of its encoding."""
    document = pymupdf.open()
    page = document.new_page(width=500, height=100)
    entries = []
    for name, (base, differences) in fonts.items():
        xref = document.get_new_xref()
        encoding = f"<</Type/Encoding/Differences[{differences}]>>" if differences else "/WinAnsiEncoding"
        document.update_object(xref, f"<</Type/Font/Subtype/Type1/BaseFont/{base}/Encoding {encoding}>>")
        entries.append(f"/{name} {xref} 0 R")
    document.xref_set_key(page.xref, "Resources", f"<</Font<<{' '.join(entries)}>>>>")
    content = b"".join(b"/%s 10 Tf <%s> Tj " % (name.encode(), text.hex().encode()) for name, text in pieces)
    contents = document.get_new_xref()
    document.update_object(contents, "<<>>")
    document.update_stream(contents, b"BT 1 0 0 1 20 50 Tm " + content + b"ET")
    page.set_contents(contents)
    again = pymupdf.open(stream=document.tobytes(), filetype="pdf")
    return " ".join(line.text for line in read_page(Sheet(again[0])).lines)


TEXT = ("Times-Roman", "")


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("font", "kind", "signs"),
    [("ABCDEF+MathematicalPi-One", "H", CATALOGUE), ("ABCDEF+AdvP4C4E74", "C", TEX), ("AdvPSSym", "C", SYMBOL)],
)
def test_signs_are_known_by_the_names_of_their_glyphs(font: str, kind: str, signs: dict[int, str], seed: int) -> None:
    rng = random.Random(seed)
    codes = rng.sample(sorted(signs), rng.randint(1, min(10, len(signs))))
    first = rng.randint(1, 14)  # a font of few signs begins anywhere among the places without a letter
    places = [first + at for at in range(len(codes))]
    differences = f"{first} " + " ".join(f"/{kind}{code}" for code in codes)
    pieces: list[Piece] = [
        ("F1", b"a"),
        *(piece for place in places for piece in (("F2", bytes([place])), ("F1", b"a"))),
    ]
    assert read({"F1": TEXT, "F2": (font, differences)}, pieces) == "a" + "".join(f"{signs[code]}a" for code in codes)


def test_a_caption_with_brackets_and_micrometres_of_a_catalogue() -> None:
    fonts = {"F1": TEXT, "F2": ("Universal-GreekwithMathPi", "2/H20849/H20850/H9262 9/H11005")}
    pieces = [("F1", b"FIG. 1. "), ("F2", b"\2"), ("F1", b"a"), ("F2", b"\3"), ("F1", b" PS, bar "), ("F2", b"\x09")]
    assert read(fonts, [*pieces, ("F1", b" 5 "), ("F2", b"\4"), ("F1", b"m")]) == "FIG. 1. (a) PS, bar = 5 µm"


@pytest.mark.parametrize("letter", [b"m", b"l"])
@pytest.mark.parametrize(
    ("before", "after", "other", "read_as"),
    [
        (b"bar 5 ", b"m).", "AdvP7DA6", "µ"),
        (b"bar 5-", b"m thick", "Helvetica", "µ"),
        (b"bar 5 ", b"m).", "Times-Roman", None),  # one font alone
        (b"bar 5 ", b"m).", "Times-Bold", None),  # of one family
        (b"the ", b"m).", "Helvetica", None),  # no number
        (b"5 ", b"mol", "Helvetica", None),  # no metre
    ],
)
def test_a_letter_of_a_font_of_its_own_before_a_metre_is_micro(
    letter: bytes, before: bytes, after: bytes, other: str, read_as: str | None
) -> None:
    said = read({"F1": TEXT, "F2": (other, "")}, [("F1", before), ("F2", letter), ("F1", after)])
    assert said == (before + (read_as or letter.decode()).encode("utf-8") + after).decode("utf-8")


def test_greek_by_latin_letters_in_a_typesetters_font() -> None:
    fonts = {"F1": TEXT, "F2": ("ABCDEF+AdvPi1", "")}
    for latin, greek in GREEK.items():
        assert read(fonts, [("F1", b"at "), ("F2", latin.encode()), ("F1", b" 10")]) == f"at {greek} 10"
        assert read({"F1": TEXT, "F2": TEXT}, [("F1", b"at "), ("F2", latin.encode())]) == f"at {latin}"


def test_fonts_of_one_name_that_do_not_agree_say_nothing() -> None:
    fonts = {
        "F1": ("AAAAAA+MathematicalPi-One", "2/H9262/H11005"),
        "F2": ("BBBBBB+MathematicalPi-One", "2/H11001/H11005"),
    }
    assert read(fonts, [("F1", b"\2"), ("F2", b"\3")]) == "="


@pytest.mark.parametrize(
    "differences",
    ["", "1/H", "1/H999999999", "x/H9262", "300/H9262", "1/H9262" * 5000, "1/H９２６２", "1/C2", "-1/H9262"],
)
def test_encodings_that_say_nothing_are_left(differences: str) -> None:
    assert "a" in read({"F1": TEXT, "F2": ("MathematicalPi-One", differences)}, [("F1", b"a"), ("F2", b"\2")])


def test_codes_that_stand_for_other_signs_in_files_of_some_makers() -> None:
    assert "͑a͒ 5 ␮m ϭ 2ϫ3 Ϯ 1 ϳ".translate(STRAY) == "(a) 5 µm = 2×3 ± 1 ~"
    assert "Рис. 1 р у и Ј ρ ϕ é".translate(STRAY) == "Рис. 1 р у и Ј ρ ϕ é"


def test_fonts_that_stand_in_their_page_or_whose_encoding_lies_elsewhere() -> None:
    document = pymupdf.open()
    page = document.new_page(width=500, height=100)
    array, encoding, font, contents = (document.get_new_xref() for _ in range(4))
    document.update_object(array, "[2/H9262]")
    document.update_object(encoding, f"<</Type/Encoding/Differences {array} 0 R>>")
    document.update_object(font, f"<</Type/Font/Subtype/Type1/BaseFont/MathematicalPi-One/Encoding {encoding} 0 R>>")
    own = "<</Type/Font/Subtype/Type1/BaseFont/Times-Roman>>"
    document.xref_set_key(page.xref, "Resources", f"<</Font<</F1 {own}/F2 {font} 0 R>>>>")
    document.update_object(contents, "<<>>")
    document.update_stream(contents, b"BT 1 0 0 1 20 50 Tm /F1 10 Tf (5 ) Tj /F2 10 Tf <02> Tj /F1 10 Tf (m) Tj ET")
    page.set_contents(contents)
    again = pymupdf.open(stream=document.tobytes(), filetype="pdf")
    assert [line.text for line in read_page(Sheet(again[0])).lines] == ["5 µm"]
