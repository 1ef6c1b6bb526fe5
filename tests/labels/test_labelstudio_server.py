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

import pandas as pd
import pytest
from commands import run
from label_studio_server import LabelStudioServer
from review_scene import Api, add_images, in_the_catalogue, make_workspace, on_the_server, picture

from polydata.catalogue.annotations import annotation_counts, list_annotations
from polydata.catalogue.connect import Catalogue
from polydata.catalogue.session import Session, open_session
from polydata.labels.pull import pull
from polydata.labels.push import push
from polydata.task import Task
from polydata.workspace import Workspace

pytestmark = [pytest.mark.labelstudio, pytest.mark.slow]
TASK = Task.load()


@pytest.fixture
def catalogue(workspace: Workspace) -> Iterator[Catalogue]:
    add_images(workspace, [picture(n) for n in range(7)])
    with open_session(workspace) as opened:
        yield opened.catalogue


def test_a_second_push_makes_nothing(workspace: Workspace, catalogue: Catalogue, api: Api, title: str) -> None:
    assert push(Session(workspace, catalogue), "accepted", 3).created == 3
    rest = push(Session(workspace, catalogue))
    assert (rest.selected, rest.present, rest.created) == (7, 3, 4)
    again = push(Session(workspace, catalogue))
    assert (again.present, again.created, again.problems) == (7, 0, [])
    tasks = api.tasks(title)
    assert set(tasks) == {s for (s,) in catalogue.tuples("SELECT sha256 FROM images")}
    assert api.call("GET", f"/api/storages/localfiles?project={again.project.id}")[1:] == []


def test_a_task_shows_the_image_and_its_words(workspace: Workspace, catalogue: Catalogue, api: Api, title: str) -> None:
    push(Session(workspace, catalogue))
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
    push(Session(workspace, catalogue))
    tasks = list(api.tasks(title).values())

    def pulled() -> tuple[int, int, int]:
        done = pull(Session(workspace, catalogue))
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
    url = workspace.settings.label_studio.url
    assert annotation_counts(catalogue, url, api.project(title), TASK.choices)["deleted"] == 3
    # A deleted task is missing, so it is made again, and its old answers stay deleted.
    assert push(Session(workspace, catalogue)).created == 2
    assert pulled() == (0, 0, 0)
    before = catalogue.fingerprint()
    full = pull(Session(workspace, catalogue), full=True)
    assert (full.new, full.changed, full.deleted, full.unchanged) == (0, 0, 0, 3)
    assert catalogue.fingerprint() == before


def test_answers_outside_the_task_are_listed_and_are_no_labels(
    workspace: Workspace, catalogue: Catalogue, api: Api, title: str
) -> None:
    push(Session(workspace, catalogue))
    tasks = list(api.tasks(title).values())
    good = api.answer(tasks[0], TASK.positive)
    api.answer(tasks[1], "granular")
    stranger = api.call("POST", "/api/tasks", 201, json={
        "project": api.project(title), "data": {**tasks[0]["data"], "polydata_id": "f" * 64}
    })  # fmt: skip
    api.answer(stranger, TASK.positive)
    for _ in range(2):
        done = pull(Session(workspace, catalogue))
        assert len(done.problems) == 2
        assert any("'granular' is no choice of the task" in p for p in done.problems)
        assert any("not an image of this catalogue" in p for p in done.problems)
    assert catalogue.column("SELECT choice FROM annotations ORDER BY choice") == [TASK.positive, "granular"]
    api.edit(good, "sandy")  # a label that was good is taken back
    assert len(pull(Session(workspace, catalogue)).problems) == 3
    assert catalogue.tuples("SELECT * FROM labels") == []


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
    assert (facts["projects"][0]["tasks"], facts["projects"][0]["pulled"], facts["images"]["reviewed"]) == (3, 1, 1)
    api.answer(tasks[1], "granular")
    listed = run("polydata", "label", "pull", "--json", workspace=workspace.root, expect=3, **token)
    assert len(json.loads(listed.stdout)["problems"]) == 1


