"""The command line of polydata: one file a command group, each command parses, makes one call and prints.

A module enters its commands on ``app`` as it is imported, which is when one of them runs: the table below knows them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

from typer import Option

from polydata.console.group import new_program, print_version
from polydata.console.options import WaitOption

if TYPE_CHECKING:
    from polydata.catalogue.connect import Catalogue
    from polydata.catalogue.session import Session

T = TypeVar("T")

COMMANDS = {
    "workspace": {
        "init": "Make a workspace: settings, catalogue, image store, and folders for splits, runs and exports.",
        "status": "Show how many papers, figures and images survive each step, from PDF to split.",
        "trace": "Follow a paper, figure, panel, image or record back to its PDF page and forward to splits and runs.",
        "demo-corpus": "Simulate micrographs of blends and lay them out as PDF papers with a record file and all "
        "answers.",
        "remove": "Take things out of the workspace.",
        "merge": "Bring papers, records, labels and annotations of another workspace into this one; it is only read.",
    },
    "upkeep": {
        "backup": "Keep the catalogue with all that people said, settings and splits in one file.",
        "restore": "Bring a workspace back from a backup; the catalogue that is there is kept beside it.",
        "check": "Hold the catalogue against the image store and the splits: missing, damaged and unknown files, lost "
        "rows.",
    },
    "extract": {
        "extract": "Find figures, captions and panels in PDFs and store each image once.",
        "edit": "Correct what extraction found; corrections are kept when a PDF is read again.",
    },
    "extract papers screen records": {"list": "List what the catalogue holds."},
    "papers": {"papers": "What is known of the papers beside their figures."},
    "screen": {
        "screen": "Tell candidate micrographs from all other images, by a rule and by hand; reviewers have the last "
        "word later.",
        "sheets": "Write contact sheets of the screened images to look through in a browser: borderline ones first.",
        "scale-bar": "Read scale bars printed into micrographs: of image files, or of the workspace's accepted "
        "micrographs.",
    },
    "records": {
        "records": "Records of samples: bring your own tables, list them.",
        "join": "Link records to papers and panels, and write the labels that follow from them.",
        "link": "Link a record to a panel or figure by hand; it wins over every join and outlives a new reading of the "
        "PDF.",
        "unlink": "Take links by hand back; the next join decides about the record again.",
        "import-published": "Import the published data set: images, records, labels of both sources, and its split.",
    },
    "label decide": {"label": "Review images in Label Studio."},
    "decide": {
        "conflicts": "List every disagreement about labels: of file names, records, texts, people, models; the "
        "weightiest first."
    },
    "split": {
        "build-split": "Split the labelled images so that no paper, citation or picture stands on both sides.",
        "split": "List, show, verify, compare and remove splits.",
        "audit": "Look for what is wrong with images, labels and a split: each finding with its evidence and a fix.",
        "augment": "Write turned, mirrored and cut copies of a split's training images; run again, it checks and "
        "completes them.",
    },
    "export": {
        "export": "Write what the catalogue holds as files.",
        "card": "Write the data card of a split: sources, licences, labels, known problems, intended use.",
        "gallery": "Write a gallery of the images for a browser: filters, search, records, scale bars, pages, "
        "near-duplicates.",
    },
}
"""The commands of each module in the order in which a user needs them, with the first sentence of their help."""

app = new_program("From a folder of literature PDFs to a trustworthy labelled micrograph data set.", __name__, COMMANDS)


@app.callback()
def main(
    workspace: Annotated[
        Path | None, Option("--workspace", "-w", metavar="DIR", help="The workspace that the command works on.")
    ] = None,
    wait: WaitOption = None,
    version: Annotated[
        bool, Option("--version", callback=print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """From a folder of literature PDFs to a trustworthy labelled micrograph data set."""


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
