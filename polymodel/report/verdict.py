"""What a run is worth, in sentences: against the majority, Sobel, other controls and people, by the interval it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from polymodel.evaluation.answered import EVERY_TITLE, LOWER_IS_BETTER, centre_of
from polymodel.report.amounts import amount

LABELS, NUMBERS = "balanced_accuracy", "mae"
"""By which it is judged: answering without looking gets one half in it, however the labels are mixed; of numbers their
error."""


def verdict(evaluation: Mapping[str, Any], baselines: Mapping[str, Any] | None) -> list[str]:
    """Sentences, the first with the figure itself.

    Args:
        evaluation: of the run.
        baselines: of its split, for what people answered; None where they were not computed.
    """
    metric = NUMBERS if NUMBERS in evaluation else LABELS
    found, words = evaluation[metric], f"{'An' if metric == NUMBERS else 'A'} {EVERY_TITLE[metric]}"
    value, low, high = centre_of(found), found["low"], found["high"]
    if value is None:
        return [f"Nothing can be said: {EVERY_TITLE[metric]} has no meaning on these test images."]
    papers = f"{evaluation['test_images']} test images of {evaluation['test_groups']} papers"
    if low is None:
        beside = ", ".join(f"{name} {_said(other, evaluation)}" for name, other in _others(evaluation, metric))
        few = "Too few papers speak of it for an interval, so nothing is shown yet, for or against the model."
        return [f"{words} of {_said(value, evaluation)} on {papers}.", few, f"Beside it: {beside}."]
    between = f"95 % interval {amount(low, metric)} to {amount(high, metric)}"
    said = [f"{words} of {_said(value, evaluation)} ({between}) on {papers}."]
    said += _compared(_others(evaluation, metric), low, high, evaluation)
    if people := (baselines or {}).get("people"):
        rivals = [("the vote of all people", centre_of(people["vote"][metric]))]
        judged = f"People judged {people['images']} images, which need not be the same."
        said += [*_compared([(name, v) for name, v in rivals if v is not None], low, high, evaluation), judged]
    if evaluation["leakage"]:
        how = "pretraining saw the test side" if "pretrained" in evaluation["leakage"] else "split leaks"
        said.append(f"The {how}, so all of this says little about papers that the model has not seen.")
    return said


def _others(evaluation: Mapping[str, Any], metric: str) -> list[tuple[str, float]]:
    """What stands beside the model: what any must beat, Sobel, and the best of what sees no micrograph."""
    controls = dict(evaluation["controls"])
    sobel = controls.pop("sobel", None)
    found = [(f"the {evaluation['baseline']}", centre_of(evaluation[evaluation["baseline"]][metric]))]
    found += [("Sobel", centre_of(sobel[metric]))] if sobel else []
    blind = [value for one in controls.values() if (value := centre_of(one[metric])) is not None]
    best = min if metric in LOWER_IS_BETTER else max
    found += [("the best of what sees no micrograph", best(blind))] if blind else []
    return [(name, value) for name, value in found if value is not None]


def _compared(rivals: list[tuple[str, float]], low: float, high: float, evaluation: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for those that it is better than, not told apart from and worse than."""
    below, above = [r for r in rivals if r[1] < low], [r for r in rivals if r[1] > high]
    better, worse = (above, below) if NUMBERS in evaluation else (below, above)
    places = {
        "It is better than {}.": better,
        "It is not told apart from {}: the interval holds {}.": [r for r in rivals if low <= r[1] <= high],
        "It is worse than {}.": worse,
    }
    for sentence, some in places.items():
        if some:
            names = " and ".join(f"{name} ({_said(value, evaluation)})" for name, value in some)
            yield sentence.format(names, "it" if len(some) == 1 else "them")


def _said(value: float, evaluation: Mapping[str, Any]) -> str:
    """A figure with what it is told in."""
    return f"{amount(value, NUMBERS)} {evaluation['unit']}" if NUMBERS in evaluation else f"{amount(value)} %"
