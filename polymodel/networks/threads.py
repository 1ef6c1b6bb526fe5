"""Networks at work on many images at once, on the processor."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Protocol, Self, TypeVar

import torch

T = TypeVar("T")


class Twinned(Protocol):
    """What several threads may use at once, each its own twin."""

    def twin(self) -> Self:
        """The same for another thread."""


W = TypeVar("W", bound=Twinned)


@contextmanager
def one_thread(wanted: bool) -> Iterator[None]:
    """Do arithmetic in one thread where it is wanted: small problems waste much on sharing, above all where other
    programs compete, and the bits do not depend on the number of processors."""
    before = torch.get_num_threads()
    if wanted:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def each(worker: W, device: str, items: Sequence[T], function: Callable[[W, T], None]) -> Iterator[None]:
    """Call ``function(worker, item)`` for every item, in any order; one entry for each that is done.

    On the processor each thread has an item of its own, with one thread of arithmetic, so the bits do not depend
    on how many there are; small networks waste much where threads share an image.

    Args:
        worker: a network in eval mode, or what holds some, on ``device``.
        device: ``cpu``, ``cuda`` or ``mps``.
        items: of any kind.
        function: keeps what it finds by itself.
    """
    if device != "cpu":
        for item in items:
            function(worker, item)
            yield
        return
    own = threading.local()
    workers = max(1, min(torch.get_num_threads(), len(items)))

    def begin() -> None:
        torch.set_num_threads(1)
        own.worker = worker.twin() if workers > 1 else worker

    with ThreadPoolExecutor(workers, initializer=begin) as pool:
        work = [pool.submit(lambda item: function(own.worker, item), item) for item in items]
        try:
            for future in as_completed(work):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)
