from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from sklearn.datasets import load_sample_image

from polydata.errors import InputError, UsageError
from polymodel.config import train_config
from polymodel.networks.network import REGISTRY, architecture, build
from polymodel.networks.weights import WHEELS, fill, load_network, read_state, wheel_state
from polymodel.recipes import Probe


@pytest.mark.parametrize("name", [*REGISTRY, "timm:resnet10t", "timm:vit_tiny_patch16_224"])
def test_every_architecture_gives_logits_maps_and_a_tail(name: str) -> None:
    torch.manual_seed(0)
    network = build(architecture(name), 2)
    network.module.eval()
    side = 224 if "vit" in name else 64
    grey = torch.randint(0, 256, (2, side, side), dtype=torch.uint8)
    with torch.inference_mode():
        images = network.normalise(grey)
        assert images.shape == (2, 3, side, side)
        assert network.module(images).shape == (2, 2)
        assert [m.shape[0] for m in network.maps(images)] == [2, 2, 2]
    assert network.head in network.tail()
    assert len(network.tail()) < len(list(network.module.named_modules()))
    network.replace_head(3)
    assert network.module(images.clone()).shape == (2, 3)


@pytest.mark.parametrize("name", ["resnetv2_50", "dla34", "levit_128s", "efficientformer_l1"])
def test_every_kind_of_head_is_replaced(name: str) -> None:
    network = build(architecture(f"timm:{name}"), 10)
    digest = network.backbone_digest()
    network.replace_head(3)
    assert network.backbone_digest() == digest  # of all but the new head, which every seed fills anew
    network.module.eval()
    with torch.inference_mode():
        assert network.module(torch.zeros(1, 3, 224, 224)).shape == (1, 3)
    heads = network.module.get_classifier()
    assert {network.module.get_submodule(h) for h in network.heads} == set(
        heads if isinstance(heads, tuple) else [heads]
    )


def test_the_seed_alone_decides_a_new_head() -> None:
    network = build(architecture("efficientnet_lite0"), 10)
    torch.manual_seed(5)
    network.replace_head(2)
    torch.manual_seed(5)
    plain = torch.nn.Linear(1280, 2)
    assert torch.equal(network.head_layer().weight, plain.weight)
    assert torch.equal(network.head_layer().bias, plain.bias)


@pytest.mark.parametrize(
    ("name", "size"),
    [("hrnet_w18_small", 64), ("crossvit_9_240", 240), ("pit_ti_224", 224), ("tnt_s_patch16_224", 224)],
)
def test_stages_that_put_out_no_tensor(name: str, size: int) -> None:
    """timm brings their maps into shape; there is no single map to begin a last block with."""
    network = build(architecture(f"timm:{name}"), 2)
    network.module.eval()
    images = torch.zeros(1, 3, size, size)
    with torch.inference_mode():
        assert [m.ndim for m in network.maps(images)] == [4, 4, 4]
        with pytest.raises(UsageError, match=f"{name} gives no feature maps"):
            network.middle_map(images)


@pytest.mark.parametrize(("name", "good", "bad"), [("timm:vit_tiny_patch16_224", 224, 64), ("vgg16", 32, 16)])
def test_image_sizes_are_tried(name: str, good: int, bad: int) -> None:
    network = build(architecture(name), 2)
    network.check_input(good)
    with pytest.raises(UsageError, match=f"{name} cannot take images of {bad} px: .") as caught:
        network.check_input(bad)
    assert "--image-size" in caught.value.hint
    assert network.module.training


def test_unknown_architectures_are_named() -> None:
    with pytest.raises(UsageError, match="resnet19"):
        architecture("resnet19")
    with pytest.raises(UsageError, match="resnet_nothing"):
        architecture("timm:resnet_nothing")


MONASTERY, PALACE, DAISY = 663, 698, 985
BUILDINGS = {442, 449, 483, 497, 538, MONASTERY, PALACE}


@pytest.mark.parametrize("name", WHEELS)
def test_imagenet_weights_from_the_wheel_recognise_photographs(name: str) -> None:
    network = build(architecture(name), 1000)
    network.module.load_state_dict(wheel_state(name, network.module.state_dict()))
    network.module.eval()
    answers = []
    for name in ("china.jpg", "flower.jpg"):
        picture = Image.fromarray(load_sample_image(name)).resize((224, 224), Image.Resampling.BICUBIC)
        pixels = torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
        with torch.inference_mode():
            answers.append(network.module(pixels)[0].topk(5).indices.tolist())
    assert set(answers[0][:3]) <= BUILDINGS
    if name == "efficientnet_lite0":
        assert {MONASTERY, PALACE} <= set(answers[0])
        assert answers[1][0] == DAISY


