"""Tables of benchmarks: printed as Markdown and, where BENCH_WRITE is set, written into docs/benchmarks.md.

A table belongs between two lines of that page, ``<!-- bench: NAME -->`` and ``<!-- end of bench -->``; what stood there
is replaced.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
END = "<!-- end of bench -->"


def conditions() -> str:
    """On what it was measured: processors, and how busy the machine was."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return f"{usable} processors, load average {os.getloadavg()[0]:.1f} at the end"


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows that have the same keys as a table of Markdown."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *([str(cell) for cell in row.values()] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def placed(page: str, name: str, text: str) -> str:
    """The page with a text between the markers of a name.

    Raises:
        ValueError: if the page has no such place, or several.
    """
    begin = f"<!-- bench: {name} -->"
    if page.count(begin) != 1 or END not in page.partition(begin)[2]:
        raise ValueError(f"docs/benchmarks.md has no single place for {name}: {begin} and, behind it, {END}")
    before, _, rest = page.partition(begin)
    return f"{before}{begin}\n\n{text}\n\n{END}{rest.partition(END)[2]}"


def show(name: str, rows: Sequence[Mapping[str, object]], about: str = "", page: Path = PAGE) -> None:
    """Print a table, and write it to its place where BENCH_WRITE is set.

    Args:
        name: of the place; an empty one is only printed.
        rows: with the same keys.
        about: what was measured on what, a line below.
        page: that has the place.
    """
    text = "\n\n".join(filter(None, [table(rows), about]))
    print(f"{text}\n", flush=True)
    if name and os.environ.get("BENCH_WRITE"):
        page.write_text(placed(page.read_text("utf-8"), name, text), "utf-8")
