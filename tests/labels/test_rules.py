from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polydata.records.rules import sentences, suggest
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
        ("Phase separation did not occur.", "positive"),
        ("The film did not phase separate.", "positive"),
        ("The components are not immiscible.", "positive"),
        ("without a sea-island structure", "positive"),
        ("No dispersed phase is seen.", "positive"),
        ("Only one Tg was found.", "positive"),
        ("A single glass transition temperature is observed", "positive"),
        ("two Tgs were observed", "negative"),
        ("Two distinct glass transition temperatures", "negative"),
        ("The blend shows no single Tg.", "negative"),
        ("The morphology was not homogeneous.", "negative"),
        ("non-homogeneous structure", "negative"),
        ("heterogeneous morphology", "negative"),
    ],
)
def test_words_suggest_a_label(text: str, role: str) -> None:
    found = suggest(TASK, text)
    assert found is not None
    assert found.label == getattr(TASK, role)
    assert all(words in text.lower() for words in found.evidence.split(" | "))
    assert " | ".join(text[span.start : span.end].lower() for span in found.spans) == found.evidence


def test_evidence_is_found_again_in_its_text() -> None:
    texts = ("Dried films.", "İn SEM:\n  the phase–separated\tmatrix;   Phase  separation was seen. Sea‐island, too.")
    found = suggest(TASK, *texts)
    assert found is not None and found.label == TASK.negative
    assert [texts[s.text][s.start : s.end] for s in found.spans] == [
        "phase–separated", "Phase  separation", "Sea‐island",
    ]  # fmt: skip
    assert found.evidence == "phase-separated | phase separation | sea-island"


def test_sentences_that_differ_give_no_suggestion() -> None:
    assert suggest(TASK, "Immiscible.", "The blend is homogeneous.") is None
    assert suggest(TASK, "Although no phase separation was seen at 1 %, the others appeared phase-separated.") is None
    assert suggest(TASK, None, "", "The samples were dried.") is None


def test_sentences_end_where_they_end() -> None:
    found = sentences("See Fig. 3 of 0.5 wt. % PP. The rest; more")
    assert [s.text for s in found] == ["see fig. 3 of 0.5 wt. % pp", "the rest", "more"]


@given(st.text(max_size=500))
def test_any_text_is_accepted(text: str) -> None:
    found = suggest(TASK, text)
    assert found is None or found.label in TASK.labels
    for sentence in sentences(text):
        assert len(sentence.places) == len(sentence.text)
        assert list(sentence.places) == sorted(sentence.places) and sentence.places[-1] < len(text)


@pytest.mark.realdata
def test_agreement_on_papers_not_looked_at(shared_data: Path) -> None:
    """The rules were written with every other paper in sorted order, from the first; these are the others."""
    with open(shared_data / "nims" / "records.csv", newline="", encoding="utf-8") as handle:
        rows = [row for row in csv.DictReader(handle) if row["image_file"]]
    unseen = set(sorted({row["paper_group"] for row in rows})[1::2])
    counts: Counter[bool] = Counter()
    negatives = 0
    for row in rows:
        found = suggest(TASK, row["polyinfo_morphology"], row["literature_description"])
        if row["paper_group"] in unseen and found:
            counts[found.label == row["label"]] += 1
            negatives += row["label"] == TASK.negative
    assert sum(row["paper_group"] in unseen for row in rows) == 257
    assert (counts.total(), counts[True]) == (185, 166)
    assert counts[True] > negatives == 147, "better than always saying the most frequent label"
