"""What the commands of polymodel print: tables for people, plain structures for JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polydata.console.output import next_step, print_facts, print_table, say
from polymodel.config import Scoring
from polymodel.evaluation.answered import TITLES, centre_of
from polymodel.prediction.answers import ValuePrediction
from polymodel.recipes import DEFAULT_ARCH
from polymodel.report.amounts import percent, warn_leak
from polymodel.runs.parts import choices, chosen_words
from polymodel.runs.run import Run

if TYPE_CHECKING:
    from polymodel.prediction.answers import AnyPrediction
    from polymodel.prediction.embed import Embedded
    from polymodel.prediction.onnx import Exported
    from polymodel.prediction.predict import Predictions
    from polymodel.prediction.series import Series
    from polymodel.training.pretraining import PretrainedWeights
    from polymodel.training.train import Trained

BASELINE_METRICS = ("accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "auroc")
SHORT = {"accuracy": "acc.", "balanced_accuracy": "bal.", "specificity": "spec.", "precision": "prec."}
"""So that eighty columns hold them all."""


def _failed(files: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"path": path, "reason": reason} for path, reason in files]


def trained_json(trained: Trained) -> dict[str, Any]:
    """What ``train --json`` prints."""
    return {
        **run_row(trained.run),
        "folder": trained.run.folder,
        "parts_now": trained.done_now,
        "parts_before": trained.done_before,
        "notes": trained.notes,
    }


def show_trained(trained: Trained) -> None:
    """The summary after training."""
    row = run_row(trained.run)
    print_facts({key: row[key] for key in ("run", "split", "arch", "weights", "recipe", "seeds", "parts", "seconds")})
    warn_leak(trained.run.leakage)
    for note in trained.notes:
        say(note)
    if not trained.done_now:
        say("All parts were there already; nothing was trained.")
    next_step(f"polymodel evaluate {trained.run.name}")


def pretrained_json(done: PretrainedWeights) -> dict[str, Any]:
    """What ``pretrain --json`` prints."""
    record = done.record
    facts = {"output": done.path, "sha256": done.sha256, "images": len(record.images), "papers": len(record.papers)}
    more = {"excluded": record.excluded, "left_out": done.left_out, "settings": record.settings}
    rest = {"epochs_now": done.done_now, "seconds": done.seconds, "failed": _failed(done.failed)}
    return {**facts, **more, "history": record.history, **rest}


def show_pretrained(done: PretrainedWeights, split: str | None) -> None:
    """What was learned from, how the loss went, and how to train with it."""
    record = done.record
    arch, first, last = record.settings["arch"], record.history[0], record.history[-1]
    papers = f" of {len(record.papers)} papers" if record.papers else ""
    facts: dict[str, Any] = {"weights": done.path, "network": arch, "images": f"{len(record.images)}{papers}"}
    facts |= {f"left out, {reason}": number for reason, number in done.left_out.items()}
    facts |= {"epochs": f"{len(record.history)}, {done.done_now} of them now", "seconds": done.seconds}
    facts["loss"] = f"{first['loss']:.3f} in the first epoch, {last['loss']:.3f} in the last"
    facts["spread"] = f"{last['spread']:.2f} (near 0: all pictures look the same to it)"
    print_facts(facts)
    if split is None:
        say("No split was named, so its test sides may have been seen; a run that begins with these weights says so.")
    named = "" if arch == DEFAULT_ARCH else f" --arch {arch}"
    next_step(f"polymodel train {split or 'SPLIT'} --weights {done.path}{named}")


def embedded_json(done: Embedded) -> dict[str, Any]:
    """What ``embed --json`` prints."""
    facts = {"output": done.output, "images": done.images, "features": done.features}
    return {**facts, "network_sha256": done.digest, "failed": _failed(done.failed)}


def show_embedded(done: Embedded) -> None:
    """Where the features were written."""
    say(f"Wrote {done.features} features of {done.images} images to {done.output}")


def baseline_rows(found: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """All rows of the table of baselines, each as (on which images, name in words, metrics)."""
    test = f"{found['test_images']} test images"
    for row in found["rows"].values():
        yield test, row["title"], row["metrics"]
    published = found["sobel_as_published"]
    for name, row in published.items():
        if name == "all" or row["images"] < published["all"]["images"]:  # without a GIF both are one
            of = "all {} images" if name == "all" else "the {} images that are no GIF"
            yield of.format(row["images"]), "Sobel as in the seed", row["metrics"]
    if people := found.get("people"):
        on = f"{people['images']} judged images"
        for name, metrics in people["each"].items():
            yield on, f"person {name}", metrics
        yield on, f"mean of {len(people['each'])} people", people["mean"]
        yield on, "vote of all people", people["vote"]
        yield on, f"mean of the {len(people['top']['raters'])} best *", people["top"]["metrics"]


def show_baselines(found: Mapping[str, Any]) -> None:
    """One table of everything that a split can be answered with without a trained network."""
    names = {metric: SHORT.get(metric, TITLES[metric]) for metric in BASELINE_METRICS}
    table: list[dict[str, str]] = []
    for on, some in groupby(baseline_rows(found), key=itemgetter(0)):
        table.append({"": f"On {on}:"} | dict.fromkeys(names.values(), ""))
        for _, words, metrics in some:
            table.append({"": words} | {name: percent(centre_of(metrics[m]), 2) for m, name in names.items()})
    print_table(table, f"{found['split']}: baselines, per cent ({Scoring(found['scoring']).words})", figures=True)
    if people := found.get("people"):
        kappa = people["fleiss_kappa"]
        agreed = "" if kappa is None else f"; Fleiss' kappa {kappa:.3f}"
        always = f"Always the most frequent answer: {percent(people['majority_accuracy'])}"
        say(f"* {people['top']['picked_by']}. {always}{agreed}; {people['left_out']} rows left out.")
    warn_leak(found["leakage"])
    next_step(f"polymodel train {found['split']}")


def predictions_json(found: Predictions) -> dict[str, Any]:
    """What ``predict --json`` prints."""
    rows = [prediction.row() for prediction in found.done]
    return {"leakage": found.leakage, "notes": list(found.notes), "predictions": rows, "failed": _failed(found.failed)}


def show_predictions(found: Predictions, output: Path | None) -> None:
    """The table of predictions, or where it was written."""
    if output is None:
        table = [
            _cells(p, found.spoken) | {"": "unlike those seen" if p.out_of_distribution else ""} for p in found.done
        ]
        print_table(table, empty="No image could be read.")
    else:
        say(f"Wrote {len(found.done)} predictions to {output}")
    if unsure := sum(not isinstance(p, ValuePrediction) and len(p.prediction_set or ()) > 1 for p in found.done):
        say(f"{unsure} images may have several labels (prediction_set): the run abstains there.")
    if unlike := sum(p.out_of_distribution is True for p in found.done):
        say(f"{unlike} images are unlike those that the run was trained on: nothing said of them holds.", "yellow")
    if seen := sum(p.trained_on is True for p in found.done):
        by = Counter(p.trained_through for p in found.done if p.trained_on)
        words = {"image": "themselves", "paper": "by other images of their papers", "copy": "by copies or crops"}
        how = ", ".join(f"{count} {words[through]}" for through, count in by.items())
        say(
            f"The run was trained on {seen} of these images (trained_on; {how}): their answers may repeat their labels."
        )
    for note in found.notes:
        say(note)
    warn_leak(found.leakage)


def series_json(found: Series) -> dict[str, Any]:
    """What ``series --json`` prints."""
    told = {"label": found.label, "correlations": found.correlations, "notes": list(found.notes)}
    return {**told, "rows": found.rows, "failed": _failed(found.failed)}


def show_series(found: Series, output: Path | None) -> None:
    """The images of each series in their order, and how order and index go together."""
    for name, correlation in found.correlations.items():
        rows = [
            {
                "order": row["order"],
                "image": row["image"],
                "index": f"{row['index']:.3g}",
                "models": "–" if row["lowest"] is None else f"{row['lowest']:.3g} to {row['highest']:.3g}",
                "logit": f"{row['logit']:+.2f}",
                "": "trained on" if row["trained_on"] else "unlike those seen" if row["out_of_distribution"] else "",
            }
            for row in found.rows
            if row["series"] == name
        ]
        print_table(rows, f"{name or 'All images'}: {found.label.replace('_', ' ')}", figures=True)
        if correlation["spearman"] is not None:
            rank, p = correlation["spearman"], correlation["p"]
            say(f"Spearman of order and index {rank:+.2f}, p {p:.2g}, {correlation['images']} images")
    for note in found.notes:
        say(note)
    if output is not None:
        say(f"Wrote {output}")


def _cells(p: AnyPrediction, spoken: Callable[[str], str]) -> dict[str, str]:
    """What the table of predictions shows of one."""
    if isinstance(p, ValuePrediction):
        within = "–" if p.low is None else f"{p.low:.3g} to {p.high:.3g}"
        return {"image": p.path, p.unit: f"{p.value:.4g}", "within (90 %)": within}
    return {
        "image": p.path,
        "label": spoken(p.label),
        f"p {spoken(p.positive).replace('_', ' ')}": f"{p.p_positive:.3f}",
        "calibrated": "–" if p.p_calibrated is None else f"{p.p_calibrated:.3f}",
        "set": "–" if p.prediction_set is None else " or ".join(map(spoken, p.prediction_set)),
    }


def show_exported(done: Exported) -> None:
    """What was written, and how near its answers are to the run's."""
    say(f"Wrote {done.output} ({done.size_bytes / 1e6:.1f} MB) and {done.sidecar}")
    whose = "test" if done.from_run else "made-up"
    say(f"On {done.pictures} {whose} images a logit differs from torch's by {done.difference:.1g} at most.")
    next_step(f"polymodel predict {done.output} IMAGES")


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


