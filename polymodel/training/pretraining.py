"""``polymodel pretrain``: a network grows used to a user's own micrographs, without any label.

Two random views of each picture go through the network; VICReg asks that they look alike and that pictures do not.
Unless the whole network is trained, what lies before the last stage but one and that stage stay as they were; norms
always do.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from polydata.errors import InputError, RefusedError, UsageError
from polydata.files.atomic import PART, check_output, replacing, writing_to
from polydata.ids import sha256_file
from polydata.splits.manifest import Split
from polydata.types import Progress, quiet
from polydata.workspace import Workspace
from polymodel.config import DeviceName, chosen
from polymodel.data.split import load_split
from polymodel.data.unlabelled import Unlabelled, read_unlabelled
from polymodel.data.views import random_view, standard_transform
from polymodel.networks.devices import choose_device, seeded
from polymodel.networks.network import Network, architecture
from polymodel.networks.pretrained import ENTRY, FILE, OURS, Pretrained, pretrained
from polymodel.networks.vicreg import expander, head_inputs, terms
from polymodel.networks.weights import load_network
from polymodel.recipes import DEFAULT_ARCH, IMAGENET, NO_WEIGHTS
from polymodel.runs.run import write_json
from polymodel.training.batches import PASS_COUNT
from polymodel.training.checkpoints import read_state, write_state

SUFFIX = ".safetensors"
SHORT_SIDE = 1.25
"""Short side of a picture in sides of a view, as of the default recipe's first rendering."""
CROP_AREA, JITTER = 0.3, 0.4
"""Of random views: least share of the area, and by how much brightness and contrast vary."""
WEIGHT_DECAY = 1e-4
FEWEST = 8
"""With fewer pictures a spread over a batch means nothing."""
METHOD = "vicreg 1"


@dataclass(frozen=True)
class Pretraining:
    """How a network is pretrained.

    Attributes:
        arch: a name of the registry, or ``timm:NAME``.
        weights: with which it begins: ``imagenet``, ``none``, or the path of a file.
        image_size: side of a view in pixels.
        epochs: how often every picture is shown, in two views.
        batch_size: pictures of a batch, at least ``FEWEST``.
        learning_rate: of AdamW at its highest, after one epoch; it falls to 0 as a cosine.
        seed: of everything random.
        whole: train all of the network, not only what comes after its last stage but one.
    """

    arch: str = DEFAULT_ARCH
    weights: str = IMAGENET
    image_size: int = 160
    epochs: int = 20
    batch_size: int = 64
    learning_rate: float = 1e-3
    seed: int = 0
    whole: bool = False


@dataclass(frozen=True)
class PretrainedWeights:
    """What ``pretrain`` made.

    Attributes:
        path: the safetensors file.
        sha256: of that file.
        record: what the weights have seen, and how the loss went.
        left_out: how many pictures were not taken, by reason.
        failed: files that could not be read, each with its reason.
        seconds: of this call.
        done_now: epochs of this call; 0 where the file was there already.
    """

    path: Path
    sha256: str
    record: Pretrained
    left_out: Mapping[str, int]
    failed: tuple[tuple[str, str], ...]
    seconds: float
    done_now: int


