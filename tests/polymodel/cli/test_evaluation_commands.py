"""``polymodel evaluate`` and ``report`` as a user types them, on a small workspace."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from model_runs import FAST, call, parsed
from sklearn.metrics import roc_auc_score
from small_split import POSITIVE, Small, write_split
from typer.testing import CliRunner

from polydata.splits.manifest import Item
from polymodel.cli import app
from polymodel.evaluation.answered import METRICS


def test_the_evaluation_names_its_metrics_in_a_narrow_window(small: Small) -> None:
    words = ["evaluate", "run-cv", "--workspace", str(small.root)]
    shown = CliRunner().invoke(app, words, env={"COLUMNS": "80"}).stdout
    assert {"balanced", "accuracy", "specificity", "majority"} <= set(re.split(r"\s{2,}|\n", shown))


def test_evaluation_of_one_partition(small: Small) -> None:
    found = parsed(small, "evaluate", "run-one")
    summaries = [found[m] for m in METRICS] + [found["train_accuracy"]]
    for name in ("majority", *found["controls"]):
        row = found["majority"] if name == "majority" else found["controls"][name]
        assert set(row) == set(METRICS)
        summaries += row.values()
    for summary in summaries:
        assert set(summary) == {"value", "low", "high"}
        if summary["low"] is not None:
            assert -1 <= summary["low"] <= summary["value"] <= summary["high"] <= 1
    assert found["auroc"]["low"] is not None
    assert (found["scoring"], found["ensemble"], found["missing_labels"]) == ("per-part", None, [])
    assert set(found["controls"]) == {"metadata", "print_only", "paper_lookup", "sobel"}
    assert found["majority"]["balanced_accuracy"]["value"] == 0.5
    assert sum(map(sum, found["confusion_matrix"]["rows_are_truth"])) == found["test_images"] == 12
    picture = small.workspace.runs / "run-one" / "confusion_matrix.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "majority" in call(small, "evaluate", "run-one")
    assert parsed(small, "evaluate", "run-one") == found


def test_evaluation_agrees_with_scikit_learn_on_the_predictions(small: Small) -> None:
    from sklearn.metrics import accuracy_score, roc_auc_score

    found = parsed(small, "evaluate", "run-one")
    frame = pd.read_parquet(small.workspace.runs / "run-one" / "parts" / "fold-1-seed-0" / "predictions.parquet")
    test = frame[frame["side"] == "test"]
    truth = test["label"] == "fine"
    assert found["auroc"]["value"] == pytest.approx(roc_auc_score(truth, test["p_fine"]))
    assert found["accuracy"]["value"] == pytest.approx(accuracy_score(truth, test["p_fine"] > 0.5))
    train = frame[frame["side"] == "train"]
    assert found["train_accuracy"]["value"] == pytest.approx(
        accuracy_score(train["label"] == "fine", train["p_fine"] > 0.5)
    )


def test_evaluation_over_folds(small: Small) -> None:
    found = parsed(small, "evaluate", "run-cv")
    for metric in METRICS:
        assert set(found[metric]) == {"mean", "sd", "low", "high", "values"}
        assert len(found[metric]["values"]) == 3
    assert [p["fold"] for p in found["parts"]] == [1, 2, 3]
    assert found["test_images"] == 40


def test_folds_of_one_paper_are_scored_together(own: Small) -> None:
    papers = sorted({i.group for i in own.items})
    sides = [([i for i in own.items if i.group != p], [i for i in own.items if i.group == p]) for p in papers]
    write_split(own.workspace.splits / "lopo", sides, folds=len(papers), protocol="leave-one-paper-out")
    call(own, "train", "--split", "lopo", "--name", "lopo", *FAST)
    found = parsed(own, "evaluate", "lopo", "--no-controls")
    files = own.workspace.runs.glob("lopo/parts/*/predictions.parquet")
    frames = [pd.read_parquet(path).query("side == 'test'") for path in files]
    answers = pd.concat(frames)
    assert len(answers) == found["test_images"] == 20
    assert found["auroc"]["value"] == pytest.approx(roc_auc_score(answers["label"] == POSITIVE, answers["p_fine"]))
    assert (found["scored"], len(found["parts"])) == (1, 5)
    assert found["scoring"] == "pooled"
    assert "single models, folds scored together" in call(own, "evaluate", "lopo")
    # The controls are scored as the model is, and so are the baselines.
    baselines = parsed(own, "baselines", "--split", "lopo")
    assert baselines["scoring"] == "pooled"
    own_control = parsed(own, "evaluate", "lopo")["controls"]["metadata"]["auroc"]
    assert baselines["rows"]["metadata"]["metrics"]["auroc"] == own_control


def test_all_models_together_are_scored_as_predict_answers(small: Small) -> None:
    """The mean of the single models' figures and the ensemble are both given, and told apart."""
    call(small, "train", "--split", "one", "--name", "three", *FAST, "--seeds", "3")
    found = parsed(small, "evaluate", "three", "--no-controls")
    images = {i.image_sha256: i for i in small.items}
    paths = {str(small.root / i.path): i for i in images.values()}
    shown = parsed(small, "predict", "three", small.root)["predictions"]
    tested = [row for row in shown if row["trained_on"] is False]
    assert len(tested) == found["test_images"] == 12
    truth = [paths[row["path"]].label == POSITIVE for row in tested]
    chance = [row["p_fine"] for row in tested]
    assert found["ensemble"]["auroc"]["value"] == pytest.approx(roc_auc_score(truth, chance))
    assert found["ensemble"]["brier"]["value"] == pytest.approx(
        sum((p - t) ** 2 for p, t in zip(chance, truth, strict=True)) / 12, abs=1e-5
    )
    assert len(found["auroc"]["values"]) == 3
    assert "all models together, as predict answers: AUROC" in call(small, "evaluate", "three", "--no-controls")


