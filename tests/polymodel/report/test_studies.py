"""Series, learning curves and trials are drawn from their files, and what is no such file is refused."""

from __future__ import annotations

import csv
import json
from base64 import b64decode
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from polydata.errors import InputError
from polymodel.prediction.series import COLUMNS
from polymodel.report.studies import find_curves, read_series, read_trials
from polymodel.report.study_figures import fitting

ROW = {"trained_on": False, "run": "my_run", "label": "incompatible", "by": "radius_um", "logit": 0.5, "members": 1}


def series_rows() -> list[dict[str, Any]]:
    found = []
    for name, indices in (("PMMA/PS $90", (0.1, 0.4, 0.8)), ("PTT/PC", (0.9, 0.2))):
        for place, index in enumerate(indices):
            ends = {"lowest": index - 0.1, "highest": min(1.0, index + 0.1)} if name == "PTT/PC" else {}
            row = {"series": name, "order": f"0.{place}", "place": place, "image": f"{name} {place}", "index": index}
            found.append(dict.fromkeys(COLUMNS) | ROW | row | ends)
    found[-1]["trained_on"] = True
    return found


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".json":
        path.write_text(json.dumps(rows), encoding="utf-8")
        return path
    with path.open("w", newline="", encoding="utf-8") as out:
        lines = csv.DictWriter(out, list(rows[0]))
        lines.writeheader()
        lines.writerows(rows)
    return path


def drawn(address: str) -> str:
    assert address.startswith("data:image/svg+xml;base64,")
    return b64decode(address.partition(",")[2]).decode()


@pytest.mark.parametrize("ending", ["csv", "json"])
def test_a_series_is_drawn_with_its_ranges_and_ranked(tmp_path: Path, ending: str) -> None:
    found = read_series(write(tmp_path / f"told.{ending}", series_rows()))
    assert (found.run, found.label, found.by, found.several, found.known) == (
        "my run",
        "incompatible",
        "radius um",
        True,
        1,
    )
    assert found.said == "Index of my run, the calibrated probability of incompatible,"
    (first, images, rank, _), second = found.rows
    assert (first, images, rank) == ("PMMA/PS $90", 3, pytest.approx(1.0)) and second[2] == pytest.approx(-1.0)
    assert "<svg" in drawn(found.figure)


def test_of_numbers_the_axis_is_not_one_of_probabilities(tmp_path: Path) -> None:
    own = [{"label": "um", "index": 0.2 * k, "logit": 0.2 * k, "lowest": None, "highest": None} for k in range(5)]
    rows = [row | numbers for row, numbers in zip(series_rows(), own, strict=True)]
    found = read_series(write(tmp_path / "told.csv", rows))
    assert found.said == "Answers of my run in um" and not found.several


def test_what_is_no_series_is_refused(tmp_path: Path) -> None:
    rows = series_rows()
    with pytest.raises(InputError, match="lacks the columns by"):
        read_series(write(tmp_path / "old.csv", [{k: v for k, v in row.items() if k != "by"} for row in rows]))
    with pytest.raises(InputError, match="row 2: index is no number: much"):
        read_series(write(tmp_path / "odd.csv", [rows[0] | {"index": "much"}]))
    with pytest.raises(InputError, match=r"Write a \.csv or \.json"):
        read_series(tmp_path / "told.parquet")
    with pytest.raises(InputError, match="61 series"):
        read_series(write(tmp_path / "many.csv", [rows[0] | {"series": f"s{k}"} for k in range(61)]))


def test_trials_are_drawn_metric_by_metric(tmp_path: Path) -> None:
    rows = [
        {"trial": "all of it", "metric": "auroc", "value": 0.9, "low": 0.8, "high": 0.95},
        {"trial": "without_texture", "metric": "auroc", "value": 0.87, "low": "", "high": ""},
        {"trial": "all of it", "metric": "mae", "value": 1.5, "low": 1.1, "high": 2},
    ]
    figure, metrics = read_trials(write(tmp_path / "trials.csv", rows))
    assert metrics == [("AUROC", False), ("MAE", True)] and "<svg" in drawn(figure)
    with pytest.raises(InputError, match="row 2: luck is no metric"):
        read_trials(write(tmp_path / "luck.csv", [rows[0] | {"metric": "luck"}]))
    with pytest.raises(InputError, match="41 trials"):
        read_trials(write(tmp_path / "many.csv", [rows[0] | {"trial": f"t{k}"} for k in range(41)]))


def test_curves_are_found_by_the_split_and_bad_ones_passed_over(tmp_path: Path) -> None:
    run: Any = SimpleNamespace(folder=tmp_path / "runs/one", split={"digest": "abc"})
    row = {"papers": 4, "images": 16.0, "draws": 3, "auroc": 0.8, "auroc_low": 0.7, "auroc_high": 0.9, "auroc_sd": 0.1}
    made = {
        "split": "v1", "split_digest": "abc", "leakage": None, "unit": None,
        "config": {"arch": "resnet18", "recipe": {"name": "probe"}}, "rows": [row, row | {"papers": 9, "draws": 1}],
    }  # fmt: skip
    for name, facts in {"a": made, "b": made | {"split_digest": "x"}, "c": {"split_digest": "abc"}}.items():
        (tmp_path / "curves" / name).mkdir(parents=True)
        (tmp_path / "curves" / name / "curve.json").write_text(json.dumps(facts))
    (tmp_path / "curves/d").mkdir()
    (tmp_path / "curves/d/curve.json").write_text("{")
    (found,) = find_curves([run])
    assert (found.split, found.recipe, found.metrics) == ("v1", "probe", (("auroc", "AUROC"),))
    assert "<svg" in drawn(found.figure)


def test_long_names_fit_and_are_no_mathematics() -> None:
    assert fitting("radius_$um") == r"radius \$um"
    assert len(fitting("a" * 60)) == 34
