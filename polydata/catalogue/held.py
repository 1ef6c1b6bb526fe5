"""A catalogue that another process holds: who that is, and waiting for it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from polydata.choices import WAIT
from polydata.console.output import report_problems
from polydata.errors import CatalogueError, UsageError

T = TypeVar("T")
AGAIN_SECONDS = 0.2
"""Between two tries."""


class HeldError(CatalogueError):
    """Another process holds the catalogue."""


def held_error(path: Path, message: str) -> HeldError:
    """Why a catalogue cannot be opened now.

    Args:
        message: of DuckDB, which names the process.
    """
    return HeldError(
        f"The catalogue {path} is in use by {_holder(message)}.",
        "Wait until it has ended, or stop it, then run this command again. Nothing was changed. With --wait SECONDS "
        "polydata waits by itself.",
    )


def _holder(message: str) -> str:
    """Who holds the file, from DuckDB's message: a process id, and its command line where it can be read."""
    match = re.search(r"PID (\d+)", message)
    if not match:
        return "another process"
    try:
        words = Path(f"/proc/{match[1]}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return f"process {match[1]}"
    command = " ".join(Path(w).name if i < 2 else w for i, w in enumerate(words) if w)
    return f"process {match[1]} ({command[:80]})"


def patiently(connect: Callable[[], T]) -> T:
    """What a function gives; while it raises ``HeldError`` it is called again, as long as ``WAIT`` says.

    The holder is named on standard error, once for each.

    Raises:
        HeldError: if the time is over; at once by default.
        UsageError: if ``WAIT`` is no time.
    """
    end, told = time.monotonic() + _seconds(), set[str]()
    while True:
        try:
            return connect()
        except HeldError as held:
            if not time.monotonic() < end:
                raise
            report_problems({held.message} - told, "Waiting")
            told.add(held.message)
            time.sleep(AGAIN_SECONDS)


def _seconds() -> float:
    said = os.environ.get(WAIT) or "0"
    try:
        seconds = float(said)
    except ValueError:
        seconds = -1.0
    if not seconds >= 0:
        raise UsageError(f"{said!r} is no time to wait.", f"Say 0 or more seconds: --wait, or {WAIT}.")
    return seconds
