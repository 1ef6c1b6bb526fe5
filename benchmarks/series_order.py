"""Whether the index orders every published series of sizes or ratios, by models that never saw the papers.

    series_order.py WORKSPACE RUN [RUN ...] [--data FOLDER]

WORKSPACE holds the published data set, as benchmarks/training.py makes it, RUN is a run there whose folds leave papers
out. A series is what the records of one page of a paper print of one kind: sizes of the dispersed phase (a single
number in micrometres), or ratios of the same two polymers, as `polydata.text` reads them in the captions; parts that
add up to more than 100 are misprints and left out. It needs three distinct values. A ratio counts by the share of its
minor component: droplets of the minor phase grow and touch each other as there is more of them, whichever polymer it
is, and at its vanishing nothing is left to part.

Rank correlations of a series are with the calibrated index of incompatible and with the raw logit. Papers count the
same: the mean over papers of the mean over their series. The p value comes from answers shuffled within series, one
sided since size and share are to raise the index; the interval from papers drawn anew.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau, rankdata

import polymodel
from polydata.text.composition import panel_composition
from polydata.text.quoted import split_quoted

SIZE = re.compile(
    r"(?:(?P<radius>radius)|diam(?:eter|\.)|(?:particle|droplet|domain) size|size of dispersed phase)"
    r"[^|\d]*?(?P<value>\d+(?:\.\d+)?)\s*(?:and\s+\d+(?:\.\d+)?\s*)?micron",
    re.IGNORECASE,
)
"""The first of one or two means in micrometres; ranges and limits are left out. A radius counts twice."""
FEWEST, MOST = 3, 100.5
SHUFFLES = 20_000
DRAWS = 5_000
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """A series of one page.

    Attributes:
        name: paper, page, and what is printed.
        kind: ``size`` or ``ratio``.
        paper: merged name of the paper.
        images: file names.
        places: (n,) micrometres, or shares of the minor component.
    """

    name: str
    kind: str
    paper: str
    images: tuple[str, ...]
    places: Array


def printed_size(row: dict[str, str]) -> float | None:
    """Micrometres, a single mean that the record prints."""
    said = SIZE.search(row["polyinfo_morphology"])
    before = row["polyinfo_morphology"][: said.start("value")].rstrip() if said else ""
    if said is None or before.endswith(("<", ">", "-", "to", "than")):
        return None
    return float(said["value"]) * (2 if said["radius"] else 1)


def printed_ratio(row: dict[str, str]) -> tuple[str, float] | None:
    """Both polymers by name, and the share of the minor one, as the record's caption has it for this panel."""
    parts = split_quoted(row["caption"])
    own, letter = dict(parts.panels), row["panel"][:1].lower()
    alone = next(iter(own.values())) if len(own) == 1 else None
    if own and letter not in own and len(own) > 1:
        return None
    words = own.get(letter, alone) if own else None
    found = panel_composition(row["caption"], parts.stem if own else None, words)
    if found is None or len(found.ratio) != 2 or not sum(found.ratio):
        return None
    if sum(found.ratio) > MOST and found.unit != "phr":
        return None
    return "/".join(sorted(name.upper() for name in found.components)), min(found.ratio) / sum(found.ratio)


