"""polydata label setup, push, pull, queue, status, list."""

from __future__ import annotations

import dataclasses
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polydata.cli import app
from polydata.console.group import ErrorGroup
from polydata.console.options import JsonOption, WorkspaceOption
from polydata.console.output import next_step, print_facts, print_json, print_table, progress, report_problems
from polydata.errors import PartialFailure, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from polydata.catalogue.session import Session
    from polydata.labels.projects import Target
    from polydata.labels.push import Pushed
    from polydata.workspace import Workspace

label_app = typer.Typer(cls=ErrorGroup, no_args_is_help=True, help="Review images in Label Studio.")
app.add_typer(label_app, name="label")


class Only(StrEnum):
    """Which images are pushed."""

    accepted = "accepted"
    unlabelled = "unlabelled"
    uncertain = "uncertain"
    conflicts = "conflicts"
    all = "all"


class Order(StrEnum):
    """How uncertainty is measured."""

    entropy = "entropy"
    margin = "margin"


ProjectOption = Annotated[
    str | None, typer.Option("--project", metavar="NAME", help="Another project than that of polydata.toml.")
]
PulledOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="This project alone; otherwise all that were pushed to.")
]
SecondOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Call the second project so; otherwise PROJECT review.")
]
BlindOption = Annotated[
    bool, typer.Option("--blind", help="A project that shows the image alone; its answers are no labels.")
]
SplitOption = Annotated[
    str | None, typer.Option("--split", metavar="NAME", help="With --blind: the split whose test images it shows.")
]
LimitOption = Annotated[
    int | None, typer.Option("--limit", min=1, help="Take the first so many of the selected images.")
]


@contextmanager
def _opened(workspace: Path | None) -> Iterator[Session]:
    """The workspace that is meant, to be written."""
    from polydata.catalogue.session import open_session

    with open_session(workspace) as session:
        yield session


def _target(workspace: Workspace, project: str | None, blind: bool, split: str | None) -> Target:
    from polydata.labels.projects import target

    if blind is not (split is not None):
        raise UsageError("--blind and --split belong together.", "Name the split whose test images are to be shown.")
    return target(workspace, project, split)


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


def _report_push(done: Pushed, as_json: bool) -> None:
    facts = {"project": done.project.title, "url": done.project.url, "images": done.selected}
    facts |= {"tasks made": done.created, "already there": done.present, "predictions written": done.predicted}
    _report(facts, done.problems, as_json, "not pushed", "answer the tasks in the browser, then: polydata label pull")


@label_app.command()
def setup(
    workspace: WorkspaceOption = None,
    project: ProjectOption = None,
    blind: BlindOption = False,
    split: SplitOption = None,
    json: JsonOption = False,
) -> None:
    """Make the project in Label Studio, or bring its labelling page and the reviewers' guide up to date."""
    from polydata.labels.projects import setup as set_up

    with _opened(workspace) as session:
        made = set_up(session, _target(session.workspace, project, blind, split))
    facts = {"project": made.title, "url": made.url, "answers": ", ".join(made.answers or ()), "tasks": made.tasks}
    _report(facts, [], json, "", "polydata label push")


@label_app.command()
def push(  # noqa: PLR0917 - options of a command
    workspace: WorkspaceOption = None,
    limit: LimitOption = None,
    only: Annotated[
        Only,
        typer.Option(
            help="accepted: what the automatic screening accepted and what was imported; of these unlabelled: those "
            "without a label, uncertain: those nobody has answered, the least certain prediction first, conflicts: "
            "those about which sources, reviewers or predictions differ; all: every image of a panel."
        ),
    ] = Only.accepted,
    predictions: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|RUN|rules",
            help="Show reviewers an answer chosen for them: of polymodel predict's Parquet, of a run (its folder, or "
            "its name in runs/), or of the text rules. Predictions of the same model version are replaced.",
        ),
    ] = None,
    model_version: Annotated[
        str | None, typer.Option(metavar="NAME", help="Call the model so; otherwise as the file or run is called.")
    ] = None,
    order: Annotated[Order, typer.Option(help="How --only uncertain measures uncertainty.")] = Order.entropy,
    project: ProjectOption = None,
    blind: BlindOption = False,
    split: SplitOption = None,
    json: JsonOption = False,
) -> None:
    """Make a Label Studio task for each image that has none yet, and the project where it is missing."""
    from polydata.labels.push import load_predictions
    from polydata.labels.push import push as push_images

    with _opened(workspace) as session:
        target = _target(session.workspace, project, blind, split)
        shown = load_predictions(session, predictions, model_version) if predictions else None
        done = push_images(session, only.value, limit, progress, target=target, predictions=shown, order=order.value)
    _report_push(done, json)


