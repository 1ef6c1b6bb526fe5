"""What the trainings of small networks share: a span of time, a rate that falls, a mean of weights, whole numbers."""

# ruff: noqa: T201 - it tells how far a script is
from __future__ import annotations

import copy
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt
import onnx
import onnx.compose
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import Tensor, nn

Net = TypeVar("Net", bound=nn.Module)
OFTEN, KEPT = 50, 100
"""Steps after which it is told how far a training is, and after which its state is kept."""


def block(before: int, after: int, stride: int | tuple[int, int] = 1) -> nn.Sequential:
    """A convolution with its norm."""
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
    )


class Training(Generic[Net]):
    """A network that is trained on one thread for a span of processor time; it goes on where its state was kept.

    Attributes:
        net: in training.
        mean: the mean of its late weights, which is what a training gives.
        done: steps so far, those of earlier runs included.

    Args:
        net: with weights at random.
        minutes: processor time of all runs together.
        kept: file of the state.
        rate, decay: of AdamW at its height; the rate rises for 100 steps and then falls along a cosine.
    """

    def __init__(self, net: Net, minutes: float, kept: Path, *, rate: float, decay: float) -> None:
        torch.set_num_threads(1)
        self.net, self.mean, self.done, self._kept, self._rate = net, copy.deepcopy(net), 0, kept, rate
        self._optimiser = torch.optim.AdamW(net.parameters(), rate, weight_decay=decay)
        self._seconds, spent = 60 * minutes, 0.0
        if kept.exists():
            state = torch.load(kept, weights_only=True)
            self.net.load_state_dict(state["net"])
            self.mean.load_state_dict(state["mean"])
            self._optimiser.load_state_dict(state["optimiser"])
            self.done, spent = state["done"], state["spent"]
        self._start, self._loss = time.process_time() - spent, float("nan")

    def steps(self) -> Iterator[int]:
        """Numbers of the steps that there is time for, at least one; after each ``learn`` is to be called."""
        passed = 0.0
        while passed < 1:
            passed = min(1.0, (time.process_time() - self._start) / self._seconds)
            for group in self._optimiser.param_groups:
                group["lr"] = self._rate * min(1.0, (self.done + 1) / 100) * (0.5 + 0.5 * float(np.cos(np.pi * passed)))
            yield self.done
            if self.done % OFTEN == 0:
                print(f"step {self.done}  loss {self._loss:.4f}  {100 * passed:.0f} %", flush=True)
            if self.done % KEPT == 0 or passed >= 1:
                self._keep()

    def learn(self, loss: Tensor) -> None:
        """Take one step down a loss."""
        self._optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 2.0)
        self._optimiser.step()
        self.done += 1
        with torch.no_grad():
            share = min(0.998, 1 - 1 / (self.done / 4 + 1))
            for old, new in zip(self.mean.state_dict().values(), self.net.state_dict().values(), strict=True):
                old.lerp_(new, 1 - share) if old.is_floating_point() else old.copy_(new)
        now = float(loss.detach())
        self._loss = now if np.isnan(self._loss) else 0.98 * self._loss + 0.02 * now

    def _keep(self) -> None:
        state = {
            "net": self.net.state_dict(),
            "mean": self.mean.state_dict(),
            "optimiser": self._optimiser.state_dict(),
        }
        torch.save({**state, "done": self.done, "spent": time.process_time() - self._start}, self._kept)


class _Examples(CalibrationDataReader):
    """Inputs by which a network's ranges are measured."""

    def __init__(self, name: str, inputs: Iterable[npt.NDArray[np.float32]]) -> None:
        self._left = ({name: one} for one in inputs)

    def get_next(self) -> dict[str, npt.NDArray[np.float32]] | None:
        """The next one by its name; None at the end."""
        return next(self._left, None)


def quantise(path: Path, name: str, inputs: Iterable[npt.NDArray[np.float32]]) -> None:
    """Write a network in whole numbers of 7 (weights) and 8 bits: a quarter of the bytes, half the time.

    Seven bits of weights add up without overflow on processors that have no instructions of their own for it.

    Args:
        path: of the network, which is written anew.
        name: of its input.
        inputs: examples, by which ranges are measured.
    """
    plain = path.with_suffix(".plain.onnx")
    quant_pre_process(str(path), str(plain), skip_symbolic_shape=True)
    quantize_static(
        str(plain), str(path), _Examples(name, inputs), quant_format=QuantFormat.QDQ, per_channel=True,
        reduce_range=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
    )  # fmt: skip
    plain.unlink()


def average(paths: Sequence[Path], output: Path) -> None:
    """Write a network whose one output is the mean of those of several that take the same input.

    Args:
        paths: of the networks, which have one input and one output each, of the same names.
        output: where the mean is written.
    """
    models = [onnx.load(path) for path in paths]
    first = models[0].graph
    nodes, weights, ends = [], [], []
    for number, model in enumerate(models):
        graph = onnx.compose.add_prefix_graph(model.graph, f"{number}/")
        for node in graph.node:
            names = [first.input[0].name if name == graph.input[0].name else name for name in node.input]
            node.ClearField("input")
            node.input.extend(names)
        nodes, weights, ends = [*nodes, *graph.node], [*weights, *graph.initializer], [*ends, graph.output[0].name]
    nodes.append(onnx.helper.make_node("Mean", ends, [first.output[0].name]))
    whole = onnx.helper.make_graph(nodes, "mean", list(first.input), list(first.output), weights)
    made = onnx.helper.make_model(whole, opset_imports=models[0].opset_import, ir_version=models[0].ir_version)
    onnx.checker.check_model(made)
    onnx.save(made, output)
