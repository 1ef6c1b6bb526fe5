"""How a split is to be made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from polydata.choices import Protocol
from polydata.errors import UsageError
from polydata.images import copies
from polydata.images.hashes import NEAR
from polydata.splits.evidence import GROUP_BY, TIES
from polydata.splits.where import read_where
from polydata.task import Task, TaskKind

AUTO = "auto"
REVIEW = "review"
MAX_FOLDS = 100
TEST_FRACTION = 0.2
COPIES_UP_TO = 20_000
"""Up to so many images each one is read to find crops, unless it is said otherwise."""
STRATA = ("label", "technique")


@dataclass(frozen=True)
class SplitOptions:
    """How a split is to be made.

    Attributes:
        seed: decides which groups go where.
        test_fraction: share of the images on the test side, between 0 and 1; None for ``TEST_FRACTION``, or where folds
            decide it.
        val_fraction: share of all images on a validation side, taken from the training side; 0 for none.
        folds: 0 for one partition, else how many parts take turns as the test side.
        repeats: how often the images are shared out anew; with folds.
        label_source: ``auto`` (resolved over all sources) or one source of the task, which is then heard alone.
        partial: one of ``task.partial_policies()``; None takes the task's usual one.
        protocol: how images come to their side.
        where: a filter, see ``splits.where``; empty for none.
        stratify: ``label`` or ``technique`` (of every label), what the sides shall hold alike.
        group_by: ``paper``, or what else keeps papers on one side: ``blend`` (their pair of polymers), ``journal`` or
            ``year``.
        crops: whether crops and other copies are looked for by keypoints, which reads every image; None does it for up
            to ``COPIES_UP_TO`` images.
    """

    seed: int = 0
    test_fraction: float | None = None
    val_fraction: float = 0.0
    folds: int = 0
    repeats: int = 1
    label_source: str = AUTO
    partial: str | None = None
    protocol: Protocol = Protocol.GROUPED
    where: str = ""
    stratify: str = "label"
    group_by: str = "paper"
    crops: bool | None = None

    def check(self, task: Task) -> None:
        """Make sure that this can be done for the task.

        Raises:
            UsageError: naming what cannot be and what could.
        """
        if task.kind is TaskKind.REGRESSION and (self.partial is not None or self.label_source != AUTO):
            raise UsageError(
                f"The task {task.name} asks for a number, which records alone give.",
                "Leave --label-source and --partial out.",
            )
        for value, choices, fault in (
            (self.label_source, (AUTO, *(s.name for s in task.sources)), "There is no label source {!r}."),
            (self.partial_for(task), task.partial_policies(), "There is no policy {!r} for partial labels."),
            (self.stratify, STRATA, "Sides cannot be made alike in {!r}."),
            (self.group_by, tuple(TIES), "Papers cannot be kept together by {!r}."),
        ):
            if value not in choices:
                raise UsageError(fault.format(value), f"Choose one of: {', '.join(choices)}.")
        if self.where:
            read_where(self.where)
        self._check_numbers()
        self._check_protocol()

    def partial_for(self, task: Task) -> str:
        """What is done with partial images of the task."""
        return task.usual_partial if self.partial is None else self.partial

    def _check_numbers(self) -> None:
        if self.test_fraction is not None and not 0 < self.test_fraction < 1:
            raise UsageError(f"The test fraction must lie between 0 and 1, not {self.test_fraction}.")
        if self.test_fraction is not None and (self.folds or self.protocol is Protocol.LEAVE_ONE_PAPER_OUT):
            raise UsageError("The folds decide how much is tested.", "Leave --test-fraction out, or the folds.")
        if not (self.folds == 0 or 2 <= self.folds <= MAX_FOLDS):
            raise UsageError(f"There can be 2 to {MAX_FOLDS} folds (0 for one partition), not {self.folds}.")
        if not 1 <= self.repeats <= MAX_FOLDS:
            raise UsageError(f"There can be 1 to {MAX_FOLDS} repeats, not {self.repeats}.")
        if self.repeats > 1 and not self.folds:
            raise UsageError("Only folds can be repeated.", "Add --folds K, or build splits with several seeds.")
        if not 0 <= self.val_fraction < 1 - self.test_share:
            raise UsageError(
                f"The validation fraction must leave something to train on, not be {self.val_fraction}.",
                "It counts from all images, as the test fraction does.",
            )

    def _check_protocol(self) -> None:
        if self.protocol is Protocol.PUBLISHED and self != SplitOptions(protocol=self.protocol):
            raise UsageError(
                "The published split stands as its authors made it: no other option changes it.",
                "Leave the other options out, or choose another --protocol.",
            )
        if self.protocol is Protocol.RANDOM and self.group_by != "paper":
            raise UsageError("A random split keeps nothing together.", "Leave --group-by out, or --protocol.")
        if self.protocol is Protocol.TEMPORAL and self.folds:
            raise UsageError("The newest papers are one test side.", "Leave --folds out, or choose another --protocol.")
        if self.protocol is Protocol.LEAVE_ONE_PAPER_OUT and self.folds:
            raise UsageError("Leaving out one paper makes a fold of each paper.", "Leave --folds out.")

    @property
    def test_share(self) -> float:
        """Share of the images on each test side."""
        if self.protocol is Protocol.LEAVE_ONE_PAPER_OUT:
            return 0.0
        if self.folds:
            return 1 / self.folds
        return TEST_FRACTION if self.test_fraction is None else self.test_fraction

    def looks_for_crops(self, images: int) -> bool:
        """Whether crops are looked for among so many images."""
        return images <= COPIES_UP_TO if self.crops is None else self.crops

    def recipe(self, task: Task, folds: int, crops: bool) -> dict[str, Any]:
        """What the manifest says of how the split was made.

        Args:
            task: what is asked of its images.
            folds: 0 for one partition.
            crops: whether they were looked for.
        """
        return task.asked | {
            "protocol": str(self.protocol),
            "seed": self.seed,
            "test_fraction": None if folds else self.test_share,
            "val_fraction": self.val_fraction or None,
            "folds": folds,
            "repeats": self.repeats,
            "label_source": self.label_source,
            "partial": self.partial_for(task),
            "where": str(read_where(self.where)) if self.where else None,
            "group_by": [*GROUP_BY, *([] if self.group_by == "paper" else [self.group_by])],
            "picture_distance": NEAR,
            "crops": copies.VERSION if crops else None,
            "stratify_by": ["label"] if self.stratify == "label" else ["label", self.stratify],
        }
