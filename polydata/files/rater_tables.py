"""Tables that people filled in: a row an image, a column a rater, one column with the truth or the image's name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from polydata.errors import InputError, UsageError
from polydata.files.tables import read_table
from polydata.task import Task


@dataclass(frozen=True)
class AnswerTable:
    """Rows on which the first column and all raters have an answer.

    Attributes:
        raters: their columns, in the table's order.
        rows: column -> answer, of the first column and of every rater.
        left_out: the other rows, each with its number, first cell and what is missing.
    """

    raters: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    left_out: tuple[dict[str, Any], ...]


def read_answers(path: Path, first: str, raters: Sequence[str]) -> AnswerTable:
    """Read a table of answers.

    Args:
        path: CSV, XLSX, JSON or JSON Lines.
        first: column that every row must fill too: the true answers, or the names of the images.
        raters: shell patterns of the raters' columns, such as ``R*``.

    Raises:
        InputError: if the file cannot be read, lacks a column, or has no row with all answers.
    """
    read = [row for row in read_table(path) if not row.problem]
    header = list(dict.fromkeys(name for row in read for name in row.values))
    if first not in header:
        raise InputError(f"{path} has no column {first!r}.", f"Its columns: {', '.join(header)}." if read else "")
    columns = column_patterns(path, header, raters, leave_out=(first,))
    rows: list[dict[str, str]] = []
    left_out: list[dict[str, Any]] = []
    for row in read:
        cells = {name: answer_text(row.values.get(name)) for name in (first, *columns)}
        if missing := [name for name, answer in cells.items() if not answer]:
            named = answer_text(next(iter(row.values.values()), None))
            left_out.append({"row": row.number, "first_cell": named, "missing": missing})
        else:
            rows.append(cells)
    if not rows:
        blank = [name for name in (first, *columns) if all(name in row["missing"] for row in left_out)]
        hint = f"These columns are empty: {', '.join(blank)}." if blank else "Leave the raters out who skipped most."
        raise InputError(f"{path} has no row with {first!r} and all {len(columns)} answers.", hint)
    return AnswerTable(tuple(columns), tuple(rows), tuple(left_out))


def column_patterns(
    path: Path, columns: Sequence[str], patterns: Sequence[str], *, leave_out: Sequence[str] = ()
) -> list[str]:
    """The columns that shell patterns name, in the table's order.

    Raises:
        InputError: if a pattern names none.
    """
    found = [c for c in columns if c not in leave_out and any(fnmatchcase(c, p) for p in patterns)]
    for pattern in patterns:
        if not any(fnmatchcase(column, pattern) for column in found):
            raise InputError(f"{path} has no column of raters {pattern!r}.", f"Its columns: {', '.join(columns)}.")
    return found


def answer_text(value: Any) -> str:
    """A cell as an answer: trimmed text, whole numbers without a point, empty for nothing."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join(str(value).split())


def meaning(task: Task, word: str) -> str | None:
    """The label that an answer of a table means: a label itself, a spelling of it, or its 0 or 1 in file names."""
    return word if word in task.labels else task.file_suffixes.get(word) or task.label_of(word)


def positive_answer(task: Task, words: set[str], wanted: str | None) -> str:
    """The positive answer as the table writes it.

    Raises:
        UsageError: if it was named and does not occur, or the task cannot tell.
    """
    fitting = {wanted} & words if wanted is not None else {w for w in words if meaning(task, w) == task.positive}
    if len(fitting) != 1:
        what = (
            f"No answer is {wanted!r}." if wanted is not None else "It is not clear which answer is the positive one."
        )
        raise UsageError(what, f"Name one with --positive: {', '.join(sorted(words)[:20])}")
    return fitting.pop()
