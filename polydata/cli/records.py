"""polydata records import, template and list; polydata join."""

import dataclasses
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from polydata.cli import app
from polydata.console.options import JsonOption, WorkspaceOption
from polydata.console.output import next_step, print_facts, print_json, print_table, progress, report_problems
from polydata.errors import InputError, PartialFailure

records_app = typer.Typer(no_args_is_help=True, help="Records of samples: bring your own tables, list them.")
app.add_typer(records_app, name="records")


class TemplateFormat(StrEnum):
    """Formats of the template."""

    CSV = "csv"
    XLSX = "xlsx"


@records_app.command("import")
def import_(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="CSV, XLSX, JSON or JSON Lines files, or folders of them.")
    ],
    *,
    sheet: Annotated[
        str | None, typer.Option("--sheet", help="Sheet of a workbook; otherwise sample_export, else its first.")
    ] = None,
    columns: Annotated[
        list[str] | None, typer.Option("--map", metavar="FIELD=COLUMN", help="Which column holds a field; repeatable.")
    ] = None,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Import the good rows although others are bad.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import records from tables or PoLyInfo exports; nothing if a row is bad, unless --skip-bad is given."""
    from polydata.catalogue.session import open_session
    from polydata.records.columns import parse_map
    from polydata.records.workflow import import_tables
    from polydata.workspace import Workspace

    place = Workspace.find(workspace)
    with open_session(place) as session:
        chosen = parse_map(columns or ())
        done = import_tables(session, files, sheet=sheet, chosen=chosen, skip_bad=skip_bad)
    report = done.records
    report_problems(map(str, report.bad), "Bad row")
    report_problems(map(str, report.doubtful), "Doubtful row")
    _report_unknown(done.votes.unknown_spellings)
    if as_json:
        print_json(dataclasses.asdict(report))
    else:
        counts = {"imported": report.imported, "unchanged": report.unchanged, "replaced": report.replaced}
        print_facts({**counts, "repeated rows": report.repeated, "bad": len(report.bad)}, "Records")
    if not report.done:
        raise InputError(
            f"Nothing was imported: {len(report.bad)} rows are bad, listed above.",
            "Correct them, or leave them out with --skip-bad.",
        )
    if report.bad:
        raise PartialFailure(f"{len(report.bad)} bad rows were left out, listed above.", "Next: polydata join")
    if not as_json:
        next_step("polydata join")


def _report_unknown(spellings: Mapping[str, int]) -> None:
    report_problems(
        (f"{word!r} in {count} records; add it to [spellings] of the task file" for word, count in spellings.items()),
        "Unknown label",
    )


@records_app.command("template")
def template_(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write; otherwise standard output.")
    ] = None,
    kind: Annotated[TemplateFormat, typer.Option("--format", help="csv or xlsx.")] = TemplateFormat.CSV,
) -> None:
    """Write an empty table of records: its columns and two example rows to be replaced."""
    from polydata.records.template import explanations, template

    data = template(kind.value)
    if output is None:
        typer.get_binary_stream("stdout").write(data)
        return
    try:
        output.write_bytes(data)
    except OSError as error:
        raise InputError(f"{output} cannot be written: {error.strerror}.") from error
    print_table([{"column": name, "what belongs into it": text} for name, text in explanations()], str(output))
    next_step(f"fill it in, then polydata records import {output}")


@records_app.command("list")
def list_(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """List the records and how many panels each is linked to."""
    from polydata.catalogue.records import list_records
    from polydata.catalogue.session import open_session
    from polydata.workspace import Workspace

    with open_session(Workspace.find(workspace), read_only=True) as session:
        rows = list_records(session.catalogue)
    if as_json:
        print_json(rows)
        return
    print_table(
        [
            {
                "record": row["record_key"] or row["record_id"],
                "reference": (row["reference"] or row["doi"] or row["reference_no"] or "")[-45:],
                "panel": row["panel"],
                "label": row["compatibility"],
                "panels": row["linked_panels"],
            }
            for row in rows
        ],
        f"{len(rows)} records",
        "There are no records. Import some with: polydata records import FILE",
    )


@app.command()
def join(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Link records to papers and panels, and write the labels that follow from them."""
    from polydata.catalogue.links import papers_to_join
    from polydata.catalogue.session import open_session
    from polydata.records.workflow import join as run
    from polydata.workspace import Workspace

    place = Workspace.find(workspace)
    with open_session(place) as session, progress("Joining", len(papers_to_join(session.catalogue))) as advance:
        report = run(session, advance)
    report_problems(
        (f"{a.record_key or a.record_id}: {', '.join(a.candidates)}" for a in report.links.ambiguous), "Several papers"
    )
    _report_unknown(report.votes.unknown_spellings)
    if as_json:
        print_json(dataclasses.asdict(report))
        return
    print_facts(report.facts(), "Join" if report.changed else "Join: nothing changed")
    next_step("polydata list candidates" if report.links.queued else "polydata list leftovers")
