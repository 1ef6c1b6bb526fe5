"""polydata audit as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from split_corpus import Corpus
from typer.testing import CliRunner, Result

from polydata.auditing.run import Finding, Report, what_next
from polydata.auditing.subject import Severity
from polydata.catalogue.session import open_session
from polydata.cli import app
from polydata.workspace import Workspace


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    workspace = Workspace.init(tmp_path)
    with open_session(workspace) as session:
        Corpus(session).standard()
    return workspace


def polydata(place: Workspace, *words: str) -> Result:
    return CliRunner().invoke(app, ["--workspace", str(place.root), *words])


def test_tables_and_json(place: Workspace) -> None:
    shown = polydata(place, "audit")
    assert shown.exit_code == 0, shown.output
    assert "tiny-image" in shown.output and "--where" in shown.output and "polydata audit --json" in shown.output
    answer = json.loads(polydata(place, "audit", "--json", "--detector", "tiny-image").stdout)
    (finding,) = answer["findings"]
    assert set(finding) == {"detector", "severity", "count", "items", "message", "fix"}
    assert (answer["split"], answer["clean"], answer["skipped"]) == (None, [], {})
    assert finding["count"] == len(finding["items"]) > 0


def test_a_split_and_refusals(place: Workspace) -> None:
    assert polydata(place, "build-split", "v1").exit_code == 0
    answer = json.loads(polydata(place, "audit", "--split", "v1", "--no-pixels", "--no-crops", "--json").stdout)
    assert answer["split"] == "v1" and "shared-paper" in answer["clean"]
    assert "--crops" in answer["skipped"]["same-view"]
    assert polydata(place, "audit", "--split", "nothing").exit_code == 1
    assert polydata(place, "audit", "--detector", "magic").exit_code == 2
    assert polydata(place, "audit", "--predictions", str(place.root / "none")).exit_code == 1
    (place.splits / "v1" / "test.csv").write_text("changed")
    assert polydata(place, "audit", "--split", "v1").exit_code == 7


def test_merged_labels_are_said_so_and_errors_are_settled_on_one_page(place: Workspace) -> None:
    assert polydata(place, "build-split", "v1", "--partial", "as-compatible", "--no-crops").exit_code == 0
    words = ["--no-pixels", "--no-crops"]
    shown = " ".join(polydata(place, "audit", "v1", *words).output.split())
    assert "compatible or partial" in shown and "Next: polymodel train v1;" in shown
    answer = json.loads(polydata(place, "audit", "v1", *words, "--detector", "class-imbalance", "--json").stdout)
    assert answer["findings"][0]["items"][0]["label"] == "compatible"
    for detector, item, step in (
        ("contradiction", {}, "polydata conflicts --html"),
        ("same-view", {"a_label": "x", "b_label": "y", "distinct": False}, "polydata conflicts --html"),
        ("same-view", {"a_label": "x", "b_label": "y", "distinct": True}, "polydata build-split v2"),
    ):
        report = Report((Finding(detector, Severity.ERROR, 1, [item], "", ""),), (), {})
        assert what_next(report, "v1", "v2").startswith(step)


def test_a_store_that_cannot_be_written_does_not_matter(place: Workspace) -> None:
    (place.store / "copies").write_text("where answers would be kept")
    assert polydata(place, "audit", "--detector", "near-duplicate").exit_code == 0


def test_images_alone_are_looked_at_without_a_search_for_copies(place: Workspace) -> None:
    assert polydata(place, "audit", "--detector", "alpha-only").exit_code == 0
    assert not (place.store / "copies").exists()
    assert polydata(place, "audit", "--detector", "same-view").exit_code == 0
    assert (place.store / "copies").exists()


def test_the_new_commands_of_splits(place: Workspace) -> None:
    words = ["--val-fraction", "0.2", "--where", "size > 10", "--stratify", "technique", "--no-crops"]
    assert polydata(place, "build-split", "v1", *words).exit_code == 0
    random = polydata(place, "build-split", "v2", "--protocol", "random")
    assert random.exit_code == 7 and "--allow-leakage" in random.stderr
    assert polydata(place, "build-split", "v2", "--protocol", "random", "--allow-leakage", "to compare").exit_code == 0
    assert polydata(place, "build-split", "v3", "--where", "1=1").exit_code == 2
    shown = polydata(place, "split", "diff", "v1", "v2")
    assert shown.exit_code == 0 and "recipe: protocol" in shown.output
    assert json.loads(polydata(place, "split", "diff", "v1", "v1", "--json").stdout)["same"] is True
    assert "catalogue since then" in polydata(place, "split", "lineage", "v1").output
    found = json.loads(polydata(place, "split", "lineage", "v2", "--json").stdout)
    assert found["split"]["leakage"] == "to compare" and found["catalogue_unchanged"]
