"""The parts of a run as one module that answers together: what predicts, and what is exported."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from polydata.errors import InputError, RefusedError
from polymodel.data.preparation import Preparation, preparation
from polymodel.data.views import Grey
from polymodel.networks.devices import seeded
from polymodel.networks.features import describe
from polymodel.networks.linear import Array
from polymodel.networks.network import Network, architecture, build, twin
from polymodel.networks.novelty import Reference, reference_from
from polymodel.networks.weights import fill, load_network, read_state
from polymodel.recipes import NO_WEIGHTS, Recipe
from polymodel.runs.parts import recipe_of
from polymodel.runs.run import MODEL, REFERENCE, PartKey, Run
from polymodel.training.batches import view_logits


class Probe(nn.Module):
    """Linear heads on the features of a frozen network.

    Args:
        network: in eval mode.
        weight, bias: of the heads, (parts, classes, features) and (parts, classes), on the processor.
    """

    def __init__(self, network: Network, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.network, self.module = network, network.module
        self.weight, self.bias = nn.Buffer(weight), nn.Buffer(bias)

    def at(self, places: Sequence[int]) -> Probe:
        """The heads at these places alone."""
        return Probe(self.network, self.weight[list(places)], self.bias[list(places)])

    def merged(self) -> Probe:
        """All heads as one: they are linear, so it gives their mean."""
        return Probe(self.network, self.weight.mean(0, keepdim=True), self.bias.mean(0, keepdim=True))

    def asked(self, views: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (n, parts, classes) of (n, views, size, size), and the first block of features (n, features)."""
        blocks = [block.cpu() for block in describe(self.network, views)]
        features = torch.cat(blocks, dim=1).to(self.weight.dtype)
        logits = features @ self.weight.flatten(0, 1).T + self.bias.flatten()
        return logits.reshape(-1, *self.bias.shape), blocks[0]

    def forward(self, views: Tensor) -> Tensor:
        """Logits (n, parts, classes) of (n, views, size, size)."""
        return self.asked(views)[0]


