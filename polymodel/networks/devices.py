"""Where networks compute: the device, the processor's threads, seeds."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol, Self, TypeVar

import numpy as np
import torch

from polydata.errors import UsageError

WORKSPACE_CONFIG = "CUBLAS_WORKSPACE_CONFIG"
T = TypeVar("T")


class Twinned(Protocol):
    """What several threads may use at once, each its own twin."""

    def twin(self) -> Self:
        """The same for another thread."""


W = TypeVar("W", bound=Twinned)


def choose_device(wanted: str) -> str:
    """The device to compute on, ``cuda``, ``mps`` or ``cpu``; ``auto`` takes the first of these that is there.

    Raises:
        UsageError: if the one wanted is not there.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return next(name for name, there in present.items() if there)
    if not present[wanted]:
        raise UsageError(f"There is no {wanted} device here.", "Use --device auto, which takes the best there is.")
    return str(wanted)


@contextmanager
def seeded(seed: int, device: str = "cpu") -> Iterator[None]:
    """Python, NumPy and torch seeded and torch asked for deterministic kernels; afterwards all is as it was before.

    On the processor the same seed and thread count give the same bits. On CUDA an operation without a
    deterministic kernel warns and goes on.
    """
    workspace = os.environ.get(WORKSPACE_CONFIG, ":4096:8")
    kernels, warns = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    devices = [torch.cuda.current_device()] if device == "cuda" else []
    with (
        full_precision(),
        torch.random.fork_rng(devices),
        environment({WORKSPACE_CONFIG: workspace}),
        ExitStack() as (afterwards),
    ):
        afterwards.callback(torch.use_deterministic_algorithms, kernels, warn_only=warns)
        afterwards.callback(random.setstate, random.getstate())
        afterwards.callback(np.random.set_state, np.random.get_state())
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(True, warn_only=True)
        yield


@contextmanager
def full_precision() -> Iterator[None]:
    """CUDA multiplies what is held in 32 bits in 32 bits; torch rounds the input of convolutions to 19 by default."""
    kinds: tuple[Any, Any] = torch.backends.cudnn, torch.backends.cuda.matmul
    before = [kind.allow_tf32 for kind in kinds]
    try:
        for kind in kinds:
            kind.allow_tf32 = False
        yield
    finally:
        for kind, allowed in zip(kinds, before, strict=True):
            kind.allow_tf32 = allowed


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Variables of the environment set as long as the block lasts."""
    before = {name: os.environ[name] for name in values if name in os.environ}
    os.environ |= values
    try:
        yield
    finally:
        for name in values:
            del os.environ[name]
        os.environ |= before


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Arithmetic in so many threads. Small problems waste much on sharing, above all where other programs compete,
    and in one thread the bits do not depend on the number of processors."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
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
        with full_precision():
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
