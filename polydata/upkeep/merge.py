"""Bringing another workspace into this one: its images first, then all rows of its catalogue at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from polydata.catalogue import merging
from polydata.catalogue.metadata import tie_supplements
from polydata.catalogue.session import Session
from polydata.catalogue.successors import adopt
from polydata.errors import InputError, PolydataError, UsageError
from polydata.images.picture import image_store
from polydata.labels.resolve import settle
from polydata.types import Progress, quiet, tracked
from polydata.workspace import Workspace


@dataclass(frozen=True)
class Merge:
    """What a merge did.

    Attributes:
        images: that were copied.
        came: rows that came, by table.
        kept: keys of rows that both have with other content, by table; this workspace's were kept.
        papers: that both have, read differently; this workspace's reading was kept.
        behind: papers that did not come, each with the reason: an image of theirs is missing or damaged.
    """

    images: int
    came: dict[str, int]
    kept: dict[str, list[str]]
    papers: tuple[str, ...]
    behind: tuple[str, ...]


def merge(session: Session, other: Workspace, progress: Progress = quiet) -> Merge:
    """Bring papers, records, links, labels, screenings, annotations and corrections of another workspace into this one.

    The other workspace is only read. Where both have something, this one's stays, but of one annotation the later
    state. Splits and runs are folders of their own and are not copied; neither are failures, which name files of
    another machine. A merge that was killed has copied images at most; run it again.

    Args:
        other: the workspace that things come from.

    Raises:
        UsageError: if both are one.
        CatalogueError: if the other catalogue cannot be read or has another schema.
        PolydataError: if images can be neither read nor written.
    """
    if other.catalogue.resolve() == session.workspace.catalogue.resolve():
        raise UsageError("A workspace cannot be merged with itself.", "Name another one.")
    with session.catalogue.beside(other.catalogue, merging.OTHER), merging.coming_papers(session.catalogue):
        copied, lost = _copy(session, other, merging.images_to_copy(session.catalogue), progress)
        behind = merging.leave_behind(session.catalogue, lost)
        papers = merging.differing_papers(session.catalogue)
        with session.catalogue.transaction():
            came, kept = merging.merge_rows(session.catalogue, str(other.root))
            annotations = merging.merge_annotations(session.catalogue, str(session.workspace.root), str(other.root))
            adopt(session.catalogue)
    settle(session.catalogue)
    tie_supplements(session.catalogue)
    if annotations:
        came["annotations"] = annotations
    return Merge(copied, came, kept, tuple(papers), tuple(behind))


def _copy(
    session: Session, other: Workspace, images: Sequence[tuple[str, str]], progress: Progress
) -> tuple[int, dict[str, str]]:
    """Copy images that are not in the store yet. Returns how many, and those that cannot be had with the reason."""
    store, theirs = session.images, image_store(other)
    copied, lost = 0, dict[str, str]()
    if store.remote is not None and theirs.remote is not None and store.remote.url == theirs.remote.url:
        return copied, lost  # one store for both
    for sha256, true_format in tracked(images, "Copying images", progress, len(images)):
        try:
            if not store.has(sha256, true_format):
                store.keep(theirs.read(sha256, true_format), sha256, true_format)
                copied += 1
        except InputError as error:
            lost[sha256] = error.message
        except OSError as error:
            raise PolydataError(
                f"The image {sha256} of {other.root} cannot be copied to {session.workspace.root}: {error}.",
                "Run the merge again when that is mended: it goes on. The catalogue was not changed.",
            ) from error
    return copied, lost
