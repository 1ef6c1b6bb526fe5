"""Names of the ways in which answers that differ are resolved."""

from __future__ import annotations

from enum import StrEnum


class MethodName(StrEnum):
    """How answers that differ are resolved; see ``labels.resolve``."""

    MAJORITY = "majority"
    DAWID_SKENE = "dawid-skene"
    ADJUDICATOR = "adjudicator"
    GOLD = "gold"
