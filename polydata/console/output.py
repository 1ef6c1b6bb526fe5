"""Tables, JSON and progress bars, drawn alike by every command."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from polydata.console import tables
from polydata.errors import PartialFailure, UsageError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Signs that steer a terminal, turn its direction of writing or are no signs at all; a line feed is none of them."""

UNBOUNDED = 1_000_000
"""Columns of a table that is as wide as it must be."""
MINUTE = 60.0


def printable(text: str) -> str:
    """Text from outside as a terminal may show it: what would steer the terminal is written out, as in JSON."""
    return CONTROL.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)


def one_line(text: str) -> str:
    """The same in one line."""
    return printable(text).replace("\n", "\\n")


def print_json(value: object) -> None:
    """Print a value as JSON on standard output; dates and paths as text."""
    import json

    typer.echo(printable(json.dumps(value, indent=2, ensure_ascii=False, default=str)))


def print_json_line(value: object) -> None:
    """Print a value as one line of JSON, whatever signs its texts hold."""
    import json

    typer.echo(one_line(json.dumps(value, ensure_ascii=False, default=str)))


def say(text: str, colour: str | None = None) -> None:
    """Print a text on standard output; text from outside never steers the terminal."""
    typer.secho(printable(text), fg=colour)


def print_table(
    rows: Sequence[Mapping[str, Any]],
    title: str = "",
    empty: str = "Nothing to list.",
    *,
    figures: bool = False,
    clip: bool = False,
    width: int | None = None,
) -> None:
    """Print rows that have the same keys as a table; nothing in it that may be copied is broken.

    Args:
        rows: a cell for each column.
        title: above the table.
        empty: is said where there are no rows.
        figures: numbers are written as text; they are set to the right all the same.
        clip: a line a row, in which long texts are cut; otherwise they are wrapped.
        width: columns; those of the terminal by default.
    """
    if not rows:
        say(empty)
        return
    names = list(rows[0])
    written = one_line if clip else printable
    cells = [["" if row[name] is None else written(str(row[name])) for name in names] for row in rows]
    numeric = [
        number
        for number, name in enumerate(names)
        if all(
            isinstance(row[name], int | float) or (figures and not tables.WORD.search(str(row[name]))) for row in rows
        )
    ]
    head = [printable(str(name)) for name in names]
    for line in [title, *tables.lay_out([head, *cells], numeric, width or tables.terminal_width(), clip=clip)]:
        if line:
            say(line)


def print_facts(facts: Mapping[str, Any], title: str = "") -> None:
    """Print names and values, one pair a line, which is never broken: values are there to be copied."""
    if title:
        say(f"{title}:")
    wide = max(map(tables.width_of, facts), default=0)
    for name, value in facts.items():
        shown = "" if value is None else one_line(str(value))
        say(f"{one_line(name)}{' ' * (wide - tables.width_of(name))}{tables.GAP}{shown}".rstrip())


def print_rows(
    rows: Sequence[Mapping[str, Any]],
    as_json: bool,
    wide: bool,
    shown: Mapping[str, str] | Callable[[Mapping[str, Any]], Mapping[str, Any]],
    *,
    title: str = "",
    empty: str = "Nothing to list.",
) -> None:
    """Print a list as JSON, or a line a row: some columns in the width of the terminal, or all in any width.

    Args:
        rows: as JSON gives them.
        as_json: print JSON.
        wide: print all columns whole.
        shown: what the narrow list has: heading and key of each column, or a function of the row. What names the row
            comes first, and is never cut; ids are shortened.
        title: above the list.
        empty: is said where there are no rows.
    """
    if as_json:
        print_json(rows)
    elif wide:
        print_table(rows, title, empty, clip=True, width=UNBOUNDED)
    else:
        few = [shown(row) if callable(shown) else {name: row[key] for name, key in shown.items()} for row in rows]
        print_table(tables.shortened(few), title, empty, clip=True)


def print_result(
    facts: Mapping[str, Any] | str, as_json: bool, title: str = "", following: str = "", whole: object = None
) -> None:
    """Print names and values, or a sentence, with the command that comes next; or JSON, ``whole`` if there is more."""
    if as_json:
        print_json(facts if whole is None else whole)
        return
    say(facts) if isinstance(facts, str) else print_facts(facts, title)
    if following:
        next_step(following)


def next_step(command: str) -> None:
    """Say which command comes next."""
    say(f"Next: {command}")


@contextmanager
def stages(*, in_one: bool = False) -> Iterator[Callable[[str, int, int | None], None]]:
    """The progress of long work on standard error; yields what is told (step, done, all).

    On a terminal a bar for each step, or one that names the step; elsewhere a line a minute.
    """
    if not sys.stderr.isatty():
        yield _Lines()
        return
    with _bar() as bar:
        tasks: dict[str, TaskID] = {}

        def advance(step: str, done: int, total: int | None) -> None:
            line = "" if in_one else step
            if line not in tasks:
                tasks[line] = bar.add_task(step, total=total)
            bar.update(tasks[line], description=step, completed=done, total=total)

        yield advance


class _Lines:
    """Progress where no terminal is: a line a minute, for a log."""

    def __init__(self) -> None:
        self._start = self._last = time.monotonic()

    def __call__(self, step: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if now - self._last >= MINUTE:
            self._last = now
            of = "" if total is None else f" of {total}"
            typer.echo(f"{one_line(step)}: {done}{of}, after {(now - self._start) / MINUTE:.0f} min", err=True)


def _bar() -> Progress:
    from rich import progress
    from rich.console import Console

    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(),
        progress.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def confirm(question: str, *, yes: bool = False, can_ask: bool = True) -> None:
    """Ask a person before something goes; where there is none, refuse instead of waiting.

    Args:
        yes: the answer was given before.
        can_ask: False where output is for a program.

    Raises:
        UsageError: if nobody can be asked.
        typer.Abort: if the person says no.
    """
    if yes:
        return
    if not can_ask or not sys.stdin.isatty():
        raise UsageError(
            "Nothing was removed, since nobody can be asked here.", "Say --yes to remove it, or --dry-run to look."
        )
    typer.confirm(question, abort=True, err=True)


def report_problems(problems: Iterable[str], what: str, most: int | None = None) -> None:
    """List on standard error what was not done, one line each.

    Args:
        most: of more only so many are named, and how many others there are; None names all.
    """
    named = list(problems)
    if most is not None and len(named) > most:
        named[most:] = [f"and {len(named) - most} more: --json lists all"]
    for problem in named:
        typer.secho(f"{what}: {one_line(problem)}", fg=typer.colors.YELLOW, err=True)


def fail_in_part(count: int, what: str, hint: str = "Each is named above.") -> None:
    """End with exit status 3 where that many things went wrong.

    Raises:
        PartialFailure: if there are any.
    """
    if count:
        raise PartialFailure(f"{count} {what}", hint)
