"""How long `polydata --help` takes beside a bare `import typer`, run in turn; prints the ratio of medians."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

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
    print(f"{'command':<20} {'median s':>9} {'ratio':>6}")
    for name, values in times.items():
        median = statistics.median(values)
        print(f"{name:<20} {median:>9.3f} {median / base:>6.2f}")


if __name__ == "__main__":
    main()
