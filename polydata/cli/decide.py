"""polydata label agreement, resolve, set, rename, restore, history, undo, export, import; and polydata conflicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Option

from polydata.choices import MethodName
from polydata.cli import app, open_session, read
from polydata.cli.label import label_app
from polydata.console import output as out
from polydata.console.options import CropsOption, JsonOption, WideOption, WorkspaceOption
from polydata.errors import UsageError

if TYPE_CHECKING:
    from polydata.labels.agreement import PulledAgreement, TableAgreement
    from polydata.labels.conflicts.find import Conflicts

IMAGE = "An image's SHA-256 or a panel's id, or its start,"
TruthOption = Annotated[str | None, Option(metavar="COLUMN", help="The table's column of true answers.")]
RatersOption = Annotated[
    list[str] | None, Option(metavar="PATTERN", help="The table's columns of raters, such as 'R*'. May be repeated.")
]
ByOption = Annotated[str | None, Option(metavar="NAME", help="Who decides; otherwise the user logged in here.")]


@label_app.command()
def agreement(
    workspace: WorkspaceOption = None,
    table: Annotated[
        Path | None,
        Option(metavar="FILE", help="Compare answers in this table, a column a rater, not those pulled."),
    ] = None,
    truth: TruthOption = None,
    raters: RatersOption = None,
    positive: Annotated[
        str | None, Option(metavar="ANSWER", help="The positive answer; otherwise as the task file says.")
    ] = None,
    top: Annotated[int, Option(min=1, help="Average so many of the best raters, picked on these images.")] = 10,
    json: JsonOption = False,
) -> None:
    """Show how far people agree: kappas, confusion, consensus; or a table's raters against its truth."""
    from polydata.labels import agreement as measures
    from polydata.workspace import task_for

    if table is None:
        if truth or raters or positive:
            raise UsageError("--truth, --raters and --positive speak of a table.", "Name it: --table FILE")
        with open_session(workspace, read_only=True) as session:
            pulled = measures.agreement(session)
        out.print_json(asdict(pulled)) if json else _show_pulled(pulled)
        return
    if not truth or not raters:
        raise UsageError("A table needs the columns of truth and raters.", "Name them: --truth COLUMN --raters 'R*'")
    task = task_for(workspace)
    found = measures.table_agreement(table, task, truth=truth, raters=raters, positive=positive, top=top)
    out.print_json(asdict(found)) if json else _show_table(found)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2f} %"


