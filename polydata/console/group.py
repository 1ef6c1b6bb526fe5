"""The command group of both programs: errors become a message and an exit status, never a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command_name, get_group
from typer.models import CommandInfo

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


class Program(ErrorGroup):
    """The root of a program: it lists commands by their summaries, and imports one where it runs or shows its help.

    Attributes:
        app: on which the modules enter their commands as they are imported.
        modules: full names of the modules of each command; a group's commands may stand in several.
        summaries: the first sentence of each command's help, in the order of the list.
    """

    app: ClassVar[typer.Typer]
    modules: ClassVar[Mapping[str, Sequence[str]]]
    summaries: ClassVar[Mapping[str, str]]

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        self.commands = {name: TyperCommand(name, help=summary) for name, summary in self.summaries.items()}

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name, imported; None where there is none."""
        if cmd_name in self.modules:
            self.commands[cmd_name] = self._import(cmd_name)
        return super().get_command(ctx, cmd_name)

    def _import(self, name: str) -> Any:
        modules = self.modules[name]
        for module in modules:
            import_module(module)
        part = typer.Typer(rich_markup_mode=self.app.rich_markup_mode)
        part.registered_commands = [c for c in self.app.registered_commands if _name(c) == name]
        part.registered_groups = [group for group in self.app.registered_groups if group.name == name]
        for group in part.registered_groups:
            if group.typer_instance:  # in the order of the modules, whichever was imported first
                group.typer_instance.registered_commands.sort(key=lambda c: modules.index(_module(c)))
        return get_group(part).commands[name]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands, none of which is needed for it."""
        TyperGroup(commands=dict(self.commands)).format_commands(ctx, formatter)


def _name(command: CommandInfo) -> str:
    return command.name or get_command_name(getattr(command.callback, "__name__", ""))


def _module(command: CommandInfo) -> str:
    return str(getattr(command.callback, "__module__", ""))


def new_program(purpose: str, package: str, commands: Mapping[str, Mapping[str, str]]) -> typer.Typer:
    """A program, none of whose commands is imported yet.

    Args:
        purpose: one sentence for its help.
        package: that holds the modules of the commands.
        commands: by module, each command's name and the first sentence of its help; several modules of one group of
            commands are named with spaces between.
    """
    app = typer.Typer(
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # plain help needs no rich: a third of the start-up time
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
        help=purpose,
    )
    table = [(modules, *entry) for modules, entries in commands.items() for entry in entries.items()]
    app.info.cls = type("Program", (Program,), {
        "app": app,
        "modules": {name: [f"{package}.{module}" for module in modules.split()] for modules, name, _ in table},
        "summaries": {name: summary for _, name, summary in table},
    })  # fmt: skip
    return app
