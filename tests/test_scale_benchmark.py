"""The benchmark of growth: what it measures is kept, and the plot can be drawn again from that."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

SCRIPT = Path(__file__).resolve().parents[1] / "benchmarks" / "scale_catalogue.py"


def scale(*words: object) -> str:
    command = [sys.executable, str(SCRIPT), *map(str, words)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_figures_are_kept_and_drawn_again(tmp_path: Path) -> None:
    kept, plot, again = tmp_path / "scale.json", tmp_path / "a" / "scale.svg", tmp_path / "again.svg"
    table = scale(300, 600, "--json", kept, "--plot", plot)
    assert [line.split(" | ")[:2] for line in table.splitlines()[-2:]] == [["| 300", "30"], ["| 600", "60"]]
    sizes = json.loads(kept.read_text())["sizes"]
    for one in sizes:
        assert set(one["seconds"]) == {"funnel", "filter", "fingerprint", "join", "split", "audit"}
        assert 0 < one["peak_gb"] < 4 and one["all_seconds"] > 0
    assert scale("--redraw", kept, "--plot", again) == ""
    assert again.read_bytes() == plot.read_bytes()
    words = {node.text for node in ElementTree.parse(plot).iter("{http://www.w3.org/2000/svg}text")}
    assert {"panels", "seconds", "peak memory, GB", "split", "all steps", "in proportion"} <= words
