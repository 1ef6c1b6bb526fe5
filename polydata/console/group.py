"""The command group of both programs: errors become a message and an exit status, never a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command_name, get_group
from typer.models import CommandInfo

from polydata.console.output import printable
from polydata.errors import PolydataError, UsageError
from polydata.resources import VERSION


def print_version(wanted: bool) -> None:
    """Print the program's name and version and end, where they are asked for."""
    if wanted:
        typer.echo(f"{Path(sys.argv[0]).stem} {VERSION}")
        raise typer.Exit


@contextmanager
def in_plain_words() -> Iterator[None]:
    """Take away what a value's error says of the program's inside."""
    try:
        yield
    except typer.BadParameter as error:
        error.message = error.message.removeprefix("Value error, ")
        raise


class SeveralCommand(TyperCommand):
    """A command whose options that may be repeated take all words up to the next one: ``--accept A B --reject C``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line, each such word with its option before it."""
        repeated = {name for param in self.params if getattr(param, "multiple", False) for name in param.opts}
        given, option, has_value = list[str](), "", ""
        for word in args:
            if word.startswith("-"):
                name, has_value, _ = word.partition("=")
                option = name if name in repeated else ""
            elif option:
                given += [option] if has_value else []
                has_value = "="
            given.append(word)
        return super().parse_args(ctx, given)


class PlainArgument(TyperArgument):
    """An argument whose help says its name alone, not the type that the program reads it as."""

    def display_type_rich(self, ctx: Any) -> str | None:  # noqa: ARG002
        """Nothing."""
        return None

    def _usage_display_name(self) -> str:
        name = self.display_name_raw if self.required else f"[{self.display_name_raw}]"
        return name if self.nargs == 1 else f"{name}..."


class PlainOption(TyperOption):
    """An option whose limits and faults are said in words."""

    def process_value(self, ctx: Any, value: Any) -> Any:
        """The value, checked."""
        with in_plain_words():
            return super().process_value(ctx, value)

    def _get_number_range_help_str(self) -> str | None:
        words = (f"{word} {limit}" for word, limit in (("from", self.min), ("to", self.max)) if limit is not None)
        return " ".join(words) or None


class SplitPlace(PlainArgument):
    """The split that a command works on, named by its place (``train v1``) or by ``--split v1``."""

    def consume_value(self, ctx: Any, opts: Mapping[str, Any]) -> Any:
        """The value and where it comes from."""
        value, source = super().consume_value(ctx, opts)
        named, placed = opts.get(SPLIT_OPTION), opts.get("split")
        if named and placed and named != placed:
            raise UsageError(f"Two splits are named: {placed} and {named}.", "Name one.")
        return named or value, source


SPLIT_OPTION = "split_by_option"
"""The name under which what ``--split`` said is kept for the argument."""
METAVARS = {"str": "TEXT", "int": "N", "float": "NUMBER", "path": "PATH", "Path": "PATH", "file": "FILE"}
"""What stands for a value in the help, where an option has no better word for it."""
WHOLE = 1000
"""Characters of a summary that the list of commands shows: all."""
STOPPED = "Stopped; what was done is kept. Run the same command again to go on."
INTERRUPTED = 130
"""Exit status after Ctrl+C, as shells have it."""


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

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands with whole summaries."""
        found = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        _write_commands(formatter, "Commands", [(n, c.get_short_help_str(WHOLE)) for n, c in found if c])


def _write_commands(formatter: Any, heading: str, rows: Sequence[tuple[str, str]]) -> None:
    with formatter.section(heading):
        formatter.write_dl(rows)


class Program(ErrorGroup):
    """The root of a program: it lists commands by their summaries, and imports one where it runs or shows its help.

    Attributes:
        app: on which the modules enter their commands as they are imported.
        modules: full names of the modules of each command; a group's commands may stand in several.
        summaries: the first sentence of each command's help, in the order of the list.
        headings: of the list, each with its commands.
    """

    app: ClassVar[typer.Typer]
    modules: ClassVar[Mapping[str, Sequence[str]]]
    summaries: ClassVar[Mapping[str, str]]
    headings: ClassVar[Mapping[str, Sequence[str]]]

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        self.commands = {name: TyperCommand(name, help=summary) for name, summary in self.summaries.items()}

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program; Ctrl+C ends it with one line, wherever it comes."""
        try:
            return super().main(*args, **kwargs)
        except SystemExit as ended:
            if ended.code == INTERRUPTED:
                typer.echo(f"\n{STOPPED}", err=True)
            raise

    def get_params(self, ctx: Any) -> Any:
        """The options, in plain words as those of the commands."""
        return [_plain(param) for param in super().get_params(ctx)]

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
        command = get_group(part).commands[name]
        for one in _with_parts(command):
            one.params = [_plain(param) for param in one.params]
            one.params += [_split_option(param) for param in one.params if isinstance(param, SplitPlace)]
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """List the commands, none of which is needed for it."""
        for heading, names in self.headings.items():
            _write_commands(formatter, heading, [(name, self.summaries[name]) for name in names])


def _with_parts(command: Any) -> Iterator[Any]:
    """A command, and all below it."""
    yield command
    for part in getattr(command, "commands", {}).values():
        yield from _with_parts(part)


def _plain(param: Any) -> Any:
    """A parameter whose help is in plain words."""
    if isinstance(param, TyperArgument):
        param.__class__ = SplitPlace if param.name == "split" else PlainArgument
    elif isinstance(param, TyperOption):
        param.__class__ = PlainOption
        if param.metavar is None and not param.is_flag:
            word = param.display_type(typer.Context(TyperCommand(None)))
            word = word.strip("<>").removeprefix("list[").removesuffix("]").removesuffix(" range")
            param.metavar = METAVARS.get(word, word)
    return param


def _split_option(place: SplitPlace) -> TyperOption:
    """``--split v1``, for those who do not name it by its place."""
    return TyperOption(
        param_decls=["--split", SPLIT_OPTION],
        type_descriptor=place.type_descriptor,
        metavar="SPLIT",
        expose_value=False,
        help="Another way to name SPLIT.",
    )


def _name(command: CommandInfo) -> str:
    return command.name or get_command_name(getattr(command.callback, "__name__", ""))


def _module(command: CommandInfo) -> str:
    return str(getattr(command.callback, "__module__", ""))


Commands = Mapping[str, Mapping[str, tuple[str, str]]]
"""By heading, each command's name with the modules that hold it, spaces between, and the first sentence of its help."""


def new_program(purpose: str, package: str, commands: Commands) -> typer.Typer:
    """A program, none of whose commands is imported yet.

    Args:
        purpose: one sentence for its help.
        package: that holds the modules of the commands.
        commands: in the order of the help.
    """
    app = typer.Typer(
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # plain help needs no rich: a third of the start-up time
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
        help=purpose,
    )
    table = [(name, *entry) for entries in commands.values() for name, entry in entries.items()]
    app.info.cls = type("Program", (Program,), {
        "app": app,
        "modules": {name: [f"{package}.{module}" for module in modules.split()] for name, modules, _ in table},
        "summaries": {name: summary for name, _, summary in table},
        "headings": {heading: list(entries) for heading, entries in commands.items()},
    })  # fmt: skip
    return app


def new_group(app: typer.Typer, name: str, purpose: str) -> typer.Typer:
    """A group of commands of a program; called without one it shows its help."""
    group = typer.Typer(cls=ErrorGroup, no_args_is_help=True, help=purpose)
    app.add_typer(group, name=name)
    return group