class Trained(nn.Module):
    """A network that was trained itself, in eval mode."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network, self.module = network, network.module

    def forward(self, views: Tensor) -> Tensor:
        """Logits (n, 1, classes) of (n, views, size, size)."""
        return view_logits(self.network, views).cpu()[:, None]


class Answers(nn.Module):
    """All parts of a run together.

    Args:
        members: each gives logits of some parts on the processor.
        keys: the parts, in the order of the members and their logits.
        device: where their networks are.
        preparations: how each member sees a picture.
    """

    def __init__(
        self,
        members: Sequence[nn.Module],
        keys: Sequence[PartKey],
        device: str,
        preparations: Sequence[Preparation],
    ) -> None:
        super().__init__()
        self.members, self.keys = nn.ModuleList(members), tuple(keys)
        self.device, self.preparations = device, tuple(preparations)

    @property
    def preparation(self) -> Preparation:
        """How all members see a picture.

        Raises:
            InputError: if they do not see it alike, since a search chose so.
        """
        if len(set(self.preparations)) > 1:
            raise InputError(
                "The parts of this run see pictures in different ways, which a search chose for each of them.",
                "It can predict. To explain or export, train with one of the recipes that were chosen.",
            )
        return self.preparations[0]

    def merged(self) -> Answers:
        """The same with one head a network, which gives the same mean."""
        members = [member.merged() if isinstance(member, Probe) else member for member in self.members]
        return Answers(members, self.keys, self.device, self.preparations).eval()

    def only(self, places: Sequence[int]) -> Answers:
        """The parts at these places alone."""
        members: list[nn.Module] = []
        shown: list[Preparation] = []
        begin = 0
        for member, how in zip(self.members, self.preparations, strict=True):
            count = len(member.bias) if isinstance(member, Probe) else 1
            if own := [place - begin for place in places if 0 <= place - begin < count]:
                members.append(member.at(own) if isinstance(member, Probe) else member)
                shown.append(how)
            begin += count
        return Answers(members, [self.keys[place] for place in places], self.device, shown).eval()

    def forward(self, views: Tensor) -> Tensor:
        """Logits (n, classes), the mean over the parts, of (n, views, size, size) uint8."""
        return torch.cat([member(views) for member in self.members], dim=1).mean(1)

    def answer(self, views: Grey) -> Array:
        """Logits (classes,) of the views (views, size, size) of one picture."""
        return np.asarray(self.each(views)[0].mean(0))

    def see(self, picture: Image.Image) -> tuple[Array, list[Array], bool]:
        """As ``each``, of an RGB picture, and whether some member wanted a scale that cannot be read in it."""
        prepared = {one: one.prepare(picture) for one in dict.fromkeys(self.preparations)}
        logits, features = [], []
        for member, shown in zip(self.members, self.preparations, strict=True):
            said, own = self._asked([member], prepared[shown].views)
            logits.append(said)
            features += own
        return np.concatenate(logits), features, any(one.unscaled(found) for one, found in prepared.items())

    def each(self, views: Grey) -> tuple[Array, list[Array]]:
        """Of the views (views, size, size) of one picture the logits (parts, classes), and what each part makes of it.

        Returns:
            The second is for each part of a probe its first block of features (1, features); else empty.
        """
        return self._asked(self.members, views)

    def _asked(self, members: Iterable[nn.Module], views: Grey) -> tuple[Array, list[Array]]:
        logits, features = [], []
        with torch.inference_mode():
            given = torch.from_numpy(views)[None].to(self.device)
            for member in members:
                if isinstance(member, Probe):
                    said, means = member.asked(given)
                    features += [means.numpy()] * said.shape[1]
                else:
                    said = member(given)
                logits.append(said[0].double().numpy())
        return np.concatenate(logits), features

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
    recipes = {key: recipe_of(run, key) for key in run.planned}
    if run.config.recipe.kind == "loop":
        keys = list(run.planned)
        members: list[nn.Module] = [_trained(run, key, recipes[key], device) for key in keys]
        shown = [preparation(recipes[key]) for key in keys]
    else:
        # With random weights each seed has a network of its own; otherwise all that see pictures alike share one.
        by_network: dict[tuple[int, Preparation], list[PartKey]] = {}
        for key in run.planned:
            network = key.seed if run.config.weights == NO_WEIGHTS else 0
            by_network.setdefault((network, preparation(recipes[key])), []).append(key)
        keys = [key for some in by_network.values() for key in some]
        members = [_probe(run, some, device) for some in by_network.values()]
        shown = [one for _, one in by_network]
    answers = Answers(members, keys, device, shown).eval()
    return answers.to(memory_format=torch.channels_last) if device == "cpu" else answers


def _trained(run: Run, key: PartKey, recipe: Recipe, device: str) -> Trained:
    network = build(architecture(run.config.arch), run.kind.outputs(len(run.classes)))
    fill(network, read_state(run.part_folder(key) / MODEL), f"{run.name}/{key.folder}")
    network.set_input_scale(*replace(run.config, recipe=recipe).input_scale)
    network.module.to(device)
    return Trained(network)


def _probe(run: Run, keys: Sequence[PartKey], device: str) -> Probe:
    """All heads on one frozen network."""
    config = run.config
    with seeded(keys[0].seed):
        outputs = run.kind.outputs(len(run.classes))
        network = load_network(architecture(config.arch), config.weights, outputs, config.input_scale)
    digest = network.backbone_digest()
    if any(run.part(key)["backbone_digest"] != digest for key in keys):
        raise RefusedError(
            f"The network {config.arch} with weights {config.weights} is no longer the one that "
            f"{run.name} was trained with.",
            "Install the versions named in run.json, or train the run again.",
        )
    states = [read_state(run.part_folder(key) / MODEL) for key in keys]
    try:
        weight, bias = (torch.stack([state[name] for state in states]) for name in ("weight", "bias"))
    except KeyError as error:
        raise InputError(f"{run.name} holds a part without {error}.", "Train the run again.") from error
    network.module.to(device)
    return Probe(network, weight, bias)


def references(run: Run, keys: Sequence[PartKey]) -> list[Reference | None]:
    """What the training images of each part look like; None for a part that was trained without saying so.

    Raises:
        InputError: if a file is damaged.
    """
    found: list[Reference | None] = []
    for key in keys:
        path = run.part_folder(key) / REFERENCE
        try:
            found.append(reference_from(read_state(path)) if path.is_file() else None)
        except KeyError as error:
            raise InputError(f"{path} lacks {error}.", "Train the run again.") from error
    return found
