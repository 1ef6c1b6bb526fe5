"""The labels that follow from linked records: the record's own word, and what its texts suggest."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.records import linked_texts, replace_record_votes
from polydata.records.rules import suggest
from polydata.task import Task

TEXTS = ("morphology", "literature_description")
"""Fields of a record whose words suggest a label; the field of the label itself is never among them."""


@dataclass(frozen=True)
class VoteReport:
    """What was written.

    Attributes:
        votes: number of panels' votes by source.
        unknown_spellings: words of linked records that the task file does not list -> number of records.
        changed: whether the catalogue changed.
    """

    votes: Mapping[str, int]
    unknown_spellings: Mapping[str, int]
    changed: bool


def write_votes(catalogue: Catalogue, task: Task) -> VoteReport:
    """Bring the votes of the sources ``record`` and ``rule`` to what the links say. Call it inside a transaction.

    A spelling that the task file does not list makes no vote and is reported.
    """
    votes = []
    unknown: dict[str, set[str]] = {}
    for row in linked_texts(catalogue):
        base = {"panel_id": row["panel_id"], "record_id": row["record_id"]}
        word = row["compatibility"]
        label = task.label_of(word) if word else None
        if label:
            votes.append({**base, "source": "record", "label": label, "evidence": word, "spans": None})
        elif word:
            unknown.setdefault(word, set()).add(row["record_id"])
        suggestion = suggest(task, *(row[name] for name in TEXTS))
        if suggestion:
            spans = json.dumps([{"field": TEXTS[s.text], "start": s.start, "end": s.end} for s in suggestion.spans])
            vote = {"source": "rule", "label": suggestion.label, "evidence": suggestion.evidence, "spans": spans}
            votes.append({**base, **vote})
    changed = replace_record_votes(catalogue, votes)
    counts = Counter(vote["source"] for vote in votes)
    return VoteReport(dict(sorted(counts.items())), {w: len(ids) for w, ids in sorted(unknown.items())}, changed)
