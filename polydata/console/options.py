"""Options that many commands share."""

from __future__ import annotations

import os
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
