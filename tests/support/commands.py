"""Runs the real programs as a user would: in their own process, judged by exit status and output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent
TIMEOUT_S = 900


def run(
    *words: object, workspace: Path | None = None, expect: int = 0, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run ``polydata ...`` or ``polymodel ...`` and check its exit status.

    Args:
        workspace: put into POLYDATA_WORKSPACE.
        expect: the exit status that is right.
        variables: further environment variables.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("POLYDATA_", "LABEL_STUDIO_"))}
    environment |= {"COLUMNS": "200", **variables}
    if workspace:
        environment["POLYDATA_WORKSPACE"] = str(workspace)
    command = [str(BIN / str(words[0])), *map(str, words[1:])]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    said = f"{' '.join(command)}\nexit {result.returncode}, expected {expect}\n{result.stdout}\n{result.stderr}"
    assert result.returncode == expect, said
    assert "Traceback" not in result.stderr, said
    return result


def run_json(*words: object, workspace: Path | None = None, expect: int = 0) -> Any:
    """The same with ``--json``, read."""
    return json.loads(run(*words, "--json", workspace=workspace, expect=expect).stdout)


def funnel(workspace: Path) -> dict[str, int]:
    """Counts of ``polydata status`` by step."""
    rows = run_json("polydata", "status", workspace=workspace)["funnel"]
    return {row["step"].strip(): row["count"] for row in rows}
