from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from polydata.errors import WorkspaceError
from polydata.workspace import LARGEST, SETTINGS, VARIABLE, Settings, Workspace


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def test_the_template_is_the_defaults(tmp_path: Path) -> None:
    assert Workspace.init(tmp_path / "w").settings == Settings()


def test_every_commented_default_is_the_real_one(tmp_path: Path) -> None:
    workspace = Workspace.init(tmp_path)
    path = workspace.root / SETTINGS
    lines = [
        line.removeprefix("# ")
        if line.startswith("# ") and " = " in line and line.split(" = ")[0][2:].isidentifier()
        else line
        for line in path.read_text().splitlines()
    ]
    path.write_text("\n".join(lines))
    assert sum(" = " in line and not line.startswith("#") for line in lines) > 8
    assert Workspace.open(tmp_path).settings == Settings()


def test_init_keeps_what_is_there(tmp_path: Path) -> None:
    Workspace.init(tmp_path)
    (tmp_path / SETTINGS).write_text("[extract]\nworkers = 3\n")
    assert Workspace.init(tmp_path).settings.extract.workers == 3


def test_it_is_found_from_below_by_name_and_by_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, other = Workspace.init(tmp_path / "a"), Workspace.init(tmp_path / "b")
    below = here.root / "store"
    monkeypatch.chdir(below)
    assert Workspace.find() == here
    monkeypatch.setenv(VARIABLE, str(other.root))
    assert Workspace.find() == other
    assert Workspace.find(here.root) == here


def test_none_is_an_error_that_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WorkspaceError, match="polydata init"):
        Workspace.find()


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[extract]\nworker = 3", "unknown setting 'worker'"),
        ("[extract]\nworkers = 'x'", "must be of type int"),
        ("[extract]\nworkers = true", "must be of type int"),
        ("extract = 3", "must be a table"),
        ("task = [", "cannot be read"),
    ],
)
def test_bad_settings_are_named(text: str, part: str, tmp_path: Path) -> None:
    Workspace.init(tmp_path)
    (tmp_path / SETTINGS).write_text(text)
    with pytest.raises(WorkspaceError, match=part):
        Workspace.open(tmp_path)


@given(
    key=st.sampled_from(["workers", "seconds_per_file", "memory_mb", "max_megabytes", "max_pages"]),
    number=st.one_of(st.floats(), st.integers(), st.sampled_from([0, -1, 10**12, float("nan"), float("inf")])),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_number_is_a_limit_or_refused(key: str, number: float, tmp_path: Path) -> None:
    (tmp_path / SETTINGS).write_text(f"[extract]\n{key} = {str(number).replace('e+', 'e')}\n")
    try:
        found = getattr(Workspace.open(tmp_path).settings.extract, key)
    except WorkspaceError as error:
        assert key in error.message
        assert not 1 <= number <= LARGEST or (isinstance(number, float) and key != "seconds_per_file")
    else:
        assert found == number and 0 <= number <= LARGEST
        assert number or key == "workers"


def test_settings_that_begin_with_a_mark_of_order_are_read(tmp_path: Path) -> None:
    Workspace.init(tmp_path)
    (tmp_path / SETTINGS).write_text("[extract]\nworkers = 3\n", encoding="utf-8-sig")
    assert Workspace.open(tmp_path).settings.extract.workers == 3


def test_settings_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    limited = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)); sys.argv[0] = 'polydata'; "
    program = [sys.executable, "-c", f"{limited}from polydata.cli import app; app()", "init", str(tmp_path / "w")]
    full = subprocess.run(
        program, capture_output=True, text=True, check=False
    )  # no file may be larger, as on a full disk
    assert full.returncode == 4, full.stderr
    assert "cannot hold a workspace" in full.stderr
    assert not [path for path in (tmp_path / "w").iterdir() if path.is_file()]
    (tmp_path / "w" / SETTINGS).touch()  # what an earlier version left
    assert Workspace.init(tmp_path / "w").settings == Settings()
    assert (tmp_path / "w" / SETTINGS).read_text().startswith("# Settings")


def test_label_studio_is_shown_the_images_and_nothing_else(tmp_path: Path) -> None:
    workspace = Workspace.init(tmp_path / "w")
    (workspace.store / "a.png").write_bytes(b"image")
    root, served = workspace.served_images()
    assert served.parent == root and (served / "a.png").read_bytes() == b"image"
    assert [path.name for path in root.iterdir()] == [served.name]
    moved = (tmp_path / "w").rename(tmp_path / "elsewhere")
    assert (Workspace.open(moved).served_images()[1] / "a.png").read_bytes() == b"image"
    (moved / "served/secret.txt").write_text("mine")
    with pytest.raises(WorkspaceError, match=r"secret\.txt"):
        Workspace.open(moved).served_images()


def test_another_folder_by_the_name_of_the_link_is_not_shown(tmp_path: Path) -> None:
    workspace = Workspace.init(tmp_path / "w")
    (tmp_path / "w/served").mkdir()
    (tmp_path / "w/served/store").symlink_to(tmp_path)
    with pytest.raises(WorkspaceError, match="more than a link"):
        workspace.served_images()


def test_a_task_of_ones_own_is_read_from_the_workspace(tmp_path: Path) -> None:
    workspace = Workspace.init(tmp_path)
    from polydata.resources import schemas

    own = (schemas() / "tasks/compatibility.toml").read_text().replace('name = "compatibility"', 'name = "mine"')
    (tmp_path / "mine.toml").write_text(own)
    (tmp_path / SETTINGS).write_text('task = "mine.toml"')
    assert workspace.open(tmp_path).task().name == "mine"
