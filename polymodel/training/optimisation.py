"""How gradients become steps: optimiser, rates of the blocks, mixed images, and the moving average of the weights."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from timm.optim import param_groups_layer_decay  # type: ignore[attr-defined]
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from polymodel.networks.network import Network
from polymodel.recipes import Optimiser, Recipe, Schedule

MOMENTUM = 0.9


def make_optimiser(network: Network, recipe: Recipe) -> torch.optim.Optimizer:
    """The optimiser over what a recipe trains; all else of the network is frozen.

    With ``layer_decay`` each block has a group of its own, whose ``lr_scale`` is its share of the rate; parameters of
    one dimension (biases, norms) then have no weight decay, as timm does it.

    Args:
        network: its parameters are told whether they are trained.
        recipe: how.
    """
    chosen = _trained_parameters(network, recipe)
    groups: Any = chosen
    if recipe.layer_decay < 1:
        groups = param_groups_layer_decay(network.module, recipe.weight_decay, layer_decay=recipe.layer_decay)
    common: Any = {"lr": recipe.learning_rate, "weight_decay": recipe.weight_decay}
    if recipe.optimiser == Optimiser.SGD:
        return torch.optim.SGD(groups, momentum=MOMENTUM, nesterov=True, **common)
    kind = torch.optim.AdamW if recipe.weight_decay else torch.optim.Adam
    return kind(groups, **common)


def _trained_parameters(network: Network, recipe: Recipe) -> list[nn.Parameter]:
    """The parameters to train; all others are frozen."""
    names = network.tail() if recipe.tail_only else [name for name, _ in network.module.named_modules()]
    network.module.requires_grad_(False)
    parts = [network.module.get_submodule(name) for name in names]
    chosen = [
        parameter
        for part in parts
        if not (recipe.frozen_norm and isinstance(part, _BatchNorm))
        for parameter in part.parameters(recurse=False)
    ]
    for parameter in chosen:
        parameter.requires_grad_(True)
    return chosen


def rate_at(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """The learning rate of a step, counted from 0 over the whole training."""
    warm, total = recipe.warm_up * steps_per_epoch, recipe.epochs * steps_per_epoch
    if step + 1 < warm:
        return recipe.learning_rate * (step + 1) / warm
    if recipe.schedule == Schedule.COSINE:
        done = max(0.0, step - warm) / max(1.0, total - warm)
        return recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    return recipe.learning_rate


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Give every group its share of a learning rate."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group.get("lr_scale", 1.0)


def mixing(strength: float, count: int) -> tuple[float, Tensor]:
    """The share of the first of two images, at least one half, and which one is the second of each, (count,).

    Drawn from torch's generator, which every epoch sets anew.

    Args:
        strength: parameter of the beta distribution of shares; 0 mixes nothing.
        count: images of a batch.
    """
    if not strength:
        return 1.0, torch.arange(count)
    share = float(torch.distributions.Beta(strength, strength).sample())
    return max(share, 1 - share), torch.randperm(count)


def average(into: dict[str, Tensor], module: nn.Module, decay: float, step: int) -> None:
    """Move an average of weights towards those of a module; it begins as they are, and moves faster at first.

    Args:
        into: by name, changed in place; empty before the first step.
        module: its floating tensors are averaged, others taken over.
        decay: the share of the average that is kept in a step, below 1.
        step: from 0.
    """
    kept = min(decay, (1 + step) / (10 + step))
    for name, value in module.state_dict().items():
        if name not in into or not value.is_floating_point():
            into[name] = value.detach().clone()
        else:
            into[name] = into[name].to(value.device).lerp(value.detach(), 1 - kept)


@contextmanager
def averaged(module: nn.Module, average: dict[str, Tensor]) -> Iterator[None]:
    """The module with averaged weights while the block lasts; as it is where there are none."""
    if not average:
        yield
        return
    own = {name: value.detach().clone() for name, value in module.state_dict().items()}
    module.load_state_dict(average)
    try:
        yield
    finally:
        module.load_state_dict(own)
