"""What an export of a split holds, whatever its format: images, their labels and sides, and where they come from."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from polydata.catalogue.described import described_panels
from polydata.catalogue.metadata import paper_licences
from polydata.catalogue.session import Session
from polydata.errors import InputError, UsageError
from polydata.files.tables import csv_text
from polydata.ids import sha256_bytes
from polydata.images.picture import ImageStore, portable
from polydata.resources import VERSION
from polydata.splits.manifest import TARGET, Item, Split
from polydata.task import Task
from polydata.text.licences import may_be_passed_on
from polydata.types import Progress, tracked

Side = Literal["train", "val", "test"]
SIDES: tuple[Side, ...] = ("train", "val", "test")
UNKNOWN = "unknown"
NO_NAME = re.compile("[^A-Za-z0-9]+")
LONGEST = 40
"""Signs of a paper's, figure's or panel's name in the name of a file."""


@dataclass(frozen=True)
class Entry:
    """One image of the exported partition.

    Attributes:
        item: its line in the split.
        file: name of its file: paper, figure and panel as far as they are known, the SHA-256 of the image, and a suffix
            true of its content; None where the image is withheld.
        facts: what is said of it, as text or number, None where it is not known; the same keys for all. Its
            ``file_sha256`` differs from ``image_sha256`` where the file had to be written anew.
        stored_as: true format of the image in the store.
    """

    item: Item
    side: Side
    file: str | None
    facts: Mapping[str, Any]
    stored_as: str

    @property
    def stem(self) -> str:
        """The name of its file without the suffix, which holds no dot."""
        return (self.file or "").rpartition(".")[0]

    def row(self, file: str) -> dict[str, Any]:
        """What is said of it as a flat row, with the place of its file."""
        return {"file": file, **self.facts}


@dataclass(frozen=True)
class Content:
    """What is written in one format.

    Attributes:
        name: of the folder that the export will lie in.
        task: of the workspace.
        split: read and checked.
        fold: number of the exported partition.
        release: images without a licence that allows it are left out.
        card: the data card, in Markdown.
        entries: by side and hash.
        store: where the images lie.
    """

    name: str
    task: Task
    split: Split
    fold: int
    release: bool
    card: str
    entries: tuple[Entry, ...]
    store: ImageStore

    @property
    def sides(self) -> tuple[Side, ...]:
        """The sides that the partition has."""
        return tuple(side for side in SIDES if self.of(side))

    def of(self, side: Side, *, pictures: bool = False) -> list[Entry]:
        """The entries of a side; with ``pictures`` those that have a file."""
        return [one for one in self.entries if one.side == side and not (pictures and one.file is None)]

    def data(self, entry: Entry) -> bytes:
        """The bytes of an entry's file.

        Raises:
            InputError: if the image is missing or damaged.
        """
        return portable(self.store.read(entry.item.image_sha256, entry.stored_as))[0]

    @property
    def marks(self) -> dict[str, Any]:
        """What every export says of itself."""
        licences = Counter(one.facts["licence"] for one in self.entries)
        leakage = self.split.leakage
        found = {one["detector"]: one["count"] for one in leakage["findings"]} if leakage else {}
        return {
            "split": self.split.name,
            "digest": self.split.digest,
            "fold": self.fold,
            "folds": len(self.split.folds),
            "classes": list(self.split.classes),
            "positive": self.split.positive,
            "leakage": leakage and {"reason": leakage["reason"], "findings": found},
            "licences": dict(sorted(licences.items())),
            "release": self.release,
            "withheld": sum(one.file is None for one in self.entries),
            "made_by": f"polydata {VERSION}",
        }

    @property
    def summary(self) -> str:
        """The marks in one sentence, for formats with a place for a description."""
        marks = self.marks
        leak = f"LEAKY: {marks['leakage']['reason']}. " if marks["leakage"] else ""
        sides = ", ".join(f"{len(self.of(side))} {side}" for side in self.sides)
        licences = ", ".join(f"{name} {count}" for name, count in marks["licences"].items())
        return (
            f"{leak}Split {self.split.name}, partition {self.fold} of {marks['folds']}: {sides} images. "
            f"Digest {self.split.digest}. Licences of the images: {licences}."
        )

    def by_side(self, progress: Progress) -> Iterator[tuple[Side, Iterator[Entry]]]:
        """The sides with their entries one by one; ``progress`` is told of each entry."""
        return groupby(tracked(self.entries, "Writing", progress, len(self.entries)), key=lambda one: one.side)

    def table(self, place: Callable[[Entry], str]) -> str:
        """One row an image, with the same columns for all, as CSV.

        Args:
            place: where an entry's file lies within the export; not asked for images that are withheld.
        """
        rows = [one.row("" if one.file is None else place(one)) for one in self.entries]
        return csv_text(list(rows[0]), rows)

    def write_pictures(self, folder: Path, place: Callable[[Entry], str], progress: Progress) -> None:
        """Write the files of all images that are not withheld."""
        for one in tracked(self.entries, "Writing", progress, len(self.entries)):
            if one.file is not None:
                path = folder / place(one)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(self.data(one))


