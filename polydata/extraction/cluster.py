"""Many PDFs on a Dask cluster: the work of ``Readers`` on the processors of other machines.

A file is read by its path where the worker sees the very same bytes there, else its bytes are sent along. Each
worker reads files in processes of its own (``Readers``), so that time and memory limits end a file for good
and never the worker. A worker that is lost gives its files back to the scheduler, which hands them to others as
often as its ``allowed-failures`` says; then the file has failed. Nothing but this process writes the catalogue.

Imported only with Dask.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import threading
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import dask
from distributed import Client, Future, Worker, WorkerPlugin, get_worker
from distributed.scheduler import KilledWorker

from polydata.errors import ServerError, WorkspaceError
from polydata.extraction.document.meta import safe_name
from polydata.extraction.paper import extract_paper
from polydata.extraction.pool import Readers
from polydata.files.atomic import PART
from polydata.ids import sha256_bytes, sha256_file
from polydata.images.picture import ImageStore
from polydata.resources import VERSION
from polydata.types import Failure, Paper
from polydata.workspace import ExtractSettings

LIBRARIES = ("pymupdf", "numpy", "pillow", "opencv-python-headless", "scipy", "imagehash", "rapidocr", "onnxruntime")
"""What decides what is extracted. Other versions on a worker would give another catalogue, so they are refused."""

TASK_FORMAT = "3"
"""Of what is sent to workers, which is pickled by the names of modules. Raise it when these or their classes change."""

AHEAD = 2
"""Files given to the cluster for each of its threads; the rest stay here."""

BYTES_AHEAD = 256_000_000
"""Bytes of files under way at most, for they pass through the scheduler; one file goes whatever its size."""

PATIENCE_S = 60.0
"""For a cluster without workers to get some."""

ANSWER_S = 15.0
"""For the scheduler to answer at first."""


class ReadersOnWorker(WorkerPlugin):
    """Plugin of a worker: the processes in which it reads files. They start with its first file.

    Args:
        settings: limits for each file; a worker of Dask has as many processes as threads.
    """

    def __init__(self, name: str, store: ImageStore, settings: ExtractSettings) -> None:
        self.name, self._store, self._settings = name, store, settings

    def setup(self, worker: Worker) -> None:
        """Called on a worker when it meets this plugin."""
        # Dask marks its workers as daemons, which may start no processes; those of a pool end with their parent.
        multiprocessing.process.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
        self.readers = Readers(self._store, self._settings, workers=worker.state.nthreads)

    def teardown(self, worker: Worker) -> None:  # noqa: ARG002 - Dask's signature
        """Called when the plugin is taken away or the worker ends."""
        threading.Thread(target=self.readers.stop, daemon=True).start()  # waits for processes: not in its event loop


def read(plugin: str, path: str, sha256: str, data: bytes | None) -> Paper | Failure | None:
    """The task that a worker runs: a file is read; None where its bytes do not lie here and were not sent.

    Args:
        plugin: name of the worker's ``ReadersOnWorker``.
        path: where the file may lie.
        sha256: of its bytes.
        data: its bytes, where they are sent.
    """
    on_worker = get_worker().plugins[plugin]
    assert isinstance(on_worker, ReadersOnWorker)
    if data is None:
        try:
            same = sha256_file(Path(path)) == sha256
        except OSError:
            same = False
        return on_worker.readers.do(extract_paper, Path(path)) if same else None
    with tempfile.TemporaryDirectory(prefix="polydata-") as folder:
        sent = Path(folder) / safe_name(Path(path).name)
        sent.write_bytes(data)
        result = on_worker.readers.do(extract_paper, sent)
    if isinstance(result, Failure):
        return replace(result, path=path, detail=result.detail.replace(str(sent), path))
    return result


def versions() -> dict[str, str]:
    """Version of polydata, of what is sent to workers, and of each library here."""

    def known(name: str) -> str:
        try:
            return version(name)
        except PackageNotFoundError:
            return "none"

    return {"polydata": VERSION, "task format": TASK_FORMAT, **{name: known(name) for name in LIBRARIES}}


def can_write(folder: str, probe: str) -> bool:
    """Whether a worker sees the file that was put into the store's folder here, and may write beside it."""
    return (Path(folder) / probe).exists() and os.access(folder, os.W_OK)


