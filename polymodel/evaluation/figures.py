"""Figures of runs, drawn without a display."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

    from polymodel.evaluation.published_results import PrintedCurve

mpl.use("Agg")

Format = Literal["png", "svg"]

INK, MUTED = "#1f2933", "#7b8794"
TRAIN, HELD_BACK, TEST = "#2f6690", "#d1603d", "#7a9e3f"
COLOURS = {"train": TRAIN, "val": HELD_BACK, "test": TEST}
WORDS = {"train": "training", "val": "validation", "test": "test"}
STYLE: Any = {
    "font.size": 9,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "text.color": INK,
    "svg.hashsalt": "polymodel",  # the same figure gives the same bytes
}


def _finish(figure: Figure, kind: Format) -> bytes:
    out = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else None
    figure.savefig(out, format=kind, dpi=160, metadata=metadata)
    return out.getvalue()


def confusion_figure(counts: NDArray[Any], classes: Sequence[str], kind: Format) -> bytes:
    """The confusion matrix with counts and the share of each row.

    Args:
        counts: (classes, classes), rows the truth, columns the answers.
        classes: names, in the same order.
        kind: ``png`` or ``svg``.
    """
    side = 1.9 + 0.85 * len(classes)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(side + 0.5, side), layout="constrained")
        axes = figure.add_subplot()
        shares = counts / counts.sum(axis=1, keepdims=True).clip(min=1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for row in range(len(classes)):
            for column in range(len(classes)):
                share = shares[row, column]
                colour = "white" if share > 0.55 else INK
                axes.text(
                    column, row - 0.08, f"{counts[row, column]}", ha="center", va="center", color=colour, fontsize=13
                )
                axes.text(column, row + 0.2, f"{share:.0%}", ha="center", va="center", color=colour, fontsize=8)
        names = [name.replace("_", " ") for name in classes]
        axes.set_xticks(range(len(classes)), names)
        axes.set_yticks(range(len(classes)), names, rotation=90, va="center")
        axes.set_xlabel("answered")
        axes.set_ylabel("label")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        return _finish(figure, kind)


def curves_figure(histories: Sequence[pd.DataFrame], kind: Format) -> bytes:
    """Loss and accuracy against the epoch, or against the probe's regularisation: each part thin, their mean thick.

    Args:
        histories: metrics.csv of each part.
        kind: ``png`` or ``svg``.
    """
    path = "inverse_regularisation" in histories[0].columns
    x = "inverse_regularisation" if path else "epoch"
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, 2.7), layout="constrained")
        for axes, measure in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
            for side in COLOURS:
                _draw(axes, histories, x, side, measure)
            if path:
                axes.set_xscale("log")
                used = histories[0].loc[histories[0]["used"] == 1, x].iloc[0]
                axes.axvline(used, color=MUTED, linewidth=0.8, linestyle=":")
                axes.annotate(
                    "used", (used, 1.01), xycoords=("data", "axes fraction"), ha="center", color=MUTED, fontsize=8
                )
            axes.set_xlabel("inverse regularisation C" if path else "epoch")
            axes.set_ylabel(measure)
            axes.grid(axis="y", color="#e4e7eb", linewidth=0.6)
        figure.axes[0].legend(frameon=False, fontsize=8)
        return _finish(figure, kind)


def _draw(axes: Any, histories: Sequence[pd.DataFrame], x: str, side: str, measure: str) -> None:
    import pandas as pd

    column, colour = f"{side}_{measure}", COLOURS[side]
    drawn = [h[[x, column]].dropna() for h in histories if column in h and h[column].notna().any()]
    if not drawn:
        return
    if len(drawn) > 1:
        for history in drawn:
            axes.plot(history[x], history[column], color=colour, linewidth=0.6, alpha=0.25)
    mean = pd.concat(drawn).groupby(x)[column].mean()
    marker = "o" if len(mean) < 12 else None
    axes.plot(mean.index, mean.to_numpy(), color=colour, linewidth=1.8, marker=marker, markersize=3, label=WORDS[side])


def printed_curves_figure(curves: Sequence[PrintedCurve], kind: Format) -> bytes:
    """Accuracy after each epoch of printed trainings, a panel each, the best test epoch marked.

    Args:
        curves: from ``published_results.read_curves``.
        kind: ``png`` or ``svg``.
    """
    columns = min(3, len(curves))
    lines = -(-len(curves) // columns)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(2.6 * columns, 0.5 + 1.9 * lines), layout="constrained")
        panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
        for axes in panels.flat[len(curves) :]:
            axes.set_visible(False)
        for axes, curve in zip(panels.flat, curves, strict=False):
            for side, values in (("train", curve.train), ("test", curve.test)):
                axes.plot(
                    curve.epochs, [np.nan if v is None else 100 * v for v in values],
                    color=COLOURS[side], linewidth=1.0, label=WORDS[side],
                )  # fmt: skip
            best, epoch = curve.peak
            axes.plot([epoch], [100 * best], "o", color=HELD_BACK, markersize=4, label="best test epoch")
            axes.set_title(_shortened(curve.model), fontsize=9)
            axes.grid(axis="y", color="#e4e7eb", linewidth=0.6)
        for axes in panels[-1]:
            axes.set_xlabel("epoch")
        for axes in panels[:, 0]:
            axes.set_ylabel("accuracy, %")
        panels[0, 0].legend(frameon=False, fontsize=7, loc="lower right")
        return _finish(figure, kind)


def box_figure(runs: Sequence[tuple[str, Mapping[str, Sequence[float]]]], titles: Sequence[str], kind: Format) -> bytes:
    """Box plots of metrics over the parts or seeds of runs, every value a point.

    Args:
        runs: (name, {title: values as fractions}).
        titles: of the metrics, one panel each.
        kind: ``png`` or ``svg``.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.6, 1.1 + 0.55 * len(runs)), layout="constrained")
        panels = figure.subplots(1, len(titles), sharey=True, squeeze=False)[0]
        for axes, title in zip(panels, titles, strict=True):
            values = [[100 * v for v in found[title]] for _, found in runs]
            axes.boxplot(
                values,
                orientation="horizontal",
                widths=0.5,
                showfliers=False,
                medianprops={"color": TRAIN, "linewidth": 1.6},
                boxprops={"color": MUTED},
                whiskerprops={"color": MUTED},
                capprops={"color": MUTED},
            )
            for place, points in enumerate(values, start=1):
                spread = np.linspace(-0.14, 0.14, len(points)) if len(points) > 1 else [0.0]
                axes.plot(points, [place + s for s in spread], "o", color=TRAIN, markersize=3, alpha=0.5)
            axes.set_xlabel(title)
            axes.grid(axis="x", color="#e4e7eb", linewidth=0.6)
        panels[0].set_yticks(range(1, len(runs) + 1), [_shortened(name) for name, _ in runs], color=INK)
        panels[0].invert_yaxis()
        return _finish(figure, kind)


