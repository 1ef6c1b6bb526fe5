"""The command line of polydata: one file a command group, each command parses, makes one call and prints."""

from pathlib import Path
from typing import Annotated

import typer

from polydata.console.group import new_program, print_version

app = new_program("From a folder of literature PDFs to a trustworthy labelled micrograph data set.")


@app.callback()
def main(
    workspace: Annotated[
        Path | None, typer.Option("--workspace", "-w", metavar="DIR", help="The workspace that the command works on.")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """From a folder of literature PDFs to a trustworthy labelled micrograph data set."""


# Each module adds its commands to ``app`` as it is imported, in the order in which a user needs them.
# isort: off
from polydata.cli import workspace as workspace  # noqa: E402
from polydata.cli import extract as extract  # noqa: E402
from polydata.cli import edit as edit  # noqa: E402
from polydata.cli import papers as papers  # noqa: E402
from polydata.cli import screen as screen  # noqa: E402
from polydata.cli import scalebar as scalebar  # noqa: E402
from polydata.cli import upkeep as upkeep  # noqa: E402
from polydata.cli import records as records  # noqa: E402
from polydata.cli import links as links  # noqa: E402
from polydata.cli import export as export  # noqa: E402
from polydata.cli import demo as demo  # noqa: E402
from polydata.cli import label as label  # noqa: E402
from polydata.cli import serve as serve  # noqa: E402
from polydata.cli import agreement as agreement  # noqa: E402
from polydata.cli import decide as decide  # noqa: E402
from polydata.cli import conflicts as conflicts  # noqa: E402
from polydata.cli import split as split  # noqa: E402
from polydata.cli import audit as audit  # noqa: E402
from polydata.cli import published as published  # noqa: E402
from polydata.cli import augment as augment  # noqa: E402
from polydata.cli import gallery as gallery  # noqa: E402
