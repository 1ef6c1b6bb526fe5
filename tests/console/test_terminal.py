"""What a person sees: lists in 80 columns, ids that commands take, help, Ctrl+C, progress, the next step."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import typer
from all_commands import APPS, commands
from commands import BIN, run, run_json
from typer.core import TyperArgument

from polydata.console import output, tables
from polydata.console.group import STOPPED, Program

LISTS = ("list papers", "list screenings", "list leftovers", "records list", "label history", "list candidates")


ALL = dict(commands())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blends")
    run("polydata", "demo-corpus", folder / "corpus", "--papers", 3)
    run("polydata", "init", folder / "w")
    for words in (
        ("extract", folder / "corpus/papers"),
        ("screen",),
        ("records", "import", folder / "corpus/records.csv"),
        ("join",),
    ):
        run("polydata", *words, workspace=folder / "w")
    return folder / "w"


@pytest.mark.parametrize("words", LISTS)
def test_a_list_has_a_line_a_row_in_eighty_columns(words: str, place: Path) -> None:
    rows = run_json("polydata", *words.split(), workspace=place)
    count = sum(map(len, rows.values())) if isinstance(rows, dict) else len(rows)
    lines = run("polydata", *words.split(), workspace=place, COLUMNS="80").stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert count <= len(lines) <= count + 10
    wide = run("polydata", *words.split(), "--wide", workspace=place, COLUMNS="80").stdout
    assert len(wide.splitlines()) <= count + 10
    some = rows[0] if isinstance(rows, list) else next(iter(found[0] for found in rows.values() if found))
    assert all(str(value) in wide for value in some.values() if isinstance(value, str) and value.isascii())


@pytest.mark.parametrize("words", ["list papers", "list screenings"])
def test_short_ids_are_taken(words: str, place: Path) -> None:
    shown = run("polydata", *words.split(), workspace=place, COLUMNS="80").stdout.splitlines()[-1].split()[0]
    assert len(shown) == tables.DIGITS
    assert shown in run("polydata", "trace", shown, workspace=place).stdout


def test_ids_are_as_long_as_tells_them_apart() -> None:
    ids = [f"paper-{'ab' * 4}{digit}{'0' * 7}" for digit in "12"]
    assert [row["id"] for row in tables.shortened([{"id": one} for one in ids])] == ["abababab1", "abababab2"]
    for key in ("0123 no id", "2023010112345678"):
        assert tables.shortened([{"id": key, "n": 1}]) == [{"id": key, "n": 1}]


def test_what_names_a_row_is_never_cut() -> None:
    name, text = "a_run_with_a_name_that_is_longer_than_the_terminal", "words " * 20
    head, _, line = tables.lay_out([["run", "what"], [name, text]], (), 40, clip=True)
    assert head.startswith("run") and line.startswith(f"{name}  words") and line.endswith("…")


def test_nothing_that_is_copied_is_broken(capsys: pytest.CaptureFixture[str]) -> None:
    address = f"http://127.0.0.1:8080/projects/{'1' * 90}"
    output.print_table([{"what": "one two three four " * 9, "url": address}], width=60)
    output.print_facts({"digest": "f" * 100, "folder": f"/tmp/my papers/{'x' * 80}"})
    said = capsys.readouterr().out
    assert address in said and "f" * 100 in said and f"/tmp/my papers/{'x' * 80}" in said


def test_empty_cells_and_tables_are_survived(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_table([{"": "", "run": "a"}, {"": None, "run": "b"}])
    output.print_facts({})
    assert [line.strip() for line in capsys.readouterr().out.splitlines()][-2:] == ["a", "b"]


def test_east_asian_signs_take_two_columns() -> None:
    assert tables.width_of("高分子") == 6
    assert tables.clipped("高分子合金", 7) == "高分子…" and tables.clipped("µ" * 100_000, 7) == "µµµµµµ…"


def test_every_command_takes_a_split_either_way() -> None:
    places = {
        name: c for name, c in ALL.items() for p in c.params if isinstance(p, TyperArgument) and p.name == "split"
    }
    assert {"polydata card", "polydata audit", "polydata export split", "polymodel train", "polymodel embed"} <= set(
        places
    )
    for name, command in places.items():
        assert any("--split" in p.opts for p in command.params), name


def test_both_ways_name_the_same_split(place: Path) -> None:
    for words in (("v9",), ("--split", "v9"), ("v9", "--split", "v9")):
        assert "v9" in run("polymodel", "train", *words, workspace=place, expect=1).stderr
    assert "Two splits" in run("polymodel", "train", "v9", "--split", "v8", workspace=place, expect=2).stderr
    assert "SPLIT" in run("polymodel", "train", workspace=place, expect=2).stderr


def test_the_workspace_is_named_before_or_after_the_command(place: Path) -> None:
    for program, words in (("polydata", ("list", "papers")), ("polymodel", ("runs", "list"))):
        assert run(program, "-w", place, *words).stdout == run(program, *words, "-w", place).stdout


@pytest.mark.parametrize("program", sorted(APPS))
def test_the_help_is_whole_and_in_the_order_of_the_work(program: str) -> None:
    root: Any = ALL[program]
    assert isinstance(root, Program)
    said = run(program, "--help", COLUMNS="80").stdout
    for summary in root.summaries.values():
        assert summary in " ".join(said.split())
    order = {
        "polydata": ["init", "extract", "screen", "join", "label", "build-split"],
        "polymodel": ["train", "evaluate"],
    }
    names = list(root.summaries)
    assert sorted(order[program], key=names.index) == order[program]


@pytest.mark.parametrize("name", sorted(ALL))
def test_help_has_plain_words_for_values(name: str) -> None:
    command = ALL[name]
    said = command.get_help(typer.Context(command, info_name=name, terminal_width=1000))
    assert "<" not in said and "{" not in said


def test_polydata_alone_says_where_one_stands(place: Path, tmp_path: Path) -> None:
    said = run("polydata", workspace=place).stdout
    assert "Next: polydata build-split v1" in said and "polydata --help" in said
    run("polydata", "init", tmp_path / "new")
    assert "Next: polydata extract PAPERS" in run("polydata", "status", workspace=tmp_path / "new").stdout
    alone = subprocess.run([BIN / "polydata"], cwd="/", capture_output=True, text=True, check=True)
    assert "polydata init" in alone.stdout.splitlines()[-1]


def test_the_doctor_tries_everything(place: Path) -> None:
    found = {one["what"]: one["state"] for one in run_json("polydata", "doctor", workspace=place)}
    assert {k for k, v in found.items() if v == "ok"} >= {"packages", "OCR", "networks", "weights", "workspace"}
    assert found["Label Studio"] == "note"


def test_the_doctor_names_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from polydata.upkeep import doctor

    monkeypatch.setattr(doctor, "requires", lambda _: ["numpy>=2", "surely-not-there>=1", "extra; extra == 'dev'"])
    monkeypatch.setattr(doctor, "_torch", lambda: doctor.Finding("torch and GPU", "ok", ""))
    found = {one.what: one for one in doctor.examine(tmp_path)}
    assert found["packages"].state == "missing" and "surely-not-there" in found["packages"].hint
    assert found["workspace"].state == "note"


def test_ctrl_c_ends_in_one_line(place: Path) -> None:
    words = [BIN / "polydata", "extract", place.parent / "corpus/papers", "--again", "-w", place]
    with subprocess.Popen(
        words,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - tests may be deaf to it
    ) as process:
        time.sleep(2)
        os.killpg(process.pid, signal.SIGINT)
        said = process.communicate()[1].decode()
    assert (process.returncode, said.strip()) == (130, STOPPED)


def test_without_a_terminal_progress_is_a_line_a_minute(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = iter(range(0, 1000, 20))
    monkeypatch.setattr(output.time, "monotonic", lambda: next(now))
    with output.stages() as progress:
        for done in range(1, 8):
            progress("Reading", done, 50)
    assert capsys.readouterr().err.splitlines() == ["Reading: 3 of 50, after 1 min", "Reading: 6 of 50, after 2 min"]


def test_a_list_can_be_read_by_programs(place: Path) -> None:
    assert json.loads(run("polydata", "list", "papers", "--json", "--wide", workspace=place).stdout)
