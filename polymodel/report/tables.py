"""What the commands of polymodel print: tables for people, plain structures for JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polydata.console.output import next_step, print_facts, print_table, say
from polymodel.config import Scoring
from polymodel.evaluation.baselines import BASELINES
from polymodel.evaluation.metrics import TITLES, centre_of, rows
from polymodel.runs.run import Run

if TYPE_CHECKING:
    from polymodel.prediction.embed import Embedded
    from polymodel.prediction.onnx import Exported
    from polymodel.prediction.predict import Predictions
    from polymodel.training.train import Trained

ROW_TITLES = {name: baseline.title for name, baseline in BASELINES.items()}
"""What the rows of an evaluation are called beside the model."""
HEADS = {"sobel": "Sobel"}
"""Shorter, so that the table of an evaluation fits into eighty columns."""
BASELINE_METRICS = ("accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "auroc")
PER_CLASS = ("precision", "recall", "f1", "auroc", "brier")
BESIDE = ("auroc", "balanced_accuracy", "accuracy", "f1")
"""Metrics that tables with little room show."""
SHORT = {"accuracy": "acc.", "balanced_accuracy": "bal.", "specificity": "spec.", "precision": "prec."}
"""So that eighty columns hold them all."""


def percent(value: float | None, digits: int = 1) -> str:
    """A fraction in per cent, ``–`` for one without meaning."""
    return "–" if value is None else f"{100 * value:.{digits}f}"


def interval(summary: Mapping[str, Any]) -> str:
    """``79.2–93.1``, or nothing where there is none."""
    return "" if summary["low"] is None else f"{percent(summary['low'])}–{percent(summary['high'])}"


def decimals(summary: Mapping[str, Any]) -> str:
    """``0.92 (0.71–1.13)``, of a number that is no fraction."""
    return "{value:.2f} ({low:.2f}–{high:.2f})".format(**summary)


def _with_spread(summary: Mapping[str, Any]) -> str:
    """``83.1``, or over parts ``83.1 ± 4.2``."""
    spread = summary.get("sd")
    return percent(centre_of(summary)) + (f" ± {percent(spread)}" if spread else "")


def _warn_leak(leakage: str | None) -> None:
    if leakage:
        say(f"Leaky split: {leakage}", "yellow")


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
    _warn_leak(trained.run.leakage)
    for note in trained.notes:
        say(note)
    if not trained.done_now:
        say("All parts were there already; nothing was trained.")
    next_step(f"polymodel evaluate {trained.run.name}")


def embedded_json(done: Embedded) -> dict[str, Any]:
    """What ``embed --json`` prints."""
    facts = {"output": done.output, "images": done.images, "features": done.features}
    return {**facts, "network_sha256": done.digest, "failed": _failed(done.failed)}


def show_embedded(done: Embedded) -> None:
    """Where the features were written."""
    say(f"Wrote {done.features} features of {done.images} images to {done.output}")


def show_evaluation(evaluation: Mapping[str, Any]) -> None:
    """The table of metrics, the model beside the others, and all else that an evaluation holds."""
    scored, scoring = evaluation["scored"], Scoring(evaluation["scoring"])
    what = "mean ± sd over parts" if scored > 1 else "value"
    if missing := evaluation["missing_labels"]:
        say(f"No test image is labelled {', '.join(missing)}: little can be scored.", "red")
    others = ((name, found) for name, found in rows(evaluation).items() if name not in ("model", "ensemble"))
    named = {HEADS.get(name, ROW_TITLES.get(name, name)).replace(" ", "\n"): found for name, found in others}
    table = [
        {"": title, "model": _with_spread(evaluation[key]), "95 %": interval(evaluation[key])}
        | {name: percent(centre_of(found[key])) if key in found else "" for name, found in named.items()}
        for key, title in (*TITLES.items(), ("train_accuracy", "on training"))
    ]
    print_table(table, f"{evaluation['run']}: {what} and 95 % interval, per cent", figures=True)
    classes, counts = evaluation["confusion_matrix"]["classes"], evaluation["confusion_matrix"]["rows_are_truth"]
    for label, line in zip(classes, counts, strict=True):
        said = ", ".join(f"{count} {name}" for name, count in zip(classes, line, strict=True))
        say(f"labelled {label}: answered {said}")
    if evaluation["per_class"]:
        say("Several classes: precision to ECE are means over the classes, each held against the rest.")
        shown = {TITLES[m]: m for m in PER_CLASS}
        table = [{"class": name, "answers": found["answers"]} | {t: percent(found.get(m)) for t, m in shown.items()}
                 for name, found in evaluation["per_class"].items()]  # fmt: skip
        print_table(table, figures=True)
    parts = f"{len(evaluation['parts'])} {'part' if len(evaluation['parts']) == 1 else 'parts'}"
    images = f"{evaluation['test_images']} test images of {evaluation['test_groups']} papers"
    if len(evaluation["parts"]) > 1:
        say(f"model: {scoring.words}")
    if ensemble := evaluation["ensemble"]:
        figures = ", ".join(f"{TITLES[m]} {percent(ensemble[m]['value'])} ({interval(ensemble[m])})" for m in BESIDE)
        say(f"{Scoring.ENSEMBLE.words}: {figures}")
    say(f"{images}, {parts}; interval: {evaluation['interval']}; none where too few papers speak of a figure")
    _warn_leak(evaluation["leakage"])
    _show_beyond_the_mean(evaluation)
    if "across" in evaluation:
        _show_across(evaluation["across"])
    if "against" in evaluation:
        show_comparison(evaluation["against"])
    next_step(f"polymodel report {evaluation['run']}")


def _show_beyond_the_mean(evaluation: Mapping[str, Any]) -> None:
    """Calibration, Wilson's interval, AUROC within papers, seeds and slices of an evaluation."""
    within, seeds = evaluation["within_papers"], evaluation["over_seeds"]["accuracy"]
    for name, found in evaluation["calibration"].items():
        if found["slope"]["value"] is not None:
            words = ", ".join(f"{key} {decimals(one)}" for key, one in found.items())
            say(f"Calibration of {name}: {words} (1 and 0 where probabilities hold)")
    if calibrated := evaluation["calibrated"]:
        _show_calibrated(calibrated)
    say(f"Accuracy, were images independent (Wilson): {interval(evaluation['accuracy_wilson'])}")
    if within["groups"]:
        which = f"{within['groups']} papers that have both labels, {within['images']} images"
        say(f"AUROC within papers: {percent(within['value'])} ({interval(within)}), {which}")
    if len(seeds["values"]) > 1:
        each = ", ".join(percent(v) for v in seeds["values"])
        each = ", the same for all of them" if not seeds["sd"] else f" ± {percent(seeds['sd'])}; {each}"
        say(f"Accuracy over {len(seeds['values'])} seeds: {percent(seeds['mean'])}{each}")
        if seeds["sd"]:
            say(f"  (the best seed, picked on the test side: {percent(seeds['best'])}; no estimate of anything)")
    scores = {"accuracy": "accuracy", "balanced": "balanced_accuracy", "AUROC": "auroc"}
    slices = [
        {"slice": row["by"].replace("_", " "), "": row["value"], "images": row["images"], "papers": row["groups"]}
        | {title: percent(row[metric]) for title, metric in scores.items()}
        for row in evaluation["slices"]
    ]
    if slices:
        print_table(slices, figures=True)


