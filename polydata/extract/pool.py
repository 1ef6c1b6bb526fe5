"""Many PDFs at once: worker processes with a time and a memory limit that really end a file's work."""

from __future__ import annotations

import multiprocessing
import resource
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path

from pebble import ProcessExpired, ProcessPool

from polydata.errors import PolydataError
from polydata.extract.paper import extract_paper
from polydata.extract.pdf import ExtractionFailure, Limits
from polydata.ids import sha256_file
from polydata.images import ImageStore
from polydata.types import Failure, Paper

AHEAD = 2
"""Files waiting in the pool for each worker; the rest stay outside, so that a million paths cost nothing."""

FILES_A_WORKER = 200
"""A worker is replaced after this many files, which gives back whatever the libraries hold on to."""


def _limit_memory(memory_mb: int) -> None:
    """Set the address space a worker may have; more ends in MemoryError or in its death, never in swapping."""
    if sys.platform != "darwin":  # macOS knows the limit and does not keep it
        size = memory_mb * 1024 * 1024
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        size = size if hard == resource.RLIM_INFINITY else min(size, hard)
        resource.setrlimit(resource.RLIMIT_AS, (size, hard))


def extract_or_fail(path: Path, store: ImageStore, limits: Limits) -> Paper | Failure:
    """Extract one file; what is wrong with it comes back as a ``Failure``, never as an exception."""
    try:
        return extract_paper(path, store, limits)
    except ExtractionFailure as error:
        return Failure(error.sha256, str(path), error.reason, error.message)
    except MemoryError:
        return Failure(
            _digest(path, limits), str(path), "out-of-memory", f"{path} needs more memory than a worker may have"
        )
    except OSError:
        raise  # the store, not the file: reported once, by the process that started this one
    except Exception as error:  # the PDF library raises plain Exception too; a hostile file may cause any
        detail = f"{path} cannot be taken apart: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        return Failure(_digest(path, limits), str(path), "broken", detail)


def _digest(path: Path, limits: Limits) -> str | None:
    try:
        return sha256_file(path) if path.stat().st_size <= limits.max_bytes else None
    except OSError:
        return None


def _outcome(
    future: Future[Paper | Failure], path: Path, limits: Limits, seconds: float, memory_mb: int
) -> Paper | Failure:
    """What became of a file, the death of its worker included."""
    try:
        return future.result()
    except FutureTimeout:
        return Failure(_digest(path, limits), str(path), "too-slow", f"{path} took more than {seconds:g} s")
    except ProcessExpired as error:
        killed = error.exitcode in (-9, 137)
        reason = "out-of-memory" if killed else "broken"
        how = (
            f"was killed, perhaps for memory ({memory_mb} MB allowed)"
            if killed
            else f"died (exit status {error.exitcode})"
        )
        return Failure(_digest(path, limits), str(path), reason, f"the worker reading {path} {how}")
    except MemoryError:
        return Failure(_digest(path, limits), str(path), "out-of-memory", f"{path} needs more than {memory_mb} MB")
    except OSError as error:  # the store cannot be written: every further file would fail alike
        raise PolydataError(f"the pictures of {path} cannot be stored: {error}", "Check the disk.") from error


def extract_many(
    paths: Sequence[Path],
    store: ImageStore,
    *,
    workers: int,
    limits: Limits,
    seconds_per_file: float,
    memory_mb: int = 4096,
) -> Iterator[tuple[Path, Paper | Failure]]:
    """Extract files in worker processes and yield each with its path as it is done.

    A file over its time is ended by killing its worker, one that needs too much memory fails or takes its
    worker with it; both are failures of that file alone.

    Args:
        paths: of the PDFs.
        store: where pictures are put.
        workers: number of processes.
        limits: for each file.
        seconds_per_file: after which a file has failed as ``too-slow``.
        memory_mb: address space of a worker; the libraries alone take about 1,500.

    Yields:
        Each path with its ``Paper`` or ``Failure``, in the order in which they end.

    Raises:
        PolydataError: if pictures cannot be stored.
    """
    pool = ProcessPool(
        max_workers=max(1, workers),
        max_tasks=FILES_A_WORKER,
        initializer=_limit_memory,
        initargs=(memory_mb,),
        context=multiprocessing.get_context("spawn"),
    )
    waiting = iter(paths)
    running: dict[Future[Paper | Failure], Path] = {}
    try:
        while True:
            while len(running) < AHEAD * max(1, workers) and (path := next(waiting, None)) is not None:
                future = pool.schedule(extract_or_fail, args=(path, store, limits), timeout=seconds_per_file)
                running[future] = path
            if not running:
                break
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for ended in sorted(done, key=lambda one: str(running[one])):
                path = running.pop(ended)
                yield path, _outcome(ended, path, limits, seconds_per_file, memory_mb)
        pool.close()
    finally:  # the caller stopped early, pressed Ctrl+C, or everything is done
        pool.stop()
        pool.join()
