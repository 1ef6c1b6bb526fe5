"""What the gallery's own filter finds, and which of its cards are drawn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import quickjs
from hypothesis import given, settings
from hypothesis import strategies as st
from workspaces import gallery_entry

from polydata.exports.gallery import GALLERY

FILTER = (GALLERY / "filter.js").read_text(encoding="utf-8")


def engine() -> quickjs.Context:
    context = quickjs.Context()
    context.eval(FILTER)
    return context


def found(entries: Sequence[dict[str, Any]], address: str) -> list[int]:
    """Positions that the page's own filter finds."""
    context = engine()
    context.eval(f"var entries = {json.dumps(entries)};")
    return list(
        json.loads(context.eval(f"JSON.stringify(Filter.select(entries, Filter.parse({json.dumps(address)})))"))
    )


def test_filters() -> None:
    entries = [
        gallery_entry(label="a", side="train", caption="PLA blend", family=0, twins=[3], splits=["v1", "v2"]),
        gallery_entry(label="b", side="test", technique="SEM", record=[["Morphology", "two PHASES"]], family=1),
        gallery_entry(label=None, side="test", conflict=True, paper="q", caption="plain", family=2, splits=["v2"]),
        gallery_entry(label="a", side="test", caption="100% <b>", family=0, twins=[0]),
    ]
    for address, wanted in {
        "": [0, 1, 2, 3],
        "#label=a": [0, 3],
        "#label=a&side=test": [3],
        "#label=none": [2],
        "#technique=SEM": [1],
        "#technique=none": [0, 2, 3],
        "#paper=q": [2],
        "#split=v1": [0],
        "#split=v2": [0, 2],
        "#split=v2&side=test": [2],
        "#split=v": [],
        "#split=none": [1, 3],
        "#conflict=1": [2],
        "#q=phases%20TWO": [1],
        "#q=pla": [0, 2],
        "#q=100%25%20%3Cb%3E": [3],
        "#q=%E0%A4%A": [0, 1, 2, 3],
        "#nothing=x&label": [0, 1, 2, 3],
        "#twins=1": [0, 3],
    }.items():
        assert found(entries, address) == wanted, address


def test_what_there_is_to_choose() -> None:
    context = engine()
    entries = [gallery_entry(splits=["a", "b"]), gallery_entry(splits=["b"], label="x"), gallery_entry()]
    context.eval(f"var entries = {json.dumps(entries)};")
    for choice, wanted in {
        "split": [["b", 2], ["a", 1], ["none", 1]],
        "label": [["none", 2], ["x", 1]],
        "paper": [["p", 3]],
    }.items():
        assert json.loads(context.eval(f"JSON.stringify(Filter.values(entries, '{choice}'))")) == wanted


def test_near_duplicates_stand_side_by_side() -> None:
    entries = [gallery_entry(family=n % 3, twins=[1]) for n in range(9)]
    assert found(entries, "#twins=1") == [0, 3, 6, 1, 4, 7, 2, 5, 8]


@given(
    st.dictionaries(
        st.sampled_from(["label", "q", "paper"]), st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
    )
)
@settings(max_examples=50)
def test_an_address_is_read_back(state: dict[str, str]) -> None:
    context = engine()
    context.eval(f"var state = {json.dumps(state)};")
    assert json.loads(context.eval("JSON.stringify(Filter.parse(Filter.format(state)))")) == state


@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(0, 400_000), st.integers(1, 3000))
@settings(max_examples=50)
def test_all_cards_in_sight_are_drawn_and_few_others(count: int, columns: int, top: int, height: int) -> None:
    context = engine()
    first, last = json.loads(context.eval(f"JSON.stringify(Filter.inSight({count}, {columns}, 300, {top}, {height}))"))
    in_sight = [n for n in range(count) if n // columns * 300 < top + height and (n // columns + 1) * 300 > top]
    assert set(in_sight) <= set(range(first, last))
    assert last - first <= (height // 300 + 7) * columns
