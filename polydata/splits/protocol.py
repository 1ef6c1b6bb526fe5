"""How images come to their side. It imports nothing, so that the command line can name it."""

from __future__ import annotations

from enum import StrEnum


class Protocol(StrEnum):
    """How images come to their side."""

    GROUPED = "grouped"
    """Papers and all that hangs together stay whole."""
    LEAVE_ONE_PAPER_OUT = "leave-one-paper-out"
    """Each group is the test side once."""
    RANDOM = "random"
    """Image by image: what most published work does, and it leaks."""
    PUBLISHED = "published"
    """As the authors of an imported data set did."""
