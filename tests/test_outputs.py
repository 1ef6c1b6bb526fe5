"""What others wrote stays as it is: no command that is told where to write takes its place or deletes it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from all_commands import APPS, commands
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_runs import FAST
from pdf_sheet import micrograph
from split_scene import SplitScene, make_scene
from typer.core import TyperGroup
from typer.testing import CliRunner
from workspaces import every_file

from polydata.errors import RefusedError
from polydata.exports.lists import export_links
from polydata.files.atomic import refuse_other_file, replacing
from polydata.records.columns import write_template

NOTES = b"What somebody wrote down in months.\n"
FILES = {
    "polydata export figures": "figures.jsonl",
    "polydata export links": "links.csv",
    "polydata export candidates": "candidates.csv",
    "polydata list candidates": "candidates.html",
    "polydata card": "card.md v1 --quick",
    "polydata conflicts": "conflicts.html",
    "polydata records template": "records.csv",
    "polydata label measure": "answers.csv --split v1",
    "polydata backup": "kept.zip",
    "polydata quality draw": "quality.csv",
    "polymodel morphology": "measures.csv IMAGE",
    "polymodel predict": "predictions.csv run WORKSPACE",
    "polymodel export": "run.onnx run",
    "polymodel pretrain": "own.safetensors WORKSPACE --arch timm:test_resnet --weights none --image-size 32 --epochs 1 "
    "--batch-size 8 --whole",
    "polymodel series": "series.csv TABLE --run run --by order",
    "polymodel embed": "features.parquet --split v1 --arch timm:test_resnet --weights none",
    "polymodel runs compare": "board.csv",
    "polymodel report": "report.html run",
}
"""The file that each command is told to write, and what else it is told."""
FOLDERS = {
    "polydata export panels": "",
    "polydata export split": "v1 --format imagefolder --quick",
    "polydata gallery": "",
    "polydata sheets": "",
    "polydata augment": "v1",
    "polydata demo-corpus": "--papers 1",
    "polymodel simulate": "-n 2 --size 96",
    "polymodel explain": "IMAGE --run run",
}
ASKING = ("--output", "--html")
"""Options that say where to write."""
OTHERWISE = {"polydata backup", "polydata demo-corpus"}
"""Commands that are told by an argument."""
NEVER_TWICE = {
    "polydata records template", "polydata export candidates", "polydata label measure", "polydata backup",
    "polydata quality draw",
}  # fmt: skip
"""A table may be filled in by now, a backup takes no other's place, nobody has answered blind here."""


def test_every_command_that_asks_where_to_write_is_tried() -> None:
    asking = {name for name, command in commands() for p in command.params if set(p.opts) & set(ASKING)}
    assert asking | OTHERWISE == set(FILES) | set(FOLDERS)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> SplitScene:
    made = make_scene(tmp_path_factory.mktemp("w") / "workspace")
    micrograph(1, 128, 128).save(made.workspace.root.parent / "image.png")
    call(made, "polydata screen", expect=0)
    (made.workspace.root.parent / "table.csv").write_text("image,order\nimage.png,1\n", encoding="utf-8")
    call(made, f"polymodel train --split v1 --name run --recipe paper --epochs 1 {' '.join(FAST)}", expect=0)
    return made


def call(scene: SplitScene, words: str, *target: Path, expect: int) -> str:
    program, *rest = words.split()
    beside = scene.workspace.root.parent
    places = {"WORKSPACE": scene.workspace.root, "IMAGE": beside / "image.png", "TABLE": beside / "table.csv"}
    given = [str(places.get(word, word)) for word in rest]
    environment = {"POLYDATA_WORKSPACE": str(scene.workspace.root), "COLUMNS": "200"}
    result = CliRunner().invoke(APPS[program], [*given, *map(str, target)], env=environment)
    assert result.exit_code == expect, result.output
    return result.output


def written(scene: SplitScene, command: str, more: str, target: Path, expect: int) -> str:
    options = {o for n, c in commands() if n == command for p in c.params for o in p.opts}
    asked = [f" {option}" for option in ASKING if option in options]
    return call(scene, f"{command} {more}{asked[0] if asked else ''}", target, expect=expect)


@pytest.mark.parametrize("command", FILES)
def test_a_file_of_others_stays(command: str, scene: SplitScene, tmp_path: Path) -> None:
    name, _, more = FILES[command].partition(" ")
    target = tmp_path / name
    target.write_bytes(NOTES)
    assert name in written(scene, command, more, target, expect=7)
    assert every_file(tmp_path).keys() == {name}
    assert target.read_bytes() == NOTES
    target.unlink()
    if command not in NEVER_TWICE:
        target.touch()  # an empty file is nobody's
        for _ in range(2):  # and what we wrote we may write again
            written(scene, command, more, target, expect=0)
        assert target.stat().st_size or command == "polydata export figures"  # of PDFs, and there are none