@label_app.command()
def pull(
    workspace: WorkspaceOption = None,
    full: Annotated[bool, typer.Option("--full", help="Read every task, not only those touched since.")] = False,
    project: PulledOption = None,
    json: JsonOption = False,
) -> None:
    """Bring the reviewers' answers into the catalogue: new, changed, skipped and deleted ones, of all projects."""
    from polydata.labels.pull import pull as pull_answers

    with _opened(workspace) as session:
        done = pull_answers(session, progress, full=full, title=project)
    facts = {"projects": ", ".join(done.projects), "new": done.new, "changed": done.changed}
    facts |= {"unchanged": done.unchanged, "deleted": done.deleted, "skipped": done.skipped}
    facts |= {"annotations in the catalogue": done.annotations}
    _report(facts, done.problems, json, "not used", "polydata build-split v1")


@label_app.command()
def queue(
    workspace: WorkspaceOption = None,
    limit: LimitOption = None,
    project: SecondOption = None,
    json: JsonOption = False,
) -> None:
    """Push the images about which annotators differ to a second project, where nobody sees the former answers."""
    from polydata.labels.projects import review_target
    from polydata.labels.push import queue as push_disputed

    with _opened(workspace) as session:
        done = push_disputed(session, limit, progress, review_target(session.workspace, project))
    _report_push(done, json)


@label_app.command()
def measure(
    split: Annotated[str, typer.Option(metavar="NAME", help="The split whose test images people answered blind.")],
    output: Annotated[Path, typer.Option(metavar="FILE", help="The CSV file to write.")],
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Write what people answered blind beside the split's labels, as a table for: polydata label agreement --table."""
    from polydata.catalogue.session import open_session
    from polydata.labels.projects import TRUTH, write_answers
    from polydata.workspace import Workspace

    with open_session(Workspace.find(workspace), read_only=True) as session:
        images, people = write_answers(session.catalogue, split, output)
    raters = " ".join(f"--raters '{who}'" for who in people)
    following = f"polydata label agreement --table {output} --truth {TRUTH} {raters}"
    _report({"file": str(output), "images": images, "people": ", ".join(people)}, [], json, "", following)


@label_app.command()
def status(workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """Show the projects on the server beside what the catalogue holds of them."""
    from polydata.catalogue.session import open_session
    from polydata.labels.projects import status as both_sides
    from polydata.workspace import Workspace

    found = Workspace.find(workspace)
    with open_session(found, read_only=True) as session:
        facts = both_sides(session)
    if json:
        print_json(dataclasses.asdict(facts))
        return
    print_table(facts.projects, title=facts.server)
    print_facts({f"images {k}": v for k, v in facts.images.items()})
    next_step("polydata label pull" if any(p["url"] for p in facts.projects) else "polydata label push")


@label_app.command("list")
def list_answers(workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """List the annotations in the catalogue, deleted and skipped ones too."""
    from polydata.catalogue.annotations import list_annotations
    from polydata.catalogue.session import open_session
    from polydata.workspace import Workspace

    with open_session(Workspace.find(workspace), read_only=True) as session:
        rows = list_annotations(session.catalogue)
    if json:
        print_json(rows)
        return
    names = ("image_sha256", "choice", "annotator", "role", "cancelled", "deleted", "paper", "page", "figure", "panel")
    short = [{k: (r[k][:12] if k == "image_sha256" else r[k]) for k in (*names, "comment")} for r in rows]
    print_table(short, empty="No annotation yet. Fetch them with: polydata label pull")
