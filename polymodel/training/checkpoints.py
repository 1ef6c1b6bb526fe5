"""The state of a training between two epochs, in one file, from which it goes on as if it had not stopped.

It is read by ``torch.load`` with ``weights_only``, which runs no code of the file. Random numbers need no state: each
epoch draws its own from seed and number.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from polymodel.networks.network import Network
from polymodel.runs.run import CHECKPOINT

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
        steps: of the optimiser.
        average: moving average of the weights, by name; empty where the recipe keeps none.
    """

    network: Network
    optimiser: torch.optim.Optimizer
    fabric: Fabric
    epoch: int = 0
    history: list[dict[str, float | int | None]] = field(default_factory=list)
    best_loss: float = float("inf")
    best_epoch: int = 0
    best_state: dict[str, Tensor] = field(default_factory=dict)
    steps: int = 0
    average: dict[str, Tensor] = field(default_factory=dict)


PLAIN = ("epoch", "history", "best_loss", "best_epoch", "best_state", "steps", "average")


def _holders(loop: Loop) -> tuple[Any, ...]:
    """What keeps a state dict of its own."""
    return loop.network.module, loop.optimiser, loop.fabric.strategy.precision


def write_state(path: Path, holders: Sequence[Any], plain: Mapping[str, Any]) -> None:
    """Write a state, whole or not at all.

    Args:
        path: of the file.
        holders: each keeps a state dict of its own.
        plain: numbers, texts and tensors by name.
    """
    new = path.with_name(path.name + ".new")
    with open(new, "wb") as out:
        torch.save((tuple(holder.state_dict() for holder in holders), dict(plain)), out)
        out.flush()
        os.fsync(out.fileno())
    new.replace(path)


def read_state(path: Path) -> tuple[Sequence[Any], dict[str, Any]] | None:
    """What ``write_state`` wrote: state dicts and plain values; None where there is nothing that can be used."""
    try:
        states, plain = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # a damaged file ends in errors of many roots; each means that the work begins anew
        return None
    return states, plain


def save(path: Path, loop: Loop) -> None:
    """Write the state, whole or not at all."""
    write_state(path, _holders(loop), {name: getattr(loop, name) for name in PLAIN})


def load(path: Path, loop: Loop) -> None:
    """Put the state of a file into a loop that has just begun, where there is one that can be used."""
    if (found := read_state(path)) is None:
        return
    states, plain = found
    for holder, state in zip(_holders(loop), states, strict=True):
        holder.load_state_dict(state)
    for name in plain:
        setattr(loop, name, plain[name])


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
