"""What people said stays: a server that was set up anew, papers that went, projects that fail, words that changed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import run, run_json
from label_studio_server import LabelStudioServer, free_port, start_server
from review_scene import Api, add_images, make_workspace, picture

from polydata.catalogue.remove import remove_papers
from polydata.catalogue.session import Session, open_session
from polydata.choices import MethodName
from polydata.errors import RefusedError
from polydata.labels.pull import FEW, pull
from polydata.labels.push import push
from polydata.labels.resolve import resolve, restore
from polydata.resources import schemas
from polydata.splits.build import build_split
from polydata.splits.options import SplitOptions
from polydata.task import Task
from polydata.workspace import Workspace

pytestmark = [pytest.mark.labelstudio, pytest.mark.slow]
TASK = Task.load()
YES, NO = TASK.positive, TASK.negative


@pytest.fixture
def workspace(workspace: Workspace) -> Workspace:
    """The workspace of the test, with twelve images."""
    add_images(workspace, [picture(n) for n in range(12)])
    return workspace


@pytest.fixture
def session(workspace: Workspace) -> Iterator[Session]:
    with open_session(workspace) as opened:
        yield opened


def answered(session: Session) -> dict[str, str]:
    """The reviewers' answer on each image that has one."""
    return dict(session.catalogue.tuples("SELECT image_sha256, choice FROM reviews"))


@pytest.mark.parametrize("marked", [True, False], ids=["marked", "from before marks"])
def test_a_server_that_was_set_up_anew_is_another(
    tmp_path: Path, title: str, monkeypatch: pytest.MonkeyPatch, marked: bool
) -> None:
    """It numbers from 1 again; what the former one gave is neither replaced nor deleted."""
    port = free_port()
    first = start_server(tmp_path / "first", port)
    monkeypatch.setenv("POLYDATA_LABEL_STUDIO_TOKEN", first.token)
    workspace = make_workspace(tmp_path / "w", first.url, title, images="upload")
    images = [image.sha256 for image in add_images(workspace, [picture(n) for n in range(9)])]
    try:
        with open_session(workspace) as session:
            push(session)
            tasks = Api(first).tasks(title)
            for image in images[:6]:
                Api(first).answer(tasks[image], YES)
            assert pull(session).new == 6
            if not marked:
                session.catalogue.run("UPDATE annotations SET mark = NULL")
                session.catalogue.run("UPDATE label_projects SET mark = NULL")
    finally:
        first.stop()
    second = start_server(tmp_path / "second", port)
    try:
        other = Api(second, second.second_token)
        with open_session(workspace) as session:
            push(session)
            tasks = other.tasks(title)
            for image in images[4:8]:
                other.answer(tasks[image], NO)
            done = pull(session)
            assert (done.new, done.changed, done.deleted, done.kept) == (4, 0, 0, 0 if marked else 6)
            assert session.catalogue.value("SELECT count(*) FROM annotations WHERE NOT deleted") == 10
            said = answered(session)
            assert [said.get(image) for image in images] == [YES] * 4 + [None] * 2 + [NO] * 2 + [None]
            again = pull(session)
            assert (again.new, again.changed, again.deleted, again.kept) == (0, 0, 0, 0)
            assert answered(session) == said
    finally:
        second.stop()


def test_more_than_a_few_answers_vanish_only_when_told(session: Session, api: Api, title: str) -> None:
    push(session)
    tasks = list(api.tasks(title).values())
    ids = [api.answer(task, YES) for task in tasks[: FEW + 3]]
    pull(session)
    before = answered(session)
    for number in ids[:2]:
        api.call("DELETE", f"/api/annotations/{number}", 204)
    assert pull(session).deleted == 2
    for number in ids[2:]:
        api.call("DELETE", f"/api/annotations/{number}", 204)
    with pytest.raises(RefusedError, match=f"{FEW + 1} of {FEW + 3} answers are no longer"):
        pull(session)
    assert len(answered(session)) == FEW + 1
    assert pull(session, deletions=True).deleted == FEW + 1
    assert answered(session) == {}
    assert restore(session) == FEW + 3
    assert answered(session) == before
    assert pull(session).deleted == 0
    assert answered(session) == before


