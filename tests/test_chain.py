"""The whole chain through the real commands on a small generated corpus."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from pathlib import Path

import pytest
from commands import funnel, run, run_json

pytestmark = pytest.mark.slow
PAPERS = 8


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    run("polydata", "demo-corpus", folder / "c", "--papers", PAPERS, "--seed", 3)
    return folder / "c"


@pytest.fixture(scope="module")
def workspace(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace after the whole chain, its run named ``chain``."""
    place = tmp_path_factory.mktemp("workspace")
    run("polydata", "init", place)
    run("polydata", "extract", corpus / "papers", workspace=place)
    run("polydata", "screen", workspace=place)
    run("polydata", "records", "import", corpus / "records.csv", workspace=place)
    run("polydata", "join", workspace=place)
    run("polydata", "build-split", "v1", "--test-fraction", 0.3, workspace=place)
    run("polymodel", "train", "--split", "v1", "--name", "chain", "--device", "cpu", workspace=place)
    return place


def true_panels(corpus: Path) -> list[dict[str, str]]:
    with open(corpus / "panels.csv", newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def test_the_funnel_counts_every_step(workspace: Path, corpus: Path) -> None:
    counts = funnel(workspace)
    truth = len(true_panels(corpus))
    assert counts["papers"] == PAPERS
    assert counts["papers failed"] == 0
    assert 0.9 * truth <= counts["accepted"] <= 1.1 * truth
    assert counts["linked"] >= 0.85 * truth
    assert counts["labelled"] >= counts["in a split"] > 0.6 * truth
    assert counts["reviewed"] == 0


def test_labels_agree_with_the_simulation(workspace: Path, corpus: Path, tmp_path: Path) -> None:
    run("polydata", "export", "panels", "--output", tmp_path / "out", workspace=workspace)
    with open(tmp_path / "out/panels.csv", newline="", encoding="utf-8") as handle:
        exported = list(csv.DictReader(handle))
    truth = {(p["pdf_sha256"], p["figure"], p["panel"]): p["label"] for p in true_panels(corpus)}
    found = [
        (row["label"], truth[key])
        for row in exported
        if row["label"] and (key := (row["pdf_sha256"], row["figure_label"], row["panel_label"])) in truth
    ]
    assert len(found) > 0.6 * len(truth)
    assert sum(a == b for a, b in found) >= 0.9 * len(found)
    for row in exported:
        assert (tmp_path / "out" / row["image"]).is_file()


def test_the_split_has_no_paper_on_both_sides(workspace: Path) -> None:
    sides = []
    for name in ("train.csv", "test.csv"):
        with open(workspace / "splits/v1" / name, newline="", encoding="utf-8") as handle:
            reader = csv.DictReader(handle)
            rows = list(reader)
        assert (reader.fieldnames or [])[:4] == ["image_sha256", "label", "group", "path"]
        assert all((workspace / row["path"]).is_file() for row in rows)
        sides.append(rows)
    train, test = ({r["group"] for r in side} for side in sides)
    assert train and test and not train & test
    run("polydata", "split", "verify", "v1", workspace=workspace)


def test_the_same_split_again_is_kept_and_another_refused(workspace: Path) -> None:
    run("polydata", "build-split", "v1", "--test-fraction", 0.3, workspace=workspace)
    run("polydata", "build-split", "v1", "--test-fraction", 0.4, workspace=workspace, expect=7)


def test_evaluation_has_every_metric_with_its_interval(workspace: Path) -> None:
    result = run_json("polymodel", "evaluate", "chain", workspace=workspace)
    keys = ("accuracy", "balanced_accuracy", "precision", "recall", "specificity", "npv", "f1", "mcc", "auroc")
    for key in keys:
        value = result[key]
        if value["low"] is None:  # too few papers
            assert value["high"] is None
        else:
            assert value["low"] <= value["value"] <= value["high"], key
    assert result["accuracy"]["low"] is not None
    assert list((workspace / "runs/chain").rglob("*.png"))


def test_evaluation_tells_years_journals_and_scales_apart(workspace: Path) -> None:
    result = run_json("polymodel", "evaluate", "chain", workspace=workspace)
    for kind in ("year", "journal", "scale", "technique", "image_size", "label_source"):
        parts = [part for part in result["slices"] if part["by"] == kind]
        assert sum(part["images"] for part in parts) == result["test_images"], kind
        told = sum(part["images"] for part in parts if part["value"] != "not told")
        assert told >= 0.6 * result["test_images"], kind


def test_trace_follows_a_panel_from_the_page_to_the_run(workspace: Path, corpus: Path) -> None:
    with open(workspace / "splits/v1/test.csv", newline="", encoding="utf-8") as handle:
        row = next(csv.DictReader(handle))
    (way,) = run_json("polydata", "trace", row["image_sha256"], workspace=workspace)[:1]
    assert Path(way["paper"]["path"]).parent.name == "papers"
    assert way["figure"]["page"] >= 1 and way["panel"]["x0"] is not None
    assert way["records"] and way["label"]["label"] == row["label"]
    assert [(s["split"], s["side"]) for s in way["splits"]] == [("v1", "test")]
    assert [r["name"] for r in way["runs"]] == ["chain"]
    assert row["image_sha256"] in run("polydata", "trace", way["panel"]["panel_id"], workspace=workspace).stdout
    run("polydata", "trace", "panel-doesnotexist", workspace=workspace, expect=1)


def test_predict_and_report(workspace: Path, tmp_path: Path) -> None:
    image = next((workspace / "store").rglob("*.png"))
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    result = run("polymodel", "predict", "chain", image, broken, "--json", workspace=workspace, expect=3)
    predictions = json.loads(result.stdout)
    assert str(broken) in result.stderr
    assert len(predictions["predictions"] if isinstance(predictions, dict) else predictions) == 1
    report = tmp_path / "report.html"
    run("polymodel", "report", "chain", "--output", report, workspace=workspace)
    text = report.read_text(encoding="utf-8")
    assert "http://" not in text.replace("http://www.w3.org", "") and "<script src" not in text


def test_a_second_extraction_reads_nothing_again(workspace: Path, corpus: Path) -> None:
    before = run_json("polydata", "status", workspace=workspace)["fingerprint"]
    result = run_json("polydata", "extract", corpus / "papers", workspace=workspace)
    assert (result["read now"], result["read before"]) == (0, PAPERS)
    assert run_json("polydata", "status", workspace=workspace)["fingerprint"] == before


def test_failed_files_are_listed_and_tried_again(corpus: Path, tmp_path: Path) -> None:
    place, papers = tmp_path / "w", tmp_path / "papers"
    run("polydata", "init", place)
    papers.mkdir()
    good = sorted((corpus / "papers").glob("*.pdf"))[:2]
    (papers / "good.pdf").write_bytes(good[0].read_bytes())
    (papers / "empty.pdf").write_bytes(b"")
    (papers / "odd\nname.pdf").write_bytes(good[1].read_bytes()[:2000])
    result = run("polydata", "extract", papers, workspace=place, expect=3)
    assert "2 of 3 files failed" in result.stderr
    failures = run_json("polydata", "list", "failures", workspace=place)
    assert sorted(Path(f["path"]).name for f in failures) == ["empty.pdf", "odd\nname.pdf"]
    assert funnel(place)["papers"] == 1
    (papers / "odd\nname.pdf").write_bytes(good[1].read_bytes())
    (papers / "empty.pdf").unlink()
    again = run_json("polydata", "extract", papers, workspace=place)
    assert (again["read now"], again["read before"], again["failures"]) == (1, 1, 0)
    assert [Path(f["path"]).name for f in run_json("polydata", "list", "failures", workspace=place)] == ["empty.pdf"]


@pytest.mark.parametrize("words", [("extract",), ("extract", "missing.pdf"), ("screen", "--nothing"), ("no-such",)])
def test_wrong_usage_exits_with_two(words: tuple[str, ...], workspace: Path) -> None:
    run("polydata", *words, workspace=workspace, expect=2)


def test_no_workspace_exits_with_four(tmp_path: Path) -> None:
    result = run("polydata", "status", "--workspace", tmp_path, expect=4)
    assert "polydata init" in result.stderr


def test_trace_knows_papers_and_records_that_nothing_hangs_on(tmp_path: Path) -> None:
    import pymupdf

    place, pdf, table = tmp_path / "w", tmp_path / "words.pdf", tmp_path / "records.csv"
    with pymupdf.open() as document:
        document.new_page().insert_text((72, 72), "A paper without any figure.")
        document.save(pdf)
    table.write_text("record_key,morphology,reference\nlonely,coarse domains,Someone; J. Polym. 1; 2 (2001)\n")
    run("polydata", "init", place)
    run("polydata", "extract", pdf, workspace=place)
    run("polydata", "records", "import", table, workspace=place)
    (record,) = run_json("polydata", "records", "list", workspace=place)
    assert "lonely" in run("polydata", "trace", record["record_id"], workspace=place).stdout
    assert (
        "without panels"
        in run("polydata", "trace", hashlib.sha256(pdf.read_bytes()).hexdigest(), workspace=place).stdout
    )
    run("polydata", "trace", "panel-", workspace=place, expect=1)


def test_pipes_and_changed_files_do_no_harm(corpus: Path, tmp_path: Path) -> None:
    place, pdf, pipe = tmp_path / "w", tmp_path / "a.pdf", tmp_path / "pipe.pdf"
    one, two = sorted((corpus / "papers").glob("*.pdf"))[:2]
    os.mkfifo(pipe)
    pdf.write_bytes(one.read_bytes())
    run("polydata", "init", place)
    result = run("polydata", "extract", pdf, pipe, workspace=place, expect=3)
    assert "no regular file" in result.stderr
    pdf.write_bytes(two.read_bytes())
    assert "both versions are kept" in run("polydata", "extract", pdf, workspace=place).stderr
    assert funnel(place)["papers"] == 2
    pipe.unlink()
    pipe.write_bytes(two.read_bytes())
    run("polydata", "extract", pdf, pipe, workspace=place)
    assert run_json("polydata", "list", "failures", workspace=place) == []


@pytest.mark.parametrize(
    ("task", "metric", "words"),
    [("compatibility_ordered", "kappa", "weighted kappa"), ("domain_spacing", "mae", "Largest errors")],
)
def test_an_order_and_a_number_go_through_the_chain(
    task: str, metric: str, words: str, workspace: Path, tmp_path: Path
) -> None:
    """The tasks that come with the program beside the workspace's own, on labels and records that are there."""
    run("polydata", "build-split", task, "--task", task, "--test-fraction", 0.4, workspace=workspace)
    assert not run_json("polydata", "split", "verify", task, workspace=workspace)["faults"]
    run("polymodel", "train", task, "--name", task, "--device", "cpu", workspace=workspace)
    found = run_json("polymodel", "evaluate", task, workspace=workspace)
    assert found[metric]["value"] is not None and set(found["controls"]) > {"metadata", "print_only", "sobel"}
    image = next((workspace / "store").rglob("*.png"))
    (said,) = run_json("polymodel", "predict", task, image, workspace=workspace)["predictions"]
    assert ("value" in said) == (metric == "mae") and said["trained_on"] in (True, False)
    run("polymodel", "report", task, "--output", tmp_path / "report.html", workspace=workspace)
    assert words in (tmp_path / "report.html").read_text(encoding="utf-8")
