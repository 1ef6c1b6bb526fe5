"""Kill every writing command at a random moment, and see that nothing is lost and the next run completes it.

    python benchmarks/reliability.py --rounds 50

Each round starts a command in a process group of its own on a workspace of the demo corpus and kills the group with
SIGKILL at a moment drawn from its usual time. Then the catalogue must open, hold every answer, decision, correction and
link that people made, and `polydata check --repair` must leave nothing to mend; the same command must then end well.
The same is asked of each command on a disk with little room left, which root alone can mount, after room was made. On a
workspace that is mounted read-only, and beside a first writer, each must do its work or end with an error and its hint.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BIN = Path(sys.executable).parent
PEOPLE = ("label_decisions", "screening_corrections", "edits", "manual_links", "annotations")
PAPERS = 6
LOOKING = (
    ("status",),
    ("list", "papers"),
    ("list", "screenings"),
    ("records", "list"),
    ("split", "list"),
    ("label", "list"),
)
"""Commands that only look."""
ENDS = (0, 1, 3, 4, 5, 7)


def polydata(*words: object, workspace: Path, expect: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
    """Run a command and hold it to its exit status; a traceback is a fault whatever the status, and so is no hint."""
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


def killed(folder: Path, rounds: int, chance: random.Random, said: object) -> dict[str, int]:
    """Kill commands in turn, and run them again; how often each was still running when it was killed."""
    place, usual, found = folder / "w", {}, Counter[str]()
    for what, words in commands(folder, 0).items():
        begun = time.monotonic()
        polydata(*words, workspace=place)
        usual[what] = time.monotonic() - begun
    for number in range(1, rounds + 1):
        what = list(usual)[number % len(usual)]
        words = commands(folder, number)[what]
        found[what] += kill(words, place, chance.uniform(0.1, 1.0) * usual[what])
        mended(place, words, said, f"round {number}, {what}")
    return dict(found)


def mended(place: Path, words: tuple[object, ...], said: object, when: str) -> None:
    """After a command was ended nothing that people said is lost, and it ends well when it is run again."""
    if people(place) != said:
        raise SystemExit(f"{when}: what people said is not what it was")
    polydata("check", "--repair", workspace=place)
    polydata(*words, workspace=place)
    if people(place) != said:
        raise SystemExit(f"{when}, run again: what people said is not what it was")
    polydata("check", workspace=place)


@contextmanager
def mounted(place: Path, *words: str) -> Iterator[None]:
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", *words, str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


def full_disk(folder: Path, chance: random.Random, said: object) -> dict[str, int]:
    """Run every command twice on a disk with some room, from none to more than it takes; how often it ran out of it."""
    found, number = Counter[str](), 1000
    disk = folder / "disk"
    with mounted(disk, "-t", "tmpfs", "-o", "size=400m", "tmpfs"):
        for part in ("w", "c", "other", "out"):
            shutil.copytree(folder / part, disk / part)
        for what in 2 * list(commands(disk, 0)):
            number += 1
            words = commands(disk, number)[what]
            room = chance.choice((0, int(2 ** chance.uniform(12, 23))))
            with (disk / "filler").open("wb") as filler:
                os.posix_fallocate(filler.fileno(), 0, shutil.disk_usage(disk).free - room)
            done = polydata(*words, workspace=disk / "w", expect=ENDS)
            found[what] += done.returncode != 0
            if done.returncode and "oom" not in done.stderr:
                raise SystemExit(f"{what}, {room} bytes left: nothing is said of room\n{done.stdout}{done.stderr}")
            (disk / "filler").unlink()
            mended(disk / "w", words, said, f"{what}, {room} bytes left")
    return dict(found)


def read_only(folder: Path, said: object) -> dict[str, int]:
    """The exit status of every command on a workspace that cannot be written; those that look must do their work."""
    fixed = folder / "fixed"
    with mounted(fixed, "--bind", str(folder / "w")), mounted(fixed, "-o", "remount,ro,bind"):
        for words in LOOKING:
            polydata(*words, workspace=fixed)
        found = {
            what: polydata(*words, workspace=fixed, expect=ENDS).returncode
            for what, words in commands(folder, 2000).items()
        }
        if people(fixed) != said:
            raise SystemExit("a workspace that cannot be written: what people said is not what it was")
    return found


def two_writers(folder: Path, said: object) -> dict[str, int]:
    """Start every command beside a writer that is at work; its exit status."""
    place, found = folder / "w", {}
    environment = {**os.environ, "POLYDATA_WORKSPACE": str(place)}
    first = [str(BIN / "polydata"), "extract", str(folder / "c/papers"), "--again"]
    silent = subprocess.DEVNULL
    for what, words in commands(folder, 3000).items():
        with subprocess.Popen(first, env=environment, stdout=silent, stderr=silent) as process:
            time.sleep(2)
            found[what] = polydata(*words, workspace=place, expect=(0, 5)).returncode
            if process.wait():
                raise SystemExit(f"the first of two writers, beside {what}, ended with {process.returncode}")
        mended(place, words, said, f"{what} as second writer")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        place = prepare(folder)
        polydata("backup", folder / "other.zip", "--images", workspace=place)
        polydata("restore", folder / "other.zip", workspace=folder / "other")
        (folder / "out").mkdir()
        said = people(place)
        answer: dict[str, object] = {"seed": options.seed, "rounds": options.rounds}
        answer["people's rows kept"] = {table: len(rows) for table, rows in said.items()}
        answer["killed while running"] = killed(folder, options.rounds, chance, said)
        answer["exit status beside a writer"] = two_writers(folder, said)
        if os.geteuid() == 0:
            answer["ended by a full disk, of 2"] = full_disk(folder, chance, said)
            answer["exit status on a read-only workspace"] = read_only(folder, said)
        print(json.dumps(answer, indent=1))


if __name__ == "__main__":
    main()
