"""polydata label agreement."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polydata.cli.label import label_app
from polydata.console.options import JsonOption, WorkspaceOption
from polydata.console.output import next_step, print_facts, print_json, print_table, report_problems
from polydata.errors import UsageError

if TYPE_CHECKING:
    from polydata.labels.agreement import PulledAgreement, TableAgreement


@label_app.command()
def agreement(  # noqa: PLR0917 - options of a command
    workspace: WorkspaceOption = None,
    table: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Compare answers in this table, a column a rater, not those pulled."),
    ] = None,
    truth: Annotated[str | None, typer.Option(metavar="COLUMN", help="The table's column of true answers.")] = None,
    raters: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Columns of the raters, such as 'R*'. May be repeated."),
    ] = None,
    positive: Annotated[
        str | None, typer.Option(metavar="ANSWER", help="The positive answer; otherwise as the task file says.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="Average so many of the best raters, picked on these images.")] = 10,
    json: JsonOption = False,
) -> None:
    """Show how far people agree: kappas, confusion, consensus; or a table's raters against its truth."""
    from polydata.catalogue.session import open_session
    from polydata.labels import agreement as measures
    from polydata.workspace import Workspace

    if table is None:
        if truth or raters or positive:
            raise UsageError("--truth, --raters and --positive speak of a table.", "Name it: --table FILE")
        with open_session(Workspace.find(workspace), read_only=True) as session:
            pulled = measures.pulled_agreement(session.catalogue)
        print_json(pulled.as_json()) if json else _show_pulled(pulled)
        return
    if not truth or not raters:
        raise UsageError("A table needs the columns of truth and raters.", "Name them: --truth COLUMN --raters 'R*'")
    task = measures.task_for(workspace)
    found = measures.table_agreement(table, task, truth=truth, raters=raters, positive=positive, top=top)
    print_json(found.as_json()) if json else _show_table(found)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2f} %"


def _kappa(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _missing(names: list[str], found: TableAgreement) -> str:
    return "it is blank" if len(names) == len(found.raters) + 1 else f"no {', '.join(names)}"


def _show_table(found: TableAgreement) -> None:
    report_problems(
        (f"row {r['row']} ({r['first_cell']}): {_missing(r['missing'], found)}" for r in found.left_out), "Left out"
    )
    print_facts(
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
    print_table([{"rater": name, **{n: _percent(one[n]) for n in names}} for name, one in rows])
    typer.echo(f"The best {k} were picked by {found.top_k['picked_by']}.")


def _show_pulled(found: PulledAgreement) -> None:
    print_facts(
        {
            "answers": found.answers,
            "images": found.images,
            "images with several answers": found.images_with_several,
            "Fleiss' kappa": _kappa(found.fleiss_kappa),
            "resolved by": found.method,
        }
    )
    if found.cohen_kappa:
        pairs = ({**p, "agreement": _percent(p["agreement"]), "kappa": _kappa(p["kappa"])} for p in found.cohen_kappa)
        print_table(list(pairs), "Two by two (Cohen's kappa)")
    rows = [
        {"annotator": one["annotator"], "consensus": said, "answer": answer, "images": number}
        for one in found.annotators
        for said, answers in one["confusion"].items()
        for answer, number in answers.items()
    ]
    if rows:
        print_table(rows, "Against the consensus (Dawid-Skene)")
    for note in found.notes:
        typer.echo(note)
    next_step("polydata conflicts" if found.answers else "polydata label pull")
