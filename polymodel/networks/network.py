"""Architectures by registry, and one wrapper through which recipes see any of them."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn

from polydata.errors import InputError, UsageError, first_line

TIMM_PREFIX = "timm:"


@dataclass(frozen=True)
class Architecture:
    """A network that can be asked for by name.

    Attributes:
        name: in this registry.
        library: who builds it.
        model: the library's name for it.
        stages: modules whose outputs are the last two stages' maps (torchvision; timm knows its own).
        head: the linear layer that gives the logits (torchvision; timm knows its own).
        middle: the module before the last block; the last stage but one where none is named.
    """

    name: str
    library: Literal["timm", "torchvision"]
    model: str
    stages: tuple[str, str] = ("", "")
    head: str = ""
    middle: str = ""


REGISTRY: dict[str, Architecture] = {
    a.name: a
    for a in (
        *(
            Architecture(f"efficientnet_lite{n}", "timm", f"tf_efficientnet_lite{n}", middle="blocks.5")
            for n in range(3)
        ),
        Architecture("resnet18", "torchvision", "resnet18", ("layer3", "layer4"), "fc"),
        Architecture("vgg16", "torchvision", "vgg16", ("features.22", "features.29"), "classifier.6", "features.23"),
        Architecture(
            *("densenet121", "torchvision", "densenet121", ("features.denseblock3", "features.norm5"), "classifier"),
            middle="features.transition3",
        ),
    )
}


def architecture(name: str) -> Architecture:
    """The architecture of that name: one of the registry, or ``timm:NAME`` for any that timm builds.

    Raises:
        UsageError: if there is none.
    """
    if name.startswith(TIMM_PREFIX):
        import timm

        model = name.removeprefix(TIMM_PREFIX)
        if not timm.is_model(model):
            close = timm.list_models(f"*{model.split('_')[0]}*")[:5] if model.isidentifier() else []
            raise UsageError(f"timm has no model {model!r}.", f"Near it: {', '.join(close)}." if close else "")
        return Architecture(name, "timm", model)
    if name not in REGISTRY:
        raise UsageError(
            f"There is no architecture {name!r}.", f"Known: {', '.join(REGISTRY)}, or timm:NAME for any model of timm."
        )
    return REGISTRY[name]


T = TypeVar("T")


def twin(whole: T, module: nn.Module) -> T:
    """A copy for another thread of what holds this module: the tensors are shared, so it costs no memory."""
    return copy.deepcopy(whole, {id(tensor): tensor for tensor in (*module.parameters(), *module.buffers())})


class Network:
    """A network with its head, and what recipes need to know of it.

    Attributes:
        module: takes (n, 3, height, width), gives logits (n, classes).
        heads: names of the modules that give the logits; more than one where their mean is taken.
        stages: names of the modules that end the last two stages.
        middle: name of the module after which the last block begins.
        mean, std: per channel, for input between 0 and 1.
    """

    def __init__(self, arch: Architecture, module: nn.Module) -> None:
        self.arch = arch
        self.module = module
        if arch.library == "timm":
            self.heads = _timm_heads(module)
            info = list(getattr(module, "feature_info", []))
            self.stages = (info[-2]["module"], info[-1]["module"]) if len(info) > 1 else ("", "")
            config = module.default_cfg
            self.mean, self.std = tuple(config["mean"]), tuple(config["std"])  # type: ignore[index]
        else:
            self.heads, self.stages = (arch.head,), arch.stages
            self.mean, self.std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
        self.middle = arch.middle or self.stages[0]

    @property
    def head(self) -> str:
        """Name of the module that gives the logits; empty where it is not one alone."""
        return self.heads[0] if len(self.heads) == 1 else ""

    def twin(self) -> Network:
        """The same network for another thread."""
        return twin(self, self.module)

    def set_input_scale(self, mean: tuple[float, ...] | None, std: tuple[float, ...] | None) -> None:
        """Expect another input than the architecture's own; None keeps what is there."""
        self.mean, self.std = mean or self.mean, std or self.std

    def head_layer(self) -> nn.Linear:
        """The linear layer that gives the logits.

        Raises:
            UsageError: if the architecture ends in something else.
        """
        layer = self.module.get_submodule(self.head)
        if not self.head or not isinstance(layer, nn.Linear):
            raise UsageError(f"{self.arch.name} does not end in a linear layer.", "Choose another architecture.")
        return layer

    def replace_head(self, classes: int) -> None:
        """Put a new, randomly filled layer with ``classes`` outputs in place of the head."""
        if self.arch.library == "timm":
            self.module.reset_classifier(classes)  # type: ignore[operator]
            self.heads = _timm_heads(self.module)
            return
        old = self.head_layer()
        parent, _, name = self.head.rpartition(".")
        setattr(self.module.get_submodule(parent), name, nn.Linear(old.in_features, classes))

    def check_input(self, size: int) -> None:
        """Show the network one blank image.

        Args:
            size: side in pixels.

        Raises:
            UsageError: if the architecture cannot take such images.
        """
        training = self.module.training
        blank = torch.zeros(1, 3, size, size, device=next(self.module.parameters()).device)
        self.module.eval()
        try:
            with torch.no_grad():
                self.module(blank)
        except (RuntimeError, AssertionError, ValueError, IndexError, TypeError) as error:
            raise UsageError(
                f"{self.arch.name} cannot take images of {size} px: {first_line(error)}",
                "Choose another --image-size or --arch.",
            ) from error
        finally:
            self.module.train(training)

    def normalise(self, grey: Tensor) -> Tensor:
        """(n, height, width) uint8 grey to (n, 3, height, width) as the network was trained on."""
        scaled = grey.float().div(255).unsqueeze(1).expand(-1, 3, -1, -1)
        shape = (1, 3, 1, 1)
        mean = torch.tensor(self.mean, device=grey.device).view(shape)
        return (scaled - mean) / torch.tensor(self.std, device=grey.device).view(shape)

    def maps(self, images: Tensor) -> list[Tensor]:
        """Outputs of the middle and of the last two stages, (n, channels, height, width), for normalised images.

        Raises:
            UsageError: if the architecture has no such maps.
        """
        if not all(self.stages):
            raise self._without_maps()
        # Some timm models, transformers among them, bring their maps into this shape by themselves.
        brings_maps = self.arch.library == "timm" and hasattr(self.module, "forward_intermediates")
        wanted = {self.middle} - {self.stages[0]} if brings_maps else {self.middle, *self.stages}
        with self._kept(wanted) as kept:
            if brings_maps:
                stages: list[Tensor] = self.module.forward_intermediates(images, indices=2, intermediates_only=True)  # type: ignore[operator]
            else:
                self.module(images)
                stages = [kept[name] for name in self.stages]
        middle = stages[0] if self.middle == self.stages[0] else kept[self.middle]
        return [middle, *stages]

    @contextmanager
    def _kept(self, names: set[str]) -> Iterator[dict[str, Tensor]]:
        """What the modules of these names put out in the last forward pass.

        Raises:
            UsageError: in the forward pass, if a module puts out something else than one tensor.
        """
        kept: dict[str, Tensor] = {}

        def keep(name: str, output: object) -> None:
            if not isinstance(output, Tensor):
                raise self._without_maps()
            kept[name] = output.clone()

        with ExitStack() as hooks:
            for name in names:
                module = self.module.get_submodule(name)
                hooks.enter_context(module.register_forward_hook(lambda _m, _in, out, name=name: keep(name, out)))
            yield kept

    def _without_maps(self) -> UsageError:
        return UsageError(f"{self.arch.name} gives no feature maps.", "Choose another architecture or recipe.")

    def middle_map(self, images: Tensor) -> Tensor:
        """Output of the middle for normalised images, what the last block is given."""
        with self._kept({self._require_middle()}) as kept:
            self.module(images)
        return kept[self.middle]

    def from_middle(self, maps: Tensor, size: int) -> Tensor:
        """Logits (n, classes) from what ``middle_map`` gave for images of this size.

        One blank image runs through the front, and where the last block begins its map is replaced by those
        given, so it works for every network whose last block sees nothing else; ``check_middle`` finds out.
        """
        blank = torch.zeros(1, 3, size, size, device=maps.device)
        module = self.module.get_submodule(self._require_middle())
        with module.register_forward_hook(lambda _module, _inputs, _output: maps):
            logits: Tensor = self.module(blank)
        return logits

    def check_middle(self, images: Tensor) -> None:
        """Make sure that the middle's map alone decides the logits; the network must be in eval mode.

        Raises:
            UsageError: if other paths lead past it.
        """
        with torch.inference_mode():
            again = self.from_middle(self.middle_map(images), images.shape[-1])
            if again.shape != (len(images), self.head_layer().out_features) or not torch.allclose(
                again, self.module(images), rtol=1e-3, atol=1e-3
            ):
                raise UsageError(
                    f"{self.arch.name} has no last block that could be trained by itself.",
                    "Train it with --recipe finetune.",
                )

    def _require_middle(self) -> str:
        if not self.middle:
            raise UsageError(f"{self.arch.name} has no stages to part.", "Train it with --recipe finetune.")
        return self.middle

    def tail(self, after: str = "") -> list[str]:
        """Names of the modules without children that come after one, in order.

        Args:
            after: name of a module; the middle where none is named.
        """
        names = [name for name, part in self.module.named_modules() if not any(part.children())]
        end = max(k for k, name in enumerate(names) if _within(name, after or self._require_middle()))
        return names[end + 1 :]

    def backbone_digest(self) -> str:
        """SHA-256 over all weights but the heads', and mean and sd: networks with the same digest see alike."""
        digest = hashlib.sha256(repr((self.arch.name, self.mean, self.std)).encode())
        for name, value in sorted(self.module.state_dict().items()):
            if not any(_within(name, head) for head in self.heads):
                digest.update(name.encode())
                digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()


def _timm_heads(module: nn.Module) -> tuple[str, ...]:
    """Names of the modules that timm calls the classifier."""
    found = module.get_classifier()  # type: ignore[operator]
    heads = found if isinstance(found, tuple) else (found,)
    return tuple(name for name, part in module.named_modules() if name and any(part is head for head in heads))


def _within(name: str, module: str) -> bool:
    return name == module or name.startswith(f"{module}.")


def build(arch: Architecture, classes: int) -> Network:
    """An untrained network; what it is filled with depends on torch's seed alone.

    Raises:
        InputError: if the library refuses to build it.
    """
    try:
        if arch.library == "timm":
            import timm

            module = timm.create_model(arch.model, pretrained=False, num_classes=classes)
        else:
            from torchvision.models import get_model

            module = get_model(arch.model, weights=None, num_classes=classes)
    except (RuntimeError, TypeError, ValueError) as error:
        raise InputError(f"{arch.name} cannot be built: {error}", "Choose another architecture.") from error
    return Network(arch, module)
