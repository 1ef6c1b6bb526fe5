"""polydata quality draw, import, show: how good the corpus is, from a sample that people judge."""

from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from polydata.cli import app, open_session
from polydata.console import output as out
from polydata.console.group import new_group
from polydata.console.options import JsonOption, WideOption, WorkspaceOption

quality_app = new_group(app, "quality", "How good the corpus is: a random sample that people judge, with intervals.")


@quality_app.command()
def draw(
    seed: Annotated[int, Option(help="The same seed draws the same of the same corpus.")] = 0,
    pages: Annotated[int, Option(min=0, help="Pages, for figures and captions; 10 of each stratum at least.")] = 60,
    figures: Annotated[int, Option(min=0, help="Figures, for panels and letters; likewise.")] = 60,
    images: Annotated[int, Option(min=0, help="Images, for the screening, scales and labels; likewise.")] = 100,
    again: Annotated[bool, Option("--again", help="Draw another sample, although this one was judged.")] = False,
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="FILE", help="CSV file to fill in; exports/quality.csv.")
    ] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Draw a stratified random sample of pages, figures and images, and write it as a table to fill in."""
    from polydata.quality import workflow

    with open_session(workspace) as session, out.stages() as bar:
        path = output or session.workspace.exports / "quality.csv"
        workflow.check_table(session, path)
        done = workflow.draw(session, seed=seed, pages=pages, figures=figures, images=images, again=again, progress=bar)
        rows = workflow.write_table(session, path)
    facts: dict[str, Any] = {f"{kind}s": count for kind, count in done.units.items()}
    facts |= {"judged": done.judged, "table": str(path), "rows": rows}
    following = f"fill it in, then: polydata quality import {path}; or polydata label push --task quality-pages"
    out.print_result(facts, as_json, "Sample", following, {**facts, "problems": list(done.problems)})
    out.report_problems(done.problems, "Without a picture")
    out.fail_in_part(len(done.problems), "PDFs could not be drawn.")


@quality_app.command("import")
def read(
    file: Annotated[Path, Argument(metavar="FILE", help="The table of polydata quality draw, filled in.")],
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Read what was judged in the table; rows that are not filled in stay as they are."""
    from polydata.quality.workflow import read_judged

    with open_session(workspace) as session:
        judged, problems = read_judged(session, file)
    facts: dict[str, Any] = {"judged": judged}
    out.print_result(facts, as_json, "", "polydata quality show", {**facts, "problems": problems})
    out.report_problems(problems, "Not used")
    out.fail_in_part(len(problems), "rows were not used; each is listed above.", "")


@quality_app.command()
def show(wide: WideOption = False, as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Show precision and recall of all that was judged, from figures to labels, each with its 95 % interval."""
    from polydata.quality.workflow import CHANGED, measured, shown

    with open_session(workspace, read_only=True) as session:
        rows = measured(session)
    empty = "No sample was drawn: polydata quality draw"
    out.print_rows(rows, as_json, wide, shown, title="How good the corpus is", empty=empty)
    if not as_json and any(row["changed"] for row in rows):
        out.say(CHANGED)
        out.next_step("polydata quality draw --again")
