"""The command line of polydata: one file a command group, each command parses, makes one call and prints."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from polydata import __version__
from polydata.console.group import ErrorGroup

app = typer.Typer(
    cls=ErrorGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help needs no rich: a third of the start-up time
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help="From a folder of literature PDFs to a trustworthy labelled micrograph data set.",
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"polydata {__version__}")
        raise typer.Exit


@app.callback()
def main(
    workspace: Annotated[
        Path | None, typer.Option("--workspace", "-w", metavar="DIR", help="The workspace that the command works on.")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
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
from polydata.cli import surgery as surgery  # noqa: E402
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
