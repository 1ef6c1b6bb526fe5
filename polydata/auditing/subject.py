"""What is audited: images, what is known and said of them, and how a split places them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polydata.auditing.controls import ControlTable, read_table
from polydata.images.picture import open_picture
from polydata.splits.evidence import Evidence
from polydata.splits.manifest import Sides
from polydata.task import Task
from polydata.types import Progress, quiet, tracked
from polydata.vision.measures import Quality, quality_of


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

    SPLIT = "a split: polydata audit SPLIT"
    LABELS = "labels of two kinds in at least two papers"
    OPINION = "predictions or embeddings: --predictions FILE or --embeddings FILE"
    PIXELS = "a look at the pixels: --pixels"
    COPIES = "a look for copies by keypoints: --crops"


Item = Mapping[str, Any]
"""One piece of evidence, of plain JSON values."""


@dataclass(frozen=True)
class Opinions:
    """What a model knows of images beside their labels: one of both.

    Attributes:
        chances: probability of the positive label, by image; of models that did not learn from the image.
        learned: images that the models did learn from.
        features: (features,) of each image, by image.
        origin: where it was read.
    """

    chances: Mapping[str, float]
    features: Mapping[str, NDArray[np.float64]]
    origin: str
    learned: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Detection:
    """What a detector saw.

    Attributes:
        severity: of all of it.
        items: the evidence, complete; none where all is well.
        message: one sentence with the numbers.
        count: how many things are wrong; by default as many as there are items.
        fix: what to do about this very finding; None for the detector's own.
    """

    severity: Severity
    items: Sequence[Item]
    message: str
    count: int | None = None
    fix: str | None = None


@dataclass(frozen=True)
class Detector:
    """One way to look for what is wrong.

    Attributes:
        name: as it is printed.
        fix: what to do about its findings, one sentence, unless a finding has its own.
        find: looks.
        needs: without any of these it is left out.
        alone: it looks at each image by itself, so that nobody has to know which belong together.
    """

    name: str
    fix: str
    find: Callable[[Subject], Detection]
    needs: frozenset[Need]
    alone: bool


def detector(
    name: str, fix: str, *needs: Need, alone: bool = False
) -> Callable[[Callable[[Subject], Detection]], Detector]:
    """Make a detector of a function that looks; the arguments are those of ``Detector``."""
    return lambda find: Detector(name, fix, find, frozenset(needs), alone)


def counted(number: int, thing: str) -> str:
    """``1 image``, ``2 images``."""
    return f"{number} {thing if number == 1 else thing + 's'}"


@dataclass(frozen=True, repr=False)
class Subject:
    """What is audited.

    Attributes:
        task: whose labels they are.
        evidence: what is known of every image.
        groups: what may not be torn apart, by image.
        labels: the label of every image that has one.
        said: (source, label) of everything said of an image, by image.
        scales: (image, paper, micrometres a pixel).
        repeated: images that several panels show byte for byte, with the names of their papers.
        folds: partitions of a split; empty where no split is audited.
        path: where an image lies.
        opinions: what a model thinks of the labels.
        relabelled: images of the split with another label now, or none: the label there and now.
        distinct: pairs of images, in both directions, that somebody looked at and calls two pictures.
        spoken: a label as people are shown it, as of ``Split.spoken``; items keep the label.
        pixels: whether images may be read.
        progress: told of long work.
    """

    task: Task
    evidence: Evidence
    groups: Mapping[str, str]
    labels: Mapping[str, str]
    said: Mapping[str, Sequence[tuple[str, str]]]
    scales: Sequence[tuple[str, str, float]]
    repeated: Sequence[tuple[str, Sequence[str]]]
    folds: Sequence[Sides]
    path: Callable[[str], Path]
    opinions: Opinions | None = None
    relabelled: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    distinct: frozenset[tuple[str, str]] = frozenset()
    spoken: Callable[[str], str] = str
    pixels: bool = True
    progress: Progress = field(default=quiet, compare=False)

    @cached_property
    def images(self) -> tuple[str, ...]:
        """All images, by hash."""
        return tuple(sorted(self.evidence.facts))

    @cached_property
    def labelled(self) -> tuple[str, ...]:
        """Images with a label, by hash."""
        return tuple(sorted(self.labels))

    @cached_property
    def is_positive(self) -> NDArray[np.int64]:
        """1 for each labelled image of the task's positive label, else 0, (n,)."""
        return np.array([self.labels[i] == self.task.positive for i in self.labelled], dtype=np.int64)

    @cached_property
    def lacking(self) -> frozenset[Need]:
        """What detectors cannot have."""
        papers = {self.groups[i] for i in self.labelled}
        have = {
            Need.SPLIT: bool(self.folds),
            Need.LABELS: 0 < self.is_positive.sum() < len(self.labelled) and len(papers) > 1,
            Need.OPINION: self.opinions is not None,
            Need.PIXELS: self.pixels,
            Need.COPIES: self.evidence.looked_for_copies,
        }
        return frozenset(need for need, there in have.items() if not there)

    @cached_property
    def measures(self) -> Mapping[str, Quality]:
        """Measures of every image's pixels."""
        images = tracked(self.images, "Looking at pixels", self.progress, len(self.images))
        return {image: quality_of(open_picture(self.path(image))) for image in images}

    @cached_property
    def table(self) -> ControlTable:
        """Labelled images as the control models see them; positive against the rest."""
        return read_table(
            [self.path(i) for i in self.labelled],
            self.is_positive.tolist(),
            [self.groups[i] for i in self.labelled],
            2,
            self.progress,
            letters=[self.evidence.facts[i]["panel"] or "" for i in self.labelled],
        )

    def named(self, image: str, prefix: str = "") -> dict[str, Any]:
        """An image as an item names it: hash, file, paper and label; keys begin with the prefix."""
        facts = self.evidence.facts[image]
        return {
            f"{prefix}image": image,
            f"{prefix}file": facts["file_name"],
            f"{prefix}paper": facts["paper"],
            f"{prefix}label": self.labels.get(image),
        }

    def crossed(self, a: str, b: str) -> list[int]:
        """Partitions in which two images stand on different sides."""
        return [n for n, place in enumerate(self._places, start=1) if place.get(a) != place.get(b)]

    @cached_property
    def _places(self) -> Sequence[Mapping[str, str]]:
        return [
            {item.image_sha256: side for side, items in sides.named().items() for item in items} for sides in self.folds
        ]
