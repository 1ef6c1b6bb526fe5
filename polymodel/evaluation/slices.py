"""How a run does on parts of its test images: by what is told of each, and on those that another split tests too.

The published split tests papers that its training side shows. A run on a split grouped by paper has of each of the same
images an answer of models that never saw its paper, so scored on just these images it can be set beside people who
judged them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from polydata.errors import PolydataError, UsageError
from polydata.splits.manifest import MANIFEST, Item, Split, load_split
from polymodel.evaluation.aggregate import predictions_digest, together
from polymodel.evaluation.answered import Answered
from polymodel.evaluation.intervals import summarise
from polymodel.evaluation.metrics import Outcome, point
from polymodel.runs.run import Run, known_json, read_json, write_json

if TYPE_CHECKING:
    from polymodel.evaluation.people import Votes

SLICES = ("technique", "year", "journal", "scale", "image_size", "label_source")
SIZES = ((200_000, "up to 0.2 megapixels"), (500_000, "0.2 to 0.5 megapixels"), (inf, "over 0.5 megapixels"))
SCALES = ((1.0, "up to 1 µm"), (10.0, "over 1 to 10 µm"), (50.0, "over 10 to 50 µm"), (inf, "over 50 µm"))
MOST = 12
"""Values of one kind that are shown, the most frequent ones; the others are put together."""
NOT_TOLD = "not told"
ACROSS = "across-"


def slices(run: Run) -> list[dict[str, Any]]:
    """Metrics of each slice of the test images, scored as an ensemble; empty where the split tells nothing of them.

    Returns:
        {by, value, images, groups, what is counted, and the metrics that the kind shows}, in the order of ``SLICES``,
        values by their number of images; a metric is None where it has no meaning.
    """
    items = split_items(run)
    facts, outcome = together(run)
    rows = []
    for kind in SLICES:
        values = np.array([_value(kind, items[str(sha)]) if str(sha) in items else NOT_TOLD for sha in facts.index])
        if set(values.tolist()) <= {NOT_TOLD}:
            continue
        names, counts = np.unique(values, return_counts=True)
        frequent = names[np.argsort(-counts, kind="stable")]
        rows += [_row(kind, str(name), values == name, outcome) for name in frequent[:MOST]]
        if len(frequent) > MOST:
            words = f"{len(frequent) - MOST} others"
            rows.append(_row(kind, words, np.isin(values, frequent[MOST:]), outcome))
    return rows


def _row(kind: str, value: str, own: Any, outcome: Answered) -> dict[str, Any]:
    part = outcome.at(own)
    found = point(part)
    shown = {metric: None if np.isnan(found[metric]) else found[metric] for metric in part.shown}
    counts = {"images": len(part.truth), "groups": len(set(part.groups.tolist()))}
    return {"by": kind, "value": value, **counts, **part.tally(), **shown}


def split_items(run: Run) -> Mapping[str, Item]:
    """The images of the run's split, where its very folder still lies in the workspace."""
    folder = run.image_root / "splits" / str(run.split["name"])
    if not (folder / MANIFEST).is_file():
        return {}
    try:
        split = load_split(folder)
    except PolydataError:
        return {}  # damaged since; the run does not depend on it
    return split.items if split.digest == run.split["digest"] else {}


def _value(kind: str, item: Item) -> str:
    """The slice to which an image belongs."""
    told: Mapping[str, str] = item.extra
    if kind == "image_size":
        return _band(_number(told.get("width")) * _number(told.get("height")), SIZES)
    if kind == "scale":
        return _band(_number(told.get("scale_um") or told.get("scale")), SCALES)
    if kind == "year":
        found = re.search(r"\b(?:19|20)\d\d\b", told.get("year") or "")
        return f"{found[0][:3]}0s" if found else NOT_TOLD
    return told.get(kind) or NOT_TOLD


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0


def _band(value: float, bands: Sequence[tuple[float, str]]) -> str:
    return next(words for limit, words in bands if value <= limit) if value > 0 else NOT_TOLD


def across(run: Run, split: Split, votes: Votes | None = None) -> dict[str, Any]:
    """Score a run on those of its test images that stand on a test side of another split, and note it in its folder.

    The models that had an image as a test image answer it together (``Scoring.ENSEMBLE``). All images are scored
    together, so that AUROC compares images that different folds answered.

    Args:
        run: finished.
        split: the other split; only its lists of test images are used.
        votes: of people, to score on the judged images with the run's labels as the truth.

    Returns:
        ``split``, ``split_digest``, ``images``, ``groups``, ``positive`` (images), ``missing`` (test images of the
        split that the run did not test), ``relabelled`` (images that the run labels otherwise), ``leakage`` of the run,
        ``metrics`` as ``intervals.summarise`` gives them; ``predictions_digest``; with votes ``judged``: ``images``,
        ``raters``, and the metrics of the ``model`` and of the ``vote`` on these; without, what an earlier call with
        votes said of the same split and predictions, else None.

    Raises:
        RefusedError: if the run is not finished.
        UsageError: if it tested none of the images, or people judged none of them.
        InputError: if predictions cannot be read.
    """
    run.require_finished()
    facts, outcome = together(run)
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
        **own.tally(),
        "missing": len(wanted) - len(places),
        "relabelled": sum(wanted[str(sha)].label != label for sha, label in labels.items()),
        "metrics": summarise([own]),
        "predictions_digest": predictions_digest(run),
        "judged": None,
    }
    path = run.folder / f"{ACROSS}{split.name}.json"
    if votes is None:
        earlier = known_json(path, split_digest=split.digest, predictions_digest=result["predictions_digest"])
        result["judged"] = (earlier or {}).get("judged")
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


def known_across(run: Run) -> list[Mapping[str, Any]]:
    """What earlier calls wrote into the run's folder, by the names of the splits."""
    return [read_json(path) for path in sorted(run.folder.glob(f"{ACROSS}*.json"))]


def _vote(outcome: Outcome, shares: Any) -> Outcome:
    """The share of people who said positive, as a probability; the other classes get the rest."""
    classes = outcome.probabilities.shape[1]
    chances = np.tile(((1 - shares) / (classes - 1))[:, None], classes)
    chances[:, outcome.positive] = shares
    return Outcome(outcome.truth, chances, outcome.groups, outcome.positive)
