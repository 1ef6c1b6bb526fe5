"""What becomes of answers that are no labels, on a server that is a list: made once, never over what stands by hand."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from edit_scene import EditScene

from polydata.catalogue import quality
from polydata.catalogue import task_answers as stored
from polydata.catalogue.screenings import save_choices
from polydata.edits import Correction
from polydata.extraction.editing import edit
from polydata.labels import answers
from polydata.labels.boxes import AskedFigure
from polydata.labels.page import ANSWER, OUR_ID
from polydata.labels.projects import Pulled, Role, Target
from polydata.quality.workflow import draw
from polydata.screening.workflow import screen
from polydata.types import Box, quiet

URL = "http://label-studio"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> EditScene:
    return EditScene.make(tmp_path_factory.mktemp("answers"))


@dataclass
class Desk:
    """One task of a project, and what people say of it."""

    scene: EditScene
    role: Role
    task: dict[str, Any]
    said: dict[int, dict[str, Any]] = field(default_factory=dict)

    def says(self, number: int, who: int, time: str, results: Sequence[Any]) -> None:
        made = {"id": number, "completed_by": who, "updated_at": f"2026-01-01T{time}:00Z", "was_cancelled": False}
        self.said[number] = made | {"result": list(results)}

    def pull(self) -> Pulled:
        server: Any = SimpleNamespace(url=URL, tasks=[(self.task, list(self.said.values()))])
        project: Any = SimpleNamespace(id=1, mark="m", title="x")
        with self.scene.session() as session:
            return answers.bring(session, server, Target("x", self.role), project, quiet)


@pytest.fixture
def desk(original: EditScene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Role, str, Any], Desk]:
    scene = original.copy(tmp_path)
    monkeypatch.setattr(answers, "check_page", lambda *_, **__: None)
    monkeypatch.setattr(answers.server_tasks, "answered_tasks", lambda server, *_: iter(server.tasks))
    monkeypatch.setattr(answers.server_tasks, "annotators", lambda _: {n: f"{n}@x.org" for n in range(9)})

    def made(role: Role, subject: str, asked: object = None) -> Desk:
        return Desk(scene, role, {"id": 1, "data": {OUR_ID: subject, "asked": asked, "place": "p. 1"}})

    return made


Make = Callable[..., Desk]


def boxes(make: Make) -> tuple[Desk, list[dict[str, Any]]]:
    """The task of the figure with four panels, and the drawing that a person begins with."""
    desk = make("boxes", "")
    with desk.scene.session() as session:
        (row,) = (one for one in stored.figures_to_ask(session.catalogue, every=True) if one["page"] == 1)
    asked = AskedFigure.of_row(row)
    desk.task["data"] |= {OUR_ID: row["figure_id"], "asked": asked.as_json()}
    return desk, copy.deepcopy(asked.prediction()["result"])


def of_panel(results: Sequence[dict[str, Any]], letter: str) -> list[dict[str, Any]]:
    (region,) = (one["id"] for one in results if one["value"].get("text") == [letter])
    return [one for one in results if one.get("id") == region]


def captioned(results: Sequence[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    changed = copy.deepcopy(list(results))
    for one in changed:
        if one["from_name"] == "caption":
            one["value"]["text"] = [text]
    return changed


def by_hand(scene: EditScene, letter: str, **asked: Any) -> None:
    with scene.session() as session:
        (row,) = session.catalogue.rows(
            "SELECT panel_id FROM panels JOIN figures USING (figure_id) WHERE page = 1 AND panels.label = ?", [letter]
        )
        edit(session, "panel", row["panel_id"], Correction(**asked))


def letters(scene: EditScene) -> list[str | None]:
    return [one.label for one in scene.figure(1).panels]


def choice(word: str) -> list[dict[str, Any]]:
    return [{"from_name": ANSWER, "to_name": "image", "type": "choices", "value": {"choices": [word]}}]


def test_a_panel_is_deleted_where_it_stood_and_never_by_its_letter(desk: Make) -> None:
    it, results = boxes(desk)
    by_hand(it.scene, "a", delete=True)
    by_hand(it.scene, "b", label="a")
    there = it.scene.paper()
    it.says(1, 1, "10:00", [one for one in results if one not in of_panel(results, "a")])
    done = it.pull()
    assert (done.applied, done.problems) == (1, []) and it.scene.paper() == there


def test_a_panel_is_lettered_where_it_stood_and_never_by_its_letter(desk: Make) -> None:
    it, results = boxes(desk)
    by_hand(it.scene, "a", delete=True)
    by_hand(it.scene, "b", label="a")
    there = it.scene.paper()
    of_panel(results, "a")[1]["value"]["text"] = ["z"]
    it.says(1, 1, "10:00", results)
    (problem,) = it.pull().problems
    assert "does not stand there any more" in problem and it.scene.paper() == there


def test_a_panel_that_stands_nearly_there_is_meant_whatever_its_letter(desk: Make) -> None:
    it, results = boxes(desk)
    box = it.scene.figure(1).panels[0].box
    by_hand(it.scene, "a", label="x", box=Box(box.x0, box.y0, box.x0 + 0.7 * box.width, box.y1))
    by_hand(it.scene, "b", label="a")
    it.says(1, 1, "10:00", [one for one in results if one not in of_panel(results, "a")])
    assert it.pull().problems == [] and letters(it.scene) == ["a", "c", "d"]


def test_a_figure_is_deleted_where_it_stood_and_never_by_its_label(desk: Make) -> None:
    it, results = boxes(desk)
    with it.scene.session() as session:
        edit(session, "figure", it.task["data"][OUR_ID], Correction(box=Box(72, 600, 300, 700)))
    there = it.scene.paper()
    it.says(1, 1, "10:00", [*results, {"from_name": "figure", "value": {"choices": ["no figure"]}}])
    assert it.pull().problems == [] and it.scene.paper() == there


def test_a_decision_by_hand_is_not_overridden(desk: Make) -> None:
    it = desk("screening", "")
    image = str(it.scene.rows("SELECT image_sha256 FROM panels ORDER BY 1")[0]["image_sha256"])
    it.task["data"][OUR_ID] = image
    it.says(1, 1, "10:00", choice("accepted"))

    def decided() -> list[str]:
        return [one["decision"] for one in it.scene.rows("SELECT decision FROM screening_corrections")]

    def decide(decision: Any) -> None:
        with it.scene.session() as session:
            save_choices(session.catalogue, "", corrections=[(image, decision)])

    decide("rejected")
    for _ in range(2):
        done = it.pull()
        assert ["rejected by hand" in one for one in done.problems] == [True]
        assert (done.applied, decided()) == (0, ["rejected"])
    decide(None)
    assert (it.pull().applied, decided()) == (1, ["accepted"])
    it.says(1, 1, "11:00", choice("rejected"))  # what came from an answer follows it
    assert (it.pull().applied, decided()) == (1, ["rejected"])
    decide("accepted")
    it.says(1, 1, "12:00", choice("accepted"))  # both say the same
    assert (it.pull().problems, decided()) == ([], ["accepted"])


def test_a_count_from_the_table_is_not_overridden(desk: Make) -> None:
    it = desk("quality-figures", "")
    with it.scene.session() as session:
        draw(session, pictures=False)
        (unit,) = (one for one in quality.sampled(session.catalogue, "figure") if one["found"]["panels"] == 4)
        quality.save_judged(session.catalogue, {unit["unit"]: {"panels_right": 3, "panels_missed": 0}})
    it.task["data"][OUR_ID] = quality.asked_as(unit)

    def count(right: int) -> list[dict[str, Any]]:
        named = (("panels_right", right), ("panels_missed", 0))
        return [{"from_name": name, "type": "number", "value": {"number": number}} for name, number in named]

    def judged() -> object:
        with it.scene.session() as session:
            return next(one["judged"] for one in quality.sampled(session.catalogue) if one["unit"] == unit["unit"])

    it.says(1, 1, "10:00", count(2))
    (problem,) = it.pull().problems
    assert "counted otherwise" in problem and judged() == {"panels_right": 3, "panels_missed": 0}
    it.says(1, 1, "10:30", count(3))
    assert (it.pull().problems, it.pull().problems) == ([], [])
    it.says(1, 1, "11:00", count(4))
    assert it.pull().applied == 1 and judged() == {"panels_right": 4, "panels_missed": 0}


def test_what_one_leaves_open_another_counts(desk: Make) -> None:
    it = desk("quality-images", "")
    with it.scene.session() as session:
        screen(session)
        session.catalogue.run("UPDATE screenings SET score = 1, decision = 'accepted'")
        draw(session, pictures=False)
        unit = quality.sampled(session.catalogue, "image")[0]
    it.task["data"][OUR_ID] = quality.asked_as(unit)
    assert unit["claims"] == {"scales": "", "labels": ""}

    def read(what: str, word: str) -> dict[str, Any]:
        return {"from_name": what, "to_name": "image", "type": "choices", "value": {"choices": [word]}}

    def judged() -> object:
        with it.scene.session() as session:
            return next(one["judged"] for one in quality.sampled(session.catalogue) if one["unit"] == unit["unit"])

    it.says(1, 1, "10:00", [*choice("yes"), read("scales", "no, it is another")])
    it.says(2, 2, "10:10", [*choice("yes"), read("labels", "right")])
    assert (it.pull().applied, it.pull().applied) == (1, 0)
    scale = {"scale_right": 0, "scale_missed": 1}
    whole = {"is_micrograph": 1, **scale, "label_right": 0, "label_missed": 0}
    assert judged() == whole
    it.says(2, 2, "10:20", [*choice("yes"), read("scales", "no, there is none")])
    (problem,) = it.pull().problems
    assert "2 people differ" in problem and judged() == whole
    it.says(2, 2, "10:30", choice("yes"))  # what was counted stays until somebody counts otherwise
    assert it.pull().problems == [] and judged() == whole
    it.says(1, 1, "10:40", [*choice("yes"), read("scales", "right")])
    assert it.pull().problems == [] and judged() == whole | {"scale_missed": 0}


@pytest.mark.parametrize("again", [3, 1])
def test_compared_is_with_what_was_made_last_not_with_what_was_said_last(desk: Make, again: int) -> None:
    it, results = boxes(desk)
    x, y, z = (captioned(results, f"Figure 1. {word}.") for word in "XYZ")
    it.says(1, 1, "10:00", x)
    assert it.pull().applied == 1
    it.says(1, 1, "10:30", y)
    it.says(2, 2, "10:20", z)
    assert len(it.pull().problems) == 1
    del it.said[1]
    assert it.pull().applied == 1 and it.scene.figure(1).caption == "Figure 1. Z."
    del it.said[2]
    it.says(again, again, "11:00", x)
    assert it.pull().applied == 1 and it.scene.figure(1).caption == "Figure 1. X."


def test_a_pull_that_was_killed_made_all_of_a_figure_or_nothing(desk: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    it, results = boxes(desk)
    for one in of_panel(results, "a"):
        one["value"] |= {"width": one["value"]["width"] * 0.4}
    it.says(1, 1, "10:00", results)
    write = stored.save_answers

    def killed(catalogue: Any, rows: Sequence[dict[str, Any]]) -> None:
        if any(row["applied"] for row in rows):
            raise KeyboardInterrupt
        write(catalogue, rows)

    monkeypatch.setattr(stored, "save_answers", killed)
    before = it.scene.paper()
    with pytest.raises(KeyboardInterrupt):
        it.pull()
    assert it.scene.paper() == before and it.scene.rows("SELECT * FROM edits") == []
    monkeypatch.setattr(stored, "save_answers", write)
    done = it.pull()
    assert (done.applied, done.problems) == (1, []) and len(it.scene.rows("SELECT * FROM edits")) == 1
    assert it.pull().applied == 0


def test_a_task_with_a_number_too_large_is_named(desk: Make) -> None:
    it, results = boxes(desk)
    sha256, (page, label, box), layout = json.loads(it.task["data"]["asked"])
    it.task["data"]["asked"] = json.dumps([sha256, [page, label, [10**400, *box[1:]]], layout])
    it.says(1, 1, "10:00", results)
    (problem,) = it.pull().problems
    assert "does not say any more which figure it shows" in problem


def test_what_is_too_long_is_named(desk: Make) -> None:
    it, results = boxes(desk)
    of_panel(results, "a")[1]["value"]["text"] = ["a" * 300_000]
    it.says(1, 1, "10:00", results)
    (problem,) = it.pull().problems
    assert "annotation 1 of task 1: The label has 300000 characters; the limit is 100" in problem
    it.says(1, 1, "11:00", captioned(boxes(desk)[1], "Figure 1.\0 A \x1b[31mred\x1b[0m one."))
    assert it.pull().problems == [] and it.scene.figure(1).caption == "Figure 1. A [31mred [0m one."


def test_an_answer_that_its_author_gave_anew_does_not_wait(desk: Make) -> None:
    it, results = boxes(desk)
    it.says(1, 1, "10:00", captioned(results, "Figure 1. X."))
    it.says(2, 1, "10:10", captioned(results, "Figure 1. Y."))
    assert it.pull().applied == 1

    def counts() -> tuple[int, int]:
        with it.scene.session() as session:
            found = stored.answer_counts(session.catalogue, URL, 1)
        return found["annotations"], found["unusable"]

    assert counts() == (2, 0)
    it.says(3, 2, "10:20", captioned(results, "Figure 1. Z."))
    assert len(it.pull().problems) == 1 and counts() == (3, 1)
