"""Several processes that share each batch: one a device, on one machine or, under torchrun, on several.

Lightning Fabric joins them, averages gradients and brings precision and tensors to the device. The process that was
called is the first; it writes the run, the others only compute. On one machine it starts the others itself, with the
environment that torchrun would give them: Fabric's own launchers run the whole command again, or the first process
elsewhere. Under torchrun they are all there already.
"""

from __future__ import annotations

import logging
import multiprocessing.connection
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import LightningEnvironment, find_free_network_port
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import distributed

from polydata.errors import InputError, UsageError
from polymodel.config import Hardware, Precision
from polymodel.networks.devices import environment, threads

TIMEOUT = timedelta(minutes=30)
"""How long a process waits for the others; the first may be predicting or writing."""
ENDING = 60.0
"""Seconds for a process that failed to end."""

PRECISIONS: Mapping[Precision, Any] = {
    Precision.FP32: "32-true",
    Precision.BF16: "bf16-mixed",
    Precision.FP16: "16-mixed",
}


def launched() -> bool:
    """Whether torchrun made this process one of several."""
    return "RANK" in os.environ and int(os.environ.get("WORLD_SIZE", "1")) > 1


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
def joined(device: str, precision: Precision) -> Iterator[Fabric]:
    """Belong to the team that the environment names, or be alone, as long as the block lasts."""
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    size = int(os.environ["WORLD_SIZE"]) if launched() else 1
    here = int(os.environ.get("LOCAL_WORLD_SIZE", size))
    strategy: Any = "auto"
    environments: list[Any] = [LightningEnvironment()]  # one process asks neither SLURM nor MPI how many there are
    if size > 1:
        strategy, environments = DDPStrategy(cluster_environment=TorchElasticEnvironment(), timeout=TIMEOUT), []
    fabric = Fabric(
        accelerator=device,
        devices=here,
        num_nodes=size // here,
        strategy=strategy,
        precision=PRECISIONS[precision],
        plugins=environments,
    )
    fabric.launch()
    try:
        yield fabric
    finally:
        if size > 1:
            distributed.destroy_process_group()


@contextmanager
def gathered(hardware: Hardware, device: str, follow: Callable[[Fabric], object]) -> Iterator[Fabric]:
    """This process as the first of a team; where torchrun did not, start the others, each of which calls ``follow``.

    Raises:
        InputError: if one of them fails.
    """
    if launched() or hardware.devices == 1:
        with joined(device, hardware.precision) as fabric:
            yield fabric
        return
    size, port = str(hardware.devices), str(find_free_network_port())
    team = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": size, "LOCAL_WORLD_SIZE": size}
    members = [team | {"RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(hardware.devices)]
    count = max(1, torch.get_num_threads() // hardware.devices)
    start = multiprocessing.get_context("spawn").Process
    others = [start(target=_start, args=(own, count, device, hardware.precision, follow)) for own in members[1:]]
    for process in others:
        process.start()
    try:
        with environment(members[0]), threads(count), joined(device, hardware.precision) as fabric:
            yield fabric
        for process in others:
            process.join()
    except RuntimeError as error:  # what torch raises where another process is gone
        ended = multiprocessing.connection.wait([process.sentinel for process in others], ENDING)
        for process in others:
            if process.sentinel in ended:
                process.join(ENDING)  # the sentinel closes a little before there is an exit code
        if not any(process.exitcode for process in others):
            raise
        raise InputError("One of the processes failed.", "What it said stands above.") from error
    finally:
        for process in others:
            process.kill()
            process.join()


def _start(
    own: Mapping[str, str], count: int, device: str, precision: Precision, follow: Callable[[Fabric], object]
) -> None:
    """The life of a process that ``gathered`` started."""
    os.environ |= own
    torch.set_num_threads(count)
    with joined(device, precision) as fabric:
        follow(fabric)
