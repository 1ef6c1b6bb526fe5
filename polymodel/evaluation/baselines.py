"""``polymodel baselines``: what a split can be answered with without a trained network, all in one table.

The control models see no micrograph (``polydata.auditing.controls``); the Sobel value, a forest on textures and the
nearest neighbour see it as methods did before networks. Each learns on a fold's training side and answers for its
test side; none is tuned.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from polydata.auditing.controls import CONTROLS, ControlTable, fitted, forest, read_table
from polydata.errors import InputError, UsageError
from polydata.files.tables import write_frame
from polydata.images.decode import shown
from polydata.images.picture import describe, open_picture
from polydata.splits.manifest import Item, Split
from polydata.task import TaskKind
from polydata.types import Progress, quiet, tracked
from polymodel.evaluation.aggregate import Answers, scored, usual_scoring
from polymodel.evaluation.intervals import INTERVAL, summarise
from polymodel.evaluation.metrics import Outcome
from polymodel.kinds.asked import CHANCE, kind_name
from polymodel.runs.run import BASELINES_FOLDER, leakage_text, read_json, write_json

Array = NDArray[np.float64]
Index = NDArray[np.int64]

SOBEL_THRESHOLD = 17.5
"""Any threshold from 17.12 to 18.06 gives the seed's published row; the seed prints none."""
CUTS = 99
"""Thresholds that are tried: the percentiles of the training side."""
CUT_FOLDS = 5
TREES = 300
NEIGHBOURS = 5
GREYS = 32
DISTANCES = (1, 2, 4)
LBP_RADII = (1, 3)
LBP_POINTS = 8
SIDE = 256
"""Pixels to which the shorter side is brought before textures are measured, so that they are comparable."""


def sobel_value(data: bytes) -> float:
    """The seed's Sobel value of an image file, 0 (flat) to 255.

    OpenCV's horizontal and vertical Sobel derivatives (3 x 3) of the grey picture, each as a magnitude clipped to 255,
    are averaged with each other and over the picture. It follows files of 8 bits as OpenCV reads them: the luma of a
    JPEG, and no alpha channel, so a picture that is held in alpha alone is black and has the value 0. Deeper ones are
    read as everywhere else here.

    Args:
        data: bytes that ``polydata.images.picture.describe`` has accepted.
    """
    import cv2

    with Image.open(io.BytesIO(data)) as image:
        if image.format == "JPEG":
            image.draft("L", image.size)
            grey = np.asarray(image.convert("L"))
        elif image.mode.startswith("I") or image.mode == "F":
            grey = np.asarray(shown(image).convert("L"))
        else:
            grey = cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2GRAY)
    across = cv2.convertScaleAbs(cv2.Sobel(grey, cv2.CV_16S, 1, 0))
    down = cv2.convertScaleAbs(cv2.Sobel(grey, cv2.CV_16S, 0, 1))
    return float(cv2.addWeighted(across, 0.5, down, 0.5, 0).mean())


