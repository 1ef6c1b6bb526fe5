"""Trains the network that tells at a glance whether a picture is a micrograph.

    python data/train_pictures.py --photographs FOLDER --output polydata/vision/pictures_1.onnx

It sees the panels of figures composed at random (``composed_figures.py``), each by itself: micrographs, and plots,
drawings, maps, photographs and plots with a micrograph set into them. ``FOLDER`` holds photographs under open licences,
unpacked from the packages that data/README.md names. What is printed at the end is measured on figures, and on
photographs, that it did not see.
"""

# ruff: noqa: T201 - a script prints
from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

sys.path.insert(0, str(Path(__file__).resolve().parent))

from composed_figures import MICROGRAPH, Figure, compose
from drawn_micrographs import Rgb
from picture_bank import Bank, fill_bank, photographs_in
from training import Training, block

SIDE, BATCH, LEAST = 144, 64, 40
"""Pixels a side at which a picture is seen, pictures a step, pixels a side that a panel must have."""
SIDES, PRINTED = (256, 384, 512), 0.3
"""Pixels of the longer side of a composed figure; share of other panels that bear print as micrographs do."""


class PictureNet(nn.Module):
    """Log-odds that a picture is a micrograph; input is batch x 3 x 144 x 144, 0 to 255."""

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Sequential(
            block(3, 16, 2), block(16, 24), block(24, 40, 2), block(40, 40), block(40, 64, 2), block(64, 64),
            block(64, 96, 2), block(96, 96), block(96, 128, 2), block(128, 128),
        )  # fmt: skip
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(256, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Batch."""
        x = self.look((x - 127.5) / 64)
        return self.head(torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1))[:, 0]


def shown(rgb: Rgb) -> Rgb:
    """A picture as the network sees it, 3 x 144 x 144."""
    return np.asarray(cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA).transpose(2, 0, 1))


def panels_of(figure: Figure) -> Iterator[tuple[Rgb, bool]]:
    """Panels of a composed figure, each with whether it is a micrograph."""
    for (top, left, bottom, right), kind in figure.panels:
        if min(bottom - top, right - left) >= LEAST:
            yield shown(figure.rgb[top:bottom, left:right]), kind == MICROGRAPH


class Panels(IterableDataset[tuple[Tensor, Tensor]]):
    """Endless batches of pictures and whether each is a micrograph, as many of both."""

    def __init__(self, bank: Bank, seed: int) -> None:
        super().__init__()
        self.bank, self.seed = bank, seed

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        rng = np.random.default_rng(self.seed)
        waiting: dict[bool, list[Rgb]] = {True: [], False: []}
        while True:
            while min(map(len, waiting.values())) < BATCH // 2:
                for picture, truth in panels_of(compose(self.bank, rng, int(rng.choice(SIDES)), PRINTED)):
                    waiting[truth] = [*waiting[truth][-BATCH:], picture]
            batch = [waiting[truth].pop() for truth in (True, False) for _ in range(BATCH // 2)]
            yield torch.from_numpy(np.stack(batch)), torch.arange(BATCH) < BATCH // 2


def train(minutes: float, seed: int, bank: Bank, kept: Path) -> nn.Module:
    """Train for a time; the mean of late weights is returned. Goes on from ``kept`` where that is."""
    torch.manual_seed(seed)
    training = Training(PictureNet().to(memory_format=torch.channels_last), minutes, kept, rate=3e-3, decay=1e-2)
    loader = DataLoader(Panels(bank, seed * 1_000 + training.done), batch_size=None, num_workers=1, prefetch_factor=6)
    for _, (pictures, truth) in zip(training.steps(), loader, strict=False):
        with torch.autocast("cpu", torch.bfloat16):
            out = training.net(pictures.to(torch.float32, memory_format=torch.channels_last))
        target = 0.02 + 0.96 * truth.float()
        training.learn(nn.functional.binary_cross_entropy_with_logits(out.float(), target))
    return training.mean.eval()


def export(net: nn.Module, path: Path) -> None:
    """Write a network as ONNX that takes any number of pictures."""
    some = {"pictures": {0: "batch"}, "odds": {0: "batch"}}
    torch.onnx.export(
        net.to(memory_format=torch.contiguous_format), (torch.zeros(2, 3, SIDE, SIDE),), str(path), dynamo=False,
        input_names=["pictures"], output_names=["odds"], dynamic_axes=some, opset_version=17,
    )  # fmt: skip


def main() -> None:
    """Train, write, and measure on what was not seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photographs", type=Path, required=True, help="folder of photographs under open licences")
    parser.add_argument("--output", type=Path, required=True, help="where the network is written")
    parser.add_argument("--minutes", type=float, default=15, help="processor time of training")
    parser.add_argument("--pictures", type=int, default=800, help="micrographs drawn for the bank")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kept", type=Path, default=Path("pictures.pt"), help="state, from which a run goes on")
    options = parser.parse_args()
    photographs = photographs_in(options.photographs, np.random.default_rng(options.seed))
    held = photographs[: len(photographs) // 8]
    bank = fill_bank(options.pictures, options.seed)
    bank.filled += 3 * photographs[len(held) :]
    print(f"drawn: {options.pictures} micrographs; {len(photographs)} photographs", flush=True)
    net = train(options.minutes, options.seed, bank, options.kept)
    export(net, options.output)
    other, rng = fill_bank(60, options.seed + 1), np.random.default_rng([options.seed, 1])
    found = [(picture, truth) for _ in range(200) for picture, truth in panels_of(compose(other, rng, 384, PRINTED))]
    found += [(shown(cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]), False) for one in held]
    with torch.no_grad():
        odds = net(torch.from_numpy(np.stack([picture for picture, _ in found])).float()).numpy()
    truth = np.array([truth for _, truth in found])
    drawn = np.arange(len(found)) < len(found) - len(held)
    for what, rows in (("micrographs", truth), ("other panels", ~truth & drawn), ("photographs held back", ~drawn)):
        print(f"{what}: {rows.sum()}, taken for micrographs {(odds[rows] > 0).mean():.3f}")


if __name__ == "__main__":
    main()
