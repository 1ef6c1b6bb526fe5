"""Measured against printed diameters of the published micrographs, whose records give one for some of them.

Takes the folder of the published data set (images/ and records.csv). Prints what is measured beside what is printed,
the Spearman rank correlation over all images and within each figure, and how many get no number.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from polymodel.morphology.workflow import measure

PRINTED = re.compile(
    r"(radius|diameter|particle size|droplet size|domain size|average particle size)[^;|=\d]*[;=]?\s*(?:of PCL )?"
    r"(\d+(?:\.\d+)?)\s*micron",
    re.IGNORECASE,
)
"""One number in micrometres; ranges are left out. A radius counts twice."""


def printed_diameters(records: Path) -> dict[str, float]:
    """Micrometres by name of image."""
    found = {}
    with open(records, newline="", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            said = PRINTED.search(row["polyinfo_morphology"])
            if said and row["image_file"]:
                found[row["image_file"]] = float(said[2]) * (2 if said[1].lower() == "radius" else 1)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scales", type=Path, help="as polymodel morphology takes them; otherwise bars are read")
    options = parser.parse_args()
    printed = printed_diameters(options.folder / "records.csv")
    found = measure([options.folder / "images" / name for name in sorted(printed)], scales=options.scales)
    print("| image | printed µm | volume | number | length | scale | kind | note |\n|---|---|---|---|---|---|---|---|")
    pairs: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for row in found.rows:
        um = printed[row["file"]]
        scaled = row["unit"] == "um"
        sizes = [row[name] for name in ("diameter_volume", "diameter_number", "characteristic_length")]
        cells = [f"{size:.3g}" if size and scaled else "-" for size in sizes]
        print(
            f"| {row['file']} | {um:g} | {' | '.join(cells)} | {row['scale_source']} | {row['kind']} | {row['note']} |"
        )
        if scaled and sizes[0]:
            pairs[row["file"].rpartition("_image")[0]].append((um, sizes[0], sizes[2]))
    every = np.array([one for some in pairs.values() for one in some])
    for name, column in (("volume-weighted diameter", 1), ("characteristic length", 2)):
        rank = spearmanr(every[:, 0], every[:, column])
        ratio = np.median(every[:, column] / every[:, 0])
        print(
            f"{name}: {len(every)} of {len(printed)} images, Spearman {rank.statistic:.2f} (p {rank.pvalue:.1g}),",
            end="",
        )
        print(f" median ratio to what is printed {ratio:.2f}")
    for figure, some in pairs.items():
        if len(some) > 2:
            values = np.array(some)
            ranks = [spearmanr(values[:, 0], values[:, column]).statistic for column in (1, 2)]
            print(f"{figure}: {len(some)} images, Spearman of diameter {ranks[0]:.2f}, of length {ranks[1]:.2f}")


if __name__ == "__main__":
    main()
