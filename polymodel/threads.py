"""One frozen network at work on many images at once, on the processor."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TypeVar

import torch

from polymodel.models import Network

T = TypeVar("T")


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


def each(network: Network, device: str, items: Sequence[T], function: Callable[[Network, T], None]) -> Iterator[None]:
    """Call ``function(network, item)`` for every item, in any order; one entry for each that is done.

    On the processor each thread has an item of its own, with one thread of arithmetic, so the bits do not depend
    on how many there are; small networks waste much where threads share an image.

    Args:
        network: in eval mode, on ``device``.
        device: ``cpu``, ``cuda`` or ``mps``.
        items: of any kind.
        function: keeps what it finds by itself.
    """
    if device != "cpu":
        for item in items:
            function(network, item)
            yield
        return
    own = threading.local()

    def begin() -> None:
        torch.set_num_threads(1)
        own.network = network.twin()

    workers = max(1, min(torch.get_num_threads(), len(items)))
    with ThreadPoolExecutor(workers, initializer=begin) as pool:
        work = [pool.submit(lambda item: function(own.network, item), item) for item in items]
        try:
            for future in as_completed(work):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)
