"""The published papers and micrographs: what is found of them, held to a little under what was measured."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from polydata.extraction.paper import extract_paper
from polydata.images.picture import ImageStore
from polydata.types import Figure, Paper
from polydata.workspace import ExtractSettings


def scorer(tools: Path) -> Any:
    spec = importlib.util.spec_from_file_location("score_figures", tools / "score_figures.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def row(digest: str, figure: Figure) -> dict[str, Any]:
    return {
        "pdf_sha256": digest,
        "page": figure.page,
        "bbox": figure.box.as_list(),
        "label": figure.label,
        "caption": figure.caption,
        "kind": figure.kind,
        "panels": [
            {"label": panel.label, "bbox": panel.box.as_list(), "caption": panel.caption} for panel in figure.panels
        ],
    }


def score(tools: Path, truth: Path, papers: Iterable[Paper]) -> dict[str, float]:
    found = [row(paper.sha256, figure) for paper in papers for figure in paper.figures]
    summary, _ = scorer(tools).score(json.loads(truth.read_text()), found)
    return dict(summary)


@pytest.mark.realdata
@pytest.mark.slow
def test_literature_papers(
    shared_data: Path, shared_tools: Path, literature: tuple[ImageStore, Mapping[str, Paper]]
) -> None:
    summary = score(shared_tools, shared_data / "papers/truth.json", literature[1].values())
    assert summary["f1"] >= 0.96
    assert summary["caption_recall"] >= 0.95
    assert summary["micrograph_recall"] == 1.0
    assert summary["micrograph_vs_rest_accuracy"] >= 0.98


@pytest.mark.realdata
@pytest.mark.slow
def test_papers_laid_out_from_published_panels(shared_data: Path, shared_tools: Path, tmp_path: Path) -> None:
    out = tmp_path / "papers"
    command = [
        sys.executable,
        shared_tools / "make_papers.py",
        shared_data / "nims",
        out,
        "--papers",
        "16",
        "--seed",
        "5",
    ]
    subprocess.run(command, check=True, capture_output=True)
    store = ImageStore(tmp_path / "store")
    papers = [extract_paper(path, store, ExtractSettings()) for path in sorted(out.glob("*.pdf"))]
    summary = score(shared_tools, out / "truth.json", papers)
    assert summary["f1"] >= 0.98
    assert summary["caption_whole_recall"] >= 0.98
    assert summary["micrograph_recall"] >= 0.97
    assert summary["panel_f1"] >= 0.95
    assert summary["panel_label_accuracy"] >= 0.95
    assert summary["panel_caption_accuracy"] >= 0.95
