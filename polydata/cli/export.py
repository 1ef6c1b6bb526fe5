"""polydata export figures and panels."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from polydata.cli import app
from polydata.console.options import WorkspaceOption

exporting = typer.Typer(no_args_is_help=True, help="Write what the catalogue holds as files.")
app.add_typer(exporting, name="export")


class FigureFormat(StrEnum):
    """How figures are written."""

    JSONL = "jsonl"


@exporting.command("figures")
def export_figures(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write; exports/figures.jsonl.")] = None,
    format_: Annotated[FigureFormat, typer.Option("--format", help="One JSON object a line.")] = FigureFormat.JSONL,
    workspace: WorkspaceOption = None,
) -> None:
    """Write every figure of every PDF with its box, caption, kind and panels."""
    from polydata import export
    from polydata.catalogue.session import open_catalogue
    from polydata.workspace import Workspace

    place = Workspace.find(workspace)
    target = output or place.exports / f"figures.{format_}"
    with open_catalogue(place, read_only=True) as catalogue:
        count = export.export_figures(catalogue, target)
    typer.echo(f"{count} figures in {target}")


@exporting.command("panels")
def export_panels(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder to write; exports/panels.")] = None,
    accepted: Annotated[bool, typer.Option("--accepted", help="Only candidate micrographs by the screening.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write the image of every panel, and panels.csv with label, caption, composition, scale and paper."""
    from polydata import export
    from polydata.catalogue.session import open_catalogue
    from polydata.workspace import Workspace

    place = Workspace.find(workspace)
    target = output or place.exports / "panels"
    with open_catalogue(place, read_only=True) as catalogue:
        count = export.export_panels(place, catalogue, target, accepted_only=accepted)
    typer.echo(f"{count} panels in {target}")
