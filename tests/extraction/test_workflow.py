"""``polydata extract --retry``: files that failed are read again, and those that are gone are named."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from commands import run, run_json
from make_pdf import LAYOUTS, encrypted
from make_scan import Look, scan
from typer.testing import CliRunner

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.session import open_session
from polydata.cli import app
from polydata.extraction import workflow
from polydata.extraction.paper import extract_paper
from polydata.files.find import path_from_text
from polydata.images.picture import ImageStore
from polydata.types import Paper, PaperMeta
from polydata.workspace import ExtractSettings, Workspace


@dataclass(frozen=True)
class Scene:
    """Two broken files in folders of their own, one that is locked, and a good one."""

    workspace: Path
    one: Path
    two: Path
    locked: Path
    good: Path

    def extract(self, *words: object, expect: int = 0) -> Any:
        return run_json("polydata", "extract", *words, workspace=self.workspace, expect=expect)

    def failures(self) -> dict[str, str]:
        rows = run_json("polydata", "list", "failures", workspace=self.workspace)
        return {Path(row["path"]).name: row["reason"] for row in rows}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    place = tmp_path_factory.mktemp("scene") / "now"
    found = Scene(place / "w", *(place / name for name in ("1/one.pdf", "2/two.pdf", "2/locked.pdf", "good.pdf")))
    for path in (found.one, found.two):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"%PDF-1.7\n" + path.name.encode())
    encrypted(found.locked, user_password="secret")
    LAYOUTS["below"](found.good)
    run("polydata", "init", found.workspace)
    said = run("polydata", "extract", place, workspace=found.workspace, expect=3).stderr
    assert "polydata list failures" in said and "polydata extract --retry failed" in said
    assert found.failures() == {"one.pdf": "broken", "two.pdf": "broken", "locked.pdf": "encrypted"}
    shutil.copytree(place, place.with_name("made"))
    return found


@pytest.fixture
def scene(made: Scene) -> Scene:
    """At one place for all tests, since a catalogue knows where its files lie."""
    place = made.workspace.parent
    shutil.rmtree(place)
    shutil.copytree(place.with_name("made"), place)
    return made


def test_exactly_the_failed_files_are_read_again(scene: Scene) -> None:
    LAYOUTS["above"](scene.one)
    done = scene.extract("--retry", "failed", expect=3)
    assert (done["read now"], done["read before"], done["failures"], done["gone"]) == (1, 0, 2, [])
    assert scene.failures() == {"two.pdf": "broken", "locked.pdf": "encrypted"}


def test_by_reason_and_among_the_files_named(scene: Scene) -> None:
    assert [Path(f["path"]).name for f in scene.extract("--retry", "encrypted", expect=3)["failed"]] == ["locked.pdf"]
    names = [Path(f["path"]).name for f in scene.extract(scene.two.parent, "--retry", "failed", expect=3)["failed"]]
    assert names == ["locked.pdf", "two.pdf"]
    assert not any(scene.extract(scene.good, "--retry", "failed").values())
    said = run("polydata", "extract", "--retry", "sadness", workspace=scene.workspace, expect=2).stderr
    assert "too-slow" in said


def test_pages_that_were_not_read_are_told_and_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, path = tmp_path / "w", tmp_path / "scan.pdf"
    LAYOUTS["below"](tmp_path / "plain.pdf")
    scan(tmp_path / "plain.pdf", path, Look())
    run("polydata", "init", workspace)
    hasty = ExtractSettings(seconds_per_file=1e-6)

    def read(paths: list[Path], store: ImageStore, *_: object) -> Iterator[tuple[Path, Paper]]:
        yield from ((one, extract_paper(one, store, hasty)) for one in paths)

    with monkeypatch.context() as patch:
        patch.setattr(workflow, "_read", read)
        said = CliRunner().invoke(app, ["extract", str(path), "--workspace", str(workspace)])
    assert said.exit_code == 3
    assert f"Not read: {path}: page 1" in said.stderr and "--retry page-not-read" in said.stderr
    with open_session(workspace) as session:
        assert workflow.extract(session, [path]).skipped == 1
        done = workflow.extract(session, retry=workflow.UNREAD)
        assert (done.done, done.unread, done.counts["figures"]) == (1, (), 2)
        assert workflow.extract(session, retry=workflow.UNREAD).done == 0


def test_without_anything_that_failed_there_is_nothing_to_do(scene: Scene) -> None:
    assert scene.extract("--retry", "too-slow")["read now"] == 0


def test_files_that_are_gone_are_named_until_they_are_forgotten(scene: Scene) -> None:
    for path in (scene.one, scene.two):
        path.unlink()
    scene.locked.unlink()
    LAYOUTS["above"](scene.locked)
    result = run("polydata", "extract", "--retry", "failed", "--json", workspace=scene.workspace, expect=3)
    done = json.loads(result.stdout)
    assert (done["read now"], done["failures"], done["gone"]) == (1, 0, [str(scene.one), str(scene.two)])
    assert f"Gone: {scene.one}" in result.stderr and "polydata remove failures" in result.stderr
    named = scene.extract(scene.two.parent, "--retry", "failed", expect=3)
    assert named["gone"] == [str(scene.two)]
    forgotten = run_json("polydata", "remove", "failures", workspace=scene.workspace)
    assert forgotten == [str(scene.one), str(scene.two)]
    assert scene.extract("--retry", "failed")["gone"] == []


def test_forgetting_leaves_failures_of_files_that_are_there(scene: Scene) -> None:
    assert run_json("polydata", "remove", "failures", workspace=scene.workspace) == []
    assert len(scene.failures()) == 3


def test_no_file_and_no_retry_is_explained(scene: Scene) -> None:
    said = run("polydata", "extract", workspace=scene.workspace, expect=2).stderr
    assert "polydata extract --retry failed" in said


def test_a_paper_whose_second_reading_failed_is_read_when_it_is_named_again(scene: Scene) -> None:
    """Its first reading stays in the catalogue, which must not pass for success."""
    with Catalogue.open(scene.workspace / "catalog.duckdb") as catalogue:
        sha256 = catalogue.value("SELECT sha256 FROM papers")
        failure = {"path": str(scene.good), "sha256": sha256, "reason": "too-slow", "detail": "-"}
        catalogue.upsert("failures", [failure])
    assert scene.extract(scene.good)["read now"] == 1
    assert "good.pdf" not in scene.failures()
    with Catalogue.open(scene.workspace / "catalog.duckdb") as catalogue:
        catalogue.upsert("failures", [failure])
    assert scene.extract("--retry", "too-slow")["read now"] == 1
    assert scene.extract(scene.good)["read before"] == 1


def test_a_file_whose_name_is_no_utf8_is_read_and_found_again(tmp_path: Path) -> None:
    folder, workspace = tmp_path / "papers", tmp_path / "w"
    good, broken = folder / os.fsdecode(b"caf\xe9.pdf"), folder / os.fsdecode(b"br\xff.pdf")
    folder.mkdir()
    LAYOUTS["below"](tmp_path / "a.pdf")
    (tmp_path / "a.pdf").rename(good)
    broken.write_bytes(b"%PDF-1.7")
    run("polydata", "init", workspace)
    run("polydata", "extract", folder, workspace=workspace, expect=3)
    (failed,) = run_json("polydata", "list", "failures", workspace=workspace)
    assert (failed["file"], failed["reason"], path_from_text(failed["path"])) == ("there", "broken", broken)
    assert run_json("polydata", "remove", "failures", workspace=workspace) == []
    again = run("polydata", "extract", "--retry", "failed", workspace=workspace, expect=3)
    assert "there no more" not in again.stderr
    (paper,) = run_json("polydata", "list", "papers", workspace=workspace)
    assert (paper["file"], paper["figures"]) == ("caf_.pdf", 2)
    broken.unlink()
    assert run_json("polydata", "list", "failures", workspace=workspace)[0]["file"] == "gone"
    with open_session(Workspace.open(workspace)) as session:
        (figure,) = session.catalogue.column("SELECT figure_id FROM figures ORDER BY page, y0 LIMIT 1")
        assert path_from_text(session.catalogue.value("SELECT path FROM papers")) == good
    run("polydata", "edit", "figure", figure, "--label", "Figure 7", workspace=workspace)
    (edit,) = run_json("polydata", "list", "edits", workspace=workspace)
    run("polydata", "edit", "undo", edit["edit_id"], workspace=workspace)  # which reads the PDF anew
    assert run("polydata", "check", workspace=workspace).returncode == 0


def test_what_macos_writes_beside_a_file_is_skipped_and_listed(tmp_path: Path) -> None:
    folder, workspace = tmp_path / "papers", tmp_path / "w"
    folder.mkdir()
    LAYOUTS["below"](folder / "a.pdf")
    (folder / "._a.pdf").write_bytes(b"\0\5\x16\7")
    run("polydata", "init", workspace)
    said = run("polydata", "extract", folder, workspace=workspace)
    assert f"Skipped: {folder / '._a.pdf'}" in said.stderr
    assert run_json("polydata", "extract", folder, workspace=workspace)["skipped"] == [str(folder / "._a.pdf")]


def test_papers_that_come_at_once_are_written_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first at once, then as many as may be held; one that may be another but for its bytes follows that one."""
    clock = [0.0]
    monkeypatch.setattr(workflow.time, "monotonic", lambda: clock[0])

    def paper(words: str) -> Paper:
        return Paper(words, f"{words}.pdf", 1, PaperMeta(first_page_text=words.strip("'")), (), ())

    def batches(names: list[str]) -> list[list[str]]:
        results = [(Path(name), paper(name)) for name in names]
        return [[str(path) for path, _ in batch] for batch in workflow._together(iter(results))]

    many = [str(number) for number in range(workflow.TOGETHER + 3)]
    assert batches(many) == [many[:1], many[1:-2], many[-2:]]
    assert batches(["a", "b", "c", "c'", "d"]) == [["a"], ["b", "c"], ["c'", "d"]]

    def slowly() -> Iterator[tuple[Path, Paper]]:
        for name in "abcd":
            clock[0] += 0.6 * workflow.HELD_S
            yield Path(name), paper(name)

    assert [[str(path) for path, _ in batch] for batch in workflow._together(slowly())] == [["a"], ["b", "c"], ["d"]]
