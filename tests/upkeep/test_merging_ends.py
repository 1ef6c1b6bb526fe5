"""Merges that cannot begin or are cut short: nothing is lost, and the same command goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from commands import run
from merging_scene import api, catalogue, fingerprint, papers_named
from workspaces import every_file, stored

from polydata.catalogue.connect import Catalogue
from polydata.errors import PolydataError


def test_catalogues_of_other_schemas_are_refused_unchanged(pair: tuple[Path, Path]) -> None:
    here, there = pair
    with catalogue(there) as opened:
        newest = opened.value("SELECT max(number) FROM applied_migrations")
        opened.run("INSERT INTO applied_migrations VALUES (?, 'later.sql', '-')", [newest + 1])
    before = every_file(there)
    assert "Update polydata" in run("polydata", "merge", there, workspace=here, expect=5).stderr
    assert every_file(there) == before
    with Catalogue.open(here / "catalog.duckdb") as opened:  # the other one cannot be opened any more
        opened.run("INSERT INTO applied_migrations VALUES (?, 'later.sql', '-')", [newest + 1])


def test_a_catalogue_of_an_older_schema_is_named_with_the_way_out(pair: tuple[Path, Path]) -> None:
    here, there = pair
    with catalogue(there) as opened:
        opened.run("DELETE FROM applied_migrations WHERE number = (SELECT max(number) FROM applied_migrations)")
    said = run("polydata", "merge", there, workspace=here, expect=5).stderr
    assert "older schema" in said and f"polydata status --workspace {there}" in said


def test_a_catalogue_that_is_being_written_is_waited_for(pair: tuple[Path, Path]) -> None:
    here, there = pair
    holder = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('-', flush=True); time.sleep(99)"
    command = [sys.executable, "-c", holder, there / "catalog.duckdb"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout and process.stdout.readline()
        said = run("polydata", "merge", there, workspace=here, expect=5).stderr
        process.kill()
    assert "in use by process" in said


KILLED = """
import os, signal, sys
from pathlib import Path
from polydata.upkeep import merge as merging
from polydata.catalogue.session import open_session
from polydata.workspace import Workspace

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

here, there, moment = sys.argv[1:]
copied = []
def advance(step, done, total):
    if done:
        copied.append(1)
    if moment == "copying" and len(copied) == 2:
        die()
if moment == "writing":
    merging.merging.merge_annotations = die
if moment == "after writing":
    merging.tie_supplements = die
place = Workspace.open(Path(here))
with open_session(place) as session:
    merging.merge(session, Workspace.open(Path(there)), advance)
"""


@pytest.mark.parametrize("moment", ["copying", "writing", "after writing"])
def test_killed_and_run_again_it_ends_the_same(pair: tuple[Path, Path], made: Path, moment: str) -> None:
    here, there = pair
    before, other = fingerprint(here), every_file(there)
    ended = subprocess.run([sys.executable, "-c", KILLED, here, there, moment], check=False)
    assert ended.returncode == -signal.SIGKILL
    if moment != "after writing":
        assert fingerprint(here) == before
    run("polydata", "merge", there, workspace=here)
    assert fingerprint(here) == fingerprint(made / "both")
    assert stored(here) == stored(made / "both")
    assert every_file(there) == other


def test_a_store_that_cannot_be_written_ends_the_merge_before_the_catalogue(
    pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = pair
    before = fingerprint(here)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("polydata.images.picture.ImageStore.keep", full)
    with pytest.raises(PolydataError, match="No space left") as caught:
        api(here, there)
    assert "again" in caught.value.hint
    assert fingerprint(here) == before


def test_images_behind_an_address_are_read_without_being_fetched(pair: tuple[Path, Path], tmp_path: Path) -> None:
    here, there = pair
    bucket = tmp_path / "bucket"
    (there / "store").rename(bucket)
    (there / "store").mkdir()
    (there / "polydata.toml").write_text(f'[store]\nurl = "file://{bucket}"\n', encoding="utf-8")
    assert api(here, there).images == 4
    assert not stored(there)

    (here / "polydata.toml").write_text(f'[store]\nurl = "file://{bucket}"\n', encoding="utf-8")
    run("polydata", "remove", "paper", *papers_named(here, "objects"), "--yes", workspace=here)
    assert (api(here, there).images, len(papers_named(here, "objects"))) == (0, 1)  # they share one store
