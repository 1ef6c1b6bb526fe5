"""Automatic screening: is a panel's picture a candidate micrograph? Rules are registered by name, with a version."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from polydata.errors import UsageError
from polydata.text.captions import split_caption
from polydata.types import Screening
from polydata.vision.kind import PHOTO_COLOUR, accounts_for_colour, by_microscope, evidence
from polydata.vision.measures import Rgb, measure
from polydata.vision.micrograph import OF_THINGS, picture_odds
from polydata.vision.scale_bar import LONG, read_scale_bar
from polydata.vision.technique import technique_of

MIN_SIDE = 48
"""Pixels; smaller pictures show no morphology that could be judged."""

PLAIN = 0.995
"""Share of a picture's pixels in one tone from which it shows nothing."""

THRESHOLD = 0.5
"""Every rule's scores are made for this one; users may set another."""

AMONG, APART = 0.5, -0.5
"""Log-odds for a panel that extraction took for a micrograph, its figure considered, and for one that it did not."""

UNSAID = -1.5
"""Log-odds for a picture of a paper under which no caption stands: portraits of authors, logos, graphical abstracts."""

FINE_UM, FINE, COARSE = 500.0, 4.0, -5.0
"""Log-odds for a scale bar that is printed in a picture, up to this length, and from ``LONG`` on: micrographs have the
former, as maps of elements do, photographs of samples and devices the latter."""

COLOURED = -2.0
"""Log-odds for a picture in colours where neither its caption nor a scale bar tells of a microscope."""

MAX_CAPTION = 5000

BLEND = re.compile(
    r"\b(?:blend\w*|alloy\w*|compatibili[sz]\w+|(?:im)?miscib\w+|phase[- ]separat\w+|"
    r"(?:dispersed|minor|continuous|two|separated) phases?|co-?continuous|matrix|droplets?|domains?)\b"
    r"|\b\d{1,3}\s?[/:]\s?\d{1,3}\b",
    re.IGNORECASE,
)
"""Words and ratios (70/30) by which captions speak of a blend."""

Rule = Callable[[Rgb, str | None, bool | None, str | None], Screening]
"""Takes a picture (rows x columns x 3, 0 to 255), the caption of its figure, whether extraction took it for a
micrograph, its figure considered, and its own words; None for what is not known."""


def screen_by_model(
    rgb: Rgb, caption: str | None = None, among: bool | None = None, own: str | None = None
) -> Screening:
    """Screen one panel by a network, a scale bar in it, its caption and its figure.

    Args:
        rgb: rows x columns x 3, 0 to 255.
        caption: of the figure; None where there is none.
        among: whether extraction took the panel for a micrograph, its figure considered; None where it did not say.
        own: words that the caption has for this panel alone.

    Returns:
        Score, decision, reason, the technique where the pixels tell, and how likely a blend's morphology is shown:
        the score, lessened where the caption does not speak of a blend. Pictures under ``MIN_SIDE`` pixels and
        plain ones are rejected with score 0.

    Raises:
        ValueError: if the array has another shape.
    """
    refused = _too_small(rgb)
    stats = None if refused else measure(rgb)
    if stats is None or stats.modal > PLAIN:
        return Screening(0.0, "rejected", refused or "one plain tone", morphology=0.0)
    colour = stats.colour
    words = (caption or "")[:MAX_CAPTION]
    shared = split_caption(words).stem if own else words  # what is said of another panel is not said of this one
    weight, speaks = evidence((own or "")[:MAX_CAPTION], shared, stats, words)
    taken = speaks == "microscopy" and by_microscope((own or "")[:MAX_CAPTION], shared, stats)
    pixels, shows = picture_odds(rgb, taken)
    said = f", caption speaks of {speaks} {weight:+.1f}" if speaks else ""
    if among is not None:
        told = AMONG if among else APART
        said, weight = f"{said}, {'a' if among else 'no'} micrograph within its figure {told:+.1f}", weight + told
        if caption is None:
            said, weight = f"{said}, no caption {UNSAID:+.1f}", weight + UNSAID
    bar = read_scale_bar(rgb) if pixels + weight > -FINE else None
    fine = bar is not None and bar.value_um <= FINE_UM and bar.unit != "mm"
    if bar:
        told = FINE if fine and speaks != "maps" else COARSE if bar.value_um >= LONG else 0.0
        said, weight = f"{said}, scale bar {bar.value:g} {bar.unit} {told:+.1f}", weight + told
    if caption and colour > PHOTO_COLOUR and not fine and not accounts_for_colour(own, caption):
        said, weight = f"{said}, colours that no word accounts for {COLOURED:+.1f}", weight + COLOURED
    score = round(1 / (1 + math.exp(-(pixels + weight))), 4)
    took = ", which a microscope took," if taken and shows in OF_THINGS else ""
    reason = f"looks like {'an' if shows[0] in 'aeiou' else 'a'} {shows}{took} {pixels:+.1f}{said}"
    morphology = round(score * (1.0 if BLEND.search(words) else 0.5), 4)
    if score < THRESHOLD:
        return Screening(score, "rejected", reason, morphology=morphology)
    return Screening(score, "accepted", reason, technique_of(rgb), morphology, bar)


def _too_small(rgb: Rgb) -> str | None:
    """What is said of a picture that is too small to show anything; None for others."""
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise ValueError(f"a picture is rows x columns x 3, not {rgb.shape}")
    if min(rgb.shape[:2]) < MIN_SIDE:
        return f"only {rgb.shape[1]} x {rgb.shape[0]} pixels"
    return None


RULES: dict[str, tuple[int, Rule]] = {"micrograph": (13, screen_by_model)}
"""Rules by name, each with its version. A changed rule gets a new one, which looks at all images again."""


def get_rule(name: str) -> tuple[int, Rule]:
    """The version of a rule, and the rule.

    Raises:
        UsageError: for an unknown rule.
    """
    if name not in RULES:
        raise UsageError(f"There is no screening rule {name!r}.", f"Known: {', '.join(sorted(RULES))}.")
    return RULES[name]
