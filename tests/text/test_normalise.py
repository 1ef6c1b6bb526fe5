from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from polydata.text.normalise import clean, decode, fold
from polydata.text.quoted import split_quoted


def test_decodes_what_people_save() -> None:
    assert decode("\ufeffBlend µm\r\nx\ry".encode()) == "Blend µm\nx\ny"
    assert decode("5 µm – café".encode("cp1252")) == "5 µm – café"
    assert decode("key,ü".encode("utf-16")) == "key,ü"
    assert decode("5 µm\n".encode() + "café – x".encode("cp1252")) == "5 µm\ncafé – x"


def test_cleans_entities_and_empty_words() -> None:
    assert clean("Ny 6&slash;LDPE &amp; N\u00a0\tx\u200b") == "Ny 6/LDPE & N x"
    assert [clean(t) for t in ("", "None", " n/a ", "-", "\x00")] == [None] * 5


def test_folds_accents_and_dashes() -> None:
    assert fold("Ozdilek–Müller  A") == "ozdilek-muller a"


@given(st.binary(max_size=300), st.text(max_size=300))
def test_any_bytes_and_text_are_read(data: bytes, text: str) -> None:
    decode(data)
    clean(text)
    split_quoted(text)


def test_takes_captions_apart() -> None:
    parts = split_quoted("Fig. 4. SEM of PP/PA: (a) 70/30; (b) 50/50, and (c) 30/70.")
    assert (parts.number, parts.stem) == ("4", "SEM of PP/PA")
    assert parts.panels == (("a", "70/30"), ("b", "50/50"), ("c", "30/70"))
    assert parts.own("b") == "50/50"
    assert parts.only is None


def test_takes_letters_that_follow_their_words() -> None:
    parts = split_quoted("SEM micrographs of neat blends (a); blends with 1 wt% of MWNT (b)")
    assert parts.own("b") == "blends with 1 wt% of MWNT"


def test_takes_letters_without_brackets() -> None:
    assert split_quoted("SEM images of fracture surface, of a: PN0").only == "a"
    assert split_quoted("Micrographs of the blends: a PLAPCL, b PLA(PLA-g-MA), and d PLA").own("d") == "PLA"
    assert split_quoted("SEM of a blend of PP and PA").panels == ()


def test_a_caption_of_one_panel_names_it() -> None:
    parts = split_quoted("SEM micrographs of the PA6/PC/EP blends: (b) S1-1.0")
    assert (parts.only, parts.own(None), parts.stem) == ("b", "S1-1.0", "SEM micrographs of the PA6/PC/EP blends")
