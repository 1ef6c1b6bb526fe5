"""What commands say comes next can be typed, and leads on."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from make_pdf import above, below
from split_corpus import Corpus
from typer.testing import CliRunner

from polydata.catalogue.session import open_session
from polydata.cli import app
from polydata.errors import InputError
from polydata.extraction import workflow
from polydata.labels import projects
from polydata.records import importer
from polydata.splits.build import build_split
from polydata.splits.options import SplitOptions
from polydata.splits.overview import free_name, show_split
from polydata.upkeep.doctor import _label_studio
from polydata.upkeep.status import status
from polydata.workspace import LabelStudioSettings, Workspace


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


def test_an_extraction_that_was_stopped_goes_on_first(
    place: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "my papers"
    folder.mkdir()
    for layout in (below, above):
        layout(folder / f"{layout.__name__}.pdf")

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as within:
        within.setattr(workflow, "_save", stopped)
        with open_session(place) as session, pytest.raises(KeyboardInterrupt):
            workflow.extract(session, [folder], workers=1)
    command = f"polydata extract '{folder}'"
    assert status(place).steps[0].command == command
    with open_session(place) as session:
        assert workflow.extract(session, [folder], workers=1).done == 2
    assert command not in [step.command for step in status(place).steps]


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
    (labelled.runs / "second/report.json").write_text("{}")
    steps = {step.command: step.why for step in status(labelled).steps}
    assert "polymodel report second" not in steps and "polymodel report a-b" in steps


def test_a_word_that_is_no_key_is_no_short_id(place: Workspace) -> None:
    output = said("-w", str(place.root), "link", "S99", "--nothing")
    assert "No record has the key 'S99'" in output and "polydata records list" in output
    assert "too short for an id" in said("-w", str(place.root), "edit", "panel", "ab", "--letter", "d")


def test_unknown_words_and_papers_end_in_one_command_to_copy(labelled: Workspace, tmp_path: Path) -> None:
    with open_session(labelled, read_only=True) as session:
        name = session.catalogue.column("SELECT min(file_name) FROM papers")[0]
    table = tmp_path / "a.csv"
    rows = f"1,kind of,{name}x.pdf,miscible\n2,never,{name},miscible\n"
    table.write_text(f"key,Miscible?,File,Verdict\n{rows}")
    output = said("-w", str(labelled.root), "records", "import", str(table), "--dry-run")
    labels = "compatible|incompatible|partially_compatible"
    meanings = " ".join(f"--meaning 'Miscible?: {word}={labels}'" for word in ("kind of", "never"))
    assert f" records import {table} " in output.splitlines()[-1] and output.endswith(f"{meanings}\n")
    assert f"a.csv, row 2: no paper is called '{name}x.pdf' (1 record); the nearest" in output
    assert f"is called '{name}'" not in output and "--map compatibility=Verdict" in output


def test_a_word_with_signs_of_its_own_can_be_given_a_meaning(labelled: Workspace, tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text("key,Miscible?,Verdict: final\n1,no=never: 5,x\n2,a=b,x\n")
    place = ("-w", str(labelled.root), "records", "import", str(table))
    step = said(*place, "--dry-run").splitlines()[-1].replace("|incompatible|partially_compatible", "")
    output = said(*shlex.split(step)[2:])
    assert "Unknown label" not in output and "imported" in output
    with open_session(labelled, read_only=True) as session:
        sql = "SELECT compatibility FROM records WHERE source = 'a.csv'"
        assert session.catalogue.column(sql) == ["compatible"] * 2


def test_many_unknown_words_are_told_in_short(labelled: Workspace, tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_text("key,Miscible?,File\n" + "".join(f"{n},word {n},strange{n}.pdf\n" for n in range(300)))
    output = said("-w", str(labelled.root), "records", "import", str(table), "--dry-run")
    assert output.count("Unknown label: ") == 21 and output.count("--meaning ") == 20
    assert "300 words for the label are unknown: their column is probably not the label" in output
    assert output.count("no paper is called 'strange") == 20 and "280 more PDF files" in output
    assert "strange0.pdf' (1 record): read it (polydata extract PATH) or correct the cell" in output


def test_near_names_are_looked_for_a_few_times(
    labelled: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = []
    monkeypatch.setattr(importer, "get_close_matches", lambda name, *_, **__: asked.append(name) or [])
    table = tmp_path / "a.csv"
    table.write_text("key,Miscible?,File\n" + "".join(f"{n},miscible,strange{n}.pdf\n" for n in range(100)))
    said("-w", str(labelled.root), "records", "import", str(table), "--dry-run")
    assert len(asked) == 20


def test_join_names_file_and_column_of_unknown_words(labelled: Workspace, tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    with open_session(labelled, read_only=True) as session:
        panel = session.catalogue.value("SELECT min(panel_id) FROM panels")
    table.write_text("key,Miscible?\nk77,kind of\n")
    said("-w", str(labelled.root), "records", "import", str(table))
    said("-w", str(labelled.root), "link", "k77", panel)
    output = said("-w", str(labelled.root), "join")
    assert "polydata records import a.csv --meaning 'Miscible?: kind of=" in output


def test_a_wrong_choice_is_said_in_plain_words(place: Workspace) -> None:
    output = said("-w", str(place.root), "export", "figures", "--format", "csv")
    assert "'csv' is not one of 'jsonl'" in output and "Value error" not in output


def test_a_server_that_does_not_answer_stops_no_doctor(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYDATA_LABEL_STUDIO_TOKEN", "a" * 40)
    settings = place.root / "polydata.toml"
    settings.write_text(settings.read_text().replace("http://localhost:8080", "http://127.0.0.1:9"))
    found = _label_studio(LabelStudioSettings(url="http://127.0.0.1:9"))
    assert "polydata label serve" in found.hint and "where it stopped" not in found.hint


def test_an_export_says_which_fold_it_is(labelled: Workspace) -> None:
    place = str(labelled.root)
    with open_session(labelled) as session:
        build_split(session, "v1", SplitOptions(folds=3))
        build_split(session, "v2", SplitOptions())
    output = said("-w", place, "export", "split", "v1", "--format", "imagefolder", "--quick", "--fold", "3")
    assert "3 of 3 alone; the next: --fold 1" in output and "leaks" not in output
    assert "alone" not in said("-w", place, "export", "split", "v2", "--format", "imagefolder", "--quick")
    assert "Next: polydata export split v2" in said("-w", place, "card", "v2", "--quick")


def test_answers_fit_a_terminal(labelled: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with open_session(labelled) as session:
        image = session.catalogue.column("SELECT image_sha256 FROM panels ORDER BY 1")[0]
        Corpus(session).answer(image, "partially_compatible")
        long = "a.reviewer.with.a.long.name@university.example.org"
        session.catalogue.run("UPDATE annotations SET annotator = ?", [long])
        session.catalogue.run("UPDATE papers SET file_name = 'a_long_name_of_a_paper_in_a_folder.pdf'")
        session.catalogue.run("UPDATE figures SET label = 'Supplementary Figure 12'")
    lines = said("-w", str(labelled.root), "label", "list").splitlines()
    assert len(lines) == 3 and max(map(len, lines)) <= 80 and "counts" in lines[2]


def test_projects_fit_a_terminal(place: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    row = {
        "project": "polydata blind review",
        "role": "blind",
        "split": "v1",
        "url": "http://127.0.0.1:8080/projects/17",
    }
    row |= dict.fromkeys(("tasks", "annotations", "pulled", "skipped", "unusable", "deleted", "annotators"), 12345)
    found = projects.Status("http://127.0.0.1:8080", [row | {"pulled_to": "2026-11-30 10:00:00"}], {"accepted": 3})
    monkeypatch.setattr(projects, "status", lambda _: found)
    output = said("-w", str(place.root), "label", "status")
    assert max(map(len, output.splitlines())) <= 80
    assert "polydata blind review  http://127.0.0.1:8080/projects/17" in output
    assert "2026-11-30" in said("-w", str(place.root), "label", "status", "--wide")
