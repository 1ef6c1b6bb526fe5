# ruff: noqa: ARG002 - every kind takes what one of them needs
"""What a model can be asked for: a label, a label with a place in an order, or a number; all that depends on it.

A kind says what is learned of an image, how many numbers a model puts out, by which loss they are fitted, and how they
stand in tables. What is made of them afterwards asks for nothing else: metrics stand in ``evaluation.metrics`` and
``evaluation.values``, answers in ``prediction.answers``.

An ordinal model puts out a logit for each label, as any classifier does, so probabilities, ensembles, calibration and
exports are the same. A network learns it by the binary cross-entropies of "beyond this label", one for each step of the
order (as CORAL: Cao, Mirjalili and Raschka, Pattern Recognition Letters 2020; since the probabilities of a softmax are
summed, they are never out of order). A probe fits one direction along which the labels follow each other
(adjacent-categories logits: Agresti, Analysis of Ordinal Categorical Data, 2010), whose logits are linear.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from polydata.errors import InputError
from polydata.splits.manifest import TARGET, Item
from polydata.task import TaskKind
from polymodel.data.split import targets

if TYPE_CHECKING:
    from torch import Tensor

    from polymodel.networks.network import Network
    from polymodel.networks.solver import Problem

Array = NDArray[np.float64]
Head = tuple[Array, Array]
"""Weight (outputs, columns) and bias (outputs,)."""
LOGIT = "logit_"
CHANCE = "p_"
"""Begins the column of a label's probability."""
OLD_CHANCE = "p_positive"
"""What the column of the positive label was called before it bore its name."""
VALUE = "value"


class Nominal:
    """One of several labels: a logit for each.

    Attributes:
        measure: what stands beside the loss in metrics.csv.
        has_classes: which are made to weigh alike; the bins of a number are only for drawing sides alike.
    """

    measure: ClassVar[str] = "accuracy"
    has_classes: ClassVar[bool] = True

    def outputs(self, classes: int) -> int:
        """How many numbers a model puts out."""
        return classes

    def columns(self, classes: Sequence[str]) -> list[str]:
        """Columns that every table of answers has."""
        return [LOGIT + label for label in classes]

    def truth(self, items: Sequence[Item], classes: Sequence[str]) -> NDArray[Any]:
        """What is to be learned of each image, (n,): the index of its label."""
        return targets(items, classes)

    def standard(self, truth: NDArray[Any]) -> tuple[float, float]:
        """Mean and sd by which the truth (n,) of the training side is shifted and scaled for a network."""
        return 0.0, 1.0

    def table(self, outputs: Array, classes: Sequence[str], positive: str) -> dict[str, Array]:
        """Columns of answers (n, outputs)."""
        chances = softmax(outputs, axis=1)[:, classes.index(positive)]
        return {CHANCE + positive: chances} | {LOGIT + label: outputs[:, k] for k, label in enumerate(classes)}

    def known(self, items: Sequence[Item]) -> dict[str, Any]:
        """What tables of answers tell of images beside their label."""
        return {}

    def losses(self, outputs: Tensor, truth: Tensor) -> Tensor:
        """The loss of each image, (n,), of a network's outputs (n, outputs)."""
        from torch.nn import functional

        return functional.cross_entropy(outputs, truth, reduction="none")

    def measured(self, outputs: Tensor, truth: Tensor, sd: float) -> Tensor:
        """What is averaged over images to ``measure``, (n,), of a network's outputs (n, outputs)."""
        return outputs.argmax(1) == truth

    def fit(self, values: NDArray[Any], truth: NDArray[Any], classes: int, problems: Sequence[Problem]) -> list[Head]:
        """Heads of a probe on the same images, as of ``networks.linear.fit_regressions``."""
        from polymodel.networks.linear import fit_regressions

        return fit_regressions(values, truth, classes, problems)

    def loss_and_measure(
        self, outputs: Array, truth: NDArray[Any], weights: Array | None = None
    ) -> tuple[float, float]:
        """Mean loss of a probe's outputs (n, outputs), by the images' weights (n,) where given, and ``measure``."""
        from polymodel.networks.linear import loss_and_accuracy

        return loss_and_accuracy(outputs, truth, weights)

    def check(self, network: Network) -> None:
        """Make sure that a network can be trained for this.

        Raises:
            UsageError: if it does not end as it should.
        """

    def into_units(self, network: Network, mean: float, sd: float) -> None:
        """Let a network answer in units of the truth, which was shifted and scaled for training."""


