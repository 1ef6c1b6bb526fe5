"""Automatic screening: is a panel's picture a candidate micrograph? Rules are registered by name and version."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from polydata.errors import UsageError
from polydata.extract.pixelstats import measure
from polydata.types import Screening

Rgb = npt.NDArray[np.uint8]
MIN_SIDE = 48
"""Pixels; smaller pictures show no morphology that could be judged."""

THRESHOLD = 0.5


Rule = Callable[[Rgb], Screening]


def _ramp(value: float, low: float, high: float) -> float:
    """0 at or below ``low``, 1 at or above ``high``, straight between."""
    return min(1.0, max(0.0, (value - low) / (high - low)))


def screen_micrograph(rgb: Rgb) -> Screening:
    """Screen one panel by its pixels, set for recall.

    White ground speaks against, texture and a range of grey levels speak for; colour says nothing, for
    polarised light and stained sections are micrographs too.

    Args:
        rgb: rows x columns x 3, 0 to 255.

    Returns:
        Score, decision and reason. Pictures under ``MIN_SIDE`` pixels and plain ones are rejected with score 0.

    Raises:
        ValueError: if the array has another shape.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise ValueError(f"a picture is rows x columns x 3, not {rgb.shape}")
    if min(rgb.shape[:2]) < MIN_SIDE:
        return Screening(0.0, "rejected", f"only {rgb.shape[1]} x {rgb.shape[0]} pixels")
    stats = measure(rgb)
    if stats.modal > 0.995:
        return Screening(0.0, "rejected", "one plain tone")
    ground = 1.0 - _ramp(stats.white, 0.25, 0.8)
    texture = _ramp(stats.textured, 0.05, 0.5)
    tone = _ramp(stats.levels, 0.02, 0.2)
    score = round(0.45 * ground + 0.45 * texture + 0.1 * tone, 4)
    measures = f"white {stats.white:.2f}, textured {stats.textured:.2f}, grey levels {stats.levels:.2f}"
    if score >= THRESHOLD:
        return Screening(score, "accepted", measures)
    worst = min((ground, "mostly white ground"), (texture, "little texture"), (tone, "few grey levels"))[1]
    return Screening(score, "rejected", f"{worst}: {measures}")


RULES: dict[tuple[str, int], Rule] = {("micrograph", 1): screen_micrograph}
"""Rules by name and version. A changed rule gets a new version, so that old decisions can be explained."""


def get_rule(name: str) -> tuple[int, Rule]:
    """The newest version of a rule, and the rule.

    Raises:
        UsageError: for an unknown rule.
    """
    versions = [version for rule, version in RULES if rule == name]
    if not versions:
        raise UsageError(f"There is no screening rule {name!r}.", f"Known: {', '.join(sorted({n for n, _ in RULES}))}.")
    return max(versions), RULES[name, max(versions)]
