"""polydata extract and list."""

from pathlib import Path
from typing import Annotated

import typer

from polydata.cli import app
from polydata.console.options import JsonOption, WorkspaceOption
from polydata.console.output import next_step, print_facts, print_json, print_table, progress, report_problems
from polydata.errors import PartialFailure, UsageError

listing = typer.Typer(no_args_is_help=True, help="List what the catalogue holds.")
app.add_typer(listing, name="list")


@app.command()
def extract(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="PATH", help="PDF files, folders or glob patterns.")
    ] = None,
    *,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Worker processes; 0 takes one for each processor.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Read files anew that were read before.")] = False,
    retry: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Read failed files again: 'failed' for all, or a reason such as too-slow."),
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Dask scheduler whose workers read the files, or its file.")
    ] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Find figures, captions and panels in PDFs and store each image once."""
    from polydata.catalogue.session import open_session
    from polydata.extraction import workflow as pipeline
    from polydata.files.find import find_pdfs
    from polydata.workspace import Workspace

    if not paths and not retry:
        raise UsageError(
            "No file is named.", "Name PDFs or folders, or read failed ones again: polydata extract --retry failed"
        )
    place = Workspace.find(workspace)
    files, gone = find_pdfs(paths or ()), list[Path]()
    with open_session(place) as session:
        if retry:
            files, gone = pipeline.failed_paths(session.catalogue, retry, paths or ())
        with progress("Extracting", len(files)) as advance:
            result = pipeline.extract(
                session, files, workers=workers, again=again or bool(retry), cluster=cluster, advance=advance
            )
    report_problems((f"{f.path}: {f.reason}: {f.detail}" for f in result.failures), "Failed")
    report_problems((f"{path}: a file that failed is there no more" for path in gone), "Gone")
    report_problems((f"{d} has the same bytes as another file" for d in result.duplicates), "Left out")
    report_problems((f"{o}: its file has changed, both versions are kept" for o in result.older), "Older version")
    report_problems(result.stale, "Not corrected")
    facts = {**result.counts, "failures": len(result.failures), "read now": result.done, "read before": result.skipped}
    if as_json:
        print_json({**facts, "failed": [vars(f) for f in result.failures], "gone": gone, "stale": result.stale})
    else:
        print_facts(facts, "Extraction")
        next_step("polydata screen")
    _report_failures(len(result.failures), len(gone), len(files), len(result.stale))


def _report_failures(failed: int, gone: int, files: int, stale: int) -> None:
    """End with exit status 3 where files failed, failed ones are gone, or corrections could not be made again."""
    if failed:
        raise PartialFailure(
            f"{failed} of {files} files failed.",
            "See why with polydata list failures, mend it, and read them again: polydata extract --retry failed",
        )
    if gone:
        raise PartialFailure(
            f"{gone} files that failed are there no more.",
            "Name the places where they lie now: polydata extract PATH; or forget them: polydata remove failures",
        )
    if stale:
        raise PartialFailure(
            f"{stale} corrections by hand could not be made again.",
            "See them with polydata list edits; make them anew, or forget them: polydata edit undo ID",
        )


@listing.command("failures")
def list_failures(as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Files that could not be read, each with its reason."""
    from polydata.catalogue.papers import failures
    from polydata.catalogue.session import open_session
    from polydata.workspace import Workspace

    with open_session(Workspace.find(workspace), read_only=True) as session:
        rows = [
            {**row, "file": "there" if Path(row["path"]).exists() else "gone"} for row in failures(session.catalogue)
        ]
    print_json(rows) if as_json else print_table(rows, "Failures", empty="No file failed.")


@listing.command("leftovers")
def list_leftovers(as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Captions without a figure, figures without a caption, records and panels that nothing was joined to."""
    from polydata.catalogue.links import all_leftovers
    from polydata.catalogue.session import open_session
    from polydata.workspace import Workspace

    with open_session(Workspace.find(workspace), read_only=True) as session:
        leftovers = all_leftovers(session.catalogue)
    if as_json:
        print_json(leftovers)
    else:
        for title, rows in leftovers.items():
            print_table(rows, title, empty=f"{title}: none")
