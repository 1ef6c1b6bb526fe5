"""Trains the network that reads the letters of panels, on corners drawn at random, and writes it as ONNX.

    python data/train_letters.py --output polydata/vision/letters_1.onnx [--minutes 20] [--seed 1]

Of every eighth pixel of a corner it tells which letter has its middle there, or none. No picture of any article is
read. The last lines tell how many letters of corners of another seed were read right, wrong and not at all.
"""

# ruff: noqa: T201 - a script prints
from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parent))

from drawn_letters import Corner, draw_corners
from picture_bank import Bank, fill_bank
from training import Training, block, quantise

from polydata.vision.corner_letters import LETTERS, SIDE, STRIDE

BATCH = 48
CELLS = SIDE // STRIDE


class LetterNet(nn.Module):
    """Logits of none and of each letter, at an eighth of the resolution.

    Input is batch x 1 x height x width, 0 to 255, both sides multiples of 8.
    """

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Sequential(
            block(1, 16, 2), block(16, 24), block(24, 32, 2), block(32, 48), block(48, 64, 2), block(64, 64),
            block(64, 64), block(64, 96), nn.Conv2d(96, len(LETTERS) + 1, 1),
        )  # fmt: skip
        self.look[-1].bias.data[0] = 5.0  # almost everywhere stands none

    def forward(self, x: Tensor) -> Tensor:
        """Batch x (letters + 1) x height / 8 x width / 8."""
        x = x - x.mean((2, 3), keepdim=True)
        return self.look(x / (x.square().mean((2, 3), keepdim=True).sqrt() + 8))


def pictures(corners: list[Corner]) -> npt.NDArray[np.float32]:
    """What the network is shown: corners x 1 x rows x columns."""
    return np.stack([one.grey for one in corners])[:, None].astype(np.float32)


def truth_of(corners: list[Corner]) -> tuple[Tensor, Tensor]:
    """Class of each cell, and whether it counts: those about a letter's middle do not."""
    classes, counts = (
        np.zeros((len(corners), CELLS, CELLS), np.int64),
        np.ones((len(corners), CELLS, CELLS), np.float32),
    )
    centres = (np.arange(CELLS) + 0.5) * STRIDE
    for n, corner in enumerate(corners):
        if corner.letter:
            x, y = corner.centre
            away = np.hypot(centres[None, :] - x, centres[:, None] - y)
            near = away <= max(0.71 * STRIDE, 0.15 * corner.size)
            counts[n][(away <= max(1.5 * STRIDE, 0.45 * corner.size)) & ~near] = 0
            classes[n][near] = corner.letter
    return torch.from_numpy(classes), torch.from_numpy(counts)


def loss_of(out: Tensor, classes: Tensor, counts: Tensor) -> Tensor:
    """Cross entropy in which cells that are told well weigh little (Lin et al., "Focal loss", ICCV 2017)."""
    entropy = nn.functional.cross_entropy(out, classes, reduction="none")
    weighed = (1 - torch.exp(-entropy)) ** 2 * entropy * counts
    found = classes > 0
    return weighed[found].mean() + weighed[~found].sum() / out.shape[0] / 2


def train(minutes: float, seed: int, bank: Bank, kept: Path) -> nn.Module:
    """Train for a time; the mean of late weights is returned. Goes on from ``kept`` where that is."""
    torch.manual_seed(seed)
    training = Training(LetterNet().to(memory_format=torch.channels_last), minutes, kept, rate=4e-3, decay=1e-3)
    rng = np.random.default_rng([seed, training.done])
    for _ in training.steps():
        corners = draw_corners(bank, rng, BATCH)
        batch = torch.from_numpy(pictures(corners))
        out = training.net(batch.contiguous(memory_format=torch.channels_last))
        training.learn(loss_of(out, *truth_of(corners)))
    return training.mean.eval()


def export(net: nn.Module, path: Path) -> None:
    """Write a network as ONNX that takes any number of corners."""
    some = {"corners": {0: "batch"}, "logits": {0: "batch"}}
    torch.onnx.export(
        net.to(memory_format=torch.contiguous_format), (torch.zeros(2, 1, SIDE, SIDE),), str(path), dynamo=False,
        input_names=["corners"], output_names=["logits"], dynamic_axes=some, opset_version=17,
    )  # fmt: skip


def main() -> None:
    """Train and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="where the network is written")
    parser.add_argument("--minutes", type=float, default=20, help="processor time of training")
    parser.add_argument("--pictures", type=int, default=400, help="micrographs drawn for the bank")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kept", type=Path, default=Path("letters.pt"), help="state, from which a run goes on")
    options = parser.parse_args()
    net = train(options.minutes, options.seed, fill_bank(options.pictures, options.seed), options.kept)
    export(net, options.output)
    bank, rng = fill_bank(40, options.seed + 1), np.random.default_rng([options.seed, 1])
    quantise(options.output, "corners", (pictures(draw_corners(bank, rng, BATCH)) for _ in range(12)))
    right = wrong = claimed = letters = 0
    with torch.no_grad():
        for _ in range(20):
            corners = draw_corners(bank, rng, BATCH)
            shares = net(torch.from_numpy(pictures(corners))).softmax(1)[:, 1:]
            sure, best = shares.amax((2, 3)).max(1)
            for one, share, letter in zip(corners, sure.tolist(), best.tolist(), strict=True):
                letters += one.letter > 0
                right += share >= 0.5 and one.letter == letter + 1
                wrong += share >= 0.5 and one.letter not in (0, letter + 1)
                claimed += share >= 0.5 and not one.letter
    print(f"{letters} letters: {right} right, {wrong} wrong; claimed in {claimed} of {20 * BATCH - letters} others")


if __name__ == "__main__":
    main()
