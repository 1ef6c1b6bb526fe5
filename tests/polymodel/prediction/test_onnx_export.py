"""Runs exported to ONNX: they answer as predict does, say what they are, and are refused where they cannot."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from model_runs import call
from small_split import CLASSES, POSITIVE, Small, texture

from polydata.errors import InputError, RefusedError, UsageError
from polydata.resources import install_hint
from polymodel.config import TrainConfig, adjusted
from polymodel.data.split import load_split
from polymodel.prediction import onnx as onnx_export
from polymodel.prediction.onnx import open_onnx
from polymodel.prediction.predict import open_model, predict
from polymodel.recipes import RecipeName
from polymodel.runs.run import Run
from polymodel.training.train import train

TINY = "timm:test_resnet"


def trained(small: Small, recipe: RecipeName, split: str, seeds: int = 1, arch: str = TINY, **overrides: float) -> Run:
    config = TrainConfig(arch, "none", None, adjusted(recipe, **overrides), tuple(range(seeds)))
    return train(load_split(split, small.root), config, small.workspace.runs).run


PROBE = {"recipe": RecipeName.PROBE, "split": "cv", "seeds": 2, "image_size": 36}
WIDE_PROBE = {"recipe": RecipeName.PROBE, "split": "one", "image_size": 36, "arch": "resnet18"}  # channels are mixed
FINETUNE = {"recipe": RecipeName.FINETUNE, "split": "cv", "seeds": 2, "image_size": 32, "epochs": 1}
LP_FT = {"recipe": RecipeName.LP_FT, "split": "one", "image_size": 32, "epochs": 1}
PAPER = {"recipe": RecipeName.PAPER_CODE, "split": "leaky", "image_size": 32, "epochs": 1}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures that no run has seen, larger and smaller than what it was trained on, and one file that is none."""
    folder = tmp_path_factory.mktemp("pictures")
    for k, size in enumerate((30, 64, 150)):
        (folder / f"{k}.png").write_bytes(texture(500 + k, 1.0 + k, size))
    (folder / "bad.png").write_bytes(b"no image")
    return folder


