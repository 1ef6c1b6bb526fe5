"""Letters in a picture that go on behind those that its caption names."""

from __future__ import annotations

import pytest

from polydata.extraction.panels.cuts import PRINTED, READ, _as_they_follow, _labelled, _Letters
from polydata.types import Box

GRID = [Box(110.0 * x, 90.0 * y, 110.0 * x + 100, 90.0 * y + 80) for y in range(2) for x in range(3)]


def test_a_letter_beyond_the_captions_is_that_of_its_panel() -> None:
    """Five panels, letters a to e beside them, and a caption that goes to d: the fifth has a letter and no words."""
    letters = _Letters(
        {letter: ((box.x0 + 5, box.y0 + 6), 1.0) for letter, box in zip("abcde", GRID, strict=False)}, PRINTED
    )
    given = _labelled(GRID[:5], list("abcd"), letters)
    assert [label for _, label in given] == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize(
    ("read", "count", "kept"),
    [
        ("abcd", 4, "abcd"),
        ("abcd", 2, "ab"),
        ("abdf", 4, "ab"),
        ("abc", 3, "abc"),
        ("abc", 4, "ab"),
        ("abcd", 5, "abcd"),
    ],
)
def test_letters_beyond_the_captions_that_were_read_follow_each_other(read: str, count: int, kept: str) -> None:
    boxes = [Box(100.0 * n, 0.0, 100.0 * n + 90, 80.0) for n in range(count)]
    places = {letter: (100.0 * n + 5, 5.0) for n, letter in enumerate(read)}
    letters = _Letters({letter: (place, 0.99) for letter, place in places.items()}, READ)
    assert "".join(_as_they_follow(letters, ["a", "b"], boxes).places) == kept
    unsure = _Letters({letter: (place, 0.7) for letter, place in places.items()}, READ)
    assert "".join(_as_they_follow(unsure, ["a", "b"], boxes).places) == "ab"
    mark = _Letters(letters.places | {read[2]: ((60.0, 40.0), 0.99)}, READ)  # within the panel that a names
    assert "".join(_as_they_follow(mark, ["a", "b"], boxes).places) == "ab"
