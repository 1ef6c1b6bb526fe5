"""``polymodel predict`` as a user types it, on a small workspace."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from model_runs import TINY, call, parsed
from small_split import Small, texture

from polymodel.data.split import load_split


@pytest.mark.parametrize(("output", "expect"), [("out.txt", 2), ("missing/out.csv", 1)])
def test_an_output_that_cannot_be_is_refused_before_the_work(
    small: Small, tmp_path: Path, output: str, expect: int
) -> None:
    said = call(small, "predict", "run-one", tmp_path / "no-image.png", "--output", tmp_path / output, expect=expect)
    assert "no-image" not in said


def test_prediction_gives_what_training_wrote(small: Small, tmp_path: Path) -> None:
    frame = pd.read_parquet(small.workspace.runs / "run-one" / "parts" / "fold-1-seed-0" / "predictions.parquet")
    paths = [small.root / p for p in frame["path"][:4]]
    found = parsed(small, "predict", "run-one", *paths)["predictions"]
    assert [p["p_positive"] for p in found] == pytest.approx(frame["p_positive"][:4].tolist(), abs=1e-9)
    assert [p["image_sha256"] for p in found] == frame["image_sha256"][:4].tolist()
    assert set(found[0]) == {"path", "image_sha256", "label", "p_positive", "trained_on", "logit_fine", "logit_coarse"}


@pytest.mark.parametrize("recipe", ["finetune", "paper"])
def test_prediction_with_a_trained_network(small: Small, recipe: str) -> None:
    name = f"predict-{recipe}"
    words = ("--recipe", recipe, "--epochs", "1", "--image-size", "32", "--weights", "none", "--arch", TINY)
    call(small, "train", "--split", "one", "--name", name, *words)
    frame = pd.read_parquet(small.workspace.runs / name / "parts" / "fold-1-seed-0" / "predictions.parquet")
    found = parsed(small, "predict", name, small.root / frame["path"][0])["predictions"]
    assert found[0]["p_positive"] == pytest.approx(frame["p_positive"][0], abs=1e-5)


def test_the_parts_of_a_run_answer_together(small: Small) -> None:
    frames = [
        pd.read_parquet(p) for p in sorted((small.workspace.runs / "run-cv" / "parts").glob("*/predictions.parquet"))
    ]
    sha, path = frames[0]["image_sha256"][0], frames[0]["path"][0]
    logits = [f.loc[f["image_sha256"] == sha, "logit_fine"].item() for f in frames]
    found = parsed(small, "predict", "run-cv", small.root / path)["predictions"][0]
    assert found["logit_fine"] == pytest.approx(sum(logits) / 3, abs=1e-9)


def test_a_workspace_is_predicted_by_its_store_alone(small: Small, tmp_path: Path) -> None:
    call(small, "evaluate", "run-leaky")  # which draws a picture below the workspace
    path = tmp_path / "predictions.parquet"
    said = call(small, "predict", "run-leaky", small.root, "--output", path)
    frame = pd.read_parquet(path)
    assert set(frame["image_sha256"]) == {i.image_sha256 for i in small.items} and len(frame) == 40
    tested = {i.image_sha256 for i in load_split("leaky", small.root).folds[0].test}
    assert set(frame.loc[~frame["trained_on"], "image_sha256"]) == tested
    assert "trained on 30 of these images" in said and "Leaky split" in said
    found = parsed(small, "predict", "run-leaky", small.root / small.items[0].path)
    assert found["leakage"] and found["predictions"][0]["trained_on"] is True


def test_folders_and_unreadable_images(small: Small, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "good.png").write_bytes(texture(99, 2.0))
    (tmp_path / "bad.png").write_bytes(b"no image")
    (tmp_path / "note.txt").write_text("not looked at")
    output = tmp_path / "out.csv"
    said = call(small, "predict", "run-one", tmp_path, "--output", output, expect=3)
    assert "bad.png" in said
    assert "Traceback" not in said
    assert pd.read_csv(output)["path"].tolist() == [str(tmp_path / "deep" / "good.png")]
    for suffix, read in ((".json", pd.read_json), (".parquet", pd.read_parquet)):
        path = output.with_suffix(suffix)
        call(small, "predict", "run-one", tmp_path / "deep", "--output", path)
        assert len(read(path)) == 1
    call(small, "predict", "run-one", tmp_path / "deep", "--output", tmp_path / "x.xlsx", expect=2)
    call(small, "predict", "run-one", tmp_path / "nothing.png", expect=1)


def test_an_output_that_is_a_folder_is_refused_before_the_work(small: Small, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    said = call(small, "predict", "run-one", tmp_path / "none.png", "--output", tmp_path / "folder.csv", expect=1)
    assert "is a folder" in said
