"""What people said of the panels of a workspace, kept beside it to compare with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

Spot = tuple[int, int]
"""The number of a paper, and that of a panel in it."""


@dataclass
class Said:
    """What people said, and what is there; panels are known by the number of their paper and their own."""

    answers: dict[Spot, dict[str, tuple[int, str]]] = field(default_factory=dict)
    decisions: list[tuple[Spot, str]] = field(default_factory=list)
    screened: dict[Spot, str] = field(default_factory=dict)
    distinct: set[frozenset[Spot]] = field(default_factory=set)
    links: dict[str, set[Spot]] = field(default_factory=dict)
    captions: dict[int, str] = field(default_factory=dict)
    here: set[int] = field(default_factory=set)
    merged: bool = False

    def label(self, spot: Spot) -> str | None:
        """The reviewers' answer on a panel, or what was decided by hand."""
        decided = [word for where, word in self.decisions if where == spot]
        if decided:
            return decided[-1]
        votes = Counter(word for _, word in self.answers.get(spot, {}).values()).most_common()
        return votes[0][0] if votes and (len(votes) == 1 or votes[0][1] > votes[1][1]) else None
