"""Boxes of panels set right, and micrographs accepted, on a real server: kept over a new reading, each made once."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from browser import reviewer, screenshot
from commands import run
from edit_scene import EditScene, draw
from label_studio_server import LabelStudioServer
from review_scene import Api, make_workspace
from review_scene import results as chosen
from selenium.webdriver.common.keys import Keys

from polydata.labels.asking import ask
from polydata.labels.projects import Pulled, status
from polydata.labels.pull import pull
from polydata.quality.workflow import draw as draw_sample
from polydata.screening.workflow import screen
from polydata.types import Figure

pytestmark = [pytest.mark.labelstudio, pytest.mark.slow]


@pytest.fixture(scope="module")
def read_once(label_studio: LabelStudioServer, tmp_path_factory: pytest.TempPathFactory) -> EditScene:
    folder = tmp_path_factory.mktemp("boxes")
    draw(folder / "paper.pdf")
    root = label_studio.document_root
    scene = EditScene(
        make_workspace(root / "boxes", label_studio.url, "x", document_root=str(root)), folder / "paper.pdf"
    )
    scene.extract()
    return scene


@pytest.fixture
def scene(
    read_once: EditScene, label_studio: LabelStudioServer, title: str, monkeypatch: pytest.MonkeyPatch
) -> EditScene:
    monkeypatch.setenv("POLYDATA_LABEL_STUDIO_TOKEN", label_studio.token)
    scene = read_once.copy(label_studio.document_root / title)
    settings = scene.root / "polydata.toml"
    settings.write_text(settings.read_text().replace('project = "x"', f'project = "{title}"'))
    return EditScene(type(scene.workspace).open(scene.root), scene.pdf)


def pushed(scene: EditScene, api: Api, title: str) -> dict[int, dict[str, Any]]:
    """The tasks of the project for boxes, by the page of their figure."""
    with scene.session() as session:
        done = ask(session, "boxes")
        assert (done.problems, done.created) == ([], 2)
        again = ask(session, "boxes")
        assert (again.created, again.present) == (0, 2)
    tasks = api.tasks(f"{title} boxes")
    return {page: tasks[scene.figure_id(page)] for page in (1, 2)}


def answer(api: Api, task: dict[str, Any], results: list[dict[str, Any]], **more: Any) -> int:
    made = api.call("POST", f"/api/tasks/{task['id']}/annotations", 201, json={"result": results, **more})
    return int(made["id"])


def drawn(task: dict[str, Any]) -> list[dict[str, Any]]:
    """What the labelling page begins with, which a person changes."""
    (prediction,) = task["predictions"]
    return copy.deepcopy(list(prediction["result"]))


def of_panel(results: list[dict[str, Any]], letter: str) -> list[dict[str, Any]]:
    (region,) = (one["id"] for one in results if one["value"].get("text") == [letter])
    return [one for one in results if one.get("id") == region]


def pulled(scene: EditScene) -> Pulled:
    with scene.session() as session:
        return pull(session)


def panels(figure: Figure) -> dict[str, list[float]]:
    return {one.label or "": [round(value, 1) for value in one.box.as_list()] for one in figure.panels}


def test_boxes_are_moved_added_lettered_rejected_and_kept(scene: EditScene, api: Api, title: str) -> None:
    tasks = pushed(scene, api, title)
    before = scene.figure(1)
    api.call("GET", tasks[1]["data"]["image"])
    results = drawn(tasks[1])
    for one in of_panel(results, "a"):  # moved
        one["value"] |= {"x": one["value"]["x"] + 2, "width": one["value"]["width"] - 4}
    for one in of_panel(results, "d"):  # no panel
        results.remove(one)
    where = {"x": 55.0, "y": 55.0, "width": 20.0, "height": 30.0, "rotation": 0}
    new = {"id": "new", "to_name": "image", "from_name": "boxes", "type": "rectanglelabels"}
    results.append(new | {"value": where | {"rectanglelabels": ["panel"]}})
    results.append(new | {"from_name": "letter", "type": "textarea", "value": where | {"text": ["(e)"]}})
    for one in results:  # mended
        if one["from_name"] == "caption":
            one["value"]["text"] = ["Figure 1. Blends: (a) PLA; (b) PBAT; (c) PS and (e) PMMA."]
    answer(api, tasks[1], results)
    answer(api, tasks[2], drawn(tasks[2]))  # all is right

    done = pulled(scene)
    assert (done.new, done.applied, done.problems) == (2, 2, [])
    now = scene.figure(1)
    assert [one.label for one in now.panels] == ["a", "b", "c", "e"]
    was, width, height = before.panels[0].box, before.box.width, before.box.height
    assert panels(now)["a"] == [round(v, 1) for v in (was.x0 + 0.02 * width, was.y0, was.x1 - 0.02 * width, was.y1)]
    corner = before.box.x0 + 0.55 * width, before.box.y0 + 0.55 * height
    assert panels(now)["e"] == [round(v, 1) for v in (*corner, corner[0] + 0.2 * width, corner[1] + 0.3 * height)]
    assert [one.caption for one in now.panels] == ["PLA", "PBAT", "PS", "PMMA"]
    assert now.panels[1].image == before.panels[1].image
    edits = scene.rows("SELECT target, stale FROM edits ORDER BY number")
    assert [(one["target"], one["stale"]) for one in edits] == [
        ("figure", None), ("new panel", None), ("panel", None), ("panel", None),
    ]  # fmt: skip

    paper, marks = scene.paper(), scene.fingerprint()
    again = pulled(scene)
    assert (again.new, again.unchanged, again.applied, again.problems) == (0, 2, 0, [])
    assert (scene.paper(), scene.fingerprint()) == (paper, marks)
    assert scene.extract(again=True).stale == ()
    assert scene.paper() == paper
    assert pulled(scene).applied == 0 and scene.paper() == paper


def test_a_later_answer_builds_on_the_former_and_what_was_undone_stays_so(
    scene: EditScene, api: Api, title: str
) -> None:
    task = pushed(scene, api, title)[1]
    results = drawn(task)
    for one in of_panel(results, "d"):
        results.remove(one)
    number = answer(api, task, results)
    assert pulled(scene).applied == 1
    for one in of_panel(results, "c"):
        if one["from_name"] == "letter":
            one["value"]["text"] = ["z"]
    api.call("PATCH", f"/api/annotations/{number}", json={"result": results})
    done = pulled(scene)
    assert (done.changed, done.applied) == (1, 1)
    assert [one.label for one in scene.figure(1).panels] == ["a", "b", "z"]
    assert len(scene.rows("SELECT * FROM edits")) == 2
    last = scene.rows("SELECT edit_id FROM edits ORDER BY number DESC")[0]["edit_id"]
    run("polydata", "edit", "undo", last, workspace=scene.root)
    assert pulled(scene).applied == 0
    assert [one.label for one in scene.figure(1).panels] == ["a", "b", "c"]
    api.call("DELETE", f"/api/annotations/{number}", 204)
    assert (pulled(scene).deleted, len(scene.figure(1).panels)) == (1, 3)


def test_what_cannot_be_made_is_listed_until_it_is_mended(
    label_studio: LabelStudioServer, scene: EditScene, api: Api, title: str
) -> None:
    token = {"POLYDATA_LABEL_STUDIO_TOKEN": label_studio.token}
    tasks, second = pushed(scene, api, title), Api(label_studio, label_studio.second_token)
    before = scene.paper()
    one = answer(api, tasks[1], [])  # every box deleted
    first = answer(api, tasks[2], drawn(tasks[2]))
    changed = drawn(tasks[2])
    changed[-1]["value"]["text"] = ["Figure 2. SEM micrograph of PLA."]
    answer(second, tasks[2], changed)
    skipped = answer(second, tasks[1], [], was_cancelled=True)
    said = run("polydata", "label", "pull", "--json", workspace=scene.root, expect=3, **token)
    problems = json.loads(said.stdout)["problems"]
    assert len(problems) == 2 and any("No panel is left" in one for one in problems)
    assert any("2 people differ" in one for one in problems)
    assert scene.paper() == before and scene.rows("SELECT * FROM edits") == []
    assert len(pulled(scene).problems) == 2
    turned = drawn(tasks[1])
    turned[0]["value"]["rotation"] = 45
    api.call("PATCH", f"/api/annotations/{one}", json={"result": turned})
    api.call("DELETE", f"/api/annotations/{first}", 204)
    done = pulled(scene)
    assert (done.changed, done.deleted, done.applied) == (1, 1, 1)
    (problem,) = done.problems
    assert "a box that is turned or has no area" in problem
    assert scene.figure(2).caption == "Figure 2. SEM micrograph of PLA."
    figure = {"from_name": "figure", "to_name": "image", "type": "choices", "value": {"choices": ["no figure"]}}
    api.call("PATCH", f"/api/annotations/{one}", json={"result": [*drawn(tasks[1]), figure]})
    assert pulled(scene).problems == [] and [one.page for one in scene.paper().figures] == [2]
    with scene.session() as session:
        (row,) = (one for one in status(session).projects if one["role"] == "boxes")
    assert (row["tasks"], row["pulled"], row["skipped"], row["deleted"]) == (2, 3, 1, 1) and skipped


def test_images_are_accepted_and_rejected(
    label_studio: LabelStudioServer, scene: EditScene, api: Api, title: str
) -> None:
    token = {"POLYDATA_LABEL_STUDIO_TOKEN": label_studio.token}
    second = Api(label_studio, label_studio.second_token)
    with scene.session() as session:
        screen(session)
        images = [row["image_sha256"] for row in session.catalogue.rows("SELECT * FROM screenings ORDER BY 1")]
        scores = (0.98, 0.6, 0.05, 0.2, 0.35)  # of which the second, fifth and fourth lie nearest to the threshold
        for image, score in zip(images, scores, strict=True):
            session.catalogue.run("UPDATE screenings SET score = ? WHERE image_sha256 = ?", [score, image])
    order = [images[1], images[4], images[3]]
    push = "polydata", "label", "push", "--task", "screening", "--json"
    made = json.loads(run(*push, "--limit", "3", workspace=scene.root, **token).stdout)
    assert made["tasks made"] == 3 and json.loads(run(*push, workspace=scene.root, **token).stdout)["tasks made"] == 2
    tasks = api.tasks(f"{title} screening")
    assert sorted(tasks, key=lambda image: tasks[image]["id"])[:3] == order
    assert not any("score" in task["data"] or task["predictions"] for task in tasks.values())
    a, b, c = order
    for image, choice in ((a, "rejected"), (b, "accepted"), (c, "accepted")):
        api.answer(tasks[image], choice)
    differs = second.answer(tasks[c], "rejected")
    done = pulled(scene)
    assert (done.new, done.applied) == (4, 2) and ["2 people differ" in one for one in done.problems] == [True]
    hand = "SELECT image_sha256, decision FROM screening_corrections ORDER BY decision"
    assert [tuple(one.values()) for one in scene.rows(hand)] == [(b, "accepted"), (a, "rejected")]
    run("polydata", "screen", "--undo", a, workspace=scene.root)
    second.edit(differs, "accepted")
    done = pulled(scene)
    assert (done.applied, done.problems) == (1, [])
    assert {one["image_sha256"] for one in scene.rows(hand)} == {b, c}
    before = scene.fingerprint()
    assert pulled(scene).applied == 0 and scene.fingerprint() == before


def test_the_commands_refuse_what_means_nothing(scene: EditScene, label_studio: LabelStudioServer) -> None:
    token = {"POLYDATA_LABEL_STUDIO_TOKEN": label_studio.token}
    push = "polydata", "label", "push", "--task"
    for words, said in (
        (("boxes", "--only", "conflicts"), "means nothing here"),
        (("boxes", "--predictions", "rules"), "Predictions are of labels"),
        (("boxes", "--blind", "--split", "v1"), "Only labels are asked for blind"),
        (("screening",), "a rule alone"),
        (("nothing",), "nothing"),
    ):
        assert said in run(*push, *words, workspace=scene.root, expect=2, **token).stderr


def test_pictures_are_sent_where_the_server_cannot_read_them(scene: EditScene, api: Api, title: str) -> None:
    settings = scene.root / "polydata.toml"
    settings.write_text(settings.read_text() + 'images = "upload"\n')
    other = EditScene(type(scene.workspace).open(scene.root), Path(scene.pdf))
    tasks = pushed(other, api, title)
    for task in tasks.values():
        assert task["data"]["image"].startswith("/data/upload/")
        assert api.call("GET", task["data"]["image"])[:8] == b"\x89PNG\r\n\x1a\n"


def number(name: str, value: int) -> dict[str, Any]:
    return {"from_name": name, "to_name": "image", "type": "number", "value": {"number": value}}


def test_a_sample_of_the_corpus_is_judged(
    label_studio: LabelStudioServer, scene: EditScene, api: Api, title: str
) -> None:
    token = {"POLYDATA_LABEL_STUDIO_TOKEN": label_studio.token}
    push = "polydata", "label", "push", "--json", "--task"
    assert "No sample was drawn" in run(*push, "quality-pages", workspace=scene.root, expect=2, **token).stderr
    with scene.session() as session:
        screen(session)
    run("polydata", "quality", "draw", workspace=scene.root)
    for kind, count in (("pages", 3), ("figures", 2), ("images", 5)):
        made = json.loads(run(*push, f"quality-{kind}", workspace=scene.root, **token).stdout)
        assert (made["tasks made"], made["problems"]) == (count, [])
    pages = api.tasks(f"{title} quality-pages")
    second = Api(label_studio, label_studio.second_token)
    for task in pages.values():
        count = int(task["data"]["found"].removeprefix("Boxes: "))
        assert ("Figure" in task["data"]["words"]) is bool(count)
        counts = [number("figures_right", count), number("figures_missed", 1 - count)]
        counts += [number("captions_right", count), number("captions_missed", 0)]
        answer(api, task, counts)
    last = answer(second, task, [number("figures_right", 7)])
    images = api.tasks(f"{title} quality-images")
    shown = {frozenset(task["data"]) for task in images.values()}
    assert shown == {frozenset({"image", "polydata_id", "place", "bar", "scales", "labels"})}
    none = {"from_name": "scales", "to_name": "image", "type": "choices", "value": {"choices": ["no, there is none"]}}
    for task in images.values():
        answer(api, task, [*chosen("yes"), none])
    done = pulled(scene)
    assert (done.new, done.applied) == (9, 7) and ["figures_right is 7" in one for one in done.problems] == [True]
    api.call("DELETE", f"/api/annotations/{last}", 204)
    assert (pulled(scene).applied, pulled(scene).applied) == (1, 0)
    shown = json.loads(run("polydata", "quality", "show", "--json", workspace=scene.root).stdout)
    found = {(row["what"], row["measure"]): row["value"] for row in shown}
    assert found["figures", "recall"] == pytest.approx(2 / 3) and found["figures", "precision"] == 1
    assert found["micrographs", "recall"] == 1 and found["panels", "recall"] is None
    run("polydata", "quality", "draw", "--again", "--seed", "4", workspace=scene.root)
    again = json.loads(run("polydata", "quality", "show", "--json", workspace=scene.root).stdout)
    assert (pulled(scene).applied, again) == (0, shown)  # what was said of the same pictures holds in the new sample


@pytest.mark.browser
def test_a_person_works_on_the_pages(
    label_studio: LabelStudioServer, scene: EditScene, api: Api, title: str, tmp_path: Path
) -> None:
    pushed(scene, api, title)
    with scene.session() as session:
        screen(session)
        ask(session, "screening", limit=1)
        draw_sample(session)
        ask(session, "quality-pages")
    before = scene.paper()
    with reviewer(label_studio) as who:
        for width, height in ((1280, 720), (1440, 900)):
            size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
            who.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            for kind, asked in (("screening", "rejected"), ("quality-pages", "Boxes"), ("boxes", "no figure")):
                _, _, shown = who.open_next_task(api.project(f"{title} {kind}"))
                assert shown > (0.25 if kind == "quality-pages" else 0.45) * width and asked in who.text()
                who.until(lambda: who.cut_off() < 1, "the whole image, letters and bars at its edges too")
                screenshot(who, tmp_path / f"{kind}-{width}.png")

        def boxes() -> int:
            return who.text().count("panel") - 1  # the label itself

        who.press(Keys.CONTROL, Keys.ENTER)  # the first figure is right
        done = api.project(f"{title} boxes")
        count = "total_annotations_number"
        who.until(lambda: api.call("GET", f"/api/projects/{done}")[count] == 1, "the annotation")
        who.open_next_task(done)
        who.until(lambda: boxes() in (1, 4), "the boxes")
        who.press(Keys.CONTROL, Keys.ENTER)
        who.until(lambda: api.call("GET", f"/api/projects/{done}")[count] == 2, "the annotation")
    found = pulled(scene)
    assert (found.new, found.problems, scene.paper()) == (2, [], before)
    assert scene.rows("SELECT * FROM edits") == []
