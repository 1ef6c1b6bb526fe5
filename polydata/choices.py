"""What a figure or panel can show. A module of its own, for the command line needs it at its start."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a figure or panel shows."""

    MICROGRAPH = "micrograph"
    PLOT = "plot"
    SPECTRUM = "spectrum"
    SCHEME = "scheme"
    PHOTO = "photo"
    MIXED = "mixed"
