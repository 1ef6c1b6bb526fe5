"""The command line of polydata: one file a command group, each command parses, makes one call and prints.

A module enters its commands on ``app`` as it is imported, which is when one of them runs: the table below knows them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from typer import Context, Option, echo

from polydata.console.group import new_program, print_version
from polydata.console.options import WaitOption

if TYPE_CHECKING:
    from polydata.catalogue.connect import Catalogue
    from polydata.catalogue.session import Session

T = TypeVar("T")

COMMANDS = {
    "From papers to a split": {
        "init": (
            "workspace",
            "Make a workspace: settings, catalogue, image store, and folders for splits, runs and exports.",
        ),
        "extract": ("extract", "Find figures, captions and panels in PDFs and store each image once."),
        "edit": ("extract", "Correct what extraction found; corrections are kept when a PDF is read again."),
        "papers": ("papers", "What is known of the papers beside their figures."),
        "screen": (
            "screen",
            "Tell candidate micrographs from all other images, by a rule and by hand; reviewers have the last word "
            "later.",
        ),
        "sheets": (
            "screen",
            "Write contact sheets of the screened images to look through in a browser: borderline ones first.",
        ),
        "scale-bar": (
            "screen",
            "Read scale bars printed into micrographs: of image files, or of the workspace's accepted micrographs.",
        ),
        "records": ("records", "Records of samples: bring your own tables, list them."),
        "join": ("links", "Link records to papers and panels, and write the labels that follow from them."),
        "link": (
            "links",
            "Link a record to a panel or figure by hand; it wins over every join and outlives a new reading of the "
            "PDF.",
        ),
        "unlink": ("links", "Take links by hand back; the next join decides about the record again."),
        "quality": ("quality", "How good the corpus is: a random sample that people judge, with intervals."),
        "label": ("label decide", "Review images in Label Studio."),
        "conflicts": (
            "decide",
            "List every disagreement about labels: of file names, records, texts, people, models; the weightiest "
            "first.",
        ),
        "build-split": (
            "split",
            "Split the labelled images so that no paper, citation or picture stands on both sides.",
        ),
        "split": ("split", "List, show, verify, compare and remove splits."),
    },
    "To look at it and pass it on": {
        "status": ("workspace", "Show how many papers, figures and images survive each step, and what comes next."),
        "list": ("extract papers screen links", "List what the catalogue holds."),
        "trace": (
            "workspace",
            "Follow a paper, figure, panel, image or record back to its PDF page and forward to splits and runs.",
        ),
        "audit": (
            "split",
            "Look for what is wrong with images, labels and a split: each finding with its evidence and a fix.",
        ),
        "gallery": (
            "export",
            "Write a gallery of the images for a browser: filters, search, records, scale bars, pages, "
            "near-duplicates.",
        ),
        "card": (
            "export",
            "Write the data card of a split: sources, licences, labels, known problems, intended use.",
        ),
        "export": ("export", "Write what the catalogue holds as files."),
        "augment": (
            "split",
            "Write turned, mirrored and cut copies of a split's training images; run again, it checks and completes "
            "them.",
        ),
    },
    "To keep it in order": {
        "doctor": (
            "upkeep",
            "Look whether all that the programs need is here: packages, OCR, weights, GPU, server, disk.",
        ),
        "check": (
            "upkeep",
            "Hold the catalogue against the image store and the splits: missing, damaged and unknown files, lost rows.",
        ),
        "backup": ("upkeep", "Keep the catalogue with all that people said, settings and splits in one file."),
        "restore": (
            "upkeep",
            "Bring a workspace back from a backup; the catalogue that is there is kept beside it.",
        ),
        "merge": (
            "workspace",
            "Bring papers, records, labels and annotations of another workspace into this one; it is only read.",
        ),
        "remove": ("workspace", "Take things out of the workspace."),
    },
    "To try it without papers of one's own": {
        "demo-corpus": (
            "workspace",
            "Simulate micrographs of blends and lay them out as PDF papers with a record file and all answers.",
        ),
        "import-published": (
            "records",
            "Import the published data set: images, records, labels of both sources, and its split.",
        ),
    },
}
"""The commands in the order in which a user needs them, each with its modules and the first sentence of its help."""

app = new_program("From a folder of literature PDFs to a trustworthy labelled micrograph data set.", __name__, COMMANDS)


@app.callback(invoke_without_command=True, no_args_is_help=False)
def main(  # the callbacks of wait and version have done with them
    context: Context,
    workspace: Annotated[
        Path | None, Option("--workspace", "-w", metavar="DIR", help="The workspace that the command works on.")
    ] = None,
    wait: WaitOption = None,  # noqa: ARG001
    version: Annotated[  # noqa: ARG001
        bool, Option("--version", callback=print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """From a folder of literature PDFs to a trustworthy labelled micrograph data set."""
    if context.invoked_subcommand is None:
        _show_where_one_stands(context, workspace)


def _show_where_one_stands(context: Context, workspace: Path | None) -> None:
    """What ``polydata`` alone says: the status of the workspace, or where there is none, how to begin."""
    from polydata.errors import WorkspaceError
    from polydata.workspace import Workspace

    try:
        place = Workspace.find(workspace).root
    except WorkspaceError:
        if workspace is not None:
            raise
        echo(context.get_help())
        echo("\nThere is no workspace here yet. Next: polydata init DIR && cd DIR")
        return
    program: Any = context.command
    context.invoke(program.get_command(context, "status").callback, workspace=place)
    echo("All commands: polydata --help")


def open_session(workspace: Path | None, *, read_only: bool = False) -> Session:
    """See ``polydata.catalogue.session``, which is imported here, for no help needs the database."""
    from polydata.catalogue import session

    return session.open_session(workspace, read_only=read_only)


def report_companions(arguments: Iterable[str | Path], suffixes: Collection[str]) -> list[Path]:
    """List on standard error what was skipped in folders: files that macOS writes beside others."""
    from polydata.console.output import report_problems
    from polydata.files.find import companions

    skipped = companions(arguments, suffixes)
    report_problems((f"{path} only holds what macOS notes of another file" for path in skipped), "Skipped")
    return skipped


def read(workspace: Path | None, rows_of: Callable[[Catalogue], T]) -> T:
    """What a function finds in the catalogue of the workspace that is meant."""
    with open_session(workspace, read_only=True) as session:
        return rows_of(session.catalogue)
