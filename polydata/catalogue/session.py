"""An open workspace: its settings, catalogue, task and images, in one object that every stage takes."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from polydata.catalogue.connect import Catalogue
from polydata.catalogue.resolution import note_changes
from polydata.images.picture import ImageStore, image_store
from polydata.task import Task
from polydata.workspace import Workspace


class Session:
    """An open workspace. Use it as a context manager: its catalogue is let go when the block ends.

    Args:
        workspace: the folder and its settings.
        catalogue: of that workspace, open.
        task: another than the workspace's own.
    """

    def __init__(self, workspace: Workspace, catalogue: Catalogue, task: Task | None = None) -> None:
        self.workspace = workspace
        self.catalogue = catalogue
        self.task = task or workspace.task()

    @cached_property
    def images(self) -> ImageStore:
        """The store of the images.

        Raises:
            WorkspaceError: if the address under [store] cannot be used.
        """
        return image_store(self.workspace)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.catalogue.__exit__(kind, error, trace)

    def close(self) -> None:
        """Write everything out and let go of the catalogue."""
        self.catalogue.close()


def open_session(workspace: Workspace | Path | None = None, *, read_only: bool = False) -> Session:
    """Open a workspace; its catalogue is made and brought up to date where needed.

    When a session that may write ends, labels that became others meanwhile are noted in their history.

    Args:
        workspace: a workspace or its folder; None takes POLYDATA_WORKSPACE, or the first found from here upwards.
        read_only: for those that only look: several of them may run at once.

    Raises:
        WorkspaceError: if there is no workspace, or its settings cannot be read.
        CatalogueError: if another process holds the catalogue, or it is newer than this program.
    """
    place = workspace if isinstance(workspace, Workspace) else Workspace.find(workspace)
    task = place.task()
    catalogue = Catalogue.open(place.catalogue, read_only=read_only)
    if not _knows(catalogue, task):
        if read_only:
            catalogue.close()
            catalogue = Catalogue.open(place.catalogue)
        _write(catalogue, task)
    if not read_only:
        catalogue.at_end = note_changes
    return Session(place, catalogue, task)


def _source_rows(task: Task) -> list[tuple[str, int, list[str] | None, bool]]:
    return [
        (s.name, rank, list(s.vocabulary) if s.vocabulary else None, s.refines)
        for rank, s in enumerate(task.sources, start=1)
    ]


def _knows(catalogue: Catalogue, task: Task) -> bool:
    words = catalogue.tuples("SELECT label, position FROM label_words ORDER BY position")
    sources = catalogue.tuples("SELECT source, rank, vocabulary, refines FROM label_sources ORDER BY rank")
    return words == [(w, i) for i, w in enumerate(task.labels)] and sources == _source_rows(task)


def _write(catalogue: Catalogue, task: Task) -> None:
    with catalogue.transaction():
        catalogue.run("DELETE FROM label_words")
        catalogue.run("DELETE FROM label_sources")
        catalogue.upsert("label_words", [{"label": w, "position": i} for i, w in enumerate(task.labels)])
        names = ("source", "rank", "vocabulary", "refines")
        catalogue.upsert("label_sources", [dict(zip(names, row, strict=True)) for row in _source_rows(task)])


def init(folder: Path | str) -> Workspace:
    """Make a workspace: settings, catalogue, image store, and folders for splits, runs and exports.

    Args:
        folder: made if need be; it may hold other files.

    Raises:
        WorkspaceError: if it is a workspace already, or cannot be written.
    """
    workspace = Workspace.init(Path(folder))
    open_session(workspace).close()
    return workspace


def open(folder: Path | str | None = None, read_only: bool = False) -> Session:
    """Open a workspace; leave it with ``close``, or use it as a context manager.

    Args:
        folder: of the workspace; None takes POLYDATA_WORKSPACE, or the first found from here upwards.
        read_only: for those that only look: several of them may be open at once.

    Raises:
        WorkspaceError: if there is no workspace, or its settings cannot be read.
        CatalogueError: if another process holds the catalogue, or it is newer than this program.
    """
    return open_session(None if folder is None else Path(folder), read_only=read_only)
