"""Killing ``polydata extract`` at any moment and running it again gives what an uninterrupted run gives."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
from commands import BIN, run, run_json

pytestmark = pytest.mark.slow
PAPERS = 6


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    run("polydata", "demo-corpus", folder / "c", "--papers", PAPERS, "--seed", 5)
    return folder / "c/papers"


def stored(workspace: Path) -> set[str]:
    return {p.name for p in (workspace / "store").rglob("*") if p.is_file() and not p.name.startswith(".")}


def test_killed_three_times_it_ends_the_same(papers: Path, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for place in (whole, broken):
        run("polydata", "init", place)
    start = time.monotonic()
    run("polydata", "extract", papers, workspace=whole)
    seconds = time.monotonic() - start

    chance = random.Random(os.environ.get("PYTEST_XDIST_WORKER", "0") + str(time.time_ns()))
    moments = [chance.uniform(0.1, 0.95) * seconds for _ in range(3)]
    for moment in moments:
        command = [str(BIN / "polydata"), "extract", str(papers), "--workspace", str(broken)]
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        ) as process:
            time.sleep(moment)
            os.killpg(process.pid, signal.SIGKILL)
    result = run_json("polydata", "extract", papers, workspace=broken)
    assert result["papers"] == PAPERS and result["failures"] == 0
    prints = [run_json("polydata", "status", workspace=place)["fingerprint"] for place in (whole, broken)]
    assert prints[0] == prints[1], f"killed after {moments} s"
    assert stored(whole) == stored(broken)
