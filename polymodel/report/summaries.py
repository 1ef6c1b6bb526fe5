"""What the commands of polymodel print: tables for people, plain structures for JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from polymodel.evaluation.baselines import TITLES as BASELINE_TITLES
from polymodel.evaluation.evaluate import centre_of, rows
from polymodel.evaluation.metrics import METRICS, TITLES
from polymodel.runs.run import Run

if TYPE_CHECKING:
    from polymodel.prediction.embed import Embedded
    from polymodel.prediction.onnx import Exported
    from polymodel.prediction.predict import Predictions
    from polymodel.training.train import Trained

ROW_TITLES = {"model": "model", **BASELINE_TITLES}
"""What the rows of an evaluation are called: the model, and the controls that see no micrograph."""


def percent(value: float | None, digits: int = 1) -> str:
    """A fraction in per cent, ``–`` for one without meaning."""
    return "–" if value is None else f"{100 * value:.{digits}f}"


def interval(summary: Mapping[str, Any]) -> str:
    """``79.2–93.1``, or nothing where there is none."""
    return "" if summary["low"] is None else f"{percent(summary['low'])}–{percent(summary['high'])}"


def _with_spread(summary: Mapping[str, Any]) -> str:
    """``83.1``, or over parts ``83.1 ± 4.2``."""
    spread = summary.get("sd")
    return percent(centre_of(summary)) + (f" ± {percent(spread)}" if spread is not None else "")


def _warn_leak(console: Console, leakage: str | None) -> None:
    if leakage:
        console.print(f"[bold yellow]Leaky split:[/] {escape(leakage)}", highlight=False)


def trained_json(trained: Trained) -> dict[str, Any]:
    """What ``train --json`` prints."""
    return {
        **run_row(trained.run),
        "folder": str(trained.run.folder),
        "parts_now": trained.done_now,
        "parts_before": trained.done_before,
        "notes": list(trained.notes),
    }


def show_trained(trained: Trained) -> None:
    """The summary after training."""
    run, console = trained.run, Console()
    row = run_row(run)
    table = Table(show_header=False, box=None)
    for key in ("run", "split", "arch", "weights", "recipe", "seeds", "parts", "seconds"):
        table.add_row(key, escape(str(row[key])))
    console.print(table)
    _warn_leak(console, run.leakage)
    for note in trained.notes:
        console.print(escape(note))
    if not trained.done_now:
        console.print("All parts were there already; nothing was trained.")
    console.print(f"Next: polymodel evaluate {escape(run.name)}", highlight=False)


def embedded_json(done: Embedded) -> dict[str, Any]:
    """What ``embed --json`` prints."""
    return {
        "output": str(done.output),
        "images": done.images,
        "features": done.features,
        "network_sha256": done.digest,
        "failed": [{"path": path, "reason": reason} for path, reason in done.failed],
    }


def show_embedded(done: Embedded) -> None:
    """Where the features were written."""
    words = f"Wrote {done.features} features of {done.images} images to {escape(str(done.output))}"
    Console().print(words, highlight=False, soft_wrap=True)


def show_evaluation(run: Run, evaluation: Mapping[str, Any]) -> None:
    """The table of metrics, the model beside the others."""
    console = Console()
    parts, scored = len(evaluation["parts"]), evaluation["scored"]
    what = "mean ± sd over parts" if scored > 1 else "value"
    table = Table(
        title=f"{escape(run.name)}: {what} and 95 % interval, per cent", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    found = rows(evaluation)
    others = [name for name in found if name != "model"]
    for title in ("", "model", "95 %", *(ROW_TITLES.get(name, name) for name in others)):
        heading = title if title == "95 %" else title.replace(" ", "\n")
        table.add_column(heading, justify="right" if title else "left", no_wrap=True)
    for metric in METRICS:
        own = found["model"][metric]
        cells = [percent(centre_of(found[name][metric])) for name in others]
        table.add_row(TITLES[metric], _with_spread(own), interval(own), *cells)
    seen = evaluation["train_accuracy"]
    table.add_row("on training", _with_spread(seen), interval(seen), *[""] * len(others))
    console.print(table)
    classes, counts = evaluation["confusion_matrix"]["classes"], evaluation["confusion_matrix"]["rows_are_truth"]
    for label, line in zip(classes, counts, strict=True):
        said = ", ".join(f"{count} {name}" for name, count in zip(classes, line, strict=True))
        console.print(f"labelled {escape(label)}: answered {escape(said)}", highlight=False)
    counted = f"{parts} {'part' if parts == 1 else 'parts'}{'' if scored == parts else ' scored together'}"
    console.print(
        f"{evaluation['test_images']} test images of {evaluation['test_groups']} papers, {counted}; "
        f"interval: {evaluation['interval']}",
        highlight=False,
    )
    _warn_leak(console, run.leakage)


def predictions_json(found: Predictions) -> dict[str, Any]:
    """What ``predict --json`` prints."""
    return {
        "leakage": found.leakage,
        "predictions": [p.row() for p in found.done],
        "failed": [{"path": path, "reason": reason} for path, reason in found.failed],
    }


def show_predictions(found: Predictions, output: Path | None) -> None:
    """The table of predictions, or where it was written."""
    console = Console()
    if output is None:
        table = Table("image", "label", "p positive", "logits")
        for p in found.done:
            logits = ", ".join(f"{label} {value:+.2f}" for label, value in p.logits.items())
            table.add_row(escape(p.path), escape(p.label), f"{p.p_positive:.3f}", escape(logits))
        console.print(table)
    else:
        console.print(f"Wrote {len(found.done)} predictions to {escape(str(output))}")
    if seen := sum(p.trained_on is True for p in found.done):
        words = f"The run was trained on {seen} of these images (trained_on): their answers may repeat their labels."
        console.print(words, highlight=False)
    _warn_leak(console, found.leakage)


def exported_json(done: Exported) -> dict[str, Any]:
    """What ``export --json`` prints."""
    return {key: str(value) if isinstance(value, Path) else value for key, value in vars(done).items()}


def show_exported(done: Exported) -> None:
    """What was written, and how near its answers are to the run's."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"Wrote {escape(str(done.output))} ({done.size_bytes / 1e6:.1f} MB) and {escape(str(done.sidecar))}")
    whose = "test" if done.from_run else "made-up"
    console.print(f"On {done.pictures} {whose} images a logit differs from torch's by {done.difference:.1g} at most.")
    console.print(f"Next: polymodel predict {escape(str(done.output))} IMAGES")


