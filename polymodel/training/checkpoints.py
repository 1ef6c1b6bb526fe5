"""The state of a training between two epochs, in one file, from which it goes on as if it had not stopped.

A safetensors file holds every tensor, its metadata the rest as JSON, in which numbers survive exactly. Nothing in
it can run code. Random numbers need no state: each epoch draws its own from seed and number.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from polymodel.networks.network import Network
from polymodel.runs.run import CHECKPOINT

META = "training"
SHARE = 20
"""Checkpoints come so seldom that writing them takes at most one part in so many of the time."""


@dataclass
class Loop:
    """The state of one training, all that another epoch needs.

    Attributes:
        network: on the device.
        optimiser: over what is trained.
        fabric: keeps the scale of the gradients, for fp16.
        epoch: epochs done.
        history: a row for each.
        best_loss, best_epoch, best_state: of the epoch with the lowest validation loss.
    """

    network: Network
    optimiser: torch.optim.Optimizer
    fabric: Fabric
    epoch: int = 0
    history: list[dict[str, float | int | None]] = field(default_factory=list)
    best_loss: float = float("inf")
    best_epoch: int = 0
    best_state: dict[str, Tensor] = field(default_factory=dict)


def save(path: Path, loop: Loop) -> None:
    """Write the state, whole or not at all."""
    tensors = {f"network/{key}": value for key, value in loop.network.module.state_dict().items()}
    tensors |= {f"best/{key}": value for key, value in loop.best_state.items()}
    optimiser = loop.optimiser.state_dict()
    for number, state in optimiser["state"].items():
        tensors |= {f"optimiser/{number}/{key}": value for key, value in state.items()}
    plain: dict[str, Any] = {
        "epoch": loop.epoch,
        "history": loop.history,
        "best_loss": loop.best_loss,
        "best_epoch": loop.best_epoch,
        "scaler": loop.fabric.strategy.precision.state_dict(),
    }
    new = path.with_name(path.name + ".new")
    copies = {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}
    save_file(copies, new, metadata={META: json.dumps(plain)})
    with open(new, "rb") as handle:
        os.fsync(handle.fileno())
    new.replace(path)


def load(path: Path, loop: Loop) -> bool:
    """Put the state of a file into a loop that has just begun; False where there is none that can be used."""
    try:
        with safe_open(path, framework="pt") as file:
            plain = json.loads(file.metadata()[META])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - no mapping
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return False
    parts: dict[str, dict[str, Tensor]] = {"network": {}, "best": {}, "optimiser": {}}
    for key, value in tensors.items():
        part, _, name = key.partition("/")
        parts[part][name] = value
    loop.network.module.load_state_dict(parts["network"])
    _fill_optimiser(loop.optimiser, parts["optimiser"])
    device = next(loop.network.module.parameters()).device
    loop.best_state = {key: value.to(device) for key, value in parts["best"].items()}
    loop.epoch, loop.history = plain["epoch"], plain["history"]
    loop.best_loss, loop.best_epoch = plain["best_loss"], plain["best_epoch"]
    loop.fabric.strategy.precision.load_state_dict(plain["scaler"])
    return True


def _fill_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition("/")
        state.setdefault(int(number), {})[name] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})


class Keeper:
    """Writes checkpoints now and then.

    Args:
        folder: of the part; None writes none.
        seconds: at least so many between two.
    """

    def __init__(self, folder: Path | None, seconds: float) -> None:
        self.path = folder / CHECKPOINT if folder else None
        self.seconds = seconds
        self.last = time.monotonic()
        self.cost = 0.0

    def after_epoch(self, loop: Loop) -> None:
        """Write the state where it is time."""
        began = time.monotonic()
        if self.path is None or began - self.last < max(self.seconds, SHARE * self.cost):
            return
        save(self.path, loop)
        self.last = time.monotonic()
        self.cost = self.last - began
