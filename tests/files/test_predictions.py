"""Predictions read from files, and the images that are chosen by them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_studio_sdk.label_interface import LabelInterface

from polydata.catalogue.session import open_session
from polydata.errors import InputError, UsageError
from polydata.files import predictions
from polydata.files.predictions import MAX_BYTES, Prediction, Predictions, read_predictions, uncertainty
from polydata.labels.page import labelling_page, task_prediction
from polydata.labels.push import load_predictions, select_images
from polydata.task import Task
from polydata.workspace import Workspace

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
    found = read_predictions(write(tmp_path / "best.parquet", [(A, 2.0, 0.0), (B, 0.0, 1.0)]), TASK.labels)
    assert found.version == "best"
    assert (found.by_image[A].label, found.by_image[B].label) == (YES, NO)
    assert found.by_image[A].chances == pytest.approx((math.exp(2) / (math.exp(2) + 1), 1 / (math.exp(2) + 1)))
    shown = task_prediction(found.by_image[B], "best")
    assert shown["score"] == 0.7311
    assert LabelInterface(labelling_page(TASK)).validate_prediction(shown)
    assert read_predictions(tmp_path / "best.parquet", TASK.labels, "v2").version == "v2"


def test_of_a_run_only_images_that_a_part_was_not_trained_on(tmp_path: Path) -> None:
    run = tmp_path / "runs/probe"
    sides = {"side": ["train", "test"], "label": [NO, NO]}
    write(run / "parts/fold-1-seed-0/predictions.parquet", [(A, 9.0, 0.0), (B, 1.0, 0.0)], **sides)
    write(run / "parts/fold-1-seed-1/predictions.parquet", [(A, 9.0, 0.0), (B, 0.0, 3.0)], **sides)
    found = read_predictions(run, TASK.labels)
    assert found.version == "probe"
    assert set(found.by_image) == {B}
    assert found.by_image[B].label == NO  # the mean of both; never the column label, which is the truth
    assert found.by_image[B].chances[1] == pytest.approx(math.e / (1 + math.e))


def test_another_image_of_a_paper_that_a_part_learned_from_does_not_count(tmp_path: Path) -> None:
    run, rows = tmp_path / "runs/probe", [(A, 9.0, 0.0), (B, 1.0, 0.0), (C, 1.0, 0.0)]
    sides = {"side": ["train", "test", "test"], "group": ["one", "one", "two"]}
    write(run / "parts/fold-1-seed-0/predictions.parquet", rows, **sides)
    assert set(read_predictions(run, TASK.labels).by_image) == {C}
    told = read_predictions(write(tmp_path / "t.parquet", rows, trained_on=[True, False, None]), TASK.labels)
    assert told.learned == {A}


def test_of_a_file_only_images_that_the_model_did_not_learn_from(tmp_path: Path) -> None:
    rows = [(A, 1.0, 0.0), (B, 1.0, 0.0), (C, 1.0, 0.0)]
    told = write(tmp_path / "told.parquet", rows, trained_on=[True, False, None])
    assert set(read_predictions(told, TASK.labels).by_image) == {B, C}
    sides = write(tmp_path / "sides.parquet", rows, side=["train", "val", "test"])
    assert set(read_predictions(sides, TASK.labels).by_image) == {C}
    unknown = read_predictions(write(tmp_path / "unknown.parquet", rows, trained_on=[None] * 3), TASK.labels)
    assert set(unknown.by_image) == {A, B, C}
    assert unknown.chances_of(YES)[A] == pytest.approx(math.e / (1 + math.e)) and unknown.chances_of(PARTIAL) == {}
    with pytest.raises(InputError, match="predicts no image that its model did not learn from"):
        read_predictions(write(tmp_path / "all.parquet", rows, trained_on=[True] * 3), TASK.labels)


def test_a_part_that_is_being_written_is_never_read(tmp_path: Path) -> None:
    run = tmp_path / "runs/probe"
    write(run / "parts/.fold-2-seed-0/predictions.parquet", [(A, 0.0, 9.0), (B, 0.0, 9.0)])
    with pytest.raises(InputError, match="is not a run with predictions"):
        read_predictions(run, TASK.labels)
    write(run / "parts/fold-1-seed-0/predictions.parquet", [(A, 1.0, 0.0)])
    found = read_predictions(run, TASK.labels)
    assert set(found.by_image) == {A} and found.by_image[A].label == YES


IMAGES = st.sampled_from([A, B, C])
LOGITS = st.floats(-30, 30)
ROW = st.tuples(IMAGES, LOGITS, LOGITS, st.sampled_from(["train", "val", "test"]), st.sampled_from([True, False, None]))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(ROW, min_size=1, max_size=6), min_size=1, max_size=3))
def test_a_folder_means_the_same_as_all_its_rows_in_one_table(
    tmp_path_factory: pytest.TempPathFactory, parts: list[list[tuple[Any, ...]]]
) -> None:
    folder = tmp_path_factory.mktemp("run")

    def table(path: Path, rows: list[tuple[Any, ...]]) -> Path:
        return write(path, [r[:3] for r in rows], side=[r[3] for r in rows], trained_on=[r[4] for r in rows])

    for number, rows in enumerate(parts):
        table(folder / f"run/parts/fold-{number}-seed-0/predictions.parquet", rows)
    whole = [row for rows in parts for row in rows]
    counted = {r[0] for r in whole if r[3] == "test" and r[4] is not True}
    files = (folder / "run", table(folder / "run.parquet", whole))
    if not counted:
        for file in files:
            with pytest.raises(InputError, match="predicts no image"):
                read_predictions(file, TASK.labels)
        return
    one, other = (read_predictions(file, TASK.labels) for file in files)
    assert one == other and set(one.by_image) == counted


def test_a_wrong_row_is_named_with_its_file(tmp_path: Path) -> None:
    run = tmp_path / "run"
    write(run / "parts/fold-1/predictions.parquet", [(A, 0.0, 0.0)], side=["test"])
    bad = [(A, math.nan, 0.0), (B, 0.0, 0.0), ("x", 0.0, 0.0)]
    write(run / "parts/fold-2/predictions.parquet", bad, side=["train", "test", "test"])
    with pytest.raises(InputError, match=r"Row 3 of .*fold-2/predictions\.parquet"):
        read_predictions(run, TASK.labels)


def test_what_unpacks_to_too_many_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictions, "MAX_ROWS", 1)
    with pytest.raises(InputError, match="larger than"):
        read_predictions(write(tmp_path / "f.parquet", [(A, 0.0, 0.0), (B, 0.0, 0.0)]), TASK.labels)


@pytest.mark.parametrize(
    ("rows", "columns", "match"),
    [
        ([(A, math.nan, 0.0)], {}, "Row 1 .* no finite logits"),
        ([(A, 0.0, 0.0), ("../x", 0.0, 0.0)], {}, "Row 2 .* no SHA-256"),
        ([(A, 0.0, 0.0)], {"logit_granular": [1.0]}, "predicts 'granular', which the task does not know"),
        ([(A, 0.0, 0.0)], {f"logit_{PARTIAL}": ["x"]}, "Row 1"),
    ],
)
def test_a_file_that_is_not_what_it_should_be(
    tmp_path: Path, rows: list[tuple[str, float, float]], columns: dict[str, Any], match: str
) -> None:
    with pytest.raises(InputError, match=match):
        read_predictions(write(tmp_path / "f.parquet", rows, **columns), TASK.labels)


def test_bytes_that_are_no_text_are_found_while_reading(tmp_path: Path) -> None:
    path = tmp_path / "f.parquet"
    whole = pd.DataFrame({"image_sha256": [A], f"logit_{YES}": [1.0], f"logit_{NO}": [0.0]})
    whole.to_parquet(path, compression=None, index=False)
    path.write_bytes(path.read_bytes().replace(A.encode(), b"\xff" * 64))
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        read_predictions(path, TASK.labels)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "f.parquet").write_bytes(b"PAR1 is how they begin")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        read_predictions(tmp_path / "f.parquet", TASK.labels)
    with pytest.raises(InputError, match="There is no"):
        read_predictions(tmp_path / "g.parquet", TASK.labels)
    with pytest.raises(InputError, match="is not a run"):
        read_predictions(tmp_path, TASK.labels)
    pd.DataFrame({"x": [1]}).to_parquet(tmp_path / "h.parquet")
    with pytest.raises(InputError, match="lacks columns logit_LABEL"):
        read_predictions(tmp_path / "h.parquet", TASK.labels)
    with (tmp_path / "i.parquet").open("wb") as large:
        large.truncate(MAX_BYTES + 1)
    with pytest.raises(InputError, match="larger than"):
        read_predictions(tmp_path / "i.parquet", TASK.labels)
    with pytest.raises(InputError, match="cannot be the name"), open_session(Workspace.init(tmp_path / "w")) as session:
        load_predictions(session, str(write(tmp_path / "j.parquet", [(A, 0.0, 0.0)])), " ")


@given(data=st.binary(max_size=300))
def test_no_bytes_break_reading(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("p") / "f.parquet"
    path.write_bytes(b"PAR1" + data + b"PAR1")
    with pytest.raises(InputError):
        read_predictions(path, TASK.labels)


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
    for nothing in (None, Predictions("rules", {A: Prediction(YES)})):
        with pytest.raises(UsageError, match="nothing is uncertain"):
            select_images(rows, "uncertain", None, nothing)


def test_conflicts_are_those_of_the_catalogue_and_of_the_model() -> None:
    rows = [row(A, label=YES, conflict=True), row(B, label=YES), row(C, label=NO), row("d" * 64)]
    assert chosen(rows, "conflicts", None) == [A]
    said = Predictions("m", {s: Prediction(NO, (0.1, 0.9)) for s in (B, C, "d" * 64)})
    assert chosen(rows, "conflicts", None, said) == [A, B]
