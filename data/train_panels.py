"""Trains the network that takes figures apart, on figures composed at random, and writes it as ONNX.

    python data/train_panels.py --output polydata/vision/panels_1.onnx [--minutes 60] [--seed 1]

A U-Net of half a million parameters reads a figure and tells of every second pixel whether it is ground, micrograph
or another panel, and whether a panel ends there. Strip pooling (Hou et al., "Strip Pooling", CVPR 2020) lets a row or
column of the coarse levels know of its whole length, for gutters run from side to side. Nothing of any article is
read: pictures are drawn, or come under open licences with other packages (data/README.md). The last lines compare
panels with the truth on figures of seeds that were not trained on.
"""

# ruff: noqa: T201 - a script prints
from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset

sys.path.insert(0, str(Path(__file__).resolve().parent))

from composed_figures import GROUND, compose
from picture_bank import Bank, fill_bank
from training import Training, block, quantise

SIDES = (256, 320, 384, 448, 512)
PIXELS = 8 * 320 * 320
"""Of a batch, about."""
REACH = 2
"""Pixels on either side of a panel's edge that count as border."""
TOUCHING = 4.0
"""Weight of an edge between panels that touch, which is hard to see and rare, over that of one on a plain ground."""
LEVELS = (12, 24, 48, 80, 112)


class StripPooling(nn.Module):
    """Adds to each place what its whole row and its whole column hold on average."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.rows, self.columns = nn.Conv1d(width, width, 3, padding=1), nn.Conv1d(width, width, 3, padding=1)
        self.join = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        along = self.rows(x.mean(3)).unsqueeze(3) + self.columns(x.mean(2)).unsqueeze(2)
        return x + self.join(functional.relu(along))


class PanelNet(nn.Module):
    """Logits at half the resolution: ground, micrograph, other panel, border.

    Input is batch x 3 x height x width, 0 to 255, both sides multiples of 32.
    """

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d, e = LEVELS
        self.stem = nn.Sequential(block(3, a, 2), block(a, a))
        self.down = nn.ModuleList(
            nn.Sequential(block(x, y, 2), block(y, y)) for x, y in ((a, b), (b, c), (c, d), (d, e))
        )
        self.strips = nn.ModuleList([StripPooling(c), StripPooling(d), StripPooling(e)])
        ups = ((e + d, 64), (64 + c, 40), (40 + b, 24), (24 + a, 16))
        self.up = nn.ModuleList(block(x, y) for x, y in ups)
        self.head = nn.Conv2d(16, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Batch x 4 x height / 2 x width / 2."""
        x = self.stem((x - 127.5) / 64)
        kept = [x]
        for level, down in enumerate(self.down):
            x = down(x)
            x = self.strips[level - 1](x) if level else x
            kept.append(x)
        for up, other in zip(self.up, reversed(kept[:-1]), strict=True):
            x = up(torch.cat([functional.interpolate(x, scale_factor=2.0, mode="nearest"), other], 1))
        return self.head(x)


