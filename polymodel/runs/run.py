"""Run folders: written so that a killed process leaves only whole parts, read back and listed.

    runs/NAME/
        run.json                 configuration, split and digest, leakage, environment, state, timings
        README.md                the model card
        parts/fold-1-seed-0/     one trained model: for each fold and seed
            part.json            its fold, seed, timings and choices
            metrics.csv          losses and accuracies, a row for each epoch or step
            model.safetensors    the weights
            predictions.parquet  image_sha256, side, label, group, path, p_LABEL, logit_LABEL ...
            held_out.parquet     of a probe: training images, answered by models that saw none of their paper
            reference.safetensors  of a probe: what its training images look like
        search/fold-1.json       of a search: the loss of every candidate, and what was chosen for the training side
        evaluation.json          written by ``polymodel evaluate``; report.json, which names the page, by ``report``
        confusion_matrix.png

A part is written in a hidden folder beside its place and moved there whole. Checkpoints, from which a loop goes
on in the middle of a part, lie in that hidden folder.
"""

from __future__ import annotations

import fcntl
import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polydata.errors import InputError, PolydataError, RefusedError, UsageError
from polydata.files.atomic import write_text
from polydata.splits.manifest import spoken_label
from polydata.workspace import Workspace
from polymodel.config import TrainConfig, config_from_dict, meaning
from polymodel.kinds.asked import CHANCE, OLD_CHANCE, Nominal, kind_of

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
RUN_FILE = "run.json"
PART_FILE = "part.json"
PREDICTIONS = "predictions.parquet"
HELD_OUT = "held_out.parquet"
REFERENCE = "reference.safetensors"
METRICS = "metrics.csv"
MODEL = "model.safetensors"
CHECKPOINT = "checkpoint.pt"
RECORDED = ("command", "started", "seconds")
"""What every run.json says beside configuration, split and parts."""
BASELINES_FOLDER = "baselines"
"""The folder of ``polymodel baselines`` among the runs; it holds no run, whatever splits are called."""
MAX_NAME = 100
NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{MAX_NAME - 1}}}")


@dataclass(frozen=True, order=True)
class PartKey:
    """Which fold and seed a part is; folds count from 1."""

    fold: int
    seed: int

    @property
    def folder(self) -> str:
        """Name of its folder."""
        return f"fold-{self.fold}-seed-{self.seed}"


