"""Predictions read from files, and the images that are chosen by them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_studio_sdk.label_interface import LabelInterface

from polydata.errors import InputError, UsageError
from polydata.files.predictions import MAX_BYTES, Prediction, Predictions, read_predictions, suggested, uncertainty
from polydata.labels.page import labelling_page, task_prediction
from polydata.labels.push import select_images
from polydata.task import Task

TASK = Task.load()
YES, NO, PARTIAL = TASK.labels
A, B, C = ("a" * 64, "b" * 64, "c" * 64)


def write(path: Path, rows: list[tuple[str, float, float]], **more: Any) -> Path:
    columns = {"image_sha256": [r[0] for r in rows]}
    logits = {f"logit_{YES}": [r[1] for r in rows], f"logit_{NO}": [r[2] for r in rows]}
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({**columns, **logits, **more}).to_parquet(path, index=False)
    return path


def test_a_file_as_polymodel_predict_writes_it(tmp_path: Path) -> None:
    found = read_predictions(write(tmp_path / "best.parquet", [(A, 2.0, 0.0), (B, 0.0, 1.0)]), TASK)
    assert found.version == "best"
    assert (found.by_image[A].label, found.by_image[B].label) == (YES, NO)
    assert found.by_image[A].chances == pytest.approx((math.exp(2) / (math.exp(2) + 1), 1 / (math.exp(2) + 1)))
    shown = task_prediction(found.by_image[B], "best")
    assert shown["score"] == 0.7311
    assert LabelInterface(labelling_page(TASK)).validate_prediction(shown)
    assert read_predictions(tmp_path / "best.parquet", TASK, "v2").version == "v2"


def test_of_a_run_only_images_that_a_part_was_not_trained_on(tmp_path: Path) -> None:
    run = tmp_path / "runs/probe"
    sides = {"side": ["train", "test"], "label": [NO, NO]}
    write(run / "parts/fold-1-seed-0/predictions.parquet", [(A, 9.0, 0.0), (B, 1.0, 0.0)], **sides)
    write(run / "parts/fold-1-seed-1/predictions.parquet", [(A, 9.0, 0.0), (B, 0.0, 3.0)], **sides)
    found = read_predictions(run, TASK)
    assert found.version == "probe"
    assert set(found.by_image) == {B}
    assert found.by_image[B].label == NO  # the mean of both; never the column label, which is the truth
    assert found.by_image[B].chances[1] == pytest.approx(math.e / (1 + math.e))


@pytest.mark.parametrize(
    ("rows", "columns", "match"),
    [
        ([(A, math.nan, 0.0)], {}, "Row 1 .* no finite logits"),
        ([(A, 0.0, 0.0), ("../x", 0.0, 0.0)], {}, "Row 2 .* no SHA-256"),
        ([(A, 0.0, 0.0)], {"logit_granular": [1.0]}, "predicts 'granular', which the task compatibility does not know"),
        ([(A, 0.0, 0.0)], {f"logit_{PARTIAL}": ["x"]}, "Row 1"),
    ],
)
def test_a_file_that_is_not_what_it_should_be(
    tmp_path: Path, rows: list[tuple[str, float, float]], columns: dict[str, Any], match: str
) -> None:
    with pytest.raises(InputError, match=match):
        read_predictions(write(tmp_path / "f.parquet", rows, **columns), TASK)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "f.parquet").write_bytes(b"PAR1 is how they begin")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        read_predictions(tmp_path / "f.parquet", TASK)
    with pytest.raises(InputError, match="There is no"):
        read_predictions(tmp_path / "g.parquet", TASK)
    with pytest.raises(InputError, match="is not a run"):
        read_predictions(tmp_path, TASK)
    pd.DataFrame({"x": [1]}).to_parquet(tmp_path / "h.parquet")
    with pytest.raises(InputError, match="lacks columns logit_LABEL"):
        read_predictions(tmp_path / "h.parquet", TASK)
    with (tmp_path / "i.parquet").open("wb") as large:
        large.truncate(MAX_BYTES + 1)
    with pytest.raises(InputError, match="larger than"):
        read_predictions(tmp_path / "i.parquet", TASK)
    with pytest.raises(InputError, match="cannot be the name"):
        read_predictions(write(tmp_path / "j.parquet", [(A, 0.0, 0.0)]), TASK, " ")


@given(data=st.binary(max_size=300))
def test_no_bytes_break_reading(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("p") / "f.parquet"
    path.write_bytes(b"PAR1" + data + b"PAR1")
    with pytest.raises(InputError):
        read_predictions(path, TASK)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=5).filter(lambda v: sum(v) > 0))
def test_uncertainty_is_a_share(values: list[float]) -> None:
    chances = tuple(v / sum(values) for v in values)
    for measure in ("entropy", "margin"):
        assert -1e-9 <= uncertainty(Prediction(YES, chances), measure) <= 1 + 1e-9  # type: ignore[arg-type]


def test_uncertainty_of_plain_cases() -> None:
    for measure in ("entropy", "margin"):
        assert uncertainty(Prediction(YES, (0.5, 0.5)), measure) == 1  # type: ignore[arg-type]
        assert uncertainty(Prediction(YES, (1.0, 0.0)), measure) == 0  # type: ignore[arg-type]
        assert uncertainty(Prediction(YES), measure) == 0  # type: ignore[arg-type]


def row(sha256: str, **changes: Any) -> dict[str, Any]:
    base = {"image_sha256": sha256, "decision": "accepted", "imported": False, "label": None}
    return base | {"conflict": False, "answered": False} | changes


def chosen(rows: list[dict[str, Any]], *options: Any) -> list[str]:
    return [r["image_sha256"] for r in select_images(rows, *options)]


def test_the_least_certain_come_first() -> None:
    said = Predictions("m", {A: Prediction(YES, (0.8, 0.2)), B: Prediction(YES, (0.6, 0.4)), C: Prediction(NO, (0, 1))})
    rows = [row(A), row(B), row(C), row("d" * 64)]
    assert chosen(rows, "uncertain", None, said) == [B, A, C]
    assert chosen(rows, "uncertain", 1, said) == [B]
    assert chosen([row(A), row(B, answered=True), row(C, decision="rejected")], "uncertain", None, said) == [A]
    three = {A: Prediction(YES, (0.45, 0.45, 0.1)), B: Prediction(YES, (0.4, 0.3, 0.3))}
    assert chosen(rows, "uncertain", None, Predictions("m", three), "entropy") == [B, A]
    assert chosen(rows, "uncertain", None, Predictions("m", three), "margin") == [A, B]
    for nothing in (None, suggested({A: YES})):
        with pytest.raises(UsageError, match="nothing is uncertain"):
            select_images(rows, "uncertain", None, nothing)


def test_conflicts_are_those_of_the_catalogue_and_of_the_model() -> None:
    rows = [row(A, label=YES, conflict=True), row(B, label=YES), row(C, label=NO), row("d" * 64)]
    assert chosen(rows, "conflicts", None) == [A]
    said = Predictions("m", {s: Prediction(NO, (0.1, 0.9)) for s in (B, C, "d" * 64)})
    assert chosen(rows, "conflicts", None, said) == [A, B]
