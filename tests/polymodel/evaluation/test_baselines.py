"""Baselines, people and printed results: in a small workspace, and the seed's own row on the real images."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from model_runs import call
from PIL import Image
from small_split import Small

from polydata.errors import InputError
from polydata.images.picture import describe
from polydata.resources import schemas
from polydata.task import Task
from polydata.workspace import SETTINGS
from polymodel.evaluation.answered import METRICS, centre_of
from polymodel.evaluation.baselines import (
    BASELINES,
    Pictures,
    best_cut,
    read_embeddings,
    sobel_as_published,
    sobel_seed,
    sobel_value,
    texture_features,
)
from polymodel.evaluation.figures import _shortened
from polymodel.evaluation.people import HumanTable
from polymodel.evaluation.published_results import read_curves, read_printed
from polymodel.report.tables import baseline_rows

REAL = Path(__file__).resolve().parents[4] / "shared" / "data" / "nims"
LABELS = ("compatible", "incompatible")


def png(grey: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(grey.astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def test_the_sobel_value_of_known_pictures() -> None:
    assert sobel_value(png(np.full((20, 30), 90))) == 0
    deep = io.BytesIO()
    Image.fromarray(np.tile(np.arange(500, 3500, 75, dtype=np.uint16), (20, 1))).save(deep, "PNG")
    assert sobel_value(deep.getvalue()) > 0
    ramp = np.tile(np.arange(40) * 5, (40, 1))
    # Across, 5 grey values a pixel give 8 x 5 = 40, halved by the mean with down's 0; the two edge columns give 0.
    assert sobel_value(png(ramp)) == pytest.approx(20 * 38 / 40)


def test_textures_are_finite_and_tell_grains_apart() -> None:
    rng = np.random.default_rng(0)
    fine = Image.fromarray(rng.integers(0, 255, (80, 80), dtype=np.uint8)).convert("RGB")
    flat = Image.new("RGB", (3, 900), "grey")
    first, second = texture_features(fine), texture_features(flat)
    assert first.shape == second.shape
    assert np.isfinite(first).all() and np.isfinite(second).all()
    assert first[0] > second[0]


def test_the_cut_is_found_on_either_side() -> None:
    values = np.concatenate([np.linspace(0, 1, 30), np.linspace(2, 3, 30)])
    positive = np.arange(60) < 30
    groups = np.array([str(k % 12) for k in range(60)])
    cut, low = best_cut(values, positive, groups)
    assert 0.9 <= cut <= 2.1 and low
    assert not best_cut(values, ~positive, groups)[1]
    assert best_cut(values, np.ones(60, dtype=bool), groups)[1]  # nothing to learn from
    # A paper for each label: no fold leaves both labels, so all are looked at.
    cut, low = best_cut(values, positive, np.where(positive, "a", "b"))
    assert 0.9 <= cut <= 2.1 and low
    assert best_cut(values, ~positive, np.where(positive, "a", "b")) == (cut, False)


def test_names_keep_what_tells_them_apart() -> None:
    names = [f"nims-grouped-efficientnet_lite0-{kind}-0a1b2c{k}" for kind in ("probe", "finetune") for k in range(2)]
    short = [_shortened(name) for name in names]
    assert len(set(short)) == 4
    assert all(len(name) == 28 for name in short)
    assert short[2].startswith("nims") and short[2].endswith("-finetune-0a1b2c0")
    assert _shortened("VGG $16$") == r"VGG \$16\$"


def test_one_table_of_all_baselines(small: Small) -> None:
    found = json.loads(call(small, "baselines", "--split", "cv", "--json"))
    assert list(found["rows"]) == list(BASELINES)
    assert all(set(row["metrics"]) == set(METRICS) for row in found["rows"].values())
    assert centre_of(found["rows"]["texture_forest"]["metrics"]["auroc"]) > 0.95
    assert centre_of(found["rows"]["majority"]["metrics"]["accuracy"]) == 0.5
    written = small.workspace.runs / "baselines"
    assert json.loads((written / "cv.json").read_text()) == found
    frame = pd.read_parquet(written / "cv.parquet")
    assert len(frame) == len(BASELINES) * len(small.items)
    assert "GLCM and LBP" in call(small, "baselines", "--split", "one")
    assert "baselines" not in call(small, "runs", "list")  # the folder is no run
    assert "Leaky split" in call(small, "baselines", "--split", "leaky")


def test_neighbours_by_embeddings(small: Small, tmp_path: Path) -> None:
    path = tmp_path / "e.parquet"
    frame = pd.DataFrame([(i.image_sha256, float(i.label == "fine"), 1.0) for i in small.items])
    frame.columns = ["image_sha256", "f0", "f1"]
    frame.to_parquet(path)
    found = json.loads(call(small, "baselines", "--split", "one", "--embeddings", path, "--json"))
    assert found["nearest_by"] == "embeddings"
    assert found["rows"]["nearest"]["metrics"]["accuracy"]["value"] == 1.0
    frame.iloc[:3].to_parquet(path)
    assert "lacks" in call(small, "baselines", "--split", "one", "--embeddings", path, expect=1)
    frame.assign(f1="x").to_parquet(path)
    with pytest.raises(InputError, match="no numbers"):
        read_embeddings(path, [small.items[0].image_sha256])


def people(path: Path, raters: Sequence[str], labels: Sequence[str] = LABELS) -> HumanTable:
    return HumanTable(path, raters, labels, labels[0], Task.load())


def table(path: Path, rows: list[list[object]]) -> Path:
    with path.open("w", newline="") as out:
        csv.writer(out).writerows(rows)
    return path


def test_people_in_the_same_table(small: Small, tmp_path: Path) -> None:
    rows: list[list[object]] = [["key", "truth", "R1", "R2", "R3"]]
    rows += [["a", 1, 1, 1, 0], ["b", 0, 0, 1, 0], ["c", 0, 0, 0, 0], ["d", 1, 1, "", 1], ["e", 1, 1, 0, 0]]
    path = table(tmp_path / "people.csv", rows)
    found = people(path, ["R*"]).scores("truth", top=1)
    assert (found["images"], found["left_out"]) == (4, 1)
    assert found["each"]["R1"]["accuracy"]["value"] == 1.0
    assert found["each"]["R2"]["accuracy"]["value"] == 0.5
    assert found["each"]["R1"]["auroc"]["value"] is None
    assert found["vote"]["accuracy"]["value"] == 0.75
    assert found["vote"]["auroc"]["value"] is not None
    assert found["top"]["raters"] == ["R1"]
    with pytest.raises(InputError, match="no column 'nothing'"):
        people(path, ["R*"]).scores("nothing")
    with pytest.raises(InputError, match="raters"):
        people(path, ["X*"]).scores("truth")
    words = ("--human", path, "--truth", "truth")
    assert "vote of all" in call(small, "baselines", "--split", "one", *words)
    assert "go together" in call(small, "baselines", "--split", "one", "--human", path, expect=2)


def test_answers_that_are_no_label_are_named(small: Small, tmp_path: Path) -> None:
    rows: list[list[object]] = [["key", "truth", "R1", "R2"], ["a", 1, "yes", 1], ["b", 0, "no", 0]]
    path = table(tmp_path / "people.csv", rows)
    with pytest.raises(InputError, match=r"no label: no, yes\.") as caught:
        people(path, ["R*"]).scores("truth")
    assert "compatible, incompatible, 1, 0" in caught.value.hint
    with pytest.raises(InputError, match="no label: no, yes"):
        people(path, ["R*"]).votes("key")
    with pytest.raises(InputError, match=r"no label: a, b\."):
        people(path, ["R2"]).scores("key")
    words = ("baselines", "--split", "one", "--human", path, "--truth", "truth", "--raters", "R1")
    assert "no, yes" in call(small, *words, expect=1)
    # A label of the split, whatever the task says, and the task's spellings.
    path = table(path, [["key", "R1", "R2"], ["a", "yes", "miscible"], ["b", "no", "immiscible"]])
    assert people(path, ["R1"], ("yes", "no")).votes("key").shares == {"a": 1.0, "b": 0.0}
    assert people(path, ["R2"]).votes("key").shares == {"a": 1.0, "b": 0.0}


def test_answers_are_spelled_as_the_task_of_the_workspace_says(own: Small, tmp_path: Path) -> None:
    task = (schemas() / "tasks" / "compatibility.toml").read_text(encoding="utf-8")
    task = task.replace('"incompatible"', '"coarse"').replace('"compatible"', '"fine"')
    (own.root / "grain.toml").write_text(task.replace("[spellings]", '[spellings]\nsmooth = "coarse"\nrough = "fine"'))
    settings = own.root / SETTINGS
    settings.write_text(settings.read_text().replace('task = "compatibility"', 'task = "grain.toml"'))
    rows: list[list[object]] = [["key", "truth", "R1"], ["a", "rough", "rough"], ["b", "smooth", "rough"]]
    rows += [[own.items[-1].image_sha256, "smooth", "smooth"], [own.items[-2].image_sha256, "rough", "rough"]]
    path = table(tmp_path / "people.csv", rows)
    words = ("--human", path, "--raters", "R1")
    found = json.loads(call(own, "baselines", "--split", "one", *words, "--truth", "truth", "--json"))
    assert found["people"]["each"]["R1"]["accuracy"]["value"] == pytest.approx(3 / 4)
    call(own, "train", "--split", "one", "--name", "own", "--arch", "timm:test_resnet", "--weights", "none")
    said = call(own, "evaluate", "own", "--no-controls", "--across", "one", *words, "--images", "key", "--json")
    assert json.loads(said)["across"]["judged"]["vote"]["accuracy"]["value"] == 1.0


def test_printed_results(tmp_path: Path) -> None:
    rows: list[list[object]] = [["table", "model", "pretrained", "test_accuracy_pct", "f1_pct"]]
    path = table(tmp_path / "p.csv", [*rows, ["Table 2", "Pre-VGG", "yes", 94.02, ""]])
    found = read_printed(path)[0]
    assert found.values["accuracy"] == pytest.approx(0.9402)
    assert found.values["f1"] is None
    assert "swapped" in found.meaning
    assert read_printed(table(path, [*rows, ["", "Pre-VGG", "", 90, ""]]))[0].meaning == ""
    with pytest.raises(InputError, match="no percentage"):
        read_printed(table(path, [*rows, ["Table 2", "x", "", "nan", ""]]))
    with pytest.raises(InputError, match="no columns"):
        read_printed(table(path, [["a"], ["b"]]))


def test_printed_curves(tmp_path: Path) -> None:
    header: list[object] = ["model", "epoch", "train_accuracy_pct", "test_accuracy_pct"]
    points: list[list[object]] = [["a", 2, 80, 70], ["a", 1, "", 90], ["b", 1, 60, 50]]
    path = table(tmp_path / "log.csv", [header, *points])
    first, second = read_curves(path)
    assert (first.model, first.epochs, first.train, first.test) == ("a", (1, 2), (None, 0.8), (0.9, 0.7))
    assert first.peak == (0.9, 1)
    assert first.end == pytest.approx(0.8)
    assert second.test == (0.5,)
    for row, said in (
        (["a", "x", 1, 1], "whole epoch"),
        (["a", 1, 1, ""], "whole epoch"),
        (["a", 1, 1, 101], "no perc"),
    ):
        with pytest.raises(InputError, match=said):
            read_curves(table(path, [header, row]))
    with pytest.raises(InputError, match="no columns"):
        read_curves(table(path, [["model", "epoch"], ["a", 1]]))
    with pytest.raises(InputError, match="can be drawn"):
        read_curves(table(path, [header, *([str(k), 1, 1, 1] for k in range(99))]))


@pytest.mark.realdata
def test_the_seeds_training_log() -> None:
    curves = {curve.model: curve for curve in read_curves(REAL / "published_training_log.csv")}
    assert len(curves) == 6
    assert all(len(curve.epochs) == 100 for curve in curves.values())
    assert round(100 * curves["Pre-VGG"].peak[0], 2) == 94.02
    ends = [curve.end for name, curve in curves.items() if name.startswith("Pre")]
    assert (round(min(ends), 3), round(max(ends), 3)) == (0.839, 0.913)


@pytest.mark.realdata
def test_the_seeds_sobel_row() -> None:
    with (REAL / "sobel_values.csv").open() as rows:
        listed = list(csv.DictReader(rows))
    data = [(REAL / "images" / row["file_name"]).read_bytes() for row in listed]
    values = np.array([sobel_value(one) for one in data])
    is_gif = np.array([describe(one, "image").format == "GIF" for one in data])
    theirs = np.array([float(row["sobel_mean"]) for row in listed])
    assert np.median(np.abs(values - theirs)) < 1e-9
    assert np.abs(values - theirs).max() < 0.7  # JPEGs and palettes, as another decoder rounds them
    labels = np.array([int(row["label01"]) for row in listed])
    groups = np.array([row["file_name"].split("_")[0] for row in listed])
    nothing = np.zeros((len(values), 1))
    features = dict.fromkeys(("metadata", "prints", "textures", "embeddings"), nothing)
    pictures = Pictures(labels=labels, groups=groups, classes=2, positive=1, is_gif=is_gif, sobel=values, **features)
    found = sobel_as_published(pictures)
    row = found["without_gif"]["metrics"]
    printed = {"accuracy": 80.20, "precision": 47.06, "recall": 8.00, "specificity": 97.80, "f1": 13.68}
    assert found["without_gif"]["images"] == 510
    assert {m: round(100 * row[m]["value"], 2) for m in printed} == printed
    assert found["all"]["images"] == 517
    assert round(100 * found["all"]["metrics"]["accuracy"]["value"], 2) == 80.27
    for threshold in (17.12, 18.06):
        answers = values <= threshold
        every = np.arange(len(values))
        assert (answers == (sobel_seed(pictures, every, every)[:, 1] > 0.5)).all()


@pytest.mark.realdata
def test_the_researchers() -> None:
    found = people(REAL / "human_labels.csv", ["R*"]).scores("workbook_label01")
    assert (found["images"], found["left_out"], len(found["each"])) == (116, 1, 21)
    assert found["fleiss_kappa"] == pytest.approx(0.359, abs=5e-4)
    assert found["mean"]["accuracy"]["mean"] == pytest.approx(0.720, abs=5e-4)
    assert found["top"]["metrics"]["accuracy"]["mean"] == pytest.approx(0.8388, abs=5e-5)
    above = [m["accuracy"]["value"] > found["majority_accuracy"] for m in found["each"].values()]
    assert sum(above) == 3
    published = people(REAL / "human_labels.csv", ["R*"]).scores("published_label01")
    assert published["vote"]["auroc"]["value"] == pytest.approx(0.919, abs=1e-3)


def test_the_seeds_rule_stands_once_where_no_image_is_a_gif() -> None:
    both = {"without_gif": {"images": 9, "metrics": {}}, "all": {"images": 9, "metrics": {}}}
    found = {"test_images": 3, "rows": {}, "sobel_as_published": both}
    assert [on for on, _, _ in baseline_rows(found)] == ["all 9 images"]
    both["without_gif"]["images"] = 7
    assert [on for on, _, _ in baseline_rows(found)] == ["the 7 images that are no GIF", "all 9 images"]
