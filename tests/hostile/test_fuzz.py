"""The fuzzer finds nothing in a few seconds, and knows a fault when it sees one by its exit status."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "fuzz.py"


@pytest.mark.slow
def test_no_fault_in_a_few_seconds(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--seconds", "12", "--seed", "1", "--keep", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "captions read" in done.stdout and "files read" in done.stdout
    assert "-> broken" in done.stdout
    assert "-> read" in done.stdout
