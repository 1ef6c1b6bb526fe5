"""Tables of the baselines, of two runs set against each other, and what an evaluation holds beside its metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from polymodel.console import interval, percent
from polymodel.evaluate import centre_of
from polymodel.metrics import TITLES

BASELINE_METRICS = (
    "accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "auroc",
)  # fmt: skip
SHORT = {"accuracy": "acc.", "balanced_accuracy": "bal.", "specificity": "spec.", "precision": "prec."}
"""So that eighty columns hold them all."""


def baseline_rows(found: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """All rows of the table of baselines, each as (on which images, name in words, metrics)."""
    test = f"{found['test_images']} test images"
    for row in found["rows"].values():
        yield test, row["title"], row["metrics"]
    for row in found["sobel_as_published"].values():
        yield f"all {row['images']} images", "Sobel as in the seed", row["metrics"]
    if people := found.get("people"):
        on = f"{people['images']} judged images"
        for name, metrics in people["each"].items():
            yield on, f"person {name}", metrics
        yield on, f"mean of {len(people['each'])} people", people["mean"]
        yield on, "vote of all people", people["vote"]
        yield on, f"mean of the {len(people['top']['raters'])} best *", people["top"]["metrics"]


def show_baselines(found: Mapping[str, Any]) -> None:
    """One table of everything that a split can be answered with without a trained network."""
    console = Console()
    table = Table(title=f"{escape(found['split'])}: baselines, per cent", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for metric in BASELINE_METRICS:
        table.add_column(SHORT.get(metric, TITLES[metric]), justify="right", no_wrap=True)
    last = None
    for on, words, metrics in baseline_rows(found):
        if on != last:
            table.add_section()
            table.add_row(f"[bold]{escape(on)}[/]")
            last = on
        table.add_row(escape(words), *(percent(centre_of(metrics[m]), 2) for m in BASELINE_METRICS))
    console.print(table)
    if people := found.get("people"):
        kappa = people["fleiss_kappa"]
        agreed = "" if kappa is None else f"; Fleiss' kappa {kappa:.3f}"
        console.print(
            f"* {people['top']['picked_by']}. Always the most "
            f"frequent answer: {percent(people['majority_accuracy'])}{agreed}; {people['left_out']} rows left out.",
            highlight=False,
        )
    if found["leakage"]:
        console.print(f"[bold yellow]Leaky split:[/] {escape(found['leakage'])}", highlight=False)
    console.print(f"Next: polymodel train --split {escape(found['split'])}", highlight=False)


def show_extras(evaluation: Mapping[str, Any]) -> None:
    """Wilson's interval, AUROC within papers, seeds and slices of an evaluation."""
    console = Console()
    within, seeds = evaluation["within_papers"], evaluation["over_seeds"]["auroc"]["values"]
    lines = [f"Accuracy, were images independent (Wilson): {interval(evaluation['accuracy_wilson'])}"]
    if within["groups"]:
        lines.append(
            f"AUROC within papers: {percent(within['value'])} ({interval(within)}), {within['groups']} papers that "
            f"have both labels, {within['images']} images"
        )
    if len(seeds) > 1:
        own = evaluation["over_seeds"]["accuracy"]
        lines.append(
            f"Accuracy over {len(seeds)} seeds: {percent(own['mean'])} ± {percent(own['sd'])}; "
            f"{', '.join(percent(v) for v in own['values'])}"
        )
        lines.append(f"  (the best seed, picked on the test side: {percent(own['best'])}; no estimate of anything)")
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)
    if evaluation["slices"]:
        console.print(_slices(evaluation))
    console.print(f"Next: polymodel report {escape(evaluation['run'])} --output report.html", highlight=False)


def _slices(evaluation: Mapping[str, Any]) -> Table:
    table = Table("slice", "", "images", "papers", "accuracy", "balanced", "AUROC", box=box.SIMPLE_HEAD)
    for column in table.columns[2:]:
        column.justify = "right"
    last = None
    for row in evaluation["slices"]:
        kind = "" if row["by"] == last else row["by"].replace("_", " ")
        last = row["by"]
        values = (percent(row[m]) for m in ("accuracy", "balanced_accuracy", "auroc"))
        table.add_row(kind, escape(row["value"]), str(row["images"]), str(row["groups"]), *values)
    return table


def show_comparison(found: Mapping[str, Any]) -> None:
    """Two runs on the same images."""
    console = Console()
    first, second = (escape(name) for name in found["runs"])
    table = Table(
        "", "difference", "95 %", title=f"{first} less {second}, {found['images']} images", box=box.SIMPLE_HEAD
    )
    for metric, title in TITLES.items():
        row = found["difference"][metric]
        value = "–" if row["value"] is None else f"{100 * row['value']:+.1f}"
        table.add_row(
            title, value, "" if row["low"] is None else f"{100 * row['low']:+.1f} to {100 * row['high']:+.1f}"
        )
    console.print(table)
    test = found["mcnemar"]
    console.print(
        f"Only {first} is right on {test['first_only_right']}, only {second} on {test['second_only_right']}; "
        f"McNemar's exact test: p = {test['p']:.3g} (takes images for independent)",
        highlight=False,
    )
    if found["leaky"]:
        console.print(f"[bold yellow]Leaky split:[/] {escape(', '.join(found['leaky']))}", highlight=False)