@dataclass(frozen=True, repr=False)
class Run:
    """A run read from its folder.

    Attributes:
        folder: where it lies.
        record: all of run.json.
    """

    folder: Path
    record: Mapping[str, Any]

    def __repr__(self) -> str:
        done = f"{len(self.finished)} of {len(self.planned)} parts"
        return f"<Run {self.name}: split {self.split['name']}, {done}>"

    @property
    def name(self) -> str:
        """Name of its folder."""
        return self.folder.name

    @property
    def config(self) -> TrainConfig:
        """What was trained and how."""
        return config_from_dict(self.record["config"])

    @property
    def split(self) -> Mapping[str, Any]:
        """Name, digest, classes, positive, counts, leakage and recipe of the split."""
        found: Mapping[str, Any] = self.record["split"]
        return found

    @property
    def kind(self) -> Nominal:
        """What is asked: a label, a label in an order, or a number."""
        return kind_of(self.split)

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels, in the order of the logits; of a number the bins in which the split's sides are alike."""
        return tuple(self.split["classes"])

    @property
    def positive(self) -> str:
        """The label that counts as positive."""
        return str(self.split["positive"])

    def spoken(self, label: str) -> str:
        """A label as people are shown it, see ``spoken_label``."""
        return spoken_label(label, self.split["recipe"])

    @property
    def leakage(self) -> str | None:
        """Why the split leaks, in words; None for a clean one."""
        return leakage_text(self.split["leakage"])

    @property
    def image_root(self) -> Path:
        """The folder to which the paths of the predictions are relative."""
        return (self.folder / str(self.record["image_root"])).resolve()

    @property
    def planned(self) -> tuple[PartKey, ...]:
        """All parts that the run is to have, in order."""
        return tuple(PartKey(p["fold"], p["seed"]) for p in self.record["parts"])

    @property
    def finished(self) -> tuple[PartKey, ...]:
        """Parts that are complete, in the order planned."""
        return tuple(key for key in self.planned if (self.part_folder(key) / PART_FILE).is_file())

    @property
    def is_finished(self) -> bool:
        """Whether all parts are there."""
        return self.finished == self.planned

    def part_folder(self, key: PartKey) -> Path:
        """Where a part lies or will lie."""
        return self.folder / "parts" / key.folder

    def hidden_folder(self, key: PartKey) -> Path:
        """Where a part lies while it is made."""
        return self.folder / "parts" / f".{key.folder}"

    def part(self, key: PartKey) -> dict[str, Any]:
        """part.json of a part."""
        return read_json(self.part_folder(key) / PART_FILE)

    def predictions(self, key: PartKey) -> pd.DataFrame:
        """Predictions of a part.

        Raises:
            InputError: if the file is damaged or lacks a column.
        """
        return self._table(self.part_folder(key) / PREDICTIONS, "side", "path")

    def held_out(self, keys: Sequence[PartKey]) -> pd.DataFrame | None:
        """What models answered on papers of the parts' training sides that they had not seen: label, group, answers.

        The validation side stands in for it where none was held back; None where no part has either.

        Raises:
            InputError: as ``predictions``.
        """
        import pandas as pd

        frames = [frame for key in keys if (frame := self._held_out(key)) is not None]
        return pd.concat(frames) if frames else None

    def _held_out(self, key: PartKey) -> pd.DataFrame | None:
        path = self.part_folder(key) / HELD_OUT
        if path.is_file():
            return self._table(path)
        frame = self.predictions(key)
        frame = frame[frame["side"] == "val"]
        return frame if len(frame) else None

    def _table(self, path: Path, *columns: str) -> pd.DataFrame:
        """A table of answers, with the columns that all have and these.

        Raises:
            InputError: if the file is damaged or lacks a column.
        """
        import pandas as pd

        hint = "Train the run again under another name."
        try:
            frame = pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise InputError(f"{path} cannot be read: {error}", hint) from error
        needed = {"image_sha256", "label", "group", *columns, *self.kind.columns(self.classes)}
        if missing := sorted(needed - set(frame.columns)):
            raise InputError(f"{path} lacks the columns {', '.join(missing)}.", hint)
        return frame.rename(columns={OLD_CHANCE: CHANCE + self.positive})

    def history(self, key: PartKey) -> pd.DataFrame:
        """metrics.csv of a part; a cell that was not measured is NaN."""
        import pandas as pd

        return pd.read_csv(self.part_folder(key) / METRICS)

    def require_finished(self) -> None:
        """Refuse a run of which some parts are missing.

        Raises:
            RefusedError: saying how to go on with it.
        """
        if not self.is_finished:
            raise RefusedError(
                f"The run {self.name} is not finished: {len(self.finished)} of {len(self.planned)} parts are there.",
                f"Go on with it: {self.record['command'] or 'call polymodel.fit again as before'}",
            )


def leakage_text(leakage: Mapping[str, Any] | None) -> str | None:
    """A split's leakage record in words; None where there is none."""
    if leakage is None:
        return None
    reason = leakage.get("reason")
    known = {key: value for key, value in leakage.items() if key != "reason" and value is not None}
    rest = [f"{key.replace('_', ' ')}: {_leak_words(value)}" for key, value in known.items()]
    return "; ".join([str(reason), *rest] if reason else rest) or "no reason was recorded"


def _leak_words(value: Any) -> str:
    """A value of a leakage record; of findings their names and numbers, since a manifest lists every pair."""
    if not isinstance(value, list):
        return str(value)
    named = [f for f in value if isinstance(f, dict) and {"detector", "count"} <= f.keys()]
    return ", ".join(f"{str(f['detector']).replace('-', ' ')} {f['count']}" for f in named) or f"{len(value)} entries"


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file.

    Raises:
        InputError: if it is missing or is something else.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise InputError(f"{path} holds no JSON object.")
    return data


