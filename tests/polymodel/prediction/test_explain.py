"""Why a run answers as it does: the map is of the models' own answers, print is weighed, neighbours are near."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from kinds_scene import make_kinds
from model_runs import FAST, call, parsed
from PIL import Image
from small_split import Small, texture

import polymodel
from polymodel.data.preparation import Map
from polymodel.prediction.explain import covered, occlusion, print_mass
from polymodel.report.explanations import show_explanations, write_explanations
from polymodel.report.tables import show_predictions
from polymodel.runs.card import card_text


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width), dtype=np.uint8))


def test_the_map_is_high_where_the_value_comes_from() -> None:
    grey = noise(160, 120)

    def value(picture: Image.Image) -> float:
        return float(np.asarray(picture, dtype=float)[30:60, 100:140].std())

    found = occlusion(grey, value)
    assert found.shape == (8, 11)
    row, column = np.unravel_index(int(found.argmax()), found.shape)
    assert 30 <= (row + 0.5) * 15 <= 60 and 100 <= (column + 0.5) * 160 / 11 <= 140
    assert found[found > 0.2 * found.max()].sum() > 0.8 * found.sum() and (np.abs(found[:, :5]) < 1e-9).all()
    assert np.allclose(occlusion(grey, lambda picture: -value(picture)), -found)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (2, 300), (300, 40)])
def test_pictures_of_any_form_have_a_map(size: tuple[int, int]) -> None:
    found = occlusion(noise(*size), lambda picture: float(np.asarray(picture).mean()))
    assert found.ndim == 2 and np.isfinite(found).all() and max(found.shape) <= 24


def test_covered_cells_have_the_median_grey() -> None:
    grey = noise(80, 80)
    shown: Map = np.ones((8, 8), np.bool_)
    assert np.array_equal(np.asarray(covered(grey, shown)), np.asarray(grey))
    shown[2, 3] = False
    changed = np.asarray(covered(grey, shown))
    assert (changed[20:30, 30:40] == int(np.median(np.asarray(grey)))).all()
    assert (changed != np.asarray(grey)).sum() <= 100


def test_the_share_on_print_is_that_of_its_area_where_the_map_is_even() -> None:
    known: Map = np.ones((120, 160), np.bool_)
    known[100:, :] = False
    even = np.ones((8, 11))
    assert print_mass(even, known) == pytest.approx(1 - known.mean(), abs=0.01)
    below = even.copy()
    below[:-1] = -1.0  # speaks against the answer, and does not count
    assert print_mass(below, known) == pytest.approx(1.0)
    assert print_mass(-even, known) is None


@pytest.fixture(scope="module")
def runs(small: Small) -> Small:
    """A run of each kind of recipe on the shared workspace."""
    call(small, "train", "cv", *FAST, "--name", "why-probe")
    call(small, "train", "one", *FAST, "--recipe", "finetune", "--epochs", "1", "--patience", "0", "--name", "why-loop")
    return small


def test_a_page_and_its_facts(runs: Small, tmp_path: Path) -> None:
    name = "<b>bold & new.png"
    (tmp_path / name).write_bytes(texture(999, 1.2))
    known = runs.root / runs.items[0].path
    (tmp_path / "broken.png").write_bytes(b"no picture")
    out = tmp_path / "out"
    words = ("explain", tmp_path / name, known, tmp_path / "broken.png", "--run", "why-probe", "-o", out)
    said = call(runs, *words, expect=3)
    assert "Wrote" in said
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "<b>bold" not in page and "&lt;b&gt;bold &amp; new.png" in page and "<script" not in page
    assert "broken.png" in page and page.count("data:image/jpeg") == 2 * (2 + 4)
    assert 'src="http' not in page and f"labelled {runs.items[0].label}" in page
    facts = json.loads((out / "explanations.json").read_text(encoding="utf-8"))
    for one in facts["explanations"]:
        assert np.array(one["map"]).shape == (8, 8)
        distances = [near["distance"] for near in one["nearest"]]
        assert distances == sorted(distances) and len(distances) == 4
        assert one["print"]["area"] == 0.0 and one["print"]["ratio"] is None and one["print"]["without"] is None
    answered = parsed(runs, "predict", "why-probe", tmp_path / name, known, "--members", "unseen")["predictions"]
    for one, alone in zip(facts["explanations"], answered, strict=True):
        assert one["prediction"]["p_fine"] == pytest.approx(alone["p_fine"], abs=1e-6)
        assert one["prediction"]["members"] == alone["members"]
    own = facts["explanations"][1]
    assert own["prediction"]["members"] < 3 and not own["prediction"]["trained_on"]
    assert all(near["group"] != runs.items[0].group for near in own["nearest"])  # these models never saw it


def test_a_label_that_partial_images_count_as_says_so(
    runs: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the page, in the table and on the model card, as on a report; what is written for programs keeps the label."""
    monkeypatch.setenv("COLUMNS", "200")
    run = polymodel.open_run("why-probe", runs.root)
    split = {**run.split, "recipe": {**run.split["recipe"], "partial": "as-fine"}}
    found = run.explain([runs.root / item.path for item in runs.items[:2]])
    told = replace(found, run=replace(run, record={**run.record, "split": split}))
    page = write_explanations(told, tmp_path / "out")
    show_explanations(told, page)
    shown = [*page.read_text("utf-8").splitlines(), capsys.readouterr().out]
    assert any("labelled fine or partial in the run" in line for line in shown)
    assert any("probability of fine or partial" in line for line in shown)
    assert any("<b>fine or partial</b>, distance" in line for line in shown)
    assert "fine or partial, " in shown[-1] and "coarse or partial" not in "".join(shown)
    asked = polymodel.predict(told.run, [runs.root / item.path for item in runs.items[:2]], members="all")
    show_predictions(asked, None)
    table = capsys.readouterr().out
    assert "p fine or partial" in table and "coarse or partial" not in table and "or partial" not in str(asked.table)
    card = card_text(told.run)
    assert "micrographs into fine or partial and coarse." in card and "fine or partial 20" in card and "p_fine" in card
    assert "or partial" not in card_text(run) + (tmp_path / "out/explanations.json").read_text("utf-8")


