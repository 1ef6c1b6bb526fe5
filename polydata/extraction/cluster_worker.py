"""The side of a cluster's workers: what ``polydata.extraction.cluster`` sends them to do. Imported only with Dask."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import threading
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from distributed import Worker, WorkerPlugin, get_worker

from polydata.extraction.document.meta import safe_name
from polydata.extraction.pool import Readers
from polydata.ids import sha256_file
from polydata.images.picture import ImageStore
from polydata.types import Failure, Paper

LIBRARIES = (
    "polydata",
    "pymupdf",
    "numpy",
    "pillow",
    "opencv-python-headless",
    "scipy",
    "imagehash",
    "rapidocr",
    "onnxruntime",
)
"""What decides what is extracted. Other versions on a worker would give another catalogue, so they are refused."""


@dataclass(frozen=True)
class Job:
    """A file for a worker: where it may lie, what its bytes must be, and the bytes where they are sent."""

    path: str
    sha256: str
    data: bytes | None = None


class ReadersOnWorker(WorkerPlugin):
    """Plugin of a worker: the processes in which it reads files. They start with its first file.

    Args:
        settings: arguments of ``Readers`` but the number of workers, which is that of the worker's threads.
    """

    def __init__(self, name: str, store: ImageStore, settings: dict[str, Any]) -> None:
        self.name, self._store, self._settings = name, store, settings

    def setup(self, worker: Worker) -> None:
        """Called on a worker when it meets this plugin."""
        _let_children_start()
        self._readers = Readers(self._store, workers=worker.state.nthreads, **self._settings)

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002 - Dask's signature
        """Called when the plugin is taken away or the worker ends."""
        threading.Thread(target=self._readers.stop, daemon=True).start()  # waits for processes: not in its event loop

    def read(self, job: Job) -> Paper | Failure | None:
        """Read a file; None where its bytes do not lie here and were not sent."""
        path = Path(job.path)
        if job.data is None:
            try:
                same = sha256_file(path) == job.sha256
            except OSError:
                same = False
            return self._read(path) if same else None
        with tempfile.TemporaryDirectory(prefix="polydata-") as folder:
            sent = Path(folder) / safe_name(path.name)
            sent.write_bytes(job.data)
            result = self._read(sent)
        if isinstance(result, Failure):
            return replace(result, path=job.path, detail=result.detail.replace(str(sent), job.path))
        return result

    def _read(self, path: Path) -> Paper | Failure:
        return self._readers.outcome(self._readers.start(path), path)


def _let_children_start() -> None:
    """Dask marks its workers as daemons, which may start no processes; those of a pool end with their parent."""
    multiprocessing.process.current_process()._config["daemon"] = False  # type: ignore[attr-defined]


def read(plugin: str, job: Job) -> Paper | Failure | None:
    """The task that a worker runs."""
    readers = get_worker().plugins[plugin]
    assert isinstance(readers, ReadersOnWorker)
    return readers.read(job)


def versions() -> dict[str, str]:
    """Version of each library here."""

    def known(name: str) -> str:
        try:
            return version(name)
        except PackageNotFoundError:
            return "none"

    return {name: known(name) for name in LIBRARIES}


def can_write(folder: str, probe: str) -> bool:
    """Whether a worker sees the file that was put into the store's folder here, and may write beside it."""
    return (Path(folder) / probe).exists() and os.access(folder, os.W_OK)
