"""Agreement among people: against values worked out by others, against scikit-learn, and on the seed's researchers."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path

import openpyxl
import pytest
from commands import run, run_json
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score, precision_recall_fscore_support

from polydata.catalogue.session import open_session
from polydata.errors import InputError, UsageError
from polydata.labels.agreement import agreement, table_agreement
from polydata.labels.consensus import Answer, cohen_kappa, dawid_skene, fleiss_kappa, majority, pairwise, scores
from polydata.task import Task
from polydata.workspace import Workspace

TASK = Task.load()
WORDS = st.sampled_from(["a", "b", "c"])


def spread(counts: list[int]) -> list[str]:
    """Answers from the number of each."""
    return [word for word, number in zip("abcde", counts, strict=False) for _ in range(number)]


def test_fleiss_kappa_of_the_textbook() -> None:
    """The worked example of Fleiss (1971) as it stands in encyclopaedias: 10 subjects, 14 raters, kappa 0.210."""
    table = [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip
    assert fleiss_kappa([spread(row) for row in table]) == pytest.approx(0.20993, abs=1e-5)


def test_cohen_kappa_of_the_textbook() -> None:
    """50 applications, 20 both yes, 15 both no, 5 and 10 apart: kappa 0.4."""
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert cohen_kappa(pairs) == pytest.approx(0.4)


@given(st.lists(st.tuples(WORDS, WORDS), max_size=60))
def test_two_raters(pairs: list[tuple[str, str]]) -> None:
    """Cohen's is scikit-learn's; Fleiss' is Scott's pi, worked out here in another way."""
    cohen = cohen_kappa(pairs)
    fleiss = fleiss_kappa(pairs)
    if len({w for pair in pairs for w in pair}) < 2:
        assert cohen is None and fleiss is None
        return
    first, second = zip(*pairs, strict=True)
    assert cohen == pytest.approx(cohen_kappa_score(first, second))
    seen = [w for pair in pairs for w in pair]
    chance = sum((seen.count(w) / len(seen)) ** 2 for w in set(seen))
    agreed = sum(a == b for a, b in pairs) / len(pairs)
    assert fleiss == pytest.approx((agreed - chance) / (1 - chance))
    assert -1 - 1e-9 <= fleiss <= 1 + 1e-9


@given(st.lists(st.lists(WORDS, max_size=6), max_size=30), st.randoms())
def test_fleiss_kappa_has_bounds_and_no_order(ratings: list[list[str]], random: object) -> None:
    value = fleiss_kappa(ratings)
    assert value is None or (math.isfinite(value) and value <= 1 + 1e-9)
    shuffled = [random.sample(one, len(one)) for one in ratings]  # type: ignore[attr-defined]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    again = fleiss_kappa(shuffled)
    assert value == pytest.approx(again) if value is not None else again is None


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=40))
def test_scores_are_those_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    found = scores(pairs, "a")
    truth, said = zip(*[(t == "a", s == "a") for t, s in pairs], strict=True)
    precision, recall, f1, _ = precision_recall_fscore_support(
        truth, said, average="binary", pos_label=True, zero_division=float("nan")
    )
    for name, value in (("precision", precision), ("recall", recall), ("f1", f1)):
        assert found[name] == (None if math.isnan(value) else pytest.approx(value)), name


def answers(table: dict[str, str]) -> list[Answer]:
    """From image -> a letter for each annotator A, B, C ...; a dot for no answer."""
    return [
        Answer(image, who, choice)
        for image, given in table.items()
        for who, choice in zip("ABCDEFGH", given, strict=False)
        if choice != "."
    ]


def test_majority_and_ties() -> None:
    assert majority(["a", "b", "a"]) == "a"
    assert majority(["a", "b"]) is None
    assert majority([]) is None


def test_dawid_skene_trusts_those_who_are_right() -> None:
    """Two good annotators against three who answer at random: the model finds the good ones, the majority does not."""
    import random

    rng = random.Random(0)
    truth = {f"i{n}": rng.choice("ab") for n in range(200)}
    table = {
        image: "".join((label if rng.random() < right else "ab"[label == "a"]) for right in (0.97, 0.97, 0.5, 0.5, 0.5))
        for image, label in truth.items()
    }
    found = dawid_skene(answers(table))
    model = sum(found[i].choice == t for i, t in truth.items())
    votes = sum(majority(list(table[i])) == t for i, t in truth.items())
    assert model > 185 > votes
    assert all(0.5 <= one.probability <= 1 for one in found.values())
    assert dawid_skene(list(reversed(answers(table)))) == found


def test_dawid_skene_decides_nothing_between_two() -> None:
    found = dawid_skene(answers({"i1": "aa", "i2": "ab", "i3": "bb", "i4": "a.", "i5": "bb"}))
    assert found["i2"].choice is None and found["i2"].disputed
    assert (found["i1"].choice, found["i3"].choice, found["i4"].choice) == ("a", "b", "a")
    assert dawid_skene([]) == {}


def test_pairs_have_only_what_both_answered() -> None:
    pairs = pairwise(answers({"i1": "aa", "i2": "ab", "i3": "a..b"}))
    assert [(p.first, p.second, p.images, p.agreement) for p in pairs] == [
        ("A", "B", 2, 0.5), ("A", "D", 1, 0.0), ("B", "D", 0, None),
    ]  # fmt: skip
    assert pairs[0].kappa == 0 and pairs[2].kappa is None


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "answers.csv"
    path.write_text("image,truth,R1,R2,R3,note\na,1,1,1,0,x\nb,0,0,1,1,\nc,0,0,0,0,\nd,1,1,,1,\ne,,1,1,1,\n")
    return path


def test_a_table_and_its_gaps(table: Path) -> None:
    found = table_agreement(table, TASK, truth="truth", raters=["R*"], top=2)
    assert found.images == 3
    assert [(r["row"], r["first_cell"], r["missing"]) for r in found.left_out] == [
        (5, "d", ["R2"]), (6, "e", ["truth"]),
    ]  # fmt: skip
    assert found.positive == "1" and found.truth == {"0": 2, "1": 1}
    assert found.raters == {"R1": 1.0, "R2": pytest.approx(2 / 3), "R3": pytest.approx(1 / 3)}
    assert found.majority_vote_accuracy == pytest.approx(2 / 3)
    assert found.top_k["raters"] == ["R1", "R2"] and found.top_k["k"] == 2
    assert found.top_k["accuracy"] == pytest.approx(5 / 6)
    assert "same images" in found.top_k["picked_by"]
    json.dumps(asdict(found), allow_nan=False)


def test_a_workbook_and_words(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["image", "truth", "Ann", "Ben"], ["a", TASK.positive, TASK.positive, TASK.negative],
                ["b", TASK.negative, TASK.negative, TASK.negative]):  # fmt: skip
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    found = table_agreement(tmp_path / "t.xlsx", TASK, truth="truth", raters=["Ann", "B*"])
    assert found.positive == TASK.positive and list(found.raters) == ["Ann", "Ben"]
    assert found.majority_ties == 1


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"truth": "truht"}, InputError, "no column 'truht'"),
        ({"raters": ["X*"]}, InputError, r"no column of raters 'X\*'"),
        ({"positive": "7"}, UsageError, "No answer is '7'"),
    ],
)
def test_what_is_wrong_is_named(
    table: Path, arguments: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        table_agreement(table, TASK, **{"truth": "truth", "raters": ["R*"], **arguments})  # type: ignore[arg-type]


def test_words_nobody_knows_need_a_positive_one(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("k,t,R1\na,yes,yes\nb,no,yes\n")
    with pytest.raises(UsageError, match="not clear which"):
        table_agreement(path, TASK, truth="t", raters=["R1"])
    assert table_agreement(path, TASK, truth="t", raters=["R1"], positive="yes").raters == {"R1": 0.5}
    path.write_text("k,t,R1\na,yes,\n")
    with pytest.raises(InputError, match="no row with 't' and all 1 answers"):
        table_agreement(path, TASK, truth="t", raters=["R1"])


def write_answers(workspace: Workspace, given: list[Answer], annotator: str = "") -> None:
    rows = [
        {
            "server": "s", "project": 1, "annotation_id": n, "task": 1, "image_sha256": a.item,
            "annotator": annotator or a.annotator, "choice": a.choice, "cancelled": False,
            "updated_at": "2026-01-01", "raw": "{}",
        }
        for n, a in enumerate(given)
    ]  # fmt: skip
    with open_session(workspace) as session:
        session.catalogue.upsert("annotations", rows)


def test_nothing_pulled_and_little_pulled(tmp_path: Path) -> None:
    place = tmp_path / "w"
    workspace = Workspace.init(place)
    empty = run_json("polydata", "label", "agreement", workspace=place)
    assert empty["fleiss_kappa"] is None and "pulled yet" in empty["notes"][0]
    write_answers(workspace, answers({"i1": "a", "i2": "a"}))
    said = run_json("polydata", "label", "agreement", workspace=place)
    assert (said["answers"], said["images_with_several"]) == (2, 0)
    assert "by two people" in said["notes"][0]
    assert "NaN" not in json.dumps(said)
    assert "by two people" in run("polydata", "label", "agreement", workspace=place).stdout


def test_pulled_answers_are_compared(tmp_path: Path) -> None:
    workspace = Workspace.init(tmp_path / "w")
    write_answers(workspace, answers({"i1": "aaa", "i2": "bbb", "i3": "aab", "i4": "a", "i5": "bab"}))
    with open_session(workspace, read_only=True) as session:
        found = agreement(session)
    assert (found.answers, found.images, found.images_with_several) == (13, 5, 4)
    assert found.fleiss_kappa == pytest.approx(fleiss_kappa(["aaa", "bbb", "aab", "bab"]))
    assert [(p.first, p.second, p.images) for p in found.cohen_kappa] == [
        ("A", "B", 4), ("A", "C", 4), ("B", "C", 4),
    ]  # fmt: skip
    (first, *_) = found.annotators
    assert first["annotator"] == "A" and first["answers"] == 5 and first["images"] <= 4
    assert sum(n for row in first["confusion"].values() for n in row.values()) == first["images"]
    assert {c["image_sha256"] for c in found.consensus} == {"i1", "i2", "i3", "i5"}
    json.dumps(asdict(found), allow_nan=False)


def test_answers_by_nobody_are_left_out(tmp_path: Path) -> None:
    workspace = Workspace.init(tmp_path / "w")
    write_answers(workspace, answers({"i1": "ab"}), annotator="unknown")
    with open_session(workspace, read_only=True) as session:
        found = agreement(session)
    assert found.answers == 0 and "2 answers by nobody" in " ".join(found.notes)


@pytest.mark.realdata
def test_the_seeds_researchers(shared_data: Path) -> None:
    """Table 2 of the paper, row Researcher: its 83.88 % is the mean of the ten best of 21."""
    found = run_json(
        "polydata", "label", "agreement", "--table", shared_data / "nims/human_labels.csv",
        "--truth", "workbook_label01", "--raters", "R*",
    )  # fmt: skip
    assert found["images"] == 116
    assert [r["first_cell"] for r in found["left_out"]] == ["520_page5_image1_b"]
    assert round(found["fleiss_kappa"], 3) == 0.359
    assert round(100 * found["majority_vote_accuracy"], 1) == 81.0
    assert len(found["raters"]) == 21
    top = [found["top_k"][name] for name in ("accuracy", "precision", "recall", "specificity", "f1")]
    assert [round(100 * value, 2) for value in top] == [83.88, 47.17, 76.25, 85.10, 57.24]
    assert found["top_k"]["k"] == 10
    assert round(100 * found["mean"]["accuracy"], 1) == 72.0
    assert sum(value > found["most_frequent_accuracy"] for value in found["raters"].values()) == 3
