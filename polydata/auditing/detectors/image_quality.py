"""Images that are blurred, over- or underexposed, or coarsely compressed."""

from __future__ import annotations

import numpy as np

from polydata.auditing.subject import Detector, Found, Need, Severity, Subject, counted

FAR = 3.5
CLIPPED = 0.4
"""Share of plain black and white pixels from which much of the picture is lost."""
BLOCKS = 0.5
"""How much stronger steps are on JPEG's grid from which it is plain to see."""


def find(subject: Subject) -> Found | None:
    """Images far from the others in sharpness, or with too much lost to clipping or compression."""
    sharp = np.log([max(subject.looks[i].sharpness, 1e-6) for i in subject.images])
    middle = float(np.median(sharp))
    spread = float(np.median(np.abs(sharp - middle))) * 1.4826 or 1.0
    items = []
    for image, value in zip(subject.images, sharp.tolist(), strict=True):
        looks = subject.looks[image]
        faults = {
            "blurred": (value - middle) / spread < -FAR,
            "clipped": looks.clipped > CLIPPED,
            "coarsely compressed": looks.blocks > BLOCKS,
        }
        if any(faults.values()):
            measures = {"sharpness": looks.sharpness, "clipped": looks.clipped, "blocks": looks.blocks}
            items.append(
                {
                    **subject.named(image),
                    "faults": [name for name, there in faults.items() if there],
                    **{name: round(v, 3) for name, v in measures.items()},
                }
            )
    if not items:
        return None
    return Found(Severity.NOTE, tuple(items), f"{counted(len(items), 'image')} of poor quality.")


DETECTOR = Detector(
    name="image-quality",
    fix="Look at them; a better copy may stand in the paper itself.",
    find=find,
    needs=frozenset((Need.PIXELS,)),
    alone=True,
)
