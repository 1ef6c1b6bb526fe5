"""What binds a worker: memory really held, one thread a library, processor time whatever the clock says, no network."""

from __future__ import annotations

import multiprocessing
import os
import platform
import socket
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from polydata.extraction import pool
from polydata.extraction.limits import CALLS, set_up
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


def _sockets(*_: object) -> dict[str, int]:
    """What becomes of a socket of each family, of one made by a program that is started, and of a pipe: errno or 0."""
    import errno
    import subprocess

    found = {}
    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
        try:
            socket.socket(family, socket.SOCK_STREAM).close()
            found[family.name] = 0
        except OSError as error:
            found[family.name] = error.errno or errno.EIO
    program = "import socket\ntry: socket.socket()\nexcept OSError as error: print(error.errno)"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    left, right = os.pipe()
    os.write(right, b"x")
    return found | {"another program": int(said or 0), "pipe": int(os.read(left, 1) != b"x")}


@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in CALLS, reason="the network can be taken on Linux alone"
)
def test_a_reader_has_no_network_unless_its_store_lies_behind_an_address(tmp_path: Path) -> None:
    path = tmp_path / "paper.pdf"
    path.write_bytes(b"%PDF-1.7")
    with Readers(ImageStore(tmp_path / "store"), ExtractSettings(), workers=1) as readers:
        found = readers.do(_sockets, path)
    assert found == {"AF_INET": 13, "AF_INET6": 13, "AF_UNIX": 13, "another program": 13, "pipe": 0}
    with Readers(ImageStore(tmp_path / "cache", f"file://{tmp_path}/store"), ExtractSettings(), workers=1) as readers:
        found = readers.do(_sockets, path)
    assert isinstance(found, dict)
    assert found["AF_INET"] == found["AF_UNIX"] == found["another program"] == 0
