"""Words that options and results share. The command line needs them at its start, so nothing is imported here."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

Reviewed = Literal["accepted", "unlabelled", "uncertain", "conflicts", "all"]
"""Which images a reviewer should see; see ``labels.push.select_images``."""
Asked = Literal["labels", "screening", "boxes", "quality-pages", "quality-figures", "quality-images"]
"""What people are asked in Label Studio: the task's labels, what is a micrograph, where the panels of figures are; and
how much of a random sample was read well."""
QualityKind = Literal["page", "figure", "image"]
"""What a sample of the corpus consists of."""
Uncertainty = Literal["entropy", "margin"]
"""How the uncertainty of a prediction is measured."""


BEST = 3
"""Panels that are shown for each record that waits."""


class Kind(StrEnum):
    """What a figure or panel shows."""

    MICROGRAPH = "micrograph"
    PLOT = "plot"
    SPECTRUM = "spectrum"
    SCHEME = "scheme"
    PHOTO = "photo"
    MIXED = "mixed"


class Protocol(StrEnum):
    """How images come to their side."""

    GROUPED = "grouped"
    """Papers and all that hangs together stay whole."""
    LEAVE_ONE_PAPER_OUT = "leave-one-paper-out"
    """Each group is the test side once."""
    TEMPORAL = "temporal"
    """The newest papers are the test side; trained is on older ones alone."""
    RANDOM = "random"
    """Image by image: what most published work does, and it leaks."""
    PUBLISHED = "published"
    """As the authors of an imported data set did."""


class MethodName(StrEnum):
    """How answers that differ are resolved; see ``labels.resolve``."""

    MAJORITY = "majority"
    DAWID_SKENE = "dawid-skene"
    ADJUDICATOR = "adjudicator"
    GOLD = "gold"


WAIT = "POLYDATA_WAIT"
"""Environment variable, which the option --wait sets: seconds to wait for a catalogue that another process holds."""