@pytest.mark.parametrize("ending", ["json", "parquet"])
def test_tables_of_others_stay_in_every_format(ending: str, scene: SplitScene, tmp_path: Path) -> None:
    target = tmp_path / f"table.{ending}"
    target.write_bytes(b'[{"name": "of others"}]')
    command = "polymodel predict run WORKSPACE"
    call(scene, f"{command} --output", target, expect=7)
    target.unlink()
    for _ in range(2):
        call(scene, f"{command} --output", target, expect=0)


def test_what_lies_beside_an_exported_run_stays(scene: SplitScene, tmp_path: Path) -> None:
    beside = tmp_path / "run.json"
    beside.write_bytes(NOTES)
    call(scene, "polymodel export run --output", tmp_path / "run.onnx", expect=7)
    assert beside.read_bytes() == NOTES


@pytest.mark.parametrize("command", FOLDERS)
@pytest.mark.parametrize("name", ["index.html", "panels.csv", "images/ab.png", "papers/paper_1.pdf", "accepted-9.html"])
def test_a_folder_of_others_stays(command: str, name: str, scene: SplitScene, tmp_path: Path) -> None:
    there = tmp_path / "mine" / name
    there.parent.mkdir(parents=True)
    there.write_bytes(NOTES)
    before = every_file(tmp_path)
    assert "holds other files" in written(scene, command, FOLDERS[command], tmp_path / "mine", expect=7)
    assert every_file(tmp_path) == before


@pytest.mark.parametrize("command", FOLDERS)
def test_a_folder_of_ours_is_written_again(command: str, scene: SplitScene, tmp_path: Path) -> None:
    for _ in range(2):
        written(scene, command, FOLDERS[command], tmp_path / "ours", expect=0)
    assert every_file(tmp_path / "ours")


@given(st.binary(max_size=200))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_file_holds_it_stays(scene: SplitScene, tmp_path: Path, held: bytes) -> None:
    target = tmp_path / "links.csv"
    for write in (lambda: write_template(target), lambda: _links(scene, target)):
        target.write_bytes(held)
        try:
            write()
        except RefusedError:
            assert target.read_bytes() == held != b""
        else:
            assert held == b""


def _links(scene: SplitScene, target: Path) -> None:
    with scene.session() as session:
        export_links(session, target)


def test_a_beginning_in_the_middle_is_not_ours(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_bytes(b"x" * 5000 + b"made by us")
    with pytest.raises(RefusedError):
        refuse_other_file(target, "made by us")


def test_the_demo_clears_no_folder_of_others(tmp_path: Path) -> None:
    kept = tmp_path / "workspace/catalog.duckdb"
    kept.parent.mkdir()
    kept.write_bytes(NOTES)
    script = Path(__file__).parents[1] / "data/demo.sh"
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", script, tmp_path], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, kept.read_bytes()) == (7, NOTES), done.stdout
    assert "other files" in done.stderr


@pytest.mark.parametrize("mask", [0o022, 0o002, 0o077, 0o027])
def test_who_may_read_a_file_is_decided_by_the_umask(mask: int, tmp_path: Path) -> None:
    before = os.umask(mask)
    try:
        with replacing(tmp_path / "a") as out:
            out.write(b"x")
        (tmp_path / "b").write_bytes(b"x")
    finally:
        os.umask(before)
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in "ab"]
    assert modes == [0o666 & ~mask] * 2


ENDLESS = {"polydata label serve"}
"""It runs until Ctrl+C, and what it shows is for one who reads it then."""


def test_every_command_can_answer_as_json() -> None:
    leaves = {name: command for name, command in commands() if not isinstance(command, TyperGroup)}
    without = {n for n, command in leaves.items() if not any("--json" in p.opts for p in command.params)}
    assert without == ENDLESS


@pytest.mark.parametrize(
    ("words", "target"),
    [
        ("polydata export figures --output", "figures.jsonl"),
        ("polydata export panels --output", "panels"),
        ("polydata export links --output", "links.csv"),
        ("polydata export candidates --output", "candidates.csv"),
        ("polydata records template --output", "records.csv"),
        ("polydata card v1 --quick --output", "card.md"),
        ("polymodel report run --output", "report.html"),
        ("polydata init", "workspace"),
        ("polydata demo-corpus --papers 1", "corpus"),
    ],
)
def test_what_was_written_is_told_as_json(words: str, target: str, scene: SplitScene, tmp_path: Path) -> None:
    program, rest = words.split(" ", 1)
    told = json.loads(call(scene, f"{program} {rest}", tmp_path / target, Path("--json"), expect=0))
    assert str(tmp_path / target) in told.values()


def test_licences_are_told_as_json(scene: SplitScene) -> None:
    told = json.loads(call(scene, "polydata papers licence CC-BY-4.0 --source pdf --json", expect=0))
    assert told == {"papers": 8, "licence": "CC-BY-4.0"}


def test_a_template_can_be_asked_for_within_a_workspace(scene: SplitScene) -> None:
    plain, within = (call(scene, f"polydata records template{w}", expect=0) for w in ("", " -w WORKSPACE"))
    assert plain == within
