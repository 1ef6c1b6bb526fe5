"""Several processes that share each batch: one a device, on one machine or, under torchrun, on several.

The process that was called is the first; it writes the run, the others only compute. On one machine it starts the
others itself. Under torchrun (RANK and WORLD_SIZE in the environment) they are all there already.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn

from polydata.errors import InputError, UsageError

T = TypeVar("T")
TIMEOUT = timedelta(minutes=30)
"""How long a process waits for the others; the first may be predicting or writing."""


@dataclass(frozen=True)
class Team:
    """The processes that train together.

    Attributes:
        rank: of this one, from 0.
        size: how many there are.
        local_rank: among those of this machine.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def is_first(self) -> bool:
        """Whether this is the one that measures and writes."""
        return self.rank == 0

    def summed(self, values: Tensor) -> Tensor:
        """The sum over all processes."""
        if self.size > 1:
            distributed.all_reduce(values)
        return values

    def from_first(self, value: T) -> T:
        """What the first process has of it."""
        box = [value]
        if self.size > 1:
            distributed.broadcast_object_list(box, src=0)
        return box[0]

    def received(self) -> Any:
        """What the first process gives at this moment; it calls ``from_first`` itself."""
        return self.from_first(None)

    def shared(self, module: nn.Module, device: str) -> nn.Module:
        """The module with its gradients averaged over all processes."""
        if self.size == 1:
            return module
        devices = [torch.cuda.current_device()] if device == "cuda" else None
        return nn.parallel.DistributedDataParallel(module, device_ids=devices)


ALONE = Team()


def launched() -> Team | None:
    """The team that torchrun made this process part of; None where it did not."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size < 2 or "RANK" not in os.environ:
        return None
    return Team(int(os.environ["RANK"]), size, int(os.environ.get("LOCAL_RANK", "0")))


def check_devices(devices: int, device: str) -> None:
    """Refuse more processes than there are devices for.

    Raises:
        UsageError: saying how many there are.
    """
    if not 1 <= devices <= 64:
        raise UsageError(f"--devices must lie between 1 and 64, not {devices}.")
    if devices > 1 and device == "mps":
        raise UsageError("Several processes cannot share one MPS device.", "Use --devices 1.")
    if device == "cuda" and devices > torch.cuda.device_count():
        raise UsageError(f"There are {torch.cuda.device_count()} CUDA devices, not {devices}.")


@contextmanager
def joined(team: Team, device: str, init_method: str = "env://") -> Iterator[Team]:
    """Belong to a team as long as the block lasts."""
    if device == "cuda":
        torch.cuda.set_device(team.local_rank)
    distributed.init_process_group(
        "nccl" if device == "cuda" else "gloo",
        init_method=init_method,
        rank=team.rank,
        world_size=team.size,
        timeout=TIMEOUT,
    )
    try:
        yield team
    finally:
        distributed.destroy_process_group()


@contextmanager
def gathered(devices: int, device: str, follow: Callable[..., None], arguments: tuple[Any, ...]) -> Iterator[Team]:
    """Start ``devices`` - 1 more processes, each of which calls ``follow(team, *arguments)``; this one is the first.

    Raises:
        InputError: if one of them fails.
    """
    if devices == 1:
        yield ALONE
        return
    threads = torch.get_num_threads()
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="polymodel-") as folder:
        meeting = (Path(folder) / "meeting").as_uri()
        others = [
            context.Process(target=_start, args=(Team(rank, devices, rank), device, meeting, follow, arguments))
            for rank in range(1, devices)
        ]
        for process in others:
            process.start()
        try:
            torch.set_num_threads(max(1, threads // devices))
            with joined(Team(0, devices, 0), device, meeting) as team:
                yield team
            for process in others:
                process.join()
        except RuntimeError as error:  # what torch raises where another process is gone
            for process in others:
                process.join(5)
            if not any(process.exitcode for process in others):
                raise
            raise InputError("One of the processes failed.", "What it said stands above.") from error
        finally:
            torch.set_num_threads(threads)
            for process in others:
                process.kill()
                process.join()


def _start(team: Team, device: str, meeting: str, follow: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """The life of a process that ``gathered`` started."""
    torch.set_num_threads(max(1, torch.get_num_threads() // team.size))
    with joined(team, device, meeting):
        follow(team, *arguments)
