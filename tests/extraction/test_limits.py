"""What binds a worker: memory really held, one thread a library, and processor time whatever the clock says."""

from __future__ import annotations

import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from polydata.extraction import pool
from polydata.extraction.limits import set_up
from polydata.extraction.pool import Readers
from polydata.images.picture import ImageStore
from polydata.types import Failure
from polydata.workspace import ExtractSettings


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


def _wait(*_: object) -> str:
    time.sleep(3.0)
    return "done"


def _compute(*_: object) -> str:
    end = time.process_time() + 60
    while time.process_time() < end:
        pass
    return "done"


def test_processor_time_ends_a_file_and_waiting_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "paper.pdf"
    path.write_bytes(b"%PDF-1.7")
    settings = ExtractSettings(seconds_per_file=0.3, memory_mb=4096)
    with Readers(ImageStore(tmp_path / "store"), settings, workers=1) as readers:
        assert readers.do(_wait, path) == "done"
        slow = readers.do(_compute, path)
        assert isinstance(slow, Failure)
        assert slow.reason == "too-slow" and "0.3 s of processor time" in slow.detail
        assert readers.do(_wait, path) == "done"
        monkeypatch.setattr(pool, "PATIENCE", 1)
        hung = readers.do(_wait, path)
        assert isinstance(hung, Failure)
        assert hung.reason == "too-slow" and "by the clock" in hung.detail
