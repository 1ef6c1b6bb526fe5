"""A limit is one of new tasks, so that pushes one after the other come to the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from split_corpus import NO, YES, Corpus

from polydata.catalogue.session import open_session
from polydata.labels import asking
from polydata.labels import push as pushing
from polydata.labels.asking import ask
from polydata.labels.labelstudio.project import Project
from polydata.labels.push import push, queue
from polydata.workspace import Workspace


class Server:
    """Stands for a server with one project: it keeps which images have a task."""

    def __init__(self) -> None:
        self.tasks: dict[str, int] = {}

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        project = Project(
            1, "p", "http://127.0.0.1/p", 0, 0, "", "", shows_instruction=False, model_version="", answers=None
        )
        for module in (pushing, asking):
            monkeypatch.setattr(module, "open_project", lambda *_: (self, project))
            monkeypatch.setattr(module, "addresses", lambda *words: dict.fromkeys(words[-1], "url"))
            monkeypatch.setattr(module, "make_tasks", self.make)
        monkeypatch.setattr(pushing.server_tasks, "existing_tasks", lambda *_: dict(self.tasks))

    def make(self, _: Any, __: Any, subjects: Sequence[str], *___: Any) -> None:
        self.tasks |= {one: len(self.tasks) for one in subjects}


@pytest.fixture
def corpus(tmp_path: Path) -> Iterator[Corpus]:
    with open_session(Workspace.init(tmp_path)) as session:
        made = Corpus(session)
        made.paper("a")
        for number in range(5):
            image = made.image("a", number)
            made.screening(image, "accepted")
            made.answer(image, YES, NO)
        yield made


@pytest.mark.parametrize(
    "pushed",
    [
        lambda session: push(session, limit=2),
        lambda session: push(session, "all", 2),
        lambda session: queue(session, 2),
        lambda session: ask(session, "screening", limit=2),
    ],
)
def test_the_next_push_goes_on_behind_the_first(corpus: Corpus, monkeypatch: pytest.MonkeyPatch, pushed: Any) -> None:
    server = Server()
    server.install(monkeypatch)
    done = [pushed(corpus.session) for _ in range(4)]
    assert [(one.selected, one.created, one.present, one.left) for one in done] == [
        (5, 2, 0, 3), (5, 2, 2, 1), (5, 1, 4, 0), (5, 0, 5, 0)
    ]  # fmt: skip


def test_an_image_that_cannot_be_shown_does_not_stand_in_the_way(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server()
    server.install(monkeypatch)
    first: Mapping[str, Any] = next(iter(pushing.stored.images_to_review(corpus.catalogue)))
    corpus.session.images.path(first["image_sha256"], first["format"]).unlink()
    done = [push(corpus.session, limit=1) for _ in range(5)]
    assert [one.created for one in done] == [1, 1, 1, 1, 0]
    assert (len(done[0].problems), done[-1].left) == (1, 0)


def test_a_screening_shows_all_that_the_caption_says(corpus: Corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    Server().install(monkeypatch)
    corpus.catalogue.run("UPDATE panels SET caption = 'neat', caption_stem = 'SEM of blends' WHERE position = 0")
    corpus.catalogue.run("UPDATE panels SET caption = NULL, caption_stem = 'SEM of blends' WHERE position > 0")
    tasks: list[Any] = []
    monkeypatch.setattr(asking, "make_tasks", lambda _, __, images, made, ___: tasks.extend(made(images)))
    ask(corpus.session, "screening")
    assert {one["data"]["caption"] for one in tasks} <= {"neat\nSEM of blends", "SEM of blends"}
