from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import run
from label_studio_server import LabelStudioServer
from review_scene import Api, add_images, in_the_catalogue, make_workspace, on_the_server, picture, quiet

from polydata.catalogue.annotations import annotation_counts, list_annotations
from polydata.catalogue.connect import Catalogue
from polydata.catalogue.session import open_catalogue
from polydata.labels.sync import pull, push
from polydata.task import Task
from polydata.workspace import Workspace

pytestmark = [pytest.mark.labelstudio, pytest.mark.slow]
TASK = Task.load()


@pytest.fixture
def title(request: pytest.FixtureRequest) -> str:
    return hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:20]


@pytest.fixture
def workspace(label_studio: LabelStudioServer, title: str, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("POLYDATA_LABEL_STUDIO_TOKEN", label_studio.token)
    root = str(label_studio.document_root)
    return make_workspace(label_studio.document_root / title, label_studio.url, title, document_root=root)


@pytest.fixture
def api(label_studio: LabelStudioServer) -> Api:
    return Api(label_studio)


@pytest.fixture
def catalogue(workspace: Workspace) -> Iterator[Catalogue]:
    add_images(workspace, [picture(n) for n in range(7)])
    with open_catalogue(workspace) as opened:
        yield opened


def test_a_second_push_makes_nothing(workspace: Workspace, catalogue: Catalogue, api: Api, title: str) -> None:
    assert push(workspace, catalogue, "accepted", 3, quiet).created == 3
    rest = push(workspace, catalogue, "accepted", None, quiet)
    assert (rest.selected, rest.present, rest.created) == (7, 3, 4)
    again = push(workspace, catalogue, "accepted", None, quiet)
    assert (again.present, again.created, again.problems) == (7, 0, [])
    tasks = api.tasks(title)
    assert set(tasks) == {s for (s,) in catalogue.tuples("SELECT sha256 FROM images")}
    assert api.call("GET", f"/api/storages/localfiles?project={again.project.id}")[1:] == []


def test_a_task_shows_the_image_and_its_words(workspace: Workspace, catalogue: Catalogue, api: Api, title: str) -> None:
    push(workspace, catalogue, "accepted", None, quiet)
    first = catalogue.value("SELECT image_sha256 FROM panels ORDER BY position")
    data = api.tasks(title)[first]["data"]
    assert hashlib.sha256(api.call("GET", data["image"])).hexdigest() == first
    assert data["caption"] == "blend <b>0</b>"
    assert data["record"] == "Polymers: PLA; PBAT\nMorphology: two phases"
    assert data["place"] == "one.pdf, page 3, Figure 2, (a)"
    page = api.call("GET", f"/api/projects/{api.project(title)}")["parsed_label_config"]["answer"]
    assert page["labels"] == [*TASK.labels, TASK.not_a_micrograph, TASK.unsure]


def test_every_change_of_the_reviewers_arrives(
    label_studio: LabelStudioServer, workspace: Workspace, catalogue: Catalogue, api: Api, title: str
) -> None:
    second = Api(label_studio, label_studio.second_token)
    push(workspace, catalogue, "accepted", None, quiet)
    tasks = list(api.tasks(title).values())

    def pulled() -> tuple[int, int, int]:
        done = pull(workspace, catalogue, quiet)
        assert in_the_catalogue(catalogue) == on_the_server(api, title)
        assert done.problems == []
        return done.new, done.changed, done.deleted

    assert pulled() == (0, 0, 0)
    ids = [api.answer(task, TASK.positive, "clear") for task in tasks[:4]]
    ids.append(second.answer(tasks[0], TASK.negative))
    assert pulled() == (5, 0, 0)
    assert {r["annotator"] for r in list_annotations(catalogue)} == {"first@example.org", "second@example.org"}
    assert catalogue.value("SELECT comment FROM annotations WHERE annotation_id = ?", [ids[0]]) == "clear"
    tied = catalogue.rows("SELECT * FROM reviews WHERE disputed")
    assert [(r["choice"], r["votes"]) for r in tied] == [(None, 2)]

    skipped = second.answer(tasks[5], None)
    second.edit(ids[4], TASK.positive)
    assert pulled() == (1, 1, 0)
    assert catalogue.value("SELECT cancelled FROM annotations WHERE annotation_id = ?", [skipped])
    assert not catalogue.rows("SELECT * FROM reviews WHERE disputed")
    assert pulled() == (0, 0, 0)

    api.call("DELETE", f"/api/annotations/{ids[1]}", 204)
    assert pulled() == (0, 0, 1)
    api.call("DELETE", f"/api/tasks/{tasks[2]['id']}", 204)  # leaves no trace on the server
    assert pulled() == (0, 0, 1)
    api.call("DELETE", f"/api/tasks/{tasks[5]['id']}", 204)  # had a skipped annotation alone
    assert pulled() == (0, 0, 1)
    assert annotation_counts(catalogue, workspace.settings.label_studio.url, api.project(title))["deleted"] == 3
    # A deleted task is missing, so it is made again, and its old answers stay deleted.
    assert push(workspace, catalogue, "accepted", None, quiet).created == 2
    assert pulled() == (0, 0, 0)
    before = catalogue.fingerprint()
    full = pull(workspace, catalogue, quiet, full=True)
    assert (full.new, full.changed, full.deleted, full.unchanged) == (0, 0, 0, 3)
    assert catalogue.fingerprint() == before


def test_answers_outside_the_task_are_listed_and_are_no_labels(
    workspace: Workspace, catalogue: Catalogue, api: Api, title: str
) -> None:
    push(workspace, catalogue, "accepted", None, quiet)
    tasks = list(api.tasks(title).values())
    good = api.answer(tasks[0], TASK.positive)
    api.answer(tasks[1], "granular")
    stranger = api.call("POST", "/api/tasks", 201, json={
        "project": api.project(title), "data": {**tasks[0]["data"], "polydata_id": "f" * 64}
    })  # fmt: skip
    api.answer(stranger, TASK.positive)
    for _ in range(2):
        done = pull(workspace, catalogue, quiet)
        assert len(done.problems) == 2
        assert any("'granular' is no choice of the task" in p for p in done.problems)
        assert any("not an image of this catalogue" in p for p in done.problems)
    assert catalogue.tuples("SELECT choice FROM annotations ORDER BY choice") == [(TASK.positive,), (None,)]
    api.edit(good, "sandy")  # a label that was good is taken back
    assert len(pull(workspace, catalogue, quiet).problems) == 3
    assert catalogue.tuples("SELECT * FROM reviews") == []


def test_the_commands(label_studio: LabelStudioServer, workspace: Workspace, api: Api, title: str) -> None:
    add_images(workspace, [picture(n) for n in range(3)])
    token = {"LABEL_STUDIO_API_KEY": label_studio.token}
    made = json.loads(run("polydata", "label", "push", "--json", workspace=workspace.root, **token).stdout)
    assert made["tasks made"] == 3
    assert run("polydata", "label", "list", workspace=workspace.root).stdout.startswith("No annotation yet")
    tasks = list(api.tasks(title).values())
    api.answer(tasks[0], TASK.negative)
    said = run("polydata", "label", "pull", workspace=workspace.root, **token)
    assert "Next: polydata build-split v1" in said.stdout
    (row,) = json.loads(run("polydata", "label", "list", "--json", workspace=workspace.root).stdout)
    assert (row["choice"], row["annotator"]) == (TASK.negative, "first@example.org")
    facts = json.loads(run("polydata", "label", "status", "--json", workspace=workspace.root, **token).stdout)
    assert (facts["tasks on the server"], facts["annotations pulled"], facts["images reviewed"]) == (3, 1, 1)
    api.answer(tasks[1], "granular")
    listed = run("polydata", "label", "pull", "--json", workspace=workspace.root, expect=3, **token)
    assert len(json.loads(listed.stdout)["problems"]) == 1


def test_a_push_that_was_killed_is_completed(workspace: Workspace, api: Api, title: str) -> None:
    add_images(workspace, [picture(n) for n in range(60)])
    script = """
        import contextlib, os, signal, sys
        from pathlib import Path
        from polydata.catalogue.session import open_catalogue
        from polydata.labels.labelstudio import tasks
        from polydata.labels.sync import push
        from polydata.workspace import Workspace
        tasks.BATCH = 20
        batches = []

        @contextlib.contextmanager
        def kill_after_the_second(title, total):
            def advance(count):
                batches.append(count)
                if len(batches) == 2:
                    os.kill(os.getpid(), signal.SIGKILL)
            yield advance

        workspace = Workspace.open(Path(sys.argv[1]))
        push(workspace, open_catalogue(workspace), "accepted", None, kill_after_the_second)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script), workspace.root], env=os.environ, check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(api.tasks(title)) == 40
    with open_catalogue(workspace) as catalogue:
        assert push(workspace, catalogue, "accepted", None, quiet).created == 20
    assert len(api.tasks(title)) == 60


def test_images_are_sent_to_a_server_that_does_not_read_the_disk(
    label_studio: LabelStudioServer, tmp_path: Path, title: str, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYDATA_LABEL_STUDIO_TOKEN", label_studio.token)
    workspace = make_workspace(tmp_path, label_studio.url, title, images="upload")
    images = add_images(workspace, [picture(n) for n in range(59)] + [picture(60, "RGBA"), picture(61, "L", "TIFF")])
    with open_catalogue(workspace) as catalogue:
        assert push(workspace, catalogue, "accepted", 40, quiet).created == 40
        assert push(workspace, catalogue, "accepted", None, quiet).created == 21
        assert push(workspace, catalogue, "accepted", None, quiet).created == 0
    tasks = api.tasks(title)
    assert len(api.call("GET", f"/api/projects/{api.project(title)}/file-uploads?all=true")) == 61
    for image in (images[0], images[-1]):
        shown = api.call("GET", tasks[image.sha256]["data"]["image"])
        assert shown.startswith(b"\x89PNG")
    assert hashlib.sha256(api.call("GET", tasks[images[0].sha256]["data"]["image"])).hexdigest() == images[0].sha256


@pytest.mark.realdata
def test_fifty_real_images_go_round(shared_data: Path, workspace: Workspace, api: Api, title: str) -> None:
    files = sorted((shared_data / "nims/images").iterdir())
    alone = [f for f in files if f.name.startswith("520_page5_image1_")]  # pictures that stand in the alpha channel
    images = add_images(workspace, [f.read_bytes() for f in [*alone, *files]][:50])
    expected = {image.sha256: TASK.labels[n % 3] for n, image in enumerate(images)}
    with open_catalogue(workspace) as catalogue:
        assert push(workspace, catalogue, "accepted", None, quiet).created == len(expected)
        assert push(workspace, catalogue, "accepted", None, quiet).created == 0
        for sha256, task in api.tasks(title).items():
            api.answer(task, expected[sha256])
        done = pull(workspace, catalogue, quiet)
        assert (done.new, done.problems) == (len(expected), [])
        labels = catalogue.tuples("SELECT image_sha256, label, source FROM labels")
        assert {s: label for s, label, source in labels if source == "review"} == expected
