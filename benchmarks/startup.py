"""How long `polydata --help` takes beside a bare `import typer`, run in turn: the ratio of medians."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from shown import conditions, show

RUNS = 15
BIN = Path(sys.executable).parent
COMMANDS = {
    "import typer": [sys.executable, "-c", "import typer"],
    "polydata --help": [str(BIN / "polydata"), "--help"],
    "polymodel --help": [str(BIN / "polymodel"), "--help"],
}


def main() -> None:
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(RUNS):
        for name, command in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, capture_output=True)
            times[name].append(time.perf_counter() - start)
    base = statistics.median(times["import typer"])
    medians = {name: statistics.median(values) for name, values in times.items()}
    rows = [{"command": f"`{name}`", "ratio": f"{median / base:.2f}"} for name, median in medians.items()]
    show("startup", rows, f"{RUNS} runs each, in turn, {base:.2f} s for `import typer`; {conditions()}.")


if __name__ == "__main__":
    main()
