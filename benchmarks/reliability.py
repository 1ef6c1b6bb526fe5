"""Kill every writing command at a random moment, and see that nothing is lost and the next run completes it.

    python benchmarks/reliability.py --rounds 50

Each round starts a command in a process group of its own on a workspace of the demo corpus and kills the group with
SIGKILL at a moment drawn from its usual time. Then the catalogue must open, hold every answer, decision, correction and
link that people made, and `polydata check` may find nothing but files that no row names; the same command must then end
well, and `polydata check --repair` leave nothing to mend. The same is asked of each command on a disk with little room
left, which root alone can mount, after room was made. On a workspace that is mounted read-only, and beside a first
writer, each must do its work or end with an error and its hint. Commands that speak with a server or train are left
out. Standard error tells of each trial as it ends.
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
from dataclasses import dataclass, replace
from pathlib import Path

BIN = Path(sys.executable).parent
PEOPLE = ("label_decisions", "screening_corrections", "edits", "manual_links", "annotations")
Words = tuple[object, ...]
Rows = dict[str, set[tuple[object, ...]]]
PAPERS = 6
LOOKING: tuple[Words, ...] = (
    ("status",),
    ("list", "papers"),
    ("list", "screenings"),
    ("records", "list"),
    ("split", "list"),
    ("label", "list"),
    ("conflicts",),
    ("audit", "--no-pixels"),
)
"""Commands that only look."""
ENDS = (0, 1, 3, 4, 5, 7)


class FaultError(Exception):
    """A command did not end as it must, or left what it must not."""


@dataclass(frozen=True)
class Step:
    """A command that writes, and how it comes to have work.

    Attributes:
        words: of the command.
        before: commands that it needs.
        after: commands that bring back what it took away.
        says: whether a person says something by it.
        ends: its exit status where it is run again after it may have been done.
        leaves: what ``check`` may find when it was ended; by default files that no row of the catalogue names.
    """

    words: Words
    before: tuple[Words, ...] = ()
    after: tuple[Words, ...] = ()
    says: bool = False
    ends: tuple[int, ...] = (0,)
    leaves: frozenset[str] = frozenset({"orphan", "half-written file"})


@dataclass(frozen=True)
class Scene:
    """The folder of a workspace ``w``, its corpus ``c``, another workspace, outputs, and what the catalogue names."""

    folder: Path
    images: list[str]
    panels: list[str]
    records: list[str]
    figures: list[str]
    papers: list[str]
    chosen: tuple[str, ...] = ()

    @property
    def place(self) -> Path:
        return self.folder / "w"

    def steps(self, number: int) -> dict[str, Step]:
        """What writes, or the chosen of it; ``number`` gives what is new a name of its own."""
        papers, out = self.folder / "c/papers", self.folder / "out"
        table = next((self.folder / "c").glob("records*"))
        split, said, kept = f"s{number}", out / f"said-{number}.csv", out / f"kept-{number}.zip"
        image, record = self.images[number % len(self.images)], self.records[number % len(self.records)]
        built = (("build-split", split, "--no-crops"),)
        missing = (0, 1, 2)
        steps = {
            "extract --again": Step(("extract", papers, "--again")),
            "remove paper": Step(
                ("remove", "paper", self.papers[number % PAPERS], "--yes"),
                after=(("extract", papers),),
                ends=missing,
                leaves=frozenset({"orphan", "half-written file", "split"}),  # splits stay as they were sealed
            ),
            "screen --again": Step(("screen", "--again")),
            "screen --reject": Step(("screen", "--reject", image), says=True),
            "edit figure": Step(
                ("edit", "figure", self.figures[number % len(self.figures)], "--caption", "What it shows."), says=True
            ),
            "scale-bar --again": Step(("scale-bar", "--again")),
            "records import": Step(("records", "import", table)),
            "records remove": Step(
                ("records", "remove", record, "--yes"), after=(("records", "import", table), ("join",)), ends=missing
            ),
            "join": Step(("join",)),
            "link": Step(("link", record, self.panels[number % len(self.panels)]), says=True),
            "label set": Step(("label", "set", image, "compatible", "--reason", f"seen {number} times"), says=True),
            "label resolve": Step(("label", "resolve", "--method", "majority")),
            "label export": Step(("label", "export", said)),
            "label import": Step(("label", "import", said), before=(("label", "export", said),)),
            "papers licence": Step(("papers", "licence", "CC-BY-4.0", "--source", "pdf")),
            "build-split": Step(*built),
            "split remove": Step(("split", "remove", split, "--yes"), before=built, ends=missing),
            "augment": Step(("augment", split), before=built),
            "card": Step(("card", split, "--quick"), before=built),
            "export split": Step(("export", "split", split, "--format", "imagefolder", "--quick"), before=built),
            "export panels": Step(("export", "panels", "--output", out / f"panels-{number}")),
            "sheets": Step(("sheets", "--output", out / f"sheets-{number}")),
            "gallery": Step(("gallery", "--output", out / f"gallery-{number}")),
            "backup": Step(("backup",)),
            "restore": Step(("restore", kept), before=(("backup", kept),)),
            "merge": Step(("merge", self.folder / "other")),
            "init": Step(("init", out / f"new-{number}")),
        }
        return {what: step for what, step in steps.items() if what in (self.chosen or steps)}


def polydata(*words: object, workspace: Path, expect: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
    """Run a command and hold it to its exit status; a traceback is a fault whatever the status, and so is no hint."""
    environment = {**os.environ, "POLYDATA_WORKSPACE": str(workspace), "COLUMNS": "200"}
    command = [str(BIN / "polydata"), *map(str, words)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    error = done.stderr.partition("Error: ")[2].strip()
    silent = done.returncode not in (0, 3) and "\n" not in error
    if done.returncode not in expect or "Traceback" in done.stderr or silent:
        raise FaultError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def people(workspace: Path) -> Rows:
    """Every row that people made."""
    from polydata.catalogue.session import open_session

    with open_session(workspace, read_only=True) as session:
        return {table: set(session.catalogue.tuples(f"SELECT * FROM {table}")) for table in PEOPLE}


def prepare(folder: Path) -> Scene:
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
        column = session.catalogue.column
        accepted = "SELECT image_sha256 FROM screened WHERE decision = 'accepted'"
        scene = Scene(
            folder,
            images=column(f"{accepted} ORDER BY 1"),
            panels=column(f"SELECT panel_id FROM panels WHERE image_sha256 IN ({accepted}) ORDER BY 1"),
            records=column("SELECT record_id FROM records ORDER BY 1"),
            figures=column("SELECT figure_id FROM figures ORDER BY 1"),
            papers=column("SELECT paper_id FROM papers ORDER BY 1"),
        )
        session.catalogue.upsert(
            "annotations",
            [
                {
                    "server": "https://label.example.org", "project": 1, "annotation_id": n, "task": n, "raw": "{}",
                    "image_sha256": image, "annotator": "a@example.org", "choice": "compatible", "cancelled": False,
                    "updated_at": "2026-01-01 00:00:00",
                }
                for n, image in enumerate(scene.images[::3], start=1)
            ],
        )  # fmt: skip
    for step in scene.steps(0).values():
        if step.says:
            polydata(*step.words, workspace=place)
    polydata("backup", folder / "other.zip", "--images", workspace=place)
    polydata("restore", folder / "other.zip", workspace=folder / "other")
    (folder / "out").mkdir()
    return scene


def kill(words: Words, workspace: Path, seconds: float) -> bool:
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


class Trial:
    """A scene in which commands are ended before their time, and what people said in it so far."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.said, self.left, self.faults = scene, people(scene.place), Counter[str](), list[str]()

    @contextmanager
    def noting(self, when: str) -> Iterator[None]:
        """A fault is told and counted, and the trials go on."""
        try:
            yield
        except FaultError as fault:
            self.faults.append(f"{when}: {str(fault)[:500]}")
            print(f"FAULT {when}: {fault}", file=sys.stderr)
            self.said = people(self.scene.place)

    def run(self, *commands: Words) -> None:
        for words in commands:
            polydata(*words, workspace=self.scene.place)

    def hold(self, step: Step, when: str) -> None:
        """Nothing that people said is lost, and nothing is added that nobody said."""
        now = people(self.scene.place)
        for table, rows in self.said.items():
            if not rows <= now[table] or (not step.says and rows != now[table]):
                raise FaultError(f"{when}: {table} lost {rows - now[table]} and got {now[table] - rows}")

    def mend(self, step: Step, when: str) -> None:
        """Hold what a command left that was ended, run it again, and hold that nothing is left to mend."""
        self.hold(step, when)
        faults = json.loads(polydata("check", "--json", workspace=self.scene.place, expect=(0, 3)).stdout)
        found = {fault["what"] for fault in faults}
        if found - step.leaves:
            raise FaultError(f"{when}: {faults}")
        self.left.update(found)
        polydata(*step.words, workspace=self.scene.place, expect=step.ends)
        self.run(*step.after)
        self.hold(step, f"{when}, run again")
        polydata("check", "--repair", workspace=self.scene.place, expect=(0, 3))
        self.run(("check",))
        self.said = people(self.scene.place)
        print(when, *sorted(found), sep=", ", file=sys.stderr)