def test_answers_on_papers_that_were_removed_stay(session: Session, api: Api, title: str, tmp_path: Path) -> None:
    push(session)
    for task in list(api.tasks(title).values())[:8]:
        api.answer(task, YES)
    pull(session)
    rows = {name: session.catalogue.rows(f"SELECT * FROM {name}") for name in ("papers", "figures", "images", "panels")}
    remove_papers(session.catalogue, ["paper-1"])
    done = pull(session, full=True)
    assert (done.deleted, done.problems) == (0, [])
    assert session.catalogue.value("SELECT count(*) FROM annotations WHERE NOT deleted") == 8
    for name, found in rows.items():
        session.catalogue.upsert(name, found)
    assert len(answered(session)) == 8


def test_a_project_that_fails_holds_nothing_up(session: Session, api: Api, title: str) -> None:
    from polydata.labels.projects import Target

    push(session)
    push(session, target=Target(f"{title} two"))
    resolve(session, MethodName.DAWID_SKENE)
    for task in list(api.tasks(title).values())[:10]:
        api.answer(task, YES)
    page = api.call("GET", f"/api/projects/{api.project(f'{title} two')}")["label_config"]
    changed = page.replace(f'value="{NO}"', 'value="other"')
    api.call("PATCH", f"/api/projects/{api.project(f'{title} two')}", json={"label_config": changed})
    done = pull(session)
    assert (done.new, done.projects) == (10, (title,))
    assert [problem for problem in done.problems if "has no choice" in problem] == done.problems != []
    assert session.catalogue.value("SELECT count(*) FROM labels WHERE source = 'review'") == 10


def _with_word(workspace: Workspace, old: str, new: str) -> None:
    """Give the workspace a task of its own in which a word is another."""
    path = workspace.root / "task.toml"
    if not path.exists():
        shutil.copy(schemas() / "tasks" / "compatibility.toml", path)
        settings = workspace.root / "polydata.toml"
        settings.write_text('task = "task.toml"\n' + settings.read_text())
    path.write_text(path.read_text().replace(f'"{old}"', f'"{new}"'))


def _told(workspace: Workspace) -> dict[str, Any]:
    return {row["step"]: row["count"] for row in run_json("polydata", "status", workspace=workspace.root)["funnel"]}


def test_a_word_of_the_task_that_changed(
    label_studio: LabelStudioServer, workspace: Workspace, api: Api, title: str
) -> None:
    with open_session(workspace) as session:
        push(session)
        tasks = list(api.tasks(title).values())
        for task in tasks[:6]:
            api.answer(task, YES)
        for task in tasks[6:]:
            api.answer(task, NO)
        assert pull(session).new == 12
        before = answered(session)
        votes = [
            {"panel_id": panel, "source": "file", "label": NO, "evidence": "name"}
            for panel in session.catalogue.column("SELECT panel_id FROM panels")
        ]
        session.catalogue.upsert("label_votes", votes)
    _with_word(workspace, YES, "mixes")
    workspace = Workspace.open(workspace.root)
    assert _told(workspace)["outside the task"] == 6
    with open_session(workspace) as session, pytest.raises(RefusedError, match="'compatible' \\(6\\)"):
        build_split(session, "v1", SplitOptions())
    # Put back without a word from anybody: all is as it was.
    _with_word(workspace, "mixes", YES)
    workspace = Workspace.open(workspace.root)
    with open_session(workspace) as session:
        assert answered(session) == before
        assert pull(session).problems == []
    # Renamed for good: answers that are there, and answers that come later with the old word.
    _with_word(workspace, YES, "mixes")
    workspace = Workspace.open(workspace.root)
    run("polydata", "label", "rename", YES, "mixes", "--by", "me", workspace=workspace.root)
    assert "outside the task" not in _told(workspace)
    with open_session(workspace) as session:
        assert answered(session) == {image: "mixes" if word == YES else word for image, word in before.items()}
        history = session.catalogue.rows("SELECT * FROM label_history WHERE what = 'rename'")
        assert {row["who"] for row in history} == {"me"}
        assert len(history) == 6
    token = {"POLYDATA_LABEL_STUDIO_TOKEN": label_studio.token}
    run("polydata", "label", "setup", workspace=workspace.root, **token)
    with open_session(workspace) as session:
        done = pull(session, full=True)
        assert (done.changed, done.deleted, done.problems) == (0, 0, [])
        assert sorted(answered(session).values()) == sorted(["mixes"] * 6 + [NO] * 6)