@pytest.mark.parametrize("run", ["why-probe", "why-loop"])
def test_a_training_image_is_its_own_nearest_and_answers_follow_the_map(run: str, runs: Small) -> None:
    item = runs.items[0]
    opened = polymodel.open_run(run, runs.root)
    for _ in range(2):  # what networks make of training images is kept
        found = opened.explain(runs.root / item.path, members="all")
        (one,) = found.done
        nearest = one.nearest[0]
        assert (nearest.image_sha256, nearest.label, nearest.group) == (item.image_sha256, item.label, item.group)
        assert nearest.distance < 0.5 * one.nearest[1].distance
        assert one.prediction.trained_on and one.map.shape == (8, 8) and np.abs(one.map).max() > 0
    assert (runs.workspace.runs / ".cache/nearest").is_dir() or run == "why-probe"


def test_print_is_weighed(runs: Small, tmp_path: Path) -> None:
    from polydata.simulation.burnin import PrintStyle, burn_in

    picture = Image.fromarray(np.asarray(Image.open(runs.root / runs.items[0].path)).repeat(5, 0).repeat(5, 1))
    burn_in(picture, "a", PrintStyle("white-box", "top-left", "strip", "DejaVuSans.ttf", 0.06, True, 10, 8.0), 40.0)
    (one,) = polymodel.open_run("why-loop", runs.root).explain(picture).done
    assert one.printed is not None and one.printed.without is not None
    assert 0.05 < one.printed.area < 0.3 and one.printed.mass is not None and 0 <= one.printed.mass <= 1
    assert one.printed.ratio == pytest.approx(one.printed.mass / one.printed.area)
    assert one.printed.without.p_positive != one.prediction.p_positive


def test_a_run_of_numbers_is_explained_too(tmp_path: Path) -> None:
    kinds = make_kinds(tmp_path / "kinds", groups=7)
    call(kinds, "train", "regression", *FAST, "--name", "numbers")
    out = tmp_path / "out"
    call(kinds, "explain", kinds.root / kinds.items[-1].path, "--run", "numbers", "-o", out)
    (one,) = json.loads((out / "explanations.json").read_text(encoding="utf-8"))["explanations"]
    assert one["prediction"]["unit"] == "um" and np.abs(one["map"]).max() > 0
    assert " um</b>" in (out / "index.html").read_text(encoding="utf-8")


def test_the_report_explains_the_surest_mistakes(runs: Small, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    call(runs, "report", "why-loop", "--explain", "2", "-o", page)
    text = page.read_text(encoding="utf-8")
    assert text.count('<div class="explained">') == 2 and "speaks for the answer" in text
    call(runs, "report", "why-loop", "-o", page)
    assert "speaks for the answer" not in page.read_text(encoding="utf-8")
