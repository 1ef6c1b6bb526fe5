"""Resolving answers that differ, labels set by hand, and the history of every label."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import run, run_json
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from workspaces import bare_session

from polydata.catalogue.by_hand import reattach, spots
from polydata.catalogue.connect import Catalogue
from polydata.catalogue.resolution import current_method, history_of
from polydata.catalogue.session import open_session
from polydata.choices import MethodName
from polydata.errors import InputError, UsageError
from polydata.labels.consensus import majority
from polydata.labels.resolve import resolution, resolve, set_label, settle, undo
from polydata.task import Task
from polydata.upkeep.merge import merge
from polydata.workspace import Workspace

TASK = Task.load()
YES, NO, BETWEEN = TASK.positive, TASK.negative, TASK.partial
IMAGE = {"phash": "0" * 16, "width": 1, "height": 1, "format": "PNG", "mode": "L", "alpha_only": False, "size_bytes": 1}
PEOPLE = ("ann", "ben", "cat", "dan")


def sha(number: int) -> str:
    return f"{number:064x}"


def add_images(catalogue: Catalogue, count: int = 6) -> None:
    """Images, each a panel of one figure, called incompatible by their file names."""
    catalogue.upsert("papers", [{"paper_id": "paper-1", "source": "test", "file_name": "a.pdf", "status": "imported",
                                 "extractor": "test"}])  # fmt: skip
    catalogue.upsert("figures", [{"figure_id": "figure-1", "paper_id": "paper-1", "page": 1, "label": "Figure 1",
                                  "method": "test", "confidence": 1.0}])  # fmt: skip
    images = range(1, count + 1)
    catalogue.upsert("images", [{"sha256": sha(n), **IMAGE, "phash": f"{n * 7919:016x}"} for n in images])
    catalogue.upsert("panels", [{"panel_id": f"panel-{n:016}", "figure_id": "figure-1", "position": n,
                                 "image_sha256": sha(n)} for n in images])  # fmt: skip
    catalogue.upsert("label_votes", [{"panel_id": f"panel-{n:016}", "source": "file", "label": NO, "evidence": "x"}
                                     for n in images])  # fmt: skip


def say(catalogue: Catalogue, image: int, given: dict[str, str], **more: Any) -> None:
    """Answers of people on an image."""
    rows = [
        {
            "server": "s", "project": 1, "annotation_id": 100 * image + PEOPLE.index(who), "task": image,
            "image_sha256": sha(image), "annotator": who, "choice": choice, "cancelled": False,
            "updated_at": "2026-01-01", "raw": "{}", **more,
        }
        for who, choice in given.items()
    ]  # fmt: skip
    catalogue.upsert("annotations", rows)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Workspace.init(tmp_path / "w")
    with open_session(made) as session:
        add_images(session.catalogue)
        say(session.catalogue, 1, {"ann": YES, "ben": YES, "cat": YES})
        say(session.catalogue, 2, {"ann": YES, "ben": NO})
        say(session.catalogue, 3, {"ann": YES, "ben": YES, "cat": NO})
        say(session.catalogue, 4, {"ann": YES, "ben": NO, "cat": BETWEEN})
        say(session.catalogue, 5, {"cat": YES})
    return made


@pytest.fixture
def catalogue(workspace: Workspace) -> Iterator[Catalogue]:
    with open_session(workspace) as opened:
        yield opened.catalogue


def labels(catalogue: Catalogue) -> dict[int, tuple[str | None, str]]:
    rows = catalogue.tuples("SELECT image_sha256, label, source FROM labels ORDER BY image_sha256")
    return {int(image, 16): (label, source) for image, label, source in rows}


def choices(catalogue: Catalogue) -> dict[int, str | None]:
    return {int(i, 16): c for i, c in catalogue.tuples("SELECT image_sha256, choice FROM reviewers ORDER BY 1")}


def test_the_majority_is_the_beginning(catalogue: Catalogue) -> None:
    assert str(current_method(catalogue)) == "majority"
    assert choices(catalogue) == {1: YES, 2: None, 3: YES, 4: None, 5: YES}
    assert labels(catalogue)[2] == (None, "review")
    assert labels(catalogue)[6] == (NO, "file")


def test_an_adjudicator_decides_where_others_differ(catalogue: Catalogue) -> None:
    """cat decides 3, where she stands alone against two who agree? No: those two outvote her. In 4 all differ."""
    found = resolve(bare_session(catalogue, TASK), MethodName.ADJUDICATOR, "cat")
    assert choices(catalogue) == {1: YES, 2: None, 3: YES, 4: BETWEEN, 5: YES}
    assert [int(str(r["image_sha256"]), 16) for r in found.unresolved] == [2]
    say(catalogue, 2, {"cat": NO})
    assert choices(catalogue)[2] == NO
    resolve(bare_session(catalogue, TASK), MethodName.ADJUDICATOR, "ben")
    assert choices(catalogue)[4] == NO


def test_one_against_one_the_adjudicator_counts(catalogue: Catalogue) -> None:
    resolve(bare_session(catalogue, TASK), MethodName.ADJUDICATOR, "ben")
    assert choices(catalogue)[2] == NO


def test_gold_always_wins(catalogue: Catalogue) -> None:
    resolve(bare_session(catalogue, TASK), MethodName.GOLD, "cat")
    assert choices(catalogue) == {1: YES, 2: None, 3: NO, 4: BETWEEN, 5: YES}


def test_answers_marked_as_ground_truth(catalogue: Catalogue) -> None:
    with pytest.raises(InputError, match="marked as ground truth"):
        resolve(bare_session(catalogue, TASK), MethodName.GOLD)
    say(catalogue, 2, {"dan": BETWEEN}, raw='{"ground_truth": true}')
    resolve(bare_session(catalogue, TASK), MethodName.GOLD)
    assert choices(catalogue) == {1: YES, 2: BETWEEN, 3: YES, 4: None, 5: YES}
    say(catalogue, 2, {"cat": NO}, raw='{"ground_truth": true}')
    assert choices(catalogue)[2] is None


def test_dawid_skene_is_worked_out_anew_and_never_stale(catalogue: Catalogue) -> None:
    rng = random.Random(1)
    add_images(catalogue, 80)
    for image in range(10, 81):
        truth = rng.choice((YES, NO))
        other = NO if truth == YES else YES
        right = {"ann": 0.98, "ben": 0.98, "cat": 0.5, "dan": 0.5}
        say(catalogue, image, {who: truth if rng.random() < p else other for who, p in right.items()})
    found = resolve(bare_session(catalogue, TASK), MethodName.DAWID_SKENE)
    before = choices(catalogue)
    assert before[2] is None, "one against one stays a tie"
    assert len(found.unresolved) < sum(c is None for c in _by_majority(catalogue).values())
    say(catalogue, 3, {"dan": NO})
    assert choices(catalogue)[3] is None, "what was worked out of other answers does not count"
    settle(catalogue)
    assert choices(catalogue)[3] == YES
    assert before[1] == YES


def _by_majority(catalogue: Catalogue) -> dict[str, str | None]:
    rows = catalogue.tuples("SELECT image_sha256, list(choice) FROM answers GROUP BY 1")
    return {image: majority(given) for image, given in rows}


ANSWERS = st.fixed_dictionaries({}, optional={person: st.sampled_from([YES, NO, BETWEEN]) for person in PEOPLE})


@given(given=st.lists(ANSWERS, max_size=6))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_answers(catalogue: Catalogue, given: list[dict[str, str]]) -> None:
    catalogue.run("DELETE FROM annotations")
    catalogue.run("DELETE FROM resolution")
    for image, answers in enumerate(given, 1):
        say(catalogue, image, answers)
    by_most = {n: majority(list(answers.values())) for n, answers in enumerate(given, 1) if answers}
    assert choices(catalogue) == by_most
    if any("ann" in answers for answers in given):
        resolve(bare_session(catalogue, TASK), MethodName.GOLD, "ann")
        assert choices(catalogue) == {n: given[n - 1].get("ann", choice) for n, choice in by_most.items()}
        resolve(bare_session(catalogue, TASK), MethodName.ADJUDICATOR, "ann")
        assert choices(catalogue) == {n: adjudicated(given[n - 1], by_most[n]) for n in by_most}


def adjudicated(answers: dict[str, str], by_most: str | None) -> str | None:
    """What the manual says, in other words than the SQL: ann is overruled by two or more others of one mind alone."""
    others = [choice for person, choice in answers.items() if person != "ann"]
    if "ann" not in answers or (len(others) > 1 and len(set(others)) == 1):
        return by_most
    return answers["ann"]


@pytest.mark.parametrize(
    ("name", "annotator", "error", "message"),
    [
        (MethodName.ADJUDICATOR, None, UsageError, "must be named"),
        (MethodName.ADJUDICATOR, "eve", InputError, "Nobody called 'eve'"),
        (MethodName.MAJORITY, "ann", UsageError, "takes no name"),
    ],
)
def test_a_method_needs_what_it_needs(
    catalogue: Catalogue, name: MethodName, annotator: str | None, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        resolve(bare_session(catalogue, TASK), name, annotator)
    assert current_method(catalogue).name == "majority"


def test_a_label_set_by_hand_wins_until_it_is_taken_back(catalogue: Catalogue) -> None:
    for choice in (YES, BETWEEN):
        set_label(bare_session(catalogue, TASK), sha(2), choice, reason="seen again", by="eve")
        assert labels(catalogue)[2] == (choice, "manual")
        assert all(row["image_sha256"] != sha(2) for row in resolution(bare_session(catalogue, TASK)).unresolved)
    set_label(bare_session(catalogue, TASK), "panel-0000000000000006", YES, reason="caption", by="eve")
    assert labels(catalogue)[6] == (YES, "manual")
    assert undo(bare_session(catalogue, TASK))["image_sha256"] == sha(6)
    assert labels(catalogue)[6] == (NO, "file")
    undo(bare_session(catalogue, TASK), sha(2), by="eve")
    assert labels(catalogue)[2] == (YES, "manual")
    undo(bare_session(catalogue, TASK))
    assert labels(catalogue)[2] == (None, "review")
    with pytest.raises(UsageError, match="No label was set by hand"):
        undo(bare_session(catalogue, TASK))


def test_it_is_what_a_split_takes(catalogue: Catalogue) -> None:
    from polydata.splits.build import choose_images
    from polydata.splits.options import SplitOptions

    set_label(bare_session(catalogue, TASK), sha(2), YES, reason="seen again")
    set_label(bare_session(catalogue, TASK), sha(1), TASK.not_a_micrograph, reason="a drawing")
    chosen = choose_images(bare_session(catalogue, TASK), SplitOptions())
    assert sha(1) not in chosen.labels
    assert chosen.labels[sha(2)] == (YES, "manual")


@pytest.mark.parametrize(("choice", "reason"), [("maybe", "x"), (YES, "  "), (YES, "x" * 3000)])
def test_what_cannot_be_set(catalogue: Catalogue, choice: str, reason: str) -> None:
    with pytest.raises(UsageError):
        set_label(bare_session(catalogue, TASK), sha(1), choice, reason=reason)
    with pytest.raises(InputError):
        set_label(bare_session(catalogue, TASK), "ffffffff", YES, reason="x")
    assert history_of(catalogue, sha(1))[-1]["what"] != "set"


def test_every_change_is_noted_whatever_made_it(workspace: Workspace) -> None:
    with open_session(workspace) as session:
        first = history_of(session.catalogue, sha(6))
        assert [(r["what"], r["from_label"], r["to_label"], r["to_source"]) for r in first] == [
            ("sources", None, NO, "file")
        ]
        assert [(r["what"], r["who"]) for r in history_of(session.catalogue, sha(1))] == [("answers", "ann, ben, cat")]
        say(session.catalogue, 6, {"ann": YES})
    with open_session(workspace) as session:
        resolve(session, MethodName.GOLD, "cat")
        set_label(session, sha(6), BETWEEN, reason="two Tg", by="eve")
        undo(session, by="eve")
        session.catalogue.run("UPDATE annotations SET deleted = true WHERE image_sha256 = ?", [sha(6)])
    with open_session(workspace, read_only=True) as session:
        rows = history_of(session.catalogue, sha(6))
        assert [(r["what"], r["who"], r["from_label"], r["to_label"]) for r in rows] == [
            ("sources", None, None, NO),
            ("answers", "ann", NO, YES),
            ("set", "eve", YES, BETWEEN),
            ("undo", "eve", BETWEEN, YES),
            ("answers", None, YES, NO),
        ]
        assert rows[2]["reason"] == f"{BETWEEN}: two Tg"
        changed = [r for r in history_of(session.catalogue) if r["what"] == "resolve"]
        assert {(r["image_sha256"], r["reason"]) for r in changed} == {(sha(3), "gold cat"), (sha(4), "gold cat")}
        assert [r["number"] for r in rows] == sorted({r["number"] for r in rows})


def test_a_session_that_fails_is_caught_up_with(workspace: Workspace) -> None:
    with pytest.raises(RuntimeError), open_session(workspace) as session:
        say(session.catalogue, 6, {"ann": YES})
        raise RuntimeError
    with open_session(workspace) as session:
        assert len(history_of(session.catalogue, sha(6))) == 1
    with open_session(workspace, read_only=True) as session:
        assert history_of(session.catalogue, sha(6))[-1]["to_label"] == YES


def test_a_merge_brings_labels_set_by_hand(workspace: Workspace, tmp_path: Path) -> None:
    other = Workspace.init(tmp_path / "other")
    with open_session(other) as session:
        add_images(session.catalogue)
        set_label(session, sha(1), NO, reason="there", by="fay")
        set_label(session, sha(2), NO, reason="there", by="fay")
    with open_session(workspace) as session:
        set_label(session, sha(1), YES, reason="here", by="eve")
        done = merge(session, other)
        assert done.came["label_decisions"] == 1 and done.kept["label_decisions"] == [sha(1)]
        assert labels(session.catalogue)[1] == (YES, "manual") and labels(session.catalogue)[2] == (NO, "manual")
        assert undo(session)["decided_by"] == "eve"


def test_on_the_command_line(workspace: Workspace) -> None:
    place = workspace.root
    shown = run_json("polydata", "label", "resolve", workspace=place)
    assert shown["method"] == "majority" and len(shown["unresolved"]) == 2
    done = run_json("polydata", "label", "resolve", "cat", "--method", "adjudicator", workspace=place)
    assert (done["method"], done["annotator"], done["changed"]) == ("adjudicator", "cat", 1)
    assert run_json("polydata", "label", "resolve", workspace=place)["annotator"] == "cat"
    run("polydata", "label", "resolve", "cat", workspace=place, expect=2)
    run_json("polydata", "label", "set", sha(2)[:64], YES, "--reason", "<b>seen</b>", "--by", "eve", workspace=place)
    (row,) = [r for r in run_json("polydata", "label", "history", sha(2), workspace=place) if r["what"] == "set"]
    assert (row["who"], row["to_label"], row["to_source"]) == ("eve", YES, "manual")
    assert "eve" in run("polydata", "label", "history", sha(2), workspace=place).stdout
    assert run_json("polydata", "label", "undo", workspace=place)["choice"] == YES
    pairs = [sha(1), NO, sha(2), YES, "--reason", "seen"]  # all or none
    run("polydata", "label", "set", *pairs[:2], sha(1), YES, *pairs[-2:], workspace=place, expect=2)
    run("polydata", "label", "set", *pairs[:3], *pairs[-2:], workspace=place, expect=2)
    labels = run_json("polydata", "label", "set", *pairs, workspace=place)["labels"]
    assert labels == {sha(1): NO, sha(2): YES}
    for image in (1, 2):
        assert run_json("polydata", "label", "undo", sha(image), workspace=place)["image_sha256"] == sha(image)
    said = run("polydata", "label", "undo", workspace=place, expect=2)
    assert "No label was set by hand" in said.stderr


def test_a_label_set_by_hand_goes_to_the_picture_that_takes_its_place(catalogue: Catalogue) -> None:
    """A figure cut anew: panel 1 shows image 6 now, which no other panel shows; image 2 is still shown elsewhere."""
    box = {"x0": 0.0, "y0": 0.0, "x1": 10.0, "y1": 10.0}
    catalogue.run("UPDATE panels SET x0 = 0, y0 = 0, x1 = 10, y1 = 10")
    catalogue.run("DELETE FROM panels WHERE image_sha256 = ?", [sha(6)])
    set_label(bare_session(catalogue, TASK), sha(1), YES, reason="seen")
    set_label(bare_session(catalogue, TASK), sha(2), YES, reason="seen")
    before = spots(catalogue, ["paper-1"])
    catalogue.run("UPDATE panels SET image_sha256 = ? WHERE image_sha256 = ?", [sha(6), sha(1)])
    extra = {"panel_id": "panel-again", "figure_id": "figure-1", "position": 9, "image_sha256": sha(2), **box}
    catalogue.upsert("panels", [extra])
    catalogue.run("UPDATE panels SET image_sha256 = ? WHERE panel_id = ?", [sha(5), f"panel-{2:016}"])
    with catalogue.transaction():
        reattach(catalogue, before, spots(catalogue, ["paper-1"]), {})
    decided = catalogue.tuples("SELECT image_sha256 FROM decided ORDER BY 1")
    assert decided == [(sha(2),), (sha(6),)]
