"""polydata label resolve, set, history, undo."""

from typing import Annotated

import typer

from polydata.choices import MethodName
from polydata.cli.label import label_app
from polydata.console.options import JsonOption, WorkspaceOption
from polydata.console.output import next_step, print_facts, print_json, print_table
from polydata.errors import UsageError

ImageArgument = Annotated[
    str, typer.Argument(metavar="IMAGE", help="An image's SHA-256 or a panel's id, or its start.")
]
ByOption = Annotated[str | None, typer.Option(metavar="NAME", help="Who decides; otherwise the user logged in here.")]


@label_app.command()
def resolve(
    annotator: Annotated[
        str | None, typer.Argument(metavar="NAME", help="The adjudicator, or whose answers are gold.")
    ] = None,
    workspace: WorkspaceOption = None,
    method: Annotated[
        MethodName | None,
        typer.Option(
            help="majority: the answer of most; dawid-skene: weighed by who errs how; adjudicator NAME: decides "
            "where the others differ; gold: the answers marked as ground truth, or of NAME, always win."
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Choose how reviewers' answers become one label, or show it; ties stay unresolved by every method."""
    from polydata.catalogue.session import open_session
    from polydata.labels.resolve import resolution
    from polydata.labels.resolve import resolve as choose
    from polydata.workspace import Workspace

    if method is None and annotator is not None:
        raise UsageError(f"What is {annotator!r} to be?", "Say --method adjudicator or --method gold.")
    with open_session(Workspace.find(workspace), read_only=method is None) as session:
        found = resolution(session.catalogue) if method is None else choose(session.catalogue, method, annotator)
    if json:
        print_json(found.as_json())
        return
    facts = {"resolved by": found.method, "labels changed now": found.changed, **found.choices}
    print_facts({**facts, "unresolved, as reviewers tie": len(found.unresolved)})
    next_step("polydata label set IMAGE LABEL --reason WHY" if found.unresolved else "polydata build-split v1")


@label_app.command("set")
def set_by_hand(  # noqa: PLR0917 - options of a command
    image: ImageArgument,
    label: Annotated[str, typer.Argument(metavar="LABEL", help="A label of the task, or another answer it knows.")],
    reason: Annotated[str, typer.Option(metavar="WHY", help="Why; it stays in the history.")],
    by: ByOption = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Set an image's label by hand: it wins over every source, until polydata label undo takes it back."""
    from polydata.catalogue.session import open_session
    from polydata.labels.resolve import set_label
    from polydata.workspace import Workspace

    place = Workspace.find(workspace)
    with open_session(place) as session:
        sha256 = set_label(session, image, label, reason=reason, by=by)
    if json:
        print_json({"image_sha256": sha256, "label": label})
        return
    typer.echo(f"{sha256[:12]} is {label}.")
    next_step(f"polydata label history {sha256[:12]}, or polydata label undo {sha256[:12]}")


@label_app.command()
def history(
    image: Annotated[
        str | None, typer.Argument(metavar="IMAGE", help="An image's SHA-256 or a panel's id; otherwise all images.")
    ] = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Show every change of a label: when, by what and whom, from what to what."""
    from polydata.catalogue.resolution import history_of
    from polydata.catalogue.screenings import image_named
    from polydata.catalogue.session import open_session
    from polydata.workspace import Workspace

    with open_session(Workspace.find(workspace), read_only=True) as session:
        rows = history_of(session.catalogue, image_named(session.catalogue, image) if image else None)
    if json:
        print_json(rows)
        return
    short = [
        {
            "when (UTC)": f"{row['changed_at']:%Y-%m-%d %H:%M}",
            "image": row["image_sha256"][:12],
            "what": row["what"],
            "who": row["who"],
            "from": f"{row['from_label'] or '–'} ({row['from_source'] or '–'})",
            "to": f"{row['to_label'] or '–'} ({row['to_source'] or '–'})",
            "why": row["reason"],
        }
        for row in rows
    ]
    print_table(short, empty="No label of it was noted yet.")


@label_app.command()
def undo(
    image: Annotated[
        str | None, typer.Argument(metavar="IMAGE", help="Of this image; otherwise the last one of all.")
    ] = None,
    by: ByOption = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Take back the last label that was set by hand; what counted before counts again."""
    from polydata.catalogue.session import open_session
    from polydata.labels.resolve import undo as take_back
    from polydata.workspace import Workspace

    with open_session(Workspace.find(workspace)) as session:
        gone = take_back(session.catalogue, image, by)
    if json:
        print_json(gone)
        return
    typer.echo(f"{str(gone['image_sha256'])[:12]} is no longer set to {gone['choice']} ({gone['reason']}).")
    next_step(f"polydata label history {str(gone['image_sha256'])[:12]}")
