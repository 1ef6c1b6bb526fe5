from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_studio_sdk.label_interface import LabelInterface
from PIL import Image
from review_scene import add_images, make_workspace, picture, results

from polydata.catalogue.annotations import (
    images_to_review,
    list_annotations,
    record_texts,
    review_texts,
    save_pull,
    watermark,
)
from polydata.catalogue.connect import Catalogue
from polydata.catalogue.session import open_session
from polydata.errors import InputError, ServerError, UsageError
from polydata.images.picture import ImageStore, open_picture
from polydata.labels.annotation import MAX_RAW, Annotation, read_annotation
from polydata.labels.page import KINDS, labelling_page, task_data
from polydata.labels.pull import compare
from polydata.labels.push import file_to_show, select_images
from polydata.task import Task

TASK = Task.load()
CHOICES = TASK.choices
TIME = "2026-01-02T03:04:05.678901Z"


def raw(**changes: Any) -> dict[str, Any]:
    base = {"id": 5, "updated_at": TIME, "completed_by": 1, "was_cancelled": False, "result": results(CHOICES[0])}
    return {**base, **changes}


def read(**changes: Any) -> Annotation:
    return read_annotation(raw(**changes), 9, "i", CHOICES)


def test_the_page_is_filled_from_the_task() -> None:
    page = labelling_page(TASK)
    answers = ET.fromstring(page).find(".//Choices")
    assert answers is not None
    assert [c.get("value") for c in answers] == [*TASK.labels, TASK.not_a_micrograph, TASK.unsure]
    assert [c.get("hotkey") for c in answers] == ["1", "2", "3", "4", "5"]
    assert TASK.question in page
    LabelInterface(page).validate()
    assert LabelInterface(page).get_control("answer").labels == list(CHOICES)


def test_every_word_of_the_page_is_in_the_tasks() -> None:
    names = ("caption", "caption_stem", "title", "page", "figure", "panel", "bar_px", "bar_value", "scale_um")
    empty = dict.fromkeys(names)
    row = {"image_sha256": "i", "places": 1, "paper": "p.pdf", **empty}
    values = [e.get("value", "") for e in ET.fromstring(labelling_page(TASK)).iter()]
    wanted = {v[1:] for v in values if v[:1] == "$"}
    data = task_data(row, [], "/u")
    assert wanted <= set(data)
    assert all(data[name] for name in wanted)


def test_one_named_value_so_that_images_can_be_uploaded() -> None:
    for kind in KINDS:
        page = ET.fromstring(labelling_page(TASK, kind=kind))
        named = [e for e in page.iter() if e.get("name") and re.search(r"\$\w", e.get("value", ""))]
        assert [e.get("name") for e in named] == ["image"]


def test_an_answer() -> None:
    found = read(result=results(CHOICES[0], "why <b>"))
    assert (found.choice, found.comment, found.problem) == (CHOICES[0], "why <b>", None)
    assert found.updated_at == datetime(2026, 1, 2, 3, 4, 5, 678901)
    assert read(updated_at="2026-01-02T04:04:05.678901+01:00").updated_at == found.updated_at
    for account, name in ((1, "a@example.org"), ({"id": 1}, "a@example.org"), (2, "user 2"), ("x", "unknown")):
        assert read(completed_by=account).row("s", 1, None, "label", {1: "a@example.org"})["annotator"] == name
    assert read(created_ago="1 minute").raw == read(created_ago="2 days").raw


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"result": []}, "it has no choice"),
        ({"result": results(CHOICES[0]) + results(CHOICES[1])}, "it has 2 choices"),
        ({"result": None}, "it has no choice"),
        ({"result": "hello"}, "it has no choice"),
        ({"padding": "x" * MAX_RAW}, "characters long"),
    ],
)
def test_an_answer_that_cannot_be_used(changes: dict[str, Any], problem: str) -> None:
    found = read(**changes)
    assert found.choice is None
    assert problem in (found.problem or "")
    again = read_annotation(json.loads(found.raw), 9, "i", CHOICES)
    assert (again.choice, again.problem is None) == (None, False)


def test_a_word_that_the_task_does_not_know_stays() -> None:
    found = read(result=results("granular"))
    assert found.choice == "granular"
    assert "'granular' is no choice of the task" in (found.problem or "")
    renamed = read_annotation(raw(result=results("granular")), 9, "i", CHOICES, {"granular": CHOICES[0]})
    assert (renamed.choice, renamed.problem) == (CHOICES[0], None)


def test_a_skipped_task_is_no_problem() -> None:
    found = read(was_cancelled=True, result=[])
    assert (found.choice, found.cancelled, found.problem) == (None, True, None)


