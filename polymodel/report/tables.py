"""Tables of the baselines, of two runs set against each other, and what an evaluation holds beside its metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from polymodel.evaluation.evaluate import centre_of
from polymodel.evaluation.metrics import TITLES
from polymodel.report.summaries import interval, percent

BASELINE_METRICS = (
    "accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "auroc",
)  # fmt: skip
BESIDE = ("auroc", "balanced_accuracy", "accuracy", "f1")
"""Metrics that tables with little room show."""
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


def show_among(found: Mapping[str, Any]) -> None:
    """A run on the test images of another split, beside what people said of them."""
    console = Console()
    table = Table(
        "", "images", *(SHORT.get(m, TITLES[m]) for m in BESIDE), box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0),
        title=f"On the test images of {escape(found['split'])}, by models that had not seen them, per cent",
    )  # fmt: skip
    rows = [("this run", found["images"], found["metrics"])]
    if judged := found["judged"]:
        rows += [
            ("this run, judged images", judged["images"], judged["model"]),
            (f"vote of {judged['raters']} people", judged["images"], judged["vote"]),
        ]
    for words, images, values in rows:
        table.add_row(words, str(images), *(f"{percent(centre_of(values[m]))} {interval(values[m])}" for m in BESIDE))
    console.print(table)
    for key, words in (("missing", "were not tested by this run"), ("relabelled", "carry another label there")):
        if found[key]:
            console.print(f"{found[key]} test images of {escape(found['split'])} {words}.", highlight=False)
    if found["leakage"]:
        console.print("[bold yellow]Leaky split:[/] its models may have seen these papers.", highlight=False)


def show_leaderboard(rows: Sequence[Mapping[str, Any]], output: Path | None) -> None:
    """Runs side by side, those of one split together."""
    console = Console()
    if not rows:
        console.print("There are no finished runs. Train one with: polymodel train --split NAME")
        return
    titles = ("run", "parts", "AUROC", "95 %", "balanced", "accuracy", "majority", "")
    table = Table(*titles, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in table.columns[1:7]:
        column.justify, column.no_wrap = "right", True
    table.columns[0].overflow = "fold"
    last = None
    for row in rows:
        if row["split_digest"] != last:
            table.add_section()
            table.add_row(f"[bold]{escape(row['split'])}[/] {row['split_digest'][:8]}")
            last = row["split_digest"]
        own = {part: row[f"auroc_{part}"] for part in ("low", "high")}
        cells = [percent(row[m]) for m in ("balanced_accuracy", "accuracy", "majority_accuracy")]
        table.add_row(
            escape(row["run"]), str(row["parts"]), percent(row["auroc"]), interval(own), *cells,
            "[yellow]leaky[/]" if row["leaky"] else "",
        )  # fmt: skip
    console.print(table)
    console.print(
        "Per cent of the test side. Only runs of one split answer the same question, and to take the first of them is "
        "to choose on the test side.",
        highlight=False,
    )
    if output is not None:
        console.print(f"Wrote {escape(str(output))}", highlight=False, soft_wrap=True)
    console.print(f"Next: polymodel report {escape(rows[0]['run'])} --output report.html", highlight=False)


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
