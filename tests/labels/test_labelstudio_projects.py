"""Several projects on a real server: blind, second review, double labelling, and those of other people."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import run
from label_studio_server import LabelStudioServer
from review_scene import Api, add_images, in_the_catalogue, make_workspace, on_the_server, picture

from polydata.catalogue.session import open_session
from polydata.errors import ServerError, UsageError
from polydata.files.predictions import Prediction, Predictions
from polydata.labels.page import labelling_page
from polydata.labels.projects import Target, review_target, setup, status, target, write_answers
from polydata.labels.pull import pull
from polydata.labels.push import push, queue
from polydata.task import Task
from polydata.workspace import Workspace

pytestmark = [pytest.mark.labelstudio, pytest.mark.slow]
TASK = Task.load()


@pytest.fixture
def title(tmp_path: Path) -> str:
    return tmp_path.name


@pytest.fixture
def workspace(label_studio: LabelStudioServer, title: str, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("POLYDATA_LABEL_STUDIO_TOKEN", label_studio.token)
    workspace = make_workspace(
        label_studio.document_root / title, label_studio.url, title, document_root=str(label_studio.document_root)
    )
    add_images(workspace, [picture(n) for n in range(8)])
    return workspace


@pytest.fixture
def api(label_studio: LabelStudioServer) -> Api:
    return Api(label_studio)


def test_blind_second_and_review_projects(
    label_studio: LabelStudioServer, workspace: Workspace, api: Api, title: str
) -> None:
    second = Api(label_studio, label_studio.second_token)
    with open_session(workspace) as session:
        images = [s for (s,) in session.catalogue.tuples("SELECT image_sha256 FROM panels ORDER BY position")]
        rows = [(s, "test" if n < 3 else "train") for n, s in enumerate(images)]
        for sha256, side in rows:
            session.catalogue.run(
                "INSERT INTO split_images VALUES ('v1', 1, ?, ?, 'compatible', ?)", [side, sha256, sha256]
            )
        with pytest.raises(UsageError, match="no split 'v2'"):
            push(session, "all", target=target(workspace, None, "v2"))
        blind = push(session, target=target(workspace, None, "v1"))
        assert (blind.project.title, blind.created) == (f"{title} blind v1", 3)
        asked = api.tasks(blind.project.title)
        assert list(asked) == sorted(images[:3])
        assert {frozenset(t["data"]) for t in asked.values()} == {frozenset({"image", "polydata_id"})}
        with pytest.raises(UsageError, match="shows the image alone"):
            shown = Predictions("m", {images[0]: Prediction(TASK.positive)})
            push(session, "all", target=target(workspace, None, "v1"), predictions=shown)

        # Two people label in two projects, so that neither sees the other's answers.
        other = Target(f"{title} B")
        push(session)
        push(session, target=other)
        first_tasks, other_tasks = api.tasks(title), api.tasks(other.title)
        for sha256 in images[:4]:
            api.answer(first_tasks[sha256], TASK.positive)
            second.answer(other_tasks[sha256], TASK.positive if sha256 != images[3] else TASK.negative)
        for sha256 in images[:2]:
            second.answer(asked[sha256], TASK.negative)  # blind
        done = pull(session)
        assert set(done.projects) == {title, other.title, blind.project.title}
        assert (done.new, done.problems) == (10, [])
        everywhere = set().union(*(on_the_server(api, name) for name in done.projects))
        assert in_the_catalogue(session.catalogue) == everywhere
        table = workspace.root / "answers.csv"
        assert write_answers(session, "v1", table) == (2, ["second@example.org"])
        assert sorted(table.read_text().splitlines()[1:]) == sorted(f"{s},compatible,incompatible" for s in images[:2])
        labels = dict(session.catalogue.tuples("SELECT image_sha256, label FROM labels"))
        # What was answered blind measures people; it is no label and makes no conflict.
        assert labels == dict.fromkeys(images[:3], TASK.positive) | {images[3]: None}

        asked_again = queue(session)
        assert (asked_again.project.title, asked_again.created) == (f"{title} review", 1)
        assert queue(session).created == 0
        (task,) = api.tasks(asked_again.project.title).values()
        assert (task["annotations"], task["predictions"]) == ([], [])
        assert not any(label in json.dumps(task["data"]) for label in TASK.labels)
        second.answer(task, TASK.positive)  # thinks again
        assert pull(session).new == 1
        assert session.catalogue.value("SELECT label FROM labels WHERE image_sha256 = ?", [images[3]]) == TASK.positive
        with pytest.raises(UsageError, match="No two annotators differ"):
            queue(session)

        seen = status(session)
        assert {p["project"]: (p["role"], p["tasks"], p["annotations"], p["pulled"]) for p in seen.projects} == {
            title: ("label", 8, 4, 4),
            other.title: ("label", 8, 4, 4),
            f"{title} blind v1": ("blind", 3, 2, 2),
            f"{title} review": ("review", 1, 1, 1),
        }
        only = pull(session, title=other.title, full=True)
        assert (only.projects, only.unchanged) == ((other.title,), 4)

        # A project that is deleted on the server is named, and what came from it stays.
        api.call("DELETE", f"/api/projects/{blind.project.id}", 204)
        before = session.catalogue.fingerprint()
        (gone,) = pull(session).problems
        assert "no longer on the server" in gone
        assert session.catalogue.fingerprint() == before


def test_a_project_keeps_its_kind(workspace: Workspace, api: Api, title: str) -> None:
    with open_session(workspace) as session:
        session.catalogue.run(
            "INSERT INTO split_images SELECT 'v1', 1, 'test', sha256, 'compatible', sha256 FROM images"
        )
        push(session, "all", target=Target(f"{title} x", "blind", "v1"))
        for wanted in (Target(f"{title} x"), review_target(workspace, f"{title} x")):
            with pytest.raises(UsageError, match="is a blind project of the split v1 already"):
                push(session, "all", target=wanted)
        session.catalogue.run("DELETE FROM label_projects")  # as in another workspace
        with pytest.raises(ServerError, match="shows the image alone"):
            pull(session, title=f"{title} x")


def test_setup_leaves_alone_what_others_made(workspace: Workspace, api: Api, title: str) -> None:
    choice = '<Choices name="answer" toName="image"><Choice value="cat"/></Choices>'
    page = f'<View><Image name="image" value="$image"/>{choice}</View>'
    theirs = api.call("POST", "/api/projects", 201, json={"title": title, "label_config": page})
    with open_session(workspace) as session:
        with pytest.raises(ServerError, match="somebody else's") as caught:
            setup(session, Target(title))
        assert "--project" in caught.value.hint
        assert api.call("GET", f"/api/projects/{theirs['id']}")["label_config"] == page
        api.call("POST", "/api/projects", 201, json={"title": f"{title} e"})  # made in the browser, still empty
        made = setup(session, Target(f"{title} e"))
        assert made.page == labelling_page(TASK, mark=made.mark or "")


def test_setup_brings_a_page_up_to_date(workspace: Workspace, api: Api, title: str) -> None:
    with open_session(workspace) as session:
        push(session)
        number = api.project(title)
        old = labelling_page(TASK).replace(f'value="{TASK.unsure}"', 'value="granular"')
        api.call("PATCH", f"/api/projects/{number}", json={"label_config": old})
        with pytest.raises(ServerError, match=f"has no choice {TASK.unsure}") as caught:
            push(session)
        assert "polydata label setup" in caught.value.hint
        assert setup(session, Target(title)).answers is not None
        assert push(session).present == 8


def test_predictions_that_the_page_cannot_show(workspace: Workspace, title: str) -> None:
    with open_session(workspace) as session:
        image = session.catalogue.value("SELECT min(sha256) FROM images")
        wrong = Predictions("m", {image: Prediction("granular", (1.0,))})
        with pytest.raises(Exception, match="cannot show a prediction"):
            push(session, predictions=wrong)


def test_the_commands(label_studio: LabelStudioServer, workspace: Workspace, api: Api, title: str) -> None:
    token = {"POLYDATA_LABEL_STUDIO_TOKEN": label_studio.token}
    with open_session(workspace) as session:
        images = [s for (s,) in session.catalogue.tuples("SELECT image_sha256 FROM panels ORDER BY position")]
        vote = {"panel_id": "panel-00001", "record_id": "r", "source": "rule", "label": TASK.negative, "evidence": "e"}
        session.catalogue.upsert("label_votes", [vote])
    push_rules = ("polydata", "label", "push", "--predictions", "rules", "--json")
    words = ("polydata", "label", "measure", "--split", "v1", "--output", workspace.root / "t.csv")
    assert "Nobody has answered" in run(*words, workspace=workspace.root, expect=2).stderr
    done = json.loads(run(*push_rules, workspace=workspace.root, **token).stdout)
    assert (done["tasks made"], done["predictions written"]) == (8, 1)
    (shown,) = api.tasks(title)[images[1]]["predictions"]
    assert (shown["model_version"], shown["result"][0]["value"]) == ("rules", {"choices": [TASK.negative]})
    words = ("polydata", "label", "push", "--blind")
    assert "belong together" in run(*words, workspace=workspace.root, expect=2, **token).stderr
    words = ("polydata", "label", "push", "--only", "uncertain")
    assert "nothing is uncertain" in run(*words, workspace=workspace.root, expect=2, **token).stderr
    assert "No two annotators" in run("polydata", "label", "queue", workspace=workspace.root, expect=2, **token).stderr
    made = json.loads(run("polydata", "label", "setup", "--json", workspace=workspace.root, **token).stdout)
    assert made["tasks"] == 8


def test_a_token_in_the_keyring(
    label_studio: LabelStudioServer, workspace: Workspace, tmp_path: Path, title: str
) -> None:
    """A keyring of a real kind, in a file that only this test has."""
    home = {"HOME": str(tmp_path), "PYTHON_KEYRING_BACKEND": "keyring_file.Plain", "PYTHONPATH": str(tmp_path)}
    (tmp_path / "keyring_file.py").write_text(KEYRING)
    (tmp_path / "entry").write_text(f"polydata {label_studio.url} {label_studio.token}")
    assert run("polydata", "label", "setup", workspace=workspace.root, **home).returncode == 0
    (tmp_path / "entry").write_text("polydata http://elsewhere token")
    said = run("polydata", "label", "status", workspace=workspace.root, expect=6, **home)
    assert "There is no token" in said.stderr
    assert f"keyring set polydata {label_studio.url}" in said.stderr


KEYRING = """
import pathlib
import keyring.backend

class Plain(keyring.backend.KeyringBackend):
    priority = 1

    def get_password(self, service, username):
        known = (pathlib.Path(__file__).parent / "entry").read_text().split()
        return known[2] if known[:2] == [service, username] else None

    def set_password(self, service, username, password):
        raise NotImplementedError
"""