def known_json(path: Path, **same: str | int) -> dict[str, Any] | None:
    """What was written earlier, where it can be read and says the same of these keys; otherwise it is made anew."""
    try:
        found = read_json(path)
    except InputError:
        return None
    return found if all(found.get(key) == value for key, value in same.items()) else None


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write a JSON object, whole or not at all."""
    write_text(path, json.dumps(data, indent=2, ensure_ascii=False) + "\n")


def check_name(name: str) -> str:
    """The name of a new run.

    Raises:
        UsageError: if it could not be a folder's name everywhere.
    """
    if not NAME.fullmatch(name) or name == BASELINES_FOLDER:
        raise UsageError(
            f"{name!r} cannot be the name of a run.",
            f"Use up to {MAX_NAME} letters, digits, points, dashes and underscores.",
        )
    return name


def open_run(name_or_path: str | Path, workspace: Path | None = None) -> Run:
    """A run by its name in the workspace, or by its folder.

    Raises:
        InputError: if there is no such run.
        WorkspaceError: if a name was given and no workspace is found.
    """
    path = Path(name_or_path)
    is_name = path.name == str(name_or_path)
    if is_name and not (path / RUN_FILE).is_file():
        path = Workspace.find(workspace).runs / path
    if not (path / RUN_FILE).is_file():
        where = f"{name_or_path}" if is_name else f"at {path}"
        raise InputError(f"There is no run {where}.", "List the runs with: polymodel runs list")
    record = read_json(path / RUN_FILE)
    if record.get("format") != FORMAT:
        raise InputError(f"{path / RUN_FILE} is not a run of format {FORMAT}.", "It may be from a newer version.")
    run = Run(path.resolve(), record)
    try:
        _ = run.config, run.classes, run.positive, run.leakage, run.image_root, run.planned
        _ = run.split["name"], run.split["digest"], *(record[key] for key in RECORDED)
        _ = record["environment"]["device"], record["environment"]["packages"]["torch"]
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"{path / RUN_FILE} lacks or garbles {error}.") from error
    return run


def list_runs(workspace: Path | None = None) -> tuple[list[Run], list[str]]:
    """All runs of the workspace by name, and what is wrong with those that cannot be read.

    Folders that hold no run are passed over.
    """
    runs, problems = [], []
    for path in sorted(Workspace.find(workspace).runs.glob(f"*/{RUN_FILE}")):
        if path.parent.name == BASELINES_FOLDER:
            continue
        try:
            runs.append(open_run(path.parent))
        except InputError as error:
            problems.append(error.message)
    return runs, problems


def create_run(folder: Path, record: Mapping[str, Any], same: Sequence[str]) -> Run:
    """Make a run folder, or find the one that an earlier call with the same meaning made.

    Args:
        folder: runs/NAME.
        record: what run.json is to hold.
        same: keys of the record that must be equal for an old run to be gone on with.

    Raises:
        RefusedError: if a run of that name means something else.
    """
    if (folder / RUN_FILE).is_file():
        run = open_run(folder)
        wanted = json.loads(json.dumps({key: record[key] for key in same}))  # through JSON, where tuples are lists
        differing = [key for key in same if _meaning(key, run.record.get(key)) != _meaning(key, wanted[key])]
        if differing:
            raise RefusedError(
                f"There is a run {folder.name} already, with another {' and '.join(differing)}.",
                "Give the new run another name with --name.",
            )
        if any(run.record.get(key) != wanted[key] for key in same):  # the weights have moved, or words were changed
            write_json(folder / RUN_FILE, {**run.record, **wanted})
        return open_run(folder)
    (folder / "parts").mkdir(parents=True, exist_ok=True)
    write_json(folder / RUN_FILE, record)
    return open_run(folder)


def _meaning(key: str, value: Any) -> Any:
    """A value of run.json as it is compared; runs of before processes were noted had one."""
    return meaning(value) if key == "config" else 1 if key == "processes" and value is None else value


@contextmanager
def held(run: Run) -> Iterator[None]:
    """Keep other processes from training the same run meanwhile, and clear what a killed one left but checkpoints.

    Raises:
        RefusedError: if another process is training it.
    """
    with open(run.folder / ".lock", "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RefusedError(
                f"Another process is training the run {run.name}.",
                "Wait for it, or give this run another name with --name.",
            ) from None
        for left in (run.folder / "parts").glob(".*"):
            if left.is_dir() and not (left / CHECKPOINT).is_file():  # other hidden files are the operating system's
                shutil.rmtree(left)
        yield


@contextmanager
def new_part(run: Run, key: PartKey) -> Iterator[Path]:
    """A hidden folder to write a part into; moved to its place when the block ends well.

    Where it ends with an error of ours, which another try would only repeat, the folder is removed. Whatever
    else breaks it off leaves checkpoints, which the next try finds.
    """
    hidden = run.hidden_folder(key)
    hidden.mkdir(exist_ok=True)
    try:
        yield hidden
        (hidden / CHECKPOINT).unlink(missing_ok=True)
        hidden.rename(run.part_folder(key))
    except PolydataError:
        shutil.rmtree(hidden, ignore_errors=True)
        raise
