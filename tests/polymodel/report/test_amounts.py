"""Amounts as a report and a terminal show them."""

from __future__ import annotations

import pytest

from polymodel.report.amounts import decimals, interval


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [(0.71, 1.13, "0.90 (0.71–1.13)"), (-1.38, -0.28, "0.90 (-1.38 to -0.28)"), (None, None, "0.90")],
)
def test_a_range_below_zero_is_told_with_a_word(low: float | None, high: float | None, shown: str) -> None:
    assert decimals({"value": 0.9, "low": low, "high": high}) == shown


def test_an_interval_of_shares() -> None:
    assert interval({"low": 0.792, "high": 0.931}) == "79.2–93.1"
    assert interval({"low": -0.2, "high": 0.41}, "r2") == "-0.20 to 0.41"
    assert interval({"low": None, "high": None}) == ""
