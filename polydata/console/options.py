"""Options that many commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def _from_root(ctx: typer.Context, value: Path | None) -> Path | None:
    """``polydata --workspace W status`` means the same as ``polydata status --workspace W``."""
    root: dict[str, Any] = ctx.find_root().params
    return value or root.get("workspace")


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
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output instead of a table.")]
SplitArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the split.")]
CropsOption = Annotated[
    bool | None,
    typer.Option("--crops/--no-crops", help="Look for crops and copies by keypoints; by default up to 20,000 images."),
]
