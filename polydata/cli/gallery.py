"""polydata gallery."""

from pathlib import Path
from typing import Annotated

import typer

from polydata.cli import app
from polydata.console.options import JsonOption, WorkspaceOption
from polydata.console.output import print_facts, print_json, report_problems, stages
from polydata.errors import PartialFailure


@app.command()
def gallery(
    *,
    split: Annotated[str | None, typer.Option(metavar="NAME", help="Only the images of this split, by side.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder to write; exports/gallery.")] = None,
    crops: Annotated[
        bool | None,
        typer.Option(
            "--crops/--no-crops", help="Look for crops and copies by keypoints; by default up to 20,000 images."
        ),
    ] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write a gallery of the images for a browser: filters, search, records, scale bars, pages, near-duplicates."""
    from polydata.catalogue.session import open_session
    from polydata.exports.gallery.write import write_gallery
    from polydata.splits.overview import show_split
    from polydata.workspace import Workspace

    place = Workspace.find(workspace)
    chosen = show_split(place, split) if split else None
    target = output or place.exports / (f"gallery-{split}" if split else "gallery")
    with open_session(place, read_only=True) as session, stages() as told:
        result = write_gallery(session, target, chosen, crops=crops, progress=told)
    report_problems(result.failures, "Failed")
    facts = {
        "images": result.images,
        "seen on their page": result.pages,
        "with near-duplicates": result.near_duplicates,
        "looked for crops": result.crops,
        "failures": len(result.failures),
        "open in a browser": str(result.index),
    }
    print_json(facts) if as_json else print_facts(facts, "Gallery")
    if result.failures:
        raise PartialFailure(f"{len(result.failures)} files could not be opened.", "Each is named above.")
