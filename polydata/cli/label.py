"""polydata label serve, trust, setup, push, pull, queue, measure, status, list."""

from __future__ import annotations

import dataclasses
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Option

from polydata.choices import Asked, Reviewed, Uncertainty
from polydata.cli import app, open_session, read
from polydata.console import output as out
from polydata.console.group import new_group
from polydata.console.options import JsonOption, WideOption, WorkspaceOption
from polydata.errors import ServerError, UsageError

if TYPE_CHECKING:
    from polydata.catalogue.session import Session
    from polydata.labels.localserver import Account, Installation, LocalServer
    from polydata.labels.projects import Target
    from polydata.labels.push import Pushed
    from polydata.workspace import Workspace

label_app = new_group(app, "label", "Review images in Label Studio.")


ProjectOption = Annotated[
    str | None, Option("--project", metavar="NAME", help="Another project than that of polydata.toml.")
]
PulledOption = Annotated[
    str | None, Option(metavar="NAME", help="This project alone; otherwise all that were pushed to.")
]
SecondOption = Annotated[
    str | None, Option(metavar="NAME", help="Call the second project so; otherwise PROJECT review.")
]
BlindOption = Annotated[
    bool, Option("--blind", help="A project that shows the image alone; its answers are no labels.")
]
SplitOption = Annotated[
    str | None, Option("--split", metavar="SPLIT", help="With --blind: the split whose test images it shows.")
]
TaskOption = Annotated[
    Asked,
    Option(
        "--task",
        help="labels: the choices of the task; screening: what is a micrograph, borderline images first; boxes: "
        "figures, whose panels are moved, added, deleted and lettered; quality-pages, quality-figures and "
        "quality-images: the sample of polydata quality draw. Each has a project of its own.",
    ),
]
LimitOption = Annotated[
    int | None, Option("--limit", min=1, help="Make so many new tasks at most; the next push goes on behind them.")
]


def _open(workspace: Path | None, *, read_only: bool = False) -> Session:
    """An open workspace whose server may have the token: a person is asked about one that was not used before."""
    from polydata.labels.labelstudio.connection import checked_url, variable_with_token
    from polydata.labels.labelstudio.trust import is_trusted, trust
    from polydata.workspace import Workspace

    found = Workspace.find(workspace)
    url = checked_url(found.settings.label_studio.url)
    if variable_with_token() and not is_trusted(url) and sys.stdin.isatty():
        typer.echo(out.one_line(f"{found.root}/polydata.toml names the server {url}."), err=True)
        typer.confirm("Is it yours, and may your token go there, now and later?", abort=True, err=True)
        trust(url)
    return open_session(found.root, read_only=read_only)


@label_app.command()
def serve(
    workspace: WorkspaceOption = None,
    port: Annotated[
        int | None, Option(min=1, max=65535, help="Listen here; otherwise as url in polydata.toml says.")
    ] = None,
    new_password: Annotated[
        bool, Option("--new-password", help="Give the account another password and show it.")
    ] = False,
    yes: Annotated[bool, Option("--yes", help="Install Label Studio without asking.")] = False,
) -> None:
    """Run a Label Studio server for this workspace until Ctrl+C, on this machine alone; it is installed if missing."""
    from polydata.labels import localserver as local
    from polydata.workspace import Workspace

    found = Workspace.find(workspace)
    if (new_password or local.needs_login(found)) and not sys.stdout.isatty():
        raise UsageError(
            "A password has to be shown, and this output is no terminal.", "Start it in a terminal: nothing keeps it."
        )
    installation = local.Installation.in_folder(local.cache_folder())
    _install(installation, yes)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    typer.echo("Starting Label Studio; the first start makes its database, which takes a minute.")
    chosen = port or local.default_port(found)
    try:
        with local.serving(found, installation, chosen, new_password=new_password) as (server, login):
            _introduce(found, server, login)
            ended = server.wait()
    except KeyboardInterrupt:
        typer.echo("Stopped. Its data is kept in the workspace.")
        return
    raise ServerError(f"Label Studio ended by itself with {ended}.", f"See {local.data_folder(found)}/server.log.")


def _install(installation: Installation, yes: bool) -> None:
    """Install what is missing, after saying so."""
    from polydata.labels.localserver import SIZE, VERSION

    if installation.is_complete:
        return
    typer.echo(f"Label Studio {VERSION} is not installed. It gets an environment of its own, {SIZE}, made by pip in")
    typer.echo(f"  {installation.folder}")
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("Nothing was installed, since nobody can be asked here.", "Say --yes to install it.")
        typer.confirm("Install it?", abort=True, default=True)
    typer.echo("Installing; this takes minutes.")
    with out.stages() as bar:
        installation.ensure(bar)


