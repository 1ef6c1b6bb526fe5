"""What ``import polymodel`` offers, walked as a reader of its documentation would."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score
from small_split import Small

import polymodel
from polydata.errors import RefusedError, UsageError
from polydata.images.picture import open_picture
from polymodel.evaluation.answered import METRICS

PROBE = polymodel.Probe(arch="timm:test_resnet", weights="none", image_size=40)
COLUMNS = ["value", "low", "high", "sd"]


@pytest.fixture(scope="module")
def run(small: Small) -> polymodel.Run:
    return polymodel.fit("cv", PROBE, name="face", workspace=small.root)


def test_the_face_is_imported_when_it_is_asked_for() -> None:
    code = "import polymodel, sys; print(*{m.split('.')[0] for m in sys.modules} & {'torch', 'pandas', 'numpy', 'PIL'})"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == ""


@pytest.mark.parametrize("name", polymodel.__all__)
def test_every_name_is_documented_and_typed(name: str) -> None:
    thing = getattr(polymodel, name)
    assert inspect.getdoc(thing)
    members = [m for n, m in vars(thing).items() if not n.startswith("_")] if inspect.isclass(thing) else [thing]
    for member in members:
        call = member.fget if isinstance(member, property) else member
        if inspect.isfunction(call):
            signature = inspect.signature(call)
            assert inspect.getdoc(call), call
            assert signature.return_annotation is not signature.empty, call
            assert all(p.annotation is not p.empty for n, p in signature.parameters.items() if n != "self"), call


def test_a_run_is_scored_asked_reported_and_compared(small: Small, run: polymodel.Run, tmp_path: Path) -> None:
    found = run.evaluate(against=run, across="one", workspace=small.root)
    assert list(found.table.columns) == COLUMNS
    assert set(found.rows) == {"model", "ensemble", "majority", "metadata", "print_only", "paper_lookup", "sobel"}
    assert found.table.loc[("model", "auroc"), "value"] == found.facts["auroc"]["mean"]
    assert {"against", "across"} <= set(found.facts)
    assert list(run.metrics.index) == list(METRICS)
    pd.testing.assert_frame_equal(run.metrics, found.table.loc["model"])
    assert "<html" in run.report(tmp_path / "face.html").read_text()
    board = polymodel.compare([run, "face"], workspace=small.root)
    assert board.table["run"].tolist() == ["face", "face"] and len(board.differences) == 1
    split = polymodel.load_split("cv", small.root)
    sides = polymodel.SplitDataset(split, split.folds[0].test)
    for thing in (run, found, board, run.predict(split.image_path(sides.items[0])), split, split.folds[0], sides):
        assert len(repr(thing)) < 160 and str(thing).startswith("<")  # a cell of a notebook shows it
    with pytest.raises(UsageError, match="go together"):
        run.evaluate(human=tmp_path / "people.csv")


def test_pictures_and_arrays_are_answered_as_their_files(small: Small, run: polymodel.Run, tmp_path: Path) -> None:
    path = small.root / small.items[0].path
    picture = open_picture(path)
    grey, rgb = np.asarray(picture.convert("L")), np.asarray(picture)
    alpha = Image.merge("RGBA", (*picture.split(), Image.new("L", picture.size, 255)))
    found = run.predict([path, str(path), picture, alpha, grey, rgb, grey.astype(np.uint16) * 256])
    assert found.table["path"].tolist() == [str(path)] * 2 + [f"#{k}" for k in range(2, 7)]
    logits = found.table.filter(like="logit_").to_numpy()
    assert logits[:6] == pytest.approx(np.tile(logits[0], (6, 1)), abs=1e-12)
    assert found.table["trained_on"].tolist()[:3] == [True, True, None]
    picture.quantize(8).save(tmp_path / "palette.png", transparency=0)
    one, two = run.predict([tmp_path / "palette.png", Image.open(tmp_path / "palette.png")]).done
    assert one.logits == two.logits
    assert run.predict(picture).done[0].logits == found.done[2].logits
    exported = run.export(tmp_path / "face.onnx").output
    assert polymodel.predict(exported, grey).done[0].label == found.done[0].label
    shapes = [np.zeros(shape, dtype=np.uint8) for shape in ((2, 3, 4, 5), (9, 9, 2), (9,))]
    others = [grey.astype(kind) for kind in (np.complex128, np.float32, np.float64, np.int32, bool)]
    for wrong in (*shapes, *others, 3.0):
        with pytest.raises(UsageError, match="no picture"):
            run.predict([wrong])
    with pytest.raises(UsageError, match="--device takes auto, cpu"):
        run.predict(grey, device="gpu")


@pytest.mark.parametrize("option", ["device", "precision", "tracker"])
def test_a_word_that_means_nothing_is_an_error_of_ours(small: Small, option: str) -> None:
    with pytest.raises(UsageError, match="not 'nonsense'"):
        polymodel.fit("cv", PROBE, workspace=small.root, **{option: "nonsense"})  # type: ignore[arg-type]


def test_predictions_from_anywhere_are_scored() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 60)
    proba = np.clip(0.3 * truth + 0.7 * rng.random(60), 0, 1)
    found = polymodel.score(truth, proba, np.arange(60) // 4)
    assert list(found.columns) == COLUMNS
    assert found.loc["auroc", "value"] == pytest.approx(roc_auc_score(truth, proba))
    assert found.loc["auroc", "low"] < found.loc["auroc", "value"] < found.loc["auroc", "high"]
    pd.testing.assert_frame_equal(
        found, polymodel.score(truth, np.column_stack([1 - proba, proba]), np.arange(60) // 4)
    )
    for wrong in (
        (truth[:5], proba),
        (truth, proba * 2),
        (truth + 1, proba),
        (truth, proba, ["a"]),
        ([], []),
        (["a"], [1]),
    ):
        with pytest.raises(UsageError):
            polymodel.score(*wrong)


def test_baselines_of_a_split(own: Small) -> None:
    found = polymodel.baselines("one", workspace=own.root)
    assert found.table.loc[("majority", "accuracy"), "value"] == 0.5
    (own.root / own.items[0].path).write_bytes(b"changed")
    with pytest.raises(RefusedError, match="not what they were"):
        polymodel.baselines("one", workspace=own.root)
