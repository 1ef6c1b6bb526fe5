"""polydata join, link, unlink, list candidates and manual-links."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument, Context, Option

from polydata.choices import BEST
from polydata.cli import app, open_session, read
from polydata.cli.extract import listing
from polydata.cli.records import RecordArgument, report_unknown
from polydata.console import output as out
from polydata.console.options import JsonOption, WideOption, WorkspaceOption, typed_again
from polydata.errors import InputError, UsageError

CANDIDATES, CONFLICTS = "polydata list candidates --html candidates.html", "polydata conflicts --html conflicts.html"
AFTER = f"{CONFLICTS}; if there is none, polydata build-split NAME"


@app.command()
def join(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Link records to papers and panels, and write the labels that follow from them."""
    from polydata.records.join import join as run
    from polydata.records.words import mending_known

    with open_session(workspace) as session, out.stages() as progress:
        report = run(session, progress)
        mends = mending_known(session, report.votes.unknown_spellings)
    out.report_problems(
        (f"{a.record_key or a.record_id}: {', '.join(a.candidates)}" for a in report.links.ambiguous), "Several papers"
    )
    report_unknown(report.votes.unknown_spellings, mends)
    title = "Join" if report.changed else "Join: nothing changed"
    waiting = {CANDIDATES: report.links.queued, CONFLICTS: report.links.disagreeing}
    following = "; then ".join(step for step, count in waiting.items() if count) or AFTER
    out.print_result(report.facts(), as_json, title, following, dataclasses.asdict(report))


@app.command()
def link(
    context: Context,
    record: Annotated[
        str | None, Argument(metavar="RECORD", help="Its own key, its id, or the beginning of the id.")
    ] = None,
    target: Annotated[
        str | None, Argument(metavar="PANEL|FIGURE", help="Id of the panel or figure, or the beginning of it.")
    ] = None,
    nothing: Annotated[bool, Option("--nothing", help="The record belongs to no panel or figure.")] = False,
    file: Annotated[
        Path | None,
        Option(
            "--file",
            metavar="FILE",
            help="A table with the columns record and panel (or nothing): all rows with a panel are linked, or none.",
        ),
    ] = None,
    dry_run: Annotated[bool, Option("--dry-run", help="Of a table, only say what would be linked.")] = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Link a record to a panel or figure by hand; it wins over every join and outlives a new reading of the PDF."""
    from polydata.records.join import link as by_hand
    from polydata.records.kept import objections

    if file is not None and record is None and not nothing:
        _link_table(file, as_json, workspace, typed_again(context, "dry_run") if dry_run else "")
        return
    if file is not None or dry_run or record is None or (target is None) != nothing:
        hint = "Ids stand in: polydata list candidates; a table of them is written by: polydata export candidates"
        raise UsageError("Name a record with its panel or figure, or with --nothing; or a table with --file.", hint)
    with open_session(workspace) as session:
        made = by_hand(session, record, target)
        doubts = objections(session, made)
    out.report_problems(doubts, "But")
    done = f"{made.record_id} is linked to {made.target_id or 'nothing'}."
    following = f"polydata list candidates; to take it back: polydata unlink {made.record_id}"
    out.print_result(done, as_json, following=following, whole={**dataclasses.asdict(made), "but": doubts})


def _link_table(file: Path, as_json: bool, workspace: Path | None, in_earnest: str) -> None:
    """Link what a table says, or show what that would do where there is a command that does it in earnest."""
    from polydata.records.link_table import link_table

    dry_run = bool(in_earnest)
    with open_session(workspace, read_only=dry_run) as session:
        made = link_table(session, file, dry_run=dry_run)
    out.report_problems(map(str, made.bad), "Bad row")
    out.report_problems(map(str, made.doubts), "But")
    gone = (f"{one.record_id} from {one.target_id or 'nothing'}" for one in made.taken_back)
    out.report_problems(gone, "Would be taken back" if dry_run or made.bad else "Taken back")
    facts = {"linked": len(made.linked), "  to nothing": sum(not one.target_id for one in made.linked)}
    facts |= {"unchanged": made.unchanged, "left open": made.left_open, "taken back": len(made.taken_back)}
    facts |= {"bad": len(made.bad)}
    title = f"Links of {file.name}" + (", if they were made" if dry_run or made.bad else "")
    following = "" if made.bad else in_earnest or ("polydata list candidates" if made.left_open else AFTER)
    out.print_result(facts, as_json, title, following, dataclasses.asdict(made))
    if made.bad:
        raise InputError(f"Nothing was linked: {len(made.bad)} rows are bad, listed above.", "Correct them.")


@app.command()
def unlink(
    record: RecordArgument,
    target: Annotated[
        str | None, Argument(metavar="PANEL|FIGURE", help="Which link goes; without it all of the record.")
    ] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Take links by hand back; the next join decides about the record again."""
    from polydata.records.join import unlink as take_back

    with open_session(workspace) as session:
        gone = take_back(session, record, target)
    if as_json:
        out.print_json([dataclasses.asdict(one) for one in gone])
        return
    for one in gone:
        typer.echo(f"{one.record_id} is no longer linked to {one.target_id or 'nothing'} by hand.")
    out.next_step("polydata join")


@listing.command("candidates")
def list_candidates(
    every: Annotated[bool, Option("--all", help=f"All panels of a record, not the best {BEST} alone.")] = False,
    html: Annotated[
        Path | None, Option(metavar="FILE", help="Write a page with the pictures, on which to choose.")
    ] = None,
    wide: WideOption = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Records whose panel could not be decided, each with the panels that come into question and their scores."""
    from polydata.catalogue.records import best_candidates
    from polydata.catalogue.records import list_candidates as rows_of
    from polydata.records.candidates_page import write_candidates

    def shown(row: Mapping[str, Any]) -> dict[str, Any]:
        record = {"record": row["record_key"] or row["record_id"], "PANEL": row["panel_id"]}
        place = " ".join(filter(None, (row["figure"], row["panel"])))
        return record | {"score": f"{row['score']:.3f}", "place": place, "caption": row["caption"]}

    with open_session(workspace, read_only=True) as session, out.stages() as bar:
        found = rows_of(session.catalogue)
        failures = write_candidates(session, html, bar).failures if html else ()
    rows = found if every or as_json else best_candidates(found)
    out.print_rows(rows, as_json, wide, shown, empty="No record waits for a decision.")
    if rows and not as_json:
        if len(rows) < len(found):
            typer.echo(f"Of {len(found)} the best {BEST} of each record; all: polydata list candidates --all")
        by_hand = "polydata list candidates --html FILE, or polydata link RECORD PANEL"
        out.next_step(f"open {html}, then polydata link --file links.csv" if html else by_hand)
    out.report_problems(failures, "Failed")
    out.fail_in_part(len(failures), "images could not be opened.")


@listing.command("manual-links")
def list_manual_links(wide: WideOption = False, as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Links by hand, each with whether it is in force."""
    from polydata.catalogue.by_hand import list_manual_links as rows_of

    shown = {"record": "record_id", "key": "record_key", "linked to": "target_id", "state": "state", "paper": "paper"}
    out.print_rows(read(workspace, rows_of), as_json, wide, shown, empty="Nothing was linked by hand.")
