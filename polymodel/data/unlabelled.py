"""Pictures without labels: from files, folders, workspaces and exported panels, less what a split tests.

With a split, a picture counts only where it is known that no test side depends on it: by its bytes, by its paper, and
by how it looks. The paper of a picture is known from ``panels.csv``, as ``polydata export panels`` writes it, or from
the split itself. A picture whose paper is unknown may be of a tested one, so it is left out.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from polydata.errors import InputError
from polydata.ids import sha256_bytes
from polydata.images.hashes import near_hashes
from polydata.images.picture import describe, find_images, open_picture, read_image
from polydata.splits.manifest import Split
from polydata.types import Progress, quiet, tracked
from polymodel.data.preparation import grey_resized
from polymodel.data.views import Grey

PANELS = "panels.csv"
ACCEPTED = "accepted"
NOT_ACCEPTED = "not accepted by the screening"
TESTED = "on a test side"
OF_TESTED = "of a paper on a test side"
UNKNOWN = "of an unknown paper"
ALIKE = "looking like an image of a test side"


@dataclass(frozen=True)
class Unlabelled:
    """Pictures that are learned from.

    Attributes:
        images: perceptual hashes by SHA-256, in the order of the SHA-256.
        greys: of the same, each grey uint8 (height, width), 0 to 255.
        papers: ids of the papers that they are from, as far as these are known.
        left_out: how many pictures were not taken, by reason.
        failed: files that could not be read, each with its reason.
    """

    images: Mapping[str, str]
    greys: tuple[Grey, ...]
    papers: tuple[str, ...]
    left_out: Mapping[str, int]
    failed: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Tested:
    """What must not be seen: images, papers and looks of all test sides, and the papers of the other images."""

    images: frozenset[str]
    papers: frozenset[str]
    phashes: frozenset[str]
    known: Mapping[str, str]


def read_unlabelled(
    images: Sequence[str | Path], short_side: int, size: int, split: Split | None = None, progress: Progress = quiet
) -> Unlabelled:
    """Read pictures, each once, whatever files hold it.

    Args:
        images: files, folders of them, workspaces, and folders of ``polydata export panels``, of which accepted panels
            alone are taken.
        short_side: pixels to which the short side is brought.
        size: at least this large a picture is in both directions.
        split: no image and no paper of its test sides is taken.
        progress: told how many files are read.

    Raises:
        InputError: if a path does not exist, a folder holds no image, or an image of the split cannot be read.
    """
    files, papers, left_out = _files(images)
    tested = _tested(split, progress) if split else None
    found: dict[str, tuple[str, Grey]] = {}
    of: dict[str, set[str]] = {}
    seen: set[str] = set()
    failed: list[tuple[str, str]] = []
    for path in tracked(files, "reading images", progress, len(files)):
        try:
            data = read_image(path)
            sha256 = sha256_bytes(data)
            own = papers.get(path, set()) | ({tested.known[sha256]} if tested and sha256 in tested.known else set())
            if sha256 in seen:
                of.get(sha256, set()).update(own)
                continue
            seen.add(sha256)
            if tested and (reason := _forbidden(sha256, own, tested)):
                left_out[reason] += 1
                continue
            picture = open_picture(data, str(path))
            found[sha256] = describe(data, str(path), picture).phash, grey_resized(picture, short_side, size)
            of[sha256] = own
        except InputError as error:
            failed.append((str(path), error.message))
    if tested:
        left_out += _drop_tested(found, of, tested)
    every = sorted(found)
    known = sorted(set().union(*(of[sha256] for sha256 in every)))
    greys = tuple(found[sha256][1] for sha256 in every)
    return Unlabelled({sha: found[sha][0] for sha in every}, greys, tuple(known), dict(left_out), tuple(failed))


def _files(images: Sequence[str | Path]) -> tuple[list[Path], dict[Path, set[str]], Counter[str]]:
    """Files in order, the papers of those that a table names, and how many panels the screening did not accept."""
    files: dict[Path, None] = {}
    papers: dict[Path, set[str]] = {}
    left_out: Counter[str] = Counter()
    for path in map(Path, images):
        if not (path / PANELS).is_file():
            if not path.exists():
                raise InputError(f"There is no {path}.", "Panels of a workspace: polydata export panels --accepted")
            files |= dict.fromkeys(find_images(path))
            continue
        with (path / PANELS).open(newline="", encoding="utf-8") as handle:
            rows = list(csv.DictReader(handle))
        if not rows or not {"image", "paper_id", "screening"} <= rows[0].keys():
            raise InputError(f"{path / PANELS} names no panels.", "Write it with: polydata export panels --accepted")
        taken = [row for row in rows if row["screening"] == ACCEPTED]
        left_out[NOT_ACCEPTED] += len({row["image"] for row in rows} - {row["image"] for row in taken})
        for row in taken:
            files[path / row["image"]] = None
        for row in rows:  # a picture that stands in two papers is of both
            papers.setdefault(path / row["image"], set()).add(row["paper_id"])
    return list(files), papers, +left_out


def _tested(split: Split, progress: Progress) -> _Tested:
    tests = {item.image_sha256: item for fold in split.folds for item in fold.test}
    groups = {item.group for item in tests.values()}
    every = {sha256: item.extra.get("paper_id", item.group) for sha256, item in split.items.items()}
    papers = groups | {paper for sha256, paper in every.items() if split.items[sha256].group in groups}
    for merged in split.manifest.get("notes", {}).get("merged_papers", ()):
        papers |= set(merged["papers"]) if papers & set(merged["papers"]) else set()
    phashes = set()
    for item in tracked(tests.values(), "hashing test images", progress, len(tests)):
        phashes.add(describe(read_image(split.image_path(item))).phash)
    known = {sha256: paper for sha256, paper in every.items() if sha256 not in tests}
    return _Tested(frozenset(tests), frozenset(papers), frozenset(phashes), known)


def _forbidden(sha256: str, papers: set[str], tested: _Tested) -> str:
    """Why a picture may not be seen; empty where it may, as far as bytes and papers tell."""
    if sha256 in tested.images:
        return TESTED
    if papers & tested.papers:
        return OF_TESTED
    return "" if papers else UNKNOWN


def _drop_tested(found: dict[str, tuple[str, Grey]], of: Mapping[str, set[str]], tested: _Tested) -> Counter[str]:
    """Leave out what a later file told to be of a tested paper, and what looks like an image of a test side."""
    close = set(tested.phashes)
    for a, b in near_hashes({*tested.phashes, *(phash for phash, _ in found.values())}):
        close |= {one for one, other in ((a, b), (b, a)) if other in tested.phashes}
    reasons = {sha: OF_TESTED for sha in found if of[sha] & tested.papers}
    reasons |= {sha: ALIKE for sha, (phash, _) in found.items() if sha not in reasons and phash in close}
    for sha256 in reasons:
        del found[sha256]
    return Counter(reasons.values())