def test_images_are_sent_to_a_server_that_does_not_read_the_disk(
    label_studio: LabelStudioServer, tmp_path: Path, title: str, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYDATA_LABEL_STUDIO_TOKEN", label_studio.token)
    workspace = make_workspace(tmp_path, label_studio.url, title, images="upload")
    images = add_images(workspace, [picture(n) for n in range(59)] + [picture(60, "RGBA"), picture(61, "L", "TIFF")])
    with open_session(workspace) as session:
        assert push(session, "accepted", 40).created == 40
        assert push(session).created == 21
        assert push(session).created == 0
    tasks = api.tasks(title)
    assert len(api.call("GET", f"/api/projects/{api.project(title)}/file-uploads?all=true")) == 61
    for image in (images[0], images[-1]):
        shown = api.call("GET", tasks[image.sha256]["data"]["image"])
        assert shown.startswith(b"\x89PNG")
    assert hashlib.sha256(api.call("GET", tasks[images[0].sha256]["data"]["image"])).hexdigest() == images[0].sha256


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from polydata.catalogue.session import open_session
    from polydata.labels.labelstudio import tasks
    from polydata.labels.push import load_predictions, push
    tasks.BATCH = 100

    def kill_after_the_second(step, done, total):
        if step == "Making tasks" and done == 200:
            os.kill(os.getpid(), signal.SIGKILL)

    session = open_session(Path(sys.argv[1]))
    shown = load_predictions(session, sys.argv[2], None)
    push(session, predictions=shown, progress=kill_after_the_second)
"""


def predicted(path: Path, images: list[str], first: int) -> dict[str, str]:
    """Write predictions as ``polymodel predict`` does, and give the label of each image."""
    said = {sha256: TASK.labels[(n + first) % 3] for n, sha256 in enumerate(images)}
    logits = {label: [2.0 * (said[s] == label) for s in images] for label in TASK.labels}
    columns = {f"logit_{label}": values for label, values in logits.items()}
    frame = pd.DataFrame({"path": images, "image_sha256": images, "label": list(said.values()), **columns})
    frame.to_parquet(path, index=False)
    return said


def shown_predictions(api: Api, title: str) -> dict[str, list[tuple[str, str]]]:
    """Version and label of the predictions of each task, by image."""
    return {
        sha256: [(p["model_version"], p["result"][0]["value"]["choices"][0]) for p in task["predictions"]]
        for sha256, task in api.tasks(title).items()
    }


@pytest.mark.realdata
def test_all_real_images_with_predictions_and_two_reviewers(
    label_studio: LabelStudioServer, shared_data: Path, workspace: Workspace, api: Api, title: str, tmp_path: Path
) -> None:
    token = {"POLYDATA_LABEL_STUDIO_TOKEN": label_studio.token}
    second = Api(label_studio, label_studio.second_token)
    files = sorted((shared_data / "nims/images").iterdir())
    images = [image.sha256 for image in add_images(workspace, [f.read_bytes() for f in files])]
    assert len(set(images)) == 517
    model = tmp_path / "model.parquet"
    said = predicted(model, images, 0)

    run("polydata", "label", "setup", workspace=workspace.root, **token)
    assert run("polydata", "label", "setup", workspace=workspace.root, **token).returncode == 0
    made = api.call("GET", f"/api/projects/{api.project(title)}")
    assert made["show_instruction"]
    assert "partially compatible" in made["expert_instruction"]
    killed = [sys.executable, "-c", textwrap.dedent(KILLED), workspace.root, model]
    assert subprocess.run(killed, env=os.environ, check=False).returncode == -signal.SIGKILL
    assert len(api.tasks(title)) == 200

    push_again = ("polydata", "label", "push", "--predictions", model, "--json")
    done = json.loads(run(*push_again, workspace=workspace.root, **token).stdout)
    assert (done["tasks made"], done["already there"], done["predictions written"]) == (317, 200, 317)
    assert shown_predictions(api, title) == {s: [("model", label)] for s, label in said.items()}
    assert api.call("GET", f"/api/projects/{api.project(title)}")["model_version"] == "model"
    done = json.loads(run(*push_again, workspace=workspace.root, **token).stdout)
    assert (done["tasks made"], done["already there"], done["predictions written"]) == (0, 517, 0)

    with open_session(workspace) as session:
        tasks = api.tasks(title)

        def pulled() -> tuple[int, int, int]:
            done = pull(session, deletions=True)
            assert done.problems == []
            assert in_the_catalogue(session.catalogue) == on_the_server(api, title)
            return done.new, done.changed, done.deleted

        one = {s: api.answer(tasks[s], said[s]) for s in images[:30]}
        two = {s: second.answer(tasks[s], TASK.labels[n % 3]) for n, s in enumerate(images[25:40])}
        assert pulled() == (45, 0, 0)
        labels = dict(session.catalogue.tuples("SELECT image_sha256, label FROM labels WHERE source = 'review'"))
        assert {s: labels[s] for s in images[:25]} == {s: said[s] for s in images[:25]}
        second.answer(tasks[images[200]], None)  # skipped
        for s in images[:10]:
            api.edit(one[s], TASK.unsure)
        for s in images[30:40]:
            api.call("DELETE", f"/api/annotations/{two[s]}", 204)
        assert pulled() == (1, 10, 10)
        for s in images[:5]:
            api.call("DELETE", f"/api/tasks/{tasks[s]['id']}", 204)
        assert pulled() == (0, 0, 5)
        assert session.catalogue.value("SELECT count(*) FROM annotations WHERE deleted") == 15
        assert push(session).created == 5
        assert pulled() == (0, 0, 0)

    # A model of the same name says other things of some images and nothing of others.
    said = predicted(model, images[:300], 0) | predicted(tmp_path / "other.parquet", images[300:310], 1)
    frames = [pd.read_parquet(path) for path in (model, tmp_path / "other.parquet")]
    pd.concat(frames).to_parquet(model, index=False)
    run(*push_again, workspace=workspace.root, **token)
    assert shown_predictions(api, title) == {s: [("model", said[s])] if s in said else [] for s in images}
