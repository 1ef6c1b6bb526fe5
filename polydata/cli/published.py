"""polydata import-published."""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from polydata.cli import app
from polydata.console.options import JsonOption, WorkspaceOption
from polydata.console.output import next_step, print_facts, print_json, report_problems, stages
from polydata.errors import PartialFailure


@app.command("import-published")
def import_published_(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the published data set, in either layout.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import the published data set: images, records, labels of both sources, and its split."""
    from polydata.catalogue.session import open_session
    from polydata.published.workflow import import_published
    from polydata.workspace import Workspace

    place = Workspace.find(workspace)
    with open_session(place) as session, stages() as told:
        report = import_published(session, folder, told)
    report_problems(report.problems, "Skipped")
    words = report.unknown_spellings.items()
    report_problems((f"{word!r} in {count} records" for word, count in words), "Unknown label")
    report_problems((f"{key} is borne by several records" for key in report.shared_keys), "Shared key")
    if as_json:
        print_json(dataclasses.asdict(report))
    else:
        print_facts(report.facts(), f"Imported {folder}")
    if report.problems:
        raise PartialFailure(
            f"{len(report.problems)} things were skipped, listed above.", "Next: polydata build-split v1"
        )
    if not as_json:
        next_step("polydata build-split v1")
