"""Many images at once: the same work done with each, in worker processes where there are enough of them."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import TypeVar

from polydata.errors import PolydataError

Job = TypeVar("Job")
Result = TypeVar("Result")

FEW = 12
"""Images that are done by the time that workers have started."""

AHEAD = 4
"""Jobs given out ahead for each worker; the rest wait outside, so that a million of them cost nothing."""


def in_processes(work: Callable[[Job], Result], jobs: Sequence[Job], workers: int | None = None) -> Iterator[Result]:
    """Do something with each of many images; with up to ``FEW`` of them in this process.

    Args:
        work: a function that a worker can import, or a ``partial`` of one. What it raises is raised here, in its turn.
        jobs: what it is called with: paths and other small things.
        workers: processes; None or 0 takes one for each processor.

    Yields:
        What came of each job, in the order of the jobs.

    Raises:
        PolydataError: if a worker was killed. All that was yielded until then is right.
    """
    count = min(workers or os.cpu_count() or 1, len(jobs))
    if count <= 1 or len(jobs) <= FEW:
        yield from map(work, jobs)
        return
    import cv2

    running: deque[Future[Result]] = deque()
    # Spawned, not forked: the recogniser's library has threads.
    with ProcessPoolExecutor(
        count, multiprocessing.get_context("spawn"), initializer=cv2.setNumThreads, initargs=(1,)
    ) as pool:
        try:
            for job in jobs:
                with deaf_to_ctrl_c():
                    running.append(pool.submit(work, job))
                if len(running) > AHEAD * count:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        except BrokenProcessPool as error:
            raise PolydataError(
                "A worker process was killed, perhaps because memory ran out.",
                "Run the command again with fewer --workers.",
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def deaf_to_ctrl_c() -> Iterator[None]:
    """What is started within never hears of Ctrl+C, which a terminal tells all processes: the pool ends its workers.

    The pool starts its threads at the first work, and these start the workers, all with the mask of signals from here.
    A worker that heard of it while it is starting would print a traceback. The process that tracks what multiprocessing
    holds is started before, since whoever starts it has the signal let through afterwards.
    """
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
