"""polydata export figures, panels, links and split."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from polydata.cli import app
from polydata.console.options import JsonOption, WorkspaceOption
from polydata.console.output import print_facts, print_json, stages

if TYPE_CHECKING:
    from collections.abc import Callable

    from polydata.catalogue.session import Session

exporting = typer.Typer(no_args_is_help=True, help="Write what the catalogue holds as files.")
app.add_typer(exporting, name="export")


class FigureFormat(StrEnum):
    """How figures are written."""

    JSONL = "jsonl"


class LinkFormat(StrEnum):
    """How links are written."""

    CSV = "csv"


def _export(
    what: str,
    write: Callable[[Session, Path], int],
    output: Path | None,
    usual: str,
    workspace: Path | None,
) -> None:
    """Write what the catalogue holds to where it was asked for, or under its usual name among the exports."""
    from polydata.catalogue.session import open_session
    from polydata.workspace import Workspace

    place = Workspace.find(workspace)
    target = output or place.exports / usual
    with open_session(place, read_only=True) as session:
        count = write(session, target)
    typer.echo(f"{count} {what} in {target}")


@exporting.command("figures")
def export_figures(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write; exports/figures.jsonl.")] = None,
    format_: Annotated[FigureFormat, typer.Option("--format", help="One JSON object a line.")] = FigureFormat.JSONL,
    workspace: WorkspaceOption = None,
) -> None:
    """Write every figure of every PDF with its box, caption, kind and panels."""
    from polydata.exports.lists import export_figures as write

    _export(
        "figures", lambda session, target: write(session.catalogue, target), output, f"figures.{format_}", workspace
    )


@exporting.command("panels")
def export_panels(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder to write; exports/panels.")] = None,
    accepted: Annotated[bool, typer.Option("--accepted", help="Only candidate micrographs by the screening.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write the image of every panel, and panels.csv with label, caption, composition, scale and paper."""
    from polydata.exports.lists import export_panels as write

    _export(
        "panels",
        lambda session, target: write(session, target, accepted_only=accepted),
        output,
        "panels",
        workspace,
    )


QuickOption = Annotated[bool, typer.Option("--quick", help="Leave out of the card's audit what reads the images.")]


class SplitFormat(StrEnum):
    """How a split is written."""

    IMAGEFOLDER = "imagefolder"
    COCO = "coco"
    HF = "hf"
    CROISSANT = "croissant"
    PARQUET = "parquet"
    WEBDATASET = "webdataset"
    LABELSTUDIO = "labelstudio"
    FIFTYONE = "fiftyone"


@exporting.command("split")
def export_split(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the split.")],
    *,
    format_: Annotated[SplitFormat, typer.Option("--format", help="Whose layout: see the manual.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder to write; exports/NAME-FORMAT, with folds NAME-fold-K-FORMAT."),
    ] = None,
    fold: Annotated[int, typer.Option(help="Which partition of a split with folds.")] = 1,
    release: Annotated[
        bool, typer.Option("--release", help="Withhold images that no licence allows to pass on, and their captions.")
    ] = False,
    quick: QuickOption = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write a split with its images, labels, data card and provenance in a format that other programs read."""
    from polydata.catalogue.session import open_session
    from polydata.exports.workflow import export_split as export
    from polydata.workspace import Workspace

    place = Workspace.find(workspace)
    with open_session(place, read_only=True) as session, stages() as told:
        result = export(session, name, format_, output, fold=fold, release=release, quick=quick, progress=told)
    if as_json:
        print_json({"folder": str(result.folder), **result.marks})
        return
    leak = result.marks["leakage"]
    facts = {**result.counts, "withheld": result.withheld, "leaks, allowed because": leak["reason"] if leak else None}
    print_facts({**facts, "digest": result.marks["digest"], "folder": str(result.folder)}, f"Split {name}")


@app.command()
def card(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the split.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write; exports/NAME-card.md.")] = None,
    quick: QuickOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write the data card of a split: sources, licences, labels, known problems, intended use."""
    from polydata.catalogue.session import open_session
    from polydata.exports.card import write_card
    from polydata.splits.overview import show_split
    from polydata.workspace import Workspace

    place = Workspace.find(workspace)
    split = show_split(place, name)
    target = output or place.exports / f"{name}-card.md"
    with open_session(place, read_only=True) as session, stages() as told:
        write_card(session, split, target, quick=quick, progress=told)
    typer.echo(f"Data card of {name} in {target}")


@exporting.command("links")
def export_links(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write; exports/links.csv.")] = None,
    format_: Annotated[LinkFormat, typer.Option("--format", help="A row a link.")] = LinkFormat.CSV,
    workspace: WorkspaceOption = None,
) -> None:
    """Write which record was joined to which figure and panel, by what, and how sure that is."""
    from polydata.exports.lists import export_links as write

    _export("links", lambda session, target: write(session.catalogue, target), output, f"links.{format_}", workspace)