def pretrain(
    images: Sequence[str | Path],
    output: str | Path,
    method: Pretraining | None = None,
    *,
    split: Split | str | Path | None = None,
    device: DeviceName | str = DeviceName.AUTO,
    workspace: Path | None = None,
    progress: Progress = quiet,
) -> PretrainedWeights:
    """Pretrain a network on pictures without labels; called again, go on after the last epoch that was kept.

    Args:
        images: files, folders of them, workspaces, and folders of ``polydata export panels``, of which accepted panels
            alone are taken; with none at all such a folder among the workspace's exports.
        output: a .safetensors file, for ``weights`` of ``Probe`` and ``Finetune``.
        method: how; ``Pretraining()`` by default.
        split: from ``load_split``, or what that takes: no image and no paper of its test sides is shown.
        device: where to compute. On a processor the same call gives the same bits.
        workspace: of a split's name and of panels; otherwise POLYDATA_WORKSPACE, or the first found from here upwards.
        progress: told of pictures read, and of epochs.

    Raises:
        UsageError: if a setting makes no sense or the network cannot be trained so.
        InputError: if there are too few pictures, one of the split cannot be read, or the loss runs away.
        RefusedError: if the file is there and is something else.
        WorkspaceError: if no workspace is found and one is needed.
    """
    began, method, path = time.monotonic(), method or Pretraining(), Path(output)
    _check(method)
    with writing_to(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    check_output(path, (SUFFIX,), OURS)
    used, before = choose_device(chosen(DeviceName, device, "--device")), pretrained(method.weights)
    split = load_split(split, workspace) if isinstance(split, str | Path) else split
    images = images or [Workspace.find(workspace).exports / "panels"]
    short = round(SHORT_SIDE * method.image_size)
    given = read_unlabelled(images, short, method.image_size, split, progress)
    record = _record(method, given, before, split)
    if len(given.greys) < FEWEST:
        raise InputError(
            f"{len(given.greys)} pictures are left to learn from, and it takes {FEWEST} at least{_reasons(given)}.",
            "Name more images, such as the folder of: polydata export panels --accepted",
        )
    if (there := pretrained(str(path))) is not None:
        if there.settings != record.settings or there.images != record.images or there.papers != record.papers:
            raise RefusedError(f"{path} was pretrained otherwise, or on other pictures.", "Name another --output.")
        return PretrainedWeights(path, sha256_file(path), there, given.left_out, given.failed, _since(began), 0)
    state, history, done = _trained(method, given, record, checkpoint=_checkpoint(path), device=used, progress=progress)
    record = dataclasses.replace(record, history=tuple(history))
    with writing_to(path), replacing(path) as out:
        out.write(save(state, metadata={ENTRY: record.text()}))
    _checkpoint(path).unlink(missing_ok=True)
    return PretrainedWeights(path, sha256_file(path), record, given.left_out, given.failed, _since(began), done)


def _check(method: Pretraining) -> None:
    """Refuse settings that make no sense.

    Raises:
        UsageError: naming the option.
    """
    ranges = {"epochs": (1, 10_000), "batch_size": (FEWEST, 65_536), "image_size": (32, 2048), "seed": (0, 2**31 - 1)}
    for name, (lowest, highest) in ranges.items():
        if not lowest <= getattr(method, name) <= highest:
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(f"{flag} must lie between {lowest} and {highest}, not {getattr(method, name)}.")
    if not (0 < method.learning_rate <= 1):
        raise UsageError(f"--learning-rate must be above 0 and at most 1, not {method.learning_rate}.")
    if method.weights not in (IMAGENET, NO_WEIGHTS) and not Path(method.weights).is_file():
        hint = "--weights takes imagenet, none, or the path of a file."
        raise InputError(f"There is no weights file {method.weights}.", hint)


def _reasons(given: Unlabelled) -> str:
    """Why pictures were left out, in words behind a sentence."""
    why = [f"{number} {reason}" for reason, number in given.left_out.items()]
    why += [f"{len(given.failed)} that cannot be read"] if given.failed else []
    return f"; left out: {', '.join(why)}" if why else ""


def _since(began: float) -> float:
    return round(time.monotonic() - began, 1)


def _record(method: Pretraining, given: Unlabelled, before: Pretrained | None, split: Split | None) -> Pretrained:
    """What will have been seen, by this pretraining and by that of the weights with which it begins."""
    settings = {"method": METHOD, **dataclasses.asdict(method)}
    if method.weights not in (IMAGENET, NO_WEIGHTS):
        settings["weights"] = sha256_file(Path(method.weights))
    images = {**(before.images if before else {}), **given.images}
    papers = tuple(sorted({*(before.papers if before else ()), *given.papers}))
    return Pretrained(settings, images, papers, split.name if split else None)


def _checkpoint(path: Path) -> Path:
    return path.with_name(f".{path.name}.checkpoint{PART}")


def _trained(
    method: Pretraining, given: Unlabelled, record: Pretrained, *, checkpoint: Path, device: str, progress: Progress
) -> tuple[dict[str, Tensor], list[dict[str, Any]], int]:
    """All tensors (of a head with one output, which learned nothing), a row for each epoch, and epochs of this call."""
    meaning = hashlib.sha256(json.dumps([record.text(), device]).encode()).hexdigest()
    history: list[dict[str, Any]] = []
    with seeded(method.seed, device):
        network = load_network(architecture(method.arch), method.weights, 1)
        network.check_input(method.image_size)
        trained = _trained_parameters(network, whole=method.whole)
        above = expander(network.head_layer().in_features).to(device)
        network.module.to(device).eval()
        optimiser = torch.optim.AdamW([*trained, *above.parameters()], method.learning_rate, weight_decay=WEIGHT_DECAY)
        holders: tuple[Any, ...] = (network.module, above, optimiser)
        if (kept := read_state(checkpoint)) is not None and kept[1].get("meaning") == meaning:
            for holder, state in zip(holders, kept[0], strict=True):
                holder.load_state_dict(state)
            history = kept[1]["history"]
        first = len(history)
        for epoch in range(first, method.epochs):
            history.append(_epoch(method, given, epoch, (network, above, optimiser), device))
            if not math.isfinite(history[-1]["loss"]):
                checkpoint.unlink(missing_ok=True)
                raise InputError(f"The loss of epoch {epoch + 1} is no number.", "Take a smaller --learning-rate.")
            progress(f"pretraining, loss {history[-1]['loss']:.2f}", epoch + 1, method.epochs)
            write_state(checkpoint, holders, {"history": history, "meaning": meaning})
    state = {name: value.cpu().contiguous().clone() for name, value in network.module.state_dict().items()}
    return state, history, method.epochs - first


def _trained_parameters(network: Network, *, whole: bool) -> list[nn.Parameter]:
    """What learns: the network behind its last stage but one, or all of it; never norms, never the head.

    Raises:
        UsageError: if the network has no stages, and not all of it is to be trained.
    """
    if not whole and not network.stages[0]:
        raise UsageError(f"{network.arch.name} has no stages to part.", "Pretrain all of it with --whole.")
    names = [name for name, _ in network.module.named_modules()] if whole else network.tail(network.stages[0])
    network.module.requires_grad_(False)
    chosen = [
        parameter
        for name in names
        if name not in network.heads and not isinstance(part := network.module.get_submodule(name), _BatchNorm)
        for parameter in part.parameters(recurse=False)
    ]
    for parameter in chosen:
        parameter.requires_grad_(True)
    return chosen


def _epoch(
    method: Pretraining,
    given: Unlabelled,
    epoch: int,
    parts: tuple[Network, nn.Sequential, torch.optim.Optimizer],
    device: str,
) -> dict[str, Any]:
    """Show every picture once, in two views; what is random follows from seed and epoch alone."""
    network, above, optimiser = parts
    began, count = time.monotonic(), len(given.greys)
    transform = standard_transform(method.image_size, CROP_AREA, JITTER)
    generator = torch.Generator().manual_seed(method.seed * PASS_COUNT + epoch)
    order = torch.randperm(count, generator=generator).tolist()
    size = min(method.batch_size, count)
    batches = [order[start : start + size] for start in range(0, count - size + 1, size)]
    sums = torch.zeros(3, dtype=torch.float64)
    above.train()
    for number, batch in enumerate(batches):
        for group in optimiser.param_groups:
            group["lr"] = method.learning_rate * _share(epoch + number / len(batches), method.epochs)
        views = []
        for view in range(2):
            states = [((method.seed * 2 + view) * PASS_COUNT + epoch) * PASS_COUNT + place for place in batch]
            greys = (
                random_view(given.greys[place], method.image_size, transform, state % 2**63)
                for place, state in zip(batch, states, strict=True)
            )
            views.append(torch.stack(list(greys)).to(device))
        with head_inputs(network) as seen:
            for shown in views:
                network.module(network.normalise(shown))
        found = terms(above(seen[0]), above(seen[1]))
        optimiser.zero_grad(set_to_none=True)
        found.loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        sums += torch.stack([found.loss.detach(), found.distance, found.spread]).cpu().double()
    loss, distance, spread = (sums / len(batches)).tolist()
    row = {"epoch": epoch + 1, "loss": loss, "distance": distance, "spread": spread}
    return row | {"pictures": size * len(batches), "seconds": _since(began)}


def _share(epochs_done: float, epochs: int) -> float:
    """The share of the highest learning rate: it rises over the first epoch and falls to 0 as a cosine."""
    warm = min(1.0, epochs / 4)
    if epochs_done < warm:
        return max(epochs_done, 0.02) / warm
    return 0.5 * (1 + math.cos(math.pi * (epochs_done - warm) / max(epochs - warm, 1e-9)))


def note(folder: Path, weights: str) -> None:
    """Keep beside a run what the weights had seen with which it begins, where they were pretrained here.

    Args:
        folder: of the run.
        weights: as of ``Method``.
    """
    if (found := pretrained(weights)) is not None:
        write_json(folder / FILE, json.loads(found.text()))