def _introduce(workspace: Workspace, server: LocalServer, login: Account | None) -> None:
    """Say where it is and how to log in."""
    typer.echo(f"Label Studio answers at {server.url} on this machine alone. Stop it with Ctrl+C.")
    if login:
        typer.echo(f"Log in as {login.email} with the password {login.password}")
        if login.token:
            typer.echo(f"Token for the other commands: {login.token}")
            typer.echo("Give it by typing this, then pasting it (so it stays out of the shell's history):")
            typer.echo("  read -rs POLYDATA_LABEL_STUDIO_TOKEN && export POLYDATA_LABEL_STUDIO_TOKEN")
        typer.echo("This is shown once and kept nowhere. --new-password makes another password; the token stands in")
        typer.echo("Account & Settings.")
    if workspace.settings.label_studio.url.rstrip("/") != server.url:
        typer.echo(f'Put this into polydata.toml under [label_studio]: url = "{server.url}"')
    out.next_step("polydata label setup, in another terminal")


@label_app.command("trust")
def trust_server(
    url: Annotated[str, typer.Argument(metavar="URL", help="Address of the server, as polydata.toml has it.")],
    json: JsonOption = False,
) -> None:
    """Let the token of the environment go to a server on another machine, whatever workspace names it."""
    from polydata.labels.labelstudio.connection import checked_url
    from polydata.labels.labelstudio.trust import trust

    kept = trust(checked_url(url))
    said = f"The token may go to {url}, as {kept} says from now on."
    out.print_result(said, json, following="polydata label setup", whole={"url": url, "kept": str(kept)})


def _target(workspace: Workspace, project: str | None, blind: bool, split: str | None, asked: Asked) -> Target:
    from polydata.labels.projects import target

    if blind is not (split is not None):
        raise UsageError("--blind and --split belong together.", "Name the split whose test images are to be shown.")
    return target(workspace, project, split, asked)


def _report(facts: dict[str, Any], problems: list[str], as_json: bool, what: str, following: str) -> None:
    """Print what was done, then fail in part where something was left out."""
    out.print_result(facts, as_json, following=following, whole={**facts, "problems": problems})
    out.report_problems(problems, what)
    out.fail_in_part(len(problems), "were left out; each is listed above.", "")


def _report_push(done: Pushed, as_json: bool) -> None:
    facts = {"project": done.project.title, "url": done.project.url, "images": done.selected}
    facts |= {"tasks made": done.created, "already there": done.present, "predictions written": done.predicted}
    facts |= {"left for a later push": done.left} if done.left else {}
    _report(facts, done.problems, as_json, "not pushed", "answer the tasks in the browser, then: polydata label pull")


@label_app.command()
def setup(
    workspace: WorkspaceOption = None,
    asked: TaskOption = "labels",
    project: ProjectOption = None,
    blind: BlindOption = False,
    split: SplitOption = None,
    json: JsonOption = False,
) -> None:
    """Make the project in Label Studio, or bring its labelling page and the reviewers' guide up to date."""
    from polydata.labels.projects import setup as set_up

    with _open(workspace) as session:
        made = set_up(session, _target(session.workspace, project, blind, split, asked))
    facts = {"project": made.title, "url": made.url, "answers": ", ".join(made.answers or ()), "tasks": made.tasks}
    _report(facts, [], json, "", "polydata label push")


@label_app.command()
def push(
    workspace: WorkspaceOption = None,
    asked: TaskOption = "labels",
    limit: LimitOption = None,
    only: Annotated[
        Reviewed,
        Option(
            help="accepted: what the automatic screening accepted and what was imported; of these unlabelled: those "
            "without a label, uncertain: those nobody has answered, the least certain prediction first, conflicts: "
            "those about which sources, reviewers or predictions differ; all: every image of a panel. Of boxes, "
            "accepted: figures with a micrograph; all: every figure."
        ),
    ] = "accepted",
    predictions: Annotated[
        str | None,
        Option(
            metavar="FILE|RUN|rules",
            help="Show reviewers an answer chosen for them: of polymodel predict's Parquet, of a run (its folder, or "
            "its name in runs/), or of the text rules. Predictions of the same model version are replaced.",
        ),
    ] = None,
    model_version: Annotated[
        str | None, Option(metavar="NAME", help="Call the model so; otherwise as the file or run is called.")
    ] = None,
    order: Annotated[Uncertainty, Option(help="How --only uncertain measures uncertainty.")] = "entropy",
    project: ProjectOption = None,
    blind: BlindOption = False,
    split: SplitOption = None,
    json: JsonOption = False,
) -> None:
    """Make a Label Studio task for each image or figure that has none yet, and the project where it is missing."""
    from polydata.labels.asking import ask
    from polydata.labels.push import load_predictions
    from polydata.labels.push import push as push_images

    if predictions and asked != "labels":
        raise UsageError("Predictions are of labels.", f"Leave them out with --task {asked}.")
    with _open(workspace) as session, out.stages() as bar:
        target = _target(session.workspace, project, blind, split, asked)
        if asked != "labels":
            done = ask(session, asked, only, limit, target=target, progress=bar)
        else:
            shown = load_predictions(session, predictions, model_version) if predictions else None
            done = push_images(session, only, limit, target=target, predictions=shown, order=order, progress=bar)
    _report_push(done, json)


