"""Boxes on a figure's picture: there and back, what is to be corrected, and answers that are none."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polydata.edits import Correction, Place
from polydata.errors import UsageError
from polydata.labels.boxes import AskedFigure, Layout, corrections, matched
from polydata.types import Box

WHOLE = Box(50, 100, 450, 400)
A, B, C = Box(50, 100, 240, 240), Box(250, 100, 450, 240), Box(50, 250, 240, 400)
LAYOUT = Layout(((A, "a"), (B, "b"), (C, "")), "Figure 1. Blends: (a) x; (b) y.")
ASKED = AskedFigure("ab" * 32, Place(3, "Figure 1", WHOLE), LAYOUT)


def test_there_and_back() -> None:
    assert AskedFigure.from_json(ASKED.as_json()) == ASKED
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


def test_what_is_written_is_as_a_correction_by_hand_may_have_it() -> None:
    asked = replace(ASKED, layout=replace(LAYOUT, caption="Figure 1. \ufb01lm" + 10_000 * " x"))
    drawn = asked.prediction()["result"]
    assert asked.read(drawn).caption == asked.layout.caption  # what was read of the PDF is no correction
    (letter,) = (one for one in drawn if one["value"].get("text") == ["a"])
    for said, becomes in (("(\x1b c\0)", "c"), ("\ud800\ufb01", "?fi"), ("a" * 100, "a" * 100)):
        letter["value"]["text"] = [said]
        assert asked.read(drawn).panels[0][1] == becomes
    letter["value"]["text"] = ["a" * 101]
    with pytest.raises(ValueError, match=r"^The label has 101 characters; the limit is 100$"):
        asked.read(drawn)
    (caption,) = (one for one in drawn if one["from_name"] == "caption")
    letter["value"]["text"], caption["value"]["text"] = ["a"], ["x" * 10_001]
    with pytest.raises(ValueError, match=r"^The caption has 10001 characters"):
        asked.read(drawn)


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
        AskedFigure.from_json(text)


HOSTILE = ANYTHING | st.sampled_from([10**400, -(10**400), 1e308, float("nan"), float("inf"), True, "1", [], {}])
BOXES = st.lists(HOSTILE | st.floats(0, 500), min_size=4, max_size=5) | st.just(WHOLE.as_list())
LAYOUTS = st.fixed_dictionaries(
    {
        "panels": st.lists(st.tuples(*[HOSTILE | st.floats(0, 500)] * 4, HOSTILE) | HOSTILE, max_size=2) | HOSTILE,
        "caption": HOSTILE,
        "is_figure": HOSTILE,
    }
)


@given(
    st.tuples(HOSTILE, st.tuples(st.integers(1, 9) | HOSTILE, st.text() | HOSTILE, BOXES | HOSTILE), LAYOUTS | HOSTILE),
    st.booleans(),
)
def test_a_task_that_was_changed_in_part_is_a_place_or_refused(parts: tuple[Any, Any, Any], broken: bool) -> None:
    sha256, place, layout = parts
    text = json.dumps([sha256, place, layout if broken else json.dumps(layout)])
    try:
        asked = AskedFigure.from_json(text)
    except ValueError as error:
        assert "does not say any more" in str(error)
        return
    assert len(asked.prediction()["result"]) <= 2 * len(asked.layout.panels) + 1


@pytest.mark.parametrize("number", [10**400, 1e308, float("nan"), 10**7], ids=["digits", "large", "nan", "far"])
@pytest.mark.parametrize("where", ["page", "box", "panel"])
def test_a_number_that_no_page_has_is_refused(where: str, number: float) -> None:
    sha256, (page, label, box), layout = json.loads(ASKED.as_json())
    of_panels = json.loads(layout)
    if where == "page":
        page = number
    elif where == "box":
        box[2] = number
    else:
        of_panels["panels"][0][2] = number
    with pytest.raises(ValueError, match="does not say any more"):
        AskedFigure.from_json(json.dumps([sha256, [page, label, box], json.dumps(of_panels)]))
