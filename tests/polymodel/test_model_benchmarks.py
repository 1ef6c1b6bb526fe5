"""What the benchmarks of models share: regressions in the span of images, simulated teachers, sets of features."""

from __future__ import annotations

from pathlib import Path

import feature_choice
import label_efficiency
import label_noise
import numpy as np
import published_models as shared
import pytest
import simulated_series
import simulated_teacher as teaching
from PIL import Image

from polydata.simulation import teaching as drawn
from polydata.simulation.samples import draw_sample
from polydata.simulation.teaching import plain
from polymodel.networks.linear import coordinates, fit_regressions
from polymodel.networks.solver import Problem


@pytest.fixture(scope="module")
def data() -> shared.Published:
    """Sixty made-up images of twelve papers in three folds, with features that tell the labels."""
    rng = np.random.default_rng(0)
    groups = np.repeat([f"paper {k:02d}" for k in range(12)], 5)
    labels = rng.integers(0, 2, 60)
    folds = []
    for part in range(3):
        test = np.flatnonzero(np.isin(groups, np.unique(groups)[part::3]))
        train = np.setdiff1d(np.arange(60), test)
        halves = np.isin(groups[train], np.unique(groups[train])[::2])
        inner = tuple((np.flatnonzero(kept), np.flatnonzero(~kept)) for kept in (halves, ~halves))
        folds.append(shared.Fold(1, train, test, inner))
    names = tuple(map(str, range(60)))
    return shared.Published(names, tuple(map(Path, names)), labels, groups, tuple(folds))


@pytest.fixture(scope="module")
def blocks(data: shared.Published) -> list[np.ndarray]:
    """Two blocks of features, one of which is constant in a column."""
    rng = np.random.default_rng(1)
    told = 1.5 * data.labels[:, None] + rng.normal(size=(60, 30))
    return [told, np.hstack([rng.normal(size=(60, 7)), np.ones((60, 1))])]


def test_regressions_answer_as_the_probe_does(data: shared.Published, blocks: list[np.ndarray]) -> None:
    fold = data.folds[0]
    weights = shared.weights_of(data.labels[fold.train], data.groups[fold.train])
    values = shared.coordinates_of(shared.kernel(blocks, fold.train), fold.train)
    ((weight, bias),) = shared.regress(values[fold.train], data.labels[fold.train], [Problem(0.3, weights)])
    whole = np.concatenate(blocks, axis=1)
    place = coordinates(whole[fold.train], [30, 8])
    head = place.head(*fit_regressions(place.values, data.labels[fold.train], 2, [Problem(0.3, weights)])[0])
    logits = head.logits(whole[fold.test])
    assert values[fold.test] @ weight + bias == pytest.approx(logits[:, 1] - logits[:, 0], abs=1e-3)


def test_figures_are_of_whole_repeats(data: shared.Published) -> None:
    perfect = data.outcomes([4.0 * data.labels[fold.test] - 2 for fold in data.folds])
    assert [len(one.truth) for one in perfect] == [60]
    assert shared.line("perfect", perfect).startswith("| perfect | 1.000")
    assert shared.auroc(data.labels * 1.0, data.labels) == 1
    assert shared.balanced(np.ones(60), data.labels) == 0.5


def test_what_is_left_out_of_the_randomisation_stays_the_same() -> None:
    sample = draw_sample("droplets", np.random.default_rng(0))
    for part, name in (
        ("noise", "noise"),
        ("blur", "blur"),
        ("shading", "gain"),
        ("scale", "share"),
        ("texture", "texture"),
    ):
        drawn = [
            getattr(teaching.exposure_of(sample, "wide", without, 1.0, np.random.default_rng(k)), name)
            for without in ("", part)
            for k in range(3)
        ]
        assert len({*drawn[:3]}) == 3 and len({*drawn[3:]}) == 1, part


def test_a_plain_teacher_is_the_one_that_recipes_have() -> None:
    sample = draw_sample("droplets", np.random.default_rng(0))
    mine = teaching.picture(sample, np.random.default_rng(1), "measured", "")
    assert mine.tobytes() == plain(sample, np.random.default_rng(1)).tobytes()


