"""Simulated micrographs: the same for the same seed, labelled by the phase diagram, with true measures beside them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from polydata.errors import RefusedError, UsageError
from polydata.files.tables import read_table
from polydata.ids import sha256_file
from polydata.simulation.microscope import Frame
from polydata.simulation.phase_diagram import ONE_PHASE, blend_at
from polydata.simulation.phasefield import Quench, evolve, start
from polydata.simulation.samples import GRID, KINDS, draw_sample
from polydata.simulation.shapes import discs, fibres, log_normal, place_discs, random_waves
from polydata.simulation.workflow import TABLE, VIEWS, Simulated, sample_of, simulate
from polydata.task import Task


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    return simulate(tmp_path_factory.mktemp("simulated") / "s", count=22, seed=4, size=128, workers=1)


def table(made: Simulated) -> list[dict[str, str]]:
    with open(made.folder / TABLE, newline="", encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def test_every_image_has_its_row_and_its_hash(made: Simulated) -> None:
    rows = table(made)
    assert [row["file"] for row in rows] == [f"images/sim_{n:06d}.png" for n in range(22)]
    assert all(sha256_file(made.folder / row["file"]) == row["image_sha256"] for row in rows)
    assert {Image.open(made.folder / row["file"]).size for row in rows} == {(128, 128)}
    assert len(read_table(made.folder / TABLE)) == 22


def test_kinds_take_turns_and_the_label_follows_from_the_phase_diagram(made: Simulated) -> None:
    rows = table(made)
    assert [row["kind"] for row in rows[: len(KINDS)]] == list(KINDS)
    task = Task.load()
    for row in rows:
        blend = blend_at(*(float(row[name]) for name in ("composition", "depth", "n1", "n2")))
        assert blend.chi == pytest.approx(float(row["chi"]), rel=1e-4)
        one = row["phase"] == ONE_PHASE
        assert (row["label"] == task.positive) == one
        assert (row["characteristic_length_um"] == "") == one
        assert (row["diameter_number_um"] != "") == (row["kind"] in ("droplets", "holes", "bimodal"))
    assert made.labels == {label: [row["label"] for row in rows].count(label) for label in made.labels}


def test_a_larger_set_begins_with_the_smaller_one_whoever_works(made: Simulated, tmp_path: Path) -> None:
    simulate(tmp_path / "s", count=12, seed=4, size=128, workers=2)
    for number in range(12):
        name = f"images/sim_{number:06d}.png"
        assert (tmp_path / "s" / name).read_bytes() == (made.folder / name).read_bytes()


def test_samples_give_no_more_than_their_views() -> None:
    numbers = [sample_of(number) for number in range(3 * VIEWS * len(KINDS))]
    assert np.bincount(numbers).tolist() == [VIEWS] * 3 * len(KINDS)


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_field_is_what_its_kind_says(kind: str) -> None:
    sample = draw_sample(kind, np.random.default_rng(1))
    field, wanted = sample.structure.field, KINDS[kind]
    assert field.shape == (GRID, GRID)
    assert np.abs(field).max() < 1.5
    assert sample.blend.phase in wanted.phases
    if sample.blend.phase != ONE_PHASE:
        assert (field > 0).mean() == pytest.approx(sample.blend.fraction, abs=0.07)


def test_the_slow_phase_stays_behind_and_noise_shows() -> None:
    before = start(Quench(1.0, 0.5, 60), 64, np.random.default_rng(0))
    plain, slow = evolve(before, 1.0, 60), evolve(before, 1.0, 60, slowness=2.0)
    noisy = evolve(before, 1.0, 60, noise=0.01, rng=np.random.default_rng(1))
    assert abs(float(slow.mean() - before.mean())) < 1e-4
    assert abs(float(noisy.mean() - before.mean())) < 1e-4
    assert np.abs(slow - plain).max() > 0.1
    assert np.abs(noisy - plain).max() > 0.1
    assert np.allclose(evolve(before, 1.0, 3, slowness=1e-9), evolve(before, 1.0, 3), atol=1e-3)
    with pytest.raises(ValueError, match="generator"):
        evolve(before, 1.0, 1, noise=0.01)


def test_shapes_are_as_large_as_they_were_asked_for() -> None:
    rng = np.random.default_rng(2)
    beds = place_discs(log_normal(14, 0.3, 2000, rng), 0.25, 256, rng)
    field = discs(beds, 256)
    assert (field > 0).mean() == pytest.approx(np.pi / 4 * (beds.diameters**2).sum() / 256**2, rel=0.01)
    assert (field > 0).mean() == pytest.approx(0.25, abs=0.02)
    away = np.abs(beds.centres[:, None] - beds.centres[None])
    gap = np.hypot(*np.moveaxis(np.minimum(away, 256 - away), -1, 0)) - (beds.diameters[:, None] + beds.diameters) / 2
    assert gap[~np.eye(len(gap), dtype=bool)].min() > 0
    alone = fibres(np.array([8.0]), 60, 0.4, 256, rng)
    assert (alone > 0).sum() == pytest.approx(8 * 60 + np.pi * 16, rel=0.03)
    assert (random_waves(20, 0.4, 256, rng) > 0).mean() == pytest.approx(0.4, abs=0.02)


def test_places_are_where_the_picture_shows_them() -> None:
    field = np.zeros((64, 64), np.float32)
    field[20, 41] = 1.0
    frame = Frame(0.5, 0.7, (50.0, 10.0))
    seen = frame.view(field, (128, 128))
    places = frame.places(np.array([[20.0, 41.0]]), 64).reshape(-1, 2)
    shown = [place for place in places if ((place > 2) & (place < 125)).all()]
    assert shown
    for row, column in shown:
        assert seen[round(row), round(column)] > 0.5


@pytest.mark.parametrize("options", [{"count": 0}, {"count": 1, "seed": -1}, {"count": 1, "size": 8}])
def test_what_cannot_be_made_is_refused(options: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be made"):
        simulate(tmp_path / "s", **options)


def test_folders_of_others_stay_untouched(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RefusedError):
        simulate(tmp_path, count=1)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
