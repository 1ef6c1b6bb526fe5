"""What words suggest about a label: the rules of the task file, sentence by sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass

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
class Suggestion:
    """A label and the words that speak for it.

    Attributes:
        evidence: the matched words, one piece a sentence that speaks, joined by `` | ``.
    """

    label: str
    evidence: str


def _clauses(sentence: str) -> list[str]:
    starts = [0, *(m.end() if m[0].rstrip().endswith((",", ";")) else m.start() for m in _CLAUSE.finditer(sentence))]
    return [sentence[a:b] for a, b in zip(starts, [*starts[1:], len(sentence)], strict=True)]


def sentences(text: str) -> list[str]:
    """Sentences of a text, contrasting clauses apart, in lower case with plain dashes and single spaces."""
    whole = _SENTENCE.split(text[:MAX_LENGTH])
    plain = (_DASH.sub("-", clause.lower()) for part in whole for clause in _clauses(part))
    return [sentence for sentence in (" ".join(part.split()) for part in plain) if sentence]


def suggest(task: Task, *texts: str | None) -> Suggestion | None:
    """The label that texts suggest.

    The rules are tried in the order of the task file; the first that matches a sentence decides that sentence, so
    a rule for a negation stands before the rule for the plain word. Sentences that disagree give no suggestion.

    Returns:
        None where no rule matches or sentences disagree.
    """
    found: list[tuple[str, str]] = []
    for sentence in dict.fromkeys(s for text in texts if text for s in sentences(text)):
        for rule in task.rules:
            match = rule.pattern.search(sentence)
            if match:
                found.append((rule.label, match[0].strip()))
                break
    labels = {label for label, _ in found}
    if len(labels) != 1:
        return None
    return Suggestion(labels.pop(), " | ".join(dict.fromkeys(words for _, words in found)))
