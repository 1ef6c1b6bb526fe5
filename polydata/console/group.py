"""The command group of both programs: errors become a message and an exit status, never a traceback."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from polydata.console.output import printable
from polydata.errors import PolydataError
from polydata.resources import VERSION


def print_version(wanted: bool) -> None:
    """Print the program's name and version and end, where they are asked for."""
    if wanted:
        typer.echo(f"{Path(sys.argv[0]).stem} {VERSION}")
        raise typer.Exit


class ErrorGroup(TyperGroup):
    """A command group that prints our own errors and exits with their code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except PolydataError as error:
            typer.secho(f"Error: {printable(error.message)}", fg=typer.colors.RED, err=True)
            if error.hint:
                typer.echo(printable(error.hint), err=True)
            raise typer.Exit(error.exit_code) from None
        except BrokenPipeError:
            # The reader (head, less) went away: no error of ours, and nothing more can be printed.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None


def new_program(purpose: str) -> typer.Typer:
    """A program without commands yet.

    Args:
        purpose: one sentence for its help.
    """
    return typer.Typer(
        cls=ErrorGroup,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # plain help needs no rich: a third of the start-up time
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
        help=purpose,
    )
