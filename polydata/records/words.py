"""What was said once of a table and is kept: what the words of a column mean that is asked as a question
(``Miscible?``: yes), and which of its columns are which fields."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from polydata.catalogue.records import records_saying
from polydata.catalogue.session import Session
from polydata.errors import UsageError, WorkspaceError
from polydata.files.atomic import replacing, writing_to
from polydata.records.columns import forms
from polydata.records.reading import Columns, Kept, Meanings
from polydata.records.record import Record
from polydata.task import Task
from polydata.workspace import RECORD_COLUMNS, RECORD_WORDS, Workspace

MENDED = 20
"""Words for the label that are named with what to do about them; a column with more is hardly the label."""


def parse_meanings(task: Task, words: Iterable[str]) -> dict[str, dict[str, str]]:
    """Column -> word -> label, from texts like ``Miscible?: yes=compatible``.

    Raises:
        UsageError: for another text, or a word that is no label of the task.
    """
    found: dict[str, dict[str, str]] = {}
    for text in words:
        said, label, spelled = _label_at_end(task, text)
        pairs = [(forms(column), " ".join(word.lower().split())) for column, word in _columns_and_words(said)]
        pairs = [(names, word) for names, word in pairs if names and word]
        if label is None or not pairs:
            raise UsageError(f"--meaning {text}: it takes COLUMN: WORD=LABEL.", "As in --meaning 'Miscible?: yes=...'")
        if spelled is None:
            raise UsageError(f"--meaning {text}: there is no label {label!r}.", f"Labels: {', '.join(task.labels)}.")
        for names, word in pairs:
            found.setdefault(names[0], {})[word] = spelled
    return found


def _label_at_end(task: Task, text: str) -> tuple[str, str | None, str | None]:
    """What stands before the last ``=`` with a label behind it, what stands behind, and that label as it is spelled.

    Without such a label the last ``=`` counts; without one there is nothing behind.
    """
    places = [place for place, sign in enumerate(text) if sign == "="]
    for place in reversed(places):
        label = text[place + 1 :].strip()
        spelled = label if task.label_of(label) else next((s for s, of in task.spellings.items() if of == label), None)
        if spelled is not None:
            return text[:place], label, spelled
    return (text[: places[-1]], text[places[-1] + 1 :].strip(), None) if places else (text, None, None)


def _columns_and_words(text: str) -> list[tuple[str, str]]:
    """Column and word on both sides of a colon; of several, which a column or a word has, each may be the one."""
    spaced = [place.start() for place in re.finditer(r":(?=\s)", text)]
    return [(text[:place], text[place + 1 :]) for place in spaced or [text.rfind(":")] if place >= 0]


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WorkspaceError(f"{path} cannot be read: {error}", "Correct the file.") from error


def kept_columns(workspace: Workspace) -> dict[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """By the headings of a table, which of its columns were named for which field in this workspace.

    Raises:
        WorkspaceError: if the file cannot be read.
    """
    path = workspace.root / RECORD_COLUMNS
    try:
        return {
            tuple(map(str, one["headings"])): {field: tuple(map(str, its)) for field, its in one["columns"].items()}
            for one in _read(path).get("table", ())
        }
    except (TypeError, KeyError, AttributeError) as error:
        raise WorkspaceError(f"{path} is not as it was written: {error}", "Correct the file, or remove it.") from error


def keep_columns(workspace: Workspace, kept: Kept, read: Sequence[Columns]) -> None:
    """Write which columns of these tables are which fields into the workspace, beside what is kept there."""
    every = {**kept, **{one.headings: one.said for one in read if one.said}}
    lines = ["# Which columns of a table are which fields: polydata records import --map"]
    for headings, columns in every.items():
        lines += ["", "[[table]]", f"headings = {_toml(list(headings))}", "[table.columns]"]
        lines += [f"{field} = {_toml(list(its))}" for field, its in columns.items()]
    path = workspace.root / RECORD_COLUMNS
    with writing_to(path), replacing(path) as out:
        out.write(("\n".join(lines) + "\n").encode())


def _toml(value: str | list[str]) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def kept_meanings(workspace: Workspace) -> dict[str, dict[str, str]]:
    """What was said before in this workspace.

    Raises:
        WorkspaceError: if the file cannot be read.
    """
    data = _read(workspace.root / RECORD_WORDS)
    return {column: {str(w): str(label) for w, label in its.items()} for column, its in data.items()}


def together(before: Meanings, more: Meanings) -> dict[str, dict[str, str]]:
    """Both; where they differ, the latter."""
    return {column: {**before.get(column, {}), **more.get(column, {})} for column in {**before, **more}}


def keep_meanings(workspace: Workspace, meanings: Meanings) -> None:
    """Write them into the workspace, as TOML."""
    lines = ["# What words of a column mean that is asked as a question: polydata records import --meaning"]
    for column, its in meanings.items():
        pairs = (f"{_toml(word)} = {_toml(label)}" for word, label in its.items())
        lines += ["", f"[{_toml(column)}]", *pairs]
    path = workspace.root / RECORD_WORDS
    with writing_to(path), replacing(path) as out:
        out.write(("\n".join(lines) + "\n").encode())


def unknown_words(task: Task, records: Iterable[Record]) -> Mapping[str, int]:
    """Words for the label that the task does not spell -> number of records."""
    said = Counter(str(r.values["compatibility"]) for r in records if r.values["compatibility"])
    return {word: count for word, count in sorted(said.items()) if task.label_of(word) is None}


def mending(task: Task, words: Iterable[str], column: str = "COLUMN") -> str:
    """What to do about words for the label that the task does not spell: options of the import, with the labels of
    which one is to stay, for the first words; empty for no word.

    Args:
        task: whose labels are meant.
        words: that records say.
        column: in which they say it.
    """
    labels = "|".join(task.labels)
    return " ".join(f"--meaning {shlex.quote(f'{column}: {word}={labels}')}" for word in islice(words, MENDED))


def mending_known(session: Session, words: Iterable[str]) -> str:
    """File and options by which ``records import`` is told what words of known records mean; empty for no word.

    Args:
        session: whose records say them.
        words: that the task does not spell.
    """
    asked = list(islice(words, MENDED))
    places = {
        (row["source"], tuple(column for column, cell in json.loads(row["raw"]).items() if _same(cell, row["word"])))
        for row in records_saying(session.catalogue, asked)
    }
    file, columns = places.pop() if len(places) == 1 else ("FILE", ())
    options = mending(session.task, asked, columns[0] if len(columns) == 1 else "COLUMN")
    return f"{shlex.quote(file)} {options}" if options else ""


def _same(cell: Any, word: str) -> bool:
    return " ".join(str(cell).lower().split()) == " ".join(word.lower().split())
