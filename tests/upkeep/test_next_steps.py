"""What commands say comes next can be typed, and leads on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from split_corpus import Corpus
from typer.testing import CliRunner

from polydata.catalogue.session import open_session
from polydata.cli import app
from polydata.errors import InputError
from polydata.splits.build import build_split
from polydata.splits.options import SplitOptions
from polydata.splits.overview import free_name, show_split
from polydata.upkeep.status import status
from polydata.workspace import Workspace


def said(*words: str) -> str:
    return CliRunner().invoke(app, list(words)).output


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    return Workspace.init(tmp_path / "w")


@pytest.fixture
def labelled(place: Workspace) -> Workspace:
    with open_session(place) as session:
        Corpus(session).standard()
    return place


def run_of(place: Workspace, name: str, trained: int, *, scored: bool = False) -> None:
    record: dict[str, Any] = {"split": {"name": "v1", "digest": "d"}, "parts": [{"fold": 1}, {"fold": 2}]}
    folder = place.runs / name
    for part in range(trained):
        (folder / f"parts/fold-{part}").mkdir(parents=True)
        (folder / f"parts/fold-{part}/part.json").write_text("{}")
    (folder / "parts/.fold-9").mkdir(parents=True)
    (folder / "parts/.fold-9/part.json").write_text("{}")  # of a part that is being made
    (folder / "run.json").write_text(json.dumps(record | {"command": f"polymodel train v1 --name {name}"}))
    if scored:
        (folder / "evaluation.json").write_text("{}")


def test_a_new_workspace_is_gone_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert said("init", "my blends").endswith("Next: cd 'my blends' && polydata extract PAPERS/\n")
    again = said("init", "my blends")
    assert "was there" in again and again.endswith("polydata status\n")
    monkeypatch.chdir(tmp_path / "my blends")
    assert said("init").endswith("Next: polydata status\n")
    inner = said("init", "inner")
    assert f"lies in the workspace {tmp_path / 'my blends'}" in inner
    assert "lies in" not in said("init", "inner")  # it was said


def test_an_empty_workspace_asks_for_papers(place: Workspace, tmp_path: Path) -> None:
    (tmp_path / "fake.pdf").write_text("no pdf")
    for words in (["screen"], ["extract", str(tmp_path / "fake.pdf")]):
        output = said("-w", str(place.root), *words)
        assert "Next: polydata extract PAPERS" in output
        assert "sheets" not in output and "Next: polydata screen" not in output


def test_a_split_is_built_under_a_free_name(labelled: Workspace) -> None:
    with pytest.raises(InputError, match="build-split NAME"):
        show_split(labelled, "v1")
    assert free_name(labelled) == "v1"
    with open_session(labelled) as session:
        build_split(session, "v1", SplitOptions())
    assert free_name(labelled) == "v2"
    with pytest.raises(InputError, match="polydata split list"):
        show_split(labelled, "v7")
    assert "Next: polydata build-split v2" in said("-w", str(labelled.root), "label", "resolve")


def test_without_a_conflict_none_is_to_be_settled(labelled: Workspace) -> None:
    output = said("-w", str(labelled.root), "conflicts")
    assert "No conflict" in output and "label set" not in output
    assert output.endswith("Next: polydata status\n")


def test_a_run_goes_on_before_it_is_scored(labelled: Workspace) -> None:
    with open_session(labelled) as session:
        build_split(session, "v1", SplitOptions())
    run_of(labelled, "third", 0)
    run_of(labelled, "trained", 2)
    run_of(labelled, "second", 2, scored=True)
    run_of(labelled, "a-b", 2, scored=True)
    steps = {step.command: step.why for step in status(labelled).steps}
    assert steps["polymodel train v1 --name third"].startswith("of the 2 parts of third 0 are trained")
    assert "polymodel evaluate third" not in steps and "polymodel evaluate trained" in steps
    assert {"polymodel report second", "polymodel report a-b"} <= set(steps)
    (labelled.exports / "second-first-report.html").write_text("")
    steps = {step.command: step.why for step in status(labelled).steps}
    assert "polymodel report second" not in steps and "polymodel report a-b" in steps
    (labelled.exports / "first-a-b-report.html").write_text("")
    assert "polymodel report a-b" not in [step.command for step in status(labelled).steps]
