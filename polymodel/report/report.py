"""``polymodel report``: one self-contained HTML page about one or several runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from polydata.errors import InputError
from polydata.files.atomic import refuse_other_file, write_text, writing_to
from polydata.images.html import template
from polydata.types import Progress
from polymodel.config import Scoring
from polymodel.evaluation.aggregate import Answers, answers_of, ensemble, together
from polymodel.evaluation.answered import EVERY_TITLE, METRICS, TITLES, centre_of, shown_of, titles_of
from polymodel.evaluation.baselines import SOBEL_THRESHOLD, known_baselines
from polymodel.evaluation.calibrated import calibrated_parts
from polymodel.evaluation.evaluate import evaluate
from polymodel.evaluation.figures import (
    as_svg,
    box_figure,
    confusion_figure,
    curves_figure,
    precision_recall_figure,
    printed_curves_figure,
    reliability_figure,
    roc_figure,
    values_figure,
    violin_figure,
)
from polymodel.evaluation.metrics import Outcome, rows
from polymodel.evaluation.published_results import METRICS as PRINTED_METRICS
from polymodel.evaluation.published_results import NOTES, SIZE_NOTE, SIZES, read_curves, read_printed
from polymodel.evaluation.slices import known_across, split_items
from polymodel.prediction.explain import explain
from polymodel.report.amounts import amount, cited_as, decimals, percent
from polymodel.report.evaluations import HEADS, PER_CLASS, ROW_TITLES
from polymodel.report.explanations import cards, small_picture
from polymodel.report.studies import find_curves, read_series, read_trials
from polymodel.report.tables import baseline_rows
from polymodel.report.verdict import verdict
from polymodel.runs.card import TEMPLATES, card_text
from polymodel.runs.parts import choices, recipe_of, settings_words
from polymodel.runs.run import Run, write_json

THUMBNAIL = 176
SHOWN_MISTAKES = 24
CAPTION = 140
NOTE = "report.json"
"""Written into the folder of each run that a page is about: the page's name."""
BOXED = ("accuracy", "balanced_accuracy", "auroc")


def write_report(
    runs: Sequence[Run],
    output: Path,
    progress: Progress,
    *,
    published: Path | None = None,
    training_log: Path | None = None,
    series: Sequence[Path] = (),
    trials: Path | None = None,
    explained: int = 0,
) -> Path:
    """Write the page; arguments and errors as of ``polymodel.write_report``, with runs from ``open_run``."""
    refuse_other_file(output, '<meta name="generator" content="polymodel report">')
    printed = read_printed(published) if published else []
    curves = read_curves(training_log) if training_log else []
    followed, tried = [read_series(path) for path in series], read_trials(trials) if trials else None
    baselines = _baselines(runs)
    sections = [_section(run, *_evaluated(run, progress), baselines) for run in runs]
    for section in sections:
        section["explained"] = _explained(section["run"], section["mistakes"][:explained], progress)
    page = template(
        "report.html.j2",
        TEMPLATES,
        percent=percent,
        hundredths=partial(percent, digits=2),
        decimals=decimals,
        amount=amount,
    ).render(
        sections=sections,
        compared=_compared(sections),
        per_class=[(m, TITLES[m]) for m in PER_CLASS],
        metrics=[(m, TITLES[m]) for m in METRICS],
        beside=[(m, TITLES[m]) for m in PRINTED_METRICS[1:]],
        notes=NOTES,
        printed_sizes=SIZES,
        size_note=SIZE_NOTE,
        sizes=[(section["run"], _sizes(section)) for section in sections if "unit" not in section["evaluation"]],
        centre=centre_of,
        printed=printed,
        printed_curves=curves,
        curves_drawn=as_svg(printed_curves_figure(curves)) if curves else "",
        boxes=_boxes(sections),
        followed=followed,
        learned=find_curves(runs),
        tried=tried,
        baselines=baselines,
    )
    with writing_to(output):
        write_text(output, page)
    for run in runs:
        with suppress(OSError):  # of a run that can only be read there is a page all the same
            write_json(run.folder / NOTE, {"page": output.name})
    return output


