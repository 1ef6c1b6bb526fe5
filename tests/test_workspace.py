from __future__ import annotations

from pathlib import Path

import pytest

from polydata.errors import WorkspaceError
from polydata.workspace import SETTINGS, VARIABLE, Settings, Workspace


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


def test_a_task_of_ones_own_is_read_from_the_workspace(tmp_path: Path) -> None:
    workspace = Workspace.init(tmp_path)
    from polydata.resources import schemas

    own = (schemas() / "tasks/compatibility.toml").read_text().replace('name = "compatibility"', 'name = "mine"')
    (tmp_path / "mine.toml").write_text(own)
    (tmp_path / SETTINGS).write_text('task = "mine.toml"')
    assert workspace.open(tmp_path).task().name == "mine"
