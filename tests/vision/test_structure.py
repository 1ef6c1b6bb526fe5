"""Measures of structure give what is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polydata.simulation.shapes import discs, fibres, log_normal, place_discs, random_waves
from polydata.vision.structure import (
    anisotropy,
    characteristic_length,
    corrected_weights,
    correlation_length,
    distribution,
    interface_density,
)

Y, X = np.mgrid[:256, :256]


@pytest.mark.parametrize("length", [16, 24.7, 40])
@pytest.mark.parametrize("angle", [0.0, 0.6, 1.9])
def test_the_length_of_a_wave_is_its_own(length: float, angle: float) -> None:
    wave = np.cos(2 * np.pi * (X * np.cos(angle) + Y * np.sin(angle)) / length)
    assert characteristic_length(wave) == pytest.approx(length, rel=0.02)
    stretched, direction = anisotropy(wave > 0)
    assert stretched > 0.9
    away = (direction - (90 - np.degrees(angle)) + 90) % 180 - 90
    assert abs(away) < 2


@pytest.mark.parametrize("length", [15, 25, 40, 60])
def test_random_waves_have_the_length_that_they_were_made_of(length: float) -> None:
    maps = [random_waves(length, 0.5, 256, np.random.default_rng(seed)) > 0 for seed in range(4)]
    assert np.mean([characteristic_length(one) for one in maps]) == pytest.approx(length, rel=0.05)
    assert np.mean([correlation_length(one) for one in maps]) == pytest.approx(length, rel=0.03)


@pytest.mark.parametrize("diameter", [9, 20, 41])
def test_the_interface_of_a_disc_is_its_rim(diameter: float) -> None:
    disc = np.hypot(Y - 128.3, X - 127.6) < diameter / 2
    assert interface_density(disc) * disc.size == pytest.approx(np.pi * diameter, rel=0.02)


def test_many_discs_have_the_sum_of_their_rims() -> None:
    rng = np.random.default_rng(1)
    beds = place_discs(log_normal(20, 0.3, 2000, rng), 0.3, 256, rng)
    phases = discs(beds, 256) > 0
    assert interface_density(phases) * 256**2 == pytest.approx(np.pi * beds.diameters.sum(), rel=0.02)


@pytest.mark.parametrize("angle", [0.0, 0.5, 1.2])
def test_fibres_lie_where_they_were_laid(angle: float) -> None:
    field = fibres(np.full(60, 8.0), 80, angle, 256, np.random.default_rng(1))
    stretched, direction = anisotropy(field > 0)
    assert stretched > 0.6
    assert direction == pytest.approx(-np.degrees(angle), abs=6)


def test_pixels_that_are_not_known_do_not_count() -> None:
    phases = random_waves(25, 0.5, 256, np.random.default_rng(3)) > 0
    known = np.ones((256, 256), bool)
    known[220:, :] = known[:30, :40] = False
    spoilt = np.where(known, phases, X % 3 == 0)
    for measure, within in ((characteristic_length, 0.06), (correlation_length, 0.04), (interface_density, 0.05)):
        assert measure(spoilt, known) == pytest.approx(measure(phases), rel=within)
    assert anisotropy(spoilt, known)[0] == pytest.approx(anisotropy(phases)[0], abs=0.05)


def test_one_value_has_no_structure() -> None:
    empty = np.zeros((64, 64), bool)
    assert np.isnan(characteristic_length(empty))
    assert np.isnan(correlation_length(empty))
    assert interface_density(empty) == 0
    assert anisotropy(empty)[0] == 0


@settings(max_examples=50, deadline=None)
@given(
    diameters=st.lists(st.floats(0.1, 100), min_size=1, max_size=30),
    scale=st.floats(0.01, 100),
)
def test_a_distribution_scales_and_its_means_are_in_order(diameters: list[float], scale: float) -> None:
    values = np.array(diameters)
    one, other = distribution(values, np.ones(len(values))), distribution(values * scale, np.full(len(values), 3.0))
    assert one.count == len(values)
    assert values.min() * 0.999 <= one.number <= one.volume * 1.001 <= values.max() * 1.002
    assert one.d10 <= one.d50 <= one.d90
    assert other.volume == pytest.approx(one.volume * scale)


def test_objects_cut_by_the_edge_are_made_up_for() -> None:
    """Discs of two sizes, as many of each: whole ones alone would show too few large ones."""
    rng, small, large = np.random.default_rng(0), 10, 40
    means: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(300):
        sizes = np.repeat([small, large], 30)
        first = np.stack([rng.integers(-size, 100, 2) for size in sizes])
        boxes = np.hstack([first, first + sizes[:, None]])
        whole = (first >= 1).all(1) & (boxes[:, 2:] <= 99).all(1)
        for corrected, found in means.items():
            weights = corrected_weights(boxes[whole], (99, 99)) if corrected else np.ones(int(whole.sum()))
            seen = distribution(sizes[whole].astype(float), weights)
            found.append(seen.number)
    # A disc is thrown over the area in which it touches the picture: the larger by (100 + size)² of it.
    expected = (small / (100 + small) ** 2 + large / (100 + large) ** 2) / (
        1 / (100 + small) ** 2 + 1 / (100 + large) ** 2
    )
    assert np.nanmean(means[True]) == pytest.approx(expected, rel=0.04)
    assert np.nanmean(means[False]) < 0.93 * expected


def test_nothing_has_no_diameter() -> None:
    assert distribution(np.empty(0), np.empty(0)).count == 0
    assert np.isnan(distribution(np.empty(0), np.empty(0)).volume)
