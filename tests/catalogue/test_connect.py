from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polydata.catalogue.connect import CONTENT_TABLES, KEPT_MB, LATER_TABLES, Catalogue, migrations
from polydata.catalogue.session import open_session
from polydata.choices import WAIT
from polydata.errors import CatalogueError, UsageError
from polydata.ids import is_text
from polydata.workspace import SETTINGS, Workspace

IMAGE = {"phash": "0" * 16, "width": 1, "height": 1, "format": "PNG", "mode": "L", "alpha_only": False, "size_bytes": 1}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "catalog.duckdb"


def test_migrations_are_applied_once_and_noted(path: Path) -> None:
    for _ in range(2):
        with Catalogue.open(path) as catalogue:
            assert catalogue.value("SELECT count(*) FROM applied_migrations") == len(migrations())
    assert [number for number, _, _ in migrations()] == list(range(1, len(migrations()) + 1))


def test_every_table_is_data_or_known_not_to_be(path: Path) -> None:
    with Catalogue.open(path) as catalogue:
        tables = {name for (name,) in catalogue.tuples("SELECT table_name FROM duckdb_tables()")}
    others = {"applied_migrations", "splits", "split_images", "runs", "settings", "consensus", "label_history"}
    others |= {"label_projects", "seen_images", "supplement_clues", *LATER_TABLES}
    assert tables - set(CONTENT_TABLES) == others


def test_a_newer_catalogue_is_refused(path: Path) -> None:
    with Catalogue.open(path) as catalogue:
        catalogue.run("INSERT INTO applied_migrations VALUES (999, '999_future.sql', '')")
    with pytest.raises(CatalogueError, match=r"has schema 999; [\s\S]*Update polydata") as caught:
        Catalogue.open(path)
    assert caught.value.exit_code == 5


def test_a_catalogue_of_another_schema_is_refused(path: Path) -> None:
    with Catalogue.open(path) as catalogue:
        catalogue.run("UPDATE applied_migrations SET sha256 = 'other'")
    with pytest.raises(CatalogueError, match="development version"):
        Catalogue.open(path)


def test_a_file_that_is_no_catalogue_is_refused(path: Path) -> None:
    path.write_bytes(b"no database at all" * 500)
    with pytest.raises(CatalogueError):
        Catalogue.open(path)


def test_a_catalogue_that_may_not_be_written_is_told_as_such(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object, **__: object) -> None:
        raise duckdb.IOException(f'IO Error: Cannot open file "{path}": Read-only file system')

    monkeypatch.setattr("polydata.catalogue.connect.duckdb.connect", connect)
    monkeypatch.setattr("polydata.catalogue.connect.os.access", lambda *_: False)
    with pytest.raises(CatalogueError, match="Read-only file system") as caught:
        Catalogue.open(path)
    assert caught.value.hint.startswith("Let it be written (permissions, mount)")


