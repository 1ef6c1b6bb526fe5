"""polydata extract, edit and list: what is read from PDFs, and what the user sets right of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument, Option

from polydata.choices import Kind
from polydata.cli import app, open_session, read, report_companions
from polydata.console import output as out
from polydata.console.group import new_group
from polydata.console.options import JsonOption, WideOption, WorkspaceOption
from polydata.edits import Target

listing = new_group(app, "list", "List what the catalogue holds.")

MEND = (
    "See why: polydata list failures. Mend it and read them: polydata extract --retry failed; or forget them: "
    "polydata remove failures FILE"
)


@app.command()
def extract(
    paths: Annotated[list[str] | None, Argument(metavar="PATH", help="PDF files, folders or glob patterns.")] = None,
    workers: Annotated[int | None, Option(min=0, help="Worker processes; 0 takes one for each processor.")] = None,
    again: Annotated[bool, Option("--again", help="Read files anew that were read before.")] = False,
    retry: Annotated[
        str | None,
        Option(
            metavar="REASON",
            help="Read failed files again: 'failed' for all, or a reason such as too-slow, page-not-read.",
        ),
    ] = None,
    cluster: Annotated[
        str | None, Option(metavar="ADDRESS", help="Dask scheduler whose workers read the files, or its file.")
    ] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Find figures, captions and panels in PDFs and store each image once."""
    from polydata.extraction import workflow

    with open_session(workspace) as session, out.stages() as progress:
        done = workflow.extract(
            session, paths or (), workers=workers, again=again, retry=retry, cluster=cluster, progress=progress
        )
    out.report_problems((f"{f.path}: {f.reason}: {f.detail}" for f in done.failures), "Failed")
    skipped = report_companions(paths or (), (".pdf",))
    out.report_problems(done.unread, "Not read")
    out.report_problems((f"{path}: a file that failed is there no more" for path in done.gone), "Gone")
    out.report_problems((f"{d} has the same bytes as another file" for d in done.duplicates), "Left out")
    out.report_problems((f"{o}: its file has changed, both versions are kept" for o in done.older), "Older version")
    out.report_problems(done.stale, "Not corrected")
    facts = {**done.counts, "failures": len(done.failures), "read now": done.done, "read before": done.skipped}
    more = {"failed": [vars(f) for f in done.failures], "unread": done.unread, "gone": done.gone, "stale": done.stale}
    following = "polydata screen" if done.counts["papers"] else "polydata extract PAPERS: no paper was read"
    out.print_result(facts, as_json, "Extraction", following, {**facts, **more, "skipped": skipped})
    more_time = "Raise seconds_per_file in polydata.toml and read them: polydata extract --retry page-not-read"
    place = "Name the places where they lie now: polydata extract PATH; or forget them: polydata remove failures"
    anew = "See them with polydata list edits; make them anew, or forget them: polydata edit undo ID"
    out.fail_in_part(len(done.failures), f"of {done.files} files failed.", MEND)
    out.fail_in_part(len(done.unread), "scanned pages were not read, for there was no time.", more_time)
    out.fail_in_part(len(done.gone), "files that failed are there no more.", place)
    out.fail_in_part(len(done.stale), "corrections by hand could not be made again.", anew)