def _show_calibrated(found: Mapping[str, Any]) -> None:
    """How calibrated probabilities and sets hold, each model by what papers held back from its training taught."""
    figures = ", ".join(f"{TITLES[m]} {_with_spread(v)} ({interval(v)})" for m, v in found["metrics"].items())
    say(f"Calibrated on papers held back in training: {figures}")
    coverage, by = found["coverage"], found["threshold"]
    if by:
        both = ", ".join(f"{TITLES[m]} {percent(by[m])}" for m in ("accuracy", "balanced_accuracy"))
        say(f"  with the threshold chosen there ({by['value']:.2f}): {both}")
    say(
        f"Sets for {percent(coverage['wanted'], 0)} %: they hold the label of {percent(coverage['papers']['value'])} "
        f"({interval(coverage['papers'])}) of the images of a paper; {percent(coverage['single'])} are of one label, "
        f"{percent(coverage['single_right'])} of these right"
    )


def _show_across(found: Mapping[str, Any]) -> None:
    """A run on the test images of another split, beside what people said of them."""
    columns = {f"this run,\n{found['images']} images": found["metrics"]}
    if judged := found["judged"]:
        columns[f"this run,\n{judged['images']} judged images"] = judged["model"]
        columns[f"vote of\n{judged['raters']} people"] = judged["vote"]
    table = [
        {"": TITLES[m]} | {name: f"{percent(centre_of(v[m]))} ({interval(v[m])})" for name, v in columns.items()}
        for m in BESIDE
    ]
    print_table(
        table, f"On the test images of {found['split']}, by models that had not seen them, per cent", figures=True
    )
    for key, words in (("missing", "were not tested by this run"), ("relabelled", "carry another label there")):
        if found[key]:
            say(f"{found[key]} test images of {found['split']} {words}.")
    _warn_leak("its models may have seen these papers." if found["leakage"] else None)


