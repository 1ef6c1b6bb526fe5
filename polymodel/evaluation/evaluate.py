"""``polymodel evaluate``: what a run is worth, beside models that see no micrograph and the Sobel value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from polydata.auditing.controls import CONTROLS, ControlTable, read_table
from polydata.files.atomic import replacing
from polydata.types import Progress, quiet
from polymodel.config import Scoring
from polymodel.evaluation.aggregate import (
    Answers,
    answers_of,
    predictions_digest,
    scored,
    usual_scoring,
)
from polymodel.evaluation.baselines import Sobels, sobel, sobel_value
from polymodel.evaluation.calibrated import calibrated_evaluation
from polymodel.evaluation.calibration import Estimate, recalibration
from polymodel.evaluation.intervals import INTERVAL, over_seeds, summarise, wilson, within_groups
from polymodel.evaluation.metrics import Array, Outcome, against_rest, centre_of, confusion, joined
from polymodel.evaluation.slices import slices
from polymodel.runs.run import Run, known_json, write_json

if TYPE_CHECKING:
    import pandas as pd

EVALUATION = "evaluation.json"
CONFUSION_PNG = "confusion_matrix.png"
VERSION = 5


def evaluate(run: Run, controls: bool = True, progress: Progress = quiet) -> dict[str, Any]:
    """Score a finished run on its test side, and write evaluation.json and the confusion matrix into its folder.

    Args:
        run: from ``open_run``.
        controls: also fit the control models on each part's training side and score them on its test side.
        progress: told of what is going on.

    Returns:
        The metrics of ``metrics.METRICS`` as fractions, each {value, low, high} or, over folds or seeds,
        {mean, sd, low, high, values}, of ``scored`` sets of answers by the ``scoring`` that is usual for the split;
        ``train_accuracy`` alike; ``ensemble`` the same metrics of all models together, None where one model answered
        each image by itself and is scored so; ``majority`` and ``controls`` those of the models beside it, scored as
        the model is; ``missing_labels`` that no test image has; ``accuracy_wilson`` the interval that takes images for
        independent; ``calibration`` slope and intercept, and ``per_class`` the metrics of each class, both of all
        answers together; ``calibrated`` as of ``calibrated_evaluation``; ``over_seeds`` how each metric varies over
        seeds; ``within_papers`` the AUROC among images of one paper; ``slices`` parts of the test images;
        ``confusion_matrix`` counts over all parts; then what was evaluated.

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
    parts, scoring = answers_of(run, frames), usual_scoring(run.split["recipe"])
    sets, tests = scored(parts, scoring), [part.outcome for part in parts]
    trains = [part.outcome for part in answers_of(run, frames, "train")]
    summary, together = summarise([s.outcome for s in sets]), joined(tests)
    images = {sha for part in parts for sha in part.images.tolist()}
    accuracy = centre_of(summary["accuracy"])
    low, high = wilson(accuracy, len(images)) if accuracy is not None else (None, None)
    others = _controls(run, frames, parts, controls, progress)
    counts = np.sum([confusion(outcome) for outcome in tests], axis=0)
    result = {
        **summary,
        "scoring": scoring.value,
        "ensemble": None if len(sets) == 1 else summarise([s.outcome for s in scored(parts, Scoring.ENSEMBLE)]),
        "missing_labels": [run.classes[k] for k in together.missing],
        "train_accuracy": summarise(trains)["accuracy"],
        "accuracy_wilson": {"low": low, "high": high},
        "calibration": {run.classes[k]: _calibration(together, k) for k in together.judged},
        "calibrated": calibrated_evaluation(run, frames, parts, scoring),
        "per_class": _per_class(run, together),
        "over_seeds": over_seeds([s.outcome for s in sets], [s.seed for s in sets]),
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
        "scored": len(sets),
        "test_images": len(images),
        "test_groups": len(set(together.groups.tolist())),
        "interval": INTERVAL,
        "version": VERSION,
        "predictions_digest": digest,
    }
    write_json(run.folder / EVALUATION, result)
    from polymodel.evaluation.figures import as_png, confusion_figure

    with replacing(run.folder / CONFUSION_PNG) as out:
        out.write(as_png(confusion_figure(counts, run.classes)))
    return result


def _calibration(outcome: Outcome, k: int) -> dict[str, dict[str, float | None]]:
    """Slope and intercept of a class's logistic recalibration, each {value, low, high}."""
    found = recalibration(outcome.probabilities[:, k], outcome.truth == k, outcome.groups)
    return {name: _plain(one) for name, one in found.items()}


def _plain(found: Estimate) -> dict[str, float | None]:
    return {key: None if np.isnan(value) else float(value) for key, value in vars(found).items()}


def _per_class(run: Run, outcome: Outcome) -> dict[str, dict[str, float | None]]:
    """Of more than two classes the metrics of each against the rest, and how often it was to be answered."""
    if len(run.classes) == 2:
        return {}
    found: dict[str, dict[str, float | None]] = {}
    for k, name in enumerate(run.classes):
        values = against_rest(outcome, k) if k in outcome.judged else {}
        found[name] = {"answers": int((outcome.truth == k).sum())}
        found[name] |= {metric: None if np.isnan(value) else value for metric, value in values.items()}
    return found


def _controls(
    run: Run, frames: Sequence[pd.DataFrame], parts: Sequence[Answers], with_images: bool, progress: Progress
) -> dict[str, dict[str, Any]]:
    """Controls and the Sobel value, fitted on each part's training side, scored on its test side; or majority alone."""
    import pandas as pd

    images = pd.concat(frames).drop_duplicates("image_sha256").set_index("image_sha256")
    labels, groups = [run.classes.index(label) for label in images["label"]], images["group"].tolist()
    if with_images:
        paths = [run.image_root / path for path in images["path"]]
        seen = read_table(
            images=paths,
            labels=labels,
            groups=groups,
            classes=len(run.classes),
            progress=lambda _, done, count: progress("reading images for the control models", done, count),
        )
        values = np.array([sobel_value(path.read_bytes()) for path in paths])
        table: ControlTable = Sobels(**vars(seen), positive=run.classes.index(run.positive), sobel=values)
    else:
        nothing = np.zeros((len(images), 0))
        table = ControlTable(np.array(labels), np.array(groups), nothing, nothing, len(run.classes))
    # Seeds repeat the same fold, and controls know no seed: each fold is answered once.
    answers: dict[tuple[str, int], Array] = {}
    found = {}
    models: Mapping[str, Any] = {**CONTROLS, "sobel": sobel} if with_images else {"majority": CONTROLS["majority"]}
    for name, model in models.items():
        said = []
        for done, (key, frame, part) in enumerate(zip(run.planned, frames, parts, strict=True)):
            progress(f"control model {name.replace('_', ' ')}", done, len(frames))
            if (name, key.fold) not in answers:
                place = images.index.get_indexer(pd.Index(frame["image_sha256"]))
                sides = (place[frame["side"] == side] for side in ("train", "test"))
                answers[name, key.fold] = model(table, *sides)
            test = part.outcome
            own = Outcome(test.truth, answers[name, key.fold], test.groups, test.positive)
            said.append(replace(part, outcome=own))
        found[name] = summarise([s.outcome for s in scored(said, usual_scoring(run.split["recipe"]))])
    return found
