"""What the commands of polymodel print of evaluations, comparisons and leaderboards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polydata.console.output import next_step, print_table, say
from polymodel.config import Scoring
from polymodel.evaluation.answered import EVERY_TITLE, TITLES, centre_of, shown_of, titles_of
from polymodel.evaluation.baselines import BASELINES
from polymodel.evaluation.metrics import rows
from polymodel.report.amounts import amount, decimals, interval, percent, signed, units_of, warn_leak, with_spread

if TYPE_CHECKING:
    from polymodel.curves.curve import Curve

ROW_TITLES = {name: baseline.title for name, baseline in BASELINES.items()}
"""What the rows of an evaluation are called beside the model."""
HEADS = {"sobel": "Sobel"}
"""Shorter, so that the table of an evaluation fits into eighty columns."""
PER_CLASS = ("precision", "recall", "f1", "auroc", "brier")
SHORTER = {"balanced_accuracy": "balanced"}


def show_evaluation(evaluation: Mapping[str, Any]) -> None:
    """The table of metrics, the model beside the others, and all else that an evaluation holds."""
    scored, scoring = evaluation["scored"], Scoring(evaluation["scoring"])
    what = "mean ± sd over parts" if scored > 1 else "value"
    if missing := evaluation.get("missing_labels"):
        say(f"No test image is labelled {', '.join(missing)}: little can be scored.", "red")
    others = ((name, found) for name, found in rows(evaluation).items() if name not in ("model", "ensemble"))
    named = {HEADS.get(name, ROW_TITLES.get(name, name)).replace(" ", "\n"): found for name, found in others}
    trained = next(key for key in ("train_accuracy", "train_mae") if key in evaluation)
    metrics = [(key, key, title) for key, title in titles_of(evaluation).items()]
    table = [
        {"": title, "model": with_spread(evaluation[key], metric), "95 %": interval(evaluation[key], metric)}
        | {name: amount(centre_of(found[key]), metric) if key in found else "" for name, found in named.items()}
        for key, metric, title in (*metrics, (trained, trained.removeprefix("train_"), "on training"))
    ]
    print_table(table, f"{evaluation['run']}: {what} and 95 % interval, {units_of(evaluation)}", figures=True)
    matrix = evaluation.get("confusion_matrix", {"classes": (), "rows_are_truth": ()})
    for label, line in zip(matrix["classes"], matrix["rows_are_truth"], strict=True):
        said = ", ".join(f"{count} {name}" for name, count in zip(matrix["classes"], line, strict=True))
        say(f"labelled {label}: answered {said}")
    if evaluation.get("per_class"):
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
        figures = ", ".join(
            f"{EVERY_TITLE[m]} {amount(ensemble[m]['value'], m)} ({interval(ensemble[m], m)})"
            for m in shown_of(ensemble)
        )
        say(f"{Scoring.ENSEMBLE.words}: {figures}")
    say(f"{images}, {parts}; interval: {evaluation['interval']}; none where too few papers speak of a figure")
    warn_leak(evaluation["leakage"])
    _show_beyond_the_mean(evaluation)
    if "across" in evaluation:
        _show_across(evaluation["across"])
    if "against" in evaluation:
        show_comparison(evaluation["against"])
    next_step(f"polymodel report {evaluation['run']}")


def _show_beyond_the_mean(evaluation: Mapping[str, Any]) -> None:
    """Calibration, Wilson's interval, AUROC within papers, seeds and slices of an evaluation."""
    if "unit" in evaluation:
        _show_values(evaluation)
    else:
        _show_labels(evaluation)
    shown = shown_of(evaluation)[:3]
    slices = [
        {"slice": row["by"].replace("_", " "), "": row["value"], "images": row["images"], "papers": row["groups"]}
        | {SHORTER.get(metric, EVERY_TITLE[metric]): amount(row[metric], metric) for metric in shown}
        for row in evaluation["slices"]
    ]
    if slices:
        print_table(slices, figures=True)


def _show_values(evaluation: Mapping[str, Any]) -> None:
    """How numbers lie to the truth, and how far they may be off."""
    found, covered, unit = evaluation["reliability"], evaluation["coverage"], evaluation["unit"]
    if found["slope"]["value"] is not None:
        words = ", ".join(f"{key} {decimals(one)}" for key, one in found.items())
        say(f"Truth over prediction: {words} (1 and 0 where values hold)")
    if covered:
        say(
            f"Intervals for {percent(covered['wanted'], 0)} %: ± {covered['within']:.3g} {unit} hold the truth of "
            f"{percent(covered['papers']['value'])} ({interval(covered['papers'])}) of the images of a paper"
        )
    seeds = evaluation["over_seeds"]["mae"]
    if len(seeds["values"]) > 1:
        say(f"MAE over {len(seeds['values'])} seeds: {', '.join(amount(v, 'mae') for v in seeds['values'])}")


