"""Training, runs and wrong use as a user types them, on a small workspace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from model_runs import FAST, TINY, call, parsed
from small_split import Small, texture, write_split
from typer.testing import CliRunner

from polydata.console import output
from polydata.splits.manifest import Item
from polymodel.cli import app, options


def test_an_unreadable_run_is_named_and_hides_no_other(small: Small, tmp_path: Path) -> None:
    bad = small.workspace.runs / "garbled"
    bad.mkdir()
    (bad / "run.json").write_text("{")
    try:
        said = call(small, "runs", "list", expect=3)
        assert "run-one" in said and "garbled" in said
    finally:
        (bad / "run.json").unlink()
        bad.rmdir()


def test_what_the_system_leaves_beside_parts_does_no_harm(small: Small) -> None:
    (small.workspace.runs / "run-one" / "parts" / ".DS_Store").write_bytes(b"x")
    call(small, "train", "--split", "one", "--name", "run-one", *FAST)
    (small.workspace.runs / "run-one" / "evaluation.json").write_text("{")
    assert "accuracy" in call(small, "evaluate", "run-one")


def test_training_that_runs_away_says_so(own: Small) -> None:
    words = (
        "train",
        "--split",
        "one",
        "--name",
        "away",
        "--recipe",
        "finetune",
        "--epochs",
        2,
        "--learning-rate",
        1e30,
    )
    said = call(own, *words, *FAST, expect=1)
    assert "not finite" in said and "--learning-rate" in said


def test_training_says_what_it_did_and_what_comes_next(small: Small) -> None:
    said = call(small, "train", "--split", "one", "--name", "run-one", *FAST)
    assert "nothing was trained" in said
    assert "polymodel evaluate run-one" in said
    assert "Leaky" not in said
    found = parsed(small, "train", "--split", "leaky", "--name", "run-leaky", *FAST)
    assert found["leaky"] is True
    assert found["parts_before"] == 1


def test_a_leaky_run_is_marked_everywhere(small: Small) -> None:
    record = json.loads((small.workspace.runs / "run-leaky" / "run.json").read_text())
    assert record["split"]["leakage"]["reason"] == "papers on both sides"
    for words in (("train", "--split", "leaky", "--name", "run-leaky", *FAST), ("evaluate", "run-leaky")):
        assert "Leaky split" in call(small, *words)
    assert "Leaky split" in (small.workspace.runs / "run-leaky" / "README.md").read_text()
    assert "leaky" in call(small, "runs", "list")
    assert "Leaky split" in call(small, "runs", "show", "run-leaky")
    page = small.root / "leaky.html"
    call(small, "report", "run-leaky", "--output", page)
    assert "This split leaks" in page.read_text()


def test_runs_are_listed_and_shown(small: Small) -> None:
    names = {row["run"] for row in parsed(small, "runs", "list")}
    assert {"run-one", "run-leaky", "run-cv"} <= names
    shown = parsed(small, "runs", "show", "run-cv")
    assert len(shown["finished_parts"]) == 3
    assert shown["config"]["arch"] == TINY
    assert TINY in call(small, "runs", "show", "run-cv")
    assert "no run" in call(small, "runs", "show", "nothing", expect=1)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("train", "--split", "nothing"), 1, "no split"),
        (("train", "--split", "one", "--arch", "resnet19"), 2, "resnet19"),
        (("train", "--split", "one", "--weights", "nothing.pt"), 1, "no weights file"),
        (("train", "--split", "one", "--epochs", "3"), 2, "--epochs"),
        (("train", "--split", "one", "--seeds", "2", "--seed", "1"), 2, "exclude"),
        (("train", "--split", "one", "--name", "../x", *FAST), 2, "name of a run"),
        (("evaluate", "nothing"), 1, "no run"),
        (("report", "run-one", "--output", "/proc/nothing/x.html"), 1, "cannot be written"),
    ],
)
def test_wrong_use_is_told_without_a_traceback(small: Small, words: tuple[str, ...], code: int, said: str) -> None:
    output = call(small, *words, expect=code)
    assert said in output
    assert "Traceback" not in output


def test_a_workspace_that_is_not_there(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["runs", "list", "--workspace", str(tmp_path)])
    assert result.exit_code == 4


def test_damaged_run_folders_are_named(own: Small) -> None:
    call(own, "train", "--split", "one", "--name", "damaged", *FAST)
    folder = own.workspace.runs / "damaged"
    (folder / "parts" / "fold-1-seed-0" / "predictions.parquet").write_bytes(b"")
    assert "cannot be read" in call(own, "evaluate", "damaged", expect=1)
    (folder / "run.json").write_text('{"format": 1}')
    assert "run.json" in call(own, "runs", "show", "damaged", expect=1)


@pytest.mark.parametrize("lacking", ["command", "started", "seconds"])
def test_a_run_that_lacks_a_fact_is_named(own: Small, lacking: str) -> None:
    call(own, "train", "--split", "one", "--name", "lacking", *FAST)
    path = own.workspace.runs / "lacking" / "run.json"
    record = json.loads(path.read_text())
    del record[lacking]
    path.write_text(json.dumps(record))
    assert lacking in call(own, "runs", "list", expect=3)


def test_a_run_nested_too_deep_to_read_is_named(own: Small) -> None:
    folder = own.workspace.runs / "deep"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("[" * 100_000)
    assert "cannot be read" in call(own, "runs", "list", expect=3)


def test_signs_that_steer_a_terminal_are_written_out(own: Small, tmp_path: Path) -> None:
    steering = "\x1b]0;turned\x1b\\\u202e"
    label = {"fine": f"fine{steering}", "coarse": "coarse"}
    items = [
        Item(i.image_sha256, label[i.label], f"{i.group}{steering}", i.path, {"technique": steering}) for i in own.items
    ]
    leak = {"reason": f"both sides {steering}"}
    write_split(
        own.workspace.splits / "steering", [(items[:12], items[12:])], leakage=leak, classes=tuple(label.values())
    )
    picture = tmp_path / f"{steering.replace(chr(92), '')}.png"
    picture.write_bytes(texture(7, 1.0))
    folder = tmp_path / steering.replace(chr(92), "")
    folder.mkdir()
    call(own, "train", "--split", "steering", "--name", "steering", *FAST)
    for words in (
        ("train", "--split", "steering", "--name", "steering", *FAST),
        ("evaluate", "steering", "--against", "steering", "--across", "steering"),
        ("evaluate", "steering", "--json"),
        ("predict", "steering", picture),
        ("predict", "steering", picture, "--output", folder / "x.csv"),
        ("predict", "steering", picture, "--json"),
        ("baselines", "--split", "steering"),
        ("runs", "list"),
        ("runs", "show", "steering"),
        ("runs", "compare", "steering", "--output", folder / "board.csv"),
        ("report", "steering", "--output", folder / "x.html"),
        ("embed", "--split", "steering", "--output", folder / "x.parquet", *FAST[:4]),
    ):
        said = call(own, *words)
        assert not {"\x1b", "\u202e"} & set(said), words


def test_one_bar_names_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    bar = output._bar()
    monkeypatch.setattr(output, "_bar", lambda: bar)
    monkeypatch.setattr(output.sys.stderr, "isatty", lambda: True)
    with options.progress() as told:
        told("epoch 1", 0, 3)
        told("epoch 2, train loss 0.5", 1, 3)
    assert [(task.description, task.completed, task.total) for task in bar.tasks] == [("epoch 2, train loss 0.5", 1, 3)]
