"""Whether a run has learned from an image: from its bytes, its paper, or a picture that was made of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from polydata.errors import InputError
from polydata.files.atomic import write_text
from polydata.images.copies import find_copies
from polydata.images.decode import READING
from polydata.images.hashes import near_hashes
from polydata.images.picture import describe, read_image
from polydata.types import Progress, tracked
from polymodel.networks.pretrained import Pretrained, of_run
from polymodel.runs.run import PartKey, Run

CROPS_UP_TO = 2000
"""So many images, the run's and the others together, are looked through for crops where nothing else is asked for."""
CACHE = ".cache"


class Through(StrEnum):
    """By what a run knows an image."""

    IMAGE = "image"
    """Its very bytes were trained on."""
    PAPER = "paper"
    """It stands in the run's split, and another image of its group was trained on."""
    COPY = "copy"
    """It looks the same as an image that was trained on, or shows the same place (``polydata.images.copies``)."""
    PRETRAINING = "pretraining"
    """The network was pretrained on it, on what looks the same, or on others of its paper: on no label."""


@dataclass(frozen=True)
class Picture:
    """An image file that is asked about: where it lies, and its perceptual hash."""

    path: Path
    phash: str


@dataclass(frozen=True)
class Seen:
    """What is known of images.

    Attributes:
        through: by SHA-256, for those that a run learned from.
        papers: of the same, the groups that hold it, or what it is a copy of.
        looked_for_crops: whether crops and other copies were looked for by keypoints.
        gone: how many of the run's training images could not be read, so that no copies of them were found.
        learned: by part, the groups that it learned from.
        pretrained: of the same images, those that the network saw before any part was trained.
    """

    through: Mapping[str, Through]
    papers: Mapping[str, frozenset[str]]
    looked_for_crops: bool
    gone: int
    learned: Mapping[PartKey, frozenset[str]]
    pretrained: frozenset[str] = frozenset()

    def strangers(self, sha256: str, keys: Sequence[PartKey]) -> list[int]:
        """Places among these parts of those that saw no image of the papers of an image."""
        own = self.papers.get(sha256, frozenset())
        return [place for place, key in enumerate(keys) if not own & self.learned[key]]


def seen_images(run: Run, pictures: Mapping[str, Picture], crops: bool | None, progress: Progress) -> Seen:
    """Look by what a run knows images.

    Args:
        run: all of whose training and validation sides count, by which it was stopped, in whatever part.
        pictures: by SHA-256.
        crops: look for crops, which reads all images; None where there are few.
    """
    own: dict[str, Path] = {}
    groups: dict[str, str] = {}
    parts: dict[PartKey, frozenset[str]] = {}
    for key in run.planned:
        frame = run.predictions(key)
        groups |= dict(zip(frame["image_sha256"], frame["group"], strict=True))
        learned = frame[frame["side"] != "test"]
        own |= {sha: run.image_root / path for sha, path in zip(learned["image_sha256"], learned["path"], strict=True)}
        parts[key] = frozenset(learned["group"])
    papers = frozenset().union(*parts.values())
    found = {sha: Through.IMAGE if sha in own else Through.PAPER for sha in pictures if groups.get(sha) in papers}
    known = {sha: {groups[sha]} for sha in found}
    open_ones = {sha: picture for sha, picture in pictures.items() if sha not in found}
    hashes, look = {}, True
    if open_ones:
        hashes = _hashes(run, own, progress)
        alike = _alike(hashes, groups, open_ones.values())
        known |= {sha: alike[picture.phash] for sha, picture in open_ones.items() if picture.phash in alike}
        open_ones = {sha: picture for sha, picture in open_ones.items() if sha not in known}
        look = len(hashes) + len(open_ones) <= CROPS_UP_TO if crops is None else crops
    if look and open_ones:
        every = {sha: own[sha] for sha in hashes} | {sha: picture.path for sha, picture in open_ones.items()}
        for copy in find_copies(every, run.folder.parent / CACHE / "copies", progress):
            for a, b in ((copy.a, copy.b), (copy.b, copy.a)):
                if a in open_ones and b in hashes:
                    known.setdefault(a, set()).add(groups[b])
    gone = len(own) - len(hashes) if len(found) < len(pictures) else 0
    before = of_run(run.folder)
    shown = _shown_before(before, groups, pictures) if before else frozenset()
    through = dict.fromkeys(shown, Through.PRETRAINING) | dict.fromkeys(known, Through.COPY) | found
    frozen = {sha: frozenset(names) for sha, names in known.items()}
    return Seen(through, frozen, look or not open_ones, gone, parts, shown)


def _shown_before(before: Pretrained, groups: Mapping[str, str], pictures: Mapping[str, Picture]) -> frozenset[str]:
    """Images whose bytes or looks the network was pretrained on, or others of whose paper."""
    shown = set(before.images.values())
    close = set(shown)
    for a, b in near_hashes({*shown, *(picture.phash for picture in pictures.values())}):
        close |= {one for one, other in ((a, b), (b, a)) if other in shown}
    papers = set(before.papers)
    return frozenset(
        sha for sha, one in pictures.items() if sha in before.images or groups.get(sha) in papers or one.phash in close
    )


def _alike(hashes: Mapping[str, str], groups: Mapping[str, str], pictures: Iterable[Picture]) -> dict[str, set[str]]:
    """The groups of training images that look like a perceptual hash, by that hash."""
    own: dict[str, set[str]] = {}
    for sha, phash in hashes.items():
        own.setdefault(phash, set()).add(groups[sha])
    alike = {phash: set(names) for phash, names in own.items()}
    for a, b in near_hashes({*own, *(picture.phash for picture in pictures)}):
        for one, other in ((a, b), (b, a)):
            if other in own:
                alike.setdefault(one, set()).update(own[other])
    return alike


def _hashes(run: Run, own: Mapping[str, Path], progress: Progress) -> dict[str, str]:
    """Perceptual hashes of the training images that can be read, kept beside the run."""
    kept = run.folder.parent / CACHE / f"phash-{READING}.json"
    try:
        known: dict[str, str] = json.loads(kept.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    found = {sha: known[sha] for sha in own if sha in known and own[sha].is_file()}
    missing = sorted(set(own) - set(found))
    for sha in tracked(missing, "hashing training images", progress, len(missing)):
        try:
            found[sha] = describe(read_image(own[sha])).phash
        except InputError:
            continue
    if missing:
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_text(kept, json.dumps(known | found))
    return found
