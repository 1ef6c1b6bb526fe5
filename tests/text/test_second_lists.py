"""Captions that name their panels twice, tell scales by letters, or name panels behind the words of a sentence."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from polydata.text.captions import split_caption

LETTERS = "abcdefghi"
WORD = st.sampled_from(
    ["PP", "PA6/ABS", "etched blends", "the matrix", "10 wt%", "quenched films", "fibres", "LDPE 70/30"]
)


def named(letters: str) -> str:
    """A mark for some letters, as authors write it."""
    return (
        f"({letters[0]}–{letters[-1]})"
        if len(letters) > 2 and ord(letters[-1]) - ord(letters[0]) == len(letters) - 1
        else f"({', '.join(letters)})"
    )


@given(st.integers(2, 3), st.integers(2, 3), st.data())
def test_a_second_list_adds_its_words_to_each_panel(rows: int, columns: int, data: st.DataObject) -> None:
    letters = LETTERS[: rows * columns]
    first = [letters[row * columns : (row + 1) * columns] for row in range(rows)]
    second = [letters[column::columns] for column in range(columns)]
    if data.draw(st.booleans()):
        first, second = second, first
    words = data.draw(st.lists(WORD, min_size=6, max_size=6, unique=True))
    said, again = words[: len(first)], words[3 : 3 + len(second)]
    preposition = data.draw(st.sampled_from(["of", "at", "with", "after"]))
    one = " and ".join(f"{named(some)} {text}" for some, text in zip(first, said, strict=True))
    other = ", ".join(f"{named(some)} {text}" for some, text in zip(second, again, strict=True))
    parts = split_caption(f"Fig. 3. TEM images: {one} {preposition} {other}.")
    assert parts.labels == tuple(letters)
    for label, own in parts.panels:
        mine = next(text for some, text in zip(first, said, strict=True) if label in some)
        also = next(text for some, text in zip(second, again, strict=True) if label in some)
        assert own == f"{mine} {preposition} {also}"


@given(st.integers(1, 3), st.integers(2, 4), st.sampled_from(["({})", "{},", "{}:"]), st.data())
def test_panels_named_together_and_then_one_by_one(groups: int, size: int, mark: str, data: st.DataObject) -> None:
    """ "(a-c) x. (a) y, (b) z, (c) w. (d-f) ...": a group's own list, in one notation of three."""
    letters = "ABCDEFGHIJKL"[: groups * size]
    bracketed = mark == "({})"
    letters = letters.lower() if bracketed else letters
    sign, end = ("[.:] ", ", ") if bracketed else ("[.] ", ". ")
    words = data.draw(st.permutations([f"Sample {n} of 70/30" for n in range(len(letters))]))
    text, expected = "", []
    for group in range(groups):
        own = letters[group * size : (group + 1) * size]
        shared = data.draw(st.sampled_from(["SEM images of blends", "Fracture surfaces", "TEM of PP/PA6"]))
        rest = [f"{mark.format(one)} {words[letters.index(one)]}" for one in own]
        text += f"{mark.format(f'{own[0]}–{own[-1]}')} {shared}{data.draw(st.from_regex(sign, fullmatch=True))}"
        text += f"{end.join(rest)}. "
        expected += [(one, f"{shared}. {words[letters.index(one)]}") for one in own]
    assert split_caption(f"Figure 2. {text}Scale bars are 5 µm.").panels == tuple(expected)


@given(st.integers(2, 3), st.booleans(), st.data())
def test_words_before_their_marks_in_a_second_list(rows: int, first_too: bool, data: st.DataObject) -> None:
    letters = LETTERS[: rows * 2]
    first, second = [letters[n * 2 : n * 2 + 2] for n in range(rows)], [letters[n::2] for n in range(2)]
    words = data.draw(st.lists(WORD, min_size=rows, max_size=rows, unique=True))
    one = " and ".join(
        f"{text} {named(some)}" if first_too else f"{named(some)} {text}"
        for some, text in zip(first, words, strict=True)
    )
    parts = split_caption(
        f"Fig. 3. SEM images of {one} at low {named(second[0])} and high {named(second[1])} magnification."
    )
    for label, own in parts.panels:
        mine = next(text for some, text in zip(first, words, strict=True) if label in some)
        assert own is not None and mine in own and ("low" if label in second[0] else "high") in own
        assert not any(other in own for other in words if other != mine)