@label_app.command()
def pull(
    workspace: WorkspaceOption = None,
    full: Annotated[bool, Option("--full", help="Read every task, not only those touched since.")] = False,
    project: PulledOption = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Also where more than a few answers are no longer on the server.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Bring the reviewers' answers into the catalogue: new, changed, skipped and deleted ones, of all projects."""
    from polydata.labels.pull import pull as pull_answers
    from polydata.splits.overview import free_name

    with _open(workspace) as session, out.stages() as bar:
        done = pull_answers(session, full=full, title=project, deletions=yes, progress=bar)
        step = f"polydata build-split {free_name(session.workspace)}"
    facts = {"projects": ", ".join(done.projects), "new": done.new, "changed": done.changed}
    facts |= {"unchanged": done.unchanged, "deleted": done.deleted, "skipped": done.skipped}
    facts |= {"figures and images set right": done.applied} if done.applied else {}
    facts |= {"kept of a project that was there before": done.kept} if done.kept else {}
    facts |= {"annotations in the catalogue": done.annotations}
    _report(facts, done.problems, json, "not used", step)


@label_app.command()
def queue(
    workspace: WorkspaceOption = None, limit: LimitOption = None, project: SecondOption = None, json: JsonOption = False
) -> None:
    """Push the images about which annotators differ to a second project, where nobody sees the former answers."""
    from polydata.labels.projects import review_target
    from polydata.labels.push import queue as push_disputed

    with _open(workspace) as session, out.stages() as bar:
        done = push_disputed(session, limit, target=review_target(session.workspace, project), progress=bar)
    _report_push(done, json)


@label_app.command()
def measure(
    split: Annotated[str, typer.Argument(metavar="SPLIT", help="The split whose test images people answered blind.")],
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="FILE", help="CSV file to write; exports/SPLIT-answers.csv.")
    ] = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Write what people answered blind beside the split's labels, as a table for: polydata label agreement --table."""
    from polydata.labels.projects import TRUTH, write_answers

    with open_session(workspace, read_only=True) as session:
        output = output or session.workspace.exports / f"{split}-answers.csv"
        images, people = write_answers(session, split, output)
    raters = " ".join(f"--raters '{who}'" for who in people)
    following = f"polydata label agreement --table {output} --truth {TRUTH} {raters}"
    _report({"file": str(output), "images": images, "people": ", ".join(people)}, [], json, "", following)


@label_app.command()
def status(wide: WideOption = False, workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """Show the projects on the server beside what the catalogue holds of them."""
    from polydata.labels.projects import status as both_sides

    with _open(workspace, read_only=True) as session:
        facts = both_sides(session)
    if json:
        out.print_json(dataclasses.asdict(facts))
        return
    few = {"project": "project", "tasks": "tasks", "answers": "annotations", "people": "annotators"}
    few |= {name: name for name in ("pulled", "skipped", "unusable")}
    out.print_rows(facts.projects, False, wide, few, title=facts.server)
    out.print_facts({p["project"]: p["url"] for p in facts.projects if p["url"]}, "In the browser")
    out.print_facts({f"images {k}": v for k, v in facts.images.items()})
    out.next_step("polydata label pull" if any(p["url"] for p in facts.projects) else "polydata label push")


@label_app.command("list")
def list_answers(wide: WideOption = False, workspace: WorkspaceOption = None, json: JsonOption = False) -> None:
    """List the annotations in the catalogue, deleted and skipped ones too."""
    from polydata.catalogue.annotations import list_annotations

    def shown(row: Mapping[str, Any]) -> dict[str, Any]:
        state = "deleted" if row["deleted"] else "skipped" if row["cancelled"] else "counts"
        said = {"image": row["image_sha256"], "answer": row["choice"], "annotator": row["annotator"], "state": state}
        return said | {"place": " ".join(filter(None, (row["figure"], row["panel"]))), "paper": row["paper"]}

    empty = "No annotation yet. Fetch them with: polydata label pull"
    out.print_rows(read(workspace, list_annotations), json, wide, shown, empty=empty)
