"""How far measures of simulated micrographs are from what is true of them, kind by kind.

Median and 90th percentile of the relative error in percent, over images that got a number; ``found`` counts what they
were taken for. Anisotropy is an absolute error. Two images of each kind and seed show one sample.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from polydata.simulation.samples import KINDS
from polydata.simulation.workflow import TABLE, simulate
from polymodel.morphology.workflow import measure

PAIRS = {
    "characteristic length": ("characteristic_length_um", "characteristic_length"),
    "correlation length": ("correlation_length_um", "correlation_length"),
    "interface": ("interface_per_um", "interface_density"),
    "diameter, number": ("diameter_number_um", "diameter_number"),
    "diameter, volume": ("diameter_volume_um", "diameter_volume"),
    "diameter, median": ("diameter_d50_um", "diameter_d50"),
}
Pair = tuple[dict[str, str], dict[str, Any]]


def spread(pairs: list[Pair], true: str, said: str) -> str:
    """Median (signed), median and 90th percentile (absolute) of the relative error in percent."""
    both = [(float(row[true]), found[said]) for row, found in pairs if row[true] and found[said] is not None]
    if not both:
        return "-"
    errors = np.array([100 * (seen / real - 1) for real, seen in both])
    low, high = np.percentile(np.abs(errors), (50, 90))
    return f"{np.median(errors):+.1f} ({low:.1f}, {high:.0f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first-seed", type=int, default=101)
    parser.add_argument("--seeds", type=int, default=12)
    parser.add_argument("--count", type=int, default=2 * len(KINDS), help="images a seed")
    parser.add_argument("--size", type=int, default=256)
    options = parser.parse_args()
    kinds: dict[str, list[Pair]] = defaultdict(list)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            made = simulate(Path(folder) / str(seed), count=options.count, seed=seed, size=options.size)
            found = measure(made.folder / "images", scales=made.folder / TABLE)
            with open(made.folder / TABLE, newline="", encoding="utf-8") as handle:
                for row, measured in zip(csv.DictReader(handle), found.rows, strict=True):
                    kinds[row["kind"]].append((row, measured))
    print("| kind | found |", " | ".join(PAIRS), "| anisotropy |")
    print("|---" * (len(PAIRS) + 3) + "|")
    for kind, pairs in kinds.items():
        seen = ", ".join(f"{n} {name}" for name, n in Counter(found["kind"] for _, found in pairs).most_common())
        turned = [
            abs(f["anisotropy"] - float(r["anisotropy"])) for r, f in pairs if r["anisotropy"] and f["anisotropy"]
        ]
        cells = [spread(pairs, *names) for names in PAIRS.values()]
        print(f"| {kind} | {seen} |", " | ".join(cells), f"| {np.median(turned):.3f} |" if turned else "| - |")
    print(f"{time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