def series_of(records: Path) -> list[Series]:
    """All series of the records of images, sizes first."""
    found: dict[tuple[str, str, str], list[tuple[str, float]]] = defaultdict(list)
    with open(records, newline="", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            if not row["image_file"]:
                continue
            page = f"{row['paper_id']}, page {float(row['page'] or 0):g}"
            if size := printed_size(row):
                found["size", row["paper_group"], page].append((row["image_file"], size))
            if ratio := printed_ratio(row):
                found["ratio", row["paper_group"], f"{page}, {ratio[0]}"].append((row["image_file"], ratio[1]))
    every = [
        Series(name, kind, paper, tuple(image for image, _ in some), np.array([place for _, place in some]))
        for (kind, paper, name), some in found.items()
        if len({round(place, 4) for _, place in some}) >= FEWEST
    ]
    return sorted(every, key=lambda one: (one.kind != "size", len(one.paper), one.paper, one.name))


def spearman(first: Array, second: Array) -> float:
    """Of two rows (n,); 0 where one of them is constant."""
    one, other = (rankdata(values) - (len(values) + 1) / 2 for values in (first, second))
    length = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float(one @ other) / length if length else 0.0


def kendall(first: Array, second: Array) -> float:
    """Tau-b of two rows (n,); 0 where one of them is constant."""
    return float(np.nan_to_num(kendalltau(first, second).statistic))


def over_papers(values: Sequence[float], papers: Sequence[str]) -> Array:
    """The mean of each paper's series, (papers,)."""
    return np.array(
        [np.mean([v for v, p in zip(values, papers, strict=True) if p == one]) for one in sorted({*papers})]
    )


def combined(
    some: Sequence[Series], answers: Sequence[Array], measure: Callable[[Array, Array], float]
) -> dict[str, float]:
    """The mean over papers, its interval, and the one-sided p value of answers shuffled within series."""
    rng = np.random.default_rng(0)
    papers = [one.paper for one in some]
    each = over_papers([measure(one.places, said) for one, said in zip(some, answers, strict=True)], papers)
    drawn = each[rng.integers(0, len(each), (DRAWS, len(each)))].mean(1)
    ranks = [rankdata(said) for said in answers]
    shares = 1 / np.array([papers.count(paper) * len(each) for paper in papers])
    chance = np.zeros(SHUFFLES)
    for one, rank, share in zip(some, ranks, shares, strict=True):  # the p value is of Spearman's, for either measure
        shuffled = rng.permuted(np.tile(rank - rank.mean(), (SHUFFLES, 1)), axis=1)
        places = rankdata(one.places) - (len(rank) + 1) / 2
        length = np.sqrt((places**2).sum() * ((rank - rank.mean()) ** 2).sum())
        chance += share * (shuffled @ places) / (length or 1)
    true = over_papers([spearman(one.places, said) for one, said in zip(some, answers, strict=True)], papers).mean()
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {
        "value": float(each.mean()),
        "low": low,
        "high": high,
        "p": float((1 + (chance >= true - 1e-9).sum()) / (1 + SHUFFLES)),
    }


def told(workspace: Path, run: str, some: Sequence[Series]) -> dict[str, dict[str, Any]]:
    """Index and logit by file name, from models that had not seen the paper."""
    table = workspace / "series-order.csv"
    with open(table, "w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(("image", "order"))
        writer.writerows((image, 0) for image in sorted({image for one in some for image in one.images}))
    found = polymodel.open_run(run, workspace).series(table, "order")
    if seen := [row["image"] for row in found.rows if row["trained_on"]]:
        raise SystemExit(f"{run} was trained on {', '.join(seen)}")
    return {row["image"]: row for row in found.rows}


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared/data/nims")
    asked = parser.parse_args(words)
    every = series_of(asked.data / "records.csv")
    for run in asked.runs:
        known = told(asked.workspace.resolve(), run, every)
        answers = {
            what: [np.array([known[i][what] for i in one.images]) for one in every] for what in ("index", "logit")
        }
        print(
            f"\n{run}\n\n| series | printed | images | Spearman index | logit | Kendall index | logit |\n|{'---|' * 7}"
        )
        for k, one in enumerate(every):
            cells = [
                f"{measure(one.places, answers[what][k]):+.2f}" for measure in (spearman, kendall) for what in answers
            ]
            print(f"| {one.name} | {one.kind} | {len(one.images)} | {' | '.join(cells)} |")
        print(f"\n| all of | series, papers, images | measure | index | logit |\n|{'---|' * 5}")
        pure = [one.kind == "ratio" and bool((one.places == 0).any()) for one in every]
        groups = {
            "sizes": [one.kind == "size" for one in every],
            "ratios": [one.kind == "ratio" for one in every],
            "ratios without neat polymers": [one.kind == "ratio" and not p for one, p in zip(every, pure, strict=True)],
            "sizes and ratios": [True for _ in every],
        }
        for words_, chosen in groups.items():
            own = [k for k, yes in enumerate(chosen) if yes]
            some = [every[k] for k in own]
            size = f"{len(some)}, {len({one.paper for one in some})}, {len({i for one in some for i in one.images})}"
            for name, measure in (("Spearman", spearman), ("Kendall", kendall)):
                cells = []
                for said in answers.values():
                    got = combined(some, [said[k] for k in own], measure)
                    cells.append(f"{got['value']:.2f} [{got['low']:.2f}, {got['high']:.2f}], p {got['p']:.2g}")
                print(f"| {words_} | {size} | {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
