"""Splits of the published data set: the authors' own, and one that holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.session import Session, open_session
from polydata.published.workflow import import_published
from polydata.splits.build import Built, build_split
from polydata.splits.manifest import load_split
from polydata.splits.options import SplitOptions
from polydata.workspace import Workspace

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def imported(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    workspace = Workspace.init(tmp_path_factory.mktemp("published"))
    with open_session(workspace) as session:
        import_published(session, shared_data / "nims")
        yield session


@pytest.fixture(scope="module")
def built(imported: Session) -> Built:
    return build_split(imported, "v1", SplitOptions())


def numbers(papers: list[str], catalogue: Catalogue) -> set[str]:
    names = dict(catalogue.tuples("SELECT paper_id, file_name FROM papers"))
    return {names[p].split()[-1] for p in papers}


def test_the_authors_split_is_kept_and_marked(imported: Session) -> None:
    split = load_split(imported.workspace.splits / "published")
    assert (len(split.folds[0].train), len(split.folds[0].test)) == (400, 117)
    assert split.leakage is not None
    found = {f["detector"]: f["count"] for f in split.leakage["findings"]}
    assert found["shared-paper"] >= 110
    assert found["shared-figure"] == 99
    assert found["shared-group"] >= found["shared-paper"]


def test_no_paper_citation_or_picture_on_both_sides(built: Built) -> None:
    split = built.split
    assert split.leakage is None
    train, test = split.folds[0].train, split.folds[0].test
    assert {i.extra["paper_id"] for i in train}.isdisjoint(i.extra["paper_id"] for i in test)
    assert {i.group for i in train}.isdisjoint(i.group for i in test)


def test_labels_are_shared_out_evenly(built: Built) -> None:
    train, test = built.split.folds[0].train, built.split.folds[0].test
    everything = (*train, *test)
    whole = sum(i.label == built.split.positive for i in everything) / len(everything)
    for side in (train, test):
        assert abs(sum(i.label == built.split.positive for i in side) / len(side) - whole) < 0.02
    assert abs(len(test) / len(everything) - 0.2) < 0.01


def test_papers_that_are_one_are_found(imported: Session, built: Built) -> None:
    merged = [numbers(m["papers"], imported.catalogue) for m in built.split.manifest["notes"]["merged_papers"]]
    for papers in ({"67", "149"}, {"71", "72"}, {"352", "669"}, {"560", "629"}):
        assert papers in merged


def test_file_labels_alone(imported: Session) -> None:
    split = build_split(imported, "by-file", SplitOptions(label_source="file", folds=5, repeats=2)).split
    counts = split.manifest["counts"]
    assert counts["images"] == 517
    assert sorted(c["images"] for c in counts["by_class"].values()) == [101, 416]
    for side in counts["sides"]:
        assert abs(side["by_class"][split.positive]["images"] / side["images"] - 101 / 517) < 0.02
