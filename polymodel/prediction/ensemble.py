"""The parts of a run as one module that answers together: what predicts, and what is exported."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from polydata.errors import InputError, RefusedError
from polymodel.data.views import Grey, Preparation, preparation
from polymodel.networks.devices import seeded
from polymodel.networks.features import describe
from polymodel.networks.linear import Array
from polymodel.networks.network import Network, architecture, build, twin
from polymodel.networks.weights import fill, load_network, read_state
from polymodel.recipes import NO_WEIGHTS
from polymodel.runs.run import MODEL, PartKey, Run
from polymodel.training.batches import view_logits


class Probe(nn.Module):
    """A linear head on the features of a frozen network.

    Args:
        network: in eval mode.
        weight, bias: of the head, on the processor.
    """

    def __init__(self, network: Network, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.network, self.module = network, network.module
        self.weight, self.bias = nn.Buffer(weight), nn.Buffer(bias)

    def forward(self, views: Tensor) -> Tensor:
        """Logits (n, classes) of (n, views, size, size)."""
        features = torch.cat(describe(self.network, views), dim=1)
        return features.cpu().to(self.weight.dtype) @ self.weight.T + self.bias


class Trained(nn.Module):
    """A network that was trained itself, in eval mode."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network, self.module = network, network.module

    def forward(self, views: Tensor) -> Tensor:
        """Logits (n, classes) of (n, views, size, size)."""
        return view_logits(self.network, views).cpu()


class Answers(nn.Module):
    """All parts of a run together.

    Args:
        members: each gives logits on the processor.
        device: where their networks are.
        preparation: how they see a picture.
    """

    def __init__(self, members: Sequence[nn.Module], device: str, preparation: Preparation) -> None:
        super().__init__()
        self.members, self.device, self.preparation = nn.ModuleList(members), device, preparation

    def forward(self, views: Tensor) -> Tensor:
        """Logits (n, classes), the mean over the parts, of (n, views, size, size) uint8."""
        return torch.stack([member(views) for member in self.members]).mean(0)

    def answer(self, views: Grey) -> Array:
        """Logits (classes,) of the views (views, size, size) of one picture."""
        with torch.inference_mode():
            logits: Array = self(torch.from_numpy(views)[None].to(self.device))[0].double().numpy()
        return logits

    def twin(self) -> Answers:
        """The same for another thread."""
        return twin(self, self)


def open_answers(run: Run, device: str) -> Answers:
    """The networks of a finished run, in eval mode.

    Args:
        run: from ``open_run``.
        device: ``cpu``, ``cuda`` or ``mps``.

    Raises:
        RefusedError: if the run is not finished, or its network is not the one that it was trained with.
        InputError: if weights cannot be read.
    """
    run.require_finished()
    members: list[nn.Module]
    if run.config.recipe.kind == "loop":
        members = [_trained(run, key, device) for key in run.planned]
    else:
        # With random weights each seed has a network of its own; otherwise all share one.
        by_network: dict[int, list[PartKey]] = {}
        for key in run.planned:
            by_network.setdefault(key.seed if run.config.weights == NO_WEIGHTS else 0, []).append(key)
        members = [_probe(run, keys, device) for keys in by_network.values()]
    answers = Answers(members, device, preparation(run.config.recipe)).eval()
    return answers.to(memory_format=torch.channels_last) if device == "cpu" else answers


def _trained(run: Run, key: PartKey, device: str) -> Trained:
    network = build(architecture(run.config.arch), len(run.classes))
    fill(network, read_state(run.part_folder(key) / MODEL), f"{run.name}/{key.folder}")
    network.set_input_scale(*run.config.input_scale)
    network.module.to(device)
    return Trained(network)


def _probe(run: Run, keys: Sequence[PartKey], device: str) -> Probe:
    """All heads on one frozen network; they are linear, so their mean is one head."""
    config = run.config
    with seeded(keys[0].seed):
        network = load_network(architecture(config.arch), config.weights, len(run.classes), config.input_scale)
    digest = network.backbone_digest()
    if any(run.part(key)["backbone_digest"] != digest for key in keys):
        raise RefusedError(
            f"The network {config.arch} with weights {config.weights} is no longer the one that "
            f"{run.name} was trained with.",
            "Install the versions named in run.json, or train the run again.",
        )
    states = [read_state(run.part_folder(key) / MODEL) for key in keys]
    try:
        weight, bias = (np.mean([state[name].numpy() for state in states], axis=0) for name in ("weight", "bias"))
    except KeyError as error:
        raise InputError(f"{run.name} holds a part without {error}.", "Train the run again.") from error
    network.module.to(device)
    return Probe(network, torch.from_numpy(weight), torch.from_numpy(bias))
