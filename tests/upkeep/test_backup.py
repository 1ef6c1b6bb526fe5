"""A workspace kept in one file and brought back, and held against its store."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from commands import run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from workspaces import stored

from polydata.catalogue import connect
from polydata.catalogue.connect import Catalogue, migrations
from polydata.catalogue.session import open_session
from polydata.errors import CatalogueError, InputError, RefusedError
from polydata.upkeep.backup import backup, restore
from polydata.upkeep.check import check
from polydata.workspace import RECORD_COLUMNS, RECORD_WORDS


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Path:
    """A workspace with a word of a person in it."""
    place = shutil.copytree(made / "here", tmp_path / "here")
    run("polydata", "label", "set", _images(place)[0], "compatible", "--reason", "seen", workspace=place)
    return place


def _images(workspace: Path) -> list[str]:
    with open_session(workspace, read_only=True) as session:
        return session.catalogue.column("SELECT sha256 FROM images ORDER BY 1")


def _fingerprint(workspace: Path) -> str:
    with open_session(workspace, read_only=True) as session:
        return session.catalogue.fingerprint()


def _kept(workspace: Path, file: Path | None = None, **more: Any) -> Path:
    with open_session(workspace) as session:
        return backup(session, file, **more).file


def test_a_backup_with_images_is_the_whole_workspace(workspace: Path, tmp_path: Path) -> None:
    before = _fingerprint(workspace)
    said = json.loads(run("polydata", "backup", tmp_path / "all.zip", "--images", "--json", workspace=workspace).stdout)
    assert said["fingerprint"] == before
    done = json.loads(run("polydata", "restore", tmp_path / "all.zip", "--json", workspace=tmp_path / "new").stdout)
    assert (done["images_missing"], done["before"], done["kept"]) == (0, None, [])
    assert _fingerprint(tmp_path / "new") == before
    assert stored(tmp_path / "new") == stored(workspace)
    run("polydata", "check", workspace=tmp_path / "new")


def test_without_images_they_are_known_by_hash_and_come_back_from_their_papers(workspace: Path, tmp_path: Path) -> None:
    kept = _kept(workspace)
    assert kept.parent == workspace / "backups"
    done = run("polydata", "restore", kept, workspace=tmp_path / "new", expect=3)
    assert "4 images of the catalogue are not in the store" in done.stderr
    run("polydata", "check", workspace=tmp_path / "new", expect=3)
    run("polydata", "check", "--repair", workspace=tmp_path / "new")
    assert stored(tmp_path / "new") == stored(workspace)
    assert _fingerprint(tmp_path / "new") == _fingerprint(workspace)


def test_what_was_there_is_kept_beside(workspace: Path) -> None:
    kept, before = _kept(workspace), _fingerprint(workspace)
    run("polydata", "label", "undo", workspace=workspace)
    assert _fingerprint(workspace) != before
    changed = _fingerprint(workspace)
    moved = restore(workspace, kept).before
    assert _fingerprint(workspace) == before
    assert moved is not None
    assert restore(workspace, moved).before is not None
    assert _fingerprint(workspace) == changed


def _later(workspace: Path, made: Path) -> tuple[Path, set[str]]:
    """A backup of a workspace that got another paper and a split since, and the images of that paper."""
    kept, before = _kept(workspace), set(_images(workspace))
    run("polydata", "extract", made / "pdfs" / "objects.pdf", workspace=workspace)
    later = _images(workspace)
    for image, word in zip(later, 9 * ["compatible", "incompatible"], strict=False):
        run("polydata", "label", "set", image, word, "--reason", "seen", workspace=workspace)
    run("polydata", "build-split", "since", "--no-crops", "--folds", "0", workspace=workspace)
    assert _faults(workspace) == [] and set(later) > before
    return kept, set(later) - before


def test_what_came_since_a_backup_lies_beside_its_catalogue_and_returns_with_it(workspace: Path, made: Path) -> None:
    kept, came = _later(workspace, made)
    there, changed = stored(workspace), _fingerprint(workspace)
    done = json.loads(run("polydata", "restore", kept, "--json", workspace=workspace).stdout)
    assert _faults(workspace) == []
    aside = Path(done["aside"])
    assert aside == Path(done["before"]).with_suffix("")
    assert {path.stem for path in aside.glob("*.*")} == came
    assert (aside / "splits" / "since" / "split.json").is_file() and not list((workspace / "splits").iterdir())
    back = restore(workspace, Path(done["before"]))
    assert (back.images, back.aside, back.images_missing) == (len(came), None, 0)
    assert _faults(workspace) == []
    assert (stored(workspace), _fingerprint(workspace)) == (there, changed)


@pytest.mark.parametrize("move", [1, 2, 3])
def test_killed_as_it_sets_aside_it_is_completed_by_the_same_command(
    workspace: Path, made: Path, monkeypatch: pytest.MonkeyPatch, move: int
) -> None:
    kept, came = _later(workspace, made)
    there, changed, moved, moves = stored(workspace), _fingerprint(workspace), shutil.move, [0]

    def killed(*paths: Path) -> object:
        moves[0] += 1
        if moves[0] == move:
            raise KeyboardInterrupt
        return moved(*paths)

    monkeypatch.setattr(shutil, "move", killed)
    with pytest.raises(KeyboardInterrupt):
        restore(workspace, kept)
    monkeypatch.undo()
    (first,) = (workspace / "backups").glob("before-restore-*.duckdb")
    restore(workspace, kept)
    assert _faults(workspace) == []
    assert restore(workspace, first).images == len(came)
    assert _faults(workspace) == []
    assert (stored(workspace), _fingerprint(workspace)) == (there, changed)


def test_killed_as_it_restores_the_workspace_has_a_catalogue(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without one the next command would make an empty one."""
    kept, move = _kept(workspace), Path.replace
    run("polydata", "label", "undo", workspace=workspace)
    changed = _fingerprint(workspace)

    def killed(path: Path, target: Path) -> Path:
        if target == workspace.resolve() / "catalog.duckdb":
            raise KeyboardInterrupt
        return move(path, target)

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        restore(workspace, kept)
    monkeypatch.undo()
    assert (workspace / "catalog.duckdb").is_file() and _fingerprint(workspace) == changed


