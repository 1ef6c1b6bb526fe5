"""What is learned of labels in an order and of numbers, and the commands on splits of them."""

from __future__ import annotations

import csv
import dataclasses
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from kinds_scene import ASKED, BINS, ORDER, UNIT, make_kinds, numbered, write_kind
from model_runs import FAST, call, config, parsed, trained
from scipy.special import softmax
from sklearn.linear_model import Ridge
from small_split import Small
from torch.nn import functional

from polydata.errors import InputError
from polydata.splits.manifest import TARGET
from polydata.task import TaskKind
from polymodel.kinds.asked import KINDS
from polymodel.networks.solver import Problem
from polymodel.recipes import RecipeName

ORDINAL, REGRESSION = KINDS[TaskKind.ORDINAL], KINDS[TaskKind.REGRESSION]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Small:
    return make_kinds(tmp_path_factory.mktemp("kinds"))


def test_the_loss_of_an_order_is_that_of_being_beyond_each_label() -> None:
    outputs, truth = torch.randn(20, 4, generator=torch.Generator().manual_seed(1)), torch.arange(20) % 4
    beyond = torch.softmax(outputs, 1).flip(1).cumsum(1).flip(1)[:, 1:]
    is_beyond = (truth[:, None] > torch.arange(3)).float()
    wanted = functional.binary_cross_entropy(beyond, is_beyond, reduction="none").sum(1)
    assert ORDINAL.losses(outputs, truth).numpy() == pytest.approx(wanted.numpy(), abs=1e-5)


def test_of_two_labels_the_order_says_nothing() -> None:
    outputs, truth = torch.randn(9, 2, generator=torch.Generator().manual_seed(2)), torch.arange(9) % 2
    usual = functional.cross_entropy(outputs, truth, reduction="none")
    assert ORDINAL.losses(outputs, truth).numpy() == pytest.approx(usual.numpy(), abs=1e-5)


def test_far_off_in_the_order_costs_more_than_near() -> None:
    said = torch.tensor([[0.0, 4.0, 0.0, 0.0], [0.0, 0.0, 0.0, 4.0]])
    near, far = ORDINAL.losses(said, torch.tensor([0, 0])).tolist()
    assert far > 2 * near
    same = KINDS[TaskKind.NOMINAL].losses(said, torch.tensor([0, 0])).tolist()
    assert same[0] == pytest.approx(same[1])


def test_a_probe_of_an_order_has_one_direction_along_which_labels_follow() -> None:
    rng = np.random.default_rng(3)
    features = rng.normal(size=(300, 5))
    truth = np.digitize(features[:, 0] + 0.3 * rng.normal(size=300), [-1, 0, 1])
    weight, bias = ORDINAL.fit(features, truth, 4, [Problem(1.0, np.ones(300))])[0]
    assert np.linalg.matrix_rank(weight) == 1
    assert weight == pytest.approx(np.outer(np.arange(4), weight[1]))
    assert ((features @ weight.T + bias).argmax(1) == truth).mean() > 0.75


def test_a_probe_of_an_order_stands_without_a_label_and_not_with_one_alone() -> None:
    features, truth = np.eye(6), np.array([0, 0, 0, 2, 2, 2])
    weight, bias = ORDINAL.fit(features, truth, 3, [Problem(1.0, np.ones(6))])[0]
    assert softmax(features @ weight.T + bias, axis=1)[:, 1].max() < 1e-9
    with pytest.raises(InputError, match="same label"):
        ORDINAL.fit(features, truth, 3, [Problem(1.0, (truth == 0).astype(np.float64))])