def test_blocks_of_covariances() -> None:
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(3, 4, 50)).astype(np.float32)
    whole = np.stack([np.cov(one, bias=True) for one in maps])
    rows, columns = np.triu_indices(4)
    stored = {"cov 5|280": whole[:, rows, columns].astype(np.float32)}
    roots = feature_choice.block(stored, "roots 5", ("280",))
    assert roots * np.abs(roots) == pytest.approx(stored["cov 5|280"], abs=1e-5)
    assert feature_choice.block(stored, "correlations 5", ("280",))[:, rows == columns] == pytest.approx(1, abs=1e-5)
    root = np.zeros((4, 4))
    root[rows, columns] = root[columns, rows] = feature_choice.block(stored, "matrix roots 5", ("280",))[0]
    assert root @ root == pytest.approx(whole[0], abs=1e-4)


def test_trials_hold_papers_back(data: shared.Published, blocks: list[np.ndarray]) -> None:
    fold = data.folds[0]
    products = shared.kernel(blocks, fold.train)
    found = feature_choice.trials(data, fold, products, [(0.3, 0.5, 0.0), (0.3, 0.5, 3.0)])
    for held, test in found.values():
        assert shared.auroc(held, data.labels[fold.train]) > 0.7
        assert shared.auroc(test, data.labels[fold.test]) > 0.7
    radial = feature_choice.radial(products, fold.train)
    assert np.diag(radial) == pytest.approx(3)


def test_soft_labels_leave_the_test_side_alone(data: shared.Published, blocks: list[np.ndarray]) -> None:
    fold = data.folds[0]
    more = [np.concatenate([block, block[:6]]) for block in blocks]
    values = shared.coordinates_of(shared.kernel(more, fold.train), fold.train)
    clear = label_noise.Clear(data, data.groups[:6], np.zeros(60, bool))
    weights = shared.weights_of(data.labels[fold.train], data.groups[fold.train])
    usual, soft = (label_noise.logits(clear, values, fold, weights, share)[1] for share in (0.0, 1.0))
    assert usual.shape == soft.shape == fold.test.shape
    assert not np.allclose(usual, soft)
    assert set(label_noise.trials(clear, values, fold)) == {"as ever", "soft", "doubted", "unlikely"}


def test_learning_curves_are_measured_and_drawn(
    data: shared.Published, blocks: list[np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_efficiency, "PAPERS", (3, 5, 8))
    fold = data.folds[0]
    order = label_efficiency.first_papers(data, fold, 0)
    assert sorted(order) == sorted({*data.groups[fold.train]})
    assert {*data.labels[np.isin(data.groups, order[:2])]} == {0, 1}
    teacher = teaching.Teacher(
        [block[:12] for block in blocks], data.labels[:12], [f"s{k // 4}" for k in range(12)], blocks
    )
    found = label_efficiency.measured(data, blocks, teacher)
    assert [point["papers"] for point in found["curves"]["default, active order"]] == [3, 5, 8]
    assert all(0.5 < point["auroc"] <= 1 for line in found["curves"].values() for point in line)
    label_efficiency.show(found)
    label_efficiency.draw_curves(found, tmp_path / "curves.svg")
    assert "teacher alone" in (tmp_path / "curves.svg").read_text()


def test_the_truth_of_a_lesson_is_that_of_its_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[np.ndarray] = []
    monkeypatch.setattr(drawn, "expose", lambda view, *_: seen.append(view) or Image.new("L", (drawn.SIZE, drawn.SIZE)))
    plain(
        draw_sample("droplets", np.random.default_rng([drawn.SAMPLES, 0])),
        np.random.default_rng([drawn.PICTURES, 0, 1]),
    )
    length, share = simulated_series.truth_of(0, 1)
    assert share == pytest.approx(float((seen[0] > 0).mean())) and 0 < share <= 0.5
    assert 0.02 < length < 0.5
