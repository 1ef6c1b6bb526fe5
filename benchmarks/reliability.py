"""Kill every writing command at a random moment, and see that nothing is lost and the next run completes it.

    python benchmarks/reliability.py --rounds 50

Each round starts a command in a process group of its own on a workspace of the demo corpus and kills the group with
SIGKILL at a moment drawn from its usual time. Then the catalogue must open, hold every answer, decision, correction and
link that people made, and `polydata check --repair` must leave nothing to mend; the same command must then end well.
Between the rounds a second writer is started beside a first one, which must be told that the catalogue is in use; and
where a small file system can be mounted, commands run into a full disk and a read-only workspace.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

BIN = Path(sys.executable).parent
PEOPLE = ("label_decisions", "screening_corrections", "edits", "manual_links", "annotations")
PAPERS = 6


def polydata(*words: object, workspace: Path, expect: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
    """Run a command and hold it to its exit status; a traceback is a fault whatever the status."""
    environment = {**os.environ, "POLYDATA_WORKSPACE": str(workspace), "COLUMNS": "200"}
    command = [str(BIN / "polydata"), *map(str, words)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in expect or "Traceback" in done.stderr:
        raise SystemExit(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def people(workspace: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row that people made."""
    from polydata.catalogue.session import open_session

    with open_session(workspace, read_only=True) as session:
        return {table: session.catalogue.tuples(f"SELECT * FROM {table} ORDER BY ALL") for table in PEOPLE}


def prepare(folder: Path) -> Path:
    """A workspace of the demo corpus in which people said something of everything."""
    from polydata.catalogue.session import open_session

    place = folder / "w"
    polydata("demo-corpus", folder / "c", "--papers", PAPERS, "--seed", 7, workspace=place)
    polydata("init", place, workspace=place)
    polydata("extract", folder / "c/papers", workspace=place)
    polydata("screen", workspace=place)
    polydata("records", "import", next((folder / "c").glob("records*")), workspace=place)
    polydata("join", workspace=place)
    with open_session(place) as session:
        images = session.catalogue.column("SELECT DISTINCT image_sha256 FROM panels ORDER BY 1")
        panels = session.catalogue.column("SELECT panel_id FROM panels ORDER BY 1")
        records = session.catalogue.column("SELECT record_id FROM records ORDER BY 1")
        figure = session.catalogue.value("SELECT min(figure_id) FROM figures")
        session.catalogue.upsert(
            "annotations",
            [
                {
                    "server": "https://label.example.org", "project": 1, "annotation_id": n, "task": n, "raw": "{}",
                    "image_sha256": image, "annotator": "a@example.org", "choice": "compatible", "cancelled": False,
                    "updated_at": "2026-01-01 00:00:00",
                }
                for n, image in enumerate(images, start=1)
            ],
        )  # fmt: skip
    polydata("label", "set", images[0], "incompatible", "--reason", "seen", workspace=place)
    polydata("screen", "--reject", images[1], workspace=place)
    polydata("link", records[0], panels[0], workspace=place)
    polydata("edit", "figure", figure, "--caption", "What it shows.", workspace=place)
    return place


def commands(folder: Path, number: int) -> dict[str, tuple[object, ...]]:
    """What writes; ``number`` gives what is new a name of its own."""
    papers, out = folder / "c/papers", folder / "out"
    return {
        "extract --again": ("extract", papers, "--again"),
        "screen --again": ("screen", "--again"),
        "records import": ("records", "import", next((folder / "c").glob("records*"))),
        "join": ("join",),
        "scale-bar": ("scale-bar", "--again"),
        "build-split": ("build-split", f"v{number}", "--no-crops"),
        "export panels": ("export", "panels", "--output", out / f"panels-{number}"),
        "sheets": ("sheets", "--output", out / f"sheets-{number}"),
        "gallery": ("gallery", "--output", out / f"gallery-{number}"),
        "backup": ("backup",),
        "merge": ("merge", folder / "other"),
        "label export": ("label", "export", out / f"said-{number}.csv"),
    }


def kill(words: tuple[object, ...], workspace: Path, seconds: float) -> bool:
    """Start a command and kill it after so long; whether it was still running."""
    environment = {**os.environ, "POLYDATA_WORKSPACE": str(workspace)}
    silent = subprocess.DEVNULL
    command = [str(BIN / "polydata"), *map(str, words)]
    with subprocess.Popen(command, env=environment, stdout=silent, stderr=silent, start_new_session=True) as process:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return True
    return False


def two_writers(folder: Path, workspace: Path) -> int:
    """Start a writer beside one that is at work; its exit status."""
    environment = {**os.environ, "POLYDATA_WORKSPACE": str(workspace)}
    first = [str(BIN / "polydata"), "extract", str(folder / "c/papers"), "--again"]
    silent = subprocess.DEVNULL
    with subprocess.Popen(first, env=environment, stdout=silent, stderr=silent) as process:
        for _ in range(100):
            second = polydata("screen", "--again", workspace=workspace, expect=(0, 5))
            if second.returncode == 5 or process.poll() is not None:
                break
        process.wait()
    return second.returncode


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    chance = random.Random(options.seed)
    killed: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        place = prepare(folder)
        polydata("backup", folder / "other.zip", "--images", workspace=place)
        polydata("restore", folder / "other.zip", workspace=folder / "other")
        (folder / "out").mkdir()
        usual = {}
        for what, words in commands(folder, 0).items():
            begun = time.monotonic()
            polydata(*words, workspace=place)
            usual[what] = time.monotonic() - begun
        said = people(place)
        for number in range(1, options.rounds + 1):
            what = list(usual)[number % len(usual)]
            words = commands(folder, number)[what]
            killed[what] += kill(words, place, chance.uniform(0.1, 1.0) * usual[what])
            if people(place) != said:
                raise SystemExit(f"round {number}, {what}: what people said is not what it was")
            polydata("check", "--repair", workspace=place, expect=(0,))
            polydata(*words, workspace=place)
            if people(place) != said:
                raise SystemExit(f"round {number}, {what} run again: what people said is not what it was")
            polydata("check", workspace=place)
        second = two_writers(folder, place)
        print(json.dumps({
            "seed": options.seed, "rounds": options.rounds, "killed while running": dict(killed),
            "people's rows kept": {table: len(rows) for table, rows in said.items()},
            "exit status of a second writer": second,
        }, indent=1))  # fmt: skip


if __name__ == "__main__":
    main()