@pytest.fixture(scope="module")
def exported(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one part in a file; tests change nothing."""
    return onnx_export.export(trained(small, **PAPER), tmp_path_factory.mktemp("exported") / "x.onnx").output


@pytest.mark.parametrize("settings", [PROBE, WIDE_PROBE, FINETUNE, LP_FT, PAPER])
def test_an_exported_run_answers_as_it_predicts(
    small: Small, tmp_path: Path, pictures: Path, settings: dict[str, Any]
) -> None:
    run = trained(small, **settings)
    output = tmp_path / "run.onnx"
    done = onnx_export.export(run, output)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.json", "run.onnx"]
    assert done.from_run
    assert done.difference < 1e-4
    wanted, found = predict(run, [pictures]), predict(open_model(str(output)), [pictures])
    assert [p.path for p in found.done] == [p.path for p in wanted.done]
    assert found.failed == wanted.failed != ()
    for one, other in zip(found.done, wanted.done, strict=True):
        assert (one.label, one.image_sha256) == (other.label, other.image_sha256)
        assert one.p_positive == pytest.approx(other.p_positive, abs=1e-4)
        assert one.logits == pytest.approx(other.logits, abs=1e-4)


def test_a_file_takes_several_pictures_at_once_and_gives_probabilities(exported: Path) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(exported)
    views = np.random.default_rng(0).integers(0, 256, (5, 1, 32, 32), dtype=np.uint8)
    logits, chances = session.run(["logits", "probabilities"], {"views": views})
    assert logits.shape == chances.shape == (5, len(CLASSES))
    assert chances == pytest.approx(np.exp(logits) / np.exp(logits).sum(1, keepdims=True), abs=1e-6)
    [alone] = session.run(["logits"], {"views": views[2:3]})
    assert alone[0] == pytest.approx(logits[2], abs=1e-5)


def test_a_file_says_what_it_is(small: Small, exported: Path) -> None:
    import onnx

    said = {p.key: p.value for p in onnx.load(exported).metadata_props}
    beside = json.loads(exported.with_suffix(".json").read_text(encoding="utf-8"))
    assert set(said) == set(beside)
    assert json.loads(said["classes"]) == beside["classes"] == list(CLASSES)
    assert (said["positive"], said["run"], said["split"]) == (POSITIVE, trained(small, **PAPER).name, "leaky")
    assert said["split_digest"] == load_split("leaky", small.root).digest
    assert "papers on both sides" in said["leakage"]
    prepared = json.loads(said["preparation"])
    assert prepared == beside["preparation"]
    assert prepared["size"] == 32 and prepared["renderings"] == [{"short_side": 40, "quarter_turns": 0}]
    assert prepared["grey_weights"] == [0.299, 0.587, 0.114]
    assert said["polymodel"]
    assert str(Path(onnx_export.__file__).parent).encode() not in exported.read_bytes()


def test_made_up_pictures_where_the_images_are_gone(own: Small, tmp_path: Path) -> None:
    run = trained(own, RecipeName.FINETUNE, "one", image_size=32, epochs=1)
    for item in own.items:
        (own.root / item.path).unlink()
    done = onnx_export.export(run, tmp_path / "x.onnx")
    assert not done.from_run
    assert done.difference < 1e-4


def test_the_commands(small: Small, tmp_path: Path, pictures: Path) -> None:
    name = trained(small, **PAPER).name
    output, table = tmp_path / "x.onnx", tmp_path / "x.csv"
    said = call(small, "export", name, "--output", output)
    assert "differs from torch's" in said and "x.onnx" in said and "polymodel predict" in said
    assert json.loads(call(small, "export", name, "--output", output, "--json"))["difference"] < 1e-4
    call(small, "predict", output, pictures / "0.png", "--output", table)
    assert {"path", "image_sha256", "label", "p_fine", "logit_fine"} <= set(pd.read_csv(table).columns)
    assert "processor" in call(small, "predict", output, pictures / "0.png", "--device", "cuda", expect=2)
    for words, code in (((tmp_path / "x.pb",), 2), ((tmp_path / "missing" / "x.onnx",), 1)):
        call(small, "export", name, "--output", *words, expect=code)


def test_an_unfinished_run_is_refused(own: Small, tmp_path: Path) -> None:
    run = trained(own, RecipeName.PROBE, "cv", image_size=40)
    next(run.folder.glob("parts/fold-2*/part.json")).unlink()
    said = call(own, "export", run.name, "--output", tmp_path / "x.onnx", expect=7)
    assert "not finished" in said and "Go on with it" in said
    assert list(tmp_path.glob("x.*")) == []


def test_a_missing_package_is_named_before_the_work(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnxscript" else find(name))
    run = trained(small, **PROBE)
    with pytest.raises(UsageError, match="onnxscript") as caught:
        onnx_export.export(run, tmp_path / "x.onnx")
    assert install_hint("onnx") in caught.value.hint


def test_a_file_that_answers_otherwise_is_not_written(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(small, **PAPER)
    monkeypatch.setattr(onnx_export, "TOLERANCE", -1.0)  # not even equal logits are near enough
    (tmp_path / "x.onnx").touch()  # an empty file is nobody's
    with pytest.raises(RefusedError, match="does not answer"):
        onnx_export.export(run, tmp_path / "x.onnx")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("x.onnx", b"")]


class Eigenvalues(torch.nn.Module):
    """Does what ONNX has no word for."""

    def forward(self, views: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        values = torch.linalg.eigvalsh(views[:, 0].float())
        return values, values.softmax(1)


def test_an_operation_that_onnx_lacks_is_one_message() -> None:
    views = np.zeros((2, 1, 4, 4), dtype=np.uint8)
    with pytest.raises(InputError, match="cannot be expressed in ONNX") as caught:
        onnx_export.to_onnx(Eigenvalues(), views, {}, "odd")
    assert "\n" not in caught.value.message


HUGE = ("preparation", '{"size": 1000000000, "renderings": [], "crops": "centre"}')


def test_files_that_are_no_exported_run_are_named(exported: Path, tmp_path: Path) -> None:
    import onnx

    with pytest.raises(InputError, match="There is no"):
        open_onnx(tmp_path / "none.onnx")
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"no graph")
    with pytest.raises(InputError, match="no ONNX file"):
        open_onnx(damaged)
    model = onnx.load(exported)
    for key, value in (("format", "other"), ("classes", "7"), ("positive", "none"), ("preparation", "{}"), HUGE):
        spoilt = onnx.ModelProto()
        spoilt.CopyFrom(model)
        next(p for p in spoilt.metadata_props if p.key == key).value = value
        damaged.write_bytes(spoilt.SerializeToString())
        with pytest.raises(InputError, match="was not written by polymodel export"):
            open_onnx(damaged)
