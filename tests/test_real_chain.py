"""From PDFs with the published micrographs to an evaluated model, through the real commands and a real server."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from commands import funnel, run, run_json
from label_studio_server import LabelStudioServer
from review_scene import Api

from polydata.task import Task
from polydata.types import Box

pytestmark = [pytest.mark.realdata, pytest.mark.labelstudio, pytest.mark.slow]
PAPERS = 24
TASK = Task.load()


def true_keys(papers: Path, figures: Path) -> dict[str, str]:
    """SHA-256 of an extracted image -> key of the published image that stands in its place."""
    places: dict[tuple[str, int], list[tuple[Box, str]]] = {}
    with open(papers / "panels.csv", newline="", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            box = Box(*(float(row[c]) for c in ("x0", "y0", "x1", "y1")))
            places.setdefault((row["pdf_sha256"], int(row["page"])), []).append((box, row["image_key"]))
    keys = {}
    for line in figures.read_text(encoding="utf-8").splitlines():
        figure = json.loads(line)
        for panel in figure["panels"]:
            box = Box(*panel["bbox"])
            for true_box, key in places.get((figure["pdf_sha256"], figure["page"]), []):
                if box.iou(true_box) > 0.5:
                    keys[panel["image_sha256"]] = key
    return keys


def published_labels(records: Path) -> dict[str, str]:
    with open(records, newline="", encoding="utf-8") as handle:
        rows = [(row["key"], TASK.label_of(row["label"])) for row in csv.DictReader(handle)]
    return {key: label for key, label in rows if label}


def test_from_pdf_to_evaluation(
    shared_data: Path, shared_tools: Path, label_studio: LabelStudioServer, tmp_path: Path
) -> None:
    papers, records = tmp_path / "papers", shared_data / "nims/records.csv"
    maker: list[Any] = [sys.executable, shared_tools / "make_papers.py", shared_data / "nims", papers]
    subprocess.run([*maker, "--papers", str(PAPERS), "--seed", "1"], check=True, capture_output=True)
    place = label_studio.document_root / "real-chain"
    run("polydata", "init", place)
    root = f'url = "{label_studio.url}"\ndocument_root = "{label_studio.document_root}"'
    (place / "polydata.toml").write_text(f'[label_studio]\n{root}\nproject = "real-chain"\n')
    token = {"POLYDATA_LABEL_STUDIO_TOKEN": label_studio.token}

    run("polydata", "extract", papers, workspace=place)
    run("polydata", "screen", workspace=place)
    run("polydata", "records", "import", records, workspace=place)
    run("polydata", "join", workspace=place)
    figures = tmp_path / "figures.jsonl"
    run("polydata", "export", "figures", "--format", "jsonl", "--output", figures, workspace=place)
    keys, labels = true_keys(papers, figures), published_labels(records)
    with open(papers / "panels.csv", newline="", encoding="utf-8") as handle:
        laid_out = len(list(csv.DictReader(handle)))
    assert len(keys) >= 0.95 * laid_out

    run("polydata", "export", "panels", "--output", tmp_path / "panels", workspace=place)
    named = {r["record_id"]: r["record_key"] for r in run_json("polydata", "records", "list", workspace=place)}
    with open(tmp_path / "panels/panels.csv", newline="", encoding="utf-8") as handle:
        linked = [r for r in csv.DictReader(handle) if r["record_id"] and r["image_sha256"] in keys]
    right = sum(named[r["record_id"]] == keys[r["image_sha256"]] for r in linked)
    assert right >= 0.98 * len(linked) and len(linked) >= 0.75 * laid_out

    for _ in range(2):
        run("polydata", "label", "push", workspace=place, **token)
    api = Api(label_studio)
    tasks = api.tasks("real-chain")  # fails where an image has two tasks
    assert len(tasks) == funnel(place)["accepted"]
    answered = {sha256: labels[keys[sha256]] for sha256 in tasks if keys.get(sha256) in labels}
    for sha256, label in answered.items():
        api.answer(tasks[sha256], label)
    run("polydata", "label", "pull", workspace=place, **token)
    counts = funnel(place)
    assert counts["reviewed"] == len(answered)

    run("polydata", "build-split", "v1", "--label-source", "review", workspace=place)
    in_split = {}
    for side in ("train", "test"):
        with open(place / f"splits/v1/{side}.csv", newline="", encoding="utf-8") as handle:
            in_split[side] = list(csv.DictReader(handle))
    rows = in_split["train"] + in_split["test"]
    assert len(rows) == sum(label != TASK.partial for label in answered.values())
    assert all(row["label"] == answered[row["image_sha256"]] for row in rows)
    assert not {r["group"] for r in in_split["train"]} & {r["group"] for r in in_split["test"]}

    run("polymodel", "train", "--split", "v1", "--name", "real", "--device", "cpu", workspace=place)
    result = run_json("polymodel", "evaluate", "real", workspace=place)
    assert result["test_images"] == len(in_split["test"])
    for kind in ("year", "journal", "scale"):
        told = [part["images"] for part in result["slices"] if part["by"] == kind and part["value"] != "not told"]
        assert sum(told) >= 0.8 * result["test_images"], kind
    accuracy, auroc = result["accuracy"], result["auroc"]
    assert 0 <= accuracy["low"] <= accuracy["value"] <= accuracy["high"] <= 1
    assert 0 <= auroc["value"] <= 1  # its interval wants three papers of each label
