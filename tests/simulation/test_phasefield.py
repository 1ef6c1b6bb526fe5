"""The simulation conserves what it must and coarsens as blends do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polydata.simulation.phasefield import FloatImage, Quench, evolve, simulate, start


def domain_length(phi: FloatImage) -> float:
    """Mean wavelength of the structure in grid points: 2π over the power-weighted mean wavenumber."""
    power = np.abs(np.fft.fft2(phi - phi.mean())) ** 2
    frequency = 2 * np.pi * np.fft.fftfreq(phi.shape[0])
    k = np.hypot(frequency[:, None], frequency[None, :])
    return float(2 * np.pi * power.sum() / (k * power).sum())


@settings(max_examples=25, deadline=None)
@given(
    depth=st.floats(0.001, 1.0),
    fraction=st.floats(0.14, 0.86),
    time=st.floats(1, 300),
    seed=st.integers(0, 2**32 - 1),
)
def test_mass_is_conserved_and_the_field_stays_bounded(depth: float, fraction: float, time: float, seed: int) -> None:
    quench = Quench(depth, fraction, time)
    before = start(quench, 48, np.random.default_rng(seed))
    after = evolve(before, depth, time)
    scale = np.sqrt(depth)
    assert abs(float(after.mean() - before.mean())) < 1e-4 * scale
    assert float(before.mean()) == pytest.approx((2 * fraction - 1) * scale, abs=1e-4 * scale)
    assert np.isfinite(after).all()
    assert np.abs(after).max() < 2.5 * scale


@pytest.mark.parametrize("fraction", [0.3, 0.5])
def test_domains_coarsen_with_time(fraction: float) -> None:
    lengths = [
        domain_length(simulate(Quench(1.0, fraction, time), 128, np.random.default_rng(5))) for time in (30, 200, 1500)
    ]
    assert lengths[0] * 1.15 < lengths[1]
    assert lengths[1] * 1.15 < lengths[2]


def test_coarsening_follows_the_power_of_a_third() -> None:
    early, late = (
        np.mean([domain_length(simulate(Quench(1.0, 0.5, t), 192, np.random.default_rng(s))) for s in range(3)])
        for t in (100, 1600)
    )
    exponent = np.log(late / early) / np.log(16)
    assert 0.12 < exponent < 0.4  # Lifshitz and Slyozov: 1/3, reached from below


def test_contrast_grows_with_the_depth_of_the_quench() -> None:
    contrasts = [float(simulate(Quench(d, 0.5, 100), 96, np.random.default_rng(1)).std()) for d in (0.01, 0.1, 0.8)]
    assert contrasts[0] < contrasts[1] < contrasts[2]
    assert contrasts[2] / contrasts[0] == pytest.approx(np.sqrt(80), rel=0.05)


def test_phases_end_at_the_bottoms_of_the_wells() -> None:
    phi = simulate(Quench(0.5, 0.5, 1500), 128, np.random.default_rng(2))
    low, high = np.percentile(phi, [10, 90])
    assert high == pytest.approx(np.sqrt(0.5), rel=0.08)
    assert low == pytest.approx(-np.sqrt(0.5), rel=0.08)


def test_the_same_seed_gives_the_same_field() -> None:
    one, other = (simulate(Quench(0.7, 0.4, 80), 64, np.random.default_rng(9)) for _ in range(2))
    assert np.array_equal(one, other)


@pytest.mark.parametrize(("depth", "fraction", "time"), [(0, 0.5, 1), (1, 0, 1), (1, 1, 1), (1, 0.5, 0), (-1, 0.5, 1)])
def test_a_quench_out_of_range_is_refused(depth: float, fraction: float, time: float) -> None:
    with pytest.raises(ValueError, match="not a quench"):
        Quench(depth, fraction, time)