def gather(session: Session, split: Split, *, name: str, card: str, fold: int = 1, release: bool = False) -> Content:
    """Read what is to be exported; images are looked at, and read again when they are written.

    Args:
        split: read and checked.
        name: of the folder that the export will lie in.
        card: the data card.
        fold: number of the partition, from 1.
        release: leave out images without a licence that allows to pass them on, their captions too.

    Raises:
        UsageError: if the split has no such partition.
        InputError: if an image is missing or damaged, or the catalogue does not know it.
    """
    if not 1 <= fold <= len(split.folds):
        raise UsageError(f"The split {split.name} has {len(split.folds)} partitions; there is no {fold}.")
    part = split.folds[fold - 1]
    items: list[tuple[Side, Item]] = [(side, item) for side in SIDES for item in getattr(part, side)]
    panels: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in described_panels(session.catalogue, [item.image_sha256 for _, item in items]):
        panels[row["image_sha256"]].append(row)
    licences = {paper: licence for paper, (licence, _) in paper_licences(session.catalogue).items()}
    entries = []
    for side, item in items:
        rows = panels[item.image_sha256]
        if not rows:
            raise InputError(
                f"The catalogue shows no panel with the image {item.image_sha256}.",
                "Extract or import its paper again.",
            )
        licence = _licence([licences.get(row["paper_id"]) for row in rows])
        withheld = release and not may_be_passed_on(licence)
        entries.append(_entry(session.images, side, item, rows, licence=licence, withheld=withheld))
    return Content(name, session.task, split, fold, release, card, tuple(entries), session.images)


def _entry(
    store: ImageStore, side: Side, item: Item, panels: Sequence[Mapping[str, Any]], *, licence: str, withheld: bool
) -> Entry:
    own = next((row for row in panels if row["panel_id"] == item.extra.get("panel_id")), panels[0])
    file, file_sha256 = None, ""
    if not withheld:
        data, suffix = portable(store.read(item.image_sha256, own["format"]))
        file, file_sha256 = f"{readable(own)}{item.image_sha256}.{suffix}", sha256_bytes(data)
    caption = None if withheld else own["caption"] or own["caption_stem"] or own["figure_caption"]
    facts = {
        "file_sha256": file_sha256,
        "image_sha256": item.image_sha256,
        "label": item.label,
        **({TARGET: float(item.extra[TARGET])} if TARGET in item.extra else {}),
        "side": side,
        "group": item.group,
        "label_source": item.extra.get("label_source", ""),
        "width": own["width"],
        "height": own["height"],
        "licence": licence,
        **{key: own[key] for key in ("phash", "paper_id", "pdf_sha256", "doi")},
        "reference": own["reference"] or (own["record"] or {}).get("reference"),
        **{key: own[key] for key in ("year", "page", "figure", "panel", "technique", "scale_um")},
        "caption": " ".join((caption or "").split()) or None,
    }
    return Entry(item, side, file, facts, own["format"])


def readable(panel: Mapping[str, Any]) -> str:
    """Paper, figure and panel for the name of a file, in signs that every system and archive takes."""
    paper = str(panel["paper"] or "").rpartition(".")[0] or str(panel["paper"] or "")
    words = (
        NO_NAME.sub("_", str(part or ""))[:LONGEST].strip("_") for part in (paper, panel["figure"], panel["panel"])
    )
    return "".join(f"{word}-" for word in words if word)


def _licence(of_papers: Sequence[str | None]) -> str:
    """The licence of an image from those of all papers that show it: unknown where one of them is."""
    found = {licence for licence in of_papers if licence}
    if None in of_papers or not found:
        return UNKNOWN
    closed = sorted(licence for licence in found if not may_be_passed_on(licence))
    return closed[0] if closed else " AND ".join(sorted(found))
