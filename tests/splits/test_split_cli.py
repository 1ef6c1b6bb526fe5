"""The commands as a user types them."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from split_corpus import Corpus
from typer.testing import CliRunner, Result
from workspaces import every_file

from polydata.catalogue.session import open_session
from polydata.cli import app
from polydata.workspace import SETTINGS, Workspace


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    workspace = Workspace.init(tmp_path)
    with open_session(workspace) as session:
        corpus = Corpus(session)
        corpus.standard()
        corpus.paper("x")
        corpus.image("x", 777, record=["compatible", "incompatible"])
    return workspace


def polydata(place: Workspace, *words: str) -> Result:
    return CliRunner().invoke(app, ["--workspace", str(place.root), *words])


def test_build_list_show_verify(place: Workspace) -> None:
    built = polydata(place, "build-split", "v1", "--folds", "3")
    assert built.exit_code == 0, built.output
    assert "is new" in built.output and "polymodel train v1" in built.output
    assert "Left out" in built.stderr and "record=incompatible" in built.stderr
    again = polydata(place, "build-split", "v1", "--folds", "3")
    assert again.exit_code == 0 and "unchanged" in again.output
    listed = json.loads(polydata(place, "split", "list", "--json").stdout)
    assert [(r["name"], r["state"], r["partitions"]) for r in listed] == [("v1", "clean", "3 folds x 1")]
    shown = json.loads(polydata(place, "split", "show", "v1", "--json").stdout)
    assert shown["digest"] == listed[0]["digest"]
    assert shown["digest"][:16] in polydata(place, "split", "show", "v1").output
    verified = polydata(place, "split", "verify", "v1")
    assert (verified.exit_code, verified.output) == (0, "The split v1 is what was built.\n")


def test_thin_folds_are_told_how_many_would_not_be(place: Workspace) -> None:
    said = polydata(place, "build-split", "many", "--folds", "10").stderr
    assert "Thin" in said
    most = int(re.findall(r"no side is thin with --folds (\d+)", said)[0])
    assert 1 < most < 10
    assert "Thin" not in polydata(place, "build-split", "most", "--folds", str(most)).stderr
    assert "Thin" in polydata(place, "build-split", "more", "--folds", str(most + 1)).stderr
    assert "--folds" not in polydata(place, "build-split", "few", "--folds", "2").stderr


def test_build_as_json(place: Workspace) -> None:
    result = polydata(place, "build-split", "v1", "--seed", "3", "--test-fraction", "0.3", "--json")
    manifest = json.loads(result.stdout)
    assert manifest["new"] and manifest["recipe"]["seed"] == 3 and manifest["recipe"]["test_fraction"] == 0.3
    assert manifest["counts"]["excluded"] == {"contradictory labels": 1}


def test_refusals_have_their_exit_codes(place: Workspace) -> None:
    assert polydata(place, "build-split", "v1").exit_code == 0
    other = polydata(place, "build-split", "v1", "--seed", "1")
    assert (other.exit_code, other.exception.__class__) == (7, SystemExit)
    assert "another split v1" in other.stderr and "another name" in other.stderr
    for words in (["../v"], ["v2", "--partial", "magic"], ["v2", "--folds", "1"], ["v2", "--seed", "x"]):
        result = polydata(place, "build-split", *words)
        assert result.exit_code == 2 and "Traceback" not in result.output
    assert polydata(place, "split", "show", "nothing").exit_code == 1


@pytest.mark.parametrize("name", ["split.json", "test.csv"])
def test_a_changed_byte_is_named(place: Workspace, name: str) -> None:
    polydata(place, "build-split", "v1")
    path = place.splits / "v1" / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    result = polydata(place, "split", "verify", "v1")
    assert result.exit_code == 7 and f"{name} was changed" in result.stderr
    answer = json.loads(polydata(place, "split", "verify", "v1", "--json").stdout)
    assert answer == {"name": "v1", "unchanged": False, "faults": [f"{name} was changed"]}
    listed = json.loads(polydata(place, "split", "list", "--json").stdout)
    assert ("was changed" in listed[0]["state"]) == (name == "split.json")
    assert polydata(place, "split", "show", "v1").exit_code == 7


def test_a_changed_image_is_named(place: Workspace) -> None:
    polydata(place, "build-split", "v1")
    image = next(place.store.glob("*/*.png"))
    image.write_bytes(image.read_bytes() + b"\n")
    result = polydata(place, "split", "verify", "v1")
    assert result.exit_code == 7 and image.name in result.stderr


def test_what_cannot_be_read_is_named(place: Workspace) -> None:
    polydata(place, "build-split", "v1")
    image = next(place.store.glob("*/*.png"))
    for path, name in ((place.splits / "v1" / "train.csv", "train.csv"), (image, image.name)):
        kept = path.read_bytes()
        path.unlink()
        path.symlink_to(path)  # no user can read it, root neither
        result = polydata(place, "split", "verify", "v1")
        assert result.exit_code == 7 and "cannot be read" in result.stderr and name in result.stderr
        path.unlink()
        path.write_bytes(kept)
    assert polydata(place, "split", "verify", "v1").exit_code == 0


def test_bytes_that_are_no_text_are_refused(place: Workspace) -> None:
    for words in (["--where", "journal = '\udcff'"], ["--protocol", "random", "--allow-leakage", "bad \udcff"]):
        result = polydata(place, "build-split", "v1", *words)
        assert result.exit_code == 2 and "no text" in result.stderr, result.output
    assert not (place.splits / "v1").exists()


def test_another_reason_for_the_same_leak_is_refused(place: Workspace) -> None:
    words = ["build-split", "v1", "--protocol", "random", "--allow-leakage"]
    assert polydata(place, *words, "to compare").exit_code == 0
    assert polydata(place, *words, "to compare").exit_code == 0
    other = polydata(place, *words, "for fun")
    assert other.exit_code == 7 and "to compare" in other.stderr


@pytest.mark.parametrize("folds", [["--folds", "3"], ["--protocol", "leave-one-paper-out"]])
def test_folds_and_a_test_fraction_contradict_each_other(place: Workspace, folds: list[str]) -> None:
    result = polydata(place, "build-split", "v1", *folds, "--test-fraction", "0.3")
    assert result.exit_code == 2 and "--test-fraction" in result.stderr


def test_a_single_partition_is_compared_with_every_fold(place: Workspace) -> None:
    for name, words in (("one", []), ("cv", ["--folds", "3"]), ("cv4", ["--folds", "4"])):
        assert polydata(place, "build-split", name, *words).exit_code == 0
    for pair, folds, of in ((("cv", "one"), {1, 2, 3}, {1}), (("one", "cv"), {1}, {1, 2, 3})):
        found = json.loads(polydata(place, "split", "diff", *pair, "--json").stdout)
        assert ({r["fold"] for r in found["folds"]}, {r["of"] for r in found["folds"]}) == (folds, of)
        assert found["uncompared"] == 0
    assert "in another group" in polydata(place, "split", "diff", "one", "cv").stdout
    found = json.loads(polydata(place, "split", "diff", "cv", "cv4", "--json").stdout)
    assert [(r["fold"], r["of"]) for r in found["folds"][::2]] == [(1, 1), (2, 2), (3, 3)]
    assert found["uncompared"] == 1


def test_images_behind_an_address_come_back_to_be_verified(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    workspace = Workspace.init(tmp_path / "w")
    settings = workspace.root / SETTINGS
    settings.write_text(f'[store]\nurl = "{(tmp_path / "bucket").as_uri()}"\n')
    workspace = Workspace.find(workspace.root)
    with open_session(workspace) as session:
        Corpus(session).standard()
    assert polydata(workspace, "build-split", "v1").exit_code == 0
    for words in (("split", "verify", "v1"), ("augment", "v1")):
        shutil.rmtree(workspace.store, ignore_errors=True)
        result = polydata(workspace, *words)
        assert result.exit_code == 0, result.output


def test_an_empty_workspace(tmp_path: Path) -> None:
    place = Workspace.init(tmp_path)
    assert "No split yet" in polydata(place, "split", "list").output
    result = polydata(place, "build-split", "v1")
    assert result.exit_code == 1 and "Label images" in result.stderr


def test_a_split_is_removed_when_somebody_says_so(place: Workspace) -> None:
    assert polydata(place, "build-split", "v1").exit_code == 0
    assert polydata(place, "build-split", "v2", "--folds", "3").exit_code == 0
    split = json.loads((place.splits / "v1/split.json").read_text())
    run = place.runs / "first"
    run.mkdir()
    (run / "run.json").write_text(json.dumps({"split": {"name": "v1", "digest": split["digest"]}}))
    assert "run first  " in polydata(place, "split", "lineage", "v1").output
    before = every_file(place.splits)
    refused = polydata(place, "split", "remove", "v1")
    assert refused.exit_code == 7 and "The runs first were trained on it" in refused.stderr
    assert "polydata split remove v1 --yes" in refused.stderr
    assert every_file(place.splits) == before
    (place.splits / "v1/train.csv").unlink()  # a damaged one goes too
    gone = polydata(place, "split", "remove", "v1", "--yes", "--json")
    assert json.loads(gone.stdout)["runs"] == ["first"]
    assert every_file(place.splits) == {name: what for name, what in before.items() if name.startswith("v2")}
    assert [row["name"] for row in json.loads(polydata(place, "split", "list", "--json").stdout)] == ["v2"]
    assert run.is_dir()
    assert polydata(place, "build-split", "v1", "--seed", "1").exit_code == 0  # the name is free again
    assert polydata(place, "split", "remove", "v2", "--yes").exit_code == 0
    assert polydata(place, "split", "remove", "v2", "--yes").exit_code == 1
    (place.splits / "v2").mkdir()  # as one is left that was stopped before its end
    assert polydata(place, "split", "remove", "v2", "--yes").exit_code == 0 and not (place.splits / "v2").exists()
    assert polydata(place, "split", "verify", "v1").exit_code == 0


@given(st.text("abcdefgz._-0", min_size=1, max_size=12).filter(lambda name: name not in (".", "..")))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example("train.csv.bak")
@example("notes")
def test_a_split_with_files_of_others_stays(place: Workspace, name: str) -> None:
    polydata(place, "build-split", "v1")
    mine = place.splits / "v1" / name
    mine.write_text("mine")
    before = every_file(place.splits)
    refused = polydata(place, "split", "remove", "v1", "--yes")
    assert refused.exit_code == 7 and "holds other files" in refused.stderr
    assert every_file(place.splits) == before
    mine.unlink()
