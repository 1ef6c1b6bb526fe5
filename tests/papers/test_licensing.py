"""Licences: found in first pages, said by the user, and what they allow."""

from __future__ import annotations

import pytest
from commands import run, run_json
from hypothesis import given
from hypothesis import strategies as st
from split_scene import CLOSED, OPEN, PRINTED, SplitScene, make_scene

from polydata.catalogue.metadata import paper_licences
from polydata.errors import UsageError
from polydata.papers.bibliography import set_licence
from polydata.text.licences import PERMISSION, check_licence, find_licence, may_be_passed_on


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> SplitScene:
    return make_scene(tmp_path_factory.mktemp("licences") / "w")


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("under https://creativecommons.org/licenses/by/4.0/ terms", "CC-BY-4.0"),
        ("(http://creativecommons.org/licenses/by-nc-nd/3.0).", "CC-BY-NC-ND-3.0"),
        ("creativecommons.org/publicdomain/zero/1.0 waiver", "CC0-1.0"),
        ("This is an open access article (CC BY-NC 4.0).", "CC-BY-NC-4.0"),
        ("CC BY 4.0 and CC BY-SA 4.0", None),
        ("© 2003 Elsevier. All rights reserved.", None),
        ("Distributed under a Creative Commons licence", None),
        (None, None),
    ],
)
def test_licences_in_words(text: str | None, licence: str | None) -> None:
    assert find_licence(text) == licence


@given(st.text())
def test_any_text(text: str) -> None:
    found = find_licence(text)
    assert found is None or check_licence(found) == found


@pytest.mark.parametrize("licence", ["CC-BY-4.0", "CC-BY-NC-SA-3.0", "CC0-1.0", "CC-BY-3.0-DE", PERMISSION])
def test_open(licence: str) -> None:
    assert may_be_passed_on(licence)


@pytest.mark.parametrize("licence", [None, "", "unknown", "CC-BY-ND-4.0", "CC-BY-NC-ND-4.0", "CC-BY-4.0 x", "MIT"])
def test_not_open(licence: str | None) -> None:
    assert not may_be_passed_on(licence)


def test_the_users_word_goes_before_the_first_page(scene: SplitScene) -> None:
    with scene.session() as session:
        known = {
            OPEN: ("CC-BY-SA-4.0", "user"),
            PRINTED: ("CC-BY-4.0", "first page"),
            CLOSED: ("CC-BY-ND-4.0", "user"),
        }
        assert paper_licences(session.catalogue) == known
        assert set_licence(session, "CC-BY-NC-4.0", [], "pdf") == 8
        assert {licence for licence, _ in paper_licences(session.catalogue).values()} == {"CC-BY-NC-4.0"}
        assert set_licence(session, "none", [], "pdf") == 8
        assert paper_licences(session.catalogue) == {PRINTED: ("CC-BY-4.0", "first page")}
        for licence, source in (("CC BY", "pdf"), ("CC-BY-4.0", None), ("CC-BY-4.0", "nobody")):
            with pytest.raises(UsageError):
                set_licence(session, licence, [], source)


def test_the_command(scene: SplitScene) -> None:
    place = scene.workspace.root
    assert "8 papers" in run("polydata", "papers", "licence", PERMISSION, "--source", "pdf", workspace=place).stdout
    rows = run_json("polydata", "list", "papers", workspace=place)
    assert {row["licence"] for row in rows} == {PERMISSION}
    run("polydata", "papers", "licence", "CC-BY-4.0", workspace=place, expect=2)
