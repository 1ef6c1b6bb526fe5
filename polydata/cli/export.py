"""polydata export figures, panels, links, candidates and split, card and gallery."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from typer import Option

from polydata.cli import app, open_session
from polydata.console import output as out
from polydata.console.group import new_group
from polydata.console.options import CropsOption, JsonOption, SplitArgument, WorkspaceOption
from polydata.exports.formats import FormatName

if TYPE_CHECKING:
    from collections.abc import Callable

    from polydata.catalogue.session import Session

exporting = new_group(app, "export", "Write what the catalogue holds as files.")

QuickOption = Annotated[bool, Option("--quick", help="Leave out of the card's audit what reads the images.")]


def _export(
    write: Callable[[Session, Path], int], output: Path | None, usual: str, *, as_json: bool, workspace: Path | None
) -> None:
    """Write what the catalogue holds to where it was asked for, or under its usual name among the exports."""
    with open_session(workspace, read_only=True) as session:
        target = output or session.workspace.exports / usual
        count = write(session, target)
    what = usual.partition(".")[0]
    out.print_result(f"{count} {what} in {target}", as_json, whole={what: count, "output": str(target)})


@exporting.command("figures")
def export_figures(
    output: Annotated[Path | None, Option("--output", "-o", help="File to write; exports/figures.jsonl.")] = None,
    format_: Annotated[Literal["jsonl"], Option("--format", help="One JSON object a line.")] = "jsonl",
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write every figure of every PDF with its box, caption, kind and panels."""
    from polydata.exports.lists import export_figures as write

    _export(write, output, f"figures.{format_}", as_json=as_json, workspace=workspace)


@exporting.command("panels")
def export_panels(
    output: Annotated[Path | None, Option("--output", "-o", help="Folder to write; exports/panels.")] = None,
    accepted: Annotated[bool, Option("--accepted", help="Only candidate micrographs by the screening.")] = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write the image of every panel, and panels.csv with label, caption, composition, scale and paper."""
    from polydata.exports.lists import export_panels as write

    def chosen(session: Session, target: Path) -> int:
        return write(session, target, accepted_only=accepted)

    _export(chosen, output, "panels", as_json=as_json, workspace=workspace)


@exporting.command("links")
def export_links(
    output: Annotated[Path | None, Option("--output", "-o", help="File to write; exports/links.csv.")] = None,
    format_: Annotated[Literal["csv"], Option("--format", help="A row a link.")] = "csv",
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write which record was joined to which figure and panel, by what, and how sure that is."""
    from polydata.exports.lists import export_links as write

    _export(write, output, f"links.{format_}", as_json=as_json, workspace=workspace)


@exporting.command("candidates")
def export_candidates(
    output: Annotated[Path | None, Option("--output", "-o", help="File to write; exports/candidates.csv.")] = None,
    format_: Annotated[Literal["csv"], Option("--format", help="A row a record.")] = "csv",
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write the records that wait, each with its best panel, as a table to be edited for polydata link --file."""
    from polydata.exports.lists import export_candidates as write

    _export(write, output, f"candidates.{format_}", as_json=as_json, workspace=workspace)


@exporting.command("split")
def export_split(
    split: SplitArgument,
    format_: Annotated[FormatName, Option("--format", help="Whose layout: see the manual.")],
    output: Annotated[
        Path | None,
        Option("--output", "-o", help="Folder to write; exports/SPLIT-FORMAT, with folds SPLIT-fold-K-FORMAT."),
    ] = None,
    fold: Annotated[int, Option(help="Which partition of a split with folds.")] = 1,
    release: Annotated[
        bool, Option("--release", help="Withhold images that no licence allows to pass on, and their captions.")
    ] = False,
    quick: QuickOption = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write a split with its images, labels, data card and provenance in a format that other programs read."""
    from polydata.exports.workflow import export_split as export

    with open_session(workspace, read_only=True) as session, out.stages() as told:
        result = export(session, split, format_, output, fold=fold, release=release, quick=quick, progress=told)
    leak = result.marks["leakage"]
    facts: dict[str, object] = {**result.counts, "withheld": result.withheld}
    if result.folds > 1:
        facts["fold"] = f"{fold} of {result.folds} alone; the next: --fold {fold % result.folds + 1}"
    if leak:
        facts["leaks, allowed because"] = leak["reason"]
    facts |= {"digest": result.marks["digest"], "folder": str(result.folder)}
    out.print_result(facts, as_json, f"Split {split}", whole={"folder": facts["folder"], **result.marks})


@app.command()
def card(
    split: SplitArgument,
    output: Annotated[Path | None, Option("--output", "-o", help="File to write; exports/SPLIT-card.md.")] = None,
    quick: QuickOption = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write the data card of a split: sources, licences, labels, known problems, intended use."""
    from polydata.exports.card import write_card

    with open_session(workspace, read_only=True) as session, out.stages() as told:
        target = write_card(session, split, output, quick=quick, progress=told)
    following = f"polydata export split {split} --format FORMAT"
    said = f"Data card of {split} in {target}"
    out.print_result(said, as_json, following=following, whole={"split": split, "output": str(target)})


@app.command()
def gallery(
    split: Annotated[
        str | None, typer.Argument(metavar="SPLIT", help="Only the images of this split, by side.")
    ] = None,
    output: Annotated[Path | None, Option("--output", "-o", help="Folder to write; exports/gallery.")] = None,
    crops: CropsOption = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write a gallery of the images for a browser: filters, search, records, scale bars, pages, near-duplicates."""
    from polydata.exports.gallery import write_gallery

    with open_session(workspace, read_only=True) as session, out.stages() as told:
        result = write_gallery(session, output, split, crops=crops, progress=told)
    out.report_problems(result.failures, "Failed")
    facts = {
        "images": result.images,
        "seen on their page": result.pages,
        "with near-duplicates": result.near_duplicates,
        "looked for crops": result.crops,
        "failures": len(result.failures),
        "open in a browser": str(result.index),
    }
    out.print_result(facts, as_json, "Gallery")
    out.fail_in_part(len(result.failures), "files could not be opened.")