def violin_figure(values: Mapping[str, Sequence[float]], threshold: float, kind: Format) -> bytes:
    """The distribution of the Sobel value for each label, and the seed's threshold.

    Args:
        values: label -> its images' values; a label with fewer than two different ones is drawn as points alone.
        threshold: drawn as a line.
        kind: ``png`` or ``svg``.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(4.6, 2.9), layout="constrained")
        axes = figure.add_subplot()
        rng = np.random.default_rng(0)
        for place, (colour, points) in enumerate(zip(_cycle(len(values)), values.values(), strict=True), start=1):
            if len(set(points)) > 1:
                body: Any = axes.violinplot([list(points)], positions=[place], widths=0.8, showmedians=True)
                for part in body["bodies"]:
                    part.set_facecolor(colour)
                    part.set_alpha(0.3)
                for name in ("cbars", "cmins", "cmaxes", "cmedians"):
                    body[name].set_color(colour)
            axes.plot(place + rng.uniform(-0.07, 0.07, len(points)), points, ".", color=colour, markersize=3, alpha=0.5)
        axes.axhline(threshold, color=INK, linewidth=0.9, linestyle=":")
        axes.annotate("threshold", (0.4, threshold), color=MUTED, fontsize=8, va="bottom")
        axes.set_xlim(0.4, len(values) + 0.6)
        axes.set_xticks(
            range(1, len(values) + 1), [f"{_shortened(n.replace('_', ' '))}\nn = {len(v)}" for n, v in values.items()]
        )
        axes.set_ylabel("Sobel value")
        return _finish(figure, kind)


def _cycle(count: int) -> list[str]:
    colours = list(COLOURS.values())
    return [colours[k % len(colours)] for k in range(count)]


def _shortened(name: str) -> str:
    """A name that fits an axis and is no mathematics to matplotlib; of a run's, recipe and digest stand at the end."""
    return (name if len(name) <= 28 else f"{name[:9]}…{name[-18:]}").replace("$", r"\$")
