"""Learning curves: nested subsets of training papers, the same test sides, and what comes out."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from kinds_scene import UNIT, make_kinds
from model_runs import FAST, TINY, call, parsed
from small_split import Small

from polydata.errors import RefusedError, UsageError
from polymodel.config import train_config
from polymodel.curves import curve as curves
from polymodel.curves.subsets import drawn_order, fewest_papers, subset
from polymodel.data.split import load_split
from polymodel.recipes import Probe

SETTINGS = train_config(Probe(arch=TINY, weights="none", image_size=40))


@pytest.fixture
def scene(tmp_path: Path) -> Small:
    return make_kinds(tmp_path / "kinds")


def test_subsets_are_nested_and_keep_the_test_side(small: Small, tmp_path: Path) -> None:
    split = load_split("cv", small.root)
    for fold in split.folds:
        order = drawn_order(fold.train, 1)
        assert sorted(order) == sorted({item.group for item in fold.train}) and order != drawn_order(fold.train, 2)
    sides = []
    for papers in (2, 4):
        less = subset(split, tmp_path / f"s{papers}", papers, 1)
        for whole, fold in zip(split.folds, less.folds, strict=True):
            assert fold.test == whole.test
            assert len({item.group for item in fold.train}) == papers
        sides.append({item.image_sha256 for item in less.folds[0].train})
        assert less.digest != split.digest and less.manifest["recipe"]["papers"] == papers
    assert sides[0] < sides[1]
    assert subset(split, tmp_path / "s2", 2, 1).digest == subset(split, tmp_path / "other", 2, 1).digest


def test_few_papers_show_every_label(scene: Small) -> None:
    split = load_split("regression", scene.root)
    fewest, most = fewest_papers(split)
    assert (fewest, most) == (3, 7)
    for draw in range(5):
        kept = set(drawn_order(split.folds[0].train, draw)[:fewest])
        assert {i.label for i in split.folds[0].train if i.group in kept} == set(split.classes)


def test_a_subset_that_was_changed_is_refused(small: Small, tmp_path: Path) -> None:
    split = load_split("one", small.root)
    subset(split, tmp_path / "s", 2, 1)
    with open(tmp_path / "s/train.csv", "a", encoding="utf-8") as out:
        out.write("x")
    with pytest.raises(RefusedError, match="is not what was built"):
        subset(split, tmp_path / "s", 2, 1)


def test_a_curve_through_the_command(small: Small) -> None:
    words = ("curve", "cv", *FAST, "--points", 3, "--draws", 2)
    found = parsed(small, *words)
    rows = found["rows"]
    assert [row["papers"] for row in rows] == [2, 3, 6] and [row["draws"] for row in rows] == [2, 2, 1]
    assert [row["images"] for row in rows] == [8, 12, pytest.approx(26.7)] or rows[0]["images"] < rows[2]["images"]
    assert found["metrics"][0] == "auroc" and all(0 <= row["auroc"] <= 1 for row in rows)
    assert rows[-1]["auroc_low"] is None or rows[-1]["auroc_low"] < rows[-1]["auroc"]
    folder = Path(found["folder"])
    assert {path.name for path in folder.iterdir()} == {"curve.csv", "curve.json", "curve.png", "runs"}
    with open(folder / "curve.csv", newline="", encoding="utf-8") as handle:
        assert [row["papers"] for row in csv.DictReader(handle)] == ["2", "3", "6"]
    assert json.loads((folder / "curve.json").read_text(encoding="utf-8"))["split"] == "cv"
    shown = call(small, *words)
    assert "AUROC" in shown and "curve.png" in shown
    assert not [name for name in json.loads(call(small, "runs", "list", "--json")) if "papers-" in name["run"]]


def test_a_curve_goes_on_where_it_was_broken_off(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    split, train, trained = load_split("one", small.root), curves.train, []

    def broken(*args: object, **more: object) -> object:
        if len(trained) == 2:
            raise KeyboardInterrupt
        trained.append(1)
        return train(*args, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(curves, "train", broken)
        with pytest.raises(KeyboardInterrupt):
            curves.curve(split, SETTINGS, points=2, draws=2, workspace=small.root)
    now: list[int] = []

    def counted(*args: object, **more: object) -> object:
        done = train(*args, **more)  # type: ignore[arg-type]
        now.append(done.done_now)
        return done

    monkeypatch.setattr(curves, "train", counted)
    made = curves.curve(split, SETTINGS, points=2, draws=2, workspace=small.root)
    assert now == [0, 0, 1] and [row["papers"] for row in made.rows] == [2, 7]


def test_the_last_point_is_the_run_on_the_whole_split(small: Small) -> None:
    split = load_split("one", small.root)
    made = curves.curve(split, SETTINGS, points=2, draws=1, workspace=small.root)
    call(small, "train", "one", *FAST, "--name", "whole-for-curve")
    whole = parsed(small, "evaluate", "whole-for-curve")
    assert made.rows[-1]["auroc"] == pytest.approx(whole["auroc"]["value"])


def test_a_curve_of_numbers_and_one_of_an_order(scene: Small) -> None:
    found = parsed(scene, "curve", "regression", *FAST, "--points", 2, "--draws", 1)
    assert found["unit"] == UNIT and found["metrics"][:2] == ["r2", "mae"]
    assert f"errors in {UNIT}" in call(scene, "curve", "regression", *FAST, "--points", 2, "--draws", 1)
    ordered = parsed(scene, "curve", "ordinal", *FAST, "--points", 2, "--draws", 1)
    assert ordered["metrics"][0] == "kappa"


def test_what_gives_no_curve_is_refused(small: Small, own: Small) -> None:
    split = load_split("one", small.root)
    for points, draws in ((1, 3), (21, 3), (5, 0), (5, 51)):
        with pytest.raises(UsageError, match="A curve has"):
            curves.curve(split, SETTINGS, points=points, draws=draws, workspace=small.root)
    few = load_split("cv", own.root)
    assert fewest_papers(few)[1] > 2 or "too few" in call(own, "curve", "cv", *FAST, expect=2)