def test_a_second_writer_is_told_who_holds_it(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from polydata.catalogue.connect import Catalogue\n"
        "with Catalogue.open(Path(sys.argv[1])): print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout and holder.stdout.readline() == "open\n"
        with pytest.raises(CatalogueError, match=f"in use by process {holder.pid}"):
            Catalogue.open(path)
        holder.communicate("")
    Catalogue.open(path).close()


@pytest.mark.parametrize("read_only", [False, True])
def test_who_waits_is_told_for_whom_and_goes_on(
    path: Path, read_only: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = (
        "import sys; from pathlib import Path; from polydata.catalogue.connect import Catalogue\n"
        "with Catalogue.open(Path(sys.argv[1])): print('open', flush=True); sys.stdin.read()"
    )
    Catalogue.open(path).close()
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout and holder.stdout.readline() == "open\n"
        monkeypatch.setenv(WAIT, "0.5")
        start = time.monotonic()
        with pytest.raises(CatalogueError, match=f"in use by process {holder.pid}") as caught:
            Catalogue.open(path, read_only=read_only)
        assert 0.5 <= time.monotonic() - start < 20
        assert "--wait" in caught.value.hint
        assert capsys.readouterr().err.count(f"in use by process {holder.pid}") == 1  # said once, not at every try
        monkeypatch.setenv(WAIT, "60")
        end = threading.Timer(1, holder.communicate, [""])
        end.start()
        Catalogue.open(path, read_only=read_only).close()
        end.join()


@given(st.one_of(st.text("0123456789.-einfa ", max_size=6), st.floats().map(str)))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_time_to_wait_is_one_or_refused(path: Path, said: str) -> None:
    before = os.environ.get(WAIT)
    os.environ[WAIT] = said
    try:
        Catalogue.open(path).close()
    except UsageError:
        assert said and not (is_number(said) and float(said) >= 0)
    else:
        assert not said or float(said) >= 0
    finally:
        os.environ.pop(WAIT) if before is None else os.environ.update({WAIT: before})


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@given(st.lists(st.binary(min_size=1, max_size=12), min_size=1, max_size=4))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_is_too_broken_for_it(path: Path, names: list[bytes]) -> None:
    with Catalogue.open(path) as catalogue:
        for name in map(os.fsdecode, names):
            kept = catalogue.value("SELECT ?", [name])
            assert kept == name or not is_text(name)
            assert kept.encode()
        assert len(catalogue.value("SELECT ?::TEXT[]", [list(map(os.fsdecode, names))])) == len(names)


def test_a_failed_transaction_changes_nothing(path: Path) -> None:
    with Catalogue.open(path) as catalogue:
        before = catalogue.fingerprint()
        with pytest.raises(duckdb.Error), catalogue.transaction():
            catalogue.upsert("images", [{"sha256": "a", **IMAGE}])
            catalogue.run("SELECT * FROM nothing")
        assert catalogue.fingerprint() == before


class FullDisk:
    """A connection to a database whose disk has no room for what is committed."""

    def execute(self, sql: str, parameters: object) -> None:
        if sql == "COMMIT":
            raise duckdb.TransactionException(
                'TransactionContext Error: Failed to commit: Could not write file "x.wal": No space left on device'
            )


def test_a_commit_without_room_is_told_as_such(path: Path) -> None:
    catalogue = Catalogue(FullDisk(), path)  # type: ignore[arg-type]
    with pytest.raises(CatalogueError, match="No space left") as caught, catalogue.transaction():
        catalogue.run("SELECT 1")
    assert caught.value.hint.startswith("Make room")


def test_the_fingerprint_depends_on_content_not_on_order(tmp_path: Path) -> None:
    rows = [{"sha256": f"{i:064d}", **IMAGE, "width": i + 1} for i in range(20)]
    prints = []
    for name in ("a", "b"):
        random.Random(name).shuffle(rows)
        with Catalogue.open(tmp_path / name) as catalogue:
            catalogue.upsert("images", rows)
            prints.append(catalogue.fingerprint())
            catalogue.upsert("images", [{**rows[0], "mode": "RGB"}])
            assert catalogue.fingerprint() != prints[-1]
    assert prints[0] == prints[1]


def test_the_tasks_words_follow_the_task_file(tmp_path: Path) -> None:
    workspace = Workspace.init(tmp_path)
    with open_session(workspace) as session:
        assert session.catalogue.value("SELECT count(*) FROM label_words") == len(workspace.task().labels)
    from polydata.resources import schemas

    text = (schemas() / "tasks/compatibility.toml").read_text().replace('"partially_compatible"', '"in_between"')
    (tmp_path / "own.toml").write_text(text)
    (tmp_path / SETTINGS).write_text('task = "own.toml"')
    workspace = Workspace.open(tmp_path)
    with open_session(workspace, read_only=True) as session:
        words = [w for (w,) in session.catalogue.tuples("SELECT label FROM label_words ORDER BY position")]
    assert words == list(workspace.task().labels) and "in_between" in words


def test_reading_an_empty_file_makes_the_schema(path: Path) -> None:
    duckdb.connect(str(path)).close()
    with Catalogue.open(path, read_only=True) as catalogue:
        assert catalogue.value("SELECT count(*) FROM papers") == 0


def test_the_folder_of_a_failure_has_no_part_in_the_fingerprint(tmp_path: Path) -> None:
    prints = []
    for name in ("a", "b"):
        with Catalogue.open(tmp_path / name) as catalogue:
            detail = f"{tmp_path / name}/x.pdf is broken"
            failure = {"path": f"{tmp_path / name}/x.pdf", "sha256": None, "reason": "broken", "detail": detail}
            catalogue.upsert("failures", [failure])
            prints.append(catalogue.fingerprint())
    assert prints[0] == prints[1]


def test_a_transaction_within_another_is_part_of_it(path: Path) -> None:
    row = {"rule": "a", "threshold": 0.5}
    with Catalogue.open(path) as catalogue:
        with pytest.raises(RuntimeError), catalogue.transaction():
            with catalogue.transaction():
                catalogue.upsert("screening_thresholds", [row])
            raise RuntimeError
        assert catalogue.rows("SELECT * FROM screening_thresholds") == []
        with catalogue.transaction(), catalogue.transaction():
            catalogue.upsert("screening_thresholds", [row])
        with catalogue.transaction():
            pass
    with Catalogue.open(path, read_only=True) as catalogue:
        assert catalogue.rows("SELECT rule FROM screening_thresholds") == [{"rule": "a"}]


def test_memory_is_given_back_within_a_transaction(tmp_path: Path) -> None:
    """A join took two kilobytes a paper for pages of the file that it had read and left."""
    with Catalogue.open(tmp_path / "c.duckdb") as catalogue, catalogue.transaction():
        catalogue.run("CREATE TEMP TABLE many AS SELECT hash(i) AS one FROM range(10_000_000) r(i)")
        held = "SELECT sum(memory_usage_bytes) FROM duckdb_memory()"
        total = catalogue.value("SELECT bit_xor(one) FROM many")
        assert catalogue.value(held) > 2e6 * KEPT_MB
        catalogue.let_go()
        assert catalogue.value(held) <= 1.1e6 * KEPT_MB
        assert catalogue.value("SELECT bit_xor(one) FROM many") == total  # what was put on disk is there
        catalogue.run("DROP TABLE many")