def _show_labels(evaluation: Mapping[str, Any]) -> None:
    """Calibration, Wilson's interval, AUROC within papers, and seeds."""
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


def _show_calibrated(found: Mapping[str, Any]) -> None:
    """How calibrated probabilities and sets hold, each model by what papers held back from its training taught."""
    figures = ", ".join(f"{TITLES[m]} {with_spread(v)} ({interval(v)})" for m, v in found["metrics"].items())
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
        {"": EVERY_TITLE[m]}
        | {name: f"{amount(centre_of(v[m]), m)} ({interval(v[m], m)})" for name, v in columns.items() if m in v}
        for m in shown_of(found["metrics"])
    ]
    print_table(
        table, f"On the test images of {found['split']}, by models that had not seen them, per cent", figures=True
    )
    for key, words in (("missing", "were not tested by this run"), ("relabelled", "carry another label there")):
        if found[key]:
            say(f"{found[key]} test images of {found['split']} {words}.")
    warn_leak("its models may have seen these papers." if found["leakage"] else None)


def show_comparison(found: Mapping[str, Any]) -> None:
    """Two runs on the same images."""
    first, second = found["runs"]
    table = []
    for metric, title in titles_of(found["difference"]).items():
        value, low, high = (signed(found["difference"][metric][key], metric) for key in ("value", "low", "high"))
        table.append({"": title, "difference": value or "–", "95 %": f"{low} to {high}" if low else ""})
    what = f"{found['images']} images, {Scoring(found['scoring']).words}"
    print_table(table, f"{first} less {second}, {what}", figures=True)
    test = found["mcnemar"]
    if test is None:
        warn_leak(", ".join(found["leaky"]))
        return
    right = f"Only {first} is right on {test['first_only_right']}, only {second} on {test['second_only_right']}"
    say(f"{right} (ensembles); McNemar's exact test: p = {test['p']:.3g} (takes images for independent)")
    warn_leak(", ".join(found["leaky"]))


def show_leaderboard(found: Sequence[Mapping[str, Any]], output: Path | None) -> None:
    """Runs side by side, those of one split together."""
    if not found:
        say("There are no finished runs. Train one with: polymodel train SPLIT")
        return
    labels = {
        "AUROC": "auroc",
        "balanced": "balanced_accuracy",
        "accuracy": "accuracy",
        "majority": "majority_accuracy",
    }
    values = {"R²": "r2", "MAE": "mae", "RMSE": "rmse", "Spearman": "spearman"}
    for scores in (labels, values):
        own = [row for row in found if (row["mae"] is not None) == (scores is values)]
        if own:
            print_table(_board(own, scores), figures=True)
    say(
        "Of the test side; fractions in per cent, errors in their unit. Only runs of one split answer the same "
        "question, and to take the first of them is to choose on the test side."
    )
    if output is not None:
        say(f"Wrote {output}")
    next_step(f"polymodel report {found[0]['run']}")


def _board(found: Sequence[Mapping[str, Any]], scores: Mapping[str, str]) -> list[dict[str, Any]]:
    """Rows of a leaderboard under headings of their splits; the first score with its interval."""
    (first, ranked), *others = scores.items()
    table: list[dict[str, Any]] = []
    for (split, digest), rows_of_split in groupby(found, key=itemgetter("split", "split_digest")):
        table.append(dict.fromkeys(("run", "parts", first, "95 %", *dict(others), ""), ""))
        table[-1]["run"] = f"On {split} {digest[:8]}:"
        for row in rows_of_split:
            between = interval({"low": row[f"{ranked}_low"], "high": row[f"{ranked}_high"]}, ranked)
            own = {"run": row["run"], "parts": row["parts"], first: amount(row[ranked], ranked), "95 %": between}
            own |= {title: amount(row[metric], metric) for title, metric in others}
            table.append(own | {"": "leaky" if row["leaky"] else ""})
    return table


def show_curve(made: Curve) -> None:
    """Metrics over the number of training papers."""
    table = [
        {"papers": row["papers"], "images": f"{row['images']:g}", "draws": row["draws"]}
        | {EVERY_TITLE[m]: f"{amount(row[m], m)} ({_ends(row, m)})" for m in made.metrics[:3]}
        for row in made.rows
    ]
    told = f"errors in {made.unit}" if made.unit else "per cent"
    print_table(
        table, f"{made.split}: mean over folds and draws, and 95 % over the papers tested, {told}", figures=True
    )
    say(f"Wrote {made.folder}/curve.csv, curve.json and curve.png")
    warn_leak(made.leakage)


def _ends(row: Mapping[str, Any], metric: str) -> str:
    return interval({"low": row[f"{metric}_low"], "high": row[f"{metric}_high"]}, metric) or "–"
