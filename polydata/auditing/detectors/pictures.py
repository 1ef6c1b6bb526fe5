"""What is wrong with images one by one: their files, and what they show, beside most others."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from polydata.auditing.subject import Detection, Need, Severity, Subject, counted, detector
from polydata.images.picture import SUFFIXES

SAME = {"jpeg": "jpg", "jpe": "jpg", "tiff": "tif"}
SMALLEST = 100
"""Pixels of the shorter side."""
PLAIN = 0.01
"""Standard deviation of grey values (0 to 1) below which a picture is plain."""
FAR = 3.5
"""Robust standard deviations from the median, of a logarithm (Iglewicz and Hoaglin)."""
ENOUGH = 10
CLIPPED = 0.4
"""Share of plain black and white pixels from which much of the picture is lost."""
BLOCKS = 0.5
"""How much stronger steps are on JPEG's grid from which it is plain to see."""


@detector(
    "technique", "Leave the others out with --where, or share them out evenly with --stratify technique.", alone=True
)
def technique(subject: Subject) -> Detection:
    """Images whose caption names another technique than most captions do."""
    by_caption = {i: subject.evidence.facts[i]["by_caption"] for i in subject.images}
    said = Counter(filter(None, by_caption.values()))
    usual = min(said, key=lambda name: (-said[name], name), default="")
    items = [
        {**subject.named(i), "technique": name}
        for i, name in by_caption.items()
        if name and usual not in (name, *name.split(", "))
    ]
    others = Counter(i["technique"] for i in items)
    words = ", ".join(f"{n} {name}" for name, n in sorted(others.items()))
    return Detection(
        Severity.WARNING,
        items,
        f"{counted(len(items), 'image')} not {usual} by caption: {words}; "
        f"{len(by_caption) - said.total()} captions name no technique.",
        fix=f"Leave them out with --where \"technique = '{usual}' or technique is null\", or share them out evenly "
        "with --stratify technique.",
    )


@detector(
    "alpha-only",
    "Open them with polydata.images.picture.open_picture, or store them in grey; polymodel reads them rightly.",
    alone=True,
)
def alpha_only(subject: Subject) -> Detection:
    """Images whose picture stands in the alpha channel alone: plain black for most programs."""
    items = [subject.named(i) for i in subject.images if subject.evidence.facts[i]["alpha_only"]]
    message = f"{counted(len(items), 'image')} with the picture in the alpha channel alone."
    return Detection(Severity.WARNING, items, message)


def is_misnamed(name: str | None, true_format: str) -> bool:
    """Whether a file's name ends in the suffix of another format than its content has."""
    suffix = PurePath(name or "").suffix.lower().lstrip(".")
    return bool(name) and SAME.get(suffix, suffix) != SUFFIXES[true_format]


@detector("wrong-extension", "Tell formats by content; the image store names files rightly.", alone=True)
def wrong_extension(subject: Subject) -> Detection:
    """Imported images whose name does not say what they are."""
    items = [
        {**subject.named(i), "format": facts["format"]}
        for i, facts in sorted(subject.evidence.facts.items())
        if is_misnamed(facts["file_name"], facts["format"])
    ]
    return Detection(Severity.WARNING, items, f"{counted(len(items), 'file')} named for another format than they have.")


@detector("tiny-image", f"Leave them out with --where 'size >= {SMALLEST}'.", alone=True)
def tiny_image(subject: Subject) -> Detection:
    """Images whose shorter side is below ``SMALLEST`` pixels: too small to show a morphology."""
    items = [
        {**subject.named(i), "width": facts["width"], "height": facts["height"]}
        for i, facts in sorted(subject.evidence.facts.items())
        if min(facts["width"], facts["height"]) < SMALLEST
    ]
    return Detection(Severity.WARNING, items, f"{counted(len(items), 'image')} below {SMALLEST} pixels.")


@detector("empty-image", "Find out what the file was meant to show, or leave it out.", Need.PIXELS, alone=True)
def empty_image(subject: Subject) -> Detection:
    """Images of one grey value throughout."""
    items = [
        {**subject.named(i), "spread": round(seen.spread, 4)}
        for i, seen in subject.measures.items()
        if seen.spread < PLAIN
    ]
    return Detection(Severity.ERROR, items, f"{counted(len(items), 'image')} without a picture.")


@detector(
    "scale-outlier",
    "Check the scale bar (polydata scale-bar); if it is right, ask whether the picture shows the same structure.",
)
def scale_outlier(subject: Subject) -> Detection:
    """Images whose micrometres a pixel are far from the median, as far as scale bars tell."""
    scales = dict(sorted({image: scale for image, _, scale in subject.scales}.items()))
    logs = np.log10(list(scales.values()))
    middle, spread = _middle_and_spread(logs) if len(logs) >= ENOUGH else (0.0, 0.0)
    items = [
        {**subject.named(i), "um_per_pixel": float(f"{scales[i]:.3g}"), "deviation": round((log - middle) / spread, 2)}
        for i, log in zip(scales, logs.tolist(), strict=True)
        if spread and abs(log - middle) / spread > FAR
    ]
    median = f"the median of {10**middle:.3g} micrometres a pixel"
    message = f"{counted(len(items), 'image')} of {len(scales)} with a scale far from {median}."
    return Detection(Severity.WARNING, items, message)


@detector("image-quality", "Look at them; a better copy may stand in the paper itself.", Need.PIXELS, alone=True)
def image_quality(subject: Subject) -> Detection:
    """Images far from the others in sharpness, or with too much lost to clipping or compression."""
    sharp = np.log([max(seen.sharpness, 1e-6) for seen in subject.measures.values()])
    middle, spread = _middle_and_spread(sharp)
    items = []
    for (image, seen), value in zip(subject.measures.items(), sharp.tolist(), strict=True):
        faults = {
            "blurred": (value - middle) / (spread or 1.0) < -FAR,
            "clipped": seen.clipped > CLIPPED,
            "coarsely compressed": seen.blocks > BLOCKS,
        }
        if found := [name for name, there in faults.items() if there]:
            measures = {name: round(getattr(seen, name), 3) for name in ("sharpness", "clipped", "blocks")}
            items.append({**subject.named(image), "faults": found, **measures})
    return Detection(Severity.NOTE, items, f"{counted(len(items), 'image')} of poor quality.")


def _middle_and_spread(values: NDArray[np.float64]) -> tuple[float, float]:
    """The median, and the standard deviation that the median distance from it stands for."""
    middle = float(np.median(values))
    return middle, float(np.median(np.abs(values - middle))) * 1.4826
