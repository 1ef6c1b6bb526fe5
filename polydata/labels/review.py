"""What reviewers are asked, and what a pulled annotation means. Nothing here talks to a server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from typing import Any

from polydata.errors import ServerError
from polydata.labels.page import ANSWER, COMMENT

MAX_TEXT = 5_000
"""Longer texts are cut before they are shown to a reviewer or stored as a comment."""
MAX_RAW = 200_000
"""An annotation with more JSON than this is no choice and a comment."""
NOTHING = "–"
# The page makes an image as large as fits beside its tools and into the window.
_WIDEST = "100% - 47px"
_HIGHEST = "100vh - 194px"
_PASSING = ("created_ago",)
"""Keys of an annotation whose value depends on when it is read."""
_RECORD_WORDS = {
    "polymers": "Polymers",
    "composition_ratio": "Ratio",
    "blending_method": "Blending",
    "morphology": "Morphology",
    "characteristics": "Characteristics",
    "literature_description": "Literature",
    "scale_um": "Scale (µm)",
}


def _shown(text: object) -> str:
    """A text for the labelling page, where an empty one would look like a fault."""
    cleaned = "".join(c for c in str(text if text is not None else "") if c.isprintable() or c == "\n").strip()
    return (cleaned if len(cleaned) <= MAX_TEXT else f"{cleaned[:MAX_TEXT]} ...") or NOTHING


def _record_text(records: Sequence[Mapping[str, Any]]) -> str:
    return "\n\n".join(
        "\n".join(f"{word}: {record[name]}" for name, word in _RECORD_WORDS.items() if record[name] not in (None, ""))
        for record in records
    )


def _place(row: Mapping[str, Any]) -> str:
    """Where the panel stands, for people."""
    parts = [row["title"] or row["paper"]]
    if row["page"] is not None:
        parts.append(f"page {row['page']}")
    if row["figure"]:
        parts.append(str(row["figure"]))
    if row["panel"]:
        parts.append(f"({row['panel']})")
    if row["places"] > 1:
        parts.append(f"and {row['places'] - 1} more with the same image")
    return ", ".join(parts)


def _scale(row: Mapping[str, Any]) -> str:
    """What is known of the scale, in HTML: a bar as long on the page as the one in the image, or its value alone."""
    if row["bar_px"] and row["bar_value"] is not None:
        share, aspect = row["bar_px"] / row["width"], row["width"] / row["height"]
        line = f"width:calc({share:.5f}*min({_WIDEST},({_HIGHEST})*{aspect:.5f}));height:7px;box-sizing:border-box"
        drawn = f'<div style="{line};border:2px solid currentColor;border-top:0"></div>'
        return f"{drawn}{row['bar_value']:g} {escape(str(row['bar_unit']))}"
    return f"Scale bar: {row['scale_um']:g} µm" if row["scale_um"] is not None else ""


def blind_data(row: Mapping[str, Any], url: str) -> dict[str, Any]:
    """Data of a task that shows the image alone."""
    return {"image": url, "polydata_id": row["image_sha256"]}


def task_data(row: Mapping[str, Any], records: Sequence[Mapping[str, Any]], url: str) -> dict[str, Any]:
    """Data of a task: its image, our own id, and the words around it. No label stands in it.

    Args:
        row: of ``images_to_review``.
        records: of ``record_texts`` for this image.
        url: by which the labelling page shows the image.
    """
    return {
        **blind_data(row, url),
        "scale": _scale(row),
        "caption": _shown(row["caption"]),
        "caption_stem": _shown(row["caption_stem"]),
        "record": _shown(_record_text(records)),
        "place": _shown(_place(row)),  # not "source": the server keeps that name for the task itself
        "paper": _shown(row["paper"]),
        "figure": _shown(row["figure"]),
    }


@dataclass(frozen=True)
class Annotation:
    """A reviewer's answer.

    Attributes:
        choice: one of the task's choices; None for a skipped task or an answer that cannot be used.
        cancelled: the reviewer skipped the task.
        updated_at: by the server's clock, UTC without a zone.
        raw: JSON as the server gave it.
        problem: why the answer cannot be used; None where it can.
    """

    annotation_id: int
    task: int
    image_sha256: str
    annotator: str
    choice: str | None
    comment: str | None
    cancelled: bool
    updated_at: datetime
    raw: str
    problem: str | None

    def row(self, server: str, project: int, role: str = "label") -> dict[str, Any]:
        """The row of the annotations table; ``role`` is what the project is for."""
        names = ("annotation_id", "task", "image_sha256", "annotator", "choice", "comment", "cancelled", "updated_at")
        fields = {name: getattr(self, name) for name in names}
        return {"server": server, "project": project, **fields, "deleted": False, "raw": self.raw, "role": role}


def _annotator(value: Any, emails: Mapping[int, str]) -> str:
    number = value.get("id") if isinstance(value, Mapping) else value
    if not isinstance(number, int):
        return "unknown"
    return emails.get(number, f"user {number}")


def _choice(results: Sequence[Any], choices: Sequence[str]) -> tuple[str | None, str | None]:
    """The choice, or why there is none."""
    given = [r for r in results if isinstance(r, Mapping) and r.get("from_name") == ANSWER]
    words = [w for r in given for w in _words(r, "choices")]
    if not words:
        return None, "it has no choice"
    if len(words) > 1:
        return None, f"it has {len(words)} choices"
    if words[0] not in choices:
        return None, f"{_shown(words[0])[:60]!r} is no choice of the task"
    return words[0], None


def _words(result: Mapping[str, Any], key: str) -> list[str]:
    value = result.get("value")
    words = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(words, str):
        return [words]
    return [str(w) for w in words] if isinstance(words, list) else []


def _comment(results: Sequence[Any]) -> str | None:
    given = [r for r in results if isinstance(r, Mapping) and r.get("from_name") == COMMENT]
    text = "\n".join(w for r in given for w in _words(r, "text"))
    return _shown(text) if text.strip() else None


def read_annotation(
    raw: Mapping[str, Any], task: int, image_sha256: str, choices: Sequence[str], emails: Mapping[int, str]
) -> Annotation:
    """What an annotation of the server says.

    Args:
        raw: as the server lists it. Its score is not read: where a prediction was shown, it is the prediction's.
        choices: answers that the task knows.
        emails: addresses of the annotators by number; others become ``user N``.

    Raises:
        ServerError: if it has no number or no time.
    """
    try:
        number = int(raw["id"])
        updated_at = datetime.fromisoformat(raw["updated_at"])
    except (KeyError, TypeError, ValueError):
        raise ServerError(f"The server gave an annotation of task {task} without number or time.") from None
    results = raw.get("result") if isinstance(raw.get("result"), list) else []
    cancelled = raw.get("was_cancelled") is True
    choice, problem = (None, None) if cancelled else _choice(results or [], choices)
    text = json.dumps({k: v for k, v in raw.items() if k not in _PASSING}, sort_keys=True, ensure_ascii=False)
    if len(text) > MAX_RAW:
        choice, problem, text = (
            None,
            f"it is {len(text)} characters long",
            json.dumps({"id": number, "updated_at": raw["updated_at"]}),
        )
    return Annotation(
        annotation_id=number,
        task=task,
        image_sha256=image_sha256,
        annotator=_annotator(raw.get("completed_by"), emails),
        choice=choice,
        comment=_comment(results or []),
        cancelled=cancelled,
        updated_at=(updated_at.astimezone(UTC) if updated_at.tzinfo else updated_at).replace(tzinfo=None),
        raw=text,
        problem=problem,
    )


@dataclass(frozen=True)
class Changes:
    """What a pull brings to the catalogue.

    Attributes:
        new, changed: answers to write.
        unchanged: how many are as they were.
        deleted: numbers of annotations that vanished from the server.
        live: how many annotations the catalogue has of the project afterwards.
    """

    new: list[Annotation] = field(default_factory=list)
    changed: list[Annotation] = field(default_factory=list)
    unchanged: int = 0
    deleted: list[int] = field(default_factory=list)
    live: int = 0


def compare(
    known: Mapping[int, Mapping[str, Any]], pulled: Sequence[Annotation], tasks_seen: set[int], *, complete: bool
) -> Changes:
    """What is new, what has changed and what is gone.

    Args:
        known: the project's rows of the annotations table by number.
        pulled: all annotations of the tasks that were read.
        tasks_seen: numbers of these tasks.
        complete: every annotated task of the project was read, so that what was not seen is gone.
    """
    new, changed = [], []
    for annotation in pulled:
        row = known.get(annotation.annotation_id)
        if row is None:
            new.append(annotation)
        elif row["deleted"] or any(
            row[name] != getattr(annotation, name) for name in ("choice", "comment", "cancelled", "updated_at")
        ):
            changed.append(annotation)
    seen = {a.annotation_id for a in pulled}
    live = {number for number, row in known.items() if not row["deleted"]}
    deleted = sorted(n for n in live - seen if complete or known[n]["task"] in tasks_seen)
    return Changes(
        new=new,
        changed=changed,
        unchanged=len(pulled) - len(new) - len(changed),
        deleted=deleted,
        live=len((live | seen) - set(deleted)),
    )
