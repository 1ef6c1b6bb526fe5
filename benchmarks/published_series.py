"""Two series of the published micrographs, by models that never saw their papers.

    published_series.py WORKSPACE RUN [RUN ...] [--data FOLDER]

WORKSPACE holds the published data set, as benchmarks/training.py makes it, RUN is a run there whose folds leave papers
out. Orders come from the records: printed radii of the dispersed phase, and annealed or not. The table is written to
WORKSPACE/series.csv, and `polymodel series` asks each run.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from printed_diameters import PRINTED

BY_SIZE, BY_TREATMENT = "682_page4_image1_", "629_page8_image1_"


def rows(records: Path) -> Iterator[dict[str, str]]:
    """The images of both series, as one and blend by blend."""
    with open(records, newline="", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            name, panel = row["image_file"], row["key"][-1]
            said = PRINTED.search(row["polyinfo_morphology"])
            if row["key"].startswith(BY_SIZE) and said:
                blend = "PMMA/PS" if panel in "ab" else "PMMA/PP"  # as the caption has it
                for series in ("682: printed radius", f"682: {blend}"):
                    yield {"image": name, "series": series, "order": said[2]}
            if row["key"].startswith(BY_TREATMENT):
                ratio = "70/30" if panel in "ac" else "50/50"
                treatment = "as blended" if panel in "ab" else "annealed"
                for series in ("629: both ratios", f"629: {ratio}"):
                    yield {"image": name, "series": series, "order": treatment}


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("runs", nargs="+")
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared/data/nims")
    asked = parser.parse_args(words)
    table = asked.workspace.resolve() / "series.csv"
    with open(table, "w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, ["image", "series", "order"])
        writer.writeheader()
        writer.writerows(rows(asked.data / "records.csv"))
    for run in asked.runs:
        command = ["polymodel", "series", str(table), "--run", run, "--by", "order", "--series", "series"]
        print("$", *command, flush=True)
        environment = {**os.environ, "POLYDATA_WORKSPACE": str(asked.workspace.resolve())}
        subprocess.run([str(Path(sys.executable).parent / command[0]), *command[1:]], env=environment, check=True)


if __name__ == "__main__":
    main()
