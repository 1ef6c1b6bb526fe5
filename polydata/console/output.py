"""Tables, JSON and progress bars, drawn alike by every command."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable


def print_json(value: object) -> None:
    """Print a value as JSON on standard output; dates and paths as text."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_table(rows: Sequence[Mapping[str, Any]], title: str = "", empty: str = "Nothing to list.") -> None:
    """Print rows that have the same keys as a table; text from outside is never read as markup."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        typer.echo(empty)
        return
    table = Table(title=Text(title) if title else None, title_justify="left")
    for name in rows[0]:
        numeric = all(isinstance(r[name], int | float) for r in rows)
        table.add_column(Text(str(name)), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if v is None else str(v)) for v in row.values()))
    Console().print(table)


def print_facts(facts: Mapping[str, Any], title: str = "") -> None:
    """Print names and values, one pair a line."""
    print_table([{"what": k, "value": v} for k, v in facts.items()], title)


def next_step(command: str) -> None:
    """Say which command comes next."""
    typer.echo(f"Next: {command}")


@contextmanager
def progress(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error; yields a function that moves it on by so many items."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total)

        def advance(count: int = 1) -> None:
            bar.advance(task, count)

        yield advance


def report_problems(problems: Iterable[str], what: str) -> None:
    """List on standard error what was not done, one line each."""
    for problem in problems:
        typer.secho(f"{what}: {problem}", fg=typer.colors.YELLOW, err=True)
