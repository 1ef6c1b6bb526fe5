"""Who is told of every epoch while it runs: TensorBoard, or MLflow where its package is installed."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from polydata.errors import UsageError
from polydata.resources import install_hint
from polymodel.config import TrackerName
from polymodel.runs.run import PartKey, Run

FOLDER = "tensorboard"
MLFLOW_ID = "mlflow.txt"

Row = Mapping[str, float | int | None]
Tracker = Callable[[Row], None]
"""Told of a row of metrics.csv as soon as it is there."""


def silent(_row: Row) -> None:
    """Tell nobody."""


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
        with _tensorboard(run.folder / FOLDER / key.folder) as tracker:
            yield tracker
    elif name is TrackerName.MLFLOW:
        with _mlflow(run, key, part_folder / MLFLOW_ID) as tracker:
            yield tracker
    else:
        yield silent


def _numbers(row: Row) -> dict[str, float | int]:
    return {name: value for name, value in row.items() if value is not None and name != "epoch"}


@contextmanager
def _tensorboard(folder: Path) -> Iterator[Tracker]:
    """Event files, made with the first row."""
    writers: list[Any] = []

    def tell(row: Row) -> None:
        if not writers:
            from torch.utils.tensorboard import SummaryWriter

            # What an earlier, killed process wrote of this epoch and later ones is hidden.
            writers.append(SummaryWriter(str(folder), purge_step=row["epoch"]))
        for name, value in _numbers(row).items():
            writers[0].add_scalar(name, value, row["epoch"])
        writers[0].flush()

    try:
        yield tell
    finally:
        for writer in writers:
            writer.close()


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
        yield lambda row: mlflow.log_metrics(_numbers(row), step=row["epoch"])
