"""The answers of a run's parts as outcomes: of each part, of parts that are scored as one, and averaged by image."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import softmax

from polydata.ids import sha256_file
from polymodel.data.split import class_indices
from polymodel.evaluation.metrics import Array, Outcome, joined
from polymodel.runs.run import LOGIT, PREDICTIONS, Run

ONE_PAPER = "leave-one-paper-out"
"""The protocol of a split whose folds test one paper each."""


def outcome_of(run: Run, frame: pd.DataFrame, probabilities: Array | None = None) -> Outcome:
    """Rows of a part's predictions; other probabilities can be put in place of the model's.

    Raises:
        InputError: if they hold labels that the run does not list.
    """
    if probabilities is None:
        probabilities = softmax(frame[[LOGIT + label for label in run.classes]].to_numpy(dtype=np.float64), axis=1)
    return Outcome(
        truth=class_indices(frame["label"], run.classes, f"The predictions of {run.name} hold labels that the run"),
        probabilities=probabilities,
        groups=frame["group"].to_numpy(dtype=np.str_),
        positive=run.classes.index(run.positive),
    )


def scored_outcomes(run: Run, outcomes: Sequence[Outcome]) -> tuple[Sequence[Outcome], list[int]]:
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


def averaged(run: Run) -> tuple[pd.DataFrame, Outcome]:
    """Test images of a run, the probabilities averaged over the parts that had each as a test image.

    Returns:
        A row for each image, sorted by SHA-256 (label, group, path, how many parts tested it and were wrong), and the
        outcome in the same order.

    Raises:
        InputError: if predictions cannot be read or hold labels that the run does not list.
    """
    columns = [LOGIT + label for label in run.classes]
    frames = (run.predictions(key) for key in run.planned)
    tests = pd.concat([frame[frame["side"] == "test"] for frame in frames])
    chances = softmax(tests[columns].to_numpy(dtype=np.float64), axis=1)
    tests[columns] = chances
    tests["wrong"] = np.array(run.classes)[chances.argmax(1)] != tests["label"]
    images = tests.groupby("image_sha256")
    facts = images[["label", "group", "path"]].first()
    facts[["parts", "wrong"]] = images["wrong"].agg(["size", "sum"])
    return facts, outcome_of(run, facts, images[columns].mean().to_numpy())


def predictions_digest(run: Run) -> str:
    """SHA-256 over the predictions of all parts."""
    files = [sha256_file(run.part_folder(key) / PREDICTIONS) for key in run.planned]
    return hashlib.sha256("\n".join(files).encode()).hexdigest()
