"""``polymodel evaluate``: what a run is worth, beside the models that see no micrograph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from polydata.auditing.controls import CONTROLS, ControlTable, read_table
from polydata.files.atomic import replacing
from polydata.types import Progress, quiet
from polymodel.evaluation.aggregate import outcome_of, predictions_digest, scored_outcomes
from polymodel.evaluation.metrics import (
    INTERVAL,
    Array,
    Outcome,
    centre_of,
    confusion,
    over_seeds,
    summarise,
    wilson,
    within_groups,
)
from polymodel.evaluation.slices import slices
from polymodel.runs.run import Run, known_json, write_json

EVALUATION = "evaluation.json"
CONFUSION_PNG = "confusion_matrix.png"
VERSION = 3


def evaluate(run: Run, controls: bool = True, progress: Progress = quiet) -> dict[str, Any]:
    """Score a finished run on its test side, and write evaluation.json and the confusion matrix into its folder.

    Args:
        run: from ``open_run``.
        controls: also fit the control models on each part's training side and score them on its test side.
        progress: told of what is going on.

    Returns:
        The metrics of ``metrics.METRICS`` as fractions, each {value, low, high} or, over folds or seeds,
        {mean, sd, low, high, values}, of ``scored`` sets of answers; ``train_accuracy`` alike; ``majority`` and
        ``controls`` hold the same metrics of the models beside it; ``accuracy_wilson`` the interval that takes images
        for independent; ``over_seeds`` how each metric varies over seeds; ``within_papers`` the AUROC among images of
        one paper; ``slices`` parts of the test images; ``confusion_matrix`` counts over all parts; then what was
        evaluated.

    Raises:
        RefusedError: if the run is not finished.
        InputError: if predictions or, for the controls, images cannot be read.
    """
    run.require_finished()
    digest = predictions_digest(run)
    known = known_json(run.folder / EVALUATION, predictions_digest=digest, version=VERSION)
    if known is not None and (known["controls"] or not controls) and (run.folder / CONFUSION_PNG).is_file():
        return known
    frames = [run.predictions(key) for key in run.planned]
    tests = [outcome_of(run, frame[frame["side"] == "test"]) for frame in frames]
    trains = [outcome_of(run, frame[frame["side"] == "train"]) for frame in frames]
    scored, seeds = scored_outcomes(run, tests)
    summary = summarise(scored)
    images = {sha for frame in frames for sha in frame.loc[frame["side"] == "test", "image_sha256"]}
    accuracy = centre_of(summary["accuracy"])
    low, high = wilson(accuracy, len(images)) if accuracy is not None else (None, None)
    others = _controls(run, frames, tests, controls, progress)
    counts = np.sum([confusion(outcome) for outcome in tests], axis=0)
    result = {
        **summary,
        "train_accuracy": summarise(trains)["accuracy"],
        "accuracy_wilson": {"low": low, "high": high},
        "over_seeds": over_seeds(scored, seeds),
        "within_papers": within_groups(tests),
        "slices": slices(run),
        "majority": others.pop("majority"),
        "controls": others,
        "confusion_matrix": {"classes": list(run.classes), "rows_are_truth": counts.tolist()},
        "run": run.name,
        "split": run.split["name"],
        "split_digest": run.split["digest"],
        "leakage": run.leakage,
        "parts": [{"fold": key.fold, "seed": key.seed} for key in run.planned],
        "scored": len(scored),
        "test_images": len(images),
        "test_groups": len({group for outcome in tests for group in outcome.groups.tolist()}),
        "interval": INTERVAL,
        "version": VERSION,
        "predictions_digest": digest,
    }
    write_json(run.folder / EVALUATION, result)
    from polymodel.evaluation.figures import as_png, confusion_figure

    with replacing(run.folder / CONFUSION_PNG) as out:
        out.write(as_png(confusion_figure(counts, run.classes)))
    return result


def _controls(
    run: Run, frames: Sequence[pd.DataFrame], tests: Sequence[Outcome], with_images: bool, progress: Progress
) -> dict[str, dict[str, Any]]:
    """Controls, fitted on each part's training side and scored on its test side; without images the majority alone."""
    images = pd.concat(frames).drop_duplicates("image_sha256").set_index("image_sha256")
    labels, groups = [run.classes.index(label) for label in images["label"]], images["group"].tolist()
    if with_images:
        table = read_table(
            images=[run.image_root / path for path in images["path"]],
            labels=labels,
            groups=groups,
            classes=len(run.classes),
            progress=lambda _, done, count: progress("reading images for the control models", done, count),
        )
    else:
        nothing = np.zeros((len(images), 0))
        table = ControlTable(np.array(labels), np.array(groups), nothing, nothing, len(run.classes))
    # Seeds repeat the same fold, and controls know no seed: each fold is answered once.
    answers: dict[tuple[str, int], Array] = {}
    found = {}
    for name in CONTROLS if with_images else ("majority",):
        outcomes = []
        for done, (key, frame, test) in enumerate(zip(run.planned, frames, tests, strict=True)):
            progress(f"control model {name.replace('_', ' ')}", done, len(frames))
            if (name, key.fold) not in answers:
                own = images.index.get_indexer(pd.Index(frame["image_sha256"]))
                sides = (own[frame["side"] == side] for side in ("train", "test"))
                answers[name, key.fold] = CONTROLS[name](table, *sides)
            outcomes.append(Outcome(test.truth, answers[name, key.fold], test.groups, test.positive))
        found[name] = summarise(scored_outcomes(run, outcomes)[0])
    return found
