"""What ``import polymodel`` offers of runs: train them, open them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from polydata.splits.manifest import Split
from polydata.types import Progress, quiet
from polydata.workspace import Workspace
from polymodel.config import DeviceName, Hardware, Precision, TrackerName, train_config
from polymodel.data.split import load_split
from polymodel.recipes import Finetune, Probe
from polymodel.runs import run as folders
from polymodel.training.train import Trained, train


@dataclass(frozen=True)
class Run(folders.Run):
    """A run read from its folder.

    Attributes:
        folder: where it lies.
        record: all of run.json.
        trained: what ``fit`` did; None for a run that was opened.
    """

    trained: Trained | None = None


def open_run(name_or_path: str | Path, workspace: Path | None = None) -> Run:
    """A run by its name in the workspace, or by its folder.

    Args:
        name_or_path: a name below the workspace's runs/, or a folder that holds run.json.
        workspace: the workspace's folder; otherwise POLYDATA_WORKSPACE, or the first found from here upwards.

    Raises:
        InputError: if there is no such run.
        WorkspaceError: if a name was given and no workspace is found.
    """
    found = folders.open_run(name_or_path, workspace)
    return Run(found.folder, found.record)


def fit(
    split: Split | str | Path,
    method: Probe | Finetune | None = None,
    *,
    seeds: int | Sequence[int] = 1,
    name: str | None = None,
    device: DeviceName | str = DeviceName.AUTO,
    devices: int = 1,
    precision: Precision | str = Precision.FP32,
    compiled: bool = False,
    tracker: TrackerName | str = TrackerName.TENSORBOARD,
    checkpoint_seconds: float = 30.0,
    workspace: Path | None = None,
    command: Sequence[str] = (),
    progress: Progress = quiet,
) -> Run:
    """Train a model for each fold and seed of a split into a run folder; called again, go on where it was broken off.

    Generators of random numbers and torch's deterministic mode are afterwards what they were before.

    Args:
        split: from ``load_split``, or what that takes.
        method: ``Probe()``, the default, or ``Finetune(...)``.
        seeds: all of them, or how many from 0; one model is trained for each, on each fold.
        name: of the run; by default made of the split, the architecture, the recipe and a digest of all
            settings, so that the same call always means the same run.
        device: ``cpu``, ``cuda``, ``mps``, or ``auto`` for the best there is.
        devices: processes that share each batch, one a device.
        precision: of the arithmetic in training, ``fp32``, ``bf16`` or ``fp16``; results are always fp32.
        compiled: hand the network to ``torch.compile`` for training.
        tracker: told of every epoch beside metrics.csv: ``tensorboard``, ``mlflow`` or ``none``.
        checkpoint_seconds: at least so many between two checkpoints of a loop.
        workspace: whose runs/ the run goes to; otherwise POLYDATA_WORKSPACE, or the first found from here upwards.
        command: the words with which the user can go on after a break, kept in run.json.
        progress: told of what is going on.

    Returns:
        The finished run, a leaky split marked in it. Under torchrun only the first process's says what was trained.

    Raises:
        RefusedError: if an image of the split was changed, another process trains the run, or a run of that
            name means something else.
        InputError: if weights do not fit, or an image cannot be read.
        UsageError: if a setting, the device, the architecture or the name cannot be used.
        WorkspaceError: if no workspace is found.
    """
    config = train_config(method or Probe(), seeds)
    trained = train(
        split if isinstance(split, Split) else load_split(split, workspace),
        config,
        Workspace.find(workspace).runs,
        name=name,
        hardware=Hardware(DeviceName(device), devices, Precision(precision), compiled),
        tracker=TrackerName(tracker),
        checkpoint_seconds=checkpoint_seconds,
        command=command,
        progress=progress,
    )
    return Run(trained.run.folder, trained.run.record, trained if trained.is_first else None)
