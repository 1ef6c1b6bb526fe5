"""Figures of what was measured beside runs: series in their order, and trials beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from polymodel.evaluation.figures import INK, MUTED, TRAIN, styled

COLUMNS = 3
"""Panels side by side, as many as the page is wide."""
MOST_TICKS = 6
NAME = 34
"""Signs of a name that fit."""


@dataclass(frozen=True)
class Place:
    """An image in its series.

    Attributes:
        order: as the user's table says it; ``place`` as a number.
        index: what the run says; ``lowest`` and ``highest`` by single models, the same where one alone answers.
        known: a model had learned from its paper.
    """

    order: str
    place: float
    index: float
    lowest: float
    highest: float
    known: bool


@dataclass(frozen=True)
class Trial:
    """A trial's figure, and between which values it lies; both the same where no interval is known."""

    value: float
    low: float
    high: float


@styled
def series_figure(series: Mapping[str, Sequence[Place]], by: str, said: str, *, bounded: bool) -> Figure:
    """What a run says along each series, a panel each; the range over single models as a bar.

    Args:
        series: by name.
        by: what orders the images, for the axis.
        said: what the index is, for the other axis.
        bounded: the index lies between 0 and 1.
    """
    columns = min(COLUMNS, len(series))
    lines = -(-len(series) // columns)
    figure = Figure(figsize=(max(3.4, 3.1 * columns), 0.35 + 2.35 * lines))
    panels = figure.subplots(lines, columns, sharey=True, squeeze=False)
    for axes in panels.flat[len(series) :]:
        axes.set_visible(False)
    for axes, (name, places) in zip(panels.flat, series.items(), strict=False):
        own = sorted(places, key=lambda one: one.place)
        x, y = [one.place for one in own], np.array([one.index for one in own])
        ends = np.array([[one.index - one.lowest, one.highest - one.index] for one in own]).T.clip(min=0)
        axes.plot(x, y, color=TRAIN, linewidth=0.9, alpha=0.5)
        axes.errorbar(x, y, yerr=ends, fmt="none", ecolor=TRAIN, elinewidth=1.2, capsize=3)
        for known, colour in ((False, TRAIN), (True, "white")):
            some = [(one.place, one.index) for one in own if one.known is known]
            if some:
                axes.plot(*zip(*some, strict=True), "o", color=colour, markeredgecolor=TRAIN, markersize=5, zorder=3)
        ticks = {one.place: one.order for one in own}
        pairs = _apart(list(ticks.items()))
        tilted = sum(len(order) for _, order in pairs) > 26
        turn = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if tilted else {}
        axes.set_xticks([place for place, _ in pairs], [fitting(order) for _, order in pairs], fontsize=9, **turn)
        axes.margins(x=0.1)
        axes.set_title(fitting(name), fontsize=10)
        axes.grid(axis="y")
        if bounded:
            axes.set_ylim(-0.04, 1.04)
    for place, axes in enumerate(panels.flat[: len(series)]):
        axes.tick_params(labelleft=place % columns == 0)
        if place + columns >= len(series):
            axes.set_xlabel(fitting(by))
        if place % columns == 0:
            axes.set_ylabel(fitting(said))
    return figure


def _apart(ticks: Sequence[tuple[float, str]]) -> list[tuple[float, str]]:
    """Ticks that do not run into each other: at most ``MOST_TICKS``, the first and the last among them."""
    shown = np.unique(np.linspace(0, len(ticks) - 1, min(MOST_TICKS, len(ticks))).round().astype(int))
    near = 0.05 * (ticks[-1][0] - ticks[0][0])
    found: list[tuple[float, str]] = [ticks[0]]
    for k in shown[1:]:
        if ticks[k][0] - found[-1][0] > near:
            found.append(ticks[k])
    return found


@styled
def trials_figure(trials: Mapping[str, Mapping[str, Trial]]) -> Figure:
    """Trials with their intervals, a panel a metric; the first one is drawn through as a line.

    Args:
        trials: by the metric's title and the trial's name, in their order.
    """
    names = list(dict.fromkeys(name for found in trials.values() for name in found))
    figure = Figure(figsize=(2.6 + 2.9 * len(trials), 0.9 + 0.3 * len(names)))
    panels = figure.subplots(1, len(trials), sharey=True, squeeze=False)[0]
    for axes, (title, found) in zip(panels, trials.items(), strict=True):
        first = next(iter(found.values())).value
        axes.axvline(first, color=MUTED, linewidth=0.9, linestyle=":")
        for place, name in enumerate(names):
            if (one := found.get(name)) is None:
                continue
            colour = INK if place == 0 else TRAIN
            axes.plot([one.low, one.high], [place, place], color=colour, linewidth=1.6, solid_capstyle="butt")
            axes.plot([one.value], [place], "o", color=colour, markersize=5)
        axes.set_xlabel(title)
        axes.grid(axis="x")
    panels[0].set_yticks(range(len(names)), [fitting(name) for name in names], color=INK)
    panels[0].invert_yaxis()
    return figure


def fitting(name: str) -> str:
    """A name that fits an axis, in words, and is no mathematics to matplotlib."""
    words = name.replace("_", " ")
    return (words if len(words) <= NAME else f"{words[: NAME - 1].rstrip()}…").replace("$", r"\$")