def test_what_was_scored_in_other_ways_is_not_subtracted(own: Small) -> None:
    """The same answers, as one test side and as three: means over the three are of other questions."""
    third = len(own.items) // 4 * 4
    cuts = [own.items[:4], own.items[4:8], own.items[8:third]]
    sides = [([i for i in own.items if i not in cut], cut) for cut in cuts]
    write_split(own.workspace.splits / "three", sides, folds=3)
    write_split(own.workspace.splits / "whole", sides, folds=3, protocol="leave-one-paper-out")
    for split in ("three", "whole"):
        call(own, "train", "--split", split, "--name", split, *FAST)
    refused = call(own, "evaluate", "three", "--against", "whole", "--no-controls", expect=2)
    assert "--scoring pooled" in refused
    for scoring in ("pooled", "ensemble"):
        words = ("evaluate", "three", "--against", "whole", "--no-controls", "--scoring", scoring)
        found = parsed(own, *words)["against"]
        assert found["scoring"] == scoring
        assert all(d["value"] in (0, None) for d in found["difference"].values())


class Links(HTMLParser):
    """Collects what a page would fetch, and the tags that it opens."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "action")]


def test_the_report_is_one_file_and_fetches_nothing(small: Small, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    call(small, "report", "run-one", "run-cv", "--output", page)
    told = [json.loads((small.workspace.runs / run / "report.json").read_text()) for run in ("run-one", "run-cv")]
    assert told == [{"page": page.name}] * 2  # by which polydata status knows that there is one, wherever it lies
    text = page.read_text(encoding="utf-8")
    links = Links()
    links.feed(text)
    assert all(address.startswith(("data:image/", "#")) for address in links.fetched)
    assert not {"script", "link", "iframe", "object"} & set(links.tags)
    assert not re.search(r"url\(|@import", text)
    for words in (
        "majority",
        "print only",
        "AUROC",
        "Side by side",
        "No leak was found when",
        "polydata audit",
        "3 folds",
    ):
        assert words in text


def test_hostile_words_are_escaped(own: Small, tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"
    items = [
        Item(i.image_sha256, i.label, hostile, i.path, {"caption": hostile, "technique": hostile}) for i in own.items
    ]
    leak = {"reason": f"{hostile} [bold]x[/nothing]"}
    write_split(own.workspace.splits / "hostile", [(items[:12], items[12:])], leakage=leak)
    call(own, "train", "--split", "hostile", "--name", "hostile", *FAST)
    call(own, "evaluate", "hostile")
    page = tmp_path / "report.html"
    call(own, "report", "hostile", "--output", page)
    assert hostile not in page.read_text()
    assert hostile not in (own.workspace.runs / "hostile" / "README.md").read_text()


def test_two_runs_are_set_against_each_other(small: Small) -> None:
    found = parsed(small, "evaluate", "run-one", "--against", "run-leaky")["against"]
    assert found["runs"] == ["run-one", "run-leaky"]
    assert set(found["difference"]) == set(METRICS)
    assert found["leaky"] == ["run-leaky"]
    assert found["images"] + found["left_out"]["run-one"] == 12
    assert "McNemar" in call(small, "evaluate", "run-one", "--against", "run-cv")
    words = ("evaluate", "run-leaky", "--against", "run-cv")
    assert "other sets of images" in call(small, *words, expect=2)
    assert "McNemar" in call(small, *words, "--scoring", "ensemble")
    same = parsed(small, "evaluate", "run-one", "--against", "run-one")["against"]
    assert same["mcnemar"]["p"] == 1.0


def test_an_evaluation_tells_more_than_the_mean(small: Small) -> None:
    found = parsed(small, "evaluate", "run-cv")
    assert found["accuracy_wilson"]["low"] < found["accuracy_wilson"]["high"]
    assert found["within_papers"]["groups"] == 10
    assert found["over_seeds"]["auroc"]["values"] == [pytest.approx(found["auroc"]["mean"])]
    assert found["slices"] == []  # these lists tell nothing of their images


def test_the_report_sets_printed_results_and_baselines_beside(small: Small, tmp_path: Path) -> None:
    printed = tmp_path / "printed.csv"
    printed.write_text("table,model,test_accuracy_pct\nTable 2,<b>Pre-VGG</b>,94.02\nTable 3,Nopre-Res,90\n")
    call(small, "baselines", "--split", "cv")
    page = tmp_path / "report.html"
    log = tmp_path / "log.csv"
    log.write_text("model,epoch,test_accuracy_pct\n<i>Res,1,70\n<i>Res,2,81.5\n")
    call(small, "evaluate", "run-cv", "--across", "one")
    call(small, "report", "run-cv", "--published", printed, "--training-log", log, "--output", page)
    text = page.read_text(encoding="utf-8")
    for words in (
        "Table 2 as printed",
        "94.02",
        "&lt;b&gt;Pre-VGG",
        "GLCM and LBP",
        "Sobel value by",
        "Box plots",
        "81.50",
        "test images of one",
    ):
        assert words in text
    assert "not the published test set" in text
    assert "<b>Pre-VGG" not in text
    assert "<i>Res" not in text
    assert "is to be known of the printed numbers" not in text  # only of the seed's own rows


def test_the_report_draws_series_curves_and_trials(small: Small, tmp_path: Path) -> None:
    table, told, trials, page = (tmp_path / name for name in ("t.csv", "told.csv", "trials.csv", "report.html"))
    names = "".join(f"{item.image_sha256},{k}\n" for k, item in enumerate(small.items[:4]))
    table.write_text(f"image,time\n{names}", encoding="utf-8")
    trials.write_text("trial,metric,value,low,high\n<b>one,auroc,0.9,0.8,0.95\ntwo,auroc,0.8,,\n", encoding="utf-8")
    call(small, "series", table, "--run", "run-cv", "--by", "time", "-o", told)
    call(small, "curve", "--split", "cv", *FAST, "--points", "2", "--draws", "1")
    call(small, "report", "run-cv", "--series", told, "--trials", trials, "--output", page)
    text = page.read_text(encoding="utf-8")
    for words in (
        "Along time: run-cv",
        "the calibrated probability of coarse",
        "From how many papers: cv",
        "Dotted: the",
    ):
        assert words in text
    assert "<b>one" not in text


def test_three_classes_are_told_one_by_one(own: Small, tmp_path: Path) -> None:
    classes = ("fine", "coarse", "between")
    items = [Item(i.image_sha256, "between" if k % 3 == 2 else i.label, i.group, i.path, {})
             for k, i in enumerate(own.items)]  # fmt: skip
    write_split(own.workspace.splits / "classes", [(items[:8], items[8:])], classes=classes)
    call(own, "train", "--split", "classes", "--name", "classes", *FAST)
    found = parsed(own, "evaluate", "classes")
    assert list(found["per_class"]) == list(found["calibration"]) == list(classes)
    areas = [found["per_class"][name]["auroc"] for name in classes]
    assert found["auroc"]["value"] == pytest.approx(sum(areas) / 3)
    said = call(own, "evaluate", "classes")
    assert "means over the classes" in said and "labelled between: answered" in said
    page = tmp_path / "classes.html"
    call(own, "report", "classes", "--output", page)
    assert "Class by class" in page.read_text()


def test_a_test_side_of_one_label_is_said_and_not_scored(own: Small, tmp_path: Path) -> None:
    """Always naming that label would be right on all of it, beside a report that found no leak."""
    fine = [i for i in own.items[12:] if i.label == POSITIVE]
    write_split(own.workspace.splits / "fine", [(own.items[:12], fine)])
    call(own, "train", "--split", "fine", "--name", "fine", *FAST)
    found = parsed(own, "evaluate", "fine")
    assert found["missing_labels"] == ["coarse"]
    assert found["accuracy"] == found["recall"] == {"value": None, "low": None, "high": None}
    assert "No test image is labelled coarse" in call(own, "evaluate", "fine")
    page = tmp_path / "fine.html"
    call(own, "report", "fine", "--output", page)
    assert "No test image is labelled coarse" in page.read_text()


def test_a_report_is_written_where_an_image_is_gone_and_says_what_was_looked_for(own: Small, tmp_path: Path) -> None:
    write_split(own.workspace.splits / "gone", [(own.items[:12], own.items[12:])])
    call(own, "train", "--split", "gone", "--name", "gone", *FAST)
    (own.root / own.items[-1].path).unlink()
    page = tmp_path / "gone.html"
    call(own, "report", "gone", "--output", page)
    text = page.read_text()
    assert "Without the control models" in text
    assert "the split does not say that more was looked for" in text
    assert "Training and choices never saw" not in text
