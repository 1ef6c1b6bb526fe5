"""A real Dask scheduler and workers on this machine, started as a user would: ``dask scheduler``, ``dask worker``."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from commands import BIN
from distributed import Client

START_S = 60


class Cluster:
    """Address of the scheduler, and the processes."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.folder, self.file = folder, folder / "scheduler.json"
        self._variables = {**os.environ, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1", **variables}
        self.processes: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show")
        limit = time.monotonic() + START_S
        while not self.file.exists() or not self.file.read_text().strip():
            assert time.monotonic() < limit and self.scheduler.poll() is None, (folder / "scheduler.log").read_text()
            time.sleep(0.1)

    def _start(self, what: str, *words: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{what}.log").open("ab") as log:
            process = subprocess.Popen(
                [str(BIN / "dask"), what, "--scheduler-file", str(self.file), *words],
                cwd=self.folder,
                env=self._variables,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def worker(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a worker of one thread, with its nanny unless the words say otherwise."""
        return self._start(
            "worker", "--host", "127.0.0.1", "--nthreads", "1", "--no-dashboard", "--local-directory",
            str(self.folder), *words,
        )  # fmt: skip

    def wait_until_busy(self) -> None:
        """Return when a worker has a file to read."""
        limit = time.monotonic() + START_S
        with Client(scheduler_file=str(self.file), set_as_default=False) as client:
            while not any(client.processing().values()):
                assert time.monotonic() < limit, "no worker was given a file"
                time.sleep(0.2)
        time.sleep(1)

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """End a process and its children as a lost machine would: at once."""
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def dask_cluster(folder: Path, *, workers: int = 2, **variables: str) -> Iterator[Cluster]:
    """A scheduler with workers; all end with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    cluster = Cluster(folder, variables)
    try:
        for _ in range(workers):
            cluster.worker()
        yield cluster
    finally:
        for process in reversed(cluster.processes):
            cluster.kill(process)
