"""Corrections by hand made on papers, in a worker process with the limits of extraction, and written with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from polydata.catalogue.edits import Edit, edits_of
from polydata.catalogue.papers import Corrections, save_paper
from polydata.catalogue.session import Session
from polydata.extraction.amend import Amended
from polydata.extraction.document.open import Limits
from polydata.extraction.pool import Readers
from polydata.types import Failure, Paper
from polydata.workspace import Workspace


def limits_of(workspace: Workspace) -> Limits:
    """What one file may be by the workspace's settings."""
    settings = workspace.settings.extract
    return Limits(max_bytes=settings.max_megabytes * 1_000_000, max_pages=settings.max_pages)


class Corrector:
    """Makes corrections. Use it as a context manager; its worker starts with the first paper that has any.

    Args:
        workspace: with settings and store.
        catalogue: open for writing.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._readers: Readers | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._readers is not None:
            self._readers.stop()

    def make(self, path: Path, paper: Paper, edits: Sequence[Edit]) -> Amended | Failure:
        """Make corrections on a paper.

        Args:
            path: of its PDF, which is opened only where pictures have to be cut anew.
            paper: as read, or with earlier corrections made.
            edits: in the order in which they were made.
        """
        if not edits:
            return Amended(paper, (), (), {})
        if self._readers is None:
            settings = self._session.workspace.settings.extract
            self._readers = Readers(
                self._session.images,
                workers=1,
                limits=limits_of(self._session.workspace),
                seconds_per_file=settings.seconds_per_file,
                memory_mb=settings.memory_mb,
            )
        return self._readers.amend(path, paper, edits)

    def save(self, path: Path, paper: Paper, extractor: str, undone: str | None = None) -> tuple[str, ...] | Failure:
        """Write a paper that was just read with all its corrections, in one transaction.

        Args:
            path: of its PDF.
            paper: as extraction gave it.
            extractor: version of the method.
            undone: id of a correction that is taken back.

        Returns:
            What could not be corrected, each with its reason; or what is wrong with the file where its pictures
            could not be cut, and nothing was written.
        """
        edits = [edit for edit in edits_of(self._session.catalogue, paper.sha256) if edit.edit_id != undone]
        made = self.make(path, paper, edits)
        if isinstance(made, Failure):
            return made
        save_paper(self._session.catalogue, made.paper, path, extractor, Corrections(made.edits, undone, made.moved))
        return tuple(f"{paper.file_name}: {one.edit_id}: {one.stale}" for one in made.edits if one.stale)
