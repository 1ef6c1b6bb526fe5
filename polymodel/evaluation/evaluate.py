"""``polymodel evaluate``: what a run is worth, beside the models that see no micrograph."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from polydata.auditing.controls import CONTROLS, ControlTable, read_table
from polydata.errors import InputError, UsageError
from polydata.files.atomic import replacing
from polydata.ids import sha256_file
from polymodel.evaluation.metrics import (
    METRICS,
    RESAMPLES,
    Array,
    Outcome,
    confusion,
    differences,
    joined,
    mcnemar,
    over_seeds,
    summarise,
    wilson,
    within_groups,
)
from polymodel.evaluation.slices import averaged, slices
from polymodel.networks.linear import softmax
from polymodel.runs.run import LOGIT, PREDICTIONS, Run, read_json, write_json

if TYPE_CHECKING:
    import pandas as pd

EVALUATION = "evaluation.json"
CONFUSION_PNG = "confusion_matrix.png"
VERSION = 3
ONE_PAPER = "leave-one-paper-out"
"""The protocol of a split whose folds test one paper each."""

Summary = dict[str, dict[str, Any]]
Advance = Callable[[str, int, int], None]


def evaluate(run: Run, controls: bool = True, advance: Advance = lambda *_: None) -> dict[str, Any]:
    """Score a finished run on its test side, and write evaluation.json and the confusion matrix into its folder.

    Args:
        run: from ``open_run``.
        controls: also fit the control models on each part's training side and score them on its test side.
        advance: told (what is going on, done, all).

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
    digest = _digest(run)
    known = _known(run, digest)
    if known is not None and (known["controls"] or not controls):
        return known
    frames = [run.predictions(key) for key in run.planned]
    tests = [_outcome(run, frame[frame["side"] == "test"]) for frame in frames]
    trains = [_outcome(run, frame[frame["side"] == "train"]) for frame in frames]
    scored, seeds = _scored(run, tests)
    result: dict[str, Any] = dict(summarise(scored))
    result["train_accuracy"] = summarise(trains)["accuracy"]
    images = {sha for frame in frames for sha in frame.loc[frame["side"] == "test", "image_sha256"]}
    accuracy = centre_of(result["accuracy"])
    low, high = wilson(accuracy, len(images)) if accuracy is not None else (None, None)
    result["accuracy_wilson"] = {"low": low, "high": high}
    result["over_seeds"] = over_seeds(scored, seeds)
    result["within_papers"] = within_groups(tests)
    result["slices"] = slices(run)
    others = _controls(run, frames, tests, advance) if controls else {"majority": _majority(run, frames, tests)}
    result["majority"] = others.pop("majority")
    result["controls"] = others
    counts = np.sum([confusion(outcome) for outcome in tests], axis=0)
    result["confusion_matrix"] = {"classes": list(run.classes), "rows_are_truth": counts.tolist()}
    result |= {
        "run": run.name,
        "split": run.split["name"],
        "split_digest": run.split["digest"],
        "leakage": run.leakage,
        "parts": [{"fold": key.fold, "seed": key.seed} for key in run.planned],
        "scored": len(scored),
        "test_images": len(images),
        "test_groups": len({group for outcome in tests for group in outcome.groups.tolist()}),
        "interval": f"95 %, percentiles of {RESAMPLES} resamples of papers, seed 0",
        "version": VERSION,
        "predictions_digest": digest,
    }
    write_json(run.folder / EVALUATION, result)
    from polymodel.evaluation.figures import confusion_figure

    with replacing(run.folder / CONFUSION_PNG) as out:
        out.write(confusion_figure(counts, run.classes, "png"))
    return result


def compare(run: Run, other: Run) -> dict[str, Any]:
    """Two finished runs on the test images that both have.

    Returns:
        ``difference`` {metric: {value, low, high}} of the means over parts, as ``evaluate`` gives them, and the counts
        and p value of ``mcnemar``, for which each image's probabilities are averaged over the parts that tested it;
        the ``runs``, the ``images`` in common, those ``left_out`` for being of one run alone, and ``leaky`` runs.

    Raises:
        RefusedError: if a run is not finished.
        UsageError: if they name classes differently, have no test image in common, or label one differently.
    """
    for one in (run, other):
        one.require_finished()
    if (run.classes, run.positive) != (other.classes, other.positive):
        raise UsageError(f"{run.name} and {other.name} answer different questions.", "Name a run of the same classes.")
    (facts, mine), (facts_other, theirs) = averaged(run), averaged(other)
    common = facts.index.intersection(facts_other.index)
    if not len(common):
        raise UsageError(f"{run.name} and {other.name} have no test image in common.", "Name a run of the same split.")
    together = [
        Outcome(outcome.truth[k], outcome.probabilities[k], outcome.groups[k], outcome.positive)
        for k, outcome in ((facts.index.get_indexer(common), mine), (facts_other.index.get_indexer(common), theirs))
    ]
    if (together[0].truth != together[1].truth).any():
        raise UsageError(f"{run.name} and {other.name} label some images differently.", "Name a run of the same split.")
    groups = facts.loc[common, "group"]  # another split may merge papers otherwise
    return {
        "runs": [run.name, other.name],
        "images": len(common),
        "left_out": {run.name: len(facts) - len(common), other.name: len(facts_other) - len(common)},
        "leaky": [one.name for one in (run, other) if one.leakage],
        "difference": differences(_on(run, groups), _on(other, groups)),
        "mcnemar": mcnemar(*together),
    }


