"""polydata screen, sheets, scale-bar and list screenings."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from polydata.cli import app, open_session, read, report_companions
from polydata.cli.extract import listing
from polydata.console import output as out
from polydata.console.group import SeveralCommand
from polydata.console.options import JsonOption, WideOption, WorkspaceOption
from polydata.errors import UsageError
from polydata.types import Decision

WorkersOption = Annotated[
    int | None, Option(min=0, help="Processes for the workspace's images; 0 takes one for each processor.")
]

NAMED = "an image's SHA-256 or a panel's id"

AFTER = "polydata sheets, to look at them; then polydata records import FILE and polydata join"


@app.command(cls=SeveralCommand)
def screen(
    more: Annotated[
        list[str] | None, Argument(metavar="ID", help="More images for --accept, --reject or --undo before them.")
    ] = None,
    rule: Annotated[str, Option(help="Name of the screening rule; its newest version is used.")] = "micrograph",
    again: Annotated[bool, Option("--again", help="Screen images anew that were screened before.")] = False,
    threshold: Annotated[
        float | None, Option(help="Accept images from this score up; kept until another is given.")
    ] = None,
    accept: Annotated[
        list[str] | None, Option(metavar="ID", help=f"Accept this image by hand: {NAMED}. Several may follow.")
    ] = None,
    reject: Annotated[
        list[str] | None, Option(metavar="ID", help="Reject this image by hand. Several may follow.")
    ] = None,
    undo: Annotated[
        list[str] | None, Option(metavar="ID", help="Leave this image to the rule again. Several may follow.")
    ] = None,
    workers: WorkersOption = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Tell candidate micrographs from all other images, by a rule and by hand; reviewers have the last word later."""
    from polydata.screening import workflow

    accept, reject, undo = _with_more(more or [], accept or [], reject or [], undo or [])
    with open_session(workspace) as session, out.stages() as progress:
        result = workflow.screen(
            session,
            rule,
            again=again,
            threshold=threshold,
            accept=accept,
            reject=reject,
            undo=undo,
            workers=workers,
            progress=progress,
        )
    out.report_problems(result.failures, "Failed")
    facts = {"screened now": result.screened, **result.counts, "changed side": result.changed}
    rest = {"threshold": result.threshold, "failures": len(result.failures)}
    following = AFTER if any(result.counts.values()) else "polydata extract PAPERS: no image is there to be screened"
    out.print_result({**facts, **rest}, as_json, f"Screening by rule {rule}", following)
    out.fail_in_part(len(result.failures), "images could not be opened.")


def _with_more(more: list[str], *options: list[str]) -> Iterator[list[str]]:
    """The images of each option; those that stand behind no option belong to the only one that is used."""
    if more and sum(map(bool, options)) != 1:
        raise UsageError(
            f"It is not said what is to become of {', '.join(more)}.",
            "Write --accept, --reject or --undo before them: --accept ID ID --reject ID ID.",
        )
    return (images + more if images else images for images in options)


@app.command()
def sheets(
    output: Annotated[Path | None, Option("--output", "-o", help="Folder to write; exports/sheets.")] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Write contact sheets of the screened images to look through in a browser: borderline ones first."""
    from polydata.screening.sheets import write_sheets

    with open_session(workspace, read_only=True) as session, out.stages() as progress:
        result = write_sheets(session, output or session.workspace.exports / "sheets", progress=progress)
    out.report_problems(result.failures, "Failed")
    facts = {**result.counts, "pages": result.pages, "index": str(result.index)}
    following = "where a sheet is wrong, tick what is right and run the command at its end"
    out.print_result(facts, as_json, "Contact sheets", following)
    out.fail_in_part(len(result.failures), "images could not be opened.")


@listing.command("screenings")
def list_screenings(
    decision: Annotated[Decision | None, Option(help="Only this decision.")] = None,
    borderline: Annotated[
        bool, Option("--borderline", help="Only images near the threshold that nobody decided by hand.")
    ] = False,
    wide: WideOption = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Images with their screening, the least sure first."""
    from polydata.catalogue.screenings import list_screenings as rows_of

    rows = read(workspace, lambda catalogue: rows_of(catalogue, decision, borderline=borderline))
    shown = {
        "image": "image_sha256",
        **{key: key for key in ("decision", "by", "score", "page", "figure", "panel", "paper")},
    }
    out.print_rows(
        rows, as_json, wide, shown, title=f"{len(rows)} images", empty="No image was screened so: polydata screen"
    )


@app.command("scale-bar")
def scale_bar(
    paths: Annotated[
        list[str] | None,
        Argument(metavar="PATH", help="Images, folders or glob patterns; without any, the workspace's."),
    ] = None,
    workers: WorkersOption = None,
    again: Annotated[bool, Option("--again", help="Read all images of the workspace anew.")] = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Read scale bars printed into micrographs: of image files, or of the workspace's accepted micrographs."""
    if paths:
        problems = _read_files(paths, as_json=as_json)
    else:
        from polydata.screening.scalebars import read_scale_bars

        with open_session(workspace) as session, out.stages() as progress:
            done = read_scale_bars(session, workers=workers, again=again, progress=progress)
        facts = {"images read now": done.images, "scale bars found": done.found, "failures": len(done.failures)}
        out.print_result(facts, as_json, "Scale bars", "polydata join, which tells panels apart by their scales")
        problems = done.failures
    out.report_problems(problems, "Failed")
    out.fail_in_part(len(problems), f"images{'' if paths else ' of the workspace'} could not be read.")


def _read_files(paths: Sequence[str], *, as_json: bool) -> Sequence[str]:
    """Print the scale bar of each image file; what could not be read comes back."""
    from polydata.files.find import find_files
    from polydata.images.picture import FILE_SUFFIXES
    from polydata.screening.scalebars import read_files

    files = find_files(paths, FILE_SUFFIXES, "image")
    report_companions(paths, FILE_SUFFIXES)
    rows, problems = [], []
    with out.stages() as progress:
        for row, problem in read_files(files, progress=progress):
            if problem:
                problems.append(problem)
            elif as_json:
                out.print_json_line(row)
            else:
                rows.append(row)
    if not as_json:
        out.print_table(rows, "Scale bars", empty="No image was read.")
    return problems
