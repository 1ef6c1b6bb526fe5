"""What words suggest about a label, by the rules of the task file; and the labels that follow from linked records."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from polydata.catalogue.records import linked_texts, staged_votes
from polydata.catalogue.session import Session
from polydata.task import Task

MAX_LENGTH = 20_000
"""Characters of a text that are read."""

# A full stop that ends a sentence: a space and a capital, or the end, follow; "Fig. 3", "wt. %", "0.5" do not end one.
_SENTENCE = re.compile(r"(?<!\bfig)(?<!\bfigs)(?<!\bwt)(?<!\bref)(?<!\bal)[.!?]\s+(?=[A-Z(\[])|;\s*|\n+", re.IGNORECASE)

# "A, whereas B" and "although A, B" say two things.
_CLAUSE = re.compile(
    r"[,\s]\s*(?:but|whereas|however|while)\b|^\s*(?:although|though|while)\b[^,]*,|;\s*|\n+", re.IGNORECASE
)
_DASH = re.compile(r"[\u2010-\u2015\u2212]")


@dataclass(frozen=True)
class Span:
    """Where words stand in a text.

    Attributes:
        text: which of the texts, from 0.
        start, end: characters from 0, the end not included.
    """

    text: int
    start: int
    end: int


@dataclass(frozen=True)
class Suggestion:
    """A label and the words that speak for it.

    Attributes:
        evidence: the matched words in lower case, one piece a sentence that speaks, joined by `` | ``.
        spans: where these pieces stand in the texts, in their order.
    """

    label: str
    evidence: str
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Sentence:
    """A sentence, or a clause of one that contrasts with the rest.

    Attributes:
        text: in lower case, with plain dashes and single spaces.
        places: for each of its characters, where that stands in the whole text.
    """

    text: str
    places: tuple[int, ...]

    @classmethod
    def plain(cls, text: str, start: int) -> Sentence:
        """From a piece of a text that begins at ``start``."""
        signs = [
            (sign, place)
            for place, printed in enumerate(_DASH.sub("-", text), start)
            for sign in (" " if printed.isspace() else printed.lower())
        ]
        kept = [one for before, one in pairwise([(" ", start), *signs]) if not before[0] == one[0] == " "]
        if kept and kept[-1][0] == " ":
            kept.pop()
        return cls("".join(sign for sign, _ in kept), tuple(place for _, place in kept))

    def span(self, match: re.Match[str], text: int) -> Span:
        """Where a match in this sentence stands in the whole text."""
        start, end = match.span()
        start += len(match[0]) - len(match[0].lstrip())
        end -= len(match[0]) - len(match[0].rstrip())
        return Span(text, self.places[start], self.places[end - 1] + 1)


def _pieces(pattern: re.Pattern[str], text: str) -> list[tuple[int, str]]:
    """What stands between the matches, each with its place."""
    cuts = [match.span() for match in pattern.finditer(text)]
    starts, ends = [0, *(end for _, end in cuts)], [*(start for start, _ in cuts), len(text)]
    return [(a, text[a:b]) for a, b in zip(starts, ends, strict=True)]


def _clauses(sentence: str) -> list[tuple[int, str]]:
    starts = [0, *(m.end() if m[0].rstrip().endswith((",", ";")) else m.start() for m in _CLAUSE.finditer(sentence))]
    return [(a, sentence[a:b]) for a, b in zip(starts, [*starts[1:], len(sentence)], strict=True)]


def sentences(text: str) -> list[Sentence]:
    """Sentences of a text, contrasting clauses apart."""
    found = (
        Sentence.plain(clause, start + offset)
        for start, whole in _pieces(_SENTENCE, text[:MAX_LENGTH])
        for offset, clause in _clauses(whole)
    )
    return [sentence for sentence in found if sentence.text]


def suggest(task: Task, *texts: str | None) -> Suggestion | None:
    """The label that texts suggest.

    The rules are tried in the order of the task file; the first that matches a sentence decides that sentence, so
    a rule for a negation stands before the rule for the plain word. Sentences that disagree give no suggestion.

    Returns:
        None where no rule matches or sentences disagree.
    """
    found: dict[str, tuple[str, str, Span]] = {}  # a sentence that stands in two texts speaks once
    for number, text in enumerate(texts):
        for sentence in sentences(text or ""):
            if sentence.text in found:
                continue
            for rule in task.rules:
                match = rule.pattern.search(sentence.text)
                if match and match[0].strip():
                    found[sentence.text] = (rule.label, match[0].strip(), sentence.span(match, number))
                    break
    labels = {label for label, _, _ in found.values()}
    if len(labels) != 1:
        return None
    evidence: dict[str, Span] = {}
    for _, words, span in found.values():
        evidence.setdefault(words, span)  # the first place of each
    return Suggestion(labels.pop(), " | ".join(evidence), tuple(evidence.values()))


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


def write_votes(session: Session, records: Sequence[str] | None = None) -> VoteReport:
    """Bring the votes of the sources ``record`` and ``rule`` to what the links say. Call it inside a transaction.

    A spelling that the task file does not list makes no vote and is reported.

    Args:
        records: whose links changed; None for all.
    """
    unknown: dict[str, set[str]] = {}
    counts: Counter[str] = Counter()
    votes = staged_votes(session.catalogue, records)

    def vote(row: Mapping[str, Any], source: str, label: str, evidence: str, spans: str | None = None) -> None:
        counts[source] += 1
        what = {"source": source, "label": label, "evidence": evidence, "spans": spans}
        votes.put("label_votes", {"panel_id": row["panel_id"], "record_id": row["record_id"]} | what)

    for row in linked_texts(session.catalogue, records):
        word = row["compatibility"]
        label = session.task.label_of(word) if word else None
        if label:
            vote(row, "record", label, word)
        elif word:
            unknown.setdefault(word, set()).add(row["record_id"])
        suggestion = suggest(session.task, *(row[name] for name in TEXTS))
        if suggestion:
            spans = json.dumps([{"field": TEXTS[s.text], "start": s.start, "end": s.end} for s in suggestion.spans])
            vote(row, "rule", suggestion.label, suggestion.evidence, spans)
    changed = votes.settle()
    return VoteReport(dict(sorted(counts.items())), {w: len(ids) for w, ids in sorted(unknown.items())}, changed)