@pytest.mark.parametrize("shape", [(40, 7), (7, 40)])
def test_a_probe_of_numbers_is_a_ridge_regression(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(4)
    features, truth, weights = rng.normal(size=shape), rng.gamma(2, 3, shape[0]), rng.uniform(0.2, 2, shape[0])
    weight, bias = REGRESSION.fit(features, truth, 3, [Problem(0.3, weights)])[0]
    mean = np.average(truth, weights=weights)
    sd = np.sqrt(np.average((truth - mean) ** 2, weights=weights))
    model = Ridge(1 / 0.3).fit(features, (truth - mean) / sd, sample_weight=weights)
    assert features @ weight[0] + bias[0] == pytest.approx(model.predict(features) * sd + mean)


def test_what_a_probe_of_numbers_does_not_learn_from_changes_nothing() -> None:
    rng = np.random.default_rng(5)
    features, truth, weights = rng.normal(size=(30, 4)), rng.normal(size=30), np.r_[np.ones(20), np.zeros(10)]
    other = np.r_[truth[:20], 1000 + truth[20:]]
    one, two = (REGRESSION.fit(features, given, 2, [Problem(0.3, weights)])[0] for given in (truth, other))
    assert one[0] == pytest.approx(two[0]) and one[1] == pytest.approx(two[1])


@pytest.mark.parametrize("recipe", [RecipeName.PROBE, RecipeName.FINETUNE, RecipeName.LP_FT])
def test_statistics_of_numbers_come_from_the_training_side_alone(recipe: RecipeName, tmp_path: Path) -> None:
    """Test values that are a thousand times as large leave the model as it is."""
    own = make_kinds(tmp_path / "own")
    items, half = numbered(own.items), 6 * 7
    far = [dataclasses.replace(item, extra={TARGET: item.extra[TARGET] + "e3"}) for item in items[half:]]
    write_kind(own.workspace.splits / "far", [(items[:half], far)], BINS, ASKED)
    more = {} if recipe is RecipeName.PROBE else {"epochs": 1, "patience": 0}
    runs = [trained(own, config(recipe, image_size=40, **more), f"{recipe}-{split}", split)
            for split in ("regression", "far")]  # fmt: skip
    said = [run.predictions(run.planned[0])["value"].to_numpy() for run in runs]
    assert said[0] == pytest.approx(said[1])
    assert 0.5 < said[0].mean() < 4  # in the unit


def test_an_order_goes_through_the_commands(scene: Small, tmp_path: Path) -> None:
    call(scene, "train", "ordinal", *FAST, "--name", "order")
    found = parsed(scene, "evaluate", "order")
    assert {"kappa", "rank_mae", "rank_correlation", "f1", "accuracy"} <= set(found)
    assert found["rank_mae"]["value"] < found["majority"]["rank_mae"]["value"]
    assert found["kappa"]["value"] > 0.5 and found["over_seeds"]["kappa"]["values"] == [found["kappa"]["value"]]
    shown = call(scene, "evaluate", "order")
    assert "weighted kappa" in shown and "MAE in ranks" in shown
    said = parsed(scene, "predict", "order", scene.root / "store", "--no-crops")["predictions"]
    assert {p["label"] for p in said} <= set(ORDER)
    call(scene, "report", "order", "--output", tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "fine &lt; middle &lt; coarse" in page and "weighted kappa" in page
    assert "in this order" in (scene.workspace.runs / "order/README.md").read_text(encoding="utf-8")


def test_numbers_go_through_the_commands(scene: Small, tmp_path: Path) -> None:
    call(scene, "train", "regression-cv", *FAST, "--name", "number")
    found = parsed(scene, "evaluate", "number")
    assert found["mae"]["mean"] < 0.5 * found["mean"]["mae"]["mean"]
    assert found["r2"]["mean"] > 0.5 and found["r2"]["low"] < found["r2"]["mean"] < found["r2"]["high"]
    assert set(found["controls"]) == {"median", "metadata", "print_only", "paper_lookup", "sobel"}
    assert found["baseline"] == "mean" and found["unit"] == UNIT
    assert "confusion_matrix" not in found and found["reliability"]["slope"]["value"] is not None
    shown = call(scene, "evaluate", "number")
    assert "errors in um" in shown and "Truth over prediction" in shown and "per cent" not in shown.splitlines()[0]
    table = tmp_path / "p.csv"
    for _ in range(2):  # the second time over the first
        call(scene, "predict", "number", scene.root / "store", "--no-crops", "--output", table)
    with open(table, newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 60 and {"value", "unit", "low", "high", "trained_on"} <= set(rows[0])
    truth = {i.image_sha256: float(i.extra[TARGET]) for i in scene.items}
    away = [abs(float(row["value"]) - truth[row["image_sha256"]]) for row in rows]
    assert np.mean(away) < 0.3
    call(scene, "report", "number", "--output", tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Largest errors" in page and "of always answering with the mean" in page and "Confusion matrix" not in page
    assert (scene.workspace.runs / "number/values.png").is_file()


def test_files_of_a_run_of_numbers(scene: Small) -> None:
    run = trained(scene, config(RecipeName.FINETUNE, image_size=40, epochs=1, patience=0), "kept", "regression")
    frame = run.predictions(run.planned[0])
    assert list(frame.columns) == ["image_sha256", "side", "label", "group", "path", TARGET, "value"]
    history = pd.read_csv(run.part_folder(run.planned[0]) / "metrics.csv")
    assert {"train_loss", "train_mae", "test_mae"} <= set(history.columns)
    assert 0 < history["train_mae"].iloc[0] < 2  # in the unit


def test_runs_of_numbers_are_compared(scene: Small) -> None:
    for recipe in (RecipeName.PROBE, RecipeName.LP_FT):
        more = {"epochs": 1} if recipe == RecipeName.LP_FT else {}
        trained(scene, config(recipe, image_size=40, **more), f"side-{recipe}", "regression")
    shown = call(scene, "runs", "compare", "side-probe", "side-lp-ft")
    assert re.search(r"R²\s+95 %\s+MAE", shown) and "McNemar" not in shown
    call(scene, "runs", "compare")  # labels and numbers under each other


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("baselines", "regression"), "asks for a number"),
        (("export", "refused"), "says numbers"),
        (("evaluate", "refused", "--across", "regression", "--human", "x.csv", "--images", "i"), "holds labels"),
    ],
)
def test_what_means_nothing_to_numbers_is_refused(words: tuple[str, ...], part: str, scene: Small) -> None:
    if "refused" in words:
        pytest.importorskip("onnxscript")
        trained(scene, config(RecipeName.PROBE, image_size=40), "refused", "regression")
    assert part in call(scene, *words, expect=2)


def test_a_split_without_values_is_an_error(tmp_path: Path) -> None:
    own = make_kinds(tmp_path / "own", groups=4)
    bare = [dataclasses.replace(item, extra={}) for item in numbered(own.items)]
    write_kind(own.workspace.splits / "bare", [(bare[:12], bare[12:])], BINS, ASKED)
    assert "lack or garble" in call(own, "train", "bare", *FAST, expect=1)
