"""Kill every writing command at a random moment, and see that nothing is lost and the next run completes it.

    python benchmarks/reliability.py --rounds 50

Each round starts a command in a process group of its own on a workspace of the demo corpus and kills the group with
SIGKILL at a moment drawn from its usual time; where it had ended by then, a shorter time is drawn, up to four times.
Then the catalogue must open, hold every answer, decision, correction and link that people made, and `polydata check`
may find nothing but files that no row names; the same command must then end well, and `polydata check --repair` leave
nothing to mend. The same is asked of each command on a disk with little room left, which root alone can mount, after
room was made. On a workspace that is mounted read-only, and beside a first writer, each must do its work or end with an
error and its hint. With ``--servers`` commands are killed too that speak with a Label Studio server or a Dask cluster,
which are started on this machine as the tests do it; Label Studio is installed where it is missing. Standard error
tells of each trial as it ends.
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
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

from reliability_scene import FaultError, Scene, Step, Words, command, people, polydata, prepare

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
DRAWS = 4
"""Times that a moment is drawn until it finds the command at work."""
TOKEN = "POLYDATA_LABEL_STUDIO_TOKEN"


def kill(words: Words, workspace: Path, seconds: float) -> float | None:
    """Start a command and kill it after so long; how long it took where it had ended."""
    environment = {**os.environ, "POLYDATA_WORKSPACE": str(workspace)}
    silent, begun = subprocess.DEVNULL, time.monotonic()
    with subprocess.Popen(
        command(words), env=environment, stdout=silent, stderr=silent, start_new_session=True
    ) as process:
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return None
    return time.monotonic() - begun


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
    usual, running, tried, numbers = dict[str, float](), Counter[str](), Counter[str](), count(1)
    for what in trial.scene.to_be_killed(0):
        step = trial.scene.to_be_killed(next(numbers))[what]
        trial.run(*step.before)
        step.given()
        begun = time.monotonic()
        trial.run(step.words)
        usual[what] = time.monotonic() - begun
        trial.run(*step.after)
        print(f"{what}: {usual[what]:.1f} s", file=sys.stderr)
    trial.said = people(trial.scene.place)
    for turn in range(rounds):
        what = list(usual)[turn % len(usual)]
        longest = usual[what]
        for _ in range(DRAWS):
            step, seconds = trial.scene.to_be_killed(next(numbers))[what], chance.uniform(0.3, 0.9) * longest
            tried[what] += 1
            with trial.noting(what):
                trial.run(*step.before)
                step.given()
                took = kill(step.words, trial.scene.place, seconds)
                if took is None:
                    running[what] += 1
                    trial.mend(step, f"{what}, killed after {seconds:.2f} of {usual[what]:.2f} s")
                    break
                trial.run(*step.after)
                trial.hold(step, f"{what}, ended after {took:.2f} s")
                trial.said = people(trial.scene.place)
                longest = min(took, seconds)
                print(f"{what} had ended after {took:.2f} s, drawn were {seconds:.2f} s", file=sys.stderr)
    return {what: f"{running[what]} of {tried[what]}" for what in usual}


def two_writers(trial: Trial) -> dict[str, int]:
    """Start every command beside a writer that is at work; its exit status."""
    place, found = trial.scene.place, {}
    environment = {**os.environ, "POLYDATA_WORKSPACE": str(place)}
    first = command(("extract", trial.scene.folder / "c/papers", "--again"))
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


def with_servers(scene: Scene, names: list[str], stack: ExitStack) -> Scene:
    """The same with a Label Studio server and a Dask cluster, those of them that are named; they end with the stack."""
    folder = scene.folder / "servers"
    if "label-studio" in names:
        from label_studio_server import start_server

        (folder / "label-studio").mkdir(parents=True)
        server = start_server(folder / "label-studio")
        stack.callback(server.stop)
        os.environ[TOKEN] = server.token
        with (scene.place / "polydata.toml").open("a") as settings:
            settings.write(f'\nurl = "{server.url}"\nproject = "main"\nimages = "upload"\n')  # of its last section
        scene = replace(scene, server=server)
    if "dask" in names:
        from dask_cluster import dask_cluster

        scene = replace(scene, cluster=stack.enter_context(dask_cluster(folder / "dask")))
    return scene


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=54, help="of kills, and of commands on a full disk")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", choices=("killed", "writers", "disk", "read-only"), nargs="+")
    parser.add_argument("--servers", choices=("dask", "label-studio"), nargs="+", default=[])
    parser.add_argument("--command", action="append", default=[], help="such as 'label set'; otherwise all")
    options = parser.parse_args()
    wanted = options.only or ("killed", "writers", *(("disk", "read-only") if os.geteuid() == 0 else ()))
    chance = random.Random(options.seed)
    answer: dict[str, object] = {"seed": options.seed, "rounds": options.rounds}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        scene = replace(prepare(Path(name)), chosen=tuple(options.command))
        if "killed" in wanted:
            scene = with_servers(scene, options.servers, stack)
        trial = Trial(scene)
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
