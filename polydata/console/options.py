"""Options that many commands share."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from polydata.choices import WAIT


def _from_root(ctx: typer.Context, value: Path | None) -> Path | None:
    """``polydata --workspace W status`` means the same as ``polydata status --workspace W``."""
    root: dict[str, Any] = ctx.find_root().params
    return value or root.get("workspace")


def _keep(value: float | None) -> float | None:
    """The catalogue, which no help needs, finds it in the environment."""
    if value is not None:
        os.environ[WAIT] = str(value)
    return value


def typed_again(context: typer.Context, *left_out: str) -> str:
    """The command that runs as it is typed into a shell, without some of its options.

    Args:
        context: of the command.
        left_out: names of parameters.
    """
    words = context.command_path.split()
    for param in context.command.params:
        value = context.params.get(param.name or "")
        if param.name in left_out or value in (None, False, param.default) or value == []:
            continue
        for one in value if isinstance(value, list | tuple) else [value]:
            words += [] if param.param_type_name == "argument" else [param.opts[0]]
            words += [] if one is True else [str(one)]
    return shlex.join(words)


WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        "-w",
        metavar="DIR",
        callback=_from_root,
        help="The workspace; otherwise POLYDATA_WORKSPACE, or the first found from here upwards.",
    ),
]
WaitOption = Annotated[
    float | None,
    typer.Option(
        "--wait",
        metavar="SECONDS",
        callback=_keep,
        help="Wait so long where another command holds the catalogue; otherwise POLYDATA_WAIT, or not at all.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output instead of a table.")]
WideOption = Annotated[bool, typer.Option("--wide", help="All columns, whole: lines may be longer than the terminal.")]
SplitArgument = Annotated[str, typer.Argument(metavar="SPLIT", help="Name of the split.")]
"""Its parameter is called ``split``, so ``--split SPLIT`` is taken as well (``polydata.console.group``)."""
CropsOption = Annotated[
    bool | None,
    typer.Option("--crops/--no-crops", help="Look for crops and copies by keypoints; by default up to 20,000 images."),
]
