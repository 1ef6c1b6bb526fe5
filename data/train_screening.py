"""Fits the network that tells what a picture shows, and measures it on articles that it did not see.

    python data/train_screening.py PAPERS [--output polydata/vision/pictures_1.onnx] [--drawn 60]

PAPERS is a folder with the openly licensed articles of ``judged_articles.csv``, under any names; they are known by
their SHA-256, and those that are not there are left out. Their pictures were judged by eye (``judged_pictures.csv``).
Pictures of known kind are drawn besides (``drawn_pictures.py``). The network is EfficientNet-Lite0 up to its fifth
stage with ImageNet weights; fitted is a linear layer on means and deviations of the channels of its last two stages.
What is printed is of folds of articles, none of which stood on both sides.
"""

# ruff: noqa: T201 - a script prints
from __future__ import annotations

import argparse
import csv
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pymupdf
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).resolve().parent))

from drawn_pictures import MICROGRAPHS, REST, draw
from training import quantise

from polydata.vision.micrograph import SHOWN, prepared
from polymodel.networks.network import architecture
from polymodel.networks.weights import load_network

HERE = Path(__file__).resolve().parent
STRENGTH = 0.01
"""Inverse strength of the ridge."""
KEPT = 0.97
"""Share of micrographs at which it is told how much else is accepted."""
DPI, PIXELS = 300, 900
"""Resolution at which pictures are taken from their pages, less where the longer side had more pixels than this."""
DRAWN = {"photograph": ("photograph", "sample_photograph"), "simulation": ("rendering",)}
"""What drawn families show that are neither micrographs nor drawings."""

Rgb = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]


class PictureNet(nn.Module):
    """Logits of what a picture shows: batch x 3 x rows x columns, 0 to 255, to batch x kinds."""

    def __init__(self) -> None:
        super().__init__()
        whole = load_network(architecture("efficientnet_lite0"), "imagenet", 2).module.eval()
        self.stem = nn.Sequential(whole.conv_stem, whole.bn1)
        self.stages = whole.blocks[:6]
        self.head = nn.Linear(2 * (112 + 192), len(SHOWN))

    def features(self, x: Tensor) -> Tensor:
        """Means and standard deviations over space of the channels of the last two stages."""
        x = self.stem(x / 127.5 - 1)
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x.flatten(2))
        means = [one.mean(2) for one in maps[-2:]]
        spreads = [(one - mean[..., None]).square().mean(2).sqrt() for one, mean in zip(maps[-2:], means, strict=True)]
        return torch.cat([*means, *spreads], 1)

    def forward(self, x: Tensor) -> Tensor:
        """Batch x kinds."""
        return self.head(self.features(x))


@dataclass(frozen=True)
class Pictures:
    """Features of pictures, a row a look.

    Attributes:
        features: rows x features.
        picture: which picture it is.
        shows: of each picture, as a place in ``SHOWN``.
        article: of each picture; drawn ones have one each.
    """

    features: Floats
    picture: npt.NDArray[np.int64]
    shows: npt.NDArray[np.int64]
    article: npt.NDArray[np.str_]


def judged(papers: Path) -> Iterator[tuple[Rgb, str, str]]:
    """Pictures of articles: pixels, what they show, the article."""
    where = {hashlib.sha256(path.read_bytes()).hexdigest()[:16]: path for path in sorted(papers.rglob("*.pdf"))}
    with (HERE / "judged_pictures.csv").open(encoding="utf-8", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: (row["article"], int(row["page"])))
    document, opened = None, ""
    for row in rows:
        if row["article"] not in where:
            continue
        if opened != row["article"]:
            document, opened = pymupdf.open(where[row["article"]]), row["article"]
        box = pymupdf.Rect(*(float(row[edge]) for edge in ("x0", "y0", "x1", "y1")))
        dpi = round(min(DPI, 72 * PIXELS / max(box.width, box.height)))
        shown = document[int(row["page"]) - 1].get_pixmap(clip=box, dpi=dpi, colorspace=pymupdf.csRGB)
        pixels = np.frombuffer(shown.samples, np.uint8).reshape(shown.height, shown.width, 3)
        yield np.ascontiguousarray(pixels), row["shows"], row["article"]


def drawn(count: int) -> Iterator[tuple[Rgb, str, str]]:
    """Pictures of every family: pixels, what they show, a name."""
    shows = {family: kind for kind, families in DRAWN.items() for family in families}
    for family in (*MICROGRAPHS, *REST):
        kind = "micrograph" if family in MICROGRAPHS else shows.get(family, "drawing")
        for seed in range(count):
            yield draw(family, seed), kind, f"{family} {seed}"


@torch.inference_mode()
def collect(net: PictureNet, papers: Path, count: int) -> Pictures:
    """Features of all pictures."""
    features, picture, shows, article = [], [], [], []
    for pixels, kind, name in (*judged(papers), *drawn(count)):
        for look in prepared(pixels):
            features.append(net.features(torch.from_numpy(look))[0].numpy())
            picture.append(len(shows))
        shows.append(SHOWN.index(kind))
        article.append(name)
        if len(shows) % 500 == 0:
            print(f"{len(shows)} pictures", flush=True)
    return Pictures(np.array(features, np.float64), np.array(picture), np.array(shows), np.array(article))


