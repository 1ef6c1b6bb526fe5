"""``polymodel evaluate``: what a run is worth, beside models that see no micrograph and the Sobel value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from polydata.files.atomic import replacing
from polydata.task import TaskKind
from polydata.types import Progress, quiet
from polymodel.config import Scoring
from polymodel.evaluation.aggregate import answers_of, predictions_digest, scored, usual_scoring
from polymodel.evaluation.answered import centre_of
from polymodel.evaluation.figures import as_png
from polymodel.evaluation.intervals import INTERVAL, over_seeds, summarise
from polymodel.evaluation.judged_labels import LabelJudge
from polymodel.evaluation.judged_values import ValueJudge
from polymodel.evaluation.metrics import Array, joined
from polymodel.evaluation.slices import slices
from polymodel.kinds.asked import kind_name
from polymodel.runs.run import Run, known_json, write_json

EVALUATION = "evaluation.json"
VERSION = 6
WITH_IMAGES = "metadata"
"""A control that is there where images were read."""
JUDGES: Mapping[TaskKind, type[LabelJudge]] = {
    TaskKind.NOMINAL: LabelJudge,
    TaskKind.ORDINAL: LabelJudge,
    TaskKind.REGRESSION: ValueJudge,
}
"""What is judged beside the metrics, by what was asked."""


def evaluate(run: Run, controls: bool = True, progress: Progress = quiet) -> dict[str, Any]:
    """Score a finished run on its test side, and write evaluation.json and a picture of the answers into its folder.

    Args:
        run: from ``open_run``.
        controls: also fit the control models on each part's training side and score them on its test side.
        progress: told of what is going on.

    Returns:
        The metrics of the run's kind (``metrics.METRICS`` as fractions; of numbers ``VALUE_TITLES``), each {value, low,
        high} or, over folds or seeds, {mean, sd, low, high, values}, of ``scored`` sets of answers by the ``scoring``
        that is usual for the split; ``train_accuracy`` (``train_mae``) alike; ``ensemble`` the same metrics of all
        models together, None where one model answered each image by itself and is scored so; ``baseline`` the name of
        what any model must beat (``majority``; of numbers ``mean``), which stands under this name, and ``controls``:
        those of the models beside it, scored as the model is; ``over_seeds`` how each metric varies over seeds;
        ``slices`` parts of the test images; then what was evaluated.

        Of labels also ``missing_labels`` that no test image has; ``accuracy_wilson`` the interval that takes images for
        independent; ``calibration`` slope and intercept, and ``per_class`` the metrics of each class, both of all
        answers together; ``calibrated`` as of ``calibrated_evaluation``; ``within_papers`` the AUROC among images of
        one paper; ``confusion_matrix`` counts over all parts. Of numbers ``unit``, ``reliability`` and ``coverage`` as
        of ``judged_values``.

    Raises:
        RefusedError: if the run is not finished.
        InputError: if predictions or, for the controls, images cannot be read.
    """
    run.require_finished()
    digest = predictions_digest(run)
    known = known_json(run.folder / EVALUATION, predictions_digest=digest, version=VERSION)
    picture = run.folder / JUDGES[kind_name(run.split)].picture
    if known is not None and (WITH_IMAGES in known["controls"] or not controls) and picture.is_file():
        return known
    frames = [run.predictions(key) for key in run.planned]
    parts, scoring = answers_of(run, frames), usual_scoring(run.split["recipe"])
    sets, main = scored(parts, scoring), parts[0].outcome.main
    trains = [part.outcome for part in answers_of(run, frames, "train")]
    summary, together = summarise([s.outcome for s in sets]), joined([part.outcome for part in parts])
    images = {sha for part in parts for sha in part.images.tolist()}
    judge = JUDGES[kind_name(run.split)](run, frames, parts, centre_of(summary[main]))
    result = {
        **summary,
        "scoring": scoring.value,
        "ensemble": None if len(sets) == 1 else summarise([s.outcome for s in scored(parts, Scoring.ENSEMBLE)]),
        f"train_{main}": summarise(trains)[main],
        **judge.facts(),
        "over_seeds": over_seeds([s.outcome for s in sets], [s.seed for s in sets]),
        "slices": slices(run),
        **_beside(judge, controls, progress),
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
    with replacing(picture) as out:
        out.write(as_png(judge.figure()))
    return result


def _beside(judge: LabelJudge, controls: bool, progress: Progress) -> dict[str, Any]:
    """What stands beside the model, fitted on each part's training side, scored on its test side as the model is."""
    import pandas as pd

    images = pd.concat(judge.frames).drop_duplicates("image_sha256").set_index("image_sha256")
    table = judge.table(
        images, controls, lambda _, done, count: progress("reading images for the control models", done, count)
    )
    # Seeds repeat the same fold, and controls know no seed: each fold is answered once.
    answers: dict[tuple[str, int], Array] = {}
    found = {}
    for name in judge.models(controls):
        said = []
        for done, (key, frame, part) in enumerate(zip(judge.run.planned, judge.frames, judge.parts, strict=True)):
            progress(f"control model {name.replace('_', ' ')}", done, len(judge.frames))
            if (name, key.fold) not in answers:
                place = images.index.get_indexer(pd.Index(frame["image_sha256"]))
                train, test = (place[frame["side"] == side] for side in ("train", "test"))
                answers[name, key.fold] = judge.answer(name, table, train, test)
            said.append(replace(part, outcome=part.outcome.having(**{part.outcome.said: answers[name, key.fold]})))
        found[name] = summarise([s.outcome for s in scored(said, usual_scoring(judge.run.split["recipe"]))])
    first = next(iter(found))
    return {first: found.pop(first), "baseline": first, "controls": found}
