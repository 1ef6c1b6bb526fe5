"""``polymodel predict`` as a user types it, on a small workspace."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from model_runs import FAST, TINY, call, parsed
from small_split import POSITIVE, Small, texture, write_split

from polydata.ids import sha256_file
from polydata.splits.manifest import Item
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
    assert [p["p_fine"] for p in found] == pytest.approx(frame["p_fine"][:4].tolist(), abs=1e-9)
    assert [p["image_sha256"] for p in found] == frame["image_sha256"][:4].tolist()
    columns = {"path", "image_sha256", "label", "p_fine", "trained_on", "trained_through", "members"}
    columns |= {"p_fine_calibrated", "prediction_set", "out_of_distribution"}
    assert set(found[0]) == columns | {"logit_fine", "logit_coarse"}
    assert {p["trained_through"] for p in found} == {"image"}


@pytest.mark.parametrize("recipe", ["finetune", "paper"])
def test_prediction_with_a_trained_network(small: Small, recipe: str) -> None:
    name = f"predict-{recipe}"
    words = ("--recipe", recipe, "--epochs", "1", "--image-size", "32", "--weights", "none", "--arch", TINY)
    call(small, "train", "--split", "one", "--name", name, *words)
    frame = pd.read_parquet(small.workspace.runs / name / "parts" / "fold-1-seed-0" / "predictions.parquet")
    found = parsed(small, "predict", name, small.root / frame["path"][0])["predictions"]
    assert found[0]["p_fine"] == pytest.approx(frame["p_fine"][0], abs=1e-5)


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
    assert set(frame.loc[frame["trained_through"] == "paper", "image_sha256"]) == tested
    assert frame["trained_on"].all()
    assert "30 themselves, 10 by other images of their papers" in said and "Leaky split" in said
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


def test_what_was_made_of_a_training_image_is_known_again(own: Small, tmp_path: Path) -> None:
    """Encoded anew, cropped, or another image of a trained paper: none is a picture that the run had not seen."""
    import numpy as np
    from PIL import Image, ImageFilter

    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 255, (480, 640), dtype=np.uint8)).filter(ImageFilter.GaussianBlur(4))
    whole = Image.eval(noise, lambda v: max(0, min(255, (v - 128) * 6 + 128)))
    info = own.workspace.store / "00"
    info.mkdir(exist_ok=True)
    path = info / "whole.png"
    whole.save(path)
    sha256 = sha256_file(path)
    item = Item(sha256, POSITIVE, "paper 0", path.relative_to(own.root).as_posix(), {})
    write_split(own.workspace.splits / "seen", [([item, *own.items[1:12]], [own.items[0], *own.items[12:]])])
    call(own, "train", "--split", "seen", "--name", "seen", *FAST)
    whole.save(tmp_path / "anew.jpg", quality=70)
    whole.crop((60, 40, 460, 360)).save(tmp_path / "crop.png")
    (tmp_path / "other.png").write_bytes(texture(99, 2.0))
    names = {"itself": path, "paper": own.root / own.items[0].path, "unseen": own.root / own.items[13].path}
    names |= {name: tmp_path / name for name in ("anew.jpg", "crop.png", "other.png")}
    found = parsed(own, "predict", "seen", *names.values())["predictions"]
    through = {name: row["trained_through"] for name, row in zip(names, found, strict=True)}
    known = {"itself": "image", "paper": "paper", "anew.jpg": "copy", "crop.png": "copy"}
    assert through == known | {"unseen": "", "other.png": ""}
    assert [row["trained_on"] for row in found] == [bool(value) for value in through.values()]
    said = call(own, "predict", "seen", tmp_path, "--no-crops")
    assert "Crops of training images were not looked for" in said and "1 by copies" in said