@pytest.mark.parametrize("changes", [{"id": None}, {"updated_at": "yesterday"}, {"updated_at": 3}])
def test_an_annotation_without_number_or_time(changes: dict[str, Any]) -> None:
    with pytest.raises(ServerError, match="without number or time"):
        read(**changes)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["from_name", "value", "choices", "text", "id"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(result=anything, who=anything, cancelled=anything)
def test_no_answer_of_a_server_breaks_reading(result: Any, who: Any, cancelled: Any) -> None:
    found = read(result=result, completed_by=who, was_cancelled=cancelled)
    assert found.choice in (None, *CHOICES)
    assert (found.choice is None) == (found.problem is not None or found.cancelled)


def known(number: int, task: int, **changes: Any) -> dict[str, Any]:
    found = read(id=number)
    row = {"task": task, "choice": found.choice, "comment": None, "cancelled": False, "updated_at": found.updated_at}
    return {**row, "deleted": False, **changes}


def test_what_has_changed() -> None:
    before = {1: known(1, 1), 2: known(2, 2), 3: known(3, 1), 4: known(4, 4), 5: known(5, 1, deleted=True)}
    pulled = [read(id=1), read(id=3, result=results(CHOICES[1])), read(id=5), read(id=6)]
    part = compare(before, pulled, {1, 2}, complete=False)
    assert [a.annotation_id for a in part.new] == [6]
    assert [a.annotation_id for a in part.changed] == [3, 5]
    assert (part.unchanged, part.deleted, part.live) == (1, [2], 5)
    assert compare(before, pulled, {1, 2}, complete=True).deleted == [2, 4]


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    workspace = make_workspace(tmp_path, "http://127.0.0.1:9", "review")
    add_images(workspace, [picture(n) for n in range(5)], status="done")
    with open_session(workspace) as opened:
        yield opened.catalogue


def screen(catalogue: Catalogue, version: str, accepted: list[int]) -> None:
    hashes = [s for (s,) in catalogue.tuples("SELECT image_sha256 FROM panels ORDER BY position")]
    rows = [
        {
            "image_sha256": sha256, "rule": "pixels", "version": version, "score": 0.5, "reason": "",
            "decision": "accepted" if n in accepted else "rejected",
        }
        for n, sha256 in enumerate(hashes)
    ]  # fmt: skip
    catalogue.upsert("screenings", rows)


def test_which_images_are_asked_about(catalogue: Catalogue) -> None:
    with pytest.raises(UsageError, match="No image was screened") as caught:
        select_images(images_to_review(catalogue), "accepted", None)
    assert "polydata screen" in caught.value.hint
    assert len(select_images(images_to_review(catalogue), "all", None)) == 5
    screen(catalogue, "1", [0, 1, 2, 3, 4])
    screen(catalogue, "2", [1, 2, 3])  # the newest version counts
    chosen = [r["image_sha256"] for r in select_images(images_to_review(catalogue), "accepted", None)]
    captions = [review_texts(catalogue, chosen)[image]["caption"] for image in chosen]
    assert captions == [f"blend <b>{n}</b>" for n in (1, 2, 3)]
    assert len(select_images(images_to_review(catalogue), "accepted", 2)) == 2
    vote = {"panel_id": "panel-00002", "source": "rule", "label": TASK.positive, "evidence": ""}
    catalogue.upsert("label_votes", [vote])
    assert len(select_images(images_to_review(catalogue), "unlabelled", None)) == 2
    with pytest.raises(UsageError, match="has no images"):
        select_images([], "accepted", None)


def test_an_image_of_two_panels_is_asked_about_once(catalogue: Catalogue) -> None:
    first = catalogue.rows("SELECT * FROM panels ORDER BY position")[0]
    catalogue.upsert("panels", [{**first, "panel_id": "panel-again", "position": 9}])
    rows = list(images_to_review(catalogue))
    assert len(rows) == 5
    texts = review_texts(catalogue, [row["image_sha256"] for row in rows])
    assert "and 1 more with the same image" in task_data(texts[rows[0]["image_sha256"]], [], "/u")["place"]


def test_no_label_is_shown_to_a_reviewer(catalogue: Catalogue) -> None:
    catalogue.run("UPDATE records SET compatibility = ?", [TASK.positive])
    images = [row["image_sha256"] for row in images_to_review(catalogue)]
    texts, records = review_texts(catalogue, images), record_texts(catalogue, images)
    shown = json.dumps([task_data(texts[i], records.get(i, []), "/u") for i in images])
    assert "PLA; PBAT" in shown
    assert not any(word in shown for word in TASK.labels)


def test_a_pull_is_written_whole(catalogue: Catalogue) -> None:
    rows = [read(id=n).row("http://s", 3, "m", "label", {}) for n in (1, 2)]
    save_pull(catalogue, "http://s", 3, "m", annotations=rows, deleted=[], pulled_to=TIME)
    assert watermark(catalogue, "http://s", 3, "m") == TIME
    assert watermark(catalogue, "http://s", 4, "m") is None
    save_pull(catalogue, "http://s", 3, "m", annotations=[], deleted=[2], pulled_to=None)
    assert [r["deleted"] for r in list_annotations(catalogue)] == [False, True]
    assert watermark(catalogue, "http://s", 3, "m") == TIME
    with pytest.raises(KeyError):
        save_pull(catalogue, "http://s", 3, "m", annotations=[*rows, {}], deleted=[1], pulled_to="later")
    assert [r["deleted"] for r in list_annotations(catalogue)] == [False, True]


def test_alpha_that_hides_nothing_needs_no_copy(tmp_path: Path) -> None:
    opaque = io.BytesIO()
    Image.open(io.BytesIO(picture(1, "RGB"))).convert("RGBA").save(opaque, "PNG")
    store = ImageStore(tmp_path)
    info = store.put(opaque.getvalue())
    assert file_to_show(store, info.sha256, info.format) == store.path(info.sha256, info.format)


@pytest.mark.parametrize(
    ("mode", "form", "same"),
    [("L", "PNG", True), ("RGB", "JPEG", True), ("RGBA", "PNG", False), ("L", "TIFF", False)],
)
def test_a_browser_gets_what_the_program_sees(tmp_path: Path, mode: str, form: str, same: bool) -> None:
    store = ImageStore(tmp_path)
    info = store.put(picture(1, mode, form))
    path = file_to_show(store, info.sha256, info.format)
    assert (path == store.path(info.sha256, info.format)) is same
    assert path.suffix in (".png", ".jpg")
    assert open_picture(path).tobytes() == open_picture(store.path(info.sha256, info.format)).tobytes()
    assert file_to_show(store, info.sha256, info.format) == path
    store.path(info.sha256, info.format).unlink()
    with pytest.raises(InputError, match="is not in the store"):
        file_to_show(store, info.sha256, info.format)
