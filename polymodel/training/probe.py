"""The recipe ``probe``: a linear head on frozen features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from polymodel.data.split import VALIDATION_PARTS, group_folds
from polymodel.networks.features import FeatureCache
from polymodel.networks.linear import Coordinates, coordinates, image_weights
from polymodel.networks.novelty import fit_reference
from polymodel.networks.solver import Array, Problem
from polymodel.recipes import Balance
from polymodel.runs.parts import PartJob, PartResult
from polymodel.training.simulated import simulated_pictures

Index = NDArray[np.int64]
CURVE = (0.003, 0.03, 3.0, 30.0)
"""Regularisation strengths measured on validation papers, to show where the fixed one stands."""


def train_probe(job: PartJob, cache: FeatureCache, pictures: Path) -> PartResult:
    """Fit the head at the recipe's fixed regularisation.

    The history holds one row for each of several regularisation strengths, measured on the split's validation side, or
    where it has none on papers held back from the training side in turn. It shows whether the fixed strength fits the
    data; it chooses nothing. The answers on papers held back at the fixed strength are kept: by them probabilities
    are calibrated.

    Args:
        job: what to train and test on.
        cache: of the recipe's features.
        pictures: a folder below which simulated ones are kept.

    Raises:
        InputError: if an image cannot be read or the training side holds a single class.
    """
    kind, truth, train, classes = job.kind, job.truth(), job.places("train"), len(job.classes)
    lesson, count = _lesson(job, cache, pictures), len(train)
    features, place, learned, beside = lesson.features, lesson.place, lesson.truth, lesson.beside
    chosen, weights = job.recipe.inverse_regularisation, _weights(job, train)
    val, folds, curve = job.places("val"), _folds(job), sorted({*CURVE, chosen})
    held_at = [c for c in curve if c == chosen or not len(val)]
    problems = [Problem(c, np.concatenate([weights, beside])) for c in curve]
    problems += [Problem(c, np.concatenate([weights * kept, beside])) for c in held_at for kept in folds]
    job.progress("validation curve", 0, 1)
    solved = iter(kind.fit(place.values, learned, classes, problems))
    whole = dict(zip(curve, islice(solved, len(curve)), strict=True))
    own = place.values[:count]
    held_out = {c: _held_out(train, own, folds, list(islice(solved, len(folds)))) for c in held_at}
    history, heads = [], {c: place.head(*head) for c, head in whole.items()}
    for c in curve:
        row: dict[str, float | None] = {"inverse_regularisation": c, "used": int(c == chosen)}
        answers = _answers(own, whole[c])
        measures = [f"{side}_{what}" for side in ("train", "val") for what in ("loss", kind.measure)]
        row |= dict(zip(measures[:2], kind.loss_and_measure(answers, truth[train], weights), strict=True))
        out, said = (val, heads[c].logits(features[val])) if len(val) else held_out[c]
        known = kind.loss_and_measure(said, truth[out], _weights(job, out)) if len(out) else (None, None)
        row |= dict(zip(measures[2:], known, strict=True))
        history.append(row)
    job.progress("validation curve", 1, 1)
    reference = fit_reference(lesson.means[train], [item.group for item in job.fold.train])
    return PartResult(
        tensors={name: torch.from_numpy(value) for name, value in vars(heads[chosen]).items()},
        logits=heads[chosen].logits(features),
        history=history,
        facts={
            "features": int(features.shape[1]),
            "backbone_digest": cache.digest,
            **({"simulated_digest": lesson.simulated} if lesson.simulated else {}),
        },
        held_out=held_out[chosen] if len(held_out[chosen][0]) else None,
        reference=None if reference is None else reference.tensors(),
    )


def answer_test_side(job: PartJob, cache: FeatureCache, pictures: Path) -> Array:
    """Logits (n, outputs) of the test side by a head that is fitted on the training side, and nothing else.

    Args:
        job: what to train and test on.
        cache: of the recipe's features.
        pictures: a folder below which simulated ones are kept.

    Raises:
        InputError: as ``train_probe``.
    """
    lesson = _lesson(job, cache, pictures)
    weights = np.concatenate([_weights(job, job.places("train")), lesson.beside])
    problem = Problem(job.recipe.inverse_regularisation, weights)
    head = lesson.place.head(*job.kind.fit(lesson.place.values, lesson.truth, len(job.classes), [problem])[0])
    return head.logits(lesson.features[job.places("test")])


@dataclass(frozen=True)
class _Lesson:
    """What a head learns from.

    Attributes:
        features: of all images of the part, (n, features).
        means: the first block of these.
        place: coordinates of the training images, and behind them of the simulated ones.
        truth: of these rows.
        beside: weights of the simulated ones, (m,), none where there are none.
        simulated: digest of the simulated ones, None where there are none.
    """

    features: NDArray[np.floating]
    means: NDArray[np.floating]
    place: Coordinates
    truth: Array
    beside: Array
    simulated: str | None


def _lesson(job: PartJob, cache: FeatureCache, pictures: Path) -> _Lesson:
    train, truth, blocks = job.places("train"), job.truth(), cache.get(job.images(job.items), job.progress)
    features, widths = np.concatenate(blocks, axis=1), [block.shape[1] for block in blocks]
    more = simulated_pictures(job, cache, pictures)
    if more is None:
        place = coordinates(features[train], widths)
        return _Lesson(features, blocks[0], place, truth[train], np.zeros(0), None)
    place = coordinates(np.concatenate([features[train], more.features]), widths)
    return _Lesson(features, blocks[0], place, np.concatenate([truth[train], more.truth]), more.weights, more.digest)


def _weights(job: PartJob, places: Index) -> Array:
    """What each of these images weighs among them."""
    recipe, groups = job.recipe, [job.items[k].group for k in places]
    balanced = job.balance == Balance.WEIGHTS
    return image_weights(job.targets()[places], len(job.classes), groups, recipe.likeness, balanced)


def _folds(job: PartJob) -> list[NDArray[np.bool_]]:
    """Which training images (n,) each model learns from when papers are held back in turn; none that lacks a label."""
    labels, groups = job.targets()[job.places("train")], [item.group for item in job.fold.train]
    if len(set(groups)) < 2 or np.bincount(labels).max() < 2:
        return []
    parts = group_folds(labels, groups, VALIDATION_PARTS, job.seed)
    return [np.isin(np.arange(len(labels)), kept) for kept, _ in parts if set(labels[kept]) == set(labels)]


def _answers(values: NDArray[np.floating], head: tuple[Array, Array]) -> Array:
    return np.asarray(values @ head[0].T + head[1])


def _held_out(
    train: Index, values: NDArray[np.floating], folds: Sequence[NDArray[np.bool_]], heads: Sequence[tuple[Array, Array]]
) -> tuple[Index, Array]:
    """Places of training images (n,) that were held back in turn, and what the others' models answer (n, outputs).

    Features of papers held back in turn were standardised with the others', which knows no label.
    """
    places = [np.flatnonzero(~kept) for kept in folds]
    answers = [_answers(values[out], head) for out, head in zip(places, heads, strict=True)]
    order = np.argsort(np.concatenate([*places, []]).astype(np.int64))
    if not len(order):
        return train[:0], np.zeros((0, 0))
    return train[np.concatenate(places)[order]], np.concatenate(answers)[order]