class Ordinal(Nominal):
    """One of several labels in an order."""

    def losses(self, outputs: Tensor, truth: Tensor) -> Tensor:
        """The sum of the binary cross-entropies of "beyond this label", one for each label but the last, (n,)."""
        import torch

        chances = torch.log_softmax(outputs, dim=1)
        within = torch.logcumsumexp(chances, dim=1)[:, :-1]
        beyond = torch.logcumsumexp(chances.flip(1), dim=1).flip(1)[:, 1:]
        is_beyond = truth[:, None] > torch.arange(within.shape[1], device=truth.device)
        return -torch.where(is_beyond, beyond, within).sum(1)

    def fit(self, values: NDArray[Any], truth: NDArray[Any], classes: int, problems: Sequence[Problem]) -> list[Head]:
        """One direction along which the labels follow each other, and how likely each is by itself."""
        from polymodel.kinds.probes import fit_order
        from polymodel.networks.solver import one_thread

        with one_thread():
            return [fit_order(np.asarray(values, np.float64), truth, classes, one) for one in problems]


class Regression(Nominal):
    """A number: one output, in its unit."""

    measure: ClassVar[str] = "mae"
    has_classes: ClassVar[bool] = False

    def outputs(self, classes: int) -> int:
        """As ``Nominal``."""
        return 1

    def columns(self, classes: Sequence[str]) -> list[str]:
        """As ``Nominal``."""
        return [TARGET, VALUE]

    def truth(self, items: Sequence[Item], classes: Sequence[str]) -> NDArray[Any]:
        """The value of each image in the task's unit, (n,).

        Raises:
            InputError: if the lists of the split hold none.
        """
        try:
            return np.array([float(item.extra[TARGET]) for item in items], dtype=np.float64)
        except (KeyError, ValueError) as error:
            raise InputError(f"The split is one of numbers, but its lists lack or garble {error}.") from None

    def standard(self, truth: NDArray[Any]) -> tuple[float, float]:
        """As ``Nominal``."""
        return float(truth.mean()), float(truth.std()) or 1.0

    def table(self, outputs: Array, classes: Sequence[str], positive: str) -> dict[str, Array]:
        """As ``Nominal``."""
        return {VALUE: outputs[:, 0]}

    def known(self, items: Sequence[Item]) -> dict[str, Any]:
        """As ``Nominal``."""
        return {TARGET: self.truth(items, ())}

    def losses(self, outputs: Tensor, truth: Tensor) -> Tensor:
        """Huber's loss, which a value far from all others pulls less: squared up to one sd, straight beyond, (n,)."""
        from torch.nn import functional

        return functional.huber_loss(outputs[:, 0], truth, reduction="none")

    def measured(self, outputs: Tensor, truth: Tensor, sd: float) -> Tensor:
        """The error of each image without its sign, in the unit."""
        return (outputs[:, 0] - truth).abs() * sd

    def fit(self, values: NDArray[Any], truth: NDArray[Any], classes: int, problems: Sequence[Problem]) -> list[Head]:
        """Ridge regressions of the values, brought to mean 0 and sd 1 by the images that each learns from."""
        from polymodel.kinds.probes import fit_ridge
        from polymodel.networks.solver import one_thread

        with one_thread():
            return [fit_ridge(np.asarray(values, np.float64), truth, one) for one in problems]

    def loss_and_measure(
        self, outputs: Array, truth: NDArray[Any], weights: Array | None = None
    ) -> tuple[float, float]:
        """Mean squared error, weighted by image, and the mean error without its sign."""
        away = outputs[:, 0] - truth
        return float(np.average(away**2, weights=weights)), float(np.abs(away).mean())

    def check(self, network: Network) -> None:
        """As ``Nominal``: the head must be a linear layer, which brings the answer into the unit."""
        network.head_layer()

    def into_units(self, network: Network, mean: float, sd: float) -> None:
        """As ``Nominal``."""
        import torch

        head = network.head_layer()
        with torch.no_grad():
            head.weight.mul_(sd)
            head.bias.mul_(sd).add_(mean)


KINDS: Mapping[TaskKind, Nominal] = {
    TaskKind.NOMINAL: Nominal(),
    TaskKind.ORDINAL: Ordinal(),
    TaskKind.REGRESSION: Regression(),
}


def kind_name(asked: Mapping[str, Any]) -> TaskKind:
    """What is asked, by what a split or run notes of it: nothing for one of several labels."""
    return TaskKind(asked.get("kind", TaskKind.NOMINAL))


def kind_of(asked: Mapping[str, Any]) -> Nominal:
    """The kind of what a split or run notes."""
    return KINDS[kind_name(asked)]
