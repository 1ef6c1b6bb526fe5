"""What the audit finds in the published data by itself; what is known of them is read by these tests alone."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from polydata.auditing.run import Finding, audit
from polydata.catalogue.session import open_session
from polydata.choices import Protocol
from polydata.published import workflow as published
from polydata.published.layout import Published, read_layout
from polydata.published.workflow import import_published
from polydata.splits.build import build_split
from polydata.splits.manifest import load_split
from polydata.splits.options import SplitOptions
from polydata.workspace import Workspace

pytestmark = [pytest.mark.realdata, pytest.mark.slow]


@pytest.fixture(scope="module")
def workspace(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    place = Workspace.init(tmp_path_factory.mktemp("published"))
    with open_session(place) as session:
        import_published(session, shared_data / "nims")
    return place


@pytest.fixture(scope="module")
def found(workspace: Workspace) -> dict[str, Finding]:
    with open_session(workspace, read_only=True) as session:
        report = audit(session, split="published")
    return {f.detector: f for f in report.findings}


def test_leaks(found: dict[str, Finding]) -> None:
    assert found["shared-paper"].count >= 110
    assert found["shared-figure"].count == 99


def test_pictures_that_are_there_twice(found: dict[str, Finding], shared_data: Path) -> None:
    with open(shared_data / "nims" / "near_duplicates.csv", newline="") as handle:
        known = {frozenset((r["file_a"], r["file_b"])) for r in csv.DictReader(handle)}
    pairs = {frozenset((i["a_file"], i["b_file"])) for i in found["near-duplicate"].items}
    assert len(pairs & known) >= 9
    assert len(pairs - known) <= 3
    crossing = [i for i in found["near-duplicate"].items if i["crosses_folds"]]
    assert {frozenset((i["a_file"], i["b_file"])) for i in crossing} == {
        frozenset(("203_page7_image1_0.png", "396_page8_image1_c_0.png"))
    }


def test_a_mirrored_picture_that_nobody_had_listed(found: dict[str, Finding]) -> None:
    mirrored = [i for i in found["near-duplicate"].items if i.get("mirrored")]
    assert [{i["a_file"], i["b_file"]} for i in mirrored] == [
        {"479_page4_image1_b_0.png", "479_page4_image1_c_0.png"}
    ]  # fmt: skip


def test_files_and_labels(found: dict[str, Finding]) -> None:
    assert found["alpha-only"].count == 4
    assert found["wrong-extension"].count == 92
    assert found["contradiction"].count == 7
    techniques = [i["technique"] for i in found["technique"].items]
    assert (techniques.count("TEM"), techniques.count("optical"), len(techniques)) == (4, 5, 9)


def test_papers_that_are_one(found: dict[str, Finding]) -> None:
    names = [{n.split()[-1] for n in i["names"]} for i in found["same-citation"].items]
    assert sorted(map(sorted, names)) == [["149", "67"], ["352", "669"], ["71", "72"]]


def test_what_tells_the_label_without_a_micrograph(found: dict[str, Finding]) -> None:
    beside = {i["control"]: i for i in found["metadata-leak"].items}
    assert found["metadata-leak"].count >= 1
    # On the split that tears papers apart print tells the label and the file nearly; on papers not seen nothing does.
    assert beside["print_only"]["tells"] and beside["print_only"]["p_on_split"] <= 0.025
    assert beside["metadata"]["p_on_split"] <= 0.1
    assert all(item["p"] > 0.05 for item in beside.values())
    lookup = next(i for i in found["paper-lookup"].items if i["where"] == "the split")
    assert lookup["accuracy"] == pytest.approx(0.855, abs=0.02)


def test_the_published_protocol(workspace: Workspace) -> None:
    with open_session(workspace) as session:
        options = SplitOptions(protocol=Protocol.PUBLISHED)
        split = build_split(session, "as-published", options, "to compare with the paper").split
    assert (len(split.folds[0].train), len(split.folds[0].test)) == (400, 117)
    assert split.leakage is not None and split.leakage["reason"] == "to compare with the paper"


def test_the_digest_depends_on_neither_folder_nor_order(
    workspace: Workspace, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shuffled(root: Path, suffixes: Mapping[str, str]) -> Published:
        found = read_layout(root, suffixes)
        images = list(found.images)
        random.Random(1).shuffle(images)
        return replace(found, images=tuple(images))

    monkeypatch.setattr(published, "read_layout", shuffled)
    other = Workspace.init(tmp_path / "elsewhere")
    with open_session(other) as session:
        import_published(session, shared_data / "nims")
        second = build_split(session, "again", SplitOptions(folds=5)).split
    with open_session(workspace) as session:
        first = build_split(session, "folds", SplitOptions(folds=5)).split
    assert first.digest == second.digest
    assert first.manifest["catalogue_fingerprint"] == second.manifest["catalogue_fingerprint"]
    assert load_split(workspace.splits / "published").digest == load_split(other.splits / "published").digest
    for side in first.manifest["counts"]["sides"]:
        whole = first.manifest["counts"]["by_class"]["compatible"]["images"] / first.manifest["counts"]["images"]
        assert abs(side["by_class"]["compatible"]["images"] / side["images"] - whole) < 0.02
