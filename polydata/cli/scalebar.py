"""polydata scale-bar."""

from pathlib import Path
from typing import Annotated

import typer

from polydata.cli import app
from polydata.console.options import JsonOption, WorkspaceOption
from polydata.console.output import print_facts, print_json, print_json_line, print_table, progress, report_problems
from polydata.errors import PartialFailure


@app.command("scale-bar")
def scale_bar(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATH", help="Images, folders or glob patterns; without any, the workspace's."),
    ] = None,
    *,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Processes for the workspace's images; 0 takes one for each processor.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Read all images of the workspace anew.")] = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Read scale bars printed into micrographs: of image files, or of the workspace's accepted micrographs."""
    if paths:
        problems, count = _files(paths, as_json=as_json), "images"
    else:
        problems, count = _workspace(workspace, workers, again=again, as_json=as_json), "images of the workspace"
    report_problems(problems, "Failed")
    if problems:
        raise PartialFailure(f"{len(problems)} {count} could not be read.", "Each is named above.")


def _files(paths: list[str], *, as_json: bool) -> list[str]:
    from polydata.files.find import find_files
    from polydata.images.picture import SUFFIXES
    from polydata.screening.scalebars import read_files

    files = find_files(paths, [f".{suffix}" for suffix in (*SUFFIXES.values(), "jpeg", "tiff")], "image")
    rows, problems = [], []
    with progress("Reading", len(files)) as advance:
        for row, problem in read_files(files):
            if problem:
                problems.append(problem)
            elif as_json:
                print_json_line(row)
            else:
                rows.append(row)
            advance(1)
    if not as_json:
        print_table(rows, "Scale bars", empty="No image was read.")
    return problems


def _workspace(folder: Path | None, workers: int | None, *, again: bool, as_json: bool) -> list[str]:
    from polydata.catalogue.session import open_session
    from polydata.screening.scalebars import read_workspace
    from polydata.workspace import Workspace

    place = Workspace.find(folder)
    with open_session(place) as session, progress("Reading", None) as advance:
        done = read_workspace(session, workers=workers, again=again, advance=advance)
    facts = {"images read now": done.images, "scale bars found": done.found, "failures": len(done.failures)}
    print_json(facts) if as_json else print_facts(facts, "Scale bars")
    return list(done.failures)
