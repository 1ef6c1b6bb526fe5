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
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

if TYPE_CHECKING:
    from dask_cluster import Cluster
    from label_studio_server import LabelStudioServer

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
DRAWS = 4
"""Times that a moment is drawn until it finds the command at work."""
TOKEN = "POLYDATA_LABEL_STUDIO_TOKEN"
WORDS = ("compatible", "incompatible")


class FaultError(Exception):
    """A command did not end as it must, or left what it must not."""


@dataclass(frozen=True)
class Step:
    """A command that writes, and how it comes to have work.

    Attributes:
        words: of the command.
        before: commands that it needs.
        given: something else that it needs, done after them.
        after: commands that bring back what it took away.
        says: whether a person says something by it.
        ends: its exit status where it is run again after it may have been done.
        leaves: what ``check`` may find when it was ended; by default files that no row of the catalogue names.
    """

    words: Words
    before: tuple[Words, ...] = ()
    given: Callable[[], object] = lambda: None
    after: tuple[Words, ...] = ()
    says: bool = False
    ends: tuple[int, ...] = (0,)
    leaves: frozenset[str] = frozenset({"orphan", "half-written file"})


@dataclass(frozen=True)
class Scene:
    """The folder of a workspace ``w``, its corpus ``c``, another workspace, outputs, and what the catalogue names.

    Attributes:
        chosen: commands that are tried; all where it is empty.
        server, cluster: where there is one.
    """

    folder: Path
    images: list[str]
    panels: list[str]
    records: list[str]
    figures: list[str]
    papers: list[str]
    chosen: tuple[str, ...] = ()
    server: LabelStudioServer | None = None
    cluster: Cluster | None = None

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

    def to_be_killed(self, number: int) -> dict[str, Step]:
        """The same, and what is only tried to be killed: it trains, or speaks with a server."""
        split = f"s{number}"
        train = ("train", "--split", split, "--recipe", "finetune", "--epochs", 2, "--image-size", 32, "--name", split)
        data_set = self.folder / "out/published"
        steps = {
            "import-published": Step(
                ("import-published", data_set),
                given=lambda: publish(data_set),
                after=(("split", "remove", "published", "--yes"),),
            ),
            "train": Step(train, before=(("build-split", split, "--no-crops"),)),
        }
        if self.cluster:
            words = ("extract", self.folder / "c/papers", "--again", "--cluster", self.cluster.file)
            steps["extract --cluster"] = Step(words)
        if self.server:
            first, second = (f"p{number}", f"q{number}")
            push: Words = ("label", "push", "--limit", 8, "--project", first)
            pull: Words = ("label", "pull", "--project", first)
            steps |= {
                "label push": Step(push),
                "label pull": Step(pull, before=(push,), given=lambda: self.answer(first), says=True),
                "label queue": Step(("label", "queue", "--project", second)),
            }
        return {**self.steps(number), **{w: step for w, step in steps.items() if w in (self.chosen or steps)}}

    def answer(self, project: str) -> None:
        """Two people answer all tasks of a project, and differ about some."""
        from review_scene import Api

        assert self.server is not None
        for token, words in ((self.server.token, WORDS), (self.server.second_token, WORDS[:1])):
            api = Api(self.server, token)
            for number, task in enumerate(api.tasks(project).values()):
                api.answer(task, words[number % len(words)])


REFERENCE = "Kim, H. , Polymer , 45 , 3 , 12-19 (2004)"


def publish(folder: Path) -> None:
    """A small data set in the layout of the published one, written where it is missing."""
    from review_scene import picture

    if folder.exists():
        return
    (folder / "images").mkdir(parents=True)
    names = [f"{number}_page4_image1" for number in range(1, 13)]
    rows, blocks = ["file_name,subset"], []
    for place, name in enumerate(names):
        file = f"{name}_{place % 2}.png"
        (folder / "images" / file).write_bytes(picture(place))
        rows.append(f"{file},{'train' if place % 3 else 'test'}")
        blocks.append("\n".join((name, "SEM of PP/PA", "none", "No phase separation", "10", "Compatible", REFERENCE)))
    (folder / "NIMS_image_data_total.txt").write_text("\n\n".join(blocks))
    (folder / "published_split.csv").write_text("\n".join(rows) + "\n")


def command(words: Words) -> list[str]:
    program = "polymodel" if words[0] == "train" else "polydata"
    return [str(BIN / program), *map(str, words)]


def polydata(*words: object, workspace: Path, expect: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
    """Run a command and hold it to its exit status; a traceback is a fault whatever the status, and so is no hint."""
    environment = {**os.environ, "POLYDATA_WORKSPACE": str(workspace), "COLUMNS": "200"}
    done = subprocess.run(command(words), env=environment, capture_output=True, text=True, check=False)
    error = done.stderr.partition("Error: ")[2].strip()
    silent = done.returncode not in (0, 3) and "\n" not in error
    if done.returncode not in expect or "Traceback" in done.stderr or silent:
        raise FaultError(f"{' '.join(command(words))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
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