class Composed(IterableDataset[tuple[Tensor, ...]]):
    """Endless batches of pictures, classes, edges, and the weights of places and of their edges."""

    def __init__(self, bank: Bank, seed: int) -> None:
        super().__init__()
        self.bank, self.seed = bank, seed

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        torch.set_num_threads(1)
        rng = np.random.default_rng(self.seed)
        while True:
            side = int(rng.choice(SIDES))
            count = max(2, round(PIXELS / side**2))
            pictures = np.full((count, 3, side, side), 255, np.uint8)
            classes = np.zeros((count, side // 2, side // 2), np.int64)
            borders = np.zeros((count, side // 2, side // 2), np.float32)
            weights = np.full((count, side // 2, side // 2), 0.1, np.float32)
            hard = weights.copy()
            for n in range(count):
                figure = compose(self.bank, rng, side)
                h, w = figure.classes.shape
                pictures[n, :, :h, :w] = figure.rgb.transpose(2, 0, 1)
                whole = np.zeros((side, side), np.uint8)
                whole[:h, :w] = figure.classes
                classes[n] = whole[::2, ::2]
                edges = np.zeros((side, side), bool)
                for (top, left, bottom, right), _ in figure.panels:
                    low, high = max(0, top - REACH), max(0, left - REACH)
                    for y in (top, bottom):
                        edges[max(0, y - REACH) : y + REACH, high : right + REACH] = True
                    for x in (left, right):
                        edges[low : bottom + REACH, max(0, x - REACH) : x + REACH] = True
                borders[n] = edges[::2, ::2]
                weights[n, : h // 2, : w // 2] = 1
                ground = cv2.dilate((classes[n] == GROUND).astype(np.uint8), np.ones((5, 5), np.uint8))
                hard[n] = np.where(edges[::2, ::2] & (ground == 0), TOUCHING, 1.0) * weights[n]
            yield tuple(map(torch.from_numpy, (pictures, classes, borders, weights, hard)))


def loss_of(out: Tensor, classes: Tensor, borders: Tensor, weights: Tensor, hard: Tensor) -> Tensor:
    """Cross entropy of the classes, and of the edges with what they overlap."""
    kinds = functional.cross_entropy(out[:, :3], classes, reduction="none")
    edge = functional.binary_cross_entropy_with_logits(
        out[:, 3], borders, reduction="none", pos_weight=torch.tensor(2.0)
    )
    seen = torch.sigmoid(out[:, 3]) * weights
    overlap = 1 - (2 * (seen * borders).sum() + 1) / (seen.sum() + (borders * weights).sum() + 1)
    return (kinds * weights + edge * hard).sum() / weights.sum() + 0.5 * overlap


def train(minutes: float, seed: int, bank: Bank, kept: Path) -> nn.Module:
    """Train for a time; the mean of late weights is returned. Goes on from ``kept`` where that is."""
    torch.manual_seed(seed)
    training = Training(PanelNet().to(memory_format=torch.channels_last), minutes, kept, rate=4e-3, decay=1e-4)
    figures = Composed(bank, seed * 1_000 + training.done)
    loader = DataLoader(figures, batch_size=None, num_workers=1, prefetch_factor=6)
    for _, (pictures, classes, borders, weights, hard) in zip(training.steps(), loader, strict=False):
        out = training.net(pictures.to(torch.float32, memory_format=torch.channels_last))
        training.learn(loss_of(out, classes, borders, weights, hard))
    return training.mean.eval()


def export(net: nn.Module, path: Path) -> None:
    """Write a network as ONNX that takes figures of any size."""
    sizes = {0: "batch", 2: "height", 3: "width"}
    torch.onnx.export(
        net.to(memory_format=torch.contiguous_format), (torch.zeros(1, 3, 256, 320),), str(path), dynamo=False,
        input_names=["figure"], output_names=["logits"], dynamic_axes={"figure": sizes, "logits": sizes},
        opset_version=17,
    )  # fmt: skip


def main() -> None:
    """Train and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="where the network is written")
    parser.add_argument("--minutes", type=float, default=120, help="processor time of training")
    parser.add_argument("--pictures", type=int, default=3000, help="micrographs drawn for the bank")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kept", type=Path, default=Path("panels.pt"), help="state, from which a run goes on")
    options = parser.parse_args()
    start = time.perf_counter()
    bank = fill_bank(options.pictures, options.seed)
    print(f"drawn: {options.pictures} micrographs in {time.perf_counter() - start:.0f} s", flush=True)
    net = train(options.minutes, options.seed, bank, options.kept)
    export(net, options.output)
    shown = (pictures[:1].float().numpy() for pictures, *_ in Composed(bank, options.seed + 1))
    quantise(options.output, "figure", itertools.islice(shown, 60))
    print(f"written: {options.output}, {sum(p.numel() for p in net.parameters())} parameters")


if __name__ == "__main__":
    main()
