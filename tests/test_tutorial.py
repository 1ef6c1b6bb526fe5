"""The tutorial as a new user types it: every command of it runs, and shows what the page says it shows."""

from __future__ import annotations

import csv
import os
import re
import subprocess
from pathlib import Path

import pytest
from commands import BIN, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
PAGE = Path(__file__).resolve().parents[1] / "docs/tutorial.md"
BLOCKS = re.findall(r"^```console\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def steps() -> list[tuple[str, list[str]]]:
    """Each command with the lines that are shown below it."""
    found: list[tuple[str, list[str]]] = []
    for line in "".join(BLOCKS).splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line != "…":
            found[-1][1].append(line)
    return found


WORDS = {"compatible": "yes", "incompatible": "no", "partially_compatible": "partly"}
"""What the table says for a label."""
BROWSER = {"polydata link --file links.csv": "polydata export candidates -o links.csv"}
"""Commands before which a person saves something in a browser, and what makes the like of it here."""


def own_table(corpus: Path, path: Path) -> None:
    """Write the table of the page, and in it a row without its part and one that contradicts another."""
    records, panels = (
        list(csv.DictReader((corpus / name).read_text("utf-8").splitlines())) for name in ("records.csv", "panels.csv")
    )
    said = {row["record_key"]: row for row in records}
    known = [(panel, said[panel["record_key"]]) for panel in panels if panel["record_key"]]
    rows = []
    for panel, record in known:
        first, _, second = record["polymers"].partition("; ")
        place = {"File": panel["pdf"], "Fig.": panel["figure"].split()[-1], "Part": panel["panel"]}
        blend = {"Polymer 1": first, "Polymer 2": second, "Ratio": record["composition_ratio"]}
        rows.append({**place, **blend, "Do they mix?": WORDS[panel["label"]], "Seen": record["morphology"]})
    rows[5]["Part"] = ""
    other = "no" if rows[12]["Do they mix?"] != "no" else "yes"
    with path.open("w", encoding="utf-8", newline="") as table:
        writer = csv.DictWriter(table, list(rows[0]))
        writer.writeheader()
        writer.writerows([*rows, rows[12] | {"Do they mix?": other}])


def plain(text: str) -> str:
    """Without numbers and the spaces around them, which are others with other papers."""
    return re.sub(r"\s*\d+\s*", "#", " ".join(text.split()))


def test_every_command_does_what_the_page_shows(tmp_path: Path) -> None:
    run("polydata", "demo-corpus", tmp_path / "demo", "--papers", 10)
    (tmp_path / "demo/papers").rename(tmp_path / "papers")
    own_table(tmp_path / "demo", tmp_path / "mine.csv")
    where = tmp_path
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("POLYDATA_", "LABEL_STUDIO_"))}
    clean |= {"PATH": f"{BIN}:{os.environ['PATH']}", "COLUMNS": "80"}
    assert len(steps()) > 15
    for command, shown in steps():
        if command.startswith("cd "):
            where /= command[3:]
            continue
        line = " && ".join(filter(None, (BROWSER.get(command), command)))
        done = subprocess.run(["sh", "-c", line], cwd=where, env=clean, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        said = [plain(line) for line in done.stdout.splitlines()]
        for line in shown:
            assert any(one.startswith(plain(line)) for one in said), f"{command}: {line}\n{done.stdout}"
    assert (where / "exports/first-report.html").is_file()
