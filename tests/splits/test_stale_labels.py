"""Splits whose images are labelled otherwise by now: the list, the status and the audit say so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from split_corpus import BETWEEN, NO, YES, Corpus, picture
from typer.testing import CliRunner

from polydata.auditing.run import audit, error_rows
from polydata.catalogue.session import open_session
from polydata.catalogue.splits import forget
from polydata.catalogue.successors import note_successors
from polydata.choices import Protocol
from polydata.cli import app
from polydata.labels.resolve import set_label
from polydata.splits.build import build_split
from polydata.splits.options import SplitOptions
from polydata.splits.stale import all_relabelled, list_with_labels, relabelled
from polydata.upkeep.status import status
from polydata.workspace import Workspace


@pytest.fixture
def corpus(tmp_path: Path) -> Any:
    with open_session(Workspace.init(tmp_path)) as session:
        made = Corpus(session)
        made.standard()
        yield made


def counts(corpus: Corpus) -> dict[str, int | None]:
    return {row["name"]: row["relabelled"] for row in list_with_labels(corpus.session)}


@pytest.mark.parametrize(
    "options", [SplitOptions(), SplitOptions(label_source="file"), SplitOptions(where="year is null")]
)
def test_an_untouched_split_is_not_stale(corpus: Corpus, options: SplitOptions) -> None:
    build_split(corpus.session, "v1", options)
    build_split(corpus.session, "v2", SplitOptions(folds=3))
    assert counts(corpus) == {"v1": 0, "v2": 0}


def test_other_labels_and_none_count(corpus: Corpus) -> None:
    split = build_split(corpus.session, "v1", SplitOptions()).split
    build_split(corpus.session, "by-file", SplitOptions(label_source="file"))
    one, other, *_ = sorted(image for image, item in split.items.items() if item.label == NO)
    set_label(corpus.session, one, YES, reason="seen")
    set_label(corpus.session, other, "not_a_micrograph", reason="seen")
    assert relabelled(corpus.session, split) == {one: (NO, YES), other: (NO, None)}
    assert counts(corpus)["v1"] == 2
    build_split(corpus.session, "v2", SplitOptions())
    assert counts(corpus)["v2"] == 0


def test_what_the_catalogue_notes_and_what_the_lists_say_is_the_same(corpus: Corpus) -> None:
    split = build_split(corpus.session, "v1", SplitOptions(folds=3)).split
    build_split(corpus.session, "v2", SplitOptions(label_source="file"))
    for image in sorted(split.items)[:3]:
        set_label(corpus.session, image, BETWEEN, reason="seen")
    noted = counts(corpus)
    assert noted["v1"] == 3 == all_relabelled(corpus.session, ["v1"])
    assert all_relabelled(corpus.session, ["v1", "v2"]) == 0 == noted["v2"]
    corpus.catalogue.run("UPDATE splits SET digest = 'of another split of this name'")
    assert counts(corpus) == noted
    for name in noted:
        forget(corpus.catalogue, name)
    assert counts(corpus) == noted


def test_partial_labels_are_read_as_the_split_reads_them(corpus: Corpus) -> None:
    corpus.paper("x")
    image = corpus.image("x", 777, record=BETWEEN)
    kept = build_split(corpus.session, "kept", SplitOptions(partial="as-incompatible")).split
    assert (kept.items[image].label, relabelled(corpus.session, kept)) == (NO, {})


def test_the_audit_names_them_in_a_split_alone(corpus: Corpus) -> None:
    split = build_split(corpus.session, "v1", SplitOptions()).split
    image = min(split.items)
    set_label(corpus.session, image, NO if split.items[image].label == YES else YES, reason="seen")
    (finding,) = audit(corpus.session, split="v1", detectors=["stale-label"]).findings
    assert [item["image"] for item in finding.items] == [image]
    assert "build-split" in finding.fix
    assert audit(corpus.session, detectors=["stale-label"]).skipped


def with_a_split(folder: Path, relabel: bool) -> tuple[Workspace, str]:
    place = Workspace.init(folder)
    with open_session(place) as session:
        Corpus(session).standard()
        image = min(build_split(session, "v1", SplitOptions()).split.items)
        if relabel:
            set_label(session, image, "not_a_micrograph", reason="seen")
    return place, image


def test_an_image_that_was_cut_anew_is_not_called_relabelled(corpus: Corpus) -> None:
    image, other, *_ = sorted(build_split(corpus.session, "v1", SplitOptions()).split.items)
    label = corpus.catalogue.value("SELECT label FROM labels WHERE image_sha256 = ?", [image])
    corpus.paper("anew")
    heir = corpus.image("anew", 777, record=label)
    corpus.catalogue.run("DELETE FROM panels WHERE image_sha256 = ?", [image])
    with corpus.catalogue.transaction():
        note_successors(corpus.catalogue, {image: heir}, shown=True)
    (row,) = list_with_labels(corpus.session)
    assert (row["relabelled"], row["cut_anew"]) == (0, 1) and all_relabelled(corpus.session, ["v1"]) == 1
    set_label(corpus.session, other, BETWEEN, reason="seen")
    set_label(corpus.session, heir, BETWEEN, reason="seen")
    (row,) = list_with_labels(corpus.session)
    assert (row["relabelled"], row["cut_anew"]) == (2, 0)


def test_status_asks_for_a_new_split_until_there_is_one(tmp_path: Path) -> None:
    place, _ = with_a_split(tmp_path, relabel=True)
    asked = [step for step in status(place).steps if step.command == "polydata build-split v2"]
    assert [step.why for step in asked] == ["images of v1 with another label now, or none: 1"]
    with open_session(place) as session:
        build_split(session, "v2", SplitOptions())
    assert not [step for step in status(place).steps if "build-split" in step.command]


def test_the_list_says_it(tmp_path: Path) -> None:
    workspace, image = with_a_split(tmp_path, relabel=False)
    place = str(workspace.root)
    before = CliRunner().invoke(app, ["-w", place, "split", "list"]).output
    assert ("relabelled" in before, "Next" in before) == (False, False)
    CliRunner().invoke(app, ["-w", place, "label", "set", image, "not_a_micrograph", "--reason", "seen"])
    after = CliRunner().invoke(app, ["-w", place, "split", "list"]).output
    assert "clean, 1 relabelled" in after and "Next: polydata build-split NAME" in after
    assert max(map(len, after.splitlines())) <= 80
    [row] = json.loads(CliRunner().invoke(app, ["-w", place, "split", "list", "--json"]).stdout)
    assert (row["state"], row["relabelled"]) == ("clean", 1)


def test_a_picture_twice_under_two_labels_says_which_and_what_to_type(corpus: Corpus) -> None:
    for paper in "xy":
        corpus.paper(paper)
    corpus.image("x", 4000, file=YES)
    copy = corpus.image("y", picture(4000, quality=95), file=NO)
    build_split(corpus.session, "v1", SplitOptions(protocol=Protocol.GROUPED))
    found = audit(corpus.session, split="v1", detectors=["near-duplicate"])
    [finding] = [one for one in found.findings if one.severity == "error"]
    [row] = [one for one in error_rows(found) if copy[:12] in (one["image"], one["beside"])]
    assert sorted(row["labels"].split(" / ")) == sorted([YES, NO])
    assert f"polydata label set {row['beside']} " in finding.fix
    assert "unsure" in finding.fix and "not_a_micrograph" not in finding.fix  # it is a micrograph
