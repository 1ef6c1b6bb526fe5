"""The phase diagram agrees with what is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from polydata.simulation.phase_diagram import METASTABLE, ONE_PHASE, UNSTABLE, Blend, blend_at


@pytest.mark.parametrize("n", [1, 50, 1000])
@pytest.mark.parametrize("depth", [0.02, 0.2, 1, 4])
def test_equal_chains_have_the_binodal_of_the_closed_form(n: float, depth: float) -> None:
    blend = blend_at(0.5, depth, n, n)
    exact = brentq(lambda x: np.log(x / (1 - x)) / (n * (2 * x - 1)) - blend.chi, 0.5 + 1e-6, 1 - 1e-15)
    assert blend.binodal == pytest.approx((1 - exact, exact), rel=1e-6)
    assert blend.fraction == pytest.approx(0.5)


@given(composition=st.floats(0.01, 0.99), depth=st.floats(-0.9, 3), n1=st.floats(1, 5000), n2=st.floats(1, 5000))
def test_phases_lie_as_they_must(composition: float, depth: float, n1: float, n2: float) -> None:
    blend = blend_at(composition, depth, n1, n2)
    assert blend.critical_chi <= blend.spinodal_chi * (1 + 1e-9)
    assert (blend.phase == UNSTABLE) == (blend.chi > blend.spinodal_chi)
    if blend.phase == ONE_PHASE:
        assert blend.gap == 0
        assert np.isnan(blend.fraction)
    elif depth > 0.01:
        assert blend.binodal is not None
        low, high = blend.binodal
        assert 0 <= low <= composition <= high <= 1
        assert 0 <= blend.fraction <= 1


def test_between_binodal_and_spinodal_it_is_metastable() -> None:
    found = [blend_at(x, 0.5, 200, 200).phase for x in (0.01, 0.1, 0.5)]
    assert found == [ONE_PHASE, METASTABLE, UNSTABLE]


@pytest.mark.parametrize(
    ("composition", "chi", "n1", "n2"), [(0, 1, 1, 1), (1, 1, 1, 1), (0.5, 1, 0.5, 1), (0.5, np.nan, 1, 1)]
)
def test_what_is_no_blend_is_refused(composition: float, chi: float, n1: float, n2: float) -> None:
    with pytest.raises(ValueError, match="not a blend"):
        Blend(composition, chi, n1, n2)
