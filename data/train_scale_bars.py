"""Trains the two networks that read scale bars, on print drawn at random, and writes them as ONNX.

    python data/train_scale_bars.py --output polydata/vision [--minutes 10] [--seed 1]
    python data/train_scale_bars.py --output polydata/vision --average OLD.onnx NEW.onnx
    python data/train_scale_bars.py --measure 40

The finder maps a picture: where the value at a bar stands, where a magnification or a field width, where a bar runs.
The reader tells the unit with which a line of print ends and spells it. No picture of any article is
used. With ``--measure`` the shipped reader is compared with the truth on pictures of each style that were not trained
on.
"""

# ruff: noqa: T201 - a script prints
from __future__ import annotations

import argparse
import copy
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from polydata.vision.scale_bar import read_scale_bar
from polydata.vision.scale_marks import SIDE, TOP
from polydata.vision.scale_nets import HIGH, SIGNS, STEP, UNITS, shown, stacked

sys.path.insert(0, str(Path(__file__).resolve().parent))

from drawn_print import Box, Grey, Rng, bank
from drawn_scale_bars import STYLES, draw_line, draw_scene
from training import Training, average, block

SHAPES = ((192, 256), (128, 384), (96, 512))
"""Rows and columns of the pictures that the finder learns from."""
BATCH, LINES = 8, 16
"""Pictures and lines of one step."""
LEVELS = (16, 28, 44, 60, 80)