def test_weights_that_pair_wrongly_are_refused() -> None:
    wanted = build(architecture("timm:tf_efficientnet_lite0"), 10).module.state_dict()
    with pytest.raises(InputError, match="classifier"):
        wheel_state("efficientnet_lite0", wanted)


def test_the_seed_alone_decides_random_weights() -> None:
    def digest(seed: int) -> str:
        torch.manual_seed(seed)
        return load_network(architecture("resnet18"), "none", 2).backbone_digest()

    assert digest(0) == digest(0) != digest(1)


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
@pytest.mark.parametrize("classes", [2, 5])
def test_weights_from_a_file(tmp_path: Path, suffix: str, classes: int) -> None:
    source = build(architecture("resnet18"), classes)
    path = tmp_path / f"weights{suffix}"
    state = source.module.state_dict()
    if suffix == ".pt":
        torch.save({"state_dict": {f"module.{k}": v for k, v in state.items()}}, path)
    else:
        save_file(state, path)
    network = load_network(architecture("resnet18"), str(path), 2)
    assert network.backbone_digest() == source.backbone_digest()
    assert torch.equal(network.head_layer().weight, source.head_layer().weight) == (classes == 2)
    assert len(train_config(Probe(weights=path)).weights_sha256 or "") == 64


def test_weights_that_do_not_fit_name_the_keys(tmp_path: Path) -> None:
    network = build(architecture("resnet18"), 2)
    state = dict(network.module.state_dict())
    state["layer9.weight"] = state.pop("layer1.0.conv1.weight")
    state["conv1.weight"] = torch.zeros(1, 1, 7, 7)
    with pytest.raises(InputError) as caught:
        fill(network, state, "weights.pt")
    assert "missing: layer1.0.conv1.weight" in caught.value.message
    assert "not in the network: layer9.weight" in caught.value.message
    assert "conv1.weight (1, 1, 7, 7) for (64, 3, 7, 7)" in caught.value.message


def test_a_file_without_the_head_is_partial(tmp_path: Path) -> None:
    network = build(architecture("resnet18"), 2)
    state = {k: v for k, v in network.module.state_dict().items() if not k.startswith("fc.")}
    with pytest.raises(InputError, match=r"missing: fc\.bias, fc\.weight"):
        fill(network, state, "weights.pt")


class Evil:
    """Runs code when unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("echo ran > evil.txt",)


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "weights.pt"
    path.write_bytes(pickle.dumps({"a": Evil()}))
    with pytest.raises(InputError, match="read safely"):
        read_state(path)
    torch.save({"a": Evil()}, path)
    with pytest.raises(InputError, match="read safely"):
        read_state(path)
    assert not (tmp_path / "evil.txt").exists()


@pytest.mark.parametrize("content", [b"", b".", b"not weights", b"PK\x03\x04broken"])
@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_damaged_files_are_an_error(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"weights{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError):
        read_state(path)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("zipped", [True, False])
def test_mutated_files_are_read_or_an_error(tmp_path: Path, zipped: bool) -> None:
    path = tmp_path / "weights.pt"
    torch.save({"a.weight": torch.ones(2, 3), "a.bias": torch.zeros(2)}, path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        mutated = bytearray(whole[: rng.integers(1, len(whole) + 1)] if rng.random() < 0.3 else whole)
        for place in rng.integers(0, len(mutated), rng.integers(1, 9)):
            mutated[place] = rng.integers(0, 256)
        path.write_bytes(mutated)
        try:
            read_state(path)
        except InputError:
            refused += 1
    assert refused > 50


def test_missing_files_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no weights file"):
        train_config(Probe(weights=tmp_path / "none.pt"))


def test_unreachable_downloads_say_what_else_can_be_done(tmp_path: Path) -> None:
    """In a process of its own, whose proxy is a closed port, so that no network is needed to fail."""
    code = (
        "from polymodel.networks.network import architecture\n"
        "from polymodel.networks.weights import load_network\n"
        "from polydata.errors import InputError\n"
        "try:\n    load_network(architecture('resnet18'), 'imagenet', 2)\n"
        "except InputError as error:\n    print(error.message, '|', error.hint)\n"
    )
    closed = "http://127.0.0.1:9"
    environment = {
        **os.environ,
        "TORCH_HOME": str(tmp_path),
        "https_proxy": closed,
        "HTTPS_PROXY": closed,
        "no_proxy": "",
    }
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "ImageNet weights of resnet18 could not be downloaded" in done.stdout
    assert "--weights none" in done.stdout
