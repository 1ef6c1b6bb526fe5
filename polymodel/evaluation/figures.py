"""Figures of runs, drawn without a display."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from polydata.images.html import data_address
from polymodel.evaluation.answered import EVERY_TITLE, NO_FRACTIONS, VALUE_TITLES

if TYPE_CHECKING:
    import pandas as pd

    from polymodel.evaluation.published_results import PrintedCurve

mpl.use("Agg")

INK, MUTED, PALE = "#1f2933", "#7b8794", "#e4e7eb"
TRAIN, HELD_BACK, TEST = "#2f6690", "#d1603d", "#7a9e3f"
COLOURS = {"train": TRAIN, "val": HELD_BACK, "test": TEST}
WORDS = {"train": "training", "val": "validation", "test": "test"}
BINS = 10
"""Groups of equally many answers, by their probability, whose truth is compared with it."""
TENTHS = np.linspace(0, 1, 6)
STYLE: Any = {
    "font.size": 10,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": PALE,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 160,
    "svg.hashsalt": "polymodel",  # the same figure gives the same bytes
}
styled = mpl.rc_context(STYLE)


@styled
def as_png(figure: Figure) -> bytes:
    """The bytes of a PNG file."""
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


@styled
def as_svg(figure: Figure) -> str:
    """A ``data:`` address that holds the figure as SVG."""
    out = io.BytesIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    return data_address(out.getvalue(), "image/svg+xml")


@styled
def confusion_figure(counts: NDArray[Any], classes: Sequence[str]) -> Figure:
    """The confusion matrix with counts and the share of each row.

    Args:
        counts: (classes, classes), rows the truth, columns the answers.
        classes: names, in the same order.
    """
    side = 1.9 + 0.85 * len(classes)
    figure = Figure(figsize=(side + 0.5, side))
    axes = figure.add_subplot()
    shares = counts / counts.sum(axis=1, keepdims=True).clip(min=1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        style: Any = {"ha": "center", "va": "center", "color": "white" if share > 0.55 else INK}
        axes.text(column, row - 0.08, f"{counts[row, column]}", fontsize=13, **style)
        axes.text(column, row + 0.2, f"{share:.0%}", fontsize=8, **style)
    names = [name.replace("_", " ") for name in classes]
    axes.set_xticks(range(len(classes)), names)
    axes.set_yticks(range(len(classes)), names, rotation=90, va="center")
    axes.set(xlabel="answered", ylabel="label")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


@styled
def values_figure(truth: NDArray[np.float64], said: NDArray[np.float64], unit: str) -> Figure:
    """What was said over what is true, a point an image, and the line on which both are the same.

    Args:
        truth: (n,) true values.
        said: (n,) those that were said.
        unit: of both.
    """
    figure = Figure(figsize=(3.7, 3.6))
    axes = figure.add_subplot()
    ends = np.array([min(truth.min(), said.min()), max(truth.max(), said.max())])
    ends = ends + np.array([-0.04, 0.04]) * np.ptp(ends)
    axes.plot(ends, ends, color=MUTED, linewidth=0.9, linestyle=":")
    axes.plot(truth, said, "o", color=TRAIN, markersize=3.5, alpha=0.55, markeredgewidth=0)
    axes.set(xlim=ends, ylim=ends, aspect="equal", xlabel=f"true, {unit}", ylabel=f"predicted, {unit}")
    axes.grid()
    return figure


def _square() -> tuple[Figure, Any]:
    """A figure of two shares, both from 0 to 1, at one scale."""
    figure = Figure(figsize=(4.0, 3.9))
    axes = figure.add_subplot()
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set_xticks(TENTHS), axes.set_yticks(TENTHS)
    axes.grid()
    return figure, axes


@styled
def roc_figure(truth: NDArray[np.bool_], chance: NDArray[np.float64], positive: str) -> Figure:
    """How many of the images of a label are found, over how many of the others are taken for it.

    Args:
        truth: (n,) whether it is the label; both occur.
        chance: (n,) its probability, 0 to 1.
        positive: the label.
    """
    from sklearn.metrics import roc_curve

    figure, axes = _square()
    false, true, _ = roc_curve(truth, chance)
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.9, linestyle=":")
    axes.plot(false, true, color=TRAIN, linewidth=1.8)
    name = _spoken(positive)
    axes.set(xlabel=f"false positive rate\nothers answered {name}", ylabel=f"true positive rate\n{name} found")
    return figure


@styled
def precision_recall_figure(truth: NDArray[np.bool_], chance: NDArray[np.float64], positive: str) -> Figure:
    """How many answers of a label are right, over how many of its images are found; arguments as of ``roc_figure``."""
    from sklearn.metrics import precision_recall_curve

    figure, axes = _square()
    precision, recall, _ = precision_recall_curve(truth, chance)
    axes.axhline(truth.mean(), color=MUTED, linewidth=0.9, linestyle=":")
    axes.step(recall, precision, where="post", color=TRAIN, linewidth=1.8)
    name = _spoken(positive)
    axes.set(xlabel=f"recall\n{name} found", ylabel=f"precision\nanswers {name} that are right")
    return figure


@styled
def reliability_figure(
    truth: NDArray[np.bool_], chance: NDArray[np.float64], positive: str, calibrated: NDArray[np.float64] | None = None
) -> Figure:
    """How often a label is true where it was given so much probability, in groups of equally many images.

    Args:
        truth, chance, positive: as of ``roc_figure``.
        calibrated: (n,) its calibrated probability; None where it is not known.
    """
    figure, axes = _square()
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.9, linestyle=":")
    drawn = [
        ("as trained", chance, TRAIN),
        *([("calibrated", calibrated, HELD_BACK)] if calibrated is not None else []),
    ]
    for words, said, colour in drawn:
        order = np.array_split(np.argsort(said, kind="stable"), max(2, min(BINS, len(said) // BINS)))
        given, came = ([float(values[part].mean()) for part in order] for values in (said, truth))
        axes.plot(given, came, "o-", color=colour, linewidth=1.2, markersize=4, label=words)
    if len(drawn) > 1:
        axes.legend(frameon=False, fontsize=9, loc="upper left")
    name = _spoken(positive)
    axes.set(xlabel=f"probability\ngiven to {name}", ylabel=f"share of images\nthat are {name}")
    return figure


@styled
def curves_figure(histories: Sequence[pd.DataFrame]) -> Figure:
    """Loss and accuracy, or error, over the epoch or the probe's regularisation: each part thin, their mean thick.

    Args:
        histories: metrics.csv of each part.
    """
    path = "inverse_regularisation" in histories[0].columns
    x = "inverse_regularisation" if path else "epoch"
    figure = Figure(figsize=(7.2, 2.7))
    second = "accuracy" if "train_accuracy" in histories[0] else "mae"
    for axes, measure in zip(figure.subplots(1, 2), ("loss", second), strict=True):
        for side in COLOURS:
            _draw(axes, histories, x, side, measure)
        if path:
            axes.set_xscale("log")
            for used in sorted({float(h.loc[h["used"] == 1, x].iloc[0]) for h in histories}):
                axes.axvline(used, color=MUTED, linewidth=0.8, linestyle=":")
                place: Any = {"xycoords": ("data", "axes fraction"), "ha": "center"}
                axes.annotate("used", (used, 1.01), color=MUTED, fontsize=8, **place)
        axes.set(xlabel="inverse regularisation C" if path else "epoch", ylabel=measure.replace("mae", "MAE"))
        axes.grid(axis="y")
    figure.axes[0].legend(frameon=False, fontsize=8)
    return figure


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


@styled
def learning_figure(rows: Sequence[Mapping[str, Any]], metrics: Sequence[str], unit: str | None) -> Figure:
    """Metrics over the number of training papers, each with its interval over the papers that are tested.

    Args:
        rows: as of ``curves.curve.Curve``.
        metrics: a panel each.
        unit: of errors.
    """
    figure = Figure(figsize=(3.8 * len(metrics), 2.9))
    papers = [row["papers"] for row in rows]
    for axes, metric in zip(figure.subplots(1, len(metrics), squeeze=False)[0], metrics, strict=True):
        factor = 1 if metric in (*NO_FRACTIONS, *VALUE_TITLES) else 100
        value, low, high = (
            np.array([row[key] for row in rows], dtype=np.float64) * factor
            for key in (metric, f"{metric}_low", f"{metric}_high")
        )
        axes.fill_between(papers, low, high, color=TRAIN, alpha=0.15, linewidth=0)
        axes.plot(papers, value, "o-", color=TRAIN, linewidth=1.6, markersize=4)
        axes.set_xscale("log")
        axes.set_xticks(papers, [str(n) for n in papers], minor=False)
        axes.minorticks_off()
        told = unit if metric in NO_FRACTIONS and metric in VALUE_TITLES else "%" if factor == 100 else ""
        axes.set(xlabel="training papers", ylabel=", ".join(filter(None, (EVERY_TITLE[metric], told))))
        axes.grid(axis="y")
    return figure


@styled
def printed_curves_figure(curves: Sequence[PrintedCurve]) -> Figure:
    """Accuracy after each epoch of printed trainings, a panel each, the best test epoch marked.

    Args:
        curves: from ``published_results.read_curves``.
    """
    columns = min(3, len(curves))
    lines = -(-len(curves) // columns)
    figure = Figure(figsize=(2.6 * columns, 0.5 + 1.9 * lines))
    panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    for axes in panels.flat[len(curves) :]:
        axes.set_visible(False)
    for axes, curve in zip(panels.flat, curves, strict=False):
        for side, values in (("train", curve.train), ("test", curve.test)):
            shown = [np.nan if v is None else 100 * v for v in values]
            axes.plot(curve.epochs, shown, color=COLOURS[side], linewidth=1.0, label=WORDS[side])
        best, epoch = curve.peak
        axes.plot([epoch], [100 * best], "o", color=HELD_BACK, markersize=4, label="best test epoch")
        axes.set_title(_shortened(curve.model), fontsize=9)
        axes.grid(axis="y")
    for axes in panels[-1]:
        axes.set_xlabel("epoch")
    for axes in panels[:, 0]:
        axes.set_ylabel("accuracy, %")
    panels[0, 0].legend(frameon=False, fontsize=7, loc="lower right")
    return figure


@styled
def box_figure(runs: Sequence[tuple[str, Mapping[str, Sequence[float]]]], titles: Sequence[str]) -> Figure:
    """Box plots of metrics over the parts or seeds of runs, every value a point.

    Args:
        runs: (name, {title: values as fractions}).
        titles: of the metrics, one panel each.
    """
    figure = Figure(figsize=(7.6, 1.1 + 0.55 * len(runs)))
    panels = figure.subplots(1, len(titles), sharey=True, squeeze=False)[0]
    lines: Any = {key: {"color": MUTED} for key in ("boxprops", "whiskerprops", "capprops")}
    lines["medianprops"] = {"color": TRAIN, "linewidth": 1.6}
    for axes, title in zip(panels, titles, strict=True):
        values = [[100 * v for v in found[title]] for _, found in runs]
        axes.boxplot(values, orientation="horizontal", widths=0.5, showfliers=False, **lines)
        for place, points in enumerate(values, start=1):
            spread = np.linspace(-0.14, 0.14, len(points)) if len(points) > 1 else [0.0]
            axes.plot(points, [place + s for s in spread], "o", color=TRAIN, markersize=3, alpha=0.5)
        axes.set_xlabel(title)
        axes.grid(axis="x")
    panels[0].set_yticks(range(1, len(runs) + 1), [_shortened(name) for name, _ in runs], color=INK)
    panels[0].invert_yaxis()
    return figure


@styled
def violin_figure(values: Mapping[str, Sequence[float]], threshold: float) -> Figure:
    """The distribution of the Sobel value for each label, and the seed's threshold.

    Args:
        values: label -> its images' values; a label with fewer than two different ones is drawn as points alone.
        threshold: drawn as a line.
    """
    figure = Figure(figsize=(4.6, 2.9))
    axes = figure.add_subplot()
    rng = np.random.default_rng(0)
    for place, (colour, points) in enumerate(zip(cycle(COLOURS.values()), values.values(), strict=False), start=1):
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
    names = [f"{_shortened(name.replace('_', ' '))}\nn = {len(found)}" for name, found in values.items()]
    axes.set_xticks(range(1, len(values) + 1), names)
    axes.set(xlim=(0.4, len(values) + 0.6), ylabel="Sobel value")
    return figure


def _spoken(label: str) -> str:
    """A label as words of an axis."""
    return _shortened(label.replace("_", " "))


def _shortened(name: str) -> str:
    """A name that fits an axis and is no mathematics to matplotlib; of a run's, recipe and digest stand at the end."""
    return (name if len(name) <= 28 else f"{name[:9]}…{name[-18:]}").replace("$", r"\$")