@contextmanager
def _connected(cluster: str) -> Iterator[Client]:
    """A client of the scheduler at an address, or named by the file that it wrote.

    Raises:
        ServerError: if no scheduler or no worker answers.
    """
    where = {"address": cluster} if "://" in cluster or not Path(cluster).is_file() else {"scheduler_file": cluster}
    patient = {
        "distributed.comm.timeouts.connect": f"{ANSWER_S}s",
        "distributed.admin.large-graph-warning-threshold": "1GB",  # bytes of files are sent with their task
    }
    with dask.config.set(patient):
        try:
            client = Client(**where, timeout=ANSWER_S, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise ServerError(
                f"No Dask scheduler answers at {cluster}: {error}", "Start one with: dask scheduler"
            ) from None
        with closing(client):
            try:
                client.wait_for_workers(1, timeout=PATIENCE_S)
            except TimeoutError:
                raise ServerError(
                    f"The scheduler at {cluster} has no workers.", f"Start some with: dask worker {cluster}"
                ) from None
            yield client


def _check_workers(client: Client, store: ImageStore) -> None:
    """Refuse workers that would extract something else, or put images where nobody finds them."""
    mine = versions()
    try:
        theirs: dict[str, dict[str, str]] = client.run(versions)
    except (ImportError, AttributeError) as error:
        raise ServerError(
            f"The workers have another polydata or none: {error}", f"Install polydata {mine['polydata']} on them."
        ) from None
    for worker, found in theirs.items():
        wrong = [f"{name} {found.get(name)} (here {mine[name]})" for name in mine if found.get(name) != mine[name]]
        if wrong:
            raise ServerError(f"The worker {worker} has {', '.join(wrong)}.", "Install the same versions on it.")
    if store.remote is not None:
        return
    store.root.mkdir(parents=True, exist_ok=True)
    probe = f".{uuid.uuid4().hex}{PART}"
    (store.root / probe).touch()
    try:
        seen: dict[str, bool] = client.run(can_write, str(store.root.resolve()), probe)
    finally:
        (store.root / probe).unlink(missing_ok=True)
    if blind := sorted(worker for worker, sees in seen.items() if not sees):
        raise WorkspaceError(
            f"The worker {blind[0]} cannot write images to {store.root}.",
            "Put the workspace on a disk that all share, or set url under [store] in polydata.toml.",
        )


def _threads(client: Client) -> int:
    return sum(client.nthreads().values())


def extract_on_cluster(
    paths: Sequence[Path], store: ImageStore, settings: ExtractSettings, *, cluster: str
) -> Iterator[tuple[Path, Paper | Failure]]:
    """Extract files on a Dask cluster and yield each with its path as it is done.

    Args:
        paths: of the PDFs on this machine.
        store: where pictures are put; its folder must be shared with the workers unless it has an address.
        settings: limits, as for ``Readers``; the memory is that of each thread of a worker.
        cluster: address of the scheduler (``tcp://host:8786``), or the file that ``dask scheduler
            --scheduler-file`` wrote.

    Yields:
        Each path with its ``Paper`` or ``Failure``, in the order in which they end.

    Raises:
        ServerError: if the cluster cannot be reached, has other versions, or is lost.
        WorkspaceError: if the workers cannot write to the store.
        PolydataError: if pictures cannot be stored.
    """
    if not paths:
        return
    name = f"polydata-{uuid.uuid4().hex}"
    with _connected(cluster) as client:
        _check_workers(client, store)
        shared = ImageStore(store.root.resolve(), store.remote.url if store.remote else "")
        client.register_plugin(ReadersOnWorker(name, shared, settings))
        try:
            yield from _stream(client, name, paths)
        finally:
            if client.status == "running":
                client.unregister_worker_plugin(name)


def _stream(client: Client, plugin: str, paths: Sequence[Path]) -> Iterator[tuple[Path, Paper | Failure]]:
    """Keep the cluster busy: each file is named first, and sent only when a worker did not find it."""
    waiting = iter(paths)
    unseen: deque[Path] = deque()
    ended: SimpleQueue[Future[Any]] = SimpleQueue()
    running: dict[object, tuple[Future[Any], Path, str, int]] = {}
    while True:
        most = AHEAD * max(1, _threads(client))
        while len(running) < most and sum(size for *_, size in running.values()) < BYTES_AHEAD:
            send = bool(unseen)
            path = unseen.popleft() if unseen else next(waiting, None)
            if path is None:
                break
            try:
                data = path.read_bytes() if send else None
                sha256 = sha256_file(path) if data is None else sha256_bytes(data)
            except OSError as error:
                yield path, Failure(None, str(path), "unreadable", f"{path} cannot be read: {error.strerror}")
                continue
            future = client.submit(read, plugin, str(path), sha256, data, pure=False, retries=0)
            running[future.key] = future, path, sha256, len(data or b"")
            future.add_done_callback(ended.put)
        if not running:
            return
        future, path, sha256, _ = running.pop(_next(ended, client).key)
        result = _result(future, path, sha256)
        if result is None:
            unseen.append(path)
        else:
            yield path, result


def _next(ended: SimpleQueue[Future[Any]], client: Client) -> Future[Any]:
    """The next file that is done with.

    Raises:
        ServerError: if all workers were gone for a long time.
    """
    without = 0
    while without < 4:
        try:
            return ended.get(timeout=PATIENCE_S / 4)
        except Empty:
            without = 0 if _threads(client) else without + 1
    raise ServerError("The cluster has lost all its workers.", "Start some and run the command again: it goes on.")


def _result(future: Future[Any], path: Path, sha256: str) -> Paper | Failure | None:
    """What a task gave; a file that takes worker after worker with it has failed."""
    if future.cancelled():
        raise ServerError("The scheduler has gone.", "Start it and run the command again: it goes on.")
    error = future.exception()
    if isinstance(error, KilledWorker):
        detail = f"{path} was given up: the workers that read it were lost, the last at {error.last_worker.address}"
        return Failure(sha256, str(path), "broken", detail)
    if error is not None:
        raise error
    answer: Paper | Failure | None = future.result()
    return answer
