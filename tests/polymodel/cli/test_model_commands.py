"""The commands as a user types them, on a small workspace."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from small_split import POSITIVE, Small, texture, write_split
from typer.testing import CliRunner

from polydata.console import output
from polydata.splits.manifest import Item
from polymodel.cli import app, options
from polymodel.data.split import load_split
from polymodel.evaluation.metrics import METRICS

TINY = "timm:test_resnet"
FAST = ("--arch", TINY, "--weights", "none", "--image-size", "40")


def call(small: Small, *words: object, expect: int = 0) -> str:
    result = CliRunner().invoke(
        app, [str(w) for w in words], env={"POLYDATA_WORKSPACE": str(small.root), "COLUMNS": "200"}
    )
    assert result.exit_code == expect, result.output
    return result.stdout if expect == 0 else result.output


def test_the_evaluation_names_its_metrics_in_a_narrow_window(small: Small) -> None:
    words = ["evaluate", "run-cv", "--workspace", str(small.root)]
    shown = CliRunner().invoke(app, words, env={"COLUMNS": "80"}).stdout
    assert {"balanced accuracy", "specificity", "majority"} <= set(re.split(r"\s{2,}|\n", shown))


def test_an_unreadable_run_is_named_and_hides_no_other(small: Small, tmp_path: Path) -> None:
    bad = small.workspace.runs / "garbled"
    bad.mkdir()
    (bad / "run.json").write_text("{")
    try:
        said = call(small, "runs", "list", expect=3)
        assert "run-one" in said and "garbled" in said
    finally:
        (bad / "run.json").unlink()
        bad.rmdir()


def test_what_the_system_leaves_beside_parts_does_no_harm(small: Small) -> None:
    (small.workspace.runs / "run-one" / "parts" / ".DS_Store").write_bytes(b"x")
    call(small, "train", "--split", "one", "--name", "run-one", *FAST)
    (small.workspace.runs / "run-one" / "evaluation.json").write_text("{")
    assert "accuracy" in call(small, "evaluate", "run-one")


@pytest.mark.parametrize(("output", "expect"), [("out.txt", 2), ("missing/out.csv", 1)])
def test_an_output_that_cannot_be_is_refused_before_the_work(
    small: Small, tmp_path: Path, output: str, expect: int
) -> None:
    said = call(small, "predict", "run-one", tmp_path / "no-image.png", "--output", tmp_path / output, expect=expect)
    assert "no-image" not in said


def test_training_that_runs_away_says_so(own: Small) -> None:
    words = (
        "train",
        "--split",
        "one",
        "--name",
        "away",
        "--recipe",
        "finetune",
        "--epochs",
        2,
        "--learning-rate",
        1e30,
    )
    said = call(own, *words, *FAST, expect=1)
    assert "not finite" in said and "--learning-rate" in said


def parsed(small: Small, *words: object) -> Any:
    return json.loads(call(small, *words, "--json"))


@pytest.fixture(scope="module", autouse=True)
def runs(small: Small) -> None:
    """A run on one partition, on a leaky one, and on folds."""
    for split in ("one", "leaky", "cv"):
        call(small, "train", "--split", split, "--name", f"run-{split}", *FAST)


def test_training_says_what_it_did_and_what_comes_next(small: Small) -> None:
    said = call(small, "train", "--split", "one", "--name", "run-one", *FAST)
    assert "nothing was trained" in said
    assert "polymodel evaluate run-one" in said
    assert "Leaky" not in said
    found = parsed(small, "train", "--split", "leaky", "--name", "run-leaky", *FAST)
    assert found["leaky"] is True
    assert found["parts_before"] == 1


def test_a_leaky_run_is_marked_everywhere(small: Small) -> None:
    record = json.loads((small.workspace.runs / "run-leaky" / "run.json").read_text())
    assert record["split"]["leakage"]["reason"] == "papers on both sides"
    for words in (("train", "--split", "leaky", "--name", "run-leaky", *FAST), ("evaluate", "run-leaky")):
        assert "Leaky split" in call(small, *words)
    assert "Leaky split" in (small.workspace.runs / "run-leaky" / "README.md").read_text()
    assert "leaky" in call(small, "runs", "list")
    assert "Leaky split" in call(small, "runs", "show", "run-leaky")
    page = small.root / "leaky.html"
    call(small, "report", "run-leaky", "--output", page)
    assert "This split leaks" in page.read_text()


def test_evaluation_of_one_partition(small: Small) -> None:
    found = parsed(small, "evaluate", "run-one")
    summaries = [found[m] for m in METRICS] + [found["train_accuracy"]]
    for name in ("majority", *found["controls"]):
        row = found["majority"] if name == "majority" else found["controls"][name]
        assert set(row) == set(METRICS)
        summaries += row.values()
    for summary in summaries:
        assert set(summary) == {"value", "low", "high"}
        if summary["value"] is not None:
            assert -1 <= summary["low"] <= summary["value"] <= summary["high"] <= 1
    assert set(found["controls"]) == {"metadata", "print_only", "paper_lookup"}
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
    assert found["auroc"]["value"] == pytest.approx(roc_auc_score(truth, test["p_positive"]))
    assert found["accuracy"]["value"] == pytest.approx(accuracy_score(truth, test["p_positive"] > 0.5))
    train = frame[frame["side"] == "train"]
    assert found["train_accuracy"]["value"] == pytest.approx(
        accuracy_score(train["label"] == "fine", train["p_positive"] > 0.5)
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
    frames = [
        pd.read_parquet(path).query("side == 'test'") for path in own.workspace.runs.glob("lopo/parts/*/*.parquet")
    ]
    answers = pd.concat(frames)
    assert len(answers) == found["test_images"] == 20
    assert found["auroc"]["value"] == pytest.approx(roc_auc_score(answers["label"] == POSITIVE, answers["p_positive"]))
    assert (found["scored"], len(found["parts"])) == (1, 5)
    assert "5 parts scored together" in call(own, "evaluate", "lopo")


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


def test_runs_are_listed_and_shown(small: Small) -> None:
    names = {row["run"] for row in parsed(small, "runs", "list")}
    assert {"run-one", "run-leaky", "run-cv"} <= names
    shown = parsed(small, "runs", "show", "run-cv")
    assert len(shown["finished_parts"]) == 3
    assert shown["config"]["arch"] == TINY
    assert TINY in call(small, "runs", "show", "run-cv")
    assert "no run" in call(small, "runs", "show", "nothing", expect=1)


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
    text = page.read_text(encoding="utf-8")
    links = Links()
    links.feed(text)
    assert all(address.startswith(("data:image/", "#")) for address in links.fetched)
    assert not {"script", "link", "iframe", "object"} & set(links.tags)
    assert not re.search(r"url\(|@import", text)
    for words in ("majority", "print only", "AUROC", "Side by side", "No leak was found", "3 folds"):
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


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("train", "--split", "nothing"), 1, "no split"),
        (("train", "--split", "one", "--arch", "resnet19"), 2, "resnet19"),
        (("train", "--split", "one", "--weights", "nothing.pt"), 1, "no weights file"),
        (("train", "--split", "one", "--epochs", "3"), 2, "--epochs"),
        (("train", "--split", "one", "--seeds", "2", "--seed", "1"), 2, "exclude"),
        (("train", "--split", "one", "--name", "../x", *FAST), 2, "name of a run"),
        (("evaluate", "nothing"), 1, "no run"),
        (("report", "run-one", "--output", "/proc/nothing/x.html"), 1, "cannot be written"),
    ],
)
def test_wrong_use_is_told_without_a_traceback(small: Small, words: tuple[str, ...], code: int, said: str) -> None:
    output = call(small, *words, expect=code)
    assert said in output
    assert "Traceback" not in output


def test_a_workspace_that_is_not_there(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["runs", "list", "--workspace", str(tmp_path)])
    assert result.exit_code == 4


def test_damaged_run_folders_are_named(own: Small) -> None:
    call(own, "train", "--split", "one", "--name", "damaged", *FAST)
    folder = own.workspace.runs / "damaged"
    (folder / "parts" / "fold-1-seed-0" / "predictions.parquet").write_bytes(b"")
    assert "cannot be read" in call(own, "evaluate", "damaged", expect=1)
    (folder / "run.json").write_text('{"format": 1}')
    assert "run.json" in call(own, "runs", "show", "damaged", expect=1)


@pytest.mark.parametrize("lacking", ["command", "started", "seconds"])
def test_a_run_that_lacks_a_fact_is_named(own: Small, lacking: str) -> None:
    call(own, "train", "--split", "one", "--name", "lacking", *FAST)
    path = own.workspace.runs / "lacking" / "run.json"
    record = json.loads(path.read_text())
    del record[lacking]
    path.write_text(json.dumps(record))
    assert lacking in call(own, "runs", "list", expect=3)


def test_a_run_nested_too_deep_to_read_is_named(own: Small) -> None:
    folder = own.workspace.runs / "deep"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("[" * 100_000)
    assert "cannot be read" in call(own, "runs", "list", expect=3)


def test_an_output_that_is_a_folder_is_refused_before_the_work(small: Small, tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    said = call(small, "predict", "run-one", tmp_path / "none.png", "--output", tmp_path / "folder.csv", expect=1)
    assert "is a folder" in said


def test_two_runs_are_set_against_each_other(small: Small) -> None:
    found = parsed(small, "evaluate", "run-one", "--against", "run-leaky")["against"]
    assert found["runs"] == ["run-one", "run-leaky"]
    assert set(found["difference"]) == set(METRICS)
    assert found["leaky"] == ["run-leaky"]
    assert found["images"] + found["left_out"]["run-one"] == 12
    assert "McNemar" in call(small, "evaluate", "run-one", "--against", "run-cv")
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


def test_signs_that_steer_a_terminal_are_written_out(own: Small, tmp_path: Path) -> None:
    steering = "\x1b]0;turned\x1b\\\u202e"
    label = {"fine": f"fine{steering}", "coarse": "coarse"}
    items = [
        Item(i.image_sha256, label[i.label], f"{i.group}{steering}", i.path, {"technique": steering}) for i in own.items
    ]
    leak = {"reason": f"both sides {steering}"}
    write_split(
        own.workspace.splits / "steering", [(items[:12], items[12:])], leakage=leak, classes=tuple(label.values())
    )
    picture = tmp_path / f"{steering.replace(chr(92), '')}.png"
    picture.write_bytes(texture(7, 1.0))
    folder = tmp_path / steering.replace(chr(92), "")
    folder.mkdir()
    call(own, "train", "--split", "steering", "--name", "steering", *FAST)
    for words in (
        ("train", "--split", "steering", "--name", "steering", *FAST),
        ("evaluate", "steering", "--against", "steering", "--across", "steering"),
        ("evaluate", "steering", "--json"),
        ("predict", "steering", picture),
        ("predict", "steering", picture, "--output", folder / "x.csv"),
        ("predict", "steering", picture, "--json"),
        ("baselines", "--split", "steering"),
        ("runs", "list"),
        ("runs", "show", "steering"),
        ("runs", "compare", "steering", "--output", folder / "x.csv"),
        ("report", "steering", "--output", folder / "x.html"),
        ("embed", "--split", "steering", "--output", folder / "x.parquet", *FAST[:4]),
    ):
        said = call(own, *words)
        assert not {"\x1b", "\u202e"} & set(said), words


def test_one_bar_names_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    bar = output._bar()
    monkeypatch.setattr(output, "_bar", lambda: bar)
    with options.progress() as told:
        told("epoch 1", 0, 3)
        told("epoch 2, train loss 0.5", 1, 3)
    assert [(task.description, task.completed, task.total) for task in bar.tasks] == [("epoch 2, train loss 0.5", 1, 3)]