@listing.command("failures")
def list_failures(wide: WideOption = False, as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Files that could not be read, each with its reason."""
    from polydata.catalogue.papers import failures
    from polydata.files.find import path_from_text

    found = read(workspace, failures)
    rows = [row | {"file": "there" if path_from_text(row["path"]).exists() else "gone"} for row in found]
    shown = {"path": "path", "reason": "reason", "file": "file", "detail": "detail"}
    out.print_rows(rows, as_json, wide, shown, empty="No file failed.")


LEFTOVER = {
    "record_key": "record",
    "panel_id": "panel",
    "paper": "paper",
    "page": "page",
    "figure": "figure",
    "letter": "letter",
    "what": "what",
    "detail": "detail",
    "caption": "caption",
}
"""Columns of leftovers that a narrow list shows, and their headings."""


@listing.command("leftovers")
def list_leftovers(wide: WideOption = False, as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Captions without a figure, figures without a caption, records and panels that nothing was joined to."""
    from polydata.catalogue.records import all_leftovers

    leftovers = read(workspace, all_leftovers)
    if as_json:
        out.print_json(leftovers)
        return
    for title, rows in leftovers.items():
        out.print_rows(rows, False, wide, _leftover, title=f"{len(rows)} {title}", empty=f"{title}: none")


def _leftover(row: Mapping[str, Any]) -> dict[str, Any]:
    """A leftover in a narrow list: a record is called by its key, else by its id, a panel by its letter."""
    named = {"record_key": row["record_key"] or row["record_id"]} if "record_key" in row else {}
    letter = row["panel"] if "record_key" in row else row.get("label")
    whole = {**row, **named, **({"letter": letter} if "record_key" in row or "panel_id" in row else {})}
    return {heading: whole[key] for key, heading in LEFTOVER.items() if key in whole}


AFTER_BAR = "polydata join"
"""What follows where a scale bar alone was said or taken back: by scales panels are told apart."""

edits = new_group(app, "edit", "Correct what extraction found; corrections are kept when a PDF is read again.")

Identifier = Annotated[str, Argument(metavar="ID", help="Its id, or the beginning of it.")]
PageOption = Annotated[int | None, Option(min=1, help="The page, from 1.")]
BoxOption = Annotated[
    str | None,
    Option(metavar="X0,Y0,X1,Y1", help="The box in points from the top left of the page; pictures are cut anew."),
]
CaptionOption = Annotated[str | None, Option(help="The caption; an empty one takes it away.")]
LabelOption = Annotated[str | None, Option(help="The label, such as 'Figure 3'; an empty one for none.")]
LetterOption = Annotated[
    str | None, Option("--label", "--letter", help="The panel's letter, such as 'a'; an empty one for none.")
]
KindOption = Annotated[Kind | None, Option(help="What it shows.")]
DeleteOption = Annotated[bool, Option("--delete", help="It is no figure or panel.")]


@edits.command("figure")
def edit_figure(
    figure: Identifier,
    page: PageOption = None,
    box: BoxOption = None,
    caption: CaptionOption = None,
    label: LabelOption = None,
    kind: KindOption = None,
    delete: DeleteOption = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Correct a figure's page, box, caption, label or kind, or delete it."""
    wanted = {"page": page, "box": box, "caption": caption, "label": label, "kind": kind, "delete": delete}
    _correct("figure", figure, workspace, as_json, wanted)


@edits.command("panel")
def edit_panel(
    panel: Identifier,
    box: BoxOption = None,
    caption: CaptionOption = None,
    label: LetterOption = None,
    kind: KindOption = None,
    bar: Annotated[
        str | None, Option(metavar="LENGTH", help="What its scale bar says, as in '5 µm'; none where there is no bar.")
    ] = None,
    bar_px: Annotated[
        float | None, Option("--bar-px", help="How long that bar is, in pixels of the picture; otherwise as read.")
    ] = None,
    delete: DeleteOption = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Correct a panel's box, own words, letter, kind or scale bar, or delete it."""
    wanted: dict[str, Any] = {"box": box, "caption": caption, "label": label, "kind": kind, "delete": delete}
    wanted |= {"bar": bar, "bar_px": bar_px}
    _correct("panel", panel, workspace, as_json, wanted)


@edits.command("new-figure")
def new_figure(
    paper: Identifier,
    page: Annotated[int, Option(min=1, help="The page, from 1.")],
    box: Annotated[str, Option(metavar="X0,Y0,X1,Y1", help="The box in points from the top left of the page.")],
    caption: CaptionOption = None,
    label: LabelOption = None,
    kind: KindOption = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Add a figure that extraction missed in a paper; it is taken apart into panels as all are."""
    wanted = {"page": page, "box": box, "caption": caption, "label": label, "kind": kind}
    _correct("new figure", paper, workspace, as_json, wanted)


@edits.command("new-panel")
def new_panel(
    figure: Identifier,
    box: Annotated[str, Option(metavar="X0,Y0,X1,Y1", help="The box in points from the top left of the page.")],
    caption: CaptionOption = None,
    label: LetterOption = None,
    kind: KindOption = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Add a panel that extraction missed in a figure; its words are those of the figure's caption for its letter."""
    wanted = {"box": box, "caption": caption, "label": label, "kind": kind}
    _correct("new panel", figure, workspace, as_json, wanted)


@edits.command("undo")
def undo(edit: Identifier, as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Take a correction back: its paper is read anew, with all other corrections."""
    from polydata.extraction import editing

    with open_session(workspace) as session:
        undone, stale, bar = editing.undo(session, edit)
    out.report_problems(stale, "Not corrected")
    following = AFTER_BAR if bar else "polydata screen and polydata join"
    out.print_result(f"Undone: {undone}", as_json, following=following, whole={"undone": undone, "stale": stale})
    out.fail_in_part(len(stale), "other corrections could not be made again.", "See: polydata list edits")


@listing.command("edits")
def list_edits(wide: WideOption = False, as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Corrections by hand, each with whether it is in force."""
    from polydata.catalogue.by_hand import list_edits as rows_of

    shown = {
        "edit": "edit_id",
        "state": "state",
        **{key: key for key in ("paper", "page", "figure", "panel", "changes")},
    }
    out.print_rows(read(workspace, rows_of), as_json, wide, shown, empty="Nothing was corrected by hand.")


def _correct(what: Target, target: str, workspace: Path | None, as_json: bool, wanted: dict[str, Any]) -> None:
    """Make a correction and print what became of it."""
    from polydata.extraction import editing

    with open_session(workspace) as session:
        done = editing.edit(session, what, target, editing.correction(**wanted))
    if as_json:
        out.print_json(vars(done))
        return
    facts = {"correction": done.edit_id, done.target: done.result or "deleted"}
    before, now = done.panels
    facts["panels of the figure"] = str(now) if now == before else f"{now}, before {before}"
    out.print_facts(facts | {"panels that are known by another id": len(done.moved)}, "Corrected")
    if done.note:
        typer.echo(f"Note: {done.note}")
    given = {name for name, value in wanted.items() if value} if what == "panel" else set()
    step = "polydata screen" if given == {"box"} else "polydata screen and polydata join"  # links go with the panel
    step = AFTER_BAR if given and given <= {"bar", "bar_px"} else step
    out.next_step(f"{step}; to take it back: polydata edit undo {done.edit_id}")
