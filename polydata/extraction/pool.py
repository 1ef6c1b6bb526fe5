"""Many PDFs at once: worker processes with a time and a memory limit that really end a file's work."""

from __future__ import annotations

import errno
import multiprocessing
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures import TimeoutError as FutureTimeout
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from pebble import ProcessExpired, ProcessPool

from polydata.errors import PolydataError
from polydata.extraction.document.open import ExtractionFailure, file_digest
from polydata.extraction.limits import set_up
from polydata.images.picture import ImageStore
from polydata.images.several import deaf_to_ctrl_c
from polydata.types import Failure
from polydata.workspace import ExtractSettings

T = TypeVar("T")

AHEAD = 2
"""Files waiting in the pool for each worker; the rest stay outside, so that a million paths cost nothing."""

FILES_A_WORKER = 200
"""A worker is replaced after this many files, which gives back whatever the libraries hold on to."""

SETTLE_S = 1.0
"""Seconds that a worker may take until it has what it was started with."""

PATIENCE = 30
"""Times its processor seconds that a file may take by the clock: a busy machine is slow, but hanging has an end."""

GRACE_S = 60
"""Seconds after the end of that time when an orphaned worker ends itself."""


def _is_shortage(error: Exception) -> bool:
    """True where a library says in its own words that memory ran out."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(word in text for word in ("memory", "bad_alloc", "bad allocation"))


def _attempt(
    work: Callable[..., T], path: Path, store: ImageStore, settings: ExtractSettings, *more: object
) -> T | Failure:
    """What a worker runs; what is wrong with the file comes back as a ``Failure``, never as an exception.

    Processor time is limited here: the worker ends at SIGPROF. The alarm ends it where its parent, who would kill it
    when it hangs, was itself killed.
    """
    signal.setitimer(signal.ITIMER_PROF, settings.seconds_per_file)
    signal.alarm(int(PATIENCE * settings.seconds_per_file) + GRACE_S)
    try:
        return work(path, store, settings, *more)
    except ExtractionFailure as error:
        return error.of(path)
    except Exception as error:  # the PDF library raises plain Exception too; a hostile file may cause any
        if isinstance(error, OSError) and error.errno != errno.ENOMEM:
            raise  # the store, not the file: reported once, by the process that started this one
        if _is_shortage(error):
            detail = f"{path} needs more memory than a worker may have; memory_mb in polydata.toml sets how much"
            return Failure(_digest(path, settings), str(path), "out-of-memory", detail)
        detail = f"{path} cannot be taken apart: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        return Failure(_digest(path, settings), str(path), "broken", detail)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)


def _digest(path: Path, settings: ExtractSettings) -> str | None:
    try:
        return file_digest(path, settings)
    except ExtractionFailure:
        return None


class Readers:
    """Worker processes that read files, each file with a time and a memory limit that end it for good.

    A file over its processor time ends with its worker, one that needs too much memory fails or takes its worker with
    it; both are failures of that file alone. Where pictures lie on this machine, workers have no network (see
    ``limits.deny_network``). May be used by several threads at once.

    Args:
        store: where pictures are put.
        workers: number of processes; they start with the first file.
        settings: limits for each file: its size and pages, the processor seconds after which it has failed as
            ``too-slow``, and the memory of its own that a worker may have, of which the libraries alone take about
            200 MB.
    """

    def __init__(self, store: ImageStore, settings: ExtractSettings, *, workers: int) -> None:
        self._store, self._settings = store, settings
        self._lost, self._ahead = -SETTLE_S, AHEAD * workers
        self._pool = ProcessPool(
            max_workers=workers,
            max_tasks=FILES_A_WORKER,
            initializer=partial(set_up, settings.memory_mb, network=store.remote is not None),
            context=multiprocessing.get_context("spawn"),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def do(self, work: Callable[..., T], path: Path, *more: object) -> T | Failure:
        """Do something with one file, in a worker, and wait for it.

        Args:
            work: called with the path, the store, the settings and whatever else is given.

        Raises:
            PolydataError: if pictures cannot be stored.
        """
        return self._outcome(self._give(work, path, *more), path)

    def _give(self, work: Callable[..., T], path: Path, *more: object) -> Future[T | Failure]:
        arguments, seconds = (work, path, self._store, self._settings, *more), self._settings.seconds_per_file
        with deaf_to_ctrl_c():
            future: Future[T | Failure] = self._pool.schedule(_attempt, args=arguments, timeout=PATIENCE * seconds)
        return future

    def _outcome(self, future: Future[T | Failure], path: Path) -> T | Failure:
        """What became of a file, the death of its worker included; waits for it."""
        try:
            return future.result()
        except FutureTimeout:
            seconds = PATIENCE * self._settings.seconds_per_file
            return self._failure(path, "too-slow", f"{path} was not done after {seconds:g} s by the clock")
        except ProcessExpired as error:
            if error.exitcode == -signal.SIGPROF:
                seconds = self._settings.seconds_per_file
                return self._failure(path, "too-slow", f"{path} took more than {seconds:g} s of processor time")
            if error.exitcode in (-9, 137):
                how = f"was killed, perhaps for memory ({self._settings.memory_mb} MB allowed)"
                return self._failure(path, "out-of-memory", f"the worker reading {path} {how}")
            return self._failure(path, "broken", f"the worker reading {path} died (exit status {error.exitcode})")
        except MemoryError:
            return self._failure(path, "out-of-memory", f"{path} needs more than {self._settings.memory_mb} MB")
        except OSError as error:  # the store cannot be written: every further file would fail alike
            raise PolydataError(f"the pictures of {path} cannot be stored: {error}", "Check the store.") from error

    def _failure(self, path: Path, reason: str, detail: str) -> Failure:
        self._lost = time.monotonic()
        return Failure(_digest(path, self._settings), str(path), reason, detail)

    def each(
        self, jobs: Iterable[tuple[Path, Callable[..., T], tuple[object, ...]]]
    ) -> Iterator[tuple[Path, T | Failure]]:
        """Do something with each of many files, then stop; yields each path with what came of it as it is done.

        Args:
            jobs: path, what to do with it, and further arguments of that (see ``do``); asked for as workers come free.

        Raises:
            PolydataError: if pictures cannot be stored.
        """
        waiting = iter(jobs)
        running: dict[Future[T | Failure], Path] = {}
        with self:  # stopped too where the caller goes no further or Ctrl+C was pressed
            while True:
                while len(running) < self._ahead and (job := next(waiting, None)) is not None:
                    path, work, more = job
                    running[self._give(work, path, *more)] = path
                if not running:
                    break
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for ended in sorted(done, key=lambda one: str(running[one])):
                    path = running.pop(ended)
                    yield path, self._outcome(ended, path)

    def stop(self) -> None:
        """End the workers, whatever they do.

        The pool takes its locks away first, at which a worker that has only just begun to start, in the place of a
        lost one, would print an error: it is given the time to find them.
        """
        time.sleep(max(0.0, self._lost + SETTLE_S - time.monotonic()))
        self._pool.stop()
        self._pool.join()
