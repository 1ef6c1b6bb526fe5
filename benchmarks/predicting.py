"""Images a second of `polymodel predict`, of the exported file, and of the loop one would write instead.

    predicting.py [--images N] [--rounds N]

All is made here: textures to train a run of the default recipe and a fine-tuned EfficientNet-Lite0 on, and pictures
like micrographs to predict. The plain loop opens a file with pillow, prepares it with torchvision's transforms and asks
the same network about the same number of crops, one picture after the other. Methods take turns; medians are printed,
and their ratios. Predicting includes reading the run's weights each time; the plain loop has its network at hand.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from shown import conditions, show
from torch import Tensor, nn
from torchvision.transforms import InterpolationMode, v2

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from small_split import make_small

from polymodel.config import DeviceName, Hardware, TrainConfig, adjusted
from polymodel.data.split import load_split
from polymodel.networks.network import Network, architecture
from polymodel.networks.weights import load_network
from polymodel.prediction.onnx import OnnxModel, export, open_onnx
from polymodel.prediction.predict import predict
from polymodel.recipes import DEFAULT_ARCH, IMAGENET, Recipe, RecipeName
from polymodel.runs.run import Run
from polymodel.training.train import train

SIZES = ((640, 480), (1280, 960), (359, 270), (900, 700))
BAR = 0.08
"""Share of the height that the information bar takes."""


def micrograph(place: int) -> Image.Image:
    """A grey texture with a dark bar below it."""
    width, height = SIZES[place % len(SIZES)]
    rng = np.random.default_rng(place)
    noise = gaussian_filter(rng.normal(size=(height, width)), 1.5 + place % 5) * (5 + 4 * (place % 5))
    grey = np.clip(128 + 40 * noise + rng.normal(0, 6, size=noise.shape), 0, 255).astype(np.uint8)
    grey[-round(BAR * height) :] = 20
    return Image.fromarray(grey)


def trained(root: Path, recipe: Recipe) -> Run:
    """A run with one part."""
    config = TrainConfig(DEFAULT_ARCH, IMAGENET, None, recipe, (0,))
    hardware = Hardware(DeviceName.CPU)
    return train(load_split("one", root), config, root / "runs", name=recipe.name, hardware=hardware).run


def plain_loop(network: Network, recipe: Recipe) -> Callable[[Sequence[Path], int], None]:
    """What one would write without us: a picture at a time, on so many threads of torch."""
    size = recipe.image_size
    cut = v2.FiveCrop(size) if recipe.kind == "probe" else v2.CenterCrop(size)

    def transform(short_side: int | None) -> Callable[[Image.Image], Tensor | tuple[Tensor, ...]]:
        steps: Callable[[Image.Image], Tensor | tuple[Tensor, ...]] = v2.Compose(
            [
                v2.Grayscale(3),
                v2.Resize(short_side, InterpolationMode.BICUBIC),
                cut,
                v2.ToImage(),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize(network.mean, network.std),
            ]
        )
        return steps

    renderings = [(transform(side), turns) for side, turns in recipe.views or ((recipe.short_side, 0),)]
    module: nn.Module = network.module.eval()

    def run(paths: Sequence[Path], threads: int) -> None:
        torch.set_num_threads(threads)
        for path in paths:
            with Image.open(path) as opened:
                picture = opened.convert("RGB")
            crops: list[Tensor] = []
            for prepare, turns in renderings:
                made = prepare(picture.rotate(90 * turns, expand=True) if turns else picture)
                crops += made if isinstance(made, tuple) else (made,)
            with torch.inference_mode():
                module(torch.stack(crops)).mean(0).softmax(0).tolist()

    return run


def measure(name: str, methods: Mapping[str, Callable[[], object]], images: int, rounds: int) -> list[dict[str, str]]:
    """Run each method in turn: images a second, how often that of the first, and processor seconds."""
    seconds: dict[str, list[float]] = {method: [] for method in methods}
    processor: dict[str, list[float]] = {method: [] for method in methods}
    for number in range(rounds + 1):  # the first one warms up
        for method, call in methods.items():
            began, used = time.perf_counter(), time.process_time()
            call()
            if number:
                seconds[method].append(time.perf_counter() - began)
                processor[method].append(time.process_time() - used)
    base = statistics.median(next(iter(seconds.values())))
    rows = []
    for method, values in seconds.items():
        median, cost = statistics.median(values), statistics.median(processor[method]) / images
        told = {"images/s": f"{images / median:.1f}", "ratio": f"{base / median:.2f}"}
        rows.append({"run": f"`{name}`", "method": method, **told, "processor s an image": f"{cost:.3f}"})
    return rows


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        root = make_small(folder / "workspace").root
        (folder / "images").mkdir()
        paths = [folder / "images" / f"{k}.{'jpg' if k % 2 else 'png'}" for k in range(asked.images)]
        for place, path in enumerate(paths):
            micrograph(place).save(path)
        threads = torch.get_num_threads()

        def ours(model: Run | OnnxModel) -> None:
            torch.set_num_threads(threads)
            predict(model, paths, DeviceName.CPU)

        rows = []
        for recipe in (adjusted(RecipeName.PROBE), adjusted(RecipeName.FINETUNE, epochs=1)):
            run = trained(root, recipe)
            file = open_onnx(export(run, folder / f"{run.name}.onnx").output)
            plain = plain_loop(load_network(architecture(DEFAULT_ARCH), IMAGENET, 2), recipe)
            methods: dict[str, Callable[[], object]] = {
                "plain torch loop": partial(plain, paths, threads),
                "plain torch loop, one thread": partial(plain, paths, 1),
                "`polymodel predict RUN`": partial(ours, run),
                "`polymodel predict FILE.onnx`": partial(ours, file),
            }
            rows += measure(run.name, methods, asked.images, asked.rounds)
        about = f"{asked.images} images, medians of {asked.rounds} rounds, {threads} threads"
        show("predicting", rows, f"{about}; {conditions()}.")


if __name__ == "__main__":
    main()