class Finder(nn.Module):
    """Logits at a quarter of the resolution: value at a bar, magnification or field width, bar.

    Input is batch x 1 x height x width, 0 to 255, both sides multiples of 32.
    """

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d, e = LEVELS
        self.stem = nn.Sequential(block(1, a, 2), block(a, b, 2), block(b, b))
        self.down = nn.ModuleList(nn.Sequential(block(x, y, 2), block(y, y)) for x, y in ((b, c), (c, d), (d, e)))
        self.up = nn.ModuleList(block(x, y) for x, y in ((e + d, 48), (48 + c, 32), (32 + b, 24)))
        self.head = nn.Conv2d(24, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Batch x 3 x height / 4 x width / 4."""
        x = self.stem((x - 127.5) / 64)
        kept = [x]
        for down in self.down:
            kept.append(down(kept[-1]))
        x = kept.pop()
        for up in self.up:
            x = up(torch.cat([functional.interpolate(x, scale_factor=2.0, mode="nearest"), kept.pop()], 1))
        return self.head(x)


class Reader(nn.Module):
    """Logits of the units of a line of print, none among them, and of each sign, and of none, along it.

    Input is batch x 1 x 32 x width, of mean 0 and deviation 1; width is a multiple of 4.
    """

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Sequential(
            block(1, 20, 2), block(20, 32), block(32, 48, 2), block(48, 48), block(48, 64, (2, 1)), block(64, 64),
            nn.Conv2d(64, 96, (4, 3), padding=(0, 1), bias=False), nn.BatchNorm2d(96), nn.ReLU(inplace=True),
        )  # fmt: skip
        self.tell = nn.Linear(2 * 96, len(UNITS))
        self.spell = nn.Sequential(
            nn.Conv1d(96, 96, 5, padding=2, bias=False), nn.BatchNorm1d(96), nn.ReLU(inplace=True),
            nn.Conv1d(96, len(SIGNS) + 1, 3, padding=1),
        )  # fmt: skip

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Batch x units; batch x (signs + 1) x width / 4, the first of them none."""
        x = self.look(x).squeeze(2)
        return self.tell(torch.cat([x.amax(2), x.mean(2)], 1)), self.spell(x)


def spelled(text: str) -> str:
    """A text in the reader's signs."""
    same = text.replace("um", "µm").replace("X", "x").replace("×", "x").replace("K", "k")
    return "".join(sign if sign in SIGNS else "?" for sign in same)


def unit_of(text: str) -> int:
    """Which of ``UNITS`` a line of print ends with."""
    match = re.search(r"[\d.]\s?([µu]m|nm|mm|cm|pm|Å|1/nm|nm-1)$", text)
    if match is None:
        return 0
    return UNITS.index({"um": "µm", "1/nm": "1/nm", "nm-1": "1/nm"}.get(match[1], match[1]))


def area(boxes: list[Box], rows: int, columns: int, *, bars: bool) -> Tensor:
    """Share of each place that boxes cover: print without its upper and lower fifth, bars at least a place high."""
    whole = np.zeros((rows, columns), np.float32)
    for left, top, right, bottom in boxes:
        tall = bottom - top
        down, across = (min(0.0, (tall - 5) / 2), 0.0) if bars else (TOP * tall, SIDE * tall)
        y0, y1, x0, x1 = (max(0, round(v)) for v in (top + down, bottom - down, left + across, right - across))
        whole[y0:y1, x0:x1] = 1
    return functional.avg_pool2d(torch.from_numpy(whole)[None], STEP)[0]


def pictures(textures: list[Grey], rng: Rng) -> tuple[Tensor, Tensor]:
    """A batch for the finder."""
    rows, columns = SHAPES[int(rng.integers(len(SHAPES)))]
    grey, truth = [], []
    for _ in range(BATCH):
        scene = draw_scene(textures, rng, rows, columns)
        grey.append(torch.from_numpy(scene.grey)[None])
        maps = [area(scene.values, rows, columns, bars=False), area(scene.sizes, rows, columns, bars=False)]
        truth.append(torch.stack([*maps, area(scene.bars, rows, columns, bars=True)]))
    return torch.stack(grey).float(), torch.stack(truth)


def lines(textures: list[Grey], rng: Rng) -> tuple[Tensor, list[str]]:
    """A batch for the reader."""
    cuts, texts = [], []
    while len(cuts) < LINES:
        cut, text = draw_line(textures, rng)
        if min(cut.shape) >= 4:
            cuts.append(shown(cut))
            texts.append(text)
    return torch.from_numpy(stacked(cuts)), texts


def finder_loss(out: Tensor, truth: Tensor) -> Tensor:
    """Cross entropy with what overlaps, a channel at a time."""
    entropy = functional.binary_cross_entropy_with_logits(out, truth, pos_weight=torch.tensor(2.0))
    seen = torch.sigmoid(out)
    both, all_of = (seen * truth).sum((0, 2, 3)), (seen + truth).sum((0, 2, 3))
    return 10 * entropy + (1 - (2 * both + 1) / (all_of + 1)).mean()


def reader_loss(units: Tensor, signs: Tensor, texts: list[str]) -> Tensor:
    """Cross entropy of the unit, connectionist temporal classification of the signs."""
    told = functional.cross_entropy(units, torch.tensor([unit_of(text) for text in texts]), label_smoothing=0.02)
    said = [[SIGNS.index(sign) + 1 for sign in spelled(text)] for text in texts]
    lengths, steps = torch.tensor([len(one) for one in said]), torch.full((len(texts),), signs.shape[2])
    targets = torch.tensor([sign for one in said for sign in one])
    along = signs.log_softmax(1).permute(2, 0, 1)
    return told + functional.ctc_loss(along, targets, steps, lengths, zero_infinity=True)


def train_finder(minutes: float, seed: int, textures: list[Grey], kept: Path) -> Finder:
    """Train for a time; the mean of late weights is returned. Goes on from ``kept`` where that is."""
    torch.manual_seed(seed)
    training = Training(Finder().to(memory_format=torch.channels_last), minutes, kept, rate=4e-3, decay=1e-3)
    rng = np.random.default_rng([seed, training.done])
    for _ in training.steps():
        batch, truth = pictures(textures, rng)
        out = training.net(batch.contiguous(memory_format=torch.channels_last))
        training.learn(finder_loss(out, truth))
    return training.mean


def train_reader(minutes: float, seed: int, textures: list[Grey], kept: Path) -> Reader:
    """The same for the reader."""
    torch.manual_seed(seed)
    training = Training(Reader(), minutes, kept, rate=2e-3, decay=1e-3)
    rng = np.random.default_rng([seed, training.done])
    for _ in training.steps():
        cuts, texts = lines(textures, rng)
        training.learn(reader_loss(*training.net(cuts), texts))
    return training.mean


TRAINED = {"finder": train_finder, "reader": train_reader}


def export(net: nn.Module, part: str, folder: Path) -> None:
    """Write a network as ONNX that takes any size."""
    net = copy.deepcopy(net).eval().to(memory_format=torch.contiguous_format)
    finder = part == "finder"
    taken = {0: "batch", 2: "height", 3: "width"} if finder else {0: "batch", 3: "width"}
    given = {"logits": {0: "batch", 2: "down", 3: "across"}}
    if not finder:
        given = {"units": {0: "batch"}, "signs": {0: "batch", 2: "steps"}}
    torch.onnx.export(
        net, (torch.zeros(1, 1, 192 if finder else HIGH, 256),), str(folder / f"scale_{part}_1.onnx"), dynamo=False,
        opset_version=17, input_names=["picture"], output_names=list(given),
        dynamic_axes={"picture": taken, **given},
    )  # fmt: skip


@dataclass(frozen=True)
class Shares:
    """Of pictures with a bar and a length beside it: values right and wrong, values and lengths right.

    Attributes:
        claimed: pictures without a length, reciprocal ones among them, for which one was claimed.
    """

    right: float
    wrong: float
    whole: float
    claimed: int


def shares_of(style: str, count: int, textures: list[Grey]) -> Shares:
    """What the shipped reader makes of pictures of a style that were not trained on."""
    rng, right, wrong, whole, claimed, seen = np.random.default_rng([2, *style.encode()]), 0, 0, 0, 0, 0
    for _ in range(count):
        rows, columns = SHAPES[int(rng.integers(len(SHAPES)))]
        scene = draw_scene(textures, rng, rows, columns, style)
        if any(x0 < 0 or y0 < 0 or x1 > columns or y1 > rows for x0, y0, x1, y1 in scene.values + scene.bars):
            continue
        bar = read_scale_bar(np.repeat(scene.grey[..., None], 3, 2))
        if scene.um is None:
            claimed += bar is not None
            continue
        seen += 1
        same = bar is not None and abs(bar.value_um - scene.um) < 1e-6 * scene.um
        length = scene.bars[0][2] - scene.bars[0][0]
        right, wrong = right + same, wrong + (bar is not None and not same)
        whole += same and bar is not None and abs((bar.length_px or 0) - length) <= 0.05 * length
    n = max(1, seen)
    return Shares(right / n, wrong / n, whole / n, claimed)


def main() -> None:
    """Train and write, or measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, help="folder where the networks are written")
    parser.add_argument("--minutes", type=float, default=10, help="processor time of training, of each")
    parser.add_argument("--part", action="append", choices=TRAINED, help="one of them alone")
    parser.add_argument("--average", type=Path, nargs="+", default=[], help="finders of which the mean is written")
    parser.add_argument("--measure", type=int, default=0, help="pictures of each style to measure on")
    parser.add_argument("--textures", type=int, default=500, help="micrographs drawn for the grounds")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.average and options.output is None:
        parser.error("--average needs --output")
    if options.average:
        average(options.average, options.output / "scale_finder_1.onnx")
    elif options.output is not None:
        textures = bank(options.textures, options.seed)
        print(f"drawn: {len(textures)} micrographs", flush=True)
        for part in options.part or TRAINED:
            kept = options.output / f"{part}.pt"
            export(TRAINED[part](options.minutes, options.seed, textures, kept), part, options.output)
    if options.measure:
        textures = bank(60, options.seed + 1)
        for style in STYLES:
            print(f"{style:8} {shares_of(style, options.measure, textures)}", flush=True)


if __name__ == "__main__":
    main()
