"""What binds a worker: memory that is really held, and one thread a library."""

from __future__ import annotations

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor

import pytest

from polydata.extraction.limits import set_up


def _fill(megabytes: int) -> int:
    import numpy as np

    return int(np.ones(megabytes << 20, np.uint8).sum()) >> 20


def _reserve(megabytes: int) -> int:
    import mmap

    with mmap.mmap(-1, megabytes << 20, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS, mmap.PROT_READ) as reserved:
        return len(reserved) >> 20


def _threads() -> set[int]:
    import cv2
    from threadpoolctl import threadpool_info

    import polydata.extraction.paper  # noqa: F401 - brings every library that computes

    return {cv2.getNumThreads(), *(int(library["num_threads"]) for library in threadpool_info())}


@pytest.fixture
def worker() -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(1, mp_context=context, initializer=set_up, initargs=(400,))


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS does not keep the limit")
def test_memory_that_is_written_to_is_limited_and_address_space_is_not(worker: ProcessPoolExecutor) -> None:
    with worker:
        assert worker.submit(_fill, 150).result() == 150
        assert worker.submit(_reserve, 3000).result() == 3000
        with pytest.raises(MemoryError):
            worker.submit(_fill, 500).result()
        assert worker.submit(_fill, 150).result() == 150


def test_libraries_compute_on_one_thread(worker: ProcessPoolExecutor) -> None:
    with worker:
        assert worker.submit(_threads).result() == {1}
