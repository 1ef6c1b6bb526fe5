"""polydata papers resolve, papers licence and list papers."""

from typing import Annotated

from typer import Argument, Option

from polydata.cli import app, open_session, read
from polydata.cli.extract import listing
from polydata.console import output as out
from polydata.console.group import new_group
from polydata.console.options import JsonOption, WideOption, WorkspaceOption

papers = new_group(app, "papers", "What is known of the papers beside their figures.")


@papers.command("resolve")
def resolve(
    mailto: Annotated[str | None, Option(metavar="ADDRESS", help="Your mail address, which Crossref asks for.")] = None,
    server: Annotated[
        str | None, Option(metavar="URL", help="Another server; otherwise POLYDATA_CROSSREF_URL or Crossref's.")
    ] = None,
    again: Annotated[bool, Option("--again", help="Look up papers anew that were resolved before.")] = False,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Look up title, journal, year and DOI of each paper at Crossref. The only command that asks the internet."""
    from polydata.papers.bibliography import crossref_server, resolve_papers

    with open_session(workspace) as session, out.stages() as progress:
        service = crossref_server(session.workspace, mailto, server)
        result = resolve_papers(session, service, again=again, progress=progress)
    if not as_json:
        out.report_problems((f"{one['file']}: {one['reason']}" for one in result.leftovers), "Not resolved")
    facts = {"resolved now": len(result.papers), "not resolved": len(result.leftovers)}
    facts |= {"supplements": result.supplements, "questions sent": result.asked}
    out.print_result(facts, as_json, "Papers", whole=vars(result))
    hint = "Their files say too little or something else: polydata edit, or --again after Crossref knows more."
    out.fail_in_part(len(result.leftovers), "papers are not resolved, each is listed.", hint)


@papers.command("licence")
def licence(
    licence: Annotated[str, Argument(metavar="LICENCE", help="SPDX name like CC-BY-4.0; none takes it back.")],
    paper: Annotated[list[str] | None, Argument(metavar="PAPER", help="Ids of papers.")] = None,
    source: Annotated[
        str | None, Option(metavar="NAME", help="All papers of this source: pdf, or an imported data set.")
    ] = None,
    as_json: JsonOption = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Say under which licence papers stand; images of papers without one are withheld from a release."""
    from polydata.papers.bibliography import set_licence

    with open_session(workspace) as session:
        count = set_licence(session, licence, paper or (), source)
    out.print_result(f"{count} papers: {licence}", as_json, whole={"papers": count, "licence": licence})


@listing.command("papers")
def list_papers(wide: WideOption = False, as_json: JsonOption = False, workspace: WorkspaceOption = None) -> None:
    """Papers with DOI, title and journal, how much was found in each, and which paper a supplement belongs to."""
    from polydata.catalogue.metadata import list_papers as rows_of

    shown = {"paper": "paper_id", "year": "year", "figures": "figures", "panels": "panels", "file": "file"}
    rows, empty = read(workspace, rows_of), "No paper was read yet: polydata extract"
    out.print_rows(rows, as_json, wide, {**shown, "title": "title"}, title=f"{len(rows)} papers", empty=empty)
