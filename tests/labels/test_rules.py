from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polydata.labels.rules import sentences, suggest
from polydata.task import Task

TASK = Task.load()


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("No phase separation occurred during solvent evaporation.", "positive"),
        ("Homogeneous film without any phase separation (SEM)", "positive"),
        ("The phase separation was not observed by SEM.", "positive"),
        ("Miscible; single Tg", "positive"),
        ("Immiscible; two Tg", "negative"),
        ("PVC particles dispersed in nylon matrix", "negative"),
        ("Poor interfacial adhesion is seen.", "negative"),
        ("sea-island structure", "negative"),
        ("The blend is not miscible.", "negative"),
        ("Partially miscible (DSC)", "partial"),
    ],
)
def test_words_suggest_a_label(text: str, role: str) -> None:
    found = suggest(TASK, text)
    assert found is not None
    assert found.label == getattr(TASK, role)
    assert all(words in text.lower() for words in found.evidence.split(" | "))


def test_sentences_that_differ_give_no_suggestion() -> None:
    assert suggest(TASK, "Immiscible.", "The blend is homogeneous.") is None
    assert suggest(TASK, "Although no phase separation was seen at 1 %, the others appeared phase-separated.") is None
    assert suggest(TASK, None, "", "The samples were dried.") is None


def test_sentences_end_where_they_end() -> None:
    assert sentences("See Fig. 3 of 0.5 wt. % PP. The rest; more") == ["see fig. 3 of 0.5 wt. % pp", "the rest", "more"]


@given(st.text(max_size=500))
def test_any_text_is_accepted(text: str) -> None:
    found = suggest(TASK, text)
    assert found is None or found.label in TASK.labels


@pytest.mark.realdata
def test_agreement_on_papers_not_looked_at(shared_data: Path) -> None:
    """The rules were written with every other paper in sorted order, from the first; these are the others."""
    with open(shared_data / "nims" / "records.csv", newline="", encoding="utf-8") as handle:
        rows = [row for row in csv.DictReader(handle) if row["image_file"]]
    unseen = set(sorted({row["paper_group"] for row in rows})[1::2])
    counts: Counter[bool] = Counter()
    for row in rows:
        found = suggest(TASK, row["polyinfo_morphology"], row["literature_description"])
        if row["paper_group"] in unseen and found:
            counts[found.label == row["label"]] += 1
    assert counts.total() >= 0.65 * sum(row["paper_group"] in unseen for row in rows)
    assert counts[True] / counts.total() >= 0.87
