"""How often the audit's ``metadata-leak`` warns where nothing beside the micrograph tells the label, and where it does.

    controls.py [--simulations 200] [--papers 12 40 124]

Papers of uneven size; sizes of pictures, their print and their labels resemble each other within a paper. A leak makes
pictures of one label larger by so many standard deviations of a picture's size among papers. Printed are the shares of
data sets that are warned of.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from polydata.auditing.controls import ControlTable
from polydata.auditing.tell_tales import ASKED, tell_tales


def scene(seed: int, papers: int, leak: float = 0.0, alike: float = 0.4) -> ControlTable:
    """A data set: one image in five is positive; ``alike`` is the intra-class correlation of labels in papers."""
    rng = np.random.default_rng(seed)
    place = np.repeat(np.arange(papers), 1 + rng.negative_binomial(1, 1 / 4.2, papers))
    count, one = len(place), 1 / alike - 1
    labels = (rng.random(count) < rng.beta(0.2 * one, 0.8 * one, papers)[place]).astype(np.int64)
    labels[:2] = (0, 1)  # both labels, in two papers or in one and others

    def within(columns: int, own: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return rng.normal(size=(papers, columns))[place] + own * rng.normal(size=(count, columns))

    width, height = 6 + 0.5 * within(2, 0.4).T + 0.5 * leak * labels
    sizes = np.column_stack([width, height, width - height])
    files = np.column_stack([within(2, 0.5), rng.integers(3, size=papers)[place, None] == np.arange(3)])
    letters = np.array(list("abcdef"))[np.minimum(np.arange(count) - np.searchsorted(place, place), 5)]
    metadata = np.column_stack([sizes, files]).astype(np.float64)
    return ControlTable(labels, place.astype(np.str_), metadata, within(544, 0.7), 2, letters)


def warned(simulations: int, papers: int, leak: float = 0.0, torn: bool = False) -> float:
    """The share of data sets that are warned of; torn: images of a paper on both sides, with labels not alike."""
    count = 0
    for seed in range(simulations):
        table = scene(seed, papers, leak, alike=0.01 if torn else 0.4)
        order = np.random.default_rng(seed).permutation(len(table.labels))
        sides = [(order[len(order) // 5 :], order[: len(order) // 5])] if torn else []
        count += any(found.tells for found in tell_tales(table, ASKED, sides).values())
    return count / simulations


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=200)
    parser.add_argument("--papers", type=int, nargs="+", default=(12, 40, 124))
    asked = parser.parse_args(words)
    print("| papers | no leak | no leak, papers torn apart | larger by 0.5 | by 1 | by 2 |\n|---|---|---|---|---|---|")
    for papers in asked.papers:
        none, torn = warned(asked.simulations, papers), warned(asked.simulations, papers, torn=True)
        leaks = [warned(asked.simulations // 4, papers, leak) for leak in (0.5, 1.0, 2.0)]
        print(f"| {papers} | {none:.3f} | {torn:.3f} | " + " | ".join(f"{v:.2f}" for v in leaks) + " |", flush=True)


if __name__ == "__main__":
    main()
