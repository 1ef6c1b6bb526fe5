"""The answers of a run's parts as outcomes: of each part, of parts that are scored as one, and averaged by image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from polydata.errors import InputError
from polymodel.evaluation.metrics import Array, Outcome, joined
from polymodel.networks.linear import softmax
from polymodel.runs.run import LOGIT, Run

if TYPE_CHECKING:
    import pandas as pd

ONE_PAPER = "leave-one-paper-out"
"""The protocol of a split whose folds test one paper each."""


def outcome_of(run: Run, frame: pd.DataFrame, probabilities: Array | None = None) -> Outcome:
    """Rows of a part's predictions; other probabilities can be put in place of the model's.

    Raises:
        InputError: if they hold labels that the run does not list.
    """
    position = {label: k for k, label in enumerate(run.classes)}
    if unknown := sorted(set(frame["label"]) - set(position)):
        raise InputError(f"The predictions of {run.name} hold labels that the run does not list: {', '.join(unknown)}.")
    if probabilities is None:
        probabilities = softmax(frame[logit_columns(run)].to_numpy(dtype=np.float64))
    return Outcome(
        truth=np.array([position[label] for label in frame["label"]], dtype=np.int64),
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


def tested_rows(run: Run) -> pd.DataFrame:
    """Test rows of all parts, one below the other, with probabilities in the columns of ``logit_columns``.

    Raises:
        InputError: if predictions cannot be read.
    """
    import pandas as pd

    frames = (run.predictions(key) for key in run.planned)
    tests = pd.concat([frame[frame["side"] == "test"] for frame in frames])
    tests[logit_columns(run)] = softmax(tests[logit_columns(run)].to_numpy(dtype=np.float64))
    return tests


def averaged(run: Run) -> tuple[pd.DataFrame, Outcome]:
    """Test images of a run, the probabilities averaged over the parts that had each as a test image.

    Returns:
        A row for each image, sorted by SHA-256 (label, group, path), and the outcome in the same order.

    Raises:
        InputError: if predictions cannot be read or hold labels that the run does not list.
    """
    images = tested_rows(run).groupby("image_sha256")
    facts = images[["label", "group", "path"]].first()
    return facts, outcome_of(run, facts, images[logit_columns(run)].mean().to_numpy())


def logit_columns(run: Run) -> list[str]:
    """Columns of the predictions that hold a logit each, in the order of the classes."""
    return [LOGIT + label for label in run.classes]
