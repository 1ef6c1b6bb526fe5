"""Boxes on a figure's picture: there and back, what is to be corrected, and answers that are none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polydata.edits import Correction, Place
from polydata.errors import UsageError
from polydata.labels.boxes import Asked, Layout, corrections, matched
from polydata.types import Box

WHOLE = Box(50, 100, 450, 400)
A, B, C = Box(50, 100, 240, 240), Box(250, 100, 450, 240), Box(50, 250, 240, 400)
LAYOUT = Layout(((A, "a"), (B, "b"), (C, "")), "Figure 1. Blends: (a) x; (b) y.")
ASKED = Asked("ab" * 32, Place(3, "Figure 1", WHOLE), LAYOUT)


def test_there_and_back() -> None:
    assert Asked.from_json(ASKED.as_json()) == ASKED
    said = ASKED.read(ASKED.prediction()["result"])
    assert said.same(LAYOUT) and corrections(ASKED.place, LAYOUT, said) == []
    assert Layout.from_json(said.as_json()) == said


def test_each_change_is_one_correction() -> None:
    moved, new = Box(60, 110, 240, 240), Box(250, 250, 450, 400)
    after = Layout(((moved, "a"), (B, "c"), (new, "d")), "Figure 1. Other.")
    place = ASKED.place
    assert corrections(place, LAYOUT, after) == [
        ("figure", place, Correction(caption="Figure 1. Other.")),
        ("new panel", replace(place, panel_label="d", panel_box=new), Correction(box=new, label="d")),
        ("panel", replace(place, panel_label="a", panel_box=A), Correction(box=moved)),
        ("panel", replace(place, panel_label="b", panel_box=B), Correction(label="c")),
        ("panel", replace(place, panel_box=C), Correction(delete=True)),
    ]


def test_letters_that_change_places_move_no_box() -> None:
    after = Layout(((A, "b"), (B, "a"), (C, "")), LAYOUT.caption)
    assert matched(LAYOUT, after) == {0: 0, 1: 1, 2: 2}
    assert [one.asked for _, _, one in corrections(ASKED.place, LAYOUT, after)] == [{"label": "b"}, {"label": "a"}]
    far = Layout(((Box(250, 250, 400, 390), "a"), (B, "b"), (C, "")), LAYOUT.caption)
    assert matched(LAYOUT, far)[0] == 0  # known by its letter


def test_a_figure_is_deleted_once_and_comes_back_by_undoing() -> None:
    none = replace(LAYOUT, is_figure=False)
    assert corrections(ASKED.place, LAYOUT, none) == [("figure", ASKED.place, Correction(delete=True))]
    assert corrections(ASKED.place, none, none) == []
    with pytest.raises(UsageError, match="deleted before"):
        corrections(ASKED.place, none, LAYOUT)
    with pytest.raises(UsageError, match="No panel is left"):
        corrections(ASKED.place, LAYOUT, Layout((), LAYOUT.caption))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PARTS = st.fixed_dictionaries(
    {
        "from_name": st.sampled_from(["boxes", "letter", "caption", "figure", "else"]) | ANYTHING,
        "value": st.dictionaries(
            st.sampled_from(["x", "y", "width", "height", "rotation", "text", "choices"]), ANYTHING
        )
        | ANYTHING,
        "id": ANYTHING,
    }
)


@given(st.lists(PARTS | ANYTHING, max_size=4))
def test_whatever_a_server_answers_is_a_layout_or_refused(results: list[Any]) -> None:
    try:
        said = ASKED.read(results)
    except ValueError:
        return
    assert Layout.from_json(said.as_json()) == said
    for box, _ in said.panels:
        assert box.share_inside(WHOLE) > 0.999


@given(ANYTHING | st.text())
def test_a_task_that_was_changed_is_refused(text: Any) -> None:
    with pytest.raises(ValueError, match="does not say any more"):
        Asked.from_json(text)
