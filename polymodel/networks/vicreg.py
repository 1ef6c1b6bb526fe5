"""Learning without labels: two views of a picture are to look alike to a network, and pictures not all the same.

VICReg (Bardes, Ponce and LeCun, ICLR 2022): invariance between the two views of each picture, a spread of at least one
in every column over a batch, and no covariance between columns. It compares no picture with another, so small batches
do, and nothing but the loss keeps the answers from becoming the same for all pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from polymodel.networks.network import Network

INVARIANCE, SPREAD, COVARIANCE = 25.0, 25.0, 1.0
"""Weights of the three terms, as in the article."""
WIDTH = 1024
"""Columns in which views are compared, and of the layers before; the article's 8192 are for thousand times as many
pictures."""
TINY = 1e-4


@dataclass(frozen=True)
class Terms:
    """The loss of a batch and what it consists of.

    Attributes:
        loss: weighted sum of the three terms, a scalar.
        distance: mean square of the difference between the two views' columns, from 0.
        spread: mean sd of a column over the batch, from 0; near 0 all pictures look the same.
    """

    loss: Tensor
    distance: Tensor
    spread: Tensor


def terms(one: Tensor, other: Tensor) -> Terms:
    """The loss of two views of each picture of a batch.

    Args:
        one, other: (n, columns), row by row of the same pictures, n at least 2.
    """
    distance = nn.functional.mse_loss(one, other)
    spreads = [torch.sqrt(views.var(0) + TINY) for views in (one, other)]
    narrow = sum(torch.relu(1 - spread).mean() for spread in spreads) / 2
    joint = _covariance(one) + _covariance(other)
    loss = INVARIANCE * distance + SPREAD * narrow + COVARIANCE * joint
    return Terms(loss, distance.detach(), torch.stack(spreads).mean().detach())


def _covariance(views: Tensor) -> Tensor:
    """Sum of the squared covariances between different columns, a column."""
    centred = views - views.mean(0)
    joint = centred.T @ centred / (len(views) - 1)
    return (joint.square().sum() - joint.diagonal().square().sum()) / views.shape[1]


def expander(features: int, width: int = WIDTH) -> nn.Sequential:
    """What takes a network's features apart before views are compared; it is thrown away afterwards.

    Args:
        features: columns that come in.
        width: columns that come out.
    """
    made = nn.Sequential(
        *(nn.Linear(features, width, bias=False), nn.BatchNorm1d(width), nn.ReLU()),
        *(nn.Linear(width, width, bias=False), nn.BatchNorm1d(width), nn.ReLU()),
        nn.Linear(width, width, bias=False),
    )
    for layer in made:
        if isinstance(layer, nn.Linear):  # columns then begin with an sd of about 1; torch's own start makes it a third
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return made


@contextmanager
def head_inputs(network: Network) -> Iterator[list[Tensor]]:
    """What the head is given in each forward pass while the block lasts, (n, features) one after another.

    Raises:
        UsageError: if the network does not end in a linear layer.
    """
    given: list[Tensor] = []
    with network.head_layer().register_forward_pre_hook(lambda _module, inputs: given.append(inputs[0])):
        yield given
