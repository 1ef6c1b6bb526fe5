"""Images in their order: by numbers, ratios and words, with the index of models that had not seen their papers."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from kinds_scene import make_kinds
from model_runs import FAST, call, parsed
from small_split import Small, texture

import polymodel
from polydata.errors import InputError
from polymodel.prediction.series import _places, correlation


def test_orders_are_numbers_ratios_or_words() -> None:
    assert _places(Path("t.csv"), ["0.5", "2", "-1e1"]) == [0.5, 2.0, -10.0]
    assert _places(Path("t.csv"), ["30/70", "90 : 10", "1/1"]) == [0.3, 0.9, 0.5]
    assert _places(Path("t.csv"), ["as blended", "annealed", "as blended", "x 5"]) == [0.0, 1.0, 0.0, 2.0]
    for odd in (["1", "nan"], ["10", "2", "n/a", "1"], ["70/30", "10/90", "0"], ["5 wt%", "100 wt%"], ["30,5", "2,5"]):
        with pytest.raises(InputError, match="is no number"):
            _places(Path("t.csv"), odd)


def test_rank_correlation_with_the_p_value_of_all_orders() -> None:
    rising = correlation([(1.0, 0.1), (2.0, 0.2), (3.0, 0.7), (9.0, 0.8)])
    assert rising == {"images": 4, "spearman": pytest.approx(1.0), "p": pytest.approx(2 / 24)}
    ties = correlation([(0.0, 0.9), (0.0, 0.8), (1.0, 0.1), (1.0, 0.2)])
    assert ties["spearman"] == pytest.approx(-0.894, abs=1e-3) and ties["p"] == pytest.approx(8 / 24)
    many = correlation([(float(k), float(k)) for k in range(20)])
    assert many["spearman"] == pytest.approx(1.0) and many["p"] < 1e-6
    for pairs in ([(1.0, 0.3)], [(1.0, 0.3), (1.0, 0.4)], [(1.0, 0.3), (2.0, 0.3)]):
        assert correlation(pairs)["spearman"] is None


@pytest.fixture(scope="module")
def run(small: Small) -> Small:
    """A run on folds."""
    call(small, "train", "cv", *FAST, "--name", "in-series")
    return small


COLUMNS = ("image", "blend", "order")


def table(folder: Path, rows: list[tuple[str, str, str]], columns: tuple[str, ...] = COLUMNS) -> Path:
    path = folder / "table.csv"
    with open(path, "w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([columns, *rows])
    return path


def test_a_table_of_known_and_new_images(run: Small, tmp_path: Path) -> None:
    (tmp_path / "new.png").write_bytes(texture(500, 2.0))
    known = [item.image_sha256 for item in run.items[:4]]
    rows = [(known[k], "a", order) for k, order in enumerate(("70/30", "10/90", "50/50"))]
    given = table(tmp_path, [*rows, (known[3], "b", "20/80"), ("new.png", "b", "30/70")])
    words = ("series", given, "--run", "in-series", "--by", "order", "--series", "blend")
    told = parsed(run, *words)
    assert told["label"] == "coarse" and list(told["correlations"]) == ["a", "b"]
    assert [(row["series"], row["order"]) for row in told["rows"]] == [
        ("a", "10/90"), ("a", "50/50"), ("a", "70/30"), ("b", "20/80"), ("b", "30/70")
    ]  # fmt: skip
    paths = [run.root / item.path for item in run.items[:4]]
    alone = parsed(run, "predict", "in-series", *paths, tmp_path / "new.png", "--members", "unseen")["predictions"]
    by_image = {one["image_sha256"]: one for one in alone}
    for row in told["rows"]:
        one = by_image[row["image_sha256"]]
        assert row["index"] == pytest.approx(1 - one["p_fine_calibrated"], abs=1e-6)
        assert row["logit"] == pytest.approx(one["logit_coarse"] - one["logit_fine"], abs=1e-5)
        assert row["members"] == one["members"] == (3 if row["image"] == "new.png" else 1)
        assert (row["lowest"] is None) == (row["members"] == 1)
    new = told["rows"][-1]
    assert new["lowest"] <= new["index"] <= new["highest"]
    out = tmp_path / "out.csv"
    said = call(run, *words, "-o", out)
    assert "Spearman of order and index" in said and "10/90" in said and f"Wrote {out}" in said
    assert len(out.read_text(encoding="utf-8").splitlines()) == 6
    with pytest.raises(InputError, match="lacks the column nothing"):
        polymodel.open_run("in-series", run.root).series(given, "nothing")
    fine = parsed(run, *words, "--label", "fine")
    assert fine["rows"][0]["index"] == pytest.approx(1 - told["rows"][0]["index"])


def test_what_cannot_be_ordered_is_named(run: Small, tmp_path: Path) -> None:
    sha256 = run.items[0].image_sha256
    words = ("--run", "in-series", "--by", "order")
    for rows, columns, part in (
        ([(sha256, "a", "")], COLUMNS, "row 2: order is empty"),
        ([("gone.png", "a", "1")], COLUMNS, "row 2: gone.png is no image of the run's split"),
        ([(sha256, "a", "1")], ("picture", "blend", "order"), "lacks a column of images"),
    ):
        assert part in call(run, "series", table(tmp_path, rows, columns), *words, expect=1)
    good = table(tmp_path, [(sha256, "a", "1")])
    assert "has no label" in call(run, "series", good, *words, "--label", "rough", expect=2)


def test_a_run_of_numbers_gives_its_numbers(tmp_path: Path) -> None:
    kinds = make_kinds(tmp_path / "kinds", groups=7)
    call(kinds, "train", "regression", *FAST, "--name", "numbers")
    rows = [(item.image_sha256, "a", item.extra["target"]) for item in kinds.items[-6:]]
    given = table(tmp_path, rows)
    told = parsed(kinds, "series", given, "--run", "numbers", "--by", "order")
    alone = parsed(kinds, "predict", "numbers", *(kinds.root / item.path for item in kinds.items[-6:]))["predictions"]
    assert [row["index"] for row in told["rows"]] == pytest.approx([one["value"] for one in alone])
    assert told["label"] == "um" and json.loads(json.dumps(told["correlations"]))[""]["images"] == 6
    assert "no --label" in call(kinds, "series", given, "--run", "numbers", "--by", "order", "--label", "x", expect=2)
