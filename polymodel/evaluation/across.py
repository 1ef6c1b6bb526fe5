"""A run on the test images of another split: each answered by models that had not seen it, beside what people said.

The published split tests papers that its training side shows. A run on a split grouped by paper has of each of the same
images an answer of models that never saw its paper, so scored on just these images it can be set beside people who
judged them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from polydata.errors import InputError, UsageError
from polydata.splits.manifest import Split
from polymodel.evaluation.aggregate import averaged
from polymodel.evaluation.evaluate import predictions_digest
from polymodel.evaluation.metrics import Outcome, summarise
from polymodel.evaluation.people import Votes
from polymodel.runs.run import Run, read_json, write_json

PREFIX = "across-"


def across(run: Run, split: Split, votes: Votes | None = None) -> dict[str, Any]:
    """Score a run on those of its test images that stand on a test side of another split, and note it in its folder.

    Of each image the probabilities are averaged over the models that had it as a test image. All images are scored
    together, so that AUROC compares images that different folds answered.

    Args:
        run: finished.
        split: the other split; only its lists of test images are used.
        votes: of people, to score on the judged images with the run's labels as the truth.

    Returns:
        ``split``, ``split_digest``, ``images``, ``groups``, ``positive`` (images), ``missing`` (test images of the
        split that the run did not test), ``relabelled`` (images that the run labels otherwise), ``leakage`` of the run,
        ``metrics`` as ``metrics.summarise`` gives them; ``predictions_digest``; with votes ``judged``: ``images``,
        ``raters``, and the metrics of the ``model`` and of the ``vote`` on these; without, what an earlier call with
        votes said of the same split and predictions, else None.

    Raises:
        RefusedError: if the run is not finished.
        UsageError: if it tested none of the images, or people judged none of them.
        InputError: if predictions cannot be read.
    """
    run.require_finished()
    facts, outcome = averaged(run)
    wanted = {item.image_sha256: item for fold in split.folds for item in fold.test}
    places = np.array([k for k, sha in enumerate(facts.index) if sha in wanted], dtype=np.int64)
    if not len(places):
        raise UsageError(
            f"{run.name} tested no image that {split.name} tests.", "Train on a split with folds of the same images."
        )
    own = outcome.at(places)
    labels = facts["label"].iloc[places]
    result: dict[str, Any] = {
        "run": run.name,
        "split": split.name,
        "split_digest": split.digest,
        "leakage": run.leakage,
        "images": len(places),
        "groups": len(set(own.groups.tolist())),
        "positive": int((own.truth == own.positive).sum()),
        "missing": len(wanted) - len(places),
        "relabelled": sum(wanted[str(sha)].label != label for sha, label in labels.items()),
        "metrics": summarise([own]),
        "predictions_digest": predictions_digest(run),
        "judged": None,
    }
    path = run.folder / f"{PREFIX}{split.name}.json"
    if votes is None:
        result["judged"] = _judged_before(path, result)
    else:
        shares = votes.of_items([wanted[str(sha)] for sha in labels.index])
        judged = np.flatnonzero(~np.isnan(shares))
        if not len(judged):
            raise UsageError(f"People judged no image that {split.name} tests.", "Name the table's column of images.")
        model = own.at(judged)
        result["judged"] = {
            "images": len(judged),
            "raters": len(votes.raters),
            "model": summarise([model]),
            "vote": summarise([_vote(model, shares[judged])]),
        }
    write_json(path, result)
    return result


def _judged_before(path: Path, result: Mapping[str, Any]) -> Any:
    """What an earlier call said of people, where it was about the same images and answers of the run."""
    try:
        earlier = read_json(path)
    except InputError:
        return None
    same = all(earlier.get(key) == result[key] for key in ("split_digest", "predictions_digest"))
    return earlier.get("judged") if same else None


def known_across(run: Run) -> list[Mapping[str, Any]]:
    """What earlier calls wrote into the run's folder, by the names of the splits."""
    return [read_json(path) for path in sorted(run.folder.glob(f"{PREFIX}*.json"))]


def _vote(outcome: Outcome, shares: Any) -> Outcome:
    """The share of people who said positive, as a probability; the other classes get the rest."""
    chances = np.zeros_like(outcome.probabilities)
    chances[:] = ((1 - shares) / (chances.shape[1] - 1))[:, None]
    chances[:, outcome.positive] = shares
    return Outcome(outcome.truth, chances, outcome.groups, outcome.positive)
