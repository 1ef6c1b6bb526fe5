"""Where captions end, and that no text makes their patterns slow."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polydata.extraction.document.lines import OCR_FONT, Line
from polydata.extraction.document.page import PageContent
from polydata.extraction.document.textlines import join_fragments
from polydata.extraction.figures.caption_evidence import LEADS_ON, MENTION
from polydata.extraction.figures.caption_lines import join_lines
from polydata.extraction.figures.captions import find_captions
from polydata.text.captions import split_caption
from polydata.text.figure_labels import read_label
from polydata.types import Box

BODY = "the blends were dried under vacuum before processing and mixing time was kept"


def line(text: str, y: float, x0: float = 50.0, *, size: float = 9.0, block: int = 0, width: float = 240.0) -> Line:
    box = Box(x0, y - 0.8 * size, x0 + width, y + 0.2 * size)
    return Line(box, text, size, False, "Serif", "Serif", block, True, y)


def page(lines: list[Line]) -> PageContent:
    blank = np.full((842, 595), 255, np.uint8)
    return PageContent(1, Box(0, 0, 595, 842), tuple(lines), (), 1.0, (842, 595), blank, False)


def texts(lines: list[Line]) -> list[str]:
    body = [line(BODY, 400 + 11 * index, block=9) for index in range(30)]
    found, _ = find_captions([page([*lines, *body])], frozenset())
    return [one.text for one in found]


def test_a_caption_of_several_sentences_over_blocks_in_its_own_size() -> None:
    rows = ["Figure 1. First sentence.", "Second sentence goes on.", "Third one ends here."]
    lines = [line(text, 200 + 9 * index, size=7.5, block=index) for index, text in enumerate(rows)]
    assert texts(lines) == [" ".join(rows)]


@pytest.mark.parametrize("words", ["Fig. 6 a SEM. b EDAX spectrum", "Fig. 2 a) Absorption; b) emission"])
def test_a_label_in_a_type_of_its_own_may_be_followed_by_a_letter(words: str) -> None:
    whole = f"{words} of the blends as they were etched"
    assert texts([replace(line(whole, 200, size=7.5), first_font="Serif-Bold")]) == [whole]
    assert texts([line(whole.replace("Fig", "The blends of Fig"), 200, size=7.5)]) == []


OTHER_LANGUAGES = {
    "Rys. ": "Zdjęcia SEM mieszanin: a) PLA, b) PLA/PCL 80/20 po trawieniu w rozpuszczalniku",
    "Рис. ": "Микрофотографии смесей: (а) ПЛА, (б) ПЛА/ПКЛ 80/20 после травления",
    "图": "共混物的扫描电镜照片（a）聚乳酸；（b）聚乳酸/聚己内酯",
    "Figura ": "Micrografias das blendas: (a) PLA, (b) PLA/PCL 80/20",
    "Abb. ": "REM-Aufnahmen der Blends: a) PLA, b) PLA/PCL 80/20",
}


@settings(max_examples=80)
@given(st.data())
def test_of_a_caption_in_two_languages_the_english_one_is_taken(data: st.DataObject) -> None:
    number = data.draw(st.integers(1, 19))
    word, foreign = data.draw(st.sampled_from(sorted(OTHER_LANGUAGES.items())))
    sign = data.draw(st.sampled_from([". ", " "]))
    label = data.draw(st.sampled_from(["Fig. ", "Figure ", "FIG. ", "Fig"]))
    english = f"{label}{number}{sign}SEM images of the blends: (a) PLA, (b) PLA/PCL 80/20"
    other = f"{word}{number}{'. ' if word != '图' else ' '}{foreign}"
    first, second = (english, other) if data.draw(st.booleans()) else (other, english)
    cut = data.draw(st.integers(1, 3))
    rows = [
        " ".join(part) for text in (first, second) for part in np.array_split(text.split(), min(cut, len(text.split())))
    ]
    starts = [rows.index(next(row for row in rows if text.startswith(row))) for text in (first, second)]
    gap = data.draw(st.sampled_from([0.0, 4.0]))
    block = data.draw(st.integers(0, 1))
    lines = [
        line(row, 200 + 9.5 * n + (gap if n >= starts[1] else 0), size=7.5, block=block * (n >= starts[1]))
        for n, row in enumerate(rows)
    ]
    assert texts(lines) == [english]


@pytest.mark.parametrize(
    ("caption", "under"),
    [
        (
            "Figure1. SEM micrographs of PLA/PBS 80/20.",
            "Figure 1 shows the morphology of PLA/PBS 50/50 and its domains",
        ),
        ("Figura 1. Micrografias de PLA/PBS 80/20.", "Fig. 1 muestra la morfologia de la mezcla 50/50 y los dominios"),
        ("Abb. 1. REM PLA/PBS 80/20.", "Fig. 1 in [3] von PLA/PBS 50/50 zeigt die Domänen und ihre Größe"),
        ("Map 1. SEM of PLA/PBS 80/20.", "Picture 1. The blend PLA/PBS 50/50 in another mould and its domains"),
        ("Rys. 1. Zdjęcia SEM mieszanin PLA.", "Fig. 2. SEM images of the blends PLA/PBS 50/50 and their domains"),
    ],
)
@pytest.mark.parametrize("step", [9.5, 18.0])
def test_a_mention_or_another_figure_is_no_translation(caption: str, under: str, step: float) -> None:
    assert caption in texts(
        [line(caption, 200, size=8), line(under, 200 + step, size=8 if "2." in under else 9, block=1)]
    )


def test_lines_between_part_captions_in_two_languages() -> None:
    rows = ["Rys. 1. Zdjęcia SEM.", BODY, "Fig. 1. SEM images of the blends."]
    found = texts([line(text, 200 + 9.0 * n, size=(7.5, 9, 7.5)[n], block=n) for n, text in enumerate(rows)])
    assert len(found) == 1 and "Zdj" in found[0]


@pytest.mark.parametrize("columns", [2, 3, 5])
def test_labels_that_head_columns_of_numbers_are_no_captions(columns: int) -> None:
    heads = [line(f"Fig. {n + 5}", 200, 60 + 70.0 * n, width=24) for n in range(columns)]
    numbers = [line("0.0096", 212, 60 + 70.0 * n, width=24) for n in range(columns)]
    assert len(texts([*heads, *numbers])) == (2 if columns == 2 else 0)
    words = [line("Blend", 212, 60 + 70.0 * n, width=40) for n in range(columns)]  # figures side by side
    assert texts([*heads, *words]) == [f"Fig. {n + 5} Blend" for n in range(columns)]


@pytest.mark.parametrize("label", ["Figure 6 ", "Fig. 12. ", "FIGURE 3 | "])
def test_lines_set_in_as_far_as_the_words_behind_the_label_go_on(label: str) -> None:
    """Japanese journals hang the label; what is set in anywhere else is something else."""
    first = f"{label}Electrolyte content dependence of DC conductivity for"
    indent = 240 * len(label) / len(first)
    rest = ["NBR18 blends in dry and wet", "condition."]
    for shift, whole in ((0.0, True), (8.0, True), (60.0, False)):
        lines = [line(first, 200, size=7.8, block=3)]
        lines += [
            line(text, 211 + 11 * n, 50 + indent + shift, size=7.8, block=3, width=(130 - indent, 34)[n])
            for n, text in enumerate(rest)
        ]
        assert texts(lines) == [" ".join([first, *rest]) if whole else first]


def test_letters_in_bold_are_put_in_brackets_where_nothing_else_tells_them() -> None:
    words = "Fig. 7 Micrograph of the film a neat film of it b grown on for a week"
    own = line(words, 200, size=7.5)
    bold = replace(own, bold=True, first_font="Serif-Bold", in_bold=((0, 6), (30, 31), (48, 49)))
    assert texts([bold]) == ["Fig. 7 Micrograph of the film (a) neat film of it (b) grown on for a week"]
    assert texts([replace(bold, in_bold=((0, len(words)),))]) == [words]


def test_body_text_of_the_same_font_after_a_gap_is_left_out() -> None:
    rows = [line("Figure 1. SEM micrographs of the blends etched in", 200), line("formic acid.", 211, width=60)]
    after = [line("The torque reached a plateau after " + BODY, 211 + 17 + 11 * index, block=1) for index in range(4)]
    assert texts([*rows, *after]) == ["Figure 1. SEM micrographs of the blends etched in formic acid."]


def test_double_spaced_captions_are_whole() -> None:
    rows = [line("Fig. 1. Synthesis of each specimen and", 200, block=1), line("of their blends.", 222, block=2)]
    body = [line(BODY, 300 + 22 * index, block=9) for index in range(20)]
    found, _ = find_captions([page([*rows, *body])], frozenset())
    assert [one.text for one in found] == ["Fig. 1. Synthesis of each specimen and of their blends."]


def test_a_line_that_ends_with_a_panel_letter_goes_on() -> None:
    rows = [
        line("Figure 1. SEM of (a) neat PLA; (b) the blend; (c)", 200, block=1),
        line("PBAT.", 210, block=2, width=30),
    ]
    assert texts(rows) == ["Figure 1. SEM of (a) neat PLA; (b) the blend; (c) PBAT."]


def test_pieces_of_a_justified_line_belong_to_it() -> None:
    rows = [
        line("Figure 1. Blends that were", 200, width=130),
        line("etched", 211, width=30),
        line("and", 211, x0=98, width=20),
        line("dried.", 211, x0=150, width=30),
    ]
    assert texts(rows) == ["Figure 1. Blends that were etched and dried."]


def test_writing_of_a_figure_over_a_caption_is_no_text_before_it() -> None:
    assert texts([line("ppm", 190, x0=160, width=20), line("Figure 1. 1H NMR spectra of both.", 200)])


@pytest.mark.parametrize(
    "text",
    [
        "スキーム 1 合成経路",
        "图1. 断面",
        "図 2 写真",
        "FIG. 1. Views",
        "FIGURE 1 | Views",
        "Fig. S1. Views",
        "Figure A.1. Views",
    ],
)
def test_labels_in_use(text: str) -> None:
    assert len(texts([line(text, 200)])) == 1


TRICKY = [
    "Figure 1",
    "a) ",
    "(a",
    " ",
    "-",
    "a",
    "1",
    ".",
    ",",
    "(",
    "1-",
    "Fig. ",
    "and",
    "図",
    "\u3000",
    "I",
    "~",
    "b)",
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(TRICKY), min_size=1, max_size=4), st.integers(1, 5000), st.text(max_size=30))
def test_long_texts_are_matched_at_once(parts: list[str], times: int, tail: str) -> None:
    text = ("".join(parts) * times)[:20_000] + tail
    shown = replace(line("Figure 1. X", 100), text="Figure 1 " + text)
    start = time.process_time()
    read_label(text)
    split_caption(text)
    LEADS_ON.search(text[-200:])
    MENTION.match(text[:200])
    join_lines([text, text], frozenset())
    join_fragments(page([shown, replace(shown, box=Box(300, 90, 400, 102))]))
    assert time.process_time() - start < 2


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.text(min_size=1, max_size=60), st.floats(0, 800), st.floats(0, 300)), max_size=30))
def test_any_lines_are_survived(rows: list[tuple[str, float, float]]) -> None:
    lines = [line(f"Figure 1. {text}", y + 10, x0, block=index) for index, (text, y, x0) in enumerate(rows)]
    found, _ = find_captions([page(lines)], frozenset())
    assert len(found) <= 1


@pytest.mark.parametrize(
    ("first", "second", "whole"),
    [
        (
            ["Fig. 1 Nanowires that were patterned in cir-", "cular arrays; the SEM image"],
            ["shows them", "on silicon"],
            True,
        ),
        (["Fig. 1 Nanowires that were patterned", "on silicon."], ["the blends were dried", "under vacuum"], False),
        (["Fig. 1 Nanowires that were patterned", "on"], ["Fig. 2 Others", "on glass."], False),
    ],
)
def test_a_caption_set_in_two_columns_is_whole(first: list[str], second: list[str], whole: bool) -> None:
    left = [line(text, 200 + 9 * row, size=7.5, block=1) for row, text in enumerate(first)]
    right = [line(text, 200 + 9 * row, 302, size=7.5, block=2) for row, text in enumerate(second)]
    below = [line(BODY, 240 + 11 * row, x0, block=3) for row in range(8) for x0 in (50, 302)]
    assert texts([*left, *right, *below])[0] == join_lines([*first, *(second if whole else [])], frozenset())


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("between", [False, True])
def test_words_beneath_a_figure_whose_label_stands_over_it(seed: int, between: bool) -> None:
    rng = np.random.default_rng(seed)
    x0, size, high = float(rng.uniform(40, 320)), float(rng.uniform(6.5, 9)), float(rng.uniform(60, 280))
    label = replace(
        line(f"Fig. {seed + 1}", 60, x0, size=size, width=20), font="Grotesk-Bold", first_font="Grotesk-Bold"
    )
    words = [
        replace(line(text, 80 + high + 1.2 * size * row, x0, size=size, block=4), font="Grotesk", first_font="Grotesk")
        for row, text in enumerate(["Fracture surfaces of the blends after etching", "in xylene for two hours at rest"])
    ]
    ticks = [replace(line("0.5", 70 + n * high / 4, x0, size=6, width=9), font="Grotesk") for n in range(4)]
    text = [line(BODY, 75 + high, x0)] if between else []
    (found,) = texts([label, *ticks, *words, *text])
    assert (words[0].text in found) != between
    assert between or found == f"Fig. {seed + 1} {words[0].text} {words[1].text}"


def test_a_label_in_a_torn_line_or_behind_words_that_lead_on_is_a_mention() -> None:
    torn = [line("transition was found as is shown in", 200, width=130), line("Figure 8 . A summary of all", 200, 190)]
    assert texts([*torn, line(BODY, 211, width=300)]) == []
    beside = [line(BODY, 189, width=130), line(BODY, 211, width=130)]  # the column of text beside a caption
    assert texts([*torn, *beside]) == ["Figure 8 . A summary of all"]
    wide = [line(BODY, 400 + 22 * row, block=9) for row in range(18)]
    spaced = [line("and the transition is shown in", 200), line("Figure 8. A summary of all blends", 222)]
    found, _ = find_captions([page([*spaced, *wide])], frozenset())
    assert found == []
    found, _ = find_captions([page([line("The blends were dried.", 200), spaced[1], *wide])], frozenset())
    assert [one.label for one in found] == ["Figure 8"]


@pytest.mark.parametrize(
    ("read", "others", "number"), [("I", "2", "1"), ("II", "3", "11"), ("I", "II", "i"), ("III", "2", "iii")]
)
@pytest.mark.parametrize("word", ["Fig.", "FIG.", "FIGURE"])
def test_roman_numbers_that_ocr_reads_among_others(read: str, others: str, number: str, word: str) -> None:
    rows = [f"{word} {read}. Fracture surfaces of the blends.", f"{word} {others}. Stress of the blends."]
    lines = [replace(line(text, 100 + 60 * n), font=OCR_FONT, first_font=OCR_FONT) for n, text in enumerate(rows)]
    found, _ = find_captions([page(lines)], frozenset())
    assert found[0].number == number
    assert found[0].label == f"{word} {read if found[0].number == read.lower() else number}"
    assert found[0].text == rows[0].replace(f"{word} {read}", found[0].label)
