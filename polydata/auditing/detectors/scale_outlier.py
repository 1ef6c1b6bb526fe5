"""Images whose scale lies far from that of the others."""

from __future__ import annotations

import numpy as np

from polydata.auditing.subject import Detector, Found, Severity, Subject, counted

FAR = 3.5
"""Robust standard deviations of the logarithm (Iglewicz and Hoaglin)."""
ENOUGH = 10


def find(subject: Subject) -> Found | None:
    """Images whose micrometres a pixel are far from the median, as far as scale bars tell."""
    scales = {image: scale for image, _, scale in subject.scales}
    if len(scales) < ENOUGH:
        return None
    logs = np.log10(np.array([scales[i] for i in sorted(scales)]))
    middle = float(np.median(logs))
    spread = float(np.median(np.abs(logs - middle))) * 1.4826
    if spread == 0:
        return None
    items = tuple(
        {**subject.named(i), "um_per_pixel": float(f"{scales[i]:.3g}"), "deviation": round(score, 2)}
        for i, score in zip(sorted(scales), ((logs - middle) / spread).tolist(), strict=True)
        if abs(score) > FAR
    )
    if not items:
        return None
    return Found(
        Severity.WARNING,
        items,
        f"{counted(len(items), 'image')} of {len(scales)} with a scale far from the median of "
        f"{10**middle:.3g} micrometres a pixel.",
    )


DETECTOR = Detector(
    name="scale-outlier",
    fix="Check the scale bar (polydata scale-bar); if it is right, ask whether the picture shows the same structure.",
    find=find,
)
