"""Tables, JSON and progress bars, drawn alike by every command."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from polydata.errors import PartialFailure, UsageError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Signs that steer a terminal, turn its direction of writing or are no signs at all; a line feed is none of them."""

WORD = re.compile("[^\\W\\d_]")
"""A letter, which no column of figures holds."""


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
    rows: Sequence[Mapping[str, Any]], title: str = "", empty: str = "Nothing to list.", *, figures: bool = False
) -> None:
    """Print rows that have the same keys as a table; text from outside is never read as markup.

    Args:
        rows: a cell for each column.
        title: above the table.
        empty: is said where there are no rows.
        figures: many columns of numbers written as text: without rules between them, to the right and never broken.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        say(empty)
        return
    style: dict[str, Any] = {"box": box.SIMPLE_HEAD, "padding": (0, 1, 0, 0), "show_edge": False} if figures else {}
    table = Table(title=Text(printable(title)) if title else None, title_justify="left", **style)
    for name in rows[0]:
        numeric = all(isinstance(r[name], int | float) or (figures and not WORD.search(str(r[name]))) for r in rows)
        table.add_column(
            Text(printable(str(name))),
            justify="right" if numeric else "left",
            overflow="fold",
            no_wrap=figures and numeric,
        )
    for row in rows:
        table.add_row(*(Text("" if v is None else printable(str(v))) for v in row.values()))
    Console().print(table)


def print_facts(facts: Mapping[str, Any], title: str = "") -> None:
    """Print names and values, one pair a line."""
    print_table([{"what": k, "value": v} for k, v in facts.items()], title)


def print_rows(
    rows: Sequence[Mapping[str, Any]],
    as_json: bool,
    title: str = "",
    empty: str = "Nothing to list.",
    shown: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict,
) -> None:
    """Print rows as JSON, or as a table of what is ``shown`` of each; for the rest see ``print_table``."""
    print_json(rows) if as_json else print_table([shown(row) for row in rows], title, empty)


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
    """A progress bar for each step of long work, or one that names the step; yields what is told (step, done, all)."""
    with _bar() as bar:
        tasks: dict[str, TaskID] = {}

        def advance(step: str, done: int, total: int | None) -> None:
            line = "" if in_one else step
            if line not in tasks:
                tasks[line] = bar.add_task(step, total=total)
            bar.update(tasks[line], description=step, completed=done, total=total)

        yield advance


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


def report_problems(problems: Iterable[str], what: str) -> None:
    """List on standard error what was not done, one line each."""
    for problem in problems:
        typer.secho(f"{what}: {one_line(problem)}", fg=typer.colors.YELLOW, err=True)


def fail_in_part(count: int, what: str, hint: str = "Each is named above.") -> None:
    """End with exit status 3 where that many things went wrong.

    Raises:
        PartialFailure: if there are any.
    """
    if count:
        raise PartialFailure(f"{count} {what}", hint)
