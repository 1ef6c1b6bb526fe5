"""Metrics as they are read: fractions in per cent, errors in their unit, with interval or spread; and papers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from polydata.console.output import say
from polymodel.evaluation.answered import NO_FRACTIONS, VALUE_TITLES, centre_of


def percent(value: float | None, digits: int = 1) -> str:
    """A fraction in per cent, ``–`` for one without meaning."""
    return "–" if value is None else f"{100 * value:.{digits}f}"


def amount(value: float | None, metric: str = "accuracy", digits: int = 3) -> str:
    """A metric as it is read: fractions in per cent, errors with so many digits, of numbers R² and correlations."""
    if value is None or metric not in (*NO_FRACTIONS, *VALUE_TITLES):
        return percent(value)
    return f"{value:.{digits}g}" if metric in NO_FRACTIONS else f"{round(value, 2) + 0.0:.2f}"


def interval(summary: Mapping[str, Any], metric: str = "accuracy") -> str:
    """``79.2–93.1``, or nothing where there is none; below zero ``-0.20 to 0.41``."""
    if summary["low"] is None:
        return ""
    return f"{amount(summary['low'], metric)}{_between(summary)}{amount(summary['high'], metric)}"


def _between(summary: Mapping[str, Any]) -> str:
    """A dash, or a word where it would stand before a sign."""
    return " to " if summary["low"] < 0 else "–"


def decimals(summary: Mapping[str, Any]) -> str:
    """``0.92 (0.71–1.13)``, of a number that is no fraction; without an interval the number alone."""
    value = f"{summary['value']:.2f}"
    if summary["low"] is None:
        return value
    return f"{value} ({summary['low']:.2f}{_between(summary)}{summary['high']:.2f})"


def with_spread(summary: Mapping[str, Any], metric: str = "accuracy") -> str:
    """``83.1``, or over parts ``83.1 ± 4.2``."""
    spread = summary.get("sd")
    return amount(centre_of(summary), metric) + (f" ± {amount(spread, metric, 2)}" if spread else "")


def units_of(evaluation: Mapping[str, Any]) -> str:
    """In what the metrics are told."""
    return f"errors in {evaluation['unit']}" if "unit" in evaluation else "per cent"


def signed(value: float | None, metric: str) -> str:
    """A difference with its sign; nothing for one without meaning."""
    said = "" if value is None else amount(value, metric)
    return f"+{said}" if said and not said.startswith("-") else said


def warn_leak(leakage: str | None) -> None:
    """Say why a split leaks, where it does."""
    if leakage:
        say(f"Leaky split: {leakage}", "yellow")


def cited_as(told: Mapping[str, str], group: str) -> dict[str, str]:
    """A paper as a reader knows it, from the split's lists: ``cited`` in words, ``link`` to its DOI or empty."""
    words = " ".join(part for part in (told.get("journal"), told.get("year") and f"({told['year']})") if part)
    doi = told.get("doi") or ""
    return {"cited": words or doi or f"paper {group}", "link": f"https://doi.org/{quote(doi)}" if doi else ""}
