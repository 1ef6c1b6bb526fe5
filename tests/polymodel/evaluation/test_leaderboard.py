"""Runs side by side, as a user asks for them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from small_split import Small, make_small
from typer.testing import CliRunner

from polymodel.cli import app
from polymodel.evaluation.compare import COLUMNS

FAST = ("--arch", "timm:test_resnet", "--weights", "none", "--image-size", "40")


def call(small: Small, *words: object, expect: int = 0) -> str:
    environment = {"POLYDATA_WORKSPACE": str(small.root), "COLUMNS": "100"}
    result = CliRunner().invoke(app, [str(w) for w in words], env=environment)
    assert result.exit_code == expect, result.output
    return result.stdout if expect == 0 else result.output


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """A workspace of this module: the board lists all the runs of one."""
    return make_small(tmp_path_factory.mktemp("board"))


@pytest.fixture(scope="module", autouse=True)
def runs(small: Small) -> None:
    for split in ("leaky", "one", "cv"):
        call(small, "train", "--split", split, "--name", f"board-{split}", *FAST)
    call(small, "train", "--split", "one", "--name", "board-other", *FAST, "--seed", 1)


def test_named_runs_are_compared_and_leaky_ones_come_last(small: Small, tmp_path: Path) -> None:
    names = ("board-leaky", "board-one", "board-other")
    found = json.loads(call(small, "runs", "compare", *names, "--json"))
    assert [row["leaky"] for row in found["runs"]] == [False, False, True]
    first, second, _ = found["runs"]
    assert first["split"] == second["split"] == "one"
    assert first["auroc"] >= second["auroc"]
    assert [pair["runs"] for pair in found["differences"]] == [["board-leaky", n] for n in names[1:]]
    said = call(small, "runs", "compare", *names)
    assert "leaky" in said and "McNemar" in said


def test_the_leaderboard_holds_what_evaluate_says(small: Small, tmp_path: Path) -> None:
    path = tmp_path / "board.csv"
    call(small, "runs", "compare", "--output", path)
    with path.open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert tuple(rows[0]) == COLUMNS
    row = next(r for r in rows if r["run"] == "board-cv")
    evaluation = json.loads(call(small, "evaluate", "board-cv", "--json", "--no-controls"))
    for part, name in (("mean", "auroc"), ("low", "auroc_low"), ("high", "auroc_high"), ("sd", "auroc_sd")):
        assert float(row[name]) == evaluation["auroc"][part]
    one = next(r for r in rows if r["run"] == "board-one")
    assert one["auroc_sd"] == ""
    assert float(one["accuracy"]) == json.loads(call(small, "evaluate", "board-one", "--json"))["accuracy"]["value"]


def test_what_cannot_stand_in_it_is_named_and_hides_nothing(small: Small, tmp_path: Path) -> None:
    part = small.workspace.runs / "board-other" / "parts" / "fold-1-seed-1"
    path = tmp_path / "board.csv"
    for file, said in ((part / "part.json", "not finished"), (part / "predictions.parquet", "cannot be read")):
        kept = file.read_bytes()
        (small.workspace.runs / "board-other" / "evaluation.json").unlink(missing_ok=True)
        file.write_bytes(b"{") if file.suffix == ".parquet" else file.unlink()
        try:
            for words in ((), ("board-one", "board-other")):
                shown = call(small, "runs", "compare", *words, "--output", path, expect=3)
                assert "board-one" in shown and said in shown
                assert "board-one" in path.read_text() and "board-other" not in path.read_text()
        finally:
            file.write_bytes(kept)
    assert ".csv" in call(small, "runs", "compare", "--output", tmp_path / "board.html", expect=2)