def _kappa(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _show_table(found: TableAgreement) -> None:
    for row in found.left_out:
        blank = len(row["missing"]) == len(found.raters) + 1
        what = "it is blank" if blank else f"no {', '.join(row['missing'])}"
        out.report_problems([f"row {row['row']} ({row['first_cell']}): {what}"], "Left out")
    out.print_facts(
        {
            "images judged by all": found.images,
            "rows left out": len(found.left_out),
            "raters": len(found.raters),
            "Fleiss' kappa": _kappa(found.fleiss_kappa),
            "accuracy of the majority vote": _percent(found.majority_vote_accuracy),
            "  ties, counted as wrong": found.majority_ties,
            "accuracy of the most frequent answer": _percent(found.most_frequent_accuracy),
        }
    )
    names = ("accuracy", "precision", "recall", "specificity", "f1")
    k = found.top_k["k"]
    rows: list[tuple[str, dict[str, Any]]] = [("mean of all", found.mean), (f"mean of the best {k}", found.top_k)]
    rows += sorted(found.rater_scores.items(), key=lambda item: -(item[1]["accuracy"] or 0))
    out.print_table([{"rater": name, **{n: _percent(one[n]) for n in names}} for name, one in rows])
    typer.echo(f"The best {k} were picked by {found.top_k['picked_by']}.")


def _show_pulled(found: PulledAgreement) -> None:
    out.print_facts(
        {
            "answers": found.answers,
            "images": found.images,
            "images with several answers": found.images_with_several,
            "Fleiss' kappa": _kappa(found.fleiss_kappa),
            "resolved by": found.method,
        }
    )
    if found.cohen_kappa:
        pairs = [asdict(p) | {"agreement": _percent(p.agreement), "kappa": _kappa(p.kappa)} for p in found.cohen_kappa]
        out.print_table(pairs, "Two by two (Cohen's kappa)")
    rows = [
        {"annotator": one["annotator"], "consensus": said, "answer": answer, "images": number}
        for one in found.annotators
        for said, answers in one["confusion"].items()
        for answer, number in answers.items()
    ]
    if rows:
        out.print_table(rows, "Against the consensus (Dawid-Skene)")
    for note in found.notes:
        typer.echo(note)
    out.next_step("polydata conflicts" if found.answers else "polydata label pull")


@label_app.command()
def resolve(
    annotator: Annotated[
        str | None, Argument(metavar="NAME", help="The adjudicator, or whose answers are gold.")
    ] = None,
    workspace: WorkspaceOption = None,
    method: Annotated[
        MethodName | None,
        Option(
            help="majority: the answer of most; dawid-skene: weighed by who errs how; adjudicator NAME: decides "
            "where the others differ; gold: the answers marked as ground truth, or of NAME, always win."
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Choose how reviewers' answers become one label, or show it; ties stay unresolved by every method."""
    from polydata.labels.resolve import resolution
    from polydata.labels.resolve import resolve as choose
    from polydata.splits.overview import free_name

    if method is None and annotator is not None:
        raise UsageError(f"What is {annotator!r} to be?", "Say --method adjudicator or --method gold.")
    with open_session(workspace, read_only=method is None) as session:
        found = resolution(session) if method is None else choose(session, method, annotator)
        name = free_name(session.workspace)
    in_force = f"{found.method} {found.annotator or ''}".strip()
    facts = {"resolved by": in_force, "labels changed now": found.changed, **found.choices}
    facts["unresolved, as reviewers tie"] = len(found.unresolved)
    step = "polydata label set IMAGE LABEL --reason WHY" if found.unresolved else f"polydata build-split {name}"
    out.print_result(facts, json, following=step, whole=asdict(found))


@label_app.command("set")
def set_by_hand(
    labels: Annotated[list[str], Argument(metavar="IMAGE LABEL", help=f"{IMAGE} and its label; more may follow.")],
    reason: Annotated[str, Option(metavar="WHY", help="Why; it stays in the history.")],
    by: ByOption = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Set labels by hand, all or none: they win over every source, until polydata label undo takes them back."""
    from polydata.labels.resolve import set_labels

    if len(labels) % 2:
        raise UsageError(f"{labels[-1]!r} stands alone: each image needs its label.", "IMAGE LABEL IMAGE LABEL ...")
    with open_session(workspace) as session:
        found = set_labels(session, zip(labels[::2], labels[1::2], strict=True), reason=reason, by=by)
    done = "\n".join(f"{image[:12]} is {label}." for image, label in found.items())
    step = f"polydata build-split NAME; to take the last one back: polydata label undo {list(found)[-1][:12]}"
    out.print_result(done, json, following=step, whole={"labels": found})


@label_app.command()
def rename(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A word that the task does not know any more.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The word of the task that it is called now.")],
    by: ByOption = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Let answers and decisions that say one word say another of the task, those still to be pulled too."""
    from polydata.labels.resolve import rename as call

    with open_session(workspace) as session:
        count = call(session, old, new, by)
    if json:
        out.print_json({"old": old, "new": new, "answers": count})
        return
    out.say(f"{count} answers and decisions that said {old} say {new}.")
    out.next_step("polydata status")


@label_app.command("restore")
def restore_answers(
    annotator: Annotated[str | None, typer.Option(metavar="WHO", help="Only what this annotator answered.")] = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Let answers count again that a pull found deleted on the server."""
    from polydata.labels.resolve import restore

    with open_session(workspace) as session:
        count = restore(session, annotator)
    if json:
        out.print_json({"restored": count})
        return
    typer.echo(f"{count} answers count again.")
    out.next_step("polydata label list")


@label_app.command("export")
def export_table(
    file: Annotated[Path, Argument(metavar="FILE", help="Ends in .csv.")],
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Write all answers, labels set by hand and screenings by hand as a table, which outlives the catalogue."""
    from polydata.files.atomic import check_output
    from polydata.labels.table import export_answers

    check_output(file, (".csv",))
    with open_session(workspace, read_only=True) as session:
        count = export_answers(session, file)
    step = f"polydata label import {file} --workspace OTHER"
    out.print_result(f"{count} rows in {file}", json, following=step, whole={"file": file, "rows": count})


@label_app.command("import")
def import_table(
    file: Annotated[Path, Argument(metavar="FILE", help="A table that polydata label export wrote.")],
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Bring in what people said from such a table; what was decided here stays."""
    from polydata.labels.table import import_answers

    with open_session(workspace) as session:
        done = import_answers(session, file)
    out.report_problems(done.kept, "Kept as it was decided here")
    facts = {**done.came, "were here already": done.there, "images that no panel shows": done.waiting}
    out.print_result(facts, json, "Brought in", "polydata status", asdict(done))


@label_app.command()
def history(
    image: Annotated[
        str | None, Argument(metavar="IMAGE", help="An image's SHA-256 or a panel's id; otherwise all images.")
    ] = None,
    wide: WideOption = False,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Show every change of a label: when, by what and whom, from what to what."""
    from polydata.catalogue.lookup import find_image
    from polydata.catalogue.resolution import history_of

    with open_session(workspace, read_only=True) as session:
        rows = history_of(session.catalogue, find_image(session.catalogue, image) if image else None)
    out.print_rows(rows, json, wide, _change, empty="No label of it was noted yet.")


def _change(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "image": row["image_sha256"],
        "when (UTC)": f"{row['changed_at']:%m-%d %H:%M}",
        "what": row["what"],
        "who": row["who"],
        "from": f"{row['from_label'] or '–'} ({row['from_source'] or '–'})",
        "to": f"{row['to_label'] or '–'} ({row['to_source'] or '–'})",
        "why": row["reason"],
    }


@label_app.command()
def undo(
    image: Annotated[
        str | None, Argument(metavar="IMAGE", help="Of this image; otherwise the last one of all.")
    ] = None,
    by: ByOption = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Take back the last label that was set by hand; what counted before counts again."""
    from polydata.labels.resolve import undo as take_back

    with open_session(workspace) as session:
        gone = take_back(session, image, by)
    image = str(gone["image_sha256"])[:12]
    done = f"{image} is no longer set to {gone['choice']} ({gone['reason']})."
    out.print_result(done, json, following=f"polydata label history {image}", whole=gone)


@label_app.command()
def distinct(
    first: Annotated[
        str | None, Argument(metavar="IMAGE", help="SHA-256 or panel's id; otherwise all are listed.")
    ] = None,
    others: Annotated[
        list[str] | None, Argument(metavar="OTHER", help="One that looks nearly like it. Several may follow.")
    ] = None,
    reason: Annotated[str, Option(metavar="WHY", help="Why; polydata trace shows it.")] = "",
    by: ByOption = None,
    take_back: Annotated[bool, Option("--undo", help="They may be one picture after all.")] = False,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Say that an image is another picture than those that look like it, so that all labels stand; or list such."""
    from polydata.catalogue.resolution import distinct_command, distinct_pairs
    from polydata.labels.resolve import set_distinct, undo_distinct

    if first is None or not others:
        if first or take_back:
            raise UsageError("Two images are needed.", "polydata audit and polydata conflicts name such pairs.")
        out.print_rows(read(workspace, distinct_pairs), json, False, _pair, empty="Of no images was it said.")
        return
    with open_session(workspace) as session:
        if take_back:
            images = undo_distinct(session, first, *others)
        else:
            images = set_distinct(session, first, *others, reason=reason, by=by)
    image, *beside = (one[:12] for one in images)
    said = (
        "may be one picture after all" if take_back else "are two pictures; splits keep them on one side all the same"
    )
    done = f"{image} and {' or '.join(beside)} {said}."
    following = "polydata conflicts" if take_back else f"to take it back: {distinct_command(*images)} --undo"
    out.print_result(done, json, following=following, whole={"images": images, "distinct": not take_back})


def _pair(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"image": row["image_sha256"], "beside": row["other_sha256"], "who": row["decided_by"], "why": row["reason"]}


LISTED = 40
"""Conflicts that are named on the terminal; --json and --html show all."""


@app.command("conflicts")
def list_conflicts(
    table: Annotated[Path | None, Option(metavar="FILE", help="A table that people filled in, a row an image.")] = None,
    truth: TruthOption = None,
    raters: RatersOption = None,
    key: Annotated[
        str | None, Option(metavar="COLUMN", help="The table's column that names the image; otherwise the first.")
    ] = None,
    predictions: Annotated[
        list[Path] | None,
        Option(
            metavar="FILE|RUN", help="What a model predicts: Parquet of polymodel predict, or a run. May be repeated."
        ),
    ] = None,
    html: Annotated[
        Path | None, Option(metavar="FILE", help="Write a page with the images side by side and the evidence.")
    ] = None,
    crops: CropsOption = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """List every disagreement about labels: of file names, records, texts, people, models; the weightiest first."""
    from polydata.labels.conflicts.find import TableOptions, find_conflicts
    from polydata.labels.conflicts.page import write_conflicts

    if (table is None) != (truth is None) or (table is None and (raters or key)):
        raise UsageError("A table needs its column of true answers.", "Name both: --table FILE --truth COLUMN")
    options = TableOptions(table, truth, tuple(raters or ()), key) if table and truth else None
    with open_session(workspace, read_only=True) as session, out.stages() as bar:
        found = find_conflicts(session, table=options, predictions=predictions or (), crops=crops, progress=bar)
        written = write_conflicts(session, found, html, bar) if html is not None else None
    out.print_json(found.as_json()) if as_json else _show(found, bool(html))
    failures = written.failures if written else ()
    out.report_problems(found.problems, "Not used")
    out.report_problems(failures, "Failed")
    out.fail_in_part(len(found.problems) + len(failures), "rows or images could not be used.")


def _show(found: Conflicts, has_page: bool) -> None:
    rows = [
        {
            "image": " ".join(found.evidence.pictures[i]["file_name"] or i[:12] for i in c.images),
            "severity": f"{c.severity:.2f}",
            "kind": c.kind,
            "what": f"{c.says} (settled)" if c.settled else c.says,
        }
        for c in found.conflicts[:LISTED]
    ]
    out.print_table(rows, empty="No conflict was found.")
    out.print_facts(found.counts, f"Conflicts; the first {len(rows)} are shown" if len(rows) == LISTED else "Conflicts")
    for command in found.apart:
        typer.echo(f"Other pictures, all labels right: {command}")
    if not found.conflicts:
        out.next_step("polydata status")
        return
    step = "open the page, tick what its pictures show, and run the command at its end"
    step = step if has_page else "polydata conflicts --html conflicts.html"
    out.next_step("polydata build-split NAME" if all(c.settled for c in found.conflicts) else step)