def run_cells(row: Mapping[str, Any]) -> dict[str, Any]:
    """What the list of runs shows of a row."""
    shown = {key: row[key] for key in ("run", "split", "recipe", "parts")}
    return {**shown, "started": str(row["started"])[:10], "": "leaky" if row["leaky"] else "", "arch": row["arch"]}


def run_json(run: Run) -> dict[str, Any]:
    """run.json with each part's own record."""
    parts = [run.part(key) for key in run.finished]
    return {
        **run.record,
        "name": run.name,
        "finished_parts": parts,
        **({"search": found} if (found := choices(run)) else {}),
    }


def show_run(run: Run) -> None:
    """All that a person wants to know of a run at a glance."""
    counts, environment = run.split["counts"], run.record["environment"]
    facts = {
        **{k: v for k, v in run_row(run).items() if k not in ("finished", "leaky")},
        "split digest": run.split["digest"],
        "images": f"{counts['images']} of {counts['groups']} groups",
        "labels": ", ".join(f"{label} {count}" for label, count in counts["labels"].items()),
        "settings": run.config.recipe.words,
        **{f"chosen for fold {fold}": words for fold, words in chosen_words(run).items()},
        "device": f"{environment['device']} ({environment['device_name']}), {environment['threads']} threads",
        "python": f"{environment['python']}, torch {environment['packages']['torch']}",
        "commit": environment["git_commit"] or "–",
        "folder": run.folder,
        "command": run.record["command"],
    }
    print_facts(facts)
    warn_leak(run.leakage)
