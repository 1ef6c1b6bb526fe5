from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.session import open_session
from polydata.task import Task
from polydata.workspace import Workspace

TASK = Task.load()
YES, NO, BETWEEN = TASK.positive, TASK.negative, TASK.partial


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with open_session(Workspace.init(tmp_path)) as opened:
        yield opened.catalogue


def resolve(catalogue: Catalogue, votes: dict[str, str], answers: list[tuple[str, str]] = []) -> dict[str, Any] | None:  # noqa: B006
    catalogue.upsert("panels", [{"panel_id": "p", "figure_id": "f", "position": 0, "image_sha256": "i"}])
    catalogue.upsert(
        "label_votes", [{"panel_id": "p", "source": s, "label": w, "evidence": ""} for s, w in votes.items()]
    )
    catalogue.upsert(
        "annotations",
        [
            {
                "server": "s", "project": 1, "annotation_id": n, "task": 1, "image_sha256": "i", "annotator": who,
                "choice": choice, "cancelled": False, "updated_at": "2026-01-01", "raw": "{}",
            }
            for n, (who, choice) in enumerate(answers)
        ],
    )  # fmt: skip
    return next(iter(catalogue.rows("SELECT * FROM labels")), None)


@pytest.mark.parametrize(
    ("votes", "answers", "label", "source", "conflict"),
    [
        ({"file": YES}, [], YES, "file", False),
        ({"file": YES, "record": NO}, [], YES, "file", True),
        ({"file": YES, "record": BETWEEN}, [], BETWEEN, "record", True),  # a file name cannot say "between"
        ({"rule": NO}, [], NO, "rule", False),
        ({"record": NO, "rule": YES}, [], NO, "record", True),
        ({"file": YES}, [("a", NO)], NO, "review", True),
        ({"file": YES}, [("a", NO), ("b", YES)], None, "review", True),  # nobody else decides a tie
        ({"file": YES}, [("a", NO), ("b", YES), ("c", NO)], NO, "review", True),
        ({"file": YES}, [("a", TASK.unsure)], YES, "file", False),
        ({"file": YES}, [("a", NO), ("b", TASK.unsure)], None, "review", True),
        ({"file": YES}, [("unknown", NO), ("unknown", NO), ("a", YES)], NO, "review", True),  # two people, perhaps
        ({"file": YES, "rule": BETWEEN}, [], YES, "file", True),  # a guess does not refine
        ({"file": YES, "rule": BETWEEN, "record": NO}, [], YES, "file", True),
    ],
)
def test_which_source_wins(
    catalogue: Catalogue,
    votes: dict[str, str],
    answers: list[tuple[str, str]],
    label: str | None,
    source: str,
    conflict: bool,
) -> None:
    row = resolve(catalogue, votes, answers)
    assert row is not None
    assert (row["label"], row["source"], row["conflict"]) == (label, source, conflict)


def test_two_words_from_the_only_source_are_no_label(catalogue: Catalogue) -> None:
    catalogue.upsert(
        "label_votes",
        [
            {"panel_id": "p", "source": "record", "record_id": r, "label": w, "evidence": ""}
            for r, w in (("1", YES), ("2", NO))
        ],
    )
    row = resolve(catalogue, {})
    assert row is not None and row["label"] is None and row["conflict"]


def test_a_finer_source_that_contradicts_itself_refines_nothing(catalogue: Catalogue) -> None:
    votes = [
        {"panel_id": "p", "source": "record", "record_id": r, "label": w, "evidence": ""}
        for r, w in (("1", BETWEEN), ("2", NO))
    ]
    catalogue.upsert("label_votes", votes)
    row = resolve(catalogue, {"file": YES})
    assert row is not None and (row["label"], row["source"], row["conflict"]) == (YES, "file", True)


def test_the_newest_answer_of_a_reviewer_counts_once_over_all_projects(catalogue: Catalogue) -> None:
    resolve(catalogue, {}, [("a", NO), ("a", NO), ("b", YES)])
    catalogue.run("UPDATE annotations SET project = 2 WHERE annotation_id = 1")
    assert catalogue.tuples("SELECT choice, votes, said FROM reviews") == [(None, 2, sorted((NO, YES)))]
    catalogue.run("UPDATE annotations SET choice = ?, updated_at = '2026-01-02' WHERE annotation_id = 1", [YES])
    assert catalogue.tuples("SELECT choice, votes, disputed FROM reviews") == [(YES, 2, False)]


def test_a_number_names_a_user_of_one_server_only(catalogue: Catalogue) -> None:
    resolve(catalogue, {}, [("user 1", NO), ("user 1", NO)])
    assert catalogue.value("SELECT votes FROM reviews") == 1
    catalogue.run("UPDATE annotations SET server = 't' WHERE annotation_id = 1")
    assert catalogue.value("SELECT votes FROM reviews") == 2


def test_cancelled_and_deleted_answers_do_not_count(catalogue: Catalogue) -> None:
    resolve(catalogue, {}, [("a", NO), ("b", NO)])
    catalogue.run("UPDATE annotations SET cancelled = true WHERE annotator = 'a'")
    catalogue.run("UPDATE annotations SET deleted = true WHERE annotator = 'b'")
    assert catalogue.rows("SELECT * FROM labels") == []
