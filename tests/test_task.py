from __future__ import annotations

import re
from pathlib import Path

import pytest

from polydata.errors import InputError
from polydata.resources import PACKAGE, schemas
from polydata.task import Task


def test_the_shipped_task() -> None:
    task = Task.load()
    assert {task.positive, task.negative, task.partial} == set(task.labels)
    assert tuple(task.partial_policies()) == ("drop", f"as-{task.positive}", f"as-{task.negative}", "own-class")
    assert [s.name for s in task.sources] == ["review", "file", "record", "rule"]
    assert [s.name for s in task.sources if s.refines] == ["review", "record"]


def test_without_the_positive_label_the_first_that_occurs_is_positive() -> None:
    task, order = Task.load(), Task.load("compatibility_ordered")
    assert task.positive_among(task.labels) == order.positive_among(order.labels) == task.positive
    others = [[label for label in one.labels if label != task.positive] for one in (task, order)]
    assert [task.positive_among(others[0]), order.positive_among(others[1])] == [task.negative, task.partial]
    assert Task.load("domain_spacing").positive_among(["low", "high"]) == "high"


def test_spellings_ignore_case_spaces_and_underscores() -> None:
    task = Task.load()
    assert task.label_of(f"  {task.partial.replace('_', '  ').upper()} ") == task.partial
    for label in task.labels:
        assert task.label_of(label) == label
    assert task.label_of("who knows") is None


def test_no_label_stands_in_code() -> None:
    words = re.compile(f"""["']({"|".join(Task.load().labels)})["']""")
    roots = (PACKAGE, PACKAGE.parent / "polymodel")
    guilty = [str(p) for root in roots for p in root.rglob("*.py") if words.search(p.read_text(encoding="utf-8"))]
    assert guilty == []


@pytest.mark.parametrize("name", ["nothing", "../tasks/compatibility", "no/such.toml"])
def test_a_missing_task_is_an_error(name: str) -> None:
    with pytest.raises(InputError):
        Task.load(name)


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ('positive = "', 'positive = "never_', "labels that it does not list"),
        ('positive = "', 'was = "', "lacks the key"),
        ("pattern = '", "pattern = '(", "is not a task"),
        ("[review]", "[review", "is not a task"),
        ('labels = ["compatible"', 'labels = [["a"], "compatible"', "is not a task"),
        ("[review]", f"deep = {'[' * 5000}\n[review]", "is not a task"),
        ("refines = true", "refines = 'yes'", "must be true or false"),
    ],
)
def test_a_broken_task_names_its_fault(old: str, new: str, part: str, tmp_path: Path) -> None:
    path = tmp_path / "t.toml"
    path.write_text((schemas() / "tasks/compatibility.toml").read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=part):
        Task.load(str(path))
