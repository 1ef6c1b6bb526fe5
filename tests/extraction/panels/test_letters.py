"""Which letter a panel gets: print goes before order, and order counts only where nothing is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pdf_sheet import micrograph
from PIL import Image, ImageDraw, ImageFont

from polydata.extraction.document.lines import Line
from polydata.extraction.panels.cuts import PRINTED, _labelled, _Letters, _letters, _unnamed
from polydata.extraction.panels.letter_places import (
    across_gutters,
    by_place,
    by_regions,
    in_turn,
    letters_at,
    nearest_panels,
)
from polydata.extraction.panels.letters import following, letter_of, printed_letters, read_letters
from polydata.extraction.panels.orders import by_rows, reading_orders
from polydata.extraction.panels.render import Drawn
from polydata.extraction.panels.sequence import Reading, label_panels
from polydata.types import Box

GRID = [Box(x, y, x + 100, y + 80) for y in (0.0, 90.0) for x in (0.0, 110.0, 220.0)]
LABELS = list("abcdef")


def labelled(boxes: list[Box], labels: list[str], seen: Mapping[int, str], right: float = 0.75) -> list[str | None]:
    """Labels where some letters were seen, each quite surely."""
    shares = np.zeros((len(boxes), len(labels)))
    for panel, label in seen.items():
        shares[panel, labels.index(label)] = 0.998
    return label_panels(boxes, labels, shares, Reading(right, 0.01))


def test_order_names_all_where_there_are_as_many() -> None:
    assert labelled(GRID, LABELS, {}) == LABELS
    assert labelled(GRID, LABELS, {1: "c", 3: "b"}) == ["a", "c", "e", "b", "d", "f"]


def test_print_goes_before_order() -> None:
    assert labelled(GRID[:2], ["a", "b"], {0: "b", 1: "a"}) == ["b", "a"]
    assert labelled(GRID, LABELS, {0: "b", 1: "a", 2: "c", 3: "d"}) == ["b", "a", "c", "d", "e", "f"]


@given(st.sets(st.integers(0, 5), min_size=1, max_size=5), st.sets(st.integers(0, 5), max_size=6))
def test_a_panel_never_gets_anothers_letter_where_some_were_dropped(dropped: set[int], seen: set[int]) -> None:
    left = [index for index in range(6) if index not in dropped]
    known = {step: LABELS[index] for step, index in enumerate(left) if index in seen}
    found = labelled([GRID[index] for index in left], LABELS, known)
    for step, index in enumerate(left):
        assert found[step] in (None, LABELS[index])
        if index in seen:
            assert found[step] == LABELS[index]


def test_what_lies_between_two_that_are_known_is_known() -> None:
    assert labelled(GRID[1:], LABELS, {0: "b", 3: "e"}) == ["b", "c", "d", "e", "f"]
    assert labelled(GRID[:4], LABELS, {}) == [None] * 4


@given(st.integers(2, 4), st.integers(2, 5), st.data())
def test_letters_that_were_read_outweigh_those_that_were_not(rows: int, columns: int, data: st.DataObject) -> None:
    """Panels along rows or columns, up to half of the letters unread, and one of them read as another now and then."""
    boxes = [Box(60.0 * x, 80.0 * y, 60.0 * x + 55, 80.0 * y + 75) for y in range(rows) for x in range(columns)]
    labels = list("abcdefghijklmnopqrst"[: len(boxes)])
    own = (
        labels
        if data.draw(st.booleans(), label="rows")
        else [labels[x * rows + y] for y in range(rows) for x in range(columns)]
    )
    unread = data.draw(st.sets(st.integers(0, len(boxes) - 1), max_size=len(boxes) // 2 - 1), label="unread")
    seen = {panel: letter for panel, letter in enumerate(own) if panel not in unread}
    assert labelled(boxes, labels, seen) == own


@pytest.mark.parametrize(
    ("labels", "boxes", "expected"),
    [
        (["Left", "Right"], [GRID[0], GRID[2]], ["Left", "Right"]),
        (["Top left", "Top right", "Bottom left", "Bottom right"], [GRID[i] for i in (0, 2, 3, 5)], None),
        (["Upper", "Lower"], GRID, ["Upper"] * 3 + ["Lower"] * 3),
        (["Left", "Middle", "Right"], GRID[:3], ["Left", "Middle", "Right"]),
        (["Top", "Bottom left", "Bottom right"], [Box(0, 0, 320, 80), GRID[3], GRID[5]], None),
    ],
)
def test_places(labels: list[str], boxes: list[Box], expected: list[str] | None) -> None:
    assert by_place(boxes, labels) == (expected or labels)
    assert by_place(boxes, [*labels, "a"]) is None


def test_letters_of_panels_that_are_missing_or_not_parted() -> None:
    at = {"a": (3.0, 5.0), "b": (113.0, 5.0), "c": (223.0, 5.0), "d": (3.0, 95.0)}
    assert letters_at(GRID[:2], at) == {0: "a", 1: "b"}
    assert letters_at([GRID[0], GRID[1].union(GRID[2]), GRID[3]], at) == {0: "a", 2: "d"}


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("(a)", "a"),
        ("[b]", "b"),
        ("c)", "c"),
        ("а", "а"),
        ("(б)", "б"),
        ("a1", "a1"),
        ("b’", "b'"),
        ("(3)", "3"),
        ("iv", "iv"),
    ],
)
def test_letters_alone(text: str, letter: str) -> None:
    assert letter_of(text) == letter


def read(drawn: Drawn, boxes: list[Box], letters: str) -> dict[int, str]:
    """Letters that are read in a picture, by the number of the panel that they stand at."""
    found = read_letters(drawn, list(letters))
    points, shares = ({letter: one[n] for letter, one in found.items()} for n in (0, 1))
    return letters_at(boxes, points, shares)


@pytest.mark.parametrize("corner", [(0, 0), (0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize("form", ["{}", "({})", "{})"])
def test_letters_in_the_picture_are_read(corner: tuple[int, int], form: str) -> None:
    """Whatever their order, in every corner."""
    rng, right, wrong = np.random.default_rng(7), 0, 0
    for figure in range(4):
        letters = [str(one) for one in rng.permutation(list("abcdef"))[:4]]
        font = ImageFont.load_default(int(rng.integers(18, 40)))
        picture, boxes = Image.new("RGB", (640, 460), "white"), []
        for index, letter in enumerate(letters):
            x, y = 330 * (index % 2), 240 * (index // 2)
            panel = micrograph(index + 4 * figure, 310, 220)
            draw = ImageDraw.Draw(panel)
            at = (300 if corner[1] else 10, 214 if corner[0] else 6)
            anchor = ("r" if corner[1] else "l") + ("b" if corner[0] else "t")
            draw.text(
                at, form.format(letter), fill="white", font=font, stroke_width=2, stroke_fill="black", anchor=anchor
            )
            picture.paste(panel, (x, y))
            boxes.append(Box(x, y, x + 310, y + 220))
        seen = read(Drawn(np.asarray(picture), Box(0, 0, 640, 460), 72), boxes, "abcdef")
        right += sum(letters[index] == letter for index, letter in seen.items())
        wrong += sum(letters[index] != letter for index, letter in seen.items())
    assert right >= 13
    assert wrong == 0


@pytest.mark.parametrize(("shown", "named"), [("abcd", "abcd"), ("ab\u00b7d", "abcd"), ("bdeg", ""), ("a", "")])
def test_letters_that_no_caption_names_count_from_a_on(shown: str, named: str) -> None:
    for figure in range(3):
        picture, boxes = Image.new("RGB", (640, 460), "white"), []
        for index in range(4):
            x, y = 330 * (index % 2), 240 * (index // 2)
            panel = micrograph(index + 4 * figure, 310, 220)
            said = f"({shown[index]})" if index < len(shown) else ""
            font = ImageFont.load_default(28)
            ImageDraw.Draw(panel).text((10, 6), said, fill="white", font=font, stroke_width=2, stroke_fill="black")
            picture.paste(panel, (x, y))
            boxes.append(Box(x, y, x + 310, y + 220))
        labels, letters = _unnamed({}, boxes, Drawn(np.asarray(picture), Box(0, 0, 640, 460), 72))
        assert "".join(labels) == named
        assert sorted(letters.places) == sorted(set(named) - {"c"} if "\u00b7" in shown else named)


def test_letters_below_are_not_those_of_the_next_row() -> None:
    """Panels in a column, hardly apart, with letters in their lower left corners."""
    right = wrong = 0
    for figure in range(6):
        picture, boxes = Image.new("RGB", (150, 448), "white"), []
        for index, letter in enumerate("abcd"):
            panel = micrograph(index + 4 * figure, 150, 110)
            font = ImageFont.load_default(15)
            ImageDraw.Draw(panel).text(
                (6, 107), letter, fill="white", font=font, stroke_width=1, stroke_fill="black", anchor="lb"
            )
            picture.paste(panel, (0, 112 * index))
            boxes.append(Box(0, 112 * index, 150, 112 * index + 110))
        seen = read(Drawn(np.asarray(picture), Box(0, 0, 150, 448), 72), boxes, "abcd")
        right += sum(letter == "abcd"[index] for index, letter in seen.items())
        wrong += sum(letter != "abcd"[index] for index, letter in seen.items())
    assert right >= 12
    assert wrong == 0


@pytest.mark.parametrize("axis", [0, 1])
def test_a_letter_a_row_or_a_column_where_there_are_as_many_of_both(axis: int) -> None:
    picture, boxes = Image.new("RGB", (640, 490), "white"), []
    for index in range(9):
        row, column = divmod(index, 3)
        panel = micrograph(index, 200, 150)
        if (column, row)[axis] == 0:
            font, at = ImageFont.load_default(26), (10, 6)
            letter = f"({'abc'[(row, column)[axis]]})"
            ImageDraw.Draw(panel).text(at, letter, fill="white", font=font, stroke_width=2, stroke_fill="black")
        picture.paste(panel, (220 * column, 170 * row))
        boxes.append(Box(220 * column, 170 * row, 220 * column + 200, 170 * row + 150))
    drawn = Drawn(np.asarray(picture), Box(0, 0, 640, 490), 72)
    given = _labelled(boxes, list("abc"), _letters({}, list("abc"), drawn))
    assert [label for _, label in given] == list("aaabbbccc" if axis == 0 else "abcabcabc")


@given(st.integers(2, 6), st.integers(1, 4), st.data())
def test_a_letter_at_a_rows_first_panel_stands_for_the_row(columns: int, rows: int, data: st.DataObject) -> None:
    letters = list("abcdef"[:rows])
    boxes = [
        Box(60.0 * column, 80.0 * row, 60.0 * column + 55, 80.0 * row + 75)
        for row in range(rows)
        for column in range(columns)
    ]
    unread = data.draw(st.integers(0, rows), label="row whose letter was not read")
    seen = {row * columns: letters[row] for row in range(rows) if row != unread}
    found = labelled(boxes, letters, seen)
    if rows != columns or unread == rows:  # a grid as wide as high may be lettered by columns
        assert found == [letter for letter in letters for _ in range(columns)]


@given(st.integers(1, 3), st.integers(1, 5), st.booleans())
def test_a_letter_stands_for_all_panels_right_of_it_and_below(rows: int, columns: int, above: bool) -> None:
    """Two groups of small panels one over the other, each under its letter, and one beside both."""
    boxes, own = [], []
    for letter, top in (("a", 20.0), ("b", 320.0)):
        for row in range(rows):
            for column in range(columns):
                x, y = 20.0 + 55 * column, top + 90 * row
                boxes.append(Box(x, y, x + 50, y + 80))
                own.append(letter)
    boxes.append(Box(320, 20, 500, 600))
    lift = -6.0 if above else 6.0
    letters = {"a": (24.0, 20 + lift), "b": (24.0, 320 + lift), "c": (324.0, 20 + lift)}
    assert by_regions(boxes, letters) == [*own, "c"]
    assert labelled(boxes, list("abc"), letters_at(boxes, letters), 0.95) == [*own, "c"]


@given(st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=3), min_size=1, max_size=4), st.booleans())
def test_each_letter_names_all_up_to_the_next(rows: list[list[int]], outside: bool) -> None:
    """Rows of letters, each of which stands for some panels beside each other and one under the first of them."""
    boxes, own, letters = [], [], {}
    names, y = iter("abcdefghijkl"), 20.0
    for row in rows:
        x = 40.0
        for count in row:
            letter = next(names)
            letters[letter] = (x - 12, y - 8) if outside else (x + 6, y + 7)
            places = [*((x + 70 * n, y) for n in range(count)), (x, y + 90)]
            boxes += [Box(left, top, left + 60, top + 80) for left, top in places]
            own += [letter] * len(places)
            x += 70 * count + 25
        y += 200
    assert by_regions(boxes, letters) == own


def test_letters_below_their_panels_have_no_regions() -> None:
    letters = {letter: (box.x0 + 6, box.y1 - 6) for letter, box in zip("abcdef", GRID, strict=True)}
    assert by_regions(GRID, letters) is None
    assert letters_at(GRID, letters) == dict(enumerate("abcdef"))


def test_letters_that_would_go_on() -> None:
    assert following(["a", "b"]) == ["c", "d", "e", "f"]
    assert following(["Left"]) == following([]) == []


def test_a_letter_that_shares_its_line_with_a_tick() -> None:
    def line(text: str, x: float, first: str) -> Line:
        return Line(Box(x, 50, x + 40, 60), text, 7.0, first == "Bold", "Roman", first, 0, True, 58.0)

    lines = [line("a", 10, "Bold"), line("b 0.4 0.6", 200, "Bold"), line("c 0.4 0.6", 300, "Roman")]
    found = printed_letters(lines, Box(0, 40, 500, 300), ["a", "b", "c"])
    assert set(found) == {"a", "b"} and found["b"][0] < 205


@given(st.integers(2, 4), st.integers(2, 3), st.integers(1, 3), st.booleans(), st.data())
def test_columns_of_micrographs_over_a_row_of_plots(
    rows: int, columns: int, plots: int, over: bool, data: st.DataObject
) -> None:
    """(a-c) down the first column, (d-f) down the second, and (g), (h) in the row below, or above, all of them."""
    top = [Box(110.0 * x, 90.0 * y, 110.0 * x + 100, 90.0 * y + 80) for x in range(columns) for y in range(rows)]
    wide = 110.0 * columns / plots
    below = [Box(wide * x, 90.0 * rows, wide * x + wide - 10, 90.0 * rows + 150) for x in range(plots)]
    ordered = [*top, *below] if over else [*(replace(one, y0=-170.0, y1=-20.0) for one in below), *top]
    labels = list("abcdefghijklmno"[: len(ordered)])
    boxes = [ordered[n] for n in by_rows(ordered)]
    true = [labels[ordered.index(box)] for box in boxes]
    micrographs = [n for n, box in enumerate(boxes) if box in top]
    unread = data.draw(st.sampled_from([None, *micrographs]), label="whose letter was not read")
    seen = in_turn(boxes, labels, {n: true[n] for n in micrographs if n != unread})
    assert [(seen.get(n), n) for n in micrographs if n != unread] == [(true[n], n) for n in micrographs if n != unread]
    found = labelled(boxes, labels, seen)
    assert all(found[n] in (true[n], None) for n in range(len(boxes)))
    assert sum(found[n] == true[n] for n in micrographs) >= len(micrographs) - 1


@given(st.integers(2, 3), st.integers(3, 4), st.data())
def test_a_misread_letter_makes_no_order_of_a_grid(rows: int, columns: int, data: st.DataObject) -> None:
    boxes = [Box(110.0 * x, 90.0 * y, 110.0 * x + 100, 90.0 * y + 80) for y in range(rows) for x in range(columns)]
    true = "abcdefghijkl"[: len(boxes)]
    read = data.draw(st.sets(st.integers(0, len(boxes) - 1), min_size=4), label="panels whose letter was read")
    wrong = data.draw(st.sampled_from(sorted(read)), label="one of them that was misread")
    seen = {n: true[n] for n in read} | {wrong: data.draw(st.sampled_from(true.replace(true[wrong], "")))}
    seen = {n: one for n, one in seen.items() if n == wrong or one != seen[wrong]}
    kept = in_turn(boxes, list(true), seen)
    assert all(kept.get(n) == true[n] for n in seen if n != wrong)


@given(st.lists(st.sampled_from(["gutter", "corner"]), min_size=1, max_size=5), st.floats(0, 3))
def test_a_letter_on_a_gutter_is_that_of_both_panels(rows: list[str], gap: float) -> None:
    """Two pictures a row; their letter stands between them, or in the corner of one that the other has no part in."""
    boxes = [Box(x, 90.0 * y, x + 100, 90.0 * y + 85) for y in range(len(rows)) for x in (0.0, 100 + gap)]
    letters = {
        "abcde"[y]: (100 + gap / 2 if row == "gutter" else 112 + gap, 90.0 * y + 9) for y, row in enumerate(rows)
    }
    named = [name for y in range(len(rows)) for name in (None, "abcde"[y])]
    given_now = across_gutters(boxes, named, letters)
    for y, row in enumerate(rows):
        assert given_now[2 * y : 2 * y + 2] == ["abcde"[y] if row == "gutter" else None, "abcde"[y]]


@given(st.integers(5, 8), st.data())
def test_letters_moved_by_one_between_a_missing_panel_and_one_too_many(count: int, data: st.DataObject) -> None:
    """As many parts as letters, but one is no panel and one panel was not found: print is not given up for order."""
    missing = data.draw(st.integers(0, count - 1), label="panel that was not found")
    extra = data.draw(st.integers(0, count - 1), label="where a part that is no panel stands")
    labels = list("abcdefgh"[:count])
    true: list[str | None] = [label for n, label in enumerate(labels) if n != missing]
    true.insert(extra, None)
    boxes = [Box(110.0 * x, 0, 110.0 * x + 100, 80) for x in range(count)]
    seen = {n: label for n, label in enumerate(true) if label}
    kept = in_turn(boxes, labels, seen)
    assume(abs(missing - extra) > 1)
    assert kept == seen
    assert all(name in (true[n], None) for n, name in enumerate(labelled(boxes, labels, kept)) if n != extra)


@given(st.lists(st.sampled_from([(-20.0, -20.0), (-25.0, 40.0), (50.0, 95.0), (-20.0, 100.0)]), min_size=6, max_size=6))
def test_letters_that_each_stand_nearest_to_another_panel_are_theirs(offsets: list[tuple[float, float]]) -> None:
    apart = [Box(2 * box.x0, 2 * box.y0, 2 * box.x0 + 100, 2 * box.y0 + 80) for box in GRID]
    letters = {label: (box.x0 + dx, box.y0 + dy) for label, box, (dx, dy) in zip(LABELS, apart, offsets, strict=True)}
    assert nearest_panels(apart, letters) == dict(enumerate(LABELS))
    assert nearest_panels(apart, letters | {"b": letters["a"]}) == {}


@given(st.lists(st.tuples(st.floats(-10, 10), st.floats(-10, 10)), min_size=6, max_size=6))
def test_letters_about_corners_need_not_all_stand_in_or_out_of_their_panels(offsets: list[tuple[float, float]]) -> None:
    apart = [Box(2 * box.x0, 2 * box.y0, 2 * box.x0 + 100, 2 * box.y0 + 80) for box in GRID]
    letters = {label: (box.x0 + dx, box.y0 + dy) for label, box, (dx, dy) in zip(LABELS, apart, offsets, strict=True)}
    assert letters_at(apart, letters) == dict(enumerate(LABELS))


@given(st.integers(2, 3), st.integers(2, 4), st.data())
def test_a_few_false_letters_do_not_defeat_the_order(rows: int, columns: int, data: st.DataObject) -> None:
    """Nothing is printed at the panels; up to three letters are read in them, no two at one."""
    boxes = [Box(110.0 * x, 90.0 * y, 110.0 * x + 100, 90.0 * y + 80) for y in range(rows) for x in range(columns)]
    labels = list("abcdefghijkl"[: len(boxes)])
    at = data.draw(st.lists(st.integers(0, len(boxes) - 1), min_size=1, max_size=3, unique=True))
    read = data.draw(st.permutations(labels))
    seen = {n: label for n, label in zip(at, read, strict=False) if 2 * len(at) < len(boxes)}
    kept = in_turn(boxes, labels, seen)
    orders = [dict(zip(order, labels, strict=True)) for order in reading_orders(boxes)]
    assert not kept or any(kept.items() <= turn.items() for turn in orders)


def test_what_was_seen_in_one_way_goes_before_the_nearest_panels() -> None:
    """Letters left of four panels in a row, nearer to the panel before; one was read at the foot of another."""
    boxes = [Box(115.0 * x, 0, 115.0 * x + 100, 80) for x in range(4)]
    places = {label: ((box.x0 - 9, 5.0), 1.0) for label, box in zip("abcd", boxes, strict=True)}
    places["b"] = (boxes[3].x0 + 50, 75.0), 1.0
    named = [label for _, label in _labelled(boxes, list("abcd"), _Letters(places, PRINTED))]
    assert all(label in (true, None) for label, true in zip(named, "abcd", strict=True))


def test_a_letter_within_a_panel_is_not_that_of_the_next_panels_corner() -> None:
    boxes = [Box(0, 83.0 * y, 100, 83.0 * y + 80) for y in range(3)]
    letters = {"a": (6.0, 74.0), "b": (6.0, 157.0), "c": (6.0, 240.0)}
    assert letters_at(boxes, letters) == dict(enumerate("abc"))
