"""polydata records import, template, list, show, remove; import-published."""

import dataclasses
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer import Argument, Context, Option

from polydata.cli import app, open_session, read, report_companions
from polydata.console import output as out
from polydata.console.group import new_group
from polydata.console.options import JsonOption, WideOption, WorkspaceOption, typed_again
from polydata.errors import InputError

if TYPE_CHECKING:
    from polydata.records.importer import ImportReport
    from polydata.records.reading import Columns

SHOWN = 20
"""Records that a trial shows, and repeated rows and unknown words that are named."""
KEY = 20
"""Letters of a key that a trial shows."""

records_app = new_group(app, "records", "Records of samples: bring your own tables, list them.")


RecordArgument = Annotated[str, Argument(metavar="RECORD", help="Its own key, its id, or the beginning of the id.")]


@records_app.command("import")
def import_(
    context: Context,
    files: Annotated[
        list[Path], Argument(metavar="FILE", help="CSV, XLSX, JSON or JSON Lines files, or folders of them.")
    ],
    sheet: Annotated[
        str | None,
        Option("--sheet", help="Sheet of a workbook; otherwise sample_export, else that with the most known columns."),
    ] = None,
    columns: Annotated[
        list[str] | None,
        Option(
            "--map",
            metavar="FIELD=COLUMN",
            help="Which column holds a field; repeatable, also for one field; kept in the workspace.",
        ),
    ] = None,
    meanings: Annotated[
        list[str] | None,
        Option(
            "--meaning",
            metavar="COLUMN: WORD=LABEL",
            help="What a word of a label column means, as in 'Miscible?: yes=compatible'; kept in the workspace.",
        ),
    ] = None,
    encoding: Annotated[
        str | None, Option("--encoding", help="Of text files, where their bytes do not show it: shift_jis, gbk, ...")
    ] = None,
    skip_bad: Annotated[bool, Option("--skip-bad", help="Import the good rows although others are bad.")] = False,
    dry_run: Annotated[bool, Option("--dry-run", help="Only show what would come in.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import records from tables or PoLyInfo exports; nothing if a row is bad, unless --skip-bad is given."""
    from polydata.records.columns import parse_map
    from polydata.records.importer import import_records
    from polydata.records.words import parse_meanings

    with open_session(workspace, read_only=dry_run) as session, out.stages() as progress:
        done = import_records(
            session,
            files,
            sheet=sheet,
            columns=parse_map(columns or ()),
            meanings=parse_meanings(session.task, meanings or ()),
            encoding=encoding,
            skip_bad=skip_bad,
            dry_run=dry_run,
            progress=progress,
        )
    _report(done.records, files, as_json, dry_run)
    again = f"{typed_again(context, 'dry_run')} {done.records.mending}".rstrip()
    step = again if dry_run else "polydata join" + (f", or first {again}" if done.records.mending else "")
    out.fail_in_part(len(done.records.bad), "bad rows were left out, listed above.", f"Next: {step}")
    if not as_json:
        out.next_step(step)


def _report(report: "ImportReport", files: Sequence[Path], as_json: bool, dry_run: bool) -> None:
    """What an import did, or would do."""
    from polydata.files.tables import SUFFIXES

    report_companions(files, SUFFIXES)
    if not as_json:
        _print_columns(report.columns)
    out.report_problems(report.notices, "Note")
    out.report_problems(report.warnings, "Warning")
    out.report_problems(map(str, report.bad), "Bad row")
    out.report_problems(map(str, report.doubtful), "Doubtful row")
    out.report_problems(map(str, report.repeated), "Repeated row", SHOWN)
    out.report_problems(map(str, report.replacements), "Would replace" if dry_run else "Replaced")
    report_unknown(report.unknown_words)
    if report.shown and not as_json:
        rows = [_in_short(row) for row in report.shown[:SHOWN]]
        title = f"{min(SHOWN, len(report.shown))} of {len(report.shown)} records that would come in"
        out.print_table(rows, title, clip=True)
    counts = {"imported": report.imported, "unchanged": report.unchanged, "replaced": report.replaced}
    counts |= {"repeated rows": len(report.repeated), "bad": len(report.bad)}
    title = "Records, if they were imported" if dry_run else "Records"
    out.print_result(counts, as_json, title, whole=dataclasses.asdict(report))
    if not report.done:
        raise InputError(
            f"Nothing was imported: {len(report.bad)} rows are bad, listed above.",
            "Correct them, or leave them out with --skip-bad.",
        )


def _in_short(record: Mapping[str, Any]) -> dict[str, str]:
    """A record of a trial in one line of 80 columns."""
    said = {name: str(value) for name, value in record.items()}
    parts = {
        "key": said.get("record_key", "")[:KEY],
        "sample": " ".join(said[name] for name in ("polymers", "composition_ratio") if name in said),
        "place": " ".join(said[name] for name in ("figure", "panel") if name in said),
        "label": said.get("compatibility", ""),
    }
    return parts | {"caption": said.get("caption", "")}


def _print_columns(files: Sequence["Columns"]) -> None:
    """Which column became which field, once for files that are alike."""
    kinds = {(tuple(one.fields.items()), tuple(one.left.items())): one for one in reversed(files) if one.fields}
    for one in reversed(kinds.values()):
        rows = [{"column": column, "field": field} for field, its in one.fields.items() for column in its]
        for column, near in one.left.items():
            maps = " or ".join(f"--map {field}={shlex.quote(column)}" for field in near or ("FIELD",))
            rows.append({"column": column, "field": f"not read; {'nearest' if near else 'to read it'}: {maps}"})
        if one.no_key:
            rows.append({"column": one.no_key, "field": "caption, or characteristics: it repeats, so it is no key"})
        out.print_table(rows, f"Columns of {one.file}" + (f", sheet {one.sheet}" if one.sheet else ""))


def report_unknown(spellings: Mapping[str, int], mending: str = "") -> None:
    """List words for the label that the task does not know, and what to do about them."""
    named = (f"{word!r} in {count} record{'s' * (count != 1)}" for word, count in spellings.items())
    out.report_problems(named, "Unknown label", SHOWN)
    if len(spellings) > SHOWN:
        said = f"{len(spellings)} words for the label are unknown: their column is probably not the label"
        out.report_problems([f"{said}; name the one that is: --map compatibility=COLUMN"], "Note")
    out.report_problems([f"polydata records import {mending}"] if mending else [], "Say what they mean")


@records_app.command("template")
def template_(
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="FILE", help="Where to write; otherwise standard output.")
    ] = None,
    kind: Annotated[Literal["csv", "xlsx"], Option("--format", help="csv or xlsx.")] = "csv",
    as_json: JsonOption = False,
    _: WorkspaceOption = None,  # taken as by every command; the template is the same for all
) -> None:
    """Write an empty table of records: its columns and two example rows to be replaced."""
    from polydata.records.columns import explanations, template, write_template

    columns = [{"column": name, "what belongs into it": text} for name, text in explanations()]
    if output is None and as_json:
        out.print_json({"output": None, "columns": columns})
        return
    if output is None:
        typer.get_binary_stream("stdout").write(template(kind))
        return
    write_template(output, kind)
    if as_json:
        out.print_json({"output": str(output), "columns": columns})
        return
    out.print_table(columns, str(output))
    out.next_step(f"fill it in, then polydata records import {output}")


@records_app.command("list")
def list_(wide: WideOption = False, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """List the records and how many panels each is linked to."""
    from polydata.catalogue.records import list_records

    def shown(row: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "record": row["record_key"] or row["record_id"],
            "panels": row["linked_panels"],
            "label": row["compatibility"],
            "panel": row["panel"],
            "reference": row["reference"] or row["doi"] or row["reference_no"],
        }

    rows = read(workspace, list_records)
    empty = "There are no records. Import some with: polydata records import FILE"
    out.print_rows(rows, as_json, wide, shown, title=f"{len(rows)} records", empty=empty)


@records_app.command("show")
def show_(record: RecordArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Show one record whole: its fields, its row as it was read, its parts, and what it is linked to."""
    from polydata.records.kept import show

    with open_session(workspace, read_only=True) as session:
        found = show(session, record)
    if as_json:
        out.print_json(found)
        return
    plain = {name: value for name, value in found.items() if value is not None and not isinstance(value, list | dict)}
    out.print_facts(plain, found["record_id"])
    read_row = [{"column": name, "cell": value} for name, value in found["raw"].items()]
    for title, rows in {"row as it was read": read_row, **found}.items():
        if isinstance(rows, list) and rows:
            out.print_table(rows, title)


@records_app.command("remove")
def remove_(
    records: Annotated[list[str], Argument(metavar="ID", help="Keys or ids of records, or beginnings of ids.")],
    dry_run: Annotated[bool, Option("--dry-run", help="Only say what would go.")] = False,
    yes: Annotated[bool, Option("--yes", help="Do not ask.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove records and what joins made of them; what hangs on them is named first. Links by hand stay and wait."""
    from polydata.records.kept import plan_removal, remove, told

    with open_session(workspace, read_only=dry_run) as session:
        going = plan_removal(session, records)
        if not as_json:
            out.say(
                "\n".join(["To be removed; links by hand are kept and wait:", *(f"  {told(one)}" for one in going)])
            )
        if not dry_run:
            out.confirm("Remove these records?", yes=yes, can_ask=not as_json)
            remove(session, going)
    out.print_result(
        f"{len(going)} records would go." if dry_run else f"Removed {len(going)} records.",
        as_json,
        following="" if dry_run else "polydata join",
        whole={"removed": not dry_run, "records": going},
    )


@app.command("import-published")
def import_published_(
    folder: Annotated[Path, Argument(metavar="DIR", help="Folder of the published data set, in either layout.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import the published data set: images, records, labels of both sources, and its split."""
    from polydata.published.workflow import import_published
    from polydata.records.words import mending_known
    from polydata.splits.overview import free_name

    with open_session(workspace) as session, out.stages() as progress:
        report = import_published(session, folder, progress)
        mends = mending_known(session, report.unknown_spellings)
        step = f"polydata build-split {free_name(session.workspace)}"
    out.report_problems(report.problems, "Skipped")
    report_unknown(report.unknown_spellings, mends)
    out.report_problems((f"{key} is borne by several records" for key in report.shared_keys), "Shared key")
    out.print_result(report.facts(), as_json, f"Imported {folder}", whole=dataclasses.asdict(report))
    out.fail_in_part(len(report.problems), "things were skipped, listed above.", f"Next: {step}")
    if not as_json:
        out.next_step(step)
