"""What the reliability benchmark tries: every command that writes, on a workspace in which people said something."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
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
            first, second = (f"pushed {number}", f"queued {number}")
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
