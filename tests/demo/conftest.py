"""A small corpus that the tests of the demo share."""

from __future__ import annotations

import pytest

from polydata.demo.corpus import Corpus, make_corpus
from polydata.task import Task


@pytest.fixture(scope="session")
def task() -> Task:
    return Task.load()


@pytest.fixture(scope="session")
def small_corpus(tmp_path_factory: pytest.TempPathFactory, task: Task) -> Corpus:
    return make_corpus(tmp_path_factory.mktemp("demo") / "corpus", papers=4, seed=3, task=task, workers=2)
