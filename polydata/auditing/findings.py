"""What detectors are, and what they answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polydata.auditing.subject import Subject


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    """What is measured with these data is wrong."""
    WARNING = "warning"
    """Images or labels that somebody should look at."""
    NOTE = "note"
    """Worth knowing; nothing needs to be done."""


class Need(StrEnum):
    """What a detector cannot do without."""

    SPLIT = "a split: --split NAME"
    LABELS = "labels of two kinds in at least two papers"
    OPINION = "predictions or embeddings: --predictions FILE or --embeddings FILE"
    PIXELS = "a look at the pixels: --pixels"
    COPIES = "a look for copies by keypoints: --crops"


Item = Mapping[str, Any]
"""One piece of evidence, of plain JSON values."""


@dataclass(frozen=True)
class Found:
    """What a detector saw.

    Attributes:
        severity: of all of it.
        items: the evidence, complete.
        message: one sentence with the numbers.
        count: how many things are wrong; by default as many as there are items.
        fix: what to do about this very finding; None for the detector's own.
    """

    severity: Severity
    items: tuple[Item, ...]
    message: str
    count: int | None = None
    fix: str | None = None


@dataclass(frozen=True)
class Detector:
    """One way to look for what is wrong.

    Attributes:
        name: as it is printed.
        fix: what to do about its findings, one sentence, unless a finding has its own.
        find: looks; None where all is well.
        needs: without any of these it is left out.
        alone: it looks at each image by itself, so that nobody has to know which belong together.
    """

    name: str
    fix: str
    find: Callable[[Subject], Found | None]
    needs: frozenset[Need] = frozenset()
    alone: bool = False


@dataclass(frozen=True)
class Finding:
    """What a detector found, complete in itself."""

    detector: str
    severity: Severity
    count: int
    items: tuple[Item, ...]
    message: str
    fix: str

    @classmethod
    def of(cls, detector: Detector, found: Found) -> Finding:
        """What ``detector`` found."""
        count = len(found.items) if found.count is None else found.count
        return cls(detector.name, found.severity, count, found.items, found.message, found.fix or detector.fix)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def counted(number: int, thing: str, several: str | None = None) -> str:
    """``1 image``, ``2 images``."""
    return f"{number} {thing if number == 1 else several or thing + 's'}"
