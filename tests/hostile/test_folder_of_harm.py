"""``polydata extract`` on a folder of hostile files among good ones."""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from commands import BIN, run, run_json
from make_hostile import READ, Hostile, write
from make_pdf import LAYOUTS

pytestmark = pytest.mark.slow

GOOD = ("below", "above", "strips")
SECONDS, MEMORY_MB = 8, 900
MEASURED = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, text=True, errors="surrogateescape")
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps([done.returncode, done.stdout, done.stderr, peak]))
"""
"""Runs a command in a process of its own, so that the peak is that of the command and its workers alone."""


@dataclass(frozen=True)
class Outcome:
    """What came of the folder: exit status, output, peak memory of the largest process, the failures."""

    status: int
    stdout: str
    stderr: str
    peak_mb: float
    files: list[Hostile]
    good: list[Path]
    failed: dict[str, str]
    workspace: Path


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    place = tmp_path_factory.mktemp("harm")
    workspace, folder = place / "workspace", place / "papers"
    folder.mkdir()
    files = list(write(folder))
    good = [folder / f"{name}.pdf" for name in GOOD]
    for name, path in zip(GOOD, good, strict=True):
        LAYOUTS[name](path)
    run("polydata", "init", workspace)
    settings = workspace / "polydata.toml"
    settings.write_text(f"[extract]\nseconds_per_file = {SECONDS}\nmemory_mb = {MEMORY_MB}\n", "utf-8")
    command = [str(BIN / "polydata"), "--workspace", str(workspace), "extract", str(folder), "--workers", "2"]
    measured = subprocess.run([sys.executable, "-c", MEASURED, *command], capture_output=True, check=True)
    status, stdout, stderr, peak = json.loads(measured.stdout)
    rows: list[dict[str, Any]] = run_json("polydata", "list", "failures", workspace=workspace)
    per_kib = 1 / 1024 if sys.platform != "darwin" else 1 / 1024**2
    failed = {row["path"]: row["reason"] for row in rows}
    return Outcome(status, stdout, stderr, peak * per_kib, files, good, failed, workspace)


def test_the_program_ends_as_it_must(outcome: Outcome) -> None:
    assert outcome.status == 3, outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_each_file_is_dealt_with_alone(outcome: Outcome) -> None:
    wrong = {}
    for one in outcome.files:
        name = str(one.path.resolve()).encode(errors="backslashreplace").decode()
        became = outcome.failed.get(name, READ)
        if became not in one.outcomes:
            wrong[one.path.name] = became
    assert not wrong


def test_good_files_are_extracted(outcome: Outcome) -> None:
    assert not {str(path) for path in outcome.good} & set(outcome.failed)
    figures = run_json("polydata", "status", workspace=outcome.workspace)["funnel"]
    assert {row["step"].strip(): row["count"] for row in figures}["papers"] >= len(GOOD) + 8


def test_the_terminal_is_safe(outcome: Outcome) -> None:
    for text in (
        outcome.stdout,
        outcome.stderr,
        run("polydata", "list", "failures", workspace=outcome.workspace).stdout,
    ):
        assert not {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c != "\n"}
    assert outcome.stderr.count("Failed: ") == len(outcome.failed)


def test_no_worker_takes_more_than_a_gigabyte(outcome: Outcome) -> None:
    assert outcome.peak_mb <= 1024