def show_comparison(found: Mapping[str, Any]) -> None:
    """Two runs on the same images."""
    first, second = found["runs"]
    table = []
    for metric, title in TITLES.items():
        value, low, high = (found["difference"][metric][key] for key in ("value", "low", "high"))
        between = "" if low is None else f"{100 * low:+.1f} to {100 * high:+.1f}"
        table.append({"": title, "difference": "–" if value is None else f"{100 * value:+.1f}", "95 %": between})
    what = f"{found['images']} images, {Scoring(found['scoring']).words}"
    print_table(table, f"{first} less {second}, {what}", figures=True)
    test = found["mcnemar"]
    right = f"Only {first} is right on {test['first_only_right']}, only {second} on {test['second_only_right']}"
    say(f"{right} (ensembles); McNemar's exact test: p = {test['p']:.3g} (takes images for independent)")
    _warn_leak(", ".join(found["leaky"]))


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
    _warn_leak(found["leakage"])
    next_step(f"polymodel train {found['split']}")


def predictions_json(found: Predictions) -> dict[str, Any]:
    """What ``predict --json`` prints."""
    rows = [prediction.row() for prediction in found.done]
    return {"leakage": found.leakage, "predictions": rows, "failed": _failed(found.failed)}


def show_predictions(found: Predictions, output: Path | None) -> None:
    """The table of predictions, or where it was written."""
    if output is None:
        table = [
            {
                "image": p.path,
                "label": p.label,
                "p positive": f"{p.p_positive:.3f}",
                "calibrated": "–" if p.p_calibrated is None else f"{p.p_calibrated:.3f}",
                "set": "–" if p.prediction_set is None else " or ".join(p.prediction_set),
                "": "unlike those seen" if p.out_of_distribution else "",
            }
            for p in found.done
        ]
        print_table(table, empty="No image could be read.")
    else:
        say(f"Wrote {len(found.done)} predictions to {output}")
    if unsure := sum(len(p.prediction_set or ()) > 1 for p in found.done):
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
    _warn_leak(found.leakage)


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
    return {**run.record, "name": run.name, "finished_parts": [run.part(key) for key in run.finished]}


def show_run(run: Run) -> None:
    """All that a person wants to know of a run at a glance."""
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
    print_facts(facts)
    _warn_leak(run.leakage)


def show_leaderboard(found: Sequence[Mapping[str, Any]], output: Path | None) -> None:
    """Runs side by side, those of one split together."""
    if not found:
        say("There are no finished runs. Train one with: polymodel train SPLIT")
        return
    table: list[dict[str, Any]] = []
    scores = {"balanced": "balanced_accuracy", "accuracy": "accuracy", "majority": "majority_accuracy"}
    for (split, digest), rows_of_split in groupby(found, key=itemgetter("split", "split_digest")):
        table.append(dict.fromkeys(("run", "parts", "AUROC", "95 %", *scores, ""), ""))
        table[-1]["run"] = f"On {split} {digest[:8]}:"
        for row in rows_of_split:
            between = interval({"low": row["auroc_low"], "high": row["auroc_high"]})
            own = {"run": row["run"], "parts": row["parts"], "AUROC": percent(row["auroc"]), "95 %": between}
            own |= {title: percent(row[metric]) for title, metric in scores.items()}
            table.append(own | {"": "leaky" if row["leaky"] else ""})
    print_table(table, figures=True)
    say(
        "Per cent of the test side. Only runs of one split answer the same question, and to take the first of them is "
        "to choose on the test side."
    )
    if output is not None:
        say(f"Wrote {output}")
    next_step(f"polymodel report {found[0]['run']}")