def texture_features(picture: Image.Image) -> Array:
    """Grey-level co-occurrence and local binary patterns of a picture.

    Args:
        picture: RGB, any size; its shorter side is brought to ``SIDE``, and no side to more than four times that.

    Returns:
        (features,): contrast, dissimilarity, homogeneity, energy and correlation at each of ``DISTANCES``, mean and
        sd over four directions; then the shares of the uniform binary patterns at each of ``LBP_RADII``.
    """
    from skimage.feature import graycomatrix, graycoprops, local_binary_pattern

    scale = SIDE / min(picture.size)
    width, height = (min(4 * SIDE, max(1, round(side * scale))) for side in picture.size)
    grey = np.asarray(picture.convert("L").resize((width, height), Image.Resampling.BICUBIC), dtype=np.uint8)
    levels = (grey.astype(np.uint16) * GREYS // 256).astype(np.uint8)
    angles = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
    matrix = graycomatrix(levels, DISTANCES, angles, levels=GREYS, symmetric=True, normed=True)
    columns = []
    for name in ("contrast", "dissimilarity", "homogeneity", "energy", "correlation"):
        values = graycoprops(matrix, name)
        columns += [values.mean(axis=1), values.std(axis=1)]
    for radius in LBP_RADII:
        codes = local_binary_pattern(grey, LBP_POINTS, radius, method="uniform").astype(np.int64)
        columns.append(np.bincount(codes.ravel(), minlength=LBP_POINTS + 2) / codes.size)
    found: Array = np.concatenate(columns).astype(np.float64)
    return found


@dataclass(frozen=True, kw_only=True)
class Sobels(ControlTable):
    """Images with what the control models see, and the one number that says most.

    Attributes:
        positive: index of the positive class.
        sobel: (n,) the seed's Sobel value.
    """

    positive: int
    sobel: Array


@dataclass(frozen=True, kw_only=True)
class Pictures(Sobels):
    """All images of a split as the baselines see them: what the control models see, and more.

    Attributes:
        is_gif: (n,) whether the file is a GIF.
        textures: (n, features).
        embeddings: (n, features) of a network, or the textures where none were given.
    """

    is_gif: NDArray[np.bool_]
    textures: Array
    embeddings: Array


Method = Callable[[Pictures, Index, Index], Array]


def _thresholded(pictures: Sobels, train: Index, test: Index, cut: float, low_is_positive: bool) -> Array:
    """Scores that name the positive class on one side of a cut, surer the farther away; others share the rest."""
    values = pictures.sobel
    spread = float(values[train].std()) or 1.0
    away = (cut - values[test]) if low_is_positive else (values[test] - cut)
    chance = 1 / (1 + np.exp(-np.clip(away / spread, -30, 30)))
    chance = np.where(away == 0, np.nextafter(0.5, 1), chance)  # the cut itself counts as positive, as in the seed
    shares = np.bincount(pictures.labels[train], minlength=pictures.classes).astype(np.float64)
    shares[pictures.positive] = 0
    scores = np.outer(1 - chance, shares / max(shares.sum(), 1))
    scores[:, pictures.positive] = chance
    return scores


def sobel_seed(pictures: Sobels, train: Index, test: Index) -> Array:
    """The seed's rule: smooth is positive, below a threshold that was found on all its images, test images too."""
    return _thresholded(pictures, train, test, SOBEL_THRESHOLD, low_is_positive=True)


def sobel(pictures: Sobels, train: Index, test: Index) -> Array:
    """The Sobel value with the side and threshold of best balanced accuracy in cross-validation on training papers."""
    positive = pictures.labels[train] == pictures.positive
    cut, low = best_cut(pictures.sobel[train], positive, pictures.groups[train])
    return _thresholded(pictures, train, test, cut, low)


def best_cut(values: Array, positive: NDArray[np.bool_], groups: NDArray[np.str_]) -> tuple[float, bool]:
    """The threshold of a value: in each fold of papers the best is found on the others; their median is taken.

    Where no fold leaves both labels on the others, it is the best on all.

    Args:
        values, positive, groups: (n,) each.

    Returns:
        The threshold, and whether values up to it are the positive ones (as most folds say).
    """
    from sklearn.model_selection import StratifiedGroupKFold

    count = min(CUT_FOLDS, int(positive.sum()), int((~positive).sum()), len(set(groups.tolist())))
    if count < 2:
        return float(np.median(values)), True
    folds = StratifiedGroupKFold(n_splits=count, shuffle=True, random_state=0).split(values, positive, groups)
    found = [_cut(values[fit], positive[fit]) for fit, _ in folds if 0 < positive[fit].sum() < len(fit)]
    if not found:  # each label stands in one paper alone
        return _cut(values, positive)
    low = sum(is_low for _, is_low in found) * 2 >= len(found)
    return float(np.median([cut for cut, is_low in found if is_low == low])), low


def _cut(values: Array, positive: NDArray[np.bool_]) -> tuple[float, bool]:
    cuts = np.quantile(values, np.linspace(0, 1, CUTS + 2)[1:-1])
    below = values[:, None] <= cuts
    gain = below[positive].mean(0) - below[~positive].mean(0)  # twice the balanced accuracy, less one
    best = int(np.abs(gain).argmax())
    return float(cuts[best]), bool(gain[best] >= 0)


def texture_forest(pictures: Pictures, train: Index, test: Index) -> Array:
    """A random forest on grey-level co-occurrence and local binary patterns."""
    return fitted(forest(TREES), pictures.textures, pictures, train, test)


def nearest(pictures: Pictures, train: Index, test: Index) -> Array:
    """The labels of the nearest training images by the cosine of standardised embeddings or textures."""
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = KNeighborsClassifier(min(NEIGHBOURS, len(train)), metric="cosine", weights="distance")
    return fitted(make_pipeline(StandardScaler(), model), pictures.embeddings, pictures, train, test)


@dataclass(frozen=True)
class Baseline:
    """One row of the table: what answers, what it is called, and what it answers by."""

    method: Method
    title: str
    what: str


_LOOKUP = "the label of the same paper on the training side"
_SEED = f"positive where the Sobel value is up to {SOBEL_THRESHOLD}; the threshold saw these images"
_SOBEL = "Sobel value, side and threshold by cross-validation on the training papers"
_TEXTURES = "grey-level co-occurrence and local binary patterns, random forest"
_NEAREST = f"the {NEIGHBOURS} nearest training images by textures, or by embeddings that were given"
BASELINES = {
    "majority": Baseline(CONTROLS["majority"], "majority", "the most frequent training label"),
    "paper_lookup": Baseline(CONTROLS["paper_lookup"], "paper lookup", _LOOKUP),
    "metadata": Baseline(CONTROLS["metadata"], "file metadata", "width, height, size and format of the file"),
    "print_only": Baseline(CONTROLS["print_only"], "print only", "a coarse view of the bottom strip and corners"),
    "sobel_seed": Baseline(sobel_seed, "Sobel as in the seed", _SEED),
    "sobel": Baseline(sobel, "Sobel, own threshold", _SOBEL),
    "texture_forest": Baseline(texture_forest, "GLCM and LBP, forest", _TEXTURES),
    "nearest": Baseline(nearest, "nearest neighbours", _NEAREST),
}


def run_baselines(
    split: Split,
    runs: Path,
    embeddings: Path | None = None,
    people: Mapping[str, Any] | None = None,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Fit and score every baseline on every fold, and write ``baselines/SPLIT.json`` and ``.parquet`` beside the runs.

    Args:
        split: from ``load_split``.
        runs: the runs folder of the workspace.
        embeddings: a Parquet file of ``polymodel embed`` for the nearest neighbour; textures where None.
        people: what people answered, from ``people.HumanTable``, to stand in the same table.
        progress: told of what is going on.

    Returns:
        What was written: ``rows`` holds for each baseline what it is and its metrics as ``intervals.summarise`` gives
        them, by the ``scoring`` that a run on the split has; ``sobel_as_published`` the seed's rule on all images of
        the split, with and without GIF files, and ``sobel_values`` every image's value by label.

    Raises:
        UsageError: if the split is one of numbers.
        InputError: if an image or the embeddings cannot be read, or an image has no embedding.
    """
    import pandas as pd

    if kind_name(split.asked) is TaskKind.REGRESSION:
        hint = "Train on it: polymodel evaluate sets mean, median and controls beside the model."
        raise UsageError(f"{split.name} asks for a number, and baselines give labels.", hint)
    items = list({item.image_sha256: item for fold in split.folds for item in (*fold.train, *fold.test)}.values())
    place = {item.image_sha256: k for k, item in enumerate(items)}
    pictures = _read(split, items, embeddings, progress)
    sides = [
        tuple(np.array([place[i.image_sha256] for i in side], dtype=np.int64) for side in (fold.train, fold.test))
        for fold in split.folds
    ]
    rows, answers, scoring = {}, [], usual_scoring(split.manifest["recipe"])
    for name, baseline in BASELINES.items():
        parts = []
        for number, (fold, (train, test)) in enumerate(zip(split.folds, sides, strict=True)):
            progress(f"baseline {name.replace('_', ' ')}", number, len(sides))
            scores = baseline.method(pictures, train, test)
            images = np.array([item.image_sha256 for item in fold.test], dtype=np.str_)
            parts.append(Answers(fold.repeat, 0, images, _outcome(pictures, test, scores)))
            answers += [
                (name, fold.number, items[k].image_sha256, items[k].label, items[k].group, float(score))
                for k, score in zip(test, scores[:, pictures.positive], strict=True)
            ]
        rows[name] = {
            "title": baseline.title,
            "what": baseline.what,
            "metrics": summarise([s.outcome for s in scored(parts, scoring)]),
        }
    result = {
        "split": split.name,
        "split_digest": split.digest,
        "leakage": leakage_text(split.leakage),
        "classes": list(split.classes),
        "positive": split.positive,
        "folds": len(split.folds),
        "scoring": scoring.value,
        "test_images": len({items[k].image_sha256 for _, test in sides for k in test}),
        "nearest_by": "embeddings" if embeddings else "textures",
        "interval": INTERVAL,
        "rows": rows,
        "sobel_as_published": sobel_as_published(pictures),
        "sobel_values": {
            label: [round(v, 3) for v in pictures.sobel[pictures.labels == k].tolist()]
            for k, label in enumerate(split.classes)
        },
        "people": people,
    }
    columns = ["baseline", "fold", "image_sha256", "label", "group", CHANCE + split.positive]
    write_json(runs / BASELINES_FOLDER / f"{split.name}.json", result)
    write_frame(runs / BASELINES_FOLDER / f"{split.name}.parquet", pd.DataFrame(answers, columns=columns))
    return result


def sobel_as_published(pictures: Pictures) -> dict[str, Any]:
    """The seed's rule on every image of a split, whatever its side; the seed left GIF files out."""
    every = np.arange(len(pictures.sobel), dtype=np.int64)
    scores = sobel_seed(pictures, every, every)
    both = {"without_gif": every[~pictures.is_gif], "all": every}
    return {
        name: {"images": len(those), "metrics": summarise([_outcome(pictures, those, scores[those])])}
        for name, those in both.items()
        if len(those)
    }


def _outcome(pictures: Pictures, test: Index, scores: Array) -> Outcome:
    return Outcome(pictures.labels[test], scores, pictures.groups[test], pictures.positive)


def _read(split: Split, items: Sequence[Item], embeddings: Path | None, progress: Progress) -> Pictures:
    paths = [split.image_path(item) for item in items]
    controls = read_table(
        images=paths,
        labels=[split.classes.index(item.label) for item in items],
        groups=[item.group for item in items],
        classes=len(split.classes),
        progress=lambda _, done, count: progress("reading images", done, count),
    )
    values, measured, is_gif = [], [], []
    for path in tracked(paths, "measuring textures", progress, len(paths)):
        data = path.read_bytes()
        picture = open_picture(data, str(path))
        is_gif.append(describe(data, str(path), picture).format == "GIF")
        values.append(sobel_value(data))
        measured.append(texture_features(picture))
    textures = np.stack(measured)
    return Pictures(
        **vars(controls),
        positive=split.classes.index(split.positive),
        is_gif=np.array(is_gif),
        sobel=np.array(values),
        textures=textures,
        embeddings=read_embeddings(embeddings, [i.image_sha256 for i in items]) if embeddings else textures,
    )


def read_embeddings(path: Path, wanted: Sequence[str]) -> Array:
    """Features of images as ``polymodel embed`` writes them, shape (n, features), in the order wanted.

    Raises:
        InputError: if the file cannot be read, is another table, or lacks an image.
    """
    import pandas as pd

    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    if "image_sha256" not in frame or frame.shape[1] < 2:
        raise InputError(f"{path} holds no embeddings.", "Write them with: polymodel embed SPLIT")
    frame = frame.drop_duplicates("image_sha256").set_index("image_sha256")
    if missing := [sha for sha in wanted if sha not in frame.index]:
        raise InputError(
            f"{path} lacks {len(missing)} of {len(wanted)} images of the split.", "Embed the split itself."
        )
    try:
        values = frame.loc[list(wanted)].to_numpy(dtype=np.float64)
    except ValueError as error:
        raise InputError(f"{path} holds columns that are no numbers: {error}") from error
    if not np.isfinite(values).all():
        raise InputError(f"{path} holds values that are not finite.")
    return values


def known_baselines(runs: Path, name: str, digest: str) -> Mapping[str, Any] | None:
    """The baselines of a split as an earlier call wrote them; None where there are none of this very split."""
    path = runs / BASELINES_FOLDER / f"{name}.json"
    if not path.is_file():
        return None
    found = read_json(path)
    return found if found.get("split_digest") == digest and "scoring" in found else None
