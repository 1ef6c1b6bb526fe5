"""polydata label push, pull, status, list."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from polydata.cli import app
from polydata.console.group import ErrorGroup
from polydata.console.options import JsonOption, WorkspaceOption
from polydata.console.output import next_step, print_facts, print_json, print_table, progress, report_problems
from polydata.errors import PartialFailure

label_app = typer.Typer(cls=ErrorGroup, no_args_is_help=True, help="Review images in Label Studio.")
app.add_typer(label_app, name="label")


class Only(StrEnum):
    """Which images are pushed."""

    accepted = "accepted"
    unlabelled = "unlabelled"
    all = "all"


def _report(facts: dict[str, Any], problems: list[str], as_json: bool, what: str, following: str) -> None:
    """Print what was done, then fail in part where something was left out."""
    if as_json:
        print_json({**facts, "problems": problems})
    else:
        print_facts(facts)
        next_step(following)
    report_problems(problems, what)
    if problems:
        raise PartialFailure(f"{len(problems)} were left out; each is listed above.")


@label_app.command()
def push(
    workspace: WorkspaceOption = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Take the first so many of the selected images.")] = None,
    only: Annotated[
        Only,
        typer.Option(
            help="accepted: what the automatic screening accepted and what was imported; "
            "unlabelled: those of them without a label; all: every image of a panel."
        ),
    ] = Only.accepted,
    json: JsonOption = False,
) -> None:
    """Make a Label Studio task for each image that has none yet, and the project where it is missing."""
    from polydata.catalogue.session import open_catalogue
    from polydata.labels.sync import push as push_images
    from polydata.workspace import Workspace

    found = Workspace.find(workspace)
    with open_catalogue(found) as catalogue:
        done = push_images(found, catalogue, only.value, limit, progress)
    facts = {"project": done.project.title, "url": done.project.url, "images": done.selected}
    facts |= {"tasks made": done.created, "already there": done.present}
    _report(facts, done.problems, json, "not pushed", "answer the tasks in the browser, then: polydata label pull")


@label_app.command()
def pull(
    workspace: WorkspaceOption = None,
    full: Annotated[bool, typer.Option("--full", help="Read every task, not only those touched since.")] = False,
    json: JsonOption = False,
) -> None:
    """Bring the reviewers' answers into the catalogue: new, changed, skipped and deleted ones."""
    from polydata.catalogue.session import open_catalogue
    from polydata.labels.sync import pull as pull_answers
    from polydata.workspace import Workspace

    found = Workspace.find(workspace)
    with open_catalogue(found) as catalogue:
        done = pull_answers(found, catalogue, progress, full=full)
    facts = {"project": done.project.title, "url": done.project.url, "new": done.new, "changed": done.changed}
    facts |= {"unchanged": done.unchanged, "deleted": done.deleted, "skipped": done.skipped}
    facts |= {"annotations in the catalogue": done.annotations}
    _report(facts, done.problems, json, "not used", "polydata build-split v1")


@label_app.command()
def status(workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """Show the project on the server beside what the catalogue holds of it."""
    from polydata.catalogue.session import open_catalogue
    from polydata.labels.sync import status as both_sides
    from polydata.workspace import Workspace

    found = Workspace.find(workspace)
    with open_catalogue(found, read_only=True) as catalogue:
        facts = both_sides(found, catalogue)
    if json:
        print_json(facts)
        return
    print_facts(facts)
    next_step("polydata label pull" if facts["url"] else "polydata label push")


@label_app.command("list")
def list_answers(workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """List the annotations in the catalogue, deleted and skipped ones too."""
    from polydata.catalogue.annotations import list_annotations
    from polydata.catalogue.session import open_catalogue
    from polydata.workspace import Workspace

    with open_catalogue(Workspace.find(workspace), read_only=True) as catalogue:
        rows = list_annotations(catalogue)
    if json:
        print_json(rows)
        return
    shown = (
        "image_sha256",
        "choice",
        "annotator",
        "cancelled",
        "deleted",
        "paper",
        "page",
        "figure",
        "panel",
        "comment",
    )
    short = [{k: (r[k][:12] if k == "image_sha256" else r[k]) for k in shown} for r in rows]
    print_table(short, empty="No annotation yet. Fetch them with: polydata label pull")