@given(st.integers(2, 4), st.integers(1, 40), st.sampled_from(["and", "+"]))
def test_groups_behind_single_letters_with_lengths_in_their_words(pairs: int, size: int, joint: str) -> None:
    letters = LETTERS[: 2 * pairs]
    single = ", ".join(f"({letter}) sample {n}" for n, letter in enumerate(letters))
    groups = ". ".join(
        f"({letters[n]} {joint} {letters[n + 1]}) {size} nm gold on antibody {n}" for n in range(0, 2 * pairs, 2)
    )
    parts = split_caption(f"Fig. 4. Micrographs of {single}. {groups}. Bars = 500 nm.")
    expected = [f"sample {n}. {size} nm gold on antibody {n - n % 2}" for n in range(2 * pairs)]
    assert parts.panels == tuple(zip(letters, expected, strict=True))


LENGTH = st.builds(lambda value, unit: f"{value} {unit}", st.integers(1, 500), st.sampled_from(["nm", "µm"]))


@given(
    st.sampled_from(
        [
            "Scale bars: {0} for (a, c) and {1} for (b, d)",
            "The scale bar is {0} in (a, c) and {1} in (b, d)",
            "Scale bars: (a, c) {0}, (b, d) {1}",
            "Bars = {0} (a, c), {1} (b, d)",
            "(a, c) {0} and (b, d) {1}",
            "Arrows in (a) and (b) mark pores, those in (c) and (d) voids of {0} to {1}",
            "Samples were held for {0} in (a) and (c), and {1} in (b) and (d)",
            "Reprinted from (a, c) ref. 3 and (b, d) ref. 5",
            "Lattice parameters: a = 6.6 Å, b = 20 Å, c = 6.5 Å",
        ]
    ),
    st.lists(LENGTH, min_size=2, max_size=2),
    st.booleans(),
)
def test_mentions_lengths_and_sources_are_no_second_list(sentence: str, lengths: list[str], grouped: bool) -> None:
    first = "(a, b) Fibres and (c, d) films" if grouped else "(a–d) Fibres of PP"
    parts = split_caption(f"Fig. 1. {first}. {sentence.format(*lengths)}.")
    assert parts.labels == tuple("abcd")
    for label, own in parts.panels:
        assert own is not None and own.startswith("films" if grouped and label in "cd" else "Fibres")
    whole = f"{parts.stem} {' '.join(own or '' for _, own in parts.panels)}"
    assert sentence.format(*lengths).rstrip(")").split(":")[0].split(" (")[0] in whole


@given(st.integers(1, 700), st.sampled_from(["(a,b)x(c)y of ", "(a, c) x and (b, d) y of ", "(a-d) x. (a) y, (b) z. "]))
def test_lists_without_end_are_taken_apart_quickly(times: int, piece: str) -> None:
    assert split_caption("Fig. 1. " + piece * times).panels


@given(st.integers(2, 8), st.sampled_from(["Scale bars =", "Scale bar:", "Bars ="]))
def test_letters_at_scale_bars_name_no_panels(count: int, bars: str) -> None:
    letters = LETTERS[:count].upper()
    words = ["Epigynum, dorsal view", "Fracture surface", "Tibia, ventral view", "Etched film"]
    panels = " ".join(f"{letter}, {words[n % 4]}." for n, letter in enumerate(letters))
    scales = ", ".join(f"{5 * n + 5} µm ({letter})" for n, letter in enumerate(letters))
    parts = split_caption(f"Fig. 4. SEM photographs. {panels} {bars} {scales}.")
    assert parts.panels == tuple((letter, words[n % 4]) for n, letter in enumerate(letters))


@given(st.lists(WORD, min_size=2, max_size=4, unique=True), st.booleans())
def test_marks_behind_the_words_of_a_sentence(words: list[str], led: bool) -> None:
    words = [f"Stained {text}" for text in words]
    marked = [f"{text} ({letter})" for text, letter in zip(words, LETTERS, strict=False)]
    listed = ", ".join(marked[:-1]) + f" and {marked[-1]}"
    before = "Images of dried samples (top row). " if led else ""
    parts = split_caption(f"Fig. 2. {before}{listed} staining demonstrates no decrease of the signal.")
    assert parts.panels == tuple(zip(LETTERS, words, strict=False))


@given(st.integers(2, 8), st.integers(1, 7), st.sampled_from("CG{<[lI"))
def test_a_bracket_that_was_misread(count: int, at: int, sign: str) -> None:
    words = ["pin", "rod", "foil", "blend"]
    marks = [f"{sign if n == at else '('}{letter})" for n, letter in enumerate(LETTERS[:count])]
    parts = split_caption(
        "Fig. 1. Micrographs of " + " ".join(f"{mark} {words[n % 4]} {n}" for n, mark in enumerate(marks))
    )
    assert parts.panels == tuple((letter, f"{words[n % 4]} {n}") for n, letter in enumerate(LETTERS[:count]))


def test_symbols_of_elements_before_a_bracket_are_no_letters() -> None:
    parts = split_caption("Fig. 2. (a) glass (with Al Cb) and (b) steel")
    assert parts.panels == (("a", "glass (with Al Cb)"), ("b", "steel"))