@pytest.mark.parametrize("links", [True, False])
def test_a_log_of_a_damaged_catalogue_is_kept_with_it(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    kept, before = _kept(workspace), _fingerprint(workspace)
    for name in ("catalog.duckdb", "catalog.duckdb.wal"):
        (workspace / name).write_bytes(b"damaged")
    if not links:
        monkeypatch.setattr(Path, "hardlink_to", lambda *_: (_ for _ in ()).throw(OSError()))
    moved = restore(workspace, kept).before
    assert moved is not None
    assert (moved.read_bytes(), moved.with_name(f"{moved.name}.wal").read_bytes()) == (b"damaged", b"damaged")
    assert _fingerprint(workspace) == before


def test_a_backup_takes_no_others_place(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "other.zip").write_bytes(b"mine")
    with open_session(workspace) as session, pytest.raises(RefusedError, match="is there already"):
        backup(session, tmp_path / "other.zip")
    assert (tmp_path / "other.zip").read_bytes() == b"mine"


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "changed", "cut header"])
def test_a_damaged_catalogue_names_the_newest_backup(workspace: Path, damage: str) -> None:
    _kept(workspace)
    newest, before = _kept(workspace), _fingerprint(workspace)
    path = workspace / "catalog.duckdb"
    data = path.read_bytes()
    path.write_bytes({
        "empty": b"\0" * 100, "text": b"no catalogue", "cut": data[: len(data) // 2],
        "changed": data[:64] + bytes(len(data) - 64), "cut header": data[:5000],
    }[damage])  # fmt: skip
    said = run("polydata", "status", workspace=workspace, expect=5).stderr
    assert f"polydata restore {newest}" in said
    run("polydata", "restore", newest, workspace=workspace)
    assert _fingerprint(workspace) == before


def test_each_migration_leaves_a_copy_and_three_are_kept(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, known = _fingerprint(workspace), migrations()
    for number in range(901, 906):
        known.append((number, f"{number}_more.sql", f"CREATE TABLE more_{number} (a INTEGER)"))
        monkeypatch.setattr(connect, "migrations", lambda: list(known))
        Catalogue.open(workspace / "catalog.duckdb").close()
    copies = sorted((workspace / "backups").glob("before-schema-*.duckdb"))
    assert [copy.name.split("-")[2] for copy in copies] == ["903", "904", "905"]
    restore(workspace, copies[-1])
    assert _fingerprint(workspace) == before


def test_a_new_catalogue_needs_no_copy(tmp_path: Path) -> None:
    run("polydata", "init", tmp_path / "new")
    assert not (tmp_path / "new" / "backups").exists()


def test_a_catalogue_that_is_in_use_is_not_replaced(workspace: Path) -> None:
    kept = _kept(workspace)
    holder = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('held', flush=True); time.sleep(60)"
    import subprocess
    import sys

    with subprocess.Popen(
        [sys.executable, "-c", holder, str(workspace / "catalog.duckdb")], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        try:
            with pytest.raises(CatalogueError, match="in use"):
                restore(workspace, kept)
        finally:
            process.kill()
    assert not list((workspace / "backups").glob("before-restore*"))


@pytest.mark.parametrize(
    "name", ["../outside.toml", "/tmp/outside.toml", "splits/../../outside", "run.sh", "store/ab/x.png", "a\\b.toml"]
)
def test_a_backup_that_names_other_places_is_refused(tmp_path: Path, workspace: Path, name: str) -> None:
    kept = _kept(workspace, tmp_path / "good.zip")
    with zipfile.ZipFile(kept) as good, zipfile.ZipFile(tmp_path / "bad.zip", "w") as bad:
        contents = json.loads(good.read("backup.json"))
        for member in good.namelist():
            if member != "backup.json":
                bad.writestr(member, good.read(member))
        bad.writestr(name, b"x")
        contents["files"][name] = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
        bad.writestr("backup.json", json.dumps(contents))
    with pytest.raises(InputError, match="names a file"):
        restore(tmp_path / "new" / "deep", tmp_path / "bad.zip")
    assert not list(tmp_path.rglob("outside*"))
    assert not (tmp_path / "new" / "deep" / "catalog.duckdb").exists()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_backup_with_other_bytes_is_refused_or_restores_all(tmp_path: Path, made: Path, data: st.DataObject) -> None:
    kept = tmp_path / "kept.zip"
    if not kept.exists():
        _kept(shutil.copytree(made / "here", tmp_path / "here"), kept)
    whole = kept.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    harm = data.draw(st.sampled_from(["cut", "flip", "zero"]))
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes({
        "cut": whole[:at],
        "flip": whole[:at] + bytes([whole[at] ^ (1 << data.draw(st.integers(0, 7)))]) + whole[at + 1 :],
        "zero": whole[:at] + bytes(min(300, len(whole) - at)) + whole[at + 300 :],
    }[harm])  # fmt: skip
    target = tmp_path / "target"
    shutil.rmtree(target, ignore_errors=True)
    try:
        restore(target, damaged)
    except InputError:
        assert not (target / "catalog.duckdb").exists()
    else:
        assert _fingerprint(target) == _fingerprint(tmp_path / "here")


def _faults(workspace: Path, *, repair: bool = False) -> list[tuple[str, bool]]:
    with open_session(workspace, read_only=not repair) as session:
        return [(fault.what, bool(fault.mended)) for fault in check(session, repair=repair)]


def test_check_finds_what_does_not_fit_and_mends_it(workspace: Path) -> None:
    before, there = _fingerprint(workspace), stored(workspace)
    first, second, third, *_ = sorted((workspace / "store").rglob("*.png"))
    first.unlink()
    second.write_bytes(second.read_bytes()[:-20])
    (third.parent / f"{'0' * 64}.png").write_bytes(b"nobody's")
    (workspace / "store" / ".abc.part").write_bytes(b"half")
    with open_session(workspace) as session:
        session.catalogue.run("INSERT INTO links VALUES ('panel of nobody', 'record of nobody', 'doi', 1.0)")
    kinds = ["row", "row", "half-written file", "missing image", "damaged image", "orphan"]
    assert sorted(_faults(workspace)) == sorted((kind, False) for kind in kinds)
    # A row that is struck out for one owner is not there to miss the other.
    assert sorted(_faults(workspace, repair=True)) == sorted((kind, True) for kind in kinds[1:])
    assert _faults(workspace) == []
    assert stored(workspace) == there
    assert _fingerprint(workspace) == before


def test_half_written_folders_are_found_and_what_one_had_moved_aside_returns(workspace: Path) -> None:
    (workspace / ".restore-abcdefgh.part" / "splits").mkdir(parents=True)
    (workspace / ".restore-abcdefgh.part" / ".half.part").touch()
    moved = workspace / "exports" / ".v1-coco.abcdefgh.part"
    for name in ("new", "old"):
        (moved / name).mkdir(parents=True)
        (moved / name / "mark").write_text(name)
    assert _faults(workspace) == 2 * [("half-written file", False)]
    assert _faults(workspace, repair=True) == 2 * [("half-written file", True)]
    assert _faults(workspace) == []
    assert (workspace / "exports" / "v1-coco" / "mark").read_text() == "old"


def test_check_names_what_it_cannot_mend(workspace: Path, made: Path, tmp_path: Path) -> None:
    with open_session(workspace) as session:
        session.catalogue.run("UPDATE papers SET path = ?", [str(tmp_path / "gone.pdf")])
    next(iter((workspace / "store").rglob("*.png"))).unlink()
    assert _faults(workspace, repair=True) == [("missing image", False)]
    run("polydata", "check", "--repair", workspace=workspace, expect=3)


def test_words_of_people_that_wait_are_no_fault(workspace: Path) -> None:
    with open_session(workspace, read_only=True) as session:
        papers = session.catalogue.column("SELECT paper_id FROM papers")
    run("polydata", "remove", "paper", *papers, "--yes", workspace=workspace)
    assert _faults(workspace) == []
    with open_session(workspace, read_only=True) as session:
        assert session.catalogue.value("SELECT count(*) FROM label_decisions") == 1


def test_what_was_said_of_tables_comes_along(workspace: Path, tmp_path: Path) -> None:
    for name in (RECORD_WORDS, RECORD_COLUMNS):
        (workspace / name).write_text("# said once\n")
    run("polydata", "restore", _kept(workspace), workspace=tmp_path / "new", expect=3)
    assert [(tmp_path / "new" / name).read_text() for name in (RECORD_WORDS, RECORD_COLUMNS)] == ["# said once\n"] * 2
