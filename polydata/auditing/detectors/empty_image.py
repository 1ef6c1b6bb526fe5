"""Images without a picture in them."""

from __future__ import annotations

from polydata.auditing.subject import Detector, Found, Need, Severity, Subject, counted

PLAIN = 0.01
"""Standard deviation of grey values (0 to 1) below which a picture is plain."""


def find(subject: Subject) -> Found | None:
    """Images of one grey value throughout."""
    items = tuple(
        {**subject.named(i), "spread": round(looks.spread, 4)}
        for i in subject.images
        if (looks := subject.looks[i]).spread < PLAIN
    )
    if not items:
        return None
    return Found(Severity.ERROR, items, f"{counted(len(items), 'image')} without a picture.")


DETECTOR = Detector(
    name="empty-image",
    fix="Find out what the file was meant to show, or leave it out.",
    find=find,
    needs=frozenset((Need.PIXELS,)),
    alone=True,
)