def killed(trial: Trial, rounds: int, chance: random.Random) -> dict[str, str]:
    """Kill commands in turn, and run them again; how often each was still running when it was killed."""
    usual, running, tried = dict[str, float](), Counter[str](), Counter[str]()
    for what, step in trial.scene.steps(1).items():
        trial.run(*step.before)
        begun = time.monotonic()
        trial.run(step.words)
        usual[what] = time.monotonic() - begun
        trial.run(*step.after)
        print(f"{what}: {usual[what]:.1f} s", file=sys.stderr)
    trial.said = people(trial.scene.place)
    for number in range(2, rounds + 2):
        what = list(usual)[number % len(usual)]
        step, seconds = trial.scene.steps(number)[what], chance.uniform(0.2, 0.8) * usual[what]
        tried[what] += 1
        with trial.noting(what):
            trial.run(*step.before)
            running[what] += kill(step.words, trial.scene.place, seconds)
            trial.mend(step, f"{what}, killed after {seconds:.2f} of {usual[what]:.2f} s")
    return {what: f"{running[what]} of {tried[what]}" for what in usual}


def two_writers(trial: Trial) -> dict[str, int]:
    """Start every command beside a writer that is at work; its exit status."""
    place, found = trial.scene.place, {}
    environment = {**os.environ, "POLYDATA_WORKSPACE": str(place)}
    first = [str(BIN / "polydata"), "extract", str(trial.scene.folder / "c/papers"), "--again"]
    silent = subprocess.DEVNULL
    for what, step in trial.scene.steps(3000).items():
        with trial.noting(what):
            trial.run(*step.before)
            with subprocess.Popen(first, env=environment, stdout=silent, stderr=silent) as process:
                time.sleep(2)
                found[what] = polydata(*step.words, workspace=place, expect=(0, 5)).returncode
                if process.wait():
                    raise FaultError(f"the first of two writers ended with {process.returncode}")
            trial.hold(step, f"{what} as second writer")
            trial.run(*step.after)
            trial.said = people(place)
    with trial.noting("after all of these"):
        trial.run(("check",))
    return found


