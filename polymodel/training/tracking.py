"""Who is told of every epoch while it runs: TensorBoard, or MLflow where its package is installed."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from polydata.errors import UsageError
from polydata.resources import install_hint
from polymodel.config import TrackerName
from polymodel.runs.run import PartKey, Run

FOLDER = "tensorboard"
MLFLOW_ID = "mlflow.txt"

Row = Mapping[str, float | int | None]


class Tracker(Protocol):
    """Told of a row of metrics.csv as soon as it is there."""

    def row(self, row: Row) -> None:
        """Note the numbers of an epoch."""


class Silent:
    """Tells nobody."""

    def row(self, row: Row) -> None:
        """Do nothing."""


def require(name: TrackerName) -> None:
    """Make sure that a tracker is installed, before the work begins.

    Raises:
        UsageError: if it is not.
    """
    if name is TrackerName.MLFLOW:
        try:
            importlib.import_module("mlflow")
        except ImportError as error:
            raise UsageError("MLflow is not installed.", f"Install it with: {install_hint('mlflow')}") from error


@contextmanager
def tracking(name: TrackerName, run: Run, key: PartKey, part_folder: Path) -> Iterator[Tracker]:
    """A tracker of one part; a part that goes on after a break goes on there too.

    Args:
        name: which.
        run: of the part.
        key: of the part.
        part_folder: where the part is being made.
    """
    if name is TrackerName.TENSORBOARD:
        board = _Board(run.folder / FOLDER / key.folder)
        try:
            yield board
        finally:
            board.close()
    elif name is TrackerName.MLFLOW:
        with _mlflow(run, key, part_folder / MLFLOW_ID) as tracker:
            yield tracker
    else:
        yield Silent()


class _Board:
    """TensorBoard event files, made with the first row."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.writer: Any = None

    def row(self, row: Row) -> None:
        step = row["epoch"]
        if self.writer is None:
            from torch.utils.tensorboard import SummaryWriter

            # What an earlier, killed process wrote of this epoch and later ones is hidden.
            self.writer = SummaryWriter(str(self.folder), purge_step=step)
        for name, value in row.items():
            if value is not None and name != "epoch":
                self.writer.add_scalar(name, value, step)
        self.writer.flush()

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()


class _Mlflow:
    """A run of MLflow."""

    def __init__(self, mlflow: Any) -> None:
        self.mlflow = mlflow

    def row(self, row: Row) -> None:
        numbers = {name: value for name, value in row.items() if value is not None and name != "epoch"}
        self.mlflow.log_metrics(numbers, step=row["epoch"])


@contextmanager
def _mlflow(run: Run, key: PartKey, note: Path) -> Iterator[Tracker]:
    """One run of MLflow a part, in an experiment named as ours; the server is MLFLOW_TRACKING_URI or a local file."""
    mlflow: Any = importlib.import_module("mlflow")
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        mlflow.set_tracking_uri(f"sqlite:///{run.folder.parent / 'mlflow.db'}")
    mlflow.set_experiment(run.name)
    known = note.read_text(encoding="utf-8") if note.is_file() else None
    with mlflow.start_run(run_id=known, run_name=key.folder) as found:
        note.write_text(found.info.run_id, encoding="utf-8")
        if known is None:
            mlflow.log_params({**run.config.as_dict()["recipe"], "arch": run.config.arch, "seed": key.seed})
            mlflow.set_tags({"split_digest": run.split["digest"], "leakage": run.leakage or "none"})
        yield _Mlflow(mlflow)
