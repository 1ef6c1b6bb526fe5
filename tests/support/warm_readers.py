"""Workers that read PDFs and outlive the test that started them: each is a process that imports for a second or two."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pebble import ProcessPool

from polydata.extraction import pool
from polydata.extraction.pool import Readers
from polydata.images.picture import ImageStore
from polydata.types import Failure
from polydata.workspace import ExtractSettings

T = TypeVar("T")
Kind = tuple[Any, ...]
USERS = ("polydata.extraction.workflow", "polydata.exports.gallery_pages")


class WarmReaders(Readers):
    """As ``Readers``; those that would be started alike share their workers, unless one leaves work undone."""

    pools: dict[Kind, ProcessPool] = {}  # noqa: RUF012

    def __init__(self, store: ImageStore, settings: ExtractSettings, *, workers: int) -> None:
        super().__init__(store, settings, workers=workers)
        self._given: list[Future[Any]] = []
        told = tuple(sorted(item for item in os.environ.items() if not item[0].startswith("PYTEST")))
        place = Path.cwd(), os.getpid()
        self._kind = (workers, settings.memory_mb, store.remote is None, pool.FILES_A_WORKER, place, told)
        self._pool = self.pools.setdefault(self._kind, self._pool)

    def _give(self, work: Callable[..., T], path: Path, *more: object) -> Future[T | Failure]:
        future = super()._give(work, path, *more)
        self._given.append(future)
        return future

    def stop(self) -> None:
        """End the workers only where they are still at work."""
        if not all(future.done() for future in self._given):
            self.pools.pop(self._kind, None)
            super().stop()


@contextmanager
def warm_readers() -> Iterator[None]:
    """What reads PDFs in this process shares its workers; they end with the block."""
    with pytest.MonkeyPatch.context() as patch:
        for user in USERS:
            patch.setattr(f"{user}.Readers", WarmReaders)
        yield
    for one in WarmReaders.pools.values():
        one.stop()
        one.join()
