"""What an annotation of the server says: who, when, and which choice."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from polydata.errors import ServerError
from polydata.labels.page import ANSWER, COMMENT, shown_text

MAX_RAW = 200_000
"""An annotation with more JSON than this is no choice and a comment."""
_PASSING = ("created_ago",)
"""Keys of an annotation whose value depends on when it is read."""
MAX_WORD = 60
"""Longer words that the task does not know are cut."""


@dataclass(frozen=True)
class Annotation:
    """A reviewer's answer.

    Attributes:
        annotator: number of the account; None where there is none.
        choice: what was chosen; None for a skipped task or an answer that cannot be used. A word that the task does
            not know stays as it is and counts for nothing until it is renamed.
        cancelled: the reviewer skipped the task.
        updated_at: by the server's clock, UTC without a zone.
        raw: JSON as the server gave it.
        problem: why the answer cannot be used; None where it can.
    """

    annotation_id: int
    task: int
    image_sha256: str
    annotator: int | None
    choice: str | None
    comment: str | None
    cancelled: bool
    updated_at: datetime
    raw: str
    problem: str | None

    def row(self, server: str, project: int, mark: str | None, role: str, emails: Mapping[int, str]) -> dict[str, Any]:
        """The row of the annotations table.

        Args:
            mark: of the project.
            role: what the project is for.
            emails: addresses of the accounts by number; others become ``user N``.
        """
        who = "unknown" if self.annotator is None else emails.get(self.annotator, f"user {self.annotator}")
        own = {name: value for name, value in vars(self).items() if name != "problem"} | {"annotator": who}
        return {"server": server, "project": project, **own, "deleted": False, "role": role, "mark": mark}


def _choice(
    results: Sequence[Any], choices: Sequence[str], renames: Mapping[str, str]
) -> tuple[str | None, str | None]:
    words = _words(results, ANSWER, "choices")
    if not words:
        return None, "it has no choice"
    if len(words) > 1:
        return None, f"it has {len(words)} choices"
    word = renames.get(words[0], words[0]) if words[0] not in choices else words[0]
    if word not in choices:
        word = shown_text(word)[:MAX_WORD]
        return word, f"{word!r} is no choice of the task; if it is called otherwise now: polydata label rename"
    return word, None


def _words(results: Sequence[Any], control: str, key: str) -> list[str]:
    """What was said in a control of the page."""
    found: list[str] = []
    for result in results:
        if isinstance(result, Mapping) and result.get("from_name") == control:
            value = result.get("value")
            words = value.get(key) if isinstance(value, Mapping) else None
            found += [words] if isinstance(words, str) else map(str, words) if isinstance(words, list) else []
    return found


def read_annotation(
    raw: Mapping[str, Any],
    task: int,
    image_sha256: str,
    choices: Sequence[str],
    renames: Mapping[str, str] | None = None,
) -> Annotation:
    """What an annotation of the server says.

    Args:
        raw: as the server lists it. Its score is not read: where a prediction was shown, it is the prediction's.
        choices: answers that the task knows.
        renames: words that it does not know any more, each with the one it became.

    Raises:
        ServerError: if it has no number or no time.
    """
    try:
        number = int(raw["id"])
        updated_at = datetime.fromisoformat(raw["updated_at"])
    except (KeyError, TypeError, ValueError):
        raise ServerError(f"The server gave an annotation of task {task} without number or time.") from None
    results = raw["result"] if isinstance(raw.get("result"), list) else []
    cancelled = raw.get("was_cancelled") is True
    choice, problem = (None, None) if cancelled else _choice(results, choices, renames or {})
    text = json.dumps({k: v for k, v in raw.items() if k not in _PASSING}, sort_keys=True, ensure_ascii=False)
    if len(text) > MAX_RAW:
        choice, problem = None, f"it is {len(text)} characters long"
        text = json.dumps({"id": number, "updated_at": raw["updated_at"]})
    who = raw.get("completed_by")
    account = who.get("id") if isinstance(who, Mapping) else who
    comment = "\n".join(_words(results, COMMENT, "text"))
    return Annotation(
        annotation_id=number,
        task=task,
        image_sha256=image_sha256,
        annotator=account if isinstance(account, int) else None,
        choice=choice,
        comment=shown_text(comment) if comment.strip() else None,
        cancelled=cancelled,
        updated_at=(updated_at.astimezone(UTC) if updated_at.tzinfo else updated_at).replace(tzinfo=None),
        raw=text,
        problem=problem,
    )