def fit(pictures: Pictures, chosen: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Weights, kinds x features, and biases, of some of the pictures.

    Micrographs weigh as much as all else; of this, kinds weigh by the root of their number, as pictures of one article
    do.
    """
    numbers = np.flatnonzero(chosen)
    shows, article = pictures.shows[numbers], pictures.article[numbers]
    weight = np.zeros(len(numbers))
    for name in np.unique(article):
        same = article == name
        weight[same] = same.sum() ** -0.5
    for kind in np.unique(shows):
        same = shows == kind
        weight[same] *= same.sum() ** 0.5 / weight[same].sum()
    rest = shows != 0
    weight[rest] *= weight[~rest].sum() / weight[rest].sum()
    rows = np.isin(pictures.picture, numbers)
    x, of = pictures.features[rows], np.searchsorted(numbers, pictures.picture[rows])
    mean, spread = x.mean(0), np.maximum(x.std(0), 1e-3)
    regression = LogisticRegression(C=STRENGTH, max_iter=600)
    weights = weight[of] / np.bincount(of)[of]
    regression.fit((x - mean) / spread, shows[of], weights * len(x) / weights.sum())
    slopes, biases = np.zeros((len(SHOWN), x.shape[1])), np.full(len(SHOWN), -30.0)
    slopes[regression.classes_] = regression.coef_ / spread
    biases[regression.classes_] = regression.intercept_ - slopes[regression.classes_] @ mean
    return slopes, biases


def odds(pictures: Pictures, weights: tuple[Floats, Floats]) -> Floats:
    """Log-odds of a micrograph, one a picture."""
    logits = pictures.features @ weights[0].T + weights[1]
    looks = np.bincount(pictures.picture)
    mean = np.stack([np.bincount(pictures.picture, column) / looks for column in logits.T], 1)
    return np.asarray(mean[:, 0] - np.logaddexp.reduce(mean[:, 1:], axis=1))


def unseen(pictures: Pictures) -> Floats:
    """Log-odds of every picture by a layer that saw none of its article."""
    out = np.zeros(len(pictures.shows))
    for train, test in GroupKFold(5, shuffle=True, random_state=0).split(out, groups=pictures.article):
        out[test] = odds(pictures, fit(pictures, np.isin(np.arange(len(out)), train)))[test]
    return out


def main() -> None:
    """Fit, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("papers", type=Path, help="folder with the articles")
    parser.add_argument("--output", type=Path, help="where the network is written; without it nothing is written")
    parser.add_argument("--drawn", type=int, default=60, help="pictures drawn a family")
    options = parser.parse_args()
    torch.set_num_threads(1)
    net = PictureNet().eval()
    pictures = collect(net, options.papers, options.drawn)
    from_articles = np.char.find(pictures.article, " ") < 0
    scores, micrograph = unseen(pictures), pictures.shows == 0
    known, what = scores[from_articles], pictures.shows[from_articles]
    threshold = float(np.quantile(known[what == 0], 1 - KEPT))
    print(f"articles {len(np.unique(pictures.article[from_articles]))}, pictures {len(known)}")
    print(f"AUROC {roc_auc_score(what == 0, known):.4f}, drawn ones {roc_auc_score(micrograph, scores):.4f} with them")
    print(f"\n{'accepted of':16}{'pictures':>9}{'at even':>9}{f'at {KEPT:.0%}':>9}")
    for kind, name in enumerate(SHOWN):
        rows = known[what == kind]
        if rows.size:
            print(f"{name:16}{rows.size:9}{(rows > 0).mean():9.3f}{(rows >= threshold).mean():9.3f}")
    if options.output:
        sureness = LogisticRegression(C=1e6, class_weight="balanced").fit(known[:, None], what == 0).coef_[0, 0]
        print(f"answers on unseen articles are to be {sureness:.2f} times as sure")
        slopes, biases = fit(pictures, np.ones(len(scores), bool))
        with torch.no_grad():
            net.head.weight.copy_(torch.from_numpy(slopes * sureness))
            net.head.bias.copy_(torch.from_numpy(biases * sureness))
        sizes = {0: "batch", 2: "rows", 3: "columns"}
        torch.onnx.export(
            net, (torch.zeros(1, 3, 224, 288),), str(options.output), dynamo=False, input_names=["picture"],
            output_names=["logits"], dynamic_axes={"picture": sizes, "logits": {0: "batch"}}, opset_version=17,
        )  # fmt: skip
        examples = (look for pixels, *_ in islice(judged(options.papers), 0, None, 20) for look in prepared(pixels))
        quantise(options.output, "picture", examples)
        print(f"written: {options.output}")


if __name__ == "__main__":
    main()