def _on(run: Run, groups: pd.Series[str]) -> list[Outcome]:
    """What a run's parts said of these test images (SHA-256 -> group)."""
    outcomes = []
    for key in run.planned:
        frame = run.predictions(key)
        own = frame[(frame["side"] == "test") & frame["image_sha256"].isin(groups.index)]
        outcomes.append(_outcome(run, own.assign(group=own["image_sha256"].map(groups))))
    return [outcome for outcome in _scored(run, outcomes)[0] if len(outcome.truth)]


def rows(evaluation: Mapping[str, Any]) -> dict[str, Summary]:
    """The model and what stands beside it, by name: {metric: summary} each."""
    return {
        "model": {metric: evaluation[metric] for metric in METRICS},
        "majority": evaluation["majority"],
        **evaluation["controls"],
    }


def centre_of(summary: Mapping[str, Any]) -> float | None:
    """The value of a metric, or its mean over parts."""
    value: float | None = summary["value"] if "value" in summary else summary["mean"]
    return value


def _digest(run: Run) -> str:
    files = [sha256_file(run.part_folder(key) / PREDICTIONS) for key in run.planned]
    return hashlib.sha256("\n".join(files).encode()).hexdigest()


def _known(run: Run, digest: str) -> dict[str, Any] | None:
    """An evaluation written earlier of the same predictions by the same method."""
    if not (run.folder / EVALUATION).is_file() or not (run.folder / CONFUSION_PNG).is_file():
        return None
    try:
        found = read_json(run.folder / EVALUATION)
    except InputError:
        return None  # it can be made anew
    same = found.get("predictions_digest") == digest and found.get("version") == VERSION
    return found if same else None


def _outcome(run: Run, frame: pd.DataFrame, probabilities: Array | None = None) -> Outcome:
    """The predictions of one side; other probabilities can be put in place of the model's."""
    position = {label: k for k, label in enumerate(run.classes)}
    if unknown := sorted(set(frame["label"]) - set(position)):
        raise InputError(f"The predictions of {run.name} hold labels that the run does not list: {', '.join(unknown)}.")
    if probabilities is None:
        probabilities = softmax(frame[[LOGIT + c for c in run.classes]].to_numpy(dtype=np.float64))
    return Outcome(
        truth=np.array([position[label] for label in frame["label"]], dtype=np.int64),
        probabilities=probabilities,
        groups=frame["group"].to_numpy(dtype=np.str_),
        positive=run.classes.index(run.positive),
    )


def _scored(run: Run, outcomes: Sequence[Outcome]) -> tuple[Sequence[Outcome], list[int]]:
    """What is scored as one, and the seed of each: a part, or of a split that leaves out one paper at a time all parts
    of a seed together, since one paper alone has no AUROC and hardly a recall.

    Args:
        run: that was planned with these parts.
        outcomes: one for each part.
    """
    seeds = [key.seed for key in run.planned]
    if run.split["recipe"].get("protocol") != ONE_PAPER:
        return outcomes, seeds
    different = sorted(set(seeds))
    parts = [[o for o, own in zip(outcomes, seeds, strict=True) if own == seed] for seed in different]
    return [joined(some) for some in parts], different


def _majority(run: Run, frames: Sequence[pd.DataFrame], tests: Sequence[Outcome]) -> Summary:
    """The majority alone, which needs no image."""
    replaced = []
    for frame, test in zip(frames, tests, strict=True):
        train = _outcome(run, frame[frame["side"] == "train"]).truth
        shares = np.bincount(train, minlength=len(run.classes)) / len(train)
        replaced.append(Outcome(test.truth, np.tile(shares, (len(test.truth), 1)), test.groups, test.positive))
    return summarise(_scored(run, replaced)[0])


def _controls(
    run: Run, frames: Sequence[pd.DataFrame], tests: Sequence[Outcome], advance: Advance
) -> dict[str, Summary]:
    """Every control, fitted on each part's training side and scored on its test side."""
    table, places = _table(run, frames, advance)
    # Seeds repeat the same fold, and controls know no seed: each fold is answered once.
    answers: dict[tuple[str, int], Array] = {}
    found = {}
    for name, control in CONTROLS.items():
        outcomes = []
        for done, (key, frame, test) in enumerate(zip(run.planned, frames, tests, strict=True)):
            advance(f"control model {name.replace('_', ' ')}", done, len(frames))
            if (name, key.fold) not in answers:
                sides = (_places(frame, side, places) for side in ("train", "test"))
                answers[name, key.fold] = control(table, *sides)
            outcomes.append(Outcome(test.truth, answers[name, key.fold], test.groups, test.positive))
        found[name] = summarise(_scored(run, outcomes)[0])
    return found


def _places(frame: pd.DataFrame, side: str, places: Mapping[str, int]) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array([places[sha] for sha in frame.loc[frame["side"] == side, "image_sha256"]], dtype=np.int64)


def _table(run: Run, frames: Sequence[pd.DataFrame], advance: Advance) -> tuple[ControlTable, dict[str, int]]:
    """What the controls see of every image of the run, and where each image stands in it."""
    position = {label: k for k, label in enumerate(run.classes)}
    columns = ["image_sha256", "label", "group", "path"]
    items: dict[str, tuple[str, str, str]] = {
        str(sha): (str(label), str(group), str(path))
        for frame in frames
        for sha, label, group, path in frame[columns].itertuples(index=False, name=None)
    }
    table = read_table(
        images=[run.image_root / path for _, _, path in items.values()],
        labels=[position[label] for label, _, _ in items.values()],
        groups=[group for _, group, _ in items.values()],
        classes=len(run.classes),
        progress=lambda _, done, count: advance("reading images for the control models", done, count or 0),
    )
    return table, {sha: k for k, sha in enumerate(items)}
