"""Every command of both programs, groups among them, by the words that are typed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperGroup

import polydata.cli
import polymodel.cli

APPS = {"polydata": polydata.cli.app, "polymodel": polymodel.cli.app}


def commands() -> Iterator[tuple[str, Any]]:
    todo: list[tuple[str, Any]] = [(name, typer.main.get_command(app)) for name, app in APPS.items()]
    while todo:
        name, command = todo.pop()
        yield name, command
        if isinstance(command, TyperGroup):
            context = typer.Context(command)
            todo += [(f"{name} {sub}", command.get_command(context, sub)) for sub in command.list_commands(context)]
