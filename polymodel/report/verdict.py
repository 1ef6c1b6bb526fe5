"""What a run is worth, in sentences: against the majority, Sobel, other controls and people, by the interval it has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from polymodel.evaluation.metrics import centre_of

METRIC, WORDS = "balanced_accuracy", "balanced accuracy"
"""By which it is judged: answering without looking gets one half in it, however the labels are mixed."""


def verdict(evaluation: Mapping[str, Any], baselines: Mapping[str, Any] | None) -> list[str]:
    """Sentences, the first with the figure itself.

    Args:
        evaluation: of the run.
        baselines: of its split, for what people answered; None where they were not computed.
    """
    found = evaluation[METRIC]
    value, low, high = centre_of(found), found["low"], found["high"]
    if value is None:
        return [f"Nothing can be said: {WORDS} has no meaning on these test images."]
    papers = f"{evaluation['test_images']} test images of {evaluation['test_groups']} papers"
    if low is None:
        beside = ", ".join(f"{name} {_percent(other)} %" for name, other in _others(evaluation))
        few = "Too few papers speak of it for an interval, so nothing is shown yet, for or against the model."
        return [f"A {WORDS} of {_percent(value)} % on {papers}.", few, f"Beside it: {beside}."]
    said = [f"A {WORDS} of {_percent(value)} % (95 % interval {_percent(low)} to {_percent(high)}) on {papers}."]
    said += _compared(_others(evaluation), low, high)
    if people := (baselines or {}).get("people"):
        rivals = [("the vote of all people", centre_of(people["vote"][METRIC]))]
        judged = f"People judged {people['images']} images, which need not be the same."
        said += [*_compared([(name, v) for name, v in rivals if v is not None], low, high), judged]
    if evaluation["leakage"]:
        said.append("The split leaks, so all of this says little about papers that the model has not seen.")
    return said


def _others(evaluation: Mapping[str, Any]) -> list[tuple[str, float]]:
    """What stands beside the model: the majority, Sobel, and the best of what sees no micrograph."""
    controls = dict(evaluation["controls"])
    sobel = controls.pop("sobel", None)
    found = [("the majority", centre_of(evaluation["majority"][METRIC]))]
    found += [("Sobel", centre_of(sobel[METRIC]))] if sobel else []
    blind = [value for one in controls.values() if (value := centre_of(one[METRIC])) is not None]
    found += [("the best of what sees no micrograph", max(blind))] if blind else []
    return [(name, value) for name, value in found if value is not None]


def _compared(rivals: list[tuple[str, float]], low: float, high: float) -> Iterator[str]:
    """A sentence for those that lie below, within and above the interval."""
    places = {
        "It is better than {}.": [r for r in rivals if r[1] < low],
        "It is not told apart from {}: the interval holds {}.": [r for r in rivals if low <= r[1] <= high],
        "It is worse than {}.": [r for r in rivals if r[1] > high],
    }
    for sentence, some in places.items():
        if some:
            names = " and ".join(f"{name} ({_percent(value)} %)" for name, value in some)
            yield sentence.format(names, "it" if len(some) == 1 else "them")


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f}"
