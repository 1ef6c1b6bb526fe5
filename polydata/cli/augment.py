"""polydata augment."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from polydata.cli import app
from polydata.console.options import JsonOption, WorkspaceOption
from polydata.console.output import print_facts, print_json, progress, report_problems


class RecipeName(StrEnum):
    """How copies are made."""

    PAPER = "paper"


@app.command()
def augment(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the split.")],
    *,
    recipe: Annotated[
        RecipeName, typer.Option(help="paper: 12 copies of each positive image, 3 of each other, 256 px.")
    ] = RecipeName.PAPER,
    seed: Annotated[int, typer.Option(help="Decides how each copy is turned, mirrored and cut.")] = 0,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder to write; splits/NAME+RECIPE.")] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write turned, mirrored and cut copies of a split's training images; run again, it checks and completes them."""
    from polydata.splits import offline_copies as augmentation
    from polydata.splits.overview import fetch_images, show_split
    from polydata.workspace import Workspace

    place = Workspace.find(workspace)
    split = show_split(place, name)
    fetch_images(place, split)
    with progress("Copying", augmentation.count_copies(split, recipe)) as advance:
        result = augmentation.augment(split, recipe, seed=seed, folder=output, advance=advance)
    report_problems(result.repaired, "Made again")
    total = sum(result.counts.values())
    facts = {**result.counts, "copies": total, "made now": result.made, "folder": str(result.folder)}
    facts["digest"] = result.digest
    print_json(facts | {"repaired": result.repaired}) if as_json else print_facts(facts, f"Copies of {name}")