def run_row(run: Run) -> dict[str, Any]:
    """A run in a list."""
    config = run.config
    return {
        "run": run.name,
        "split": run.split["name"],
        "arch": config.arch,
        "weights": config.weights,
        "recipe": config.recipe.name,
        "seeds": ", ".join(map(str, config.seeds)),
        "parts": f"{len(run.finished)} of {len(run.planned)}",
        "finished": run.is_finished,
        "leaky": run.leakage is not None,
        "seconds": run.record["seconds"],
        "started": run.record["started"],
    }


def show_runs(found: Sequence[Mapping[str, Any]]) -> None:
    """The list of runs."""
    console = Console()
    if not found:
        console.print("There are no runs yet. Train one with: polymodel train --split NAME")
        return
    table = Table("run", "split", "arch", "weights", "recipe", "parts", "seconds", "")
    for row in found:
        cells = [escape(str(row[k])) for k in ("run", "split", "arch", "weights", "recipe", "parts", "seconds")]
        table.add_row(*cells, "[yellow]leaky[/]" if row["leaky"] else "")
    console.print(table)


def run_json(run: Run) -> dict[str, Any]:
    """run.json with each part's own record."""
    return {**run.record, "name": run.name, "finished_parts": [run.part(key) for key in run.finished]}


def show_run(run: Run) -> None:
    """All that a person wants to know of a run at a glance."""
    console = Console()
    table = Table(show_header=False, box=None)
    counts, environment = run.split["counts"], run.record["environment"]
    facts = {
        **{k: v for k, v in run_row(run).items() if k not in ("finished", "leaky")},
        "split digest": run.split["digest"],
        "images": f"{counts['images']} of {counts['groups']} groups",
        "labels": ", ".join(f"{label} {count}" for label, count in counts["labels"].items()),
        "settings": run.config.recipe.words,
        "device": f"{environment['device']} ({environment['device_name']}), {environment['threads']} threads",
        "python": f"{environment['python']}, torch {environment['packages']['torch']}",
        "commit": environment["git_commit"] or "–",
        "folder": run.folder,
        "command": run.record["command"],
    }
    for key, value in facts.items():
        table.add_row(key, escape(str(value)))
    console.print(table)
    _warn_leak(console, run.leakage)