def _compared(sections: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The metrics of the table of all runs; fewer of each where they were asked different questions."""
    shown = {shown_of(section["evaluation"]) for section in sections}
    most = 4 if len(shown) == 1 else 2
    return [(m, EVERY_TITLE[m]) for metrics in sorted(shown) for m in metrics[:most]]


def _evaluated(run: Run, progress: Progress) -> tuple[dict[str, Any], str]:
    """The evaluation of a run; where images are gone that without control models, and why."""
    try:
        return evaluate(run, progress=progress), ""
    except InputError as error:
        return evaluate(run, controls=False, progress=progress), error.message


def _boxes(sections: Sequence[Mapping[str, Any]]) -> str:
    """Box plots over seeds, or over folds where there is one seed; empty where no run has several parts."""
    drawn = []
    for section in sections:
        evaluation = section["evaluation"]
        if not all(m in evaluation for m in BOXED):
            continue
        kind = "over_seeds" if len(evaluation["over_seeds"]["accuracy"]["values"]) > 1 else None
        found = {
            TITLES[m]: [v for v in (evaluation[kind][m] if kind else evaluation[m]).get("values", []) if v is not None]
            for m in BOXED
        }
        if all(found.values()):
            drawn.append((f"{section['run'].name} ({'seeds' if kind else 'folds'})", found))
    titles = [TITLES[m] for m in BOXED]
    return as_svg(box_figure(drawn, titles)) if drawn else ""


def _baselines(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """The baselines of each split of the runs, where they were computed."""
    found = {}
    for run in runs:
        known = known_baselines(run.folder.parent, str(run.split["name"]), str(run.split["digest"]))
        if known is not None and known["split"] not in found:
            values = {run.spoken(label): points for label, points in known["sobel_values"].items()}
            violin = as_svg(violin_figure(values, SOBEL_THRESHOLD))
            shown = {"table": list(baseline_rows(known)), "violin": violin, "positive": run.spoken(known["positive"])}
            found[known["split"]] = {**known, **shown}
            found[known["split"]]["scored_as"] = Scoring(known["scoring"]).words
    return list(found.values())


def _section(
    run: Run, evaluation: Mapping[str, Any], no_controls: str, baselines: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    mistakes = _mistakes(run)
    return {
        "verdict": verdict(evaluation, next((b for b in baselines if b["split"] == run.split["name"]), None)),
        "answers": _answers(run),
        "metrics": titles_of(evaluation),
        "shown": shown_of(evaluation),
        "run": run,
        "spoken": run.spoken,
        "record": run.record,
        "config": run.config,
        "evaluation": evaluation,
        "rows": {_row_title(name, evaluation): row for name, row in rows(evaluation).items()},
        "no_controls": no_controls,
        "scoring": Scoring(evaluation["scoring"]).words,
        "ensemble": Scoring.ENSEMBLE.words,
        "looked_for": _looked_for(run),
        "counts": _counts(run),
        "search": _searched(run),
        "card": card_text(run),
        "matrix": as_svg(_matrix(run, evaluation)),
        "curves": as_svg(curves_figure([run.history(key) for key in run.planned])),
        "mistakes": _shown(run, mistakes[:SHOWN_MISTAKES]),
        "mistake_count": len(mistakes),
        "across": known_across(run),
    }


def _searched(run: Run) -> dict[str, Any] | None:
    """Of a search every candidate's loss and measure, means over the training sides, and where it was chosen."""
    found = choices(run)
    if not found:
        return None
    measure = found[0]["measure"]
    rows = []
    for k, candidate in enumerate(found[0]["candidates"]):
        own = [choice["candidates"][k] for choice in found]
        able = [row for row in own if row["loss"] is not None]
        means = {key: float(np.mean([row[key] for row in able])) if able else None for key in ("loss", measure)}
        chosen = [choice["fold"] for choice in found if choice["chosen"] == candidate["settings"]]
        failed = len(own) - len(able)
        rows.append({"words": settings_words(candidate["settings"]), **means, "chosen": chosen, "failed": failed})
    return {"measure": measure, "rows": rows, "sides": len(found), "inner": max(choice["inner"] for choice in found)}


def _explained(run: Run, mistakes: Sequence[Mapping[str, Any]], progress: Progress) -> list[dict[str, Any]]:
    """What a page shows of why a run gave wrong answers, by the models that had not seen the papers."""
    images = [path for mistake in mistakes if (path := run.image_root / mistake["path"]).is_file()]
    return cards(explain(run, images, progress=progress)) if images else []


def _row_title(name: str, evaluation: Mapping[str, Any]) -> str:
    """What a row of an evaluation is called; of numbers Sobel has no threshold."""
    return HEADS.get(name, ROW_TITLES.get(name, name)) if "unit" in evaluation else ROW_TITLES.get(name, name)


def _answers(run: Run) -> dict[str, str]:
    """ROC, precision over recall, and reliability of the ensemble; nothing where no two labels were tested."""
    _, outcome = together(run)
    if not isinstance(outcome, Outcome):
        return {}
    positive = outcome.truth == outcome.positive
    if not 0 < positive.sum() < len(positive):
        return {}
    frames = [run.predictions(key) for key in run.planned]
    known = calibrated_parts(run, frames, answers_of(run, frames))
    said = [one.probabilities[:, one.positive] for one in (outcome, *_calibrated(known))]
    words = run.spoken(run.positive)
    return {
        "roc": as_svg(roc_figure(positive, said[0], words)),
        "precision_recall": as_svg(precision_recall_figure(positive, said[0], words)),
        "reliability": as_svg(reliability_figure(positive, said[0], words, *said[1:])),
    }


def _calibrated(known: Sequence[tuple[Any, Any, Answers]] | None) -> list[Outcome]:
    """The calibrated answers of all parts together, by SHA-256 as of ``together``; nothing where there are none."""
    return [ensemble([part for _, _, part in known]).outcome] if known else []


def _matrix(run: Run, evaluation: Mapping[str, Any]) -> Figure:
    """What was answered over what is true: a confusion matrix, or of numbers the ensemble's values."""
    if "confusion_matrix" in evaluation:
        names = [run.spoken(label) for label in run.classes]
        return confusion_figure(np.array(evaluation["confusion_matrix"]["rows_are_truth"]), names)
    _, outcome = together(run)
    return values_figure(outcome.truth, outcome.values, evaluation["unit"])


def _looked_for(run: Run) -> str:
    """What was done to find leaks in a split that has none."""
    recipe = run.split["recipe"]
    if "group_by" not in recipe:
        return "No paper's name stands on both sides of a partition; the split does not say that more was looked for."
    found = "No paper, DOI, citation or picture that looks the same stands on both sides of a partition. "
    if recipe.get("crops"):
        return found + "Crops, turned and mirrored copies were looked for by keypoints."
    return found + "Crops and mirrored copies were not looked for."


def _counts(run: Run) -> list[tuple[str, list[int], int]]:
    """(side, images of each label, papers) of the first part; copies made for training in a row of their own."""
    frame, copies = run.predictions(run.planned[0]), recipe_of(run, run.planned[0]).copies
    found = []
    for side, words in (("train", "training"), ("val", "validation"), ("test", "test")):
        own = frame[frame["side"] == side]
        if len(own):
            counts = [int((own["label"] == label).sum()) for label in run.classes]
            found.append((words, counts, int(own["group"].nunique())))
            if side == "train" and copies is not None:
                times = [copies[label != run.positive] for label in run.classes]
                many = [n * k for n, k in zip(counts, times, strict=True)]
                found.append(("training, copies included", many, found[-1][2]))
    return found


def _sizes(section: Mapping[str, Any]) -> dict[str, tuple[int, float]]:
    """Of each side of a run's first part the images, and the share of them that is not of the positive label."""
    place = section["run"].classes.index(section["run"].positive)
    return {side: (sum(counts), 1 - counts[place] / sum(counts)) for side, counts, _ in section["counts"]}


def _mistakes(run: Run) -> pd.DataFrame:
    """Test images to which the ensemble of a run's models gives the wrong label, the surest first; of numbers by error.

    Returns:
        image_sha256, label, group, path, answer, chance (the ensemble's probability of it; of numbers the error), and
        of how many parts it was a test image (parts) and how many of these were wrong.
    """
    facts, outcome = together(run)
    if isinstance(outcome, Outcome):
        told = facts.assign(answer=np.array(run.classes)[outcome.answers], chance=outcome.probabilities.max(axis=1))
    else:
        unit = run.split["unit"]
        said = {"label": outcome.truth, "answer": outcome.values}
        told = facts.assign(chance=outcome.wrong, **{k: [f"{v:.3g} {unit}" for v in vs] for k, vs in said.items()})
    wrong: pd.DataFrame = told[outcome.wrong > 0].reset_index()
    return wrong.sort_values(["chance", "image_sha256"], ascending=[False, True])


def _shown(run: Run, mistakes: pd.DataFrame) -> list[dict[Any, Any]]:
    """Mistakes with a thumbnail and the caption of the figure, shortened; empty where the split's files tell none."""
    items = split_items(run)
    shown = []
    for mistake in mistakes.to_dict("records"):
        known = items.get(mistake["image_sha256"])
        caption = known.extra.get("caption", "") if known else ""
        caption = caption if len(caption) <= CAPTION else caption[: CAPTION - 1].rstrip() + "…"
        cited: dict[Any, Any] = dict(cited_as(known.extra if known else {}, mistake["group"]))
        shown.append(
            {
                **mistake,
                **cited,
                "picture": small_picture(run.image_root / mistake["path"], 2 * THUMBNAIL),
                "caption": caption,
            }
        )
    return shown