@contextmanager
def mounted(place: Path, *words: str) -> Iterator[None]:
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", *words, str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


@contextmanager
def filled(disk: Path, room: int) -> Iterator[None]:
    """A file takes all that is free but some bytes."""
    filler = disk / "filler"
    with filler.open("wb") as out:
        os.posix_fallocate(out.fileno(), 0, shutil.disk_usage(disk).free - room)
    try:
        yield
    finally:
        filler.unlink()


def full_disk(scene: Scene, rounds: int, chance: random.Random, faults: list[str]) -> dict[str, str]:
    """Run commands in turn on a disk with some room, from none to more than they take; how often it ran out."""
    full, tried = Counter[str](), Counter[str]()
    disk = scene.folder / "disk"
    with mounted(disk, "-t", "tmpfs", "-o", "size=900m", "tmpfs"):
        for part in ("w", "c", "other"):
            shutil.copytree(scene.folder / part, disk / part)
        (disk / "out").mkdir()
        trial, names = Trial(replace(scene, folder=disk)), list(scene.steps(0))
        trial.faults = faults
        for number in range(1000, 1000 + rounds):
            what = names[number % len(names)]
            step, room = trial.scene.steps(number)[what], chance.choice((0, int(2 ** chance.uniform(12, 23))))
            tried[what] += 1
            with trial.noting(f"{what}, {room} bytes left"):
                trial.run(*step.before)
                with filled(disk, room):
                    done = polydata(*step.words, workspace=disk / "w", expect=ENDS)
                full[what] += done.returncode != 0
                if done.returncode and not any(word in done.stderr for word in ("No space left", "Make room")):
                    raise FaultError(f"nothing is said of room\n{done.stdout}{done.stderr}")
                trial.mend(step, f"{what}, {room} bytes left, exit status {done.returncode}")
    return {what: f"{full[what]} of {tried[what]}" for what in names}


def read_only(trial: Trial) -> dict[str, int]:
    """The exit status of every command on a workspace that cannot be written; those that look must do their work."""
    place, fixed, steps, found = trial.scene.place, trial.scene.folder / "fixed", trial.scene.steps(2000), {}
    trial.run(*(words for step in steps.values() for words in step.before))
    with mounted(fixed, "--bind", str(place)):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(fixed)], check=True)
        for words in LOOKING:
            with trial.noting(f"{' '.join(map(str, words))}, read-only"):
                polydata(*words, workspace=fixed)
        for what, step in steps.items():
            with trial.noting(f"{what}, read-only"):
                found[what] = polydata(*step.words, workspace=fixed, expect=ENDS).returncode
    trial.hold(Step(()), "a workspace that cannot be written")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=54, help="of kills, and of commands on a full disk")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", choices=("killed", "writers", "disk", "read-only"), nargs="+")
    parser.add_argument("--command", action="append", default=[], help="such as 'label set'; otherwise all")
    options = parser.parse_args()
    wanted = options.only or ("killed", "writers", *(("disk", "read-only") if os.geteuid() == 0 else ()))
    chance = random.Random(options.seed)
    answer: dict[str, object] = {"seed": options.seed, "rounds": options.rounds}
    with tempfile.TemporaryDirectory() as name:
        trial = Trial(replace(prepare(Path(name)), chosen=tuple(options.command)))
        if "killed" in wanted:
            answer["killed while running"] = killed(trial, options.rounds, chance)
            answer["rounds that left files"] = dict(trial.left)
        if "writers" in wanted:
            answer["exit status beside a writer"] = two_writers(trial)
        if "disk" in wanted:
            answer["ended by a full disk"] = full_disk(trial.scene, options.rounds, chance, trial.faults)
        if "read-only" in wanted:
            answer["exit status on a read-only workspace"] = read_only(trial)
        answer["people's rows kept"] = {table: len(rows) for table, rows in trial.said.items()}
        answer["faults"] = trial.faults
    print(json.dumps(answer, indent=1))
    raise SystemExit(bool(trial.faults))


if __name__ == "__main__":
    main()
